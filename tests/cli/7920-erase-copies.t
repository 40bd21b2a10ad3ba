#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016
# Names and bytes of deleted files are nowhere after a reap: not in shards, the
# log, tombstones, what killed runs left, the index cache with its write-ahead
# log, the disk cache, or temporary files.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/erase.sh"
. "$SRCDIR/tests/lib/fault.sh"
need_fuse
need 'needs lz4 and zstandard of Python' "$PYTHON" -c 'import lz4, zstandard'

erase_tree src 60 9000
erase_pick src 1 50 >picked
erase_pick src 2 50 >>picked
erase_words picked >words
cp -a src live && (cd live && xargs rm <../picked)
touch -d @1700000000 src/a src/b src live/a live/b live
mkdir spool caches
index=$PWD/caches/index.db

# One run is killed half-way, and what it left is packed by another.
killed_pack()
{
	with_faults 'rename */log/*.json run=kill -KILL $PPID' \
		"$DESFS_PACK" -q --created-at 2026-01-01 --checkpoint cp \
		--spool spool src ar
	[ $? = 137 ]
}
t 'a run is killed before it counts' killed_pack
t 'its bytes are there' eval '! nowhere words ar'
t 'another packs it' "$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z \
	--block-size 32K src ar
t 'the search finds what is there' eval '! nowhere words ar'

# A mount and tools read it all, into memory and both caches.
mkdir mnt
t 'it is mounted' "$MOUNT_DESFS" ar mnt \
	-o "refresh=1,index_cache=$index,disk_cache=$PWD/caches/disk"
t 'all of it is read' diff -r src mnt
one=$(head -n 1 picked)
exec 9<"mnt/$one"
t 'a tool reads it too' eval '
	"$DESFS" ls -R --index-cache "$index" ar | grep -F "$(head -n 1 words)"'

t 'files are deleted' eval '
	"$DESFS" tombstone add --from picked --by me --ticket 7 ar >o'
t 'and one more time' eval '"$DESFS" tombstone aggregate ar'
gone_from_mount()
{
	while IFS= read -r f; do
		! [ -e "mnt/$f" ] || return 1
	done <picked
}
t 'the mount loses them' wait_for 120 gone_from_mount
t 'also for who has one open' eval '! cat <&9'
t 'what the killed run left is cleaned up' "$DESFS_PACK" --clean ar
# That of a run that was never ended is its owner's.
rm -f cp
t 'all is reaped' eval '"$DESFS" reap --grace 0 ar && "$DESFS" reap --grace 0 ar'
t 'a tool looks at the log anew' eval '
	"$DESFS" ls -R --index-cache "$index" ar >o && ! grep -F -f words o'
t 'what lives is there' eval 'rm -rf out && "$DESFS" extract ar out >o 2>&1 &&
	diff -r live out'
t 'also in the mount' diff -r live mnt
t 'nothing is in the archive' nowhere words ar
caches_are_clean()
{
	nowhere words caches
}
t 'nor in the caches, with their write-ahead logs' \
	wait_for 120 caches_are_clean
exec 9<&-
fusermount3 -u mnt
t 'nor when the mount has ended' nowhere words ar caches spool
t 'all is sound' "$DESFS" verify --deep ar
