#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack is killed at 20 random moments.
. "${0%/*}/../../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/kill.sh"

t 'an undisturbed run' kill_begin 20
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
echo "# seed $seed"
awk -v seed="$seed" -v ms="$kill_ms" 'BEGIN {
	srand(seed)
	for (i = 0; i < 20; i++)
		print int(rand() * ms * 1.05)
}' >moments
while IFS= read -r ms; do
	t "killed after $ms ms of $kill_ms" kill_at "$ms"
done <moments
