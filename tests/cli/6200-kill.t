#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack is killed: the archive shows no half run, a rerun completes it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/kill.sh"

t 'an undisturbed run' kill_begin 2
for part in 3 6 9; do
	t "killed after $part tenths of its time" kill_at $((kill_ms * part / 10))
done
