#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2119
# Watching a pack, at moments and under failures that are made: files that
# cannot be read count as done, SIGUSR1 ends nothing, a stop is heeded wherever
# it looks, metrics wait for no disk, --throttle is kept.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

# --- files that fail are done -------------------------------------------------

files src/a 30 2000
files src/b 20 100
# done_with PACKED FILES BYTES: the last object of progress tells it.
done_with()
{
	grep '^{' progress | tail -n 1 | "$PYTHON" -c '
import json, sys
o = json.load(sys.stdin)
packed, files, size = map(int, sys.argv[1:])
assert o["done"] and o["files_done"] == o["files_total"] == files, o
assert o["bytes_done"] == o["bytes_total"] == size, o
assert o["files_in"] == packed and o["failed"] == 1, o' "$@"
}
unread()
{
	with_faults 'open */a/000007 errno=EIO' "$DESFS_PACK" --progress json \
		"$@" 2>progress
	unread_got=$?
	cat progress
	[ $unread_got = 1 ] && fault_used
}
t 'a file that cannot be opened' unread src unread
t 'is done with at the end' done_with 52 53 62000
"$DESFS_PACK" -q src checked
t 'one that cannot be compared' unread --checksum src checked
t 'is too' done_with 0 53 62000
not_looked_at()
{
	with_faults 'readlink */b/link errno=EIO' "$DESFS_PACK" \
		--progress json src looked 2>progress
	unread_got=$?
	cat progress
	[ $unread_got = 1 ] && fault_used
}
ln -s target src/b/link
t 'what fails before it was found' not_looked_at
t 'is not done with twice' done_with 53 53 62000
rm src/b/link

# --- SIGUSR1 ------------------------------------------------------------------

usr1='run=kill -USR1 $PPID'
# asked GLOB command: when it opens that
asked()
{
	rule="open $1 nth=1 $usr1"
	shift
	with_faults "$rule" "$@" && fault_used
}
echo '[default]' >conf
t 'SIGUSR1 does not end a clean-up' asked '*/checked' "$DESFS_PACK" \
	--clean checked
t 'nor a run that has hardly begun' asked '*/conf' env DESFS_CONF="$tmp/conf" \
	"$DESFS_PACK" -q src checked

# --- a stop while it looks ----------------------------------------------------

i=0
while [ $i -lt 300 ]; do
	mkdir -p empty/$i
	i=$((i + 1))
done
stop_among_empty()
{
	with_faults 'open */empty/* nth=3 run=kill -TERM $PPID
readdir */empty/* run=:' "$DESFS_PACK" -q --jobs 1 empty stopped 2>stop.err
	got=$?
	cat stop.err
	grep -c readdir "$tmp/faults.used"
	[ $got = 12 ] && [ "$(grep -c readdir "$tmp/faults.used")" -lt 290 ]
}
t 'a stop is heeded among empty directories' stop_among_empty

# --- metrics ------------------------------------------------------------------

# It is written once at least while the run goes on, and at its end.
fsyncs()
{
	mkdir stats
	with_faults 'fsync */stats/* run=:
rename */stats/run.prom run=:' "$DESFS_PACK" -q \
		--stats-file stats/run.prom src metered || return
	cat "$tmp/faults.used"
	[ "$(grep -c rename "$tmp/faults.used")" -gt 1 ] &&
		[ "$(grep -c fsync "$tmp/faults.used")" = 1 ]
}
t 'of metrics, only the last ones are made durable' fsyncs

# --- threads at work, bytes a second ------------------------------------------

# Run the arguments until SIGUSR1 tells what matches $1.
until_told()
{
	want=$1
	shift
	rm -f told.prom
	ASAN_OPTIONS=$no_leaks "$DESFS_PACK" --progress json \
		--stats-file told.prom "$@" 2>told.err &
	pid=$!
	wait_for 60 test -e told.prom && wait_for 300 is_told_or_over "$want"
	is_told "$want"
	told=$?
	kill -KILL $pid
	wait $pid
	tail -n 30 told.err
	return $told
}
is_told_or_over()
{
	kill -USR1 "$pid" 2>/dev/null || return 0
	sleep 0.1
	is_told "$1"
}
is_told()
{
	grep -q "$1" told.err && grep -q '"done":false' told.err
}
seq 4000000 >long
t 'threads that compress are counted' until_told '; 1 of 1 threads compress' \
	--jobs 1 --open-shards 1 --level 19 long long.ar

# Never more than what the time told beside it allows, and what is read for one
# block; a run without the limit is over before it is asked.
slow_enough()
{
	grep '^{' told.err | "$PYTHON" -c '
import json, sys
seen = 0
for line in sys.stdin:
    o = json.loads(line)
    assert o["bytes_in"] <= 2000 * (o["seconds"] + 1) + 4000, o
    seen += not o["done"]
assert seen, "no progress"'
}
t 'with bytes a second a run waits' until_told 'waiting as --throttle says' \
	--throttle 2000/s --open-shards 1 --max-shard-size 4K src slow
t 'and packs no more than these' slow_enough
