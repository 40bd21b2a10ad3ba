#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same as tests/cli/7910-erase-together.t in Ceph RGW, where the bucket keeps
# versions.  $DRILL: rounds, or seconds with an s.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/erase.sh"
need_fuse
need_rgw
need 'needs lz4 and zstandard of Python' "$PYTHON" -c 'import lz4, zstandard'
rounds=${DRILL:-4}

start_rgw || exit
export AWS_ENDPOINT_URL_S3="$rgw_url"
mkdir -p first
echo first >first/file
t 'a bucket that keeps versions' make_bucket "$rgw_url" vers versioned

mount_is_right()
{
	rm -rf seen && mkdir seen && cp -r mnt/d* seen/ 2>/dev/null
	diff -r work/live seen
}
drill()
{
	mkdir mnt && "$DESFS_PACK" -q --n-bits 4 first s3://vers/ar &&
		"$MOUNT_DESFS" s3://vers/ar mnt -o refresh=1 || return 1
	"$PYTHON" -B "$SRCDIR/tests/lib/erase-drill.py" s3://vers/ar \
		"$PWD/work" "$rounds" "$1" "$PWD/mnt"
}
is_right()
{
	rm -rf out
	"$DESFS" extract s3://vers/ar out >extract.out 2>&1 &&
		diff out/file first/file && rm out/file && diff -r out work/live
}
t 'readers have no error, and what is right' drill 0
t 'what lives is there, byte by byte' is_right
t 'and soon in the mount' wait_for 120 mount_is_right
t 'all is sound' "$DESFS" verify --deep s3://vers/ar
reap_all()
{
	"$DESFS" reap --grace 0 s3://vers/ar &&
		"$DESFS" reap --grace 0 s3://vers/ar
}
t 'the rest is reaped' reap_all
t 'what lives is there still' is_right
t 'and in the mount' wait_for 120 mount_is_right
fusermount3 -u mnt
sed 's/.*-....//' work/deleted >words
t 'no unfinished upload is there' s3_get_versions "$rgw_url" vers ar found
t 'what was deleted is in no version, and in no cache' \
	nowhere words found "$XDG_CACHE_HOME"
