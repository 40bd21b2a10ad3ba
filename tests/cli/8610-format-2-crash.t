#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2119
# desfs-pack --format 2 is killed at each change it makes, disks fail, files
# change, others pack too: there are whole shards and no others, nothing that
# was there is touched, and the next run adds what is missing.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"
in_memory

day=2026-01-02
pack2()
{
	"$DESFS_PACK" -q --format 2 --n-bits 4 --created-at $day \
		--max-shard-size 20K --big-file-threshold 15K -j 2 "$@"
}
check()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/des2-check.py" --n-bits 4 \
		--max-shard 20480 --threshold 15360 --source src "$@"
}
sums()
{
	(cd "$1" && find . -type f ! -path './tmp/*' | sort |
		xargs -d '\n' sha256sum)
}

# The base has some of the files, in each slot or nearly so.
base()
{
	files src/old 40 3000 && head -c 20000 /dev/urandom >src/old/big &&
		pack2 src base && files src/new 30 3000 && : >src/new/empty &&
		head -c 20001 /dev/urandom >src/new/big &&
		cp src/old/big src/new/copy && check base --within &&
		sums base >base.sum && cp -a base want && pack2 src want &&
		check want --runs
}
t 'an archive, and what an undisturbed run makes of it' base

# What was there is untouched, all else is whole; a rerun completes it.
recovers()
{
	sed 's|  \./|  killed/|' base.sum | sha256sum -c --quiet &&
		check killed --runs --within --orphans && pack2 src killed &&
		"$DESFS_PACK" -q --clean killed &&
		sed 's|  \./|  killed/|' base.sum | sha256sum -c --quiet &&
		check killed --runs && [ -z "$(ls killed/tmp)" ]
}
kills()
{
	rm -rf killed && cp -a base killed && n_changes '*/killed/*' \
		"$DESFS_PACK" -q --format 2 --n-bits 4 --created-at $day \
		--max-shard-size 20K --big-file-threshold 15K -j 2 src killed ||
		return 1
	kills_step=$((changes / $(scaled 16) + 1))
	echo "$changes changes, one in $kills_step"
	for kills_n in $(seq 1 $kills_step "$changes"); do
		rm -rf killed && cp -a base killed
		killed_at_change "$kills_n" '*/killed/*' "$DESFS_PACK" -q \
			--format 2 --n-bits 4 --created-at $day \
			--max-shard-size 20K --big-file-threshold 15K -j 2 \
			src killed 2>/dev/null
		recovers || {
			echo "killed before change $kills_n"
			return 1
		}
	done
}
t 'killed at any change' kills

# fails RULE STATUS TEXT: TEXT is in the error.
fails()
{
	rm -rf killed && cp -a base killed || return 1
	with_faults "$1" "$DESFS_PACK" -q --format 2 --n-bits 4 \
		--created-at $day --max-shard-size 20K \
		--big-file-threshold 15K -j 2 src killed 2>err
	fails_status=$?
	cat err
	[ $fails_status = "$2" ] && fault_used && grep -q "error: .*$3" err &&
		recovers
}
space='No space left on device'
t 'no space for the first bytes' \
	fails 'write */killed/tmp/*-* nth=1 errno=ENOSPC' 13 "tmp/.*: $space"
t 'nor for later ones' \
	fails 'write */killed/tmp/*-* nth=9 errno=ENOSPC' 13 "tmp/.*: $space"
t 'a short write, and then no space' fails \
	"write */killed/tmp/*-* nth=4 short=100
write */killed/tmp/*-* nth=5 errno=ENOSPC" 13 "tmp/.*: $space"
t 'an error when a shard is made durable' fails \
	'fsync */killed/tmp/run-*-* nth=2 errno=EIO' 5 'Input/output error'
t 'a shard that cannot get its name' fails \
	'rename */killed/2*.des nth=3 errno=EIO' 5 \
	'2026.*\.des: Input/output error'
t 'a big file that cannot get its name' fails \
	'rename */killed/_bigFiles/* errno=EIO' 5 \
	'_bigFiles/.*: Input/output error'
t 'a big file there that cannot be made durable' fails \
	'fsync */killed/_bigFiles/* errno=EIO' 5 \
	'_bigFiles/.*: Input/output error'
t 'a shard there that cannot be read' fails \
	'read */killed/2*.des nth=3 errno=EIO' 5 \
	'2026.*\.des: Input/output error'

# --- files that change -------------------------------------------------------
changing()
{
	rm -rf killed && cp -a base killed && cp -a src kept || return 1
	with_faults "read */src/new/000003 nth=1 run=echo more >>$PWD/src/new/000003
read */src/new/big nth=1 run=echo more >>$PWD/src/new/big
read */src/new/000004 nth=1 errno=EIO
read */src/new/000005 nth=1 run=rm $PWD/src/new/000005" \
		"$DESFS_PACK" -q --format 2 --n-bits 4 --created-at $day \
		--max-shard-size 20K --big-file-threshold 15K src killed 2>err
	changing_status=$?
	cat err
	rm -r src && mv kept src
	[ $changing_status = 1 ] && fault_used &&
		[ "$(grep -c 'changed while it was read' err)" = 3 ] &&
		grep '000004: cannot be read' err &&
		check killed --runs --within >found && cat found &&
		grep '^70 files, ' found && recovers
}
t 'files that change are left out, others are packed' changing

# --- others ------------------------------------------------------------------
# overtaken ARG: another run takes the name just before.
overtaken()
{
	rm -rf killed && cp -a base killed || return 1
	with_faults "rename */killed/2*.des nth=2 run=\"$DESFS_PACK\" -q --format 2 --n-bits 4 --created-at $day $1 --max-shard-size 20K --big-file-threshold 15K $PWD/src $PWD/killed" \
		"$DESFS_PACK" -q --format 2 --n-bits 4 --created-at $day \
		--max-shard-size 20K --big-file-threshold 15K -j 1 src killed &&
		fault_used && recovers
}
t 'another run is quicker with all files' overtaken ''
t 'another run is quicker with some of them' overtaken '--exclude=000001'
together()
{
	rm -rf killed && cp -a base killed || return 1
	together_pids=
	for i in 1 2 3 4; do
		pack2 src killed 2>err.$i &
		together_pids="$together_pids $!"
	done
	for i in $together_pids; do
		wait "$i" || return 1
	done
	cat err.*
	recovers
}
t 'four runs at once' together

# --- signals -----------------------------------------------------------------
is_writing()
{
	[ "$(find killed -name '*.des' | wc -l)" -gt \
		"$(find base -name '*.des' | wc -l)" ]
}
stopped()
{
	rm -rf killed && cp -a base killed || return 1
	"$DESFS_PACK" --format 2 --n-bits 4 --created-at $day \
		--max-shard-size 20K --big-file-threshold 15K -j 1 \
		--throttle 10files/s src killed 2>err &
	stopped_pid=$!
	wait_for 60 is_writing
	kill -TERM $stopped_pid
	wait $stopped_pid
	stopped_status=$?
	cat err
	[ $stopped_status = 12 ] && grep 'slots were left' err && recovers
}
t 'stopped by a signal' stopped
