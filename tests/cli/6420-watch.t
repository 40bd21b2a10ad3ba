#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Watching a pack and slowing it down: --progress, the summary, --stats-file,
# SIGUSR1, --throttle.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

files src/a 300 2000
files src/b 20 100
man=$SRCDIR/man/desfs-pack.1
when=2026-01-02T10:00:00Z

pack()
{
	"$DESFS_PACK" --created-at $when "$@"
}

# fields TYPE FILE: what its objects have, one a line; all have the same.
fields()
{
	"$PYTHON" - "$@" <<-'EOF'
	import json, sys
	seen = set()
	for line in open(sys.argv[2]):
	    o = json.loads(line)
	    if o["type"] == sys.argv[1]:
	        seen.add(tuple(o))
	assert len(seen) == 1, seen
	print(*(n for n in seen.pop() if n not in ("v", "type")), sep="\n")
	EOF
}

# documented FILE: each line is a word of the lists in the manual page.
documented()
{
	[ -s "$1" ] || return
	while IFS= read -r name; do
		grep -qE "^\.It (Li|Cm) (.* )?$name( |\$)" "$man" ||
			echo "$name"
	done <"$1" >undocumented
	cat undocumented
	[ ! -s undocumented ]
}

# --- progress and summary -----------------------------------------------------

pack --progress json --json src ar >results 2>all
grep '^{' all >progress
t 'progress has the same fields always' fields progress progress
fields progress progress >names
t 'all documented' documented names
t 'what is not would be found' not documented results
last()
{
	tail -n 1 progress | "$PYTHON" -c '
import json, sys
o = json.load(sys.stdin)
assert o["done"] and o["files_done"] == o["files_total"] == 323, o
assert o["slots_done"] == o["slots_total"] == 16, o
assert o["bytes_in"] == o["bytes_total"] == 602000 and o["bytes_out"], o
assert o["ratio"] == round(o["bytes_out"] / 602000, 4), o'
}
t 'the last tells that all is done' last
t 'the summary has fields' fields summary results
fields summary results >names
t 'that are documented too' documented names
summary()
{
	"$PYTHON" -c '
import json, sys
o = json.loads(open("results").readlines()[-1])
assert o["packed"] == o["found"] == 323, o
assert o["packed_files"] == 320 and o["packed_dirs"] == 3, o
assert o["packed_bytes"] == 602000 and o["rss_max_bytes"] > 1 << 20, o
assert o["ratio"] == round(o["stored_bytes"] / 602000, 4), o'
}
t 'and tell what was done' summary
t 'a summary in words has files and directories' \
	grep 'packed 323 names (320 files, 3 directories)' all

# --- metrics ------------------------------------------------------------------

# value FILE METRIC [LABEL]: the number
value()
{
	sed -n "s/^$2{[^}]*${3-}[^}]*} //p" "$1"
}

is()
{
	is_value=$(value "$2" "$3" "${4-}")
	[ "$is_value" = "$1" ] && return
	echo "$3: $is_value, not $1"
	return 1
}

ls_mode()
{
	[ "$(stat -c %a "$1")" = "$2" ]
}

mkdir stats
(umask 077 && pack -q --stats-file stats/run.prom src metered)
t 'the file of metrics is for all to read' ls_mode stats/run.prom 644
t 'nothing else is left beside it' [ "$(ls stats)" = run.prom ]
sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' stats/run.prom >names
t 'its metrics are documented' documented names
t 'the run has ended' is 0 stats/run.prom des_packer_running
t 'well' is 0 stats/run.prom des_packer_exit_status
t 'files were packed' is 323 stats/run.prom des_packer_files_total packed
t 'bytes came in' is 602000 stats/run.prom des_packer_input_bytes_total
blocks()
{
	blocks_n=$(value stats/run.prom des_packer_compression_ratio_count)
	[ "$blocks_n" -ge 5 ] &&
		is "$blocks_n" stats/run.prom \
			des_packer_compression_ratio_bucket '"+Inf"'
}
t 'blocks were counted' blocks
success=$(value stats/run.prom des_packer_last_success_timestamp_seconds)
t 'the time of the success is there' [ "${success%.*}" -gt 1700000000 ]
t 'and that from which all is in the archive' [ "$(value stats/run.prom \
	des_packer_archived_until_timestamp_seconds | cut -d. -f1)" -gt 1700000000 ]

