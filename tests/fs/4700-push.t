#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Small files read in the order of listings are sent to the kernel before it
# asks: few messages, the right bytes, and next to nothing for other readers.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse

wide=50 small=330
n=$(scaled 5000)
[ "$n" = 5000 ] || { wide=5 small=33; }

# 100 files a directory, 10 to 20, and sizes around those of pages.
trees()
{
	"$PYTHON" - $wide $small <<-'END'
	import os, random, sys
	r = random.Random(4)
	def make(d, sizes):
	    os.makedirs("src/" + d)
	    for i, n in enumerate(sizes):
	        with open("src/%s/f%04d" % (d, i), "wb") as f:
	            f.write(r.randbytes(n))
	def some(n):
	    return [r.randrange(1, 8000) for i in range(n)]
	for i in range(int(sys.argv[1])):
	    make("wide/d%02d" % i, some(100))
	for i in range(int(sys.argv[2])):
	    make("small/d%03d" % i, some(r.randrange(10, 21)))
	make("listed", some(1000))
	make("sizes", [n + d for n in (0, 4096, 8192, 65536, 131072)
	               for d in (0, 1, -1) if n + d >= 0] * 10)
	# A hole and what is none.
	with open("src/sizes/hole", "wb") as f:
	    f.truncate(100000)
	os.makedirs("src/nested")
	for i in range(20):
	    make("nested/d%02d" % i, some(15))
	    with open("src/nested/a%02d" % i, "wb") as f:
	        f.write(r.randbytes(3000))
	END
}
t 'files' trees
t 'packed' "$DESFS_PACK" -q src ar
"$DESFS_PACK" --help >/dev/null

up()
{
	mount_up ar mnt -o xattr=off "$@"
}
down()
{
	umount mnt 2>/dev/null || fusermount3 -u mnt
}
counts()
{
	grep -E '^(fuse|push)_' mnt/.des/stats
}
# grown NAME: how many more of a kind between the files before and after
grown()
{
	awk -v name="$1" '$1 == name { n = FNR == NR ? -$2 : n + $2; k++ }
		END { if (k != 2) exit 1; print n }' before after
}
# counted COMMAND: the two files, and what has grown
counted()
{
	counts >before && "$@" && counts >after || return 1
	diff before after
	:
}
# What tar reads is what the source has.
tar_equals()
{
	tar -C "mnt/$1" -cf - . | tar -C "src/$1" -df -
}
# What the kernel forgets because memory is short is no part of it.
messages()
{
	echo $(($(grown fuse_messages) - $(grown fuse_forget)))
}
# Messages of a walk over N files in D directories: at most 0.4 N + 4 D.
walk_is_cheap()
{
	walk_n=$(find "src/$1" -type f | wc -l)
	walk_d=$(find "src/$1" -type d | wc -l)
	shift
	counted "$@" || return 1
	echo "$walk_n files, $walk_d directories"
	[ "$(messages)" -le $((walk_n * 4 / 10 + 4 * walk_d)) ]
}
silent()
{
	counted "$@" && [ "$(messages)" = 0 ]
}
# The kernel may drop pages while other tests fill its memory.
or_again()
{
	"$@" || "$@" || "$@"
}

for d in wide small; do
	t "mounted for $d" up
	t "tar of $d: the right bytes, few messages" walk_is_cheap $d \
		tar_equals $d
	echo "# $(messages) messages, $(grown fuse_read) READs," \
		"$(grown push_files) pushed"
	t "the same again: no message" or_again silent tar_equals $d
	t 'unmounted' down
done

all_read()
{
	counted tar_equals wide && [ "$(grown push_files)" = 0 ] &&
		[ "$(grown fuse_read)" -ge $((wide * 100)) ]
}
t 'mounted with push=off' up -o push=off
t 'each file is asked for' all_read
t 'unmounted' down

t 'mounted' up
t 'files of all sizes' tar_equals sizes
t 'and files beside directories' walk_is_cheap nested tar_equals nested
t 'by other tools: diff' diff -r src/wide/d01 mnt/wide/d01
# By inode numbers, in no order that a listing has.
t 'cp -r' walk_is_cheap small cp -r mnt/small copy
echo "# $(messages) messages, $(grown push_files) pushed"
t 'copies the right bytes' diff -r src/small copy
t 'rsync' same_by_rsync src/wide/d03 mnt/wide/d03
grep_finds()
{
	grep -rc . mnt/wide >/dev/null
}
t 'grep -r' walk_is_cheap wide grep_finds
t 'and what it read is right' diff -r src/wide mnt/wide
# shellcheck disable=SC2016
t 'find -exec' sh -c 'cd mnt/wide/d04 && find . -type f -exec cmp {} \
	"$OLDPWD/src/wide/d04/{}" \;'

mapped()
{
	"$PYTHON" - <<-'END'
	import mmap, os
	for name in os.listdir("mnt/wide/d00"):
	    with open("mnt/wide/d00/" + name) as f, \
	         open("src/wide/d00/" + name, "rb") as want:
	        m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
	        assert m[:] == want.read(), name
	END
}
t 'and through mmap' mapped
t 'unmounted' down

t 'mounted' up
together()
{
	tar -C mnt/wide -cf - . | tar -C src/wide -df - &
	together_1=$!
	tar -C mnt/small -cf - . | tar -C src/small -df - &
	together_2=$!
	# shellcheck disable=SC2016
	find src/listed -type f -printf '%f\n' | sort |
		xargs -P 8 -n 10 sh -c 'for f; do
			cmp "src/listed/$f" "mnt/listed/$f" || exit 255
		done' sh || return 1
	wait $together_1 && wait $together_2
}
t 'walks and threads at once read the right bytes' together
t 'unmounted' down

t 'mounted' up
random_reader()
{
	# shellcheck disable=SC2012
	[ "$(ls -l mnt/listed | wc -l)" = 1001 ] || return 1
	find src/listed -type f -printf '%f\n' | sort |
		shuf --random-source="$0" | head -n 300 |
		while IFS= read -r f; do
			cmp "src/listed/$f" "mnt/listed/$f" || exit 1
		done
}
little_is_pushed()
{
	counted random_reader && [ "$(grown push_files)" -le 100 ]
}
t 'a random reader of a listed directory gets next to nothing' \
	little_is_pushed
first_files()
{
	tar_equals wide || return 1
	counts >before
	ls -l mnt/small >/dev/null
	for d in mnt/small/*; do
		# shellcheck disable=SC2012
		ls -l "$d" >/dev/null
		cat "$d/f0000" >/dev/null || return 1
	done
	counts >after
	diff before after
	[ "$(grown push_files)" -le $((32 * 20)) ]
}
t 'who reads one file a directory soon gets no more' first_files
t 'unmounted' down

# A signal while pushing.
ends()
{
	mkdir -p mnt
	"$MOUNT_DESFS" -f ar mnt &
	ends_pid=$!
	wait_for 20 mountpoint -q mnt || return 1
	(while tar -C mnt/small -cf - . >tar.out 2>/dev/null; do
		:
	done) &
	ends_reader=$!
	wait_for 20 pushed
	kill -TERM $ends_pid
	wait_for 10 not kill -0 $ends_pid 2>/dev/null || return 1
	wait $ends_pid && wait $ends_reader
}
pushed()
{
	[ "$(stat_of mnt push_files)" -gt 50 ]
}
t 'SIGTERM ends it while it pushes' ends
