#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Later runs of desfs-pack: what changed, what is gone, what was there before.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

pack()
{
	"$DESFS_PACK" "$@" >pack.out 2>&1
	pack_status=$?
	cat pack.out
	return $pack_status
}
packed()
{
	grep "^packed $1 names" pack.out
}
names()
{
	"$DESFS" ls -R --json "$1" | "$PYTHON" -c '
import json, sys
print(" ".join(sorted(json.loads(l)["path"] for l in sys.stdin)))' >names.out
	cat names.out
	[ "$(cat names.out)" = "$2" ]
}
has()
{
	[ "$("$DESFS" cat "$1" "$2")" = "$3" ]
}
n_lines()
{
	want=$1
	shift
	[ "$("$@" | wc -l)" = "$want" ]
}

mkdir -p src/dir src/keep
for f in changed dir/touched dir/same keep/gone link1 mode; do
	echo "$f" >src/$f
done
ln -s target src/symlink
t 'the first run' pack src a
t 'packs all' packed 10

echo 'changed now' >src/changed
touch -d 2001-01-01 src/dir/touched
chmod 755 src/mode
ln -sf elsewhere src/symlink
setfattr -n user.key -v value src/dir/same 2>/dev/null || touch src/dir/same
t 'what changed' pack src a
t 'is packed: content, time, mode, target, attributes, the directory' packed 6
t 'its bytes are the new ones' has a changed 'changed now'
t 'then there is nothing to do' pack src a
t 'at all' packed 0

ln src/link1 src/link2 && touch -r src/keep src
t 'a hard link' pack src a
t 'changes both names and the directory' packed 3
t 'which have its bytes' has a link2 link1

rm src/keep/gone src/mode
t 'names that are gone' pack src a
t 'stay without --mirror' has a keep/gone keep/gone
t '--mirror' pack --mirror src a
t 'takes them away' names a \
	'changed dir dir/same dir/touched keep link1 link2 symlink'
t 'once' pack --mirror src a
t 'and only once' packed 0

# Excluded names are not gone.
t '--exclude with --mirror' pack --mirror --exclude /dir --exclude link2 src a
t 'keeps what is excluded' names a \
	'changed dir dir/same dir/touched keep link1 link2 symlink'

# Of several sources only what is below them is mirrored.
mkdir -p x/in y/in && touch x/in/1 x/in/2 y/in/3
t 'two sources' pack x y two
rm x/in/1 y/in/3
t '--mirror of one of them' pack --mirror x/../x y/../y/in two
t 'leaves the other alone' names two 'in x x/in x/in/2 y y/in y/in/3'

# A file becomes a directory and a directory a file.
rm src/changed && mkdir src/changed && echo inner >src/changed/file
rm -r src/dir && echo flat >src/dir
t 'file and directory swapped' pack src a
t 'are swapped in the archive' names a \
	'changed changed/file dir keep link1 link2 symlink'
rm src/dir && mkdir src/dir && echo new >src/dir/new
t 'a directory made again' pack src a
t 'does not show what was in the old one' names a \
	'changed changed/file dir dir/new keep link1 link2 symlink'

# The same size and time: only reading tells.
cp -p src/link1 stamp && printf 'LINK1\n' >src/link1 &&
	touch -r stamp src/link1
t 'a change that leaves no trace' pack src a
t 'is not seen' packed 0
t '--checksum' pack --checksum src a
t 'sees it' packed 2
t 'and packs it' has a link1 LINK1

# Leftovers of a dead run.
same_shards()
{
	(cd "$1" && find . -name '*.des' | sort) >one
	(cd "$2" && find . -name '*.des' | sort) >other
	[ -s one ] && diff one other
}
t 'nothing to clean' pack --clean a
t 'is told' grep '^0 leftovers' pack.out
good=$(find a -name '*.des' | sort | head -n 1)
stray=a/20200101/20200101_0_0000_0123456789abcdef.des
mkdir a/20200101 && cp "$good" $stray
t 'a shard that nothing names' pack --clean a
t 'is told' grep 'kept 20200101/' pack.out
t 'with what may be wrong' grep 'desfs rebuild --force' pack.out
t 'and kept' test -e $stray
mark=a/tmp/run-0123456789abcdef
echo "${stray#a/}" >$mark
t 'one that a dead run published' pack --clean -n a
t 'is a leftover' grep 'would remove 20200101/' pack.out
t 'that stays in a dry run' test -e $stray -a -e $mark
t '--clean' pack --clean a
t 'removes it' not test -e $stray
t 'and the mark' not test -e $mark
t 'and nothing else' pack src a
t 'of the archive' packed 0
cp -a a unlogged && rm -r unlogged/log unlogged/desfs.json
t 'without a log --clean' not pack --clean unlogged
t 'says what to do' grep 'desfs rebuild' pack.out
t 'and removes no shard' same_shards a unlogged
t 'nor in a dry run' not pack --clean -n unlogged

# A lost record costs no shard.
files lone1 2 10
files lone2 3 10
t 'two runs' pack lone1 lost
t 'of which' pack lone2 lost
shards=$(find lost -name '*.des' | wc -l)
rm "$(find lost/log -type f | sort | head -n 1)"
t 'the first one loses its record' not pack --clean lost
t 'keep their shards' test "$(find lost -name '*.des' | wc -l)" = "$shards"

# What looks like leftovers may be all there is.
files lone 1 100
t 'an archive' pack lone l
keeps()
{
	cp -a l m
	"$@"
	not "$DESFS_PACK" --clean m 2>err && cat err &&
		[ -n "$(find m -name '*.des')" ] && rm -rf m
}
t '--clean with a lost log removes nothing' keeps rm -r m/log
log_is_link()
{
	mv m/log elsewhere && ln -s "$PWD/elsewhere" m/log
}
t 'nor when the log is somewhere else' keeps log_is_link
record_is_fifo()
{
	r=$(echo m/log/*)
	rm "$r" && mkfifo "$r"
}
t 'nor when a record is no file' keeps record_is_fifo
t '--clean makes no archive' not "$DESFS_PACK" --clean nowhere
t 'nor a directory' not test -e nowhere

# A signal: wait until there is something to interrupt.
files many 400 20000
interrupted()
{
	"$DESFS_PACK" -q --progress json --block-size 4K --level 19 --jobs 1 \
		many stopped 2>json.err &
	pid=$!
	wait_for 20 sh -c 'find stopped/tmp -type f -size +0 | grep -q .'
	kill -INT $pid
	wait $pid
	got=$?
	tail -n 2 json.err
	[ $got = 12 ] || [ $got = 0 ]
}
t 'a signal stops a run' interrupted
t 'that can be done again' pack many stopped
t 'and is complete then' n_lines 400 "$DESFS" ls stopped

seeds='1 2 3 4 5 6'
in_tenths && seeds='1 2'
for seed in $seeds; do
	mkdir "model$seed" && cd "model$seed" || exit
	t "random changes, seed $seed" \
		"$PYTHON" "$SRCDIR/tests/lib/pack-model.py" "$seed" 8
	cd ..
done
