#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs extract makes the tree again, and leaves no half of anything.
. "${0%/*}/../lib/tap.sh"

mkdir -p src/dir/sub src/ro src/empty
for i in 1 2 3 4 5 6 7 8 9; do
	head -c "$((i * 7000))" /dev/urandom >"src/dir/f$i"
done
printf 'hello\n' >src/dir/hello
ln src/dir/hello src/dir/sub/link
ln src/dir/hello src/link
ln -s dir/hello src/sym
mkfifo src/fifo
: >src/nothing
echo ro >src/ro/file
head -c 3000000 /dev/urandom >src/large
truncate -s 8M src/holes
printf 'data' | dd of=src/holes bs=1 seek=5000000 conv=notrunc 2>/dev/null
(
	cd src || exit
	p=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
	n=0
	while [ $n -lt 60 ]; do
		mkdir $p && cd -P ./$p || exit
		n=$((n + 1))
	done
	echo deep >file
) || exit
chmod 4711 src/dir/f1
chmod 640 src/dir/f2
find src -name 'f[3-9]' -exec touch -d 1961-02-03T04:05:06.789012345Z {} +
touch -d 2001-01-01 src/empty src/dir/sub
chmod 555 src/ro
t 'a tree is packed' "$DESFS_PACK" -q src ar

list()
{
	(cd "$1" && find . -printf '%y %m %n %s %T@ %l %p\n' | LC_ALL=C sort)
}
# Paths are longer than most programs take.
sums()
{
	(cd "$1" && find . -type f -printf '%p ' -execdir sha256sum {} \; |
		LC_ALL=C sort)
}
same_tree()
{
	# Sizes of directories are the file system's.
	list "$1" | sed 's/^\(d [^ ]* \)[^ ]* [^ ]*/\1/' >a
	list "$2" | sed 's/^\(d [^ ]* \)[^ ]* [^ ]*/\1/' >b
	diff a b >d || { cut -c -200 d; return 1; }
	sums "$1" >a && sums "$2" >b && cmp a b
}
t 'all of it is extracted' "$DESFS" extract --setuid ar out
t 'and is the same' same_tree src out
sparse()
{
	[ "$(stat -c %b out/holes)" -lt 2048 ]
}
t 'holes are holes' sparse
linked()
{
	[ "$(stat -c %i out/link)" = "$(stat -c %i out/dir/sub/link)" ]
}
t 'hard links across directories are one file' linked
no_leftover()
{
	find "$1" -name '.desfs-*' | grep .
}
t 'no temporary file is left' not no_leftover out
without_bits()
{
	"$DESFS" extract ar plain && [ "$(stat -c %a plain/dir/f1)" = 711 ]
}
t 'setuid is left out unless asked for' without_bits

status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat o e
	[ "$is" = "$want" ]
}
echo mine >out/dir/f2
t 'what is there is left alone' status_is 1 "$DESFS" extract ar out dir/f2
t 'and reported' grep -q '^desfs: dir/f2: is there already' e
t 'it is as it was' grep -qx mine out/dir/f2
t '--overwrite replaces it' "$DESFS" extract --overwrite ar out dir/f2
t 'by what was packed' cmp out/dir/f2 src/dir/f2
t '--overwrite replaces all of it' "$DESFS" extract --setuid --overwrite ar out
t 'and it is the same still' same_tree src out

some()
{
	"$DESFS" extract ar some dir/sub sym && find some | LC_ALL=C sort >is
	printf 'some\nsome/dir\nsome/dir/sub\nsome/dir/sub/link\nsome/sym\n' |
		diff - is
}
t 'paths select' some
parent_time()
{
	[ "$(stat -c %Y some/dir)" = "$(stat -c %Y src/dir)" ]
}
t 'the directories above are as they were' parent_time
t 'a path that is not there' status_is 1 "$DESFS" extract ar some none

mkdir trap elsewhere
ln -s "$tmp/elsewhere" trap/dir
t 'a link in the target is not followed' status_is 1 "$DESFS" extract ar trap
t 'nothing came through it' rmdir elsewhere
t 'the rest was written' cmp trap/large src/large

# Damage in the middle of the large file costs it, and what shares its block.
cp -r ar bad
chmod -R u+w bad
shard=bad/$("$DESFS" stat ar large | sed -n 's/^shard: //p')
off=$("$DESFS" stat ar large |
	sed -n 's/^block: .* at \([0-9]*\), .*/\1/p' | sed -n 12p)
printf '\377\000\377\000' |
	dd of="$shard" bs=1 seek=$((off + 1000)) conv=notrunc 2>/dev/null
t 'a damaged file is an error' status_is 1 "$DESFS" extract --setuid bad torn
t 'that names it' grep -q '^desfs: large: .*\.des' e
t 'it is not there, not even empty' test ! -e torn/large
t 'nor under another name' not no_leftover torn
t 'all else is' cmp torn/holes src/holes
t 'cat of it fails too' status_is 6 "$DESFS" cat bad large
cat_is_beginning()
{
	cmp -n "$(stat -c %s o)" o src/large
}
t 'and what it wrote is right' cat_is_beginning
