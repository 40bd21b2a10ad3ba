#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs repack: what is deleted is nowhere afterwards, all else as it was.
. "${0%/*}/../lib/tap.sh"
# shellcheck source=tests/lib/tree.sh
. "$SRCDIR/tests/lib/tree.sh"
need 'needs lz4 and zstandard of Python' "$PYTHON" -c 'import lz4, zstandard'

forget()
{
	"$DESFS" tombstone add "$@" >/dev/null
}

# repacked ARCHIVE OUTPUT UID...: each group of the JSON lines in OUTPUT.  Python
# looks at the bytes once, whatever compiler made them.
repacked()
{
	in_tenths && grep -q '"status": *"done"' "$2" && return
	"$PYTHON" - "$@" <<-'EOF'
	import json, os, subprocess, sys
	archive, out, *gone = sys.argv[1:]
	tool = os.path.join(os.environ["SRCDIR"], "tests/lib/repacked.py")
	n = 0
	for line in open(out):
	    row = json.loads(line)
	    if row["kind"] != "group":
	        continue
	    assert row["status"] == "done", row
	    split = ["--split"] if row["why"] == "split" else []
	    paths = lambda keys: [os.path.join(archive, k) for k in keys]
	    subprocess.run([sys.executable, "-B", tool] +
	                   split + paths(row["replaces"]) + ["--"] +
	                   paths(row["shards"]) + ["--"] + gone, check=True)
	    n += 1
	assert n, "nothing was done"
	EOF
}

# The bytes of WORD are in no shard of these keys.
lacks()
{
	"$PYTHON" -B - "$@" <<-'EOF'
	import json, os, sys
	sys.path.insert(0, os.path.join(os.environ["SRCDIR"], "tests/lib"))
	from desshard import Shard, Cursor
	archive, out, *words = sys.argv[1:]
	class Noted(Shard):
	    def page(self, *which):
	        cursor, count = super().page(*which)
	        self.payloads.append(bytes(cursor.data))
	        return cursor, count
	def everything(path):
	    s = Noted(path)
	    s.payloads = []
	    yield s.read(0, s.size)
	    list(s.entries())
	    yield from s.payloads
	    for off, stored in s.scan()[0].items():
	        _, _, data, _, records = s.block(off, stored)
	        yield from (data, records)
	for line in open(out):
	    for key in json.loads(line).get("shards", []) if '"group"' in line else []:
	        for part in everything(os.path.join(archive, key)):
	            for word in words:
	                assert os.fsencode(word) not in bytes(part), (key, word)
	EOF
}

# repack_to FILE ARG...: JSON lines.
repack_to()
{
	out=$1
	shift
	"$DESFS" repack --json "$@" >"$out"
}

status_is()
{
	want=$1
	shift
	"$@"
	[ $? = "$want" ]
}

json_sum()
{
	"$PYTHON" -c 'import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
print(sum(r.get(sys.argv[2], 0) for r in rows if r["kind"] == "total"))' "$1" "$2"
}

whole()
{
	"$DESFS" verify --deep "$1" >verify.out && ! grep -q DAMAGE verify.out &&
		rm -rf "x-$1" && "$DESFS" extract "$1" "x-$1" 2>/dev/null
}

same_as_src()
{
	whole "$1" && same_by_diff src "x-$1" && same_by_rsync src "x-$1"
}

# From the tree as from the archive; no directory shows it.
remove_gone()
{
	for f in $gone; do
		rm -rf "src/$f"
	done
	(cd src && find . -type d -exec touch -r ../src.all/{} {} \;)
}

# --- a small tree, looked at from all sides -------------------------------
files src/many 2000 3000
files src/dir/deep/er 30 20000
files src/only 1 500
files src/only/below 1 500
echo 'a secret that must go' >src/many/victim
seq 100000 >src/equal-1
cp src/equal-1 src/equal-2
head -c 3000000 /dev/urandom >src/big
head -c 1000000 /dev/urandom >src/big-stays
cat src/big-stays src/many/000001 >src/big-too
ln src/big src/big-link
ln -s many/victim src/link
mkdir src/empty src/sockets
setfattr -n user.victim -v secret-attribute src/many/000007
setfattr -n user.stays -v attribute src/many/000008
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src one
cp -a src src.all
gone='many/victim many/000007 many/000500 many/000501 big equal-1 link only/000000
	only/below/000000 empty dir/deep/er/000003'
