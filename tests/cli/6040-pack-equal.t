#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Equal files of one directory are stored once.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# noise SEED BYTES: the same each time, as files seen of late are remembered in a
# table in which, once in a hundred times, others take the place of one of these.
noise()
{
	"$PYTHON" -c 'if 1:
	import hashlib, sys
	seed, n = sys.argv[1:]
	sys.stdout.buffer.write(hashlib.shake_128(seed.encode()).digest(int(n)))
	' "$@"
}

# Near each other, with other blocks between, and of every way to be stored.
mkdir src
noise noise-a 20000 >src/noise-a
seq 1 4000 >src/text-a
noise large-a 100000 | base64 >src/large-a
cp src/noise-a src/noise-b
cp src/text-a src/text-b
for i in 1 2 3 4 5 6 7 8 9; do
	noise p$i 90000 >src/p$i
	noise q$i 90000 | base64 >src/q$i
done
cp src/noise-a src/z-noise
cp src/text-a src/z-text
cp src/large-a src/z-large
noise a-link 50000 >src/a-link
ln src/a-link src/z-link
cp src/a-link src/b-copy
cp src/a-link src/z-copy
cp src/p3 src/x-link
ln src/x-link src/z-link-2
# As large, and the same where it is looked at, perhaps.
cp src/noise-a src/z-other
printf 'x' | dd of=src/z-other bs=1 seek=777 conv=notrunc 2>/dev/null
touch -d 2001-02-03 src/z-text
chmod 600 src/z-noise

come_out()
{
	rm -rf out
	"$DESFS" extract ar out && same_by_rsync src out
}

t 'packed' "$DESFS_PACK" -q src ar
t 'it is sound' "$DESFS" verify --deep ar
t 'the independent reader finds so too' reader_agrees ar

# Where the bytes of a file are.
place()
{
	"$DESFS" stat ar "$1" | sed -n '/^block: /p; /^tail_offset: /p'
}
once()
{
	place "$1" >a && [ -s a ] && place "$2" >b && diff a b
}
t 'noise is stored once' once noise-a noise-b
t 'text is stored once' once text-a text-b
t 'noise from blocks ago is found' once noise-a z-noise
t 'text too' once text-a z-text
t 'a file of its own block too' once large-a z-large
t 'one of several names is found too' once a-link b-copy
t 'and from blocks ago' once a-link z-copy
t 'and finds' once p3 z-link-2
t 'one that differs in a byte is not' not once noise-a z-other
t 'all come out, each with its own attributes' come_out

cut_shard()
{
	cp ar/*/*.des cut.des && chmod u+w cut.des && truncate -s -600 cut.des
}
salvage()
{
	"$DESFS" verify --salvage saved cut.des >o 2>&1
	[ $? = 6 ] && diff -r src saved
}
t 'a shard without its index' cut_shard
t 'gives all of them' salvage

# A name of each goes; what they share stays.
rm src/noise-a src/text-a src/large-a
t 'packed again without the first of each' "$DESFS_PACK" -q --mirror src ar
t 'the others are there' come_out
