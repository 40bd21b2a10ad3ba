#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2034
# Whatever deletes is killed before a change it makes to the archive: readers
# have the live files byte by byte and none that is deleted, and the same
# command again completes it.  $EVERY: before every such change.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/erase.sh"
. "$SRCDIR/tests/lib/fault.sh"
in_memory
every=${EVERY:-23}

erase_tree full 20
for n in 1 2 3; do
	erase_pick full $n 9 >picked.$n
done
cat picked.1 picked.2 picked.3 >picked
erase_words picked >words
cp -a full two && (cd two && xargs rm <../picked.1 && xargs rm <../picked.2)
cp -a two three && (cd three && xargs rm <../picked.3)
for d in full two three; do
	touch -d @1700000000 $d/a $d/b $d
done
mkdir first && cp -a full/a first/ && touch -d @1700000000 first

"$DESFS_PACK" -q --n-bits 4 --created-at 2026-01-02T01:00:00Z first base || exit
"$DESFS_PACK" -q --created-at 2026-01-02T02:00:00Z full base || exit
t 'an archive of a few shards' extracts_as base full

add()
{
	"$DESFS" tombstone add --by me --from "picked.$1" "$2"
}
t 'files are deleted' eval 'add 1 base && add 2 base && extracts_as base two'

# step STEP ARCHIVE [command...]: one that deletes, as arguments of the command.
step()
{
	step_name=$1 step_archive=$2
	shift 2
	case $step_name in
	add) "$@" "$DESFS" tombstone add --by me --from picked.3 "$step_archive" ;;
	aggregate) "$@" "$DESFS" tombstone aggregate "$step_archive" ;;
	repack) "$@" "$DESFS" repack --jobs 1 "$step_archive" ;;
	purge) "$@" "$DESFS" repack --jobs 1 --grace 0 "$step_archive" ;;
	merge) "$@" "$DESFS" repack --jobs 1 --grace 0 --when-deleted 0 --merge-below 1G \
		"$step_archive" ;;
	reap) "$@" "$DESFS" reap --grace 0 "$step_archive" ;;
	esac >step.out 2>&1
}
again()
{
	step "$@" && return
	cat step.out
	return 1
}
reads_add() { extracts_as "$1" two three; }
reads_all() { extracts_as "$1" three; }

is_sound()
{
	"$DESFS" verify --deep "$1" >verify.out 2>&1 || {
		cat verify.out
		return 1
	}
}

# ends_well ARCHIVE STEP: nothing is left of what was deleted, but what a repack
# with a grace period has replaced.
ends_well()
{
	again reap "$1" && again reap "$1" || return 1
	[ "$2" = repack ] || nowhere words "$1" || return 1
	reads_all "$1" && is_sound "$1"
}

# killed STEP READS N: the step is killed, readers see what is right, it is
# done again, and so is all else.
killed()
{
	rm -rf at && cp -a "from.$1" at || return 1
	step "$1" at killed_at_change "$3" "$PWD/at*" || {
		cat step.out
		return 1
	}
	"$2" at && is_sound at && again "$1" at && reads_all at && ends_well at "$1"
}

undisturbed()
{
	cp -a "$3" "from.$1" && rm -rf at && cp -a "$3" at || return 1
	step "$1" at n_changes "$PWD/at*" || {
		cat step.out
		return 1
	}
	cp -a at "$4" && echo "$changes" >"changes.$1" && reads_all at
}
# crash STEP READS BEFORE AFTER
crash()
{
	t "$1, undisturbed" undisturbed "$@"
	n=$(cat "changes.$1" 2>/dev/null || echo 0)
	t "$1: makes changes" test "$n" -gt 3
	i=1
	while [ $i -le "$n" ]; do
		t "$1: killed before change $i of $n" killed "$1" "$2" $i
		i=$((i + every))
	done
}
crash add reads_add base added
crash aggregate reads_all added aggregated
crash repack reads_all aggregated repacked
crash purge reads_all aggregated purged
crash merge reads_all aggregated merged
crash reap reads_all aggregated reaped
t 'a reap of all leaves nothing' nowhere words reaped
