#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs get finds files by uid and time, one or many, and says what it cannot.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need 'needs jq' command -v jq

# Versions of a, a file that was removed, names that look like escapes.
mkdir -p src/d/e
echo one >src/a
echo gone >src/gone
echo deep >src/d/e/deep
: >src/empty
echo percent >'src/50%2F'
head -c 3000000 /dev/urandom >src/large
truncate -s 5M src/holes
echo data | dd of=src/holes bs=1 seek=3000000 conv=notrunc 2>/dev/null
"$DESFS_PACK" -q --created-at 2024-12-15T10:00:00Z src ar || exit
echo two >src/a
rm src/gone
"$DESFS_PACK" -q --mirror --created-at 2024-12-15T10:00:00.250000Z src ar || exit
echo three >src/a
"$DESFS_PACK" -q --created-at 2024-12-16T00:00:00Z src ar || exit

# gets STATUS TEXT ARGUMENTS: what it writes, or says
gets()
{
	gets_status=$1 gets_text=$2
	shift 2
	"$DESFS" get "$@" >out 2>err </dev/null
	gets_is=$?
	cat out err
	[ $gets_is = "$gets_status" ] || { echo "status $gets_is"; return 1; }
	[ $gets_is != 0 ] || { echo "$gets_text" | cmp - out; return; }
	[ ! -s out ] && grep -qF -e "$gets_text" err
}

# at TIME TEXT: the version of a
at()
{
	t "a of $1" gets 0 "$2" --created-at "$1" ar a
}
t 'the newest version' gets 0 three ar a
at 2024-12-15T10:00:00Z one
at 2024-12-15T11:00:00+01:00 one
at 20241215T100000 one
at 2024-12-15T10:00:00.250000Z two
at 2024-12-15T10:00:00.25Z two
at 2024-12-15T10:00:00.2Z two
at 2024-12-15T10:00 one
at 2024-12-15 two
at 2024-12-16 three
at 2024-W51-1 three
t 'a second without one' gets 3 'a: no version of that time' \
	--created-at 2024-12-15T10:00:01Z ar a
t 'nor in the microsecond after' gets 3 'no version of that time' \
	--created-at 2024-12-15T10:00:00.000001Z ar a
t 'what is no time' gets 2 'no ISO 8601 time' --created-at today ar a
t 'a uid that nobody has' gets 3 'nope: no such file' ar nope
t 'a file far down' gets 0 deep ar d/e/deep
t 'a directory is no file' gets 2 'd/e: is a directory, not a file' ar d/e
t 'nor is one that was inferred' gets 2 'd: is a directory' ar d
t 'what was removed' gets 3 'gone: was removed' ar gone
t 'is there by its time' gets 0 gone --created-at 2024-12-15T10:00:00Z ar gone
t 'a name like an escape' gets 0 percent ar '50%2F'
t 'and the uid it would stand for' gets 0 percent ar 50/
t 'a uid behind dashes' gets 3 '-x: no such file' ar -- -x
t 'an empty uid' gets 3 'no such file' ar ''
t 'bits do not matter there' gets 0 three --n-bits 8 ar a
t 'nor do they hide what is wrong' gets 3 'nope: no such file' --n-bits 8 ar nope
t 'no archive' gets 3 'desfs: none: ' --n-bits 8 none a
t 'a uid too many' gets 2 '' ar a gone
t 'no uid' gets 2 'wanted an archive and a uid' ar

file_is()
{
	"$DESFS" get -o "$2" ar "$1" && cmp "src/$1" "$2"
}
t 'into a file' file_is large out.large
t 'over a file' file_is large out.large
t 'an empty one' file_is empty out.empty
t 'holes stay' file_is holes out.holes
is_sparse()
{
	[ "$(stat -c %b out.holes)" -lt 2048 ]
}
t 'as holes' is_sparse
mkfifo pipe
through_pipe()
{
	cat pipe >out.pipe &
	"$DESFS" get -o pipe ar large && wait && cmp src/large out.pipe &&
		[ -p pipe ]
}
t 'a pipe is written to, not replaced' through_pipe
t 'a file where no directory is' gets 3 'none/x' -o none/x ar a
no_leftover()
{
	find . -name '*desfs-*' | grep .
}
t 'a failure leaves no file behind' not no_leftover

