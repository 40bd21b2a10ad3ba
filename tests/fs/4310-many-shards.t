#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Of 1,000 shards those are opened that have what is asked for, no others; nor of
# 300 where the trees are scaled down.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

shards=$(scaled 1000)
mkdir src
# With 2345 and 3456.
if [ "$shards" = 1000 ]; then
	seq 1000 4999
else
	seq 1003 11 4999
fi >numbers
sed 's|^|src/d|' numbers | xargs mkdir || exit
for dir in src/*; do
	echo "${dir#src/d}" >"$dir/file" || exit
done
t 'packed into many' "$DESFS_PACK" -q --n-bits 10 --route parent src many
t 'and into few' "$DESFS_PACK" -q --n-bits 4 --route parent src few
shards()
{
	[ "$(find "$1" -name '*.des' | wc -l)" -ge "$2" ]
}
t 'a shard for most slots' shards many "$shards"

# costs SHARDS READS: what the mount has opened and read so far
costs()
{
	got="$(stat_of mnt volume_shards_opened) $(stat_of mnt volume_store_reads)"
	echo "shards and reads: $got, not more than $*"
	[ "${got% *}" -le "$1" ] && [ "${got#* }" -le "$2" ]
}
is()
{
	[ "$(cat "mnt/d$1/file")" = "$1" ]
}

# Descriptor, log record and the end of the shard that has the root; so small ones
# have all of their index and data in there.
for ar in many few; do
	mount_up $ar mnt || exit
	t "$ar: a mount opens one shard" costs 1 3
	is 2345
	# The second has the children of its directory.
	t "$ar: a file two at most" costs 2 4
	is 2345
	t "$ar: the same file none" costs 2 4
	is 3456
	t "$ar: another file one more" costs 3 5
	! cat mnt/d2345/none mnt/none/file 2>/dev/null
	t "$ar: what is not there none" costs 3 5
	ls mnt >list
	t "$ar: a list one, all its entries" \
		test "$(wc -l <list)" = "$(wc -l <numbers)"
	t "$ar: and reads its pages alone" costs 3 5
	umount mnt 2>/dev/null || fusermount3 -u mnt
done
