#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SECONDS TARGET... - run each fuzz target so long, two on each processor;
# make fuzz calls it.
#
# New inputs are kept in the build directory, tests/fuzz/found/NAME; what fails
# in tests/fuzz/found/NAME-crash-*: add it to the corpus with the fix.
set -u
seconds=$1
shift
# What is bounded is the time of each, and others run beside it.
jobs=$((2 * $(nproc 2>/dev/null || echo 1)))
mkdir -p tests/fuzz/found
rm -f tests/fuzz/found/failed

# fuzz TARGET: its verdict goes out in one piece, the logs of others between.
fuzz()
{
	target=$1
	name=${target##*fuzz-}
	found=tests/fuzz/found/$name
	log=$found.log
	set -- "$found"
	if [ -d "$SRCDIR/tests/fuzz/corpus/$name" ]; then
		set -- "$found" "$SRCDIR/tests/fuzz/corpus/$name"
	fi
	dict=$SRCDIR/tests/fuzz/$name.dict
	[ -f "$dict" ] && set -- -dict="$dict" "$@"
	mkdir -p "$found"
	if "$target" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=1024 -artifact_prefix="$found-" \
		-print_final_stats=1 "$@" >"$log" 2>&1; then
		runs=$(awk '/number_of_executed_units/ { print $2 }' "$log")
		echo "PASS: fuzz-$name - ${runs:-0} runs in $seconds s"
	else
		echo "$name" >>tests/fuzz/found/failed
		printf 'FAIL: fuzz-%s - see %s\n%s\n' "$name" "$log" \
			"$(tail -n 30 "$log")"
	fi
}

under_way=0
for target; do
	if [ "$under_way" -ge "$jobs" ]; then
		wait
		under_way=0
	fi
	fuzz "$target" &
	under_way=$((under_way + 1))
done
wait
[ ! -e tests/fuzz/found/failed ]
