#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How far the kernel reads ahead, and so how many messages a large file costs.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse

mkdir src
head -c 16777216 /dev/urandom >src/large
echo small >src/small
t 'packed' "$DESFS_PACK" -q src ar

down()
{
	umount mnt 2>/dev/null || fusermount3 -u mnt
}
attribute()
{
	echo "/sys/class/bdi/$(awk -v m="$tmp/mnt" '$5 == m { print $3 }' \
		/proc/self/mountinfo)/read_ahead_kb"
}
told()
{
	[ "$(stat_of mnt fuse_readahead)" = "$1" ]
}
# Bytes of read-ahead and the most messages that the file may cost.
costs()
{
	told "$1" && [ "$(cat "$(attribute)")" = $(($1 / 1024)) ] &&
		cmp mnt/large src/large || return 1
	n=$(stat_of mnt fuse_read)
	echo "$n messages"
	[ "$n" -le "$2" ]
}

t 'mounted' mount_up ar mnt
if [ -w "$(attribute)" ] && [ "$(id -u)" = 0 ]; then
	t 'by default 256 KiB come at a time' costs 262144 72
	t 'unmounted' down
	t 'with 1 MiB' mount_up ar mnt -o readahead=1M
	t 'a MiB comes at a time' costs 1048576 24
	t 'unmounted' down
	t 'with 4 MiB' mount_up ar mnt -o readahead=4M
	t 'still a MiB' costs 4194304 24
else
	skip_t 'the kernel is told' 'only root may, where /sys can be written'
	t 'that it was not told is in the numbers' told 0
fi
t 'unmounted' down

random()
{
	"$PYTHON" - <<-'EOF'
	import os
	src, mnt = os.open("src/large", 0), os.open("mnt/large", 0)
	for i in range(1, 101):
	    off = i * 2654435761 % (16 << 20) & -4096
	    assert os.pread(src, 4096, off) == os.pread(mnt, 4096, off)
	EOF
	n=$(stat_of mnt volume_bytes_served)
	echo "$n bytes"
	[ "$n" -le 409600 ]
}
t 'mounted' mount_up ar mnt -o readahead=1M
t 'reads here and there bring no more than is read' random
small()
{
	cmp mnt/small src/small &&
		[ "$(stat_of mnt volume_bytes_served)" = $((n + 6)) ]
}
t 'nor do small files' small
t 'unmounted' down

t 'nonsense is refused' not "$MOUNT_DESFS" ar mnt -o readahead=1K

need_fake
mkdir bkt
"$DESFS_PACK" -q src bkt/new || exit
"$DESFS_PACK" -q --format 2 src bkt/old || exit
start_fake --load bkt/=bkt || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
for a in new old; do
	t "mounted from a bucket: $a" mount_up "s3://bkt/$a" mnt
	t 'the kernel is left as it is' told 0
	t 'unmounted' down
done
