#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Blocks are loaded before they are asked for where reads are in order, each of
# them once, and not where they are not.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse

# Directories of small files, about thirty to a block, and a file of 24 MiB.
trees()
{
	for d in a b c d; do
		files src/$d 600 4000 || return 1
	done
	"$PYTHON" -c 'import random
open("src/large", "wb").write(random.Random(1).randbytes(24 << 20))'
}
t 'files' trees
t 'packed' "$DESFS_PACK" -q src ar

up()
{
	mount_up ar mnt
}
down()
{
	umount mnt 2>/dev/null || fusermount3 -u mnt
}
blocks()
{
	stat_of mnt volume_ahead_blocks
}
used()
{
	stat_of mnt volume_ahead_used
}
wasted()
{
	stat_of mnt volume_ahead_wasted
}
misses()
{
	stat_of mnt volume_block_misses
}
show()
{
	echo "$(blocks) ahead, $(used) used, $(wasted) wasted, $(misses) loaded"
}
has_ahead()
{
	[ "$(blocks)" -ge "$1" ]
}

# The threads get as much time as they need before the reader goes on.
sequential()
{
	head -c 1000000 mnt/large | cmp -n 1000000 - src/large || return 1
	wait_for 20 has_ahead 2 || return 1
	cmp mnt/large src/large && show || return 1
	[ "$(used)" -ge 2 ] && [ "$(wasted)" = 0 ] && [ "$(misses)" = 192 ]
}
t 'mounted' up
t 'a large file read in order comes ahead, each block once' sequential
t 'unmounted' down

walk()
{
	for i in 000000 000001 000002 000003; do
		cmp mnt/a/$i src/a/$i || return 1
	done
	wait_for 20 has_ahead 1 || return 1
	for d in a b c d; do
		for i in "src/$d"/*; do
			cmp "$i" "mnt/$d/${i##*/}" || return 1
		done
	done
	show
	[ "$(used)" -ge 1 ] && [ "$(wasted)" -le 2 ]
}
t 'mounted' up
t 'files read in the order of their directory come ahead' walk
t 'unmounted' down

at_once()
{
	pids=
	for i in a b c d; do
		for f in "src/$i"/*; do
			cmp "$f" "mnt/$i/${f##*/}" || exit 1
		done &
		pids="$pids $!"
	done
	cmp src/large mnt/large || return 1
	for p in $pids; do
		wait "$p" || return 1
	done
	show
	# 192 of the large file, and no more than 2,400 small ones can fill.
	[ "$(misses)" -le 280 ] && [ "$(wasted)" -le 4 ]
}
t 'mounted' up
t 'several walkers and a large file at once: each block once' at_once
t 'unmounted' down

cat >jump.py <<'EOF'
import os, random, sys
r = random.Random(int(sys.argv[1]))
src, mnt = os.open("src/large", 0), os.open("mnt/large", 0)
seen = set()
for _ in range(int(sys.argv[2])):
    off = r.randrange(24 << 20) & -4096
    seen.add(off >> 17)
    assert os.pread(src, 4096, off) == os.pread(mnt, 4096, off), off
print(len(seen))
EOF
# A tenth more than what was read, and as many bytes.
random_large()
{
	n=$("$PYTHON" jump.py 1 90) && show || return 1
	echo "$n blocks read"
	[ "$(misses)" -le $((n + n / 10)) ] &&
		[ "$(stat_of mnt volume_bytes_served)" -le 737280 ]
}
t 'mounted' up
t 'random reads of a large file load what they read' random_large

random_small()
{
	for i in $(seq 0 120); do
		f=$(printf '%06d' $((i * 367 % 600)))
		d=$(echo a b c d | cut -d ' ' -f $((i % 4 + 1)))
		cmp "src/$d/$f" "mnt/$d/$f" || return 1
	done
	show
	[ $(($(blocks) - $(used))) -le 6 ]
}
t 'random small files likewise' random_small
t 'unmounted' down

# Names one by one, none of them read.
names()
{
	for d in a b c d; do
		for i in "src/$d"/*; do
			test -f "mnt/$d/${i##*/}" || return 1
		done
	done
	show
	[ "$(stat_of mnt fuse_lookup)" -ge 2400 ] && [ "$(misses)" = 0 ]
}
t 'mounted' up
t 'names that are only looked up load nothing' names
t 'unmounted' down

# Jobs are under way then.
"$MOUNT_DESFS" -f ar mnt 2>log &
daemon=$!
is_up()
{
	grep -q " $tmp/mnt " /proc/self/mountinfo
}
t 'mounted' wait_for 20 is_up
amid()
{
	head -c 3000000 mnt/large >/dev/null || return 1
	umount mnt 2>/dev/null || fusermount3 -u mnt
}
t 'unmounted amid it' amid
t 'the daemon ends' wait_for 20 not kill -0 "$daemon"