t 'nothing is deleted, nothing to do' "$DESFS" repack one
t 'so nothing is written' test "$(find one/log -type f | wc -l)" = 1
# shellcheck disable=SC2086
t 'some are deleted' forget one $gone
find one -type f | sort >before
t 'a dry run' "$DESFS" repack --dry-run one
find one -type f | sort >after
t 'changes nothing' cmp before after
t 'they are repacked' repack_to out.json one
# shellcheck disable=SC2086
t 'what is left is as it was, and the rest nowhere' repacked one out.json $gone
t 'not even as bytes' lacks one out.json 'a secret that must go' many/victim \
	secret-attribute 000501 "$(head -c 40 src/many/000500)"
remove_gone
t 'the tree is what is left' same_as_src one
t 'both names of a file of which one is deleted had its bytes' \
	cmp x-one/big-link src.all/big
t 'once more: nothing to do' repack_to out2.json one
t 'nothing was done' test "$(json_sum out2.json replaced)" = 0
mount_up one mnt
t 'a mount shows it' same_by_diff src mnt

# --- merge, split, recompress ---------------------------------------------
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src.all two
for i in 1 2 3; do
	files "src.all/more$i" 50 700
	seq "$i" 40000 >src.all/many/000002
	"$DESFS_PACK" -q --created-at "2026-01-01T1$i:00:00Z" src.all two
done
rm -rf src
cp -a src.all src
t 'several versions' same_as_src two
t 'small shards are merged' repack_to out.json --merge-below 100M two
t 'into one a slot' test "$(json_sum out.json written)" -lt "$(json_sum out.json replaced)"
t 'with all entries' repacked two out.json
t 'the tree is the same' same_as_src two
# shellcheck disable=SC2086
t 'some are deleted there' forget two $gone
t 'merged ones are repacked' repack_to out.json two
# shellcheck disable=SC2086
t 'without what is deleted' repacked two out.json $gone
t 'one is split' repack_to out.json --split-above 1M two
t 'into several' test "$(json_sum out.json written)" -gt "$(json_sum out.json replaced)"
t 'with all entries' repacked two out.json
remove_gone
t 'the tree is what is left' same_as_src two
t 'all is recompressed' repack_to out.json --recompress lz4 two
t 'the tree is the same' same_as_src two
t 'and merged again' repack_to out.json --merge-below 1G --recompress zstd:9 two
t 'the tree is the same' same_as_src two

# --- per cent --------------------------------------------------------------
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src.all three
t 'a little is deleted' forget three many/000009
t 'too little' repack_to out.json --when-deleted 50% three
t 'so nothing is done' test "$(json_sum out.json replaced)" = 0
t 'but it is enough without a number' repack_to out.json --grace 0 three
t 'for one shard' test "$(json_sum out.json replaced)" = 1
t 'which is removed at once' test \
	"$(find three -name '*.des' ! -name '*_R001_*' | wc -l)" = \
	"$("$DESFS" verify three | sed -n 's/^\([0-9]*\) shards.*/\1/p' | awk '{ print $1 - 1 }')"
t 'one by name' "$DESFS" repack --recompress none three \
	"$(find three -name '*.des' | sort | head -n 1)"
t 'no such shard' status_is 3 "$DESFS" repack three nothing.des
t 'no percentage' status_is 2 "$DESFS" repack --when-deleted 101 three
t 'no codec' status_is 2 "$DESFS" repack --recompress gzip three
t 'no level' status_is 2 "$DESFS" repack --recompress zstd:99 three
t 'no time' status_is 2 "$DESFS" repack --grace 1w three
t 'no archive' status_is 3 "$DESFS" repack src

# --- versions of one name stay together -------------------------------------
mkdir -p one-name && seq 100000 >one-name/f
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z one-name six
seq 100001 >one-name/f
"$DESFS_PACK" -q --created-at 2026-01-01T11:00:00Z one-name six
t 'two versions are merged' "$DESFS" repack --grace 0 --merge-below 1G six
find six -name '*.des' | sort >before
t 'and cannot be split' "$DESFS" repack --split-above 600K six
find six -name '*.des' | sort >after
t 'so nothing is written' cmp before after

# --- the same bytes, whatever the number of threads -------------------------
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src.all four
# shellcheck disable=SC2086
forget four $gone
cp -a four five
"$DESFS" repack --jobs 1 four >/dev/null
"$DESFS" repack --jobs 5 five >/dev/null
(cd four && find . -name '*.des' | sort) >four.names
(cd five && find . -name '*.des' | sort) >five.names
t 'the result does not depend on threads' cmp four.names five.names
