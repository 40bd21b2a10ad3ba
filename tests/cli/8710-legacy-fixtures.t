#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every file of the fixtures of older formats, by each tool that reads; and uids
# that are no paths, tombstones, sidecars that cannot be understood.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

fixtures()
{
	"$PYTHON" "$SRCDIR/tests/lib/legacy-fixtures.py" "$@"
}

# status N COMMAND...: it ends so.
status()
{
	want=$1
	shift
	"$@" >out 2>err
	got=$?
	cat out err
	[ $got = "$want" ]
}

says()
{
	cat err
	grep -qF "$1" err
}

t 'there are archives of all fixtures' fixtures make fx

listed()
{
	"$DESFS" ls -R --json "fx/$1" >lines && fixtures listing "fx/$1.json" <lines
}
extracted()
{
	"$DESFS" extract "fx/$1" "x/$1" && fixtures tree "fx/$1.json" "x/$1"
}
written()
{
	fixtures paths "fx/$1.json" >names &&
		xargs -0 "$DESFS" cat "fx/$1" <names >bytes &&
		fixtures content "fx/$1.json" <bytes
}
told()
{
	fixtures paths "fx/$1.json" >names &&
		xargs -0 "$DESFS" stat --json "fx/$1" <names >lines &&
		fixtures listing "fx/$1.json" <lines
}

mkdir x
for a in odd loose packed-n4 packed-n8 packed-n10 packed-bigfile datavision; do
	t "all files of $a are listed" listed $a
	t "they are extracted with their bytes" extracted $a
done
for a in odd loose packed-bigfile datavision; do
	t "all files of $a are written out" written $a
	t "and told of" told $a
done

# What was deleted is not there, whoever asks for it.
for uid in gone gone/later; do
	t "$uid was deleted" status 3 "$DESFS" cat fx/odd "$uid"
done
t 'a file whose path is a directory is found by its mark' \
	status 0 "$DESFS" stat fx/odd 'q%file' 'q/r%file' q q/r q/r/s
t 'nothing leads out of the archive' \
	status 0 "$DESFS" cat fx/odd '%2E%2E/%2E%2E/etc/passwd'

# Where a sidecar cannot be understood, it cannot be known what of its shard was
# deleted: no file of it can be read, and none of another shard takes its place.
damaged()
{
	cp -r fx/odd "$1" && printf %s "$2" >"$1/20250302_00_0000.meta" &&
		status 6 "$DESFS" ls "$1" && says 20250302_00_0000.meta &&
		says "$3" && grep -qx first out && grep -qx kept out &&
		status 6 "$DESFS" cat "$1" first && [ ! -s out ] &&
		says 'whether it was deleted' &&
		status 6 "$DESFS" cat "$1" kept && [ "$(cat out)" = 2 ]
}
t 'a sidecar that is cut: nothing of its shard can be read' damaged m1 \
	'{"version":1,"tombstones":{"gone' 'too early'
t 'nor with one that is empty' damaged m2 '' 'too early'
t 'one of another version' damaged m3 \
	'{"version":2,"tombstones":{}}' 'version is 2'
t 'one without tombstones' damaged m4 '{"version":1}' 'no member tombstones'
t 'one with a tombstone of no uid' damaged m5 \
	'{"version":1,"tombstones":{"a":{"uid":5}}}' 'no string'
rm m1/20250302_00_0000.meta
t 'without the sidecar all of it is there' \
	status 0 "$DESFS" cat m1 gone%file gone/later first
# The other one of its slot has two files that its tombstones concern.
printf '{"version":1,"tombstones":{"first":0}}' >m1/20250302_00_0001.meta
t 'a tombstone hides a uid in all shards of its slot' \
	status 3 "$DESFS" cat m1 first
