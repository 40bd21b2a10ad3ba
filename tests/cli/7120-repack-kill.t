#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs repack killed at any moment: the archive shows the same, and another run
# completes the work.
. "${0%/*}/../lib/tap.sh"
# shellcheck source=tests/lib/tree.sh
. "$SRCDIR/tests/lib/tree.sh"

kill_begin()
{
	files src/small 3000 900 && files src/other/dir 500 3000 &&
		mkdir -p src/a/b/c && files src/a/b/c/large 3 3000000 &&
		"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src base &&
		"$DESFS" tombstone add base small/000007 small/000100 \
			a/b/c/large/000001 other/dir/000003 >/dev/null &&
		"$DESFS" ls -R base >names && cp -a base want || return 1
	kill_start=$(date +%s%N)
	"$DESFS" repack want >want.out || return 1
	kill_ms=$((($(date +%s%N) - kill_start) / 1000000 + 1))
	"$DESFS" ls -R want >names.want && cmp names names.want &&
		counting want >want.keys
	echo "an undisturbed run takes $kill_ms ms"
}

# Keys of what counts.
counting()
{
	"$DESFS" verify --json "$1" >/dev/null
	(cd "$1" && find . -name '*_R001_*.des' | sort)
}

# A run killed after MS milliseconds, or at its end.
killed_after()
{
	chmod -R u+w now 2>/dev/null
	rm -rf now && cp -a base now || return 1
	ASAN_OPTIONS=$no_leaks "$DESFS" repack now >now.out 2>&1 &
	kill_pid=$!
	sleep "$(awk -v ms="$1" 'BEGIN { printf "%.3f", ms / 1000 }')"
	kill -KILL $kill_pid 2>/dev/null
	wait $kill_pid 2>/dev/null
	return 0
}

shows_the_same()
{
	"$DESFS" verify --deep now >now.verify && ! grep -q DAMAGE now.verify &&
		"$DESFS" ls -R now >now.names && cmp names now.names
}

completes()
{
	"$DESFS" repack now >now.out && shows_the_same &&
		counting now >now.keys && cmp want.keys now.keys
}

t 'a run that is not disturbed' kill_begin
for part in 1 3 5 7 9 11 13 15; do
	t "killed after $part sixteenths" killed_after $((kill_ms * part / 16))
	t 'the archive shows the same' shows_the_same
	t 'another run completes it' completes
done

# Several at once: each shard is replaced once, whoever does it.
together()
{
	chmod -R u+w now 2>/dev/null
	rm -rf now && cp -a base now || return 1
	for i in 1 2 3; do
		"$DESFS" repack now >"now.$i" 2>&1 &
		eval "pid$i=\$!"
	done
	# shellcheck disable=SC2154
	wait "$pid1" && wait "$pid2" && wait "$pid3"
}
t 'three at once' together
t 'the archive shows the same' shows_the_same
t 'nothing is left to do' completes
