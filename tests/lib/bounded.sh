#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bounded.sh - run a test, and end it when it takes too long; make check calls it.
#
#	bounded.sh SECONDS TEST...
#
# With TEST_TIMES in the environment a line goes to that file: seconds, seconds
# of processor time (without that of daemons), the test.
limit=$1
shift
begin=$(date +%s)
timeout -k 10 "$limit" "$@"
status=$?
case $status in
124 | 137) echo "Bail out! ended after $limit s" ;;
esac
[ "${TEST_TIMES:-}" ] || exit $status
elapsed=$(($(date +%s) - begin))
for name; do :; done
# Not in a pipe: a subshell has times of its own.
times >"$TEST_TIMES.$$"
awk -v elapsed=$elapsed -v name="tests/${name##*/tests/}" '
	NR == 2 { gsub(/[ms]/, " "); cpu = ($1 + $3) * 60 + $2 + $4 }
	END { printf "%d %.1f %s\n", elapsed, cpu, name }' \
	"$TEST_TIMES.$$" >>"$TEST_TIMES"
rm -f "$TEST_TIMES.$$"
exit $status
