#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One byte is changed in each of FLIPS shards (40): verify finds them all, and
# nothing else; repack --drop-corrupt keeps all that is whole.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

flips=${FLIPS:-40}

# Some days of 16 shards each, all slots having files of several kinds.
"$PYTHON" - "$flips" <<'END' || exit
import os, random, sys
rng = random.Random(7)
days = int(sys.argv[1]) // 16 + 2
for day in range(days):
    for d in range(40):
        top = f"src/{day:03d}/{d}"
        os.makedirs(top)
        for i in range(3):
            with open(f"{top}/f{i}", "wb") as f:
                f.write(rng.randbytes(rng.randrange(3000))
                        + b"text " * rng.randrange(800))
            t = 1577880000 + day * 86400 + d
            os.utime(f"{top}/f{i}", (t, t))
        os.symlink("f0", f"{top}/link")
        os.utime(f"{top}/link", (t, t), follow_symlinks=False)
END
t 'an archive of many days' "$DESFS_PACK" -q --created-at mtime src ar
chmod -R u+w ar
find ar -name '*.des' | sort >all
n=$(wc -l <all)
enough()
{
	echo "$n shards"
	[ "$n" -ge $((flips + 1)) ]
}
t 'has enough shards' enough
t 'and is well' "$DESFS" verify --deep ar

# Not the first ones only: some stay as they are, and are not to be named.
awk -v n="$n" -v k="$flips" 'BEGIN { srand(3) }
	rand() * (n - NR + 1) < k { print; k-- }' all >some
# shellcheck disable=SC2046 # one word each
"$PYTHON" "$SRCDIR/tests/lib/flip-shards.py" 11 $(cat some) >flipped || exit
cut -d ' ' -f 2 flipped | sort | uniq -c

# found ARGUMENTS: those in some, and no others, are damaged
found()
{
	"$DESFS" verify --report rep.json --json "$@" ar >out 2>err
	found_status=$?
	"$PYTHON" - <<'END' || return
import json
rows = json.load(open("rep.json"))["rows"]
bad = sorted("ar/" + r["key"] for r in rows
             if r["kind"] == "shard" and r["damage"])
want = sorted(open("some").read().split())
missed = set(want) - set(bad)
lines = {l.split()[0]: l for l in open("flipped")}
for k in missed:
    print("missed", lines[k])
for k in set(bad) - set(want):
    print("not damaged:", k)
total = rows[-1]
assert total["damaged_shards"] == len(bad), total
damage = {"ar/" + r["key"] for r in rows if r["kind"] == "damage"}
assert damage == set(bad), damage ^ set(bad)
assert bad == want
END
	[ $found_status = 6 ] || { cat err; return 1; }
}
t "all $flips changed bytes are found, and nothing else" found --deep
t 'with threads too' found --deep -j 5

# Each by itself, as a file: nothing else is there to tell of it.
each_alone()
{
	while read -r path region at; do
		"$DESFS" verify --deep "$path" >o 2>e
		[ $? = 6 ] || { echo "$region $at"; cat o e; return 1; }
	done <flipped
}
t 'each alone' each_alone
not_in_data()
{
	grep -v " data " flipped | cut -d ' ' -f 1 >some.new &&
		cp some all.some && mv some.new some && found -j 2 &&
		mv all.some some
}
t 'without --deep those that are not in data' not_in_data

# What is not there afterwards was told, and all else is as it was.
dropped()
{
	"$DESFS" repack --drop-corrupt --grace 0 --json ar >drop.json 2>err || {
		cat err
		return 1
	}
	"$DESFS" verify --deep ar || return
	"$DESFS" extract ar kept && "$PYTHON" - <<'END'
import filecmp, json, os
rows = [json.loads(line) for line in open("drop.json")]
lost = {r["path"] for r in rows if r["kind"] == "lost" and "path" in r}
nameless = [r for r in rows if r["kind"] == "lost" and "path" not in r]
damaged = set(open("some").read().split())
replaced = {"ar/" + k for r in rows if r["kind"] == "group"
            for k in r["replaces"]}
assert replaced == damaged, replaced ^ damaged
assert not nameless, nameless
n = 0
for top, _, names in os.walk("src"):
    for name in names:
        uid = os.path.join(top, name)[4:]
        a, b = "src/" + uid, "kept/" + uid
        if uid in lost:
            assert not os.path.lexists(b), uid
            n += 1
        elif os.path.islink(a):
            assert os.readlink(a) == os.readlink(b), uid
        else:
            assert filecmp.cmp(a, b, False), uid
assert n == len(lost), (n, lost)
print(len(damaged), "shards,", n, "lost")
END
}
t 'each file that is whole is kept, each other told' dropped
