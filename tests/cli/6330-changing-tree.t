#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A tree changes all the time while it is packed again and again: no file is
# archived that never was.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

mutate()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/mutate.py" "$@"
}
begin()
{
	mkdir src
	"$PYTHON" -B "$SRCDIR/tests/lib/mutate.py" run src 1 >mutate.out 2>&1 &
	mutator=$!
	wait_for 60 grep -q READY mutate.out
}
# Some files fail, all that are archived are whole.
pack_once()
{
	kill -0 "$mutator" || return 1
	"$DESFS_PACK" -q --mirror --block-size 128K "$@" src a 2>err
	pack_status=$?
	head -n 3 err
	rm -rf out && "$DESFS" extract a out && mutate check out || return 1
	case $pack_status in
	0) [ ! -s err ] ;;
	1) [ -s err ] && grep -v ': error: .*: ' err >unknown
		[ ! -s unknown ] ;;
	*) return 1 ;;
	esac
}
still()
{
	# Not in the middle of a write.
	kill "$mutator"
	wait "$mutator"
	cat mutate.out
	"$DESFS_PACK" -q --mirror src a && rm -rf out &&
		"$DESFS" extract a out && diff -r src out && mutate check out
}

t 'a tree that changes' begin
i=0 failed=0
[ "$(scaled 10)" = 10 ] && runs=6 || runs=1
while [ $i -lt "$runs" ]; do
	i=$((i + 1))
	t "whole files, time $i" pack_once
	[ "$pack_status" = 0 ] || failed=$((failed + 1))
done
t 'and with --checksum' pack_once --checksum
t 'some of the runs had files that changed' [ $failed -gt 0 ]
t 'when it is still, the archive has just what is there' still
t 'which is sound' "$DESFS" verify --deep a
