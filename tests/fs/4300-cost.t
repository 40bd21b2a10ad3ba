#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a shard of 100,000 files a lookup and read costs its tail, one index page
# and one block.  A shard of 10,000 has as many levels, and what a sanitizer finds
# does not depend on how many pages there are.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

# Files of 300 bytes that do not compress well, all in one slot.
n_files=$(scaled 100000)
files src "$n_files" 300
t 'packed' "$DESFS_PACK" -q --n-bits 4 --route parent src des
shards_of des >sums
t 'into one shard' test "$(wc -l <sums)" = 1
# shellcheck disable=SC2046
size=$(stat -c %s $(find des -name '*.des'))
t 'of many blocks' test "$size" -gt $((n_files * 80))

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
# at NUMBER: the file so many hundred thousandths from the first
at()
{
	printf '%06d' $(($1 * n_files / 100000))
}
for f in 54321 20000 70007 30303; do
	f=$(at $f)
	t "a file costs a page and a block: $f" another "$f"
done

warm()
{
	r=$(reads)
	# The last one's neighbour.
	cmp "mnt/${f%?}4" "src/${f%?}4" && [ "$(reads)" = "$r" ]
}
t 'a neighbour costs nothing' warm

# The filter has a part for every 13,000 entries: a name costs one at most.
zeros=0
[ "$n_files" = 100000 ] || zeros=00
absent()
{
	r=$(reads)
	for i in 1 2 3 4 5 6 7 8 9 10; do
		! test -e "mnt/$zeros$i-not" || return 1
	done
	r=$(($(reads) - r))
	echo "$r reads"
	[ $r -le 8 ]
}
t 'names that are not there cost next to nothing' absent

# The kernel's own cache is not what answers here.
umount mnt 2>/dev/null || fusermount3 -u mnt
t 'mounted again' mount_up des mnt -o block_cache=1M,page_cache=1M
some='0[12]*'
[ "$n_files" = 100000 ] || some='0*'
read_some()
{
	# 6 MB of 20,000 files, or all of 10,000.
	find mnt -name "$some" -exec cat {} + >/dev/null
}
t 'more is read than the caches hold' read_some
# What readers hold does not count; one that reads ahead may still do so, and
# the next block that is loaded evicts what it gave back.
bounded()
{
	i=$((i + 1)) && cat "mnt/$(at $((90000 + 10 * i)))" >/dev/null &&
		[ "$(stat_of mnt volume_block_cache_bytes)" -le 1048576 ] &&
		[ "$(stat_of mnt volume_page_cache_bytes)" -le 1048576 ]
}
bounded_soon()
{
	i=0
	wait_for 60 bounded || grep cache_bytes mnt/.des/stats
	bounded
}
t 'caches stay within their bounds' bounded_soon