# Deletion and damage.
cp -a ar hurt
t 'a tombstone is added' "$DESFS" tombstone add hurt a
t 'a deleted file' gets 3 'a: was deleted' hurt a
t 'whatever the time' gets 3 'a: was deleted' --created-at 2024-12-15 hurt a
spoil()
{
	"$PYTHON" - <<-'END'
	import pathlib
	part = pathlib.Path("src/large").read_bytes()[2500000:2500064]
	for path in pathlib.Path("hurt").rglob("*.des"):
	    data = bytearray(path.read_bytes())
	    at = data.find(part)
	    if at >= 0:
	        data[at] ^= 1
	        path.chmod(0o644)
	        path.write_bytes(data)
	        break
	else:
	    raise SystemExit("not found")
	END
}
t 'a block is damaged' spoil
t 'that is told with the name of the shard' gets 6 '.des' -o out.bad hurt large
t 'and gives no file' [ ! -e out.bad ]
half_is_right()
{
	"$DESFS" get hurt large >half
	[ $? = 6 ] && [ -s half ] && cmp -n "$(stat -c %s half)" src/large half
}
t 'or what is right of it' half_is_right

# Lists.
cat >pairs <<END
a	2024-12-15T10:00:00Z
a
empty	2024-12-15
large	\\N
d/e/deep	2024-12-15T10:00:00Z
holes
a	2024-12-16T00:00:00.000000Z
50/	
END
many()
{
	rm -rf out.d out.tar
	"$DESFS" get --batch pairs --report rep -o out.tar ar &&
		mkdir out.d && tar -xf out.tar -C out.d
}
right_files()
{
	for f in empty large d/e/deep holes '50%2F'; do
		cmp "src/$f" "out.d/$f" || return
	done
	echo one | cmp - out.d/a@20241215T100000.000000Z &&
		echo three | cmp - out.d/a@20241216T000000.000000Z &&
		[ "$(find out.d -type f | wc -l)" = 7 ]
}
t 'a list to a tar' many
t 'has all files once' right_files
report_is_right()
{
	jq -r '[.record, .uid, .status, .path, .bytes] | @tsv' rep >rows
	cat rows
	[ "$(wc -l <rep)" = 8 ] && ! grep -v '	ok	' rows || return
	jq -r 'select(.record != 8) | .sha256 + "  out.d/" + .path' rep |
		sha256sum -c --quiet && [ "$(jq -r .version rep | sed -n 3p)" = \
		2024-12-15T10:00:00.000000Z ] &&
		jq -e 'select(.record == 8) | .uid == "50/" and .path == "50%2F"' rep
}
t 'and so has the report' report_is_right
same_bytes()
{
	"$DESFS" get --batch - -j 1 ar <pairs >one.tar &&
		sort -r pairs | "$DESFS" get --batch - -j 7 ar >other.tar &&
		cmp out.tar one.tar && cmp out.tar other.tar
}
t 'order and threads do not matter' same_bytes
to_files()
{
	rm -rf out.d
	"$DESFS" get --batch pairs --format files -o out.d "$@" ar
}
t 'a list to files' to_files
t 'has all of them, too' right_files
again()
{
	"$DESFS" get --batch pairs --format files -o out.d ar
	[ $? = 1 ] && right_files
}
t 'they are not written over' again
t 'unless that is asked for' "$DESFS" get --batch pairs --format files \
	-o out.d --overwrite ar
t 'and stay right' right_files

json_is_same()
{
	"$PYTHON" - <<-'END'
	import json
	rows = [(l.rstrip("\n").split("\t") + [None])[:2] for l in open("pairs")]
	rows = [{"uid": u, "created_at": None if t in ("", "\\N") else t,
	         "size_bytes": "x"} for u, t in rows]
	json.dump(rows, open("pairs.json", "w"), indent=1)
	with open("pairs.jsonl", "w") as f:
	    for r in rows:
	        print(json.dumps(r), file=f)
	with open("pairs.tsv", "w") as f:
	    print("created_at\tnote\tuid", file=f)
	    for r in rows:
	        print(r["created_at"] or "", "x", r["uid"], sep="\t", file=f)
	END
	for list in pairs.json pairs.jsonl pairs.tsv; do
		"$DESFS" get --batch $list ar | cmp - out.tar || return
	done
}
t 'in other notations it is the same' json_is_same

