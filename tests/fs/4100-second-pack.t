#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What changes between two packs: with --mirror, without, in a running mount.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

first=2026-01-01T10:00:00Z second=2026-01-02T10:00:00Z

old_tree src
cp -a src old
for a in plain mirror; do
	t "the first pack: $a" "$DESFS_PACK" -q --created-at $first src $a
	t "a running mount: $a" mount_up $a running-$a -o refresh=1
	t "shows it: $a" same_by_rsync old running-$a
done
# Names the kernel knows by now, also such that are not there.
cat running-*/modified running-*/dir/sub/modified >/dev/null
ls -lR running-* >/dev/null
not cat running-*/added 2>/dev/null
readers_begin running-mirror

new_tree src
t 'the second pack' "$DESFS_PACK" -q --created-at $second src plain
t 'the second pack with --mirror' \
	"$DESFS_PACK" -q --mirror --created-at $second src mirror
t 'the independent reader agrees' reader_agrees plain
t 'and with the mirror' reader_agrees mirror

t 'mounted' mount_up plain plain.mnt
t 'the mirror mounted' mount_up mirror mirror.mnt
t 'the mirror equals the new source' same_by_rsync src mirror.mnt
t 'for diff too' same_by_diff src mirror.mnt
t 'for find too' same_by_find src mirror.mnt

# What the source would be had nothing been removed.  A name has the type it was
# given last.
merge_trees()
{
	cp -a old union && rm -r union/dir-to-file union/file-to-dir &&
		cp -a --remove-destination src/. union/
}
names_of()
{
	(cd "$1" && find . -printf '%P %y\n' | sort)
}
same_names()
{
	names_of "$1" >want && names_of "$2" >have && diff want have
}
merge_trees
t 'without --mirror old names stay' same_names union plain.mnt
t 'and the bytes are the newest' same_by_diff union plain.mnt
t 'a child of a directory that became a file is gone' \
	not ls plain.mnt/dir-to-file/child

for a in plain mirror; do
	t "by-date has both days: $a" \
		test "$(ls $a.mnt/.des/by-date)" = '20260101
20260102'
	t "by-date reaches the old bytes: $a" \
		same_by_diff old $a.mnt/.des/by-date/20260101
	t "and the new: $a" \
		cmp src/modified $a.mnt/.des/by-date/20260102/modified
	t "but on that day nothing unchanged: $a" \
		not cat $a.mnt/.des/by-date/20260102/same/file
done

t 'a running mount shows the new source' \
	wait_for 20 same_by_rsync src running-mirror
t 'and what was added' \
	wait_for 20 cmp src/added running-plain/added
t 'and modified' wait_for 20 cmp src/modified running-plain/modified
t 'and it equals a fresh one' same_by_rsync plain.mnt running-plain

t 'a file open meanwhile keeps its bytes' readers_end

nothing_new()
{
	shards_of mirror >before && "$DESFS_PACK" -q --mirror src mirror &&
		shards_of mirror >after && cmp before after
}
t 'a rerun adds nothing' nothing_new

# Two versions on one day.
two_a_day()
{
	mkdir day && echo 1 >day/f && "$DESFS_PACK" -q \
		--created-at 2026-01-03T01:00:00Z day daydes &&
		echo 22 >day/f && "$DESFS_PACK" -q \
		--created-at 2026-01-03T02:00:00.5Z day daydes &&
		mount_up daydes day.mnt &&
		[ "$(cat day.mnt/f)" = 22 ] &&
		[ "$(cat day.mnt/.des/by-date/20260103/f)" = 22 ] &&
		[ "$(cat day.mnt/.des/by-date/20260103/f@20260103T010000.000000Z)" \
			= 1 ]
}
t 'an older version of a day is there under its time' two_a_day
t 'layout=date makes the days the root' mount_up daydes date.mnt -o layout=date
t 'and reads the same' cmp date.mnt/20260103/f day.mnt/f
