# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# kill-at.sh - runs with a checkpoint that are killed, for shell tests.  After
# tap.sh and fault.sh:
#
#	./kill-at N PID [FILE]   for rules of faults: kills when the checkpoint FILE
#	                         (cp) has N shards
#	killed N ARCHIVE [options]   a run of src, before its Nth shard gets its name

cat >kill-at <<'END'
#!/bin/sh
left=600
until [ "$(grep -o '"key"' "${3:-cp}" 2>/dev/null | wc -l)" -ge "$1" ]; do
	left=$((left - 1))
	[ $left -gt 0 ] || exit
	sleep 0.05
done
kill -KILL "$2"
END
chmod +x kill-at

killed()
{
	killed_n=$1 killed_a=$2
	shift 2
	with_faults "rename *.des nth=$killed_n run=./kill-at $((killed_n - 1)) \$PPID" \
		"$DESFS_PACK" -q --open-shards 1 --checkpoint cp "$@" src \
		"$killed_a" >killed.out 2>&1
	killed_status=$?
	cat killed.out
	[ $killed_status = 137 ]
}