# Errors of some cost no others.
cat >some <<'END'
{"uid": "a"}
{"uid": "large"}
{"uid": "empty", "created_at": "2024-13-01"}
{"uid": "d/e/deep"}
{"uid": "d/e"}
{"uid": "no\u0000ne"}
{"name": "empty"}
{"uid":
{"uid": 12}
END
some_fail()
{
	"$DESFS" get --batch some --report rep "$@" hurt 2>err
	[ $? = 1 ] || return
	cat rep err
	jq -r .status rep | tr '\n' ' ' >words
	[ "$(cat words)" = 'deleted corrupt failed ok failed missing failed failed missing ' ] &&
		[ "$(wc -l <err)" = 8 ] && grep -q 'large: .*\.des' err &&
		jq -r 'select(.record == 6).uid' rep | tr -d '\n' |
		od -c | grep -q 'n   o  \\0   n   e'
}
t 'some of a list fail' some_fail -o some.tar
only_deep()
{
	[ "$(tar -tf some.tar)" = d/e/deep ]
}
t 'the others are in the tar' only_deep
t 'the same with files' some_fail --format files -o some.d
only_deep_file()
{
	[ "$(find some.d -type f)" = some.d/d/e/deep ]
}
t 'of which nothing else is left' only_deep_file
alone()
{
	echo large | "$DESFS" get --batch - -o one.tar hurt
	[ $? = 6 ]
}
t 'one pair that fails gives its status' alone
: >none
empty_list()
{
	"$DESFS" get --batch none --report rep -o none.tar ar &&
		[ -z "$(tar -tf none.tar)" ] && [ -f rep ] && [ ! -s rep ]
}
t 'an empty list gives an empty tar' empty_list
t 'a list that is not there' gets 3 'nolist' --batch nolist -o x.tar ar
t 'and no tar then' [ ! -e x.tar ]
t 'times on the command line' gets 2 'in the list' --batch pairs \
	--created-at 2024 ar
t 'files to standard output' gets 2 'needs a directory' --batch pairs \
	--format files ar
t 'tar and report to standard output' gets 2 'cannot both' --batch pairs \
	--report - ar
report_out()
{
	"$DESFS" get --batch none --report - -o none.tar ar | cmp - none &&
		"$DESFS" get --batch pairs --report - -o out.tar ar | head -n 1 |
		grep -q '"record":1,"uid":"a"'
}
t 'the report alone can go there' report_out
# Waits for a list nobody writes, and ends when asked to.
mkfifo never
stopped()
{
	sleep 1000 >never &
	writer=$!
	"$DESFS" get --batch never -o stop.tar ar &
	reader=$!
	wait_for 20 sh -c 'ls stop.tar.desfs-*.tmp' && kill -TERM $reader
	wait $reader
	stopped_is=$?
	kill $writer
	[ $stopped_is = 12 ] && [ ! -e stop.tar ]
}
t 'a stop ends the wait for a list' stopped
full()
{
	"$DESFS" get --batch pairs ar >/dev/full
	[ $? = 13 ]
}
t 'a full disk' full
t 'nothing is left behind' not no_leftover

# Many: neighbours, versions, bounded memory.
n=$(scaled 5000)
files many/x "$n" 300
"$DESFS_PACK" -q --created-at 2025-01-01T00:00:00Z many ar.many || exit
find many -type f -printf '%P\t2025-01-01\n' | rev | sort | rev >pairs
all_of_many()
{
	"$DESFS" get --batch pairs --report rep ar.many | tar -xf - -C many.out &&
		diff -r many many.out && ! grep -v '"status":"ok"' rep &&
		[ "$(wc -l <rep)" = "$n" ]
}
mkdir many.out
t 'many files' all_of_many
