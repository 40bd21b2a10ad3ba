#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a shard of 100,000 files a lookup and read costs its tail, one index page
# and one block.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

# Files of 300 bytes that do not compress well, all in one slot.
files src 100000 300
t 'packed' "$DESFS_PACK" -q --n-bits 4 --route parent src des
shards_of des >sums
t 'into one shard' test "$(wc -l <sums)" = 1
# shellcheck disable=SC2046
size=$(stat -c %s $(find des -name '*.des'))
t 'of many blocks' test "$size" -gt 8000000

mount_up des mnt || exit 1
reads()
{
	stat_of mnt volume_store_reads
}
bytes()
{
	stat_of mnt volume_store_bytes
}

tail=32768 page=40960 block=196608

# The root is an entry like any other: it costs the tail, which of so large a shard
# has no page, and the pages on the way, besides the descriptor and the log.
root()
{
	stat mnt && r=$(reads) b=$(bytes) || return 1
	echo "$r reads, $b bytes"
	[ "$r" -le 6 ] && [ "$b" -le $((tail + 2 * page + 8192)) ]
}
t 'the root costs descriptor, log record, tail and pages' root

# Each of these is in another page and another block.
another()
{
	r=$(reads) b=$(bytes)
	cmp "mnt/$1" "src/$1" || return 1
	r=$(($(reads) - r)) b=$(($(bytes) - b))
	echo "$r reads, $b bytes"
	[ $r = 2 ] && [ $b -le $((page + block)) ]
}
for f in 054321 020000 070007 030303; do
	t "a file costs a page and a block: $f" another $f
done

warm()
{
	r=$(reads)
	cmp mnt/030304 src/030304 && [ "$(reads)" = "$r" ]
}
t 'a neighbour costs nothing' warm

# The filter has a part for every 13,000 entries: a name costs one at most.
absent()
{
	r=$(reads)
	for i in 1 2 3 4 5 6 7 8 9 10; do
		! test -e mnt/0$i-not || return 1
	done
	r=$(($(reads) - r))
	echo "$r reads"
	[ $r -le 8 ]
}
t 'names that are not there cost next to nothing' absent

# The kernel's own cache is not what answers here.
umount mnt 2>/dev/null || fusermount3 -u mnt
t 'mounted again' mount_up des mnt -o block_cache=1M,page_cache=1M
bounded()
{
	find mnt -name '0[12]*' -exec cat {} + >/dev/null &&
		[ "$(stat_of mnt volume_block_cache_bytes)" -le 1048576 ] &&
		[ "$(stat_of mnt volume_page_cache_bytes)" -le 1500000 ]
}
t 'caches stay within their bounds' bounded
