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
