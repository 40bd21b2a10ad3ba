#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Commands that read an archive while its shards are replaced and removed fail
# for nothing but what is deleted.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

for d in a b/c d; do
	files src/$d 60 2000
done
for n in 1 2 3 4 5; do
	rm src/a/00000$n
	echo "going $n" >src/a/x$n
	echo "going $n" >src/d/x$n
done
"$DESFS_PACK" -q src archive || exit

# Until stop is there: extract all, look at some, list all.
use_tools()
{
	n=0
	until [ -e stop ] && [ $n -ge 3 ]; do
		n=$((n + 1))
		rm -rf out
		"$DESFS" extract archive out &&
			"$DESFS" ls -lR archive >ls.out &&
			"$DESFS" cat archive b/c/000010 a/000020 >cat.out &&
			"$DESFS" stat archive d/000030 >stat.out &&
			diff -r -x 'x?' src out || return 1
	done
}

under_repack()
{
	rm -f stop
	use_tools >tools.out 2>&1 &
	tools=$!
	status=0
	for n in 1 2 3 4 5; do
		"$DESFS" tombstone add archive a/x$n d/x$n &&
			"$DESFS" repack --grace 0 --progress never archive ||
			status=1
	done
	: >stop
	wait $tools || status=1
	cat tools.out
	return $status
}
t 'extract, ls, cat and stat beside five repacks' under_repack

# Two versions in a shard whose newest entry is older than that of another
# shard, which has a third one.
before_it()
{
	rm -rf s three && mkdir -p s/d || return
	at=0
	for f in one g two three; do
		case $f in
		g) rm s/d/f && seq 20000 >s/d/g && at=8 ;;
		one) echo one >s/d/f && at=1 ;;
		two) rm s/d/g && echo two >s/d/f && at=2 ;;
		three) echo three >s/d/f && at=3 ;;
		esac
		"$DESFS_PACK" -q --created-at 2026-11-01T10:00:0${at}Z s three ||
			return
		case $f in
		g) "$DESFS" repack --merge-below 1m --grace 0 three || return ;;
		three) "$DESFS" repack --merge-below 50k --grace 0 three ;;
		esac || return
	done
	[ "$("$DESFS" cat three d/f)" = three ] || return
	"$DESFS" tombstone add --no-copies --created-at 2026-11-01T10:00:03Z \
		three d/f && [ "$("$DESFS" cat three d/f)" = two ]
}
t 'the version before a deleted one, not the one before that' before_it
