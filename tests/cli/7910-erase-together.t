#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two that reap, one that packs, one that deletes and 16 that read, some of them
# through a mount, at once on one archive: no reader has an error, nothing that
# lives is lost, and nothing of what is deleted stays.  $DRILL: rounds, or
# seconds with an s.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/erase.sh"
need_fuse
need 'needs lz4 and zstandard of Python' "$PYTHON" -c 'import lz4, zstandard'
rounds=${DRILL:-8}
export XDG_CACHE_HOME="$tmp/cache"

mkdir -p first
echo first >first/file

# The mount has the live files, byte by byte, and none that is deleted.
mount_is_right()
{
	rm -rf seen && mkdir seen && cp -r "mnt.$1"/d* seen/ 2>/dev/null
	diff -r "work.$1/live" seen
}
drill()
{
	mkdir "mnt.$1" && "$DESFS_PACK" -q --n-bits 4 first "ar.$1" &&
		"$MOUNT_DESFS" "$PWD/ar.$1" "mnt.$1" -o refresh=1 || return 1
	"$PYTHON" -B "$SRCDIR/tests/lib/erase-drill.py" "$PWD/ar.$1" \
		"$PWD/work.$1" "$rounds" "$2" "$PWD/mnt.$1"
}
is_right()
{
	rm -rf out
	"$DESFS" extract "ar.$1" out >extract.out 2>&1 &&
		diff out/file first/file && rm out/file &&
		diff -r out "work.$1/live"
}
reap_all()
{
	"$DESFS" reap --grace 0 "ar.$1" && "$DESFS" reap --grace 0 "ar.$1"
}
for grace in 1h 0; do
	t "grace $grace: readers have no error, and what is right" \
		drill $grace $grace
	t "grace $grace: what lives is there, byte by byte" is_right $grace
	t "grace $grace: and soon in the mount" \
		wait_for 120 mount_is_right $grace
	t "grace $grace: all is sound" "$DESFS" verify --deep ar.$grace
	t "grace $grace: the rest is reaped" reap_all $grace
	t "grace $grace: what lives is there still" is_right $grace
	t "grace $grace: and in the mount" wait_for 120 mount_is_right $grace
	t "grace $grace: all is sound still" "$DESFS" verify --deep ar.$grace
	fusermount3 -u mnt.$grace
done
sed 's/.*-....//' work.0/deleted >words
t 'what was deleted is nowhere, in the caches neither' \
	nowhere words ar.0 cache