t 'a run that fails' not pack -q --stats-file stats/run.prom nowhere metered
t 'tells how' is 3 stats/run.prom des_packer_exit_status
t 'and when the last one succeeded' is "$success" stats/run.prom \
	des_packer_last_success_timestamp_seconds
t 'that is an error' is 1 stats/run.prom des_packer_errors_total NOENT
lags()
{
	lag=$(value stats/run.prom des_packer_lag_seconds)
	"$PYTHON" -c 'import sys, time
assert 0 < float(sys.argv[1]) <= time.time() - float(sys.argv[2]) + 3600' \
		"$lag" "$success"
}
t 'the lag is as old' lags
t 'of another archive' pack -q -n --stats-file stats/run.prom src other
t 'nothing is taken over, and a dry run is no success' is 0 stats/run.prom \
	des_packer_last_success_timestamp_seconds

failing()
{
	pack -q --stats-file stats/run.prom --files0-from names0 src metered \
		2>failing.err
	[ $? = 1 ] && is 1 stats/run.prom des_packer_files_total failed &&
		is 0 stats/run.prom des_packer_last_success_timestamp_seconds
}
printf 'a/000001\0a/missing\0' >names0
t 'files that fail are no success' failing

t 'where it cannot be written the run goes on' sh -c \
	'"$@" 2>warned' - "$DESFS_PACK" --stats-file no/such/dir src metered
t 'with one warning' [ "$(grep -c 'warning: --stats-file no/such/dir' warned)" = 1 ]
odd_name()
{
	printf 'odd"\\\n' >expect
	odd=$(cat expect)
	pack -q --stats-file stats/odd.prom src "$odd" &&
		grep -F '{archive="odd\"\\"}' stats/odd.prom
}
t 'names are escaped' odd_name
worker()
{
	pack -q --worker 2/3 --stats-file stats/w.prom src w &&
		grep '^des_packer_running{archive="w",worker="2/3"} 0' \
			stats/w.prom
}
t 'workers have a label of their own' worker

# --- slowly, and asked how it goes --------------------------------------------

t 'what is no rate is refused' not pack --throttle 20 src none
t 'a run with limits' pack -q --throttle 2000files/s --throttle 2M/s src slow
t 'makes the same archive' sh -c 'diff -r slow/20260102 ar/20260102'

nl='
'
mkdir odd
for i in 0 1 2 3 4; do
	for j in 0 1 2 3 4 5 6 7 8 9; do
		echo $i$j >"odd/$i$j${nl}new"
	done
done
state()
{
	rm -f stats/state.prom
	"$DESFS_PACK" -q --throttle 1files/s --open-shards 1 \
		--stats-file stats/state.prom odd asked 2>state.err &
	pid=$!
	wait_for 60 test -e stats/state.prom && wait_for 60 told &&
		kill -TERM $pid
	wait $pid
	# All of it is in one slot, which is finished.
	state_got=$?
	cat state.err
	[ $state_got = 0 ] || [ $state_got = 12 ]
}
told()
{
	kill -USR1 "$pid" && sleep 0.1 && grep -q 'oldest file' state.err
}
t 'SIGUSR1 does not end a run, and tells with -q too' state
t 'the phase' grep 'state: packing for' state.err
t 'counts' grep 'names: 51 found' state.err
t 'what a slot waits for' grep 'slot [0-9A-F]: waiting as --throttle says' \
	state.err
t 'the file at hand, escaped' grep 'at [0-9]*\\nnew' state.err
t 'and memory' grep 'memory: .* at most, 0 B spilled; [0-9]* of [0-9]* threads' \
	state.err
