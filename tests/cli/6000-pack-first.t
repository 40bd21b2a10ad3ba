#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack makes an archive: sources, options, what it says.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# status WANT command: it ends with that exit status.
status()
{
	want=$1
	shift
	"$@" >status.out 2>&1
	got=$?
	cat status.out
	[ $got = "$want" ] || { echo "exit status $got, not $want"; return 1; }
}
says()
{
	grep -F -e "$1" status.out
}
# names ARCHIVE WANT: all names of the tree, joined.
names()
{
	"$DESFS" ls -R --json "$1" | "$PYTHON" -c '
import json, sys
print(" ".join(sorted(json.loads(l)["path"] for l in sys.stdin)))' >names.out
	cat names.out
	[ "$(cat names.out)" = "$2" ]
}
same_bytes()
{
	"$DESFS" cat "$1" "$2" | cmp - "$3"
}
n_shards()
{
	[ "$(find "$1" -name '*.des' | wc -l)" -ge "$2" ]
}
prints()
{
	want=$1
	shift
	[ "$("$@" 2>&1)" = "$want" ]
}
n_lines()
{
	want=$1
	shift
	[ "$("$@" | wc -l)" = "$want" ]
}

mkdir -p one/sub/deep two empty
echo hello >one/file
echo there >one/sub/deep/more
echo second >two/file
head -c 400000 /dev/urandom >one/sub/large
mkdir one/void
ln -s file one/link

t 'one directory is packed' status 0 "$DESFS_PACK" one a
t 'the summary says how many' says 'packed 8 names'
t 'its contents are the root' \
	names a 'file link sub sub/deep sub/deep/more sub/large void'
t 'a small file has its bytes' same_bytes a sub/deep/more one/sub/deep/more
t 'a large file has its bytes' same_bytes a sub/large one/sub/large
t 'a second run has nothing to do' status 0 "$DESFS_PACK" one a
t 'it says so' says '8 unchanged'
t 'and writes no log record' n_lines 1 ls a/log
t '-q says nothing' prints '' "$DESFS_PACK" -q two b

t 'several sources have names' status 0 "$DESFS_PACK" one two/ one/file several
t 'their own' names several 'file one one/file one/link one/sub one/sub/deep one/sub/deep/more one/sub/large one/void two two/file'
t 'a single file has its name' status 0 "$DESFS_PACK" two/file single
t 'in the root' names single file
t 'the same name twice is refused' status 2 "$DESFS_PACK" one/file two/file twice
t 'before anything is made' not test -e twice
t 'an empty directory makes an archive' status 0 "$DESFS_PACK" empty void
t 'with a root and no names' names void ''

t 'a missing source is an error' status 3 "$DESFS_PACK" nowhere c
t 'that names it' says nowhere
t 'before anything is made' not test -e c
t 'the parent of an archive must exist' status 3 "$DESFS_PACK" one no/parent
t 'a directory with other files is no archive' status 8 "$DESFS_PACK" one two
t 'nothing was done to it' prints file ls two
t 'an archive is not packed into itself' status 2 "$DESFS_PACK" a a
mkdir self && echo data >self/data
t 'an archive in its source' status 0 "$DESFS_PACK" self self/archive
t 'is left out' says 'archive: left out'
t 'and only that' names self/archive data

t 'the first pack fixes --n-bits' status 2 "$DESFS_PACK" --n-bits 5 one a
t 'and says what it is' says '--n-bits 4'
t 'and --route' status 2 "$DESFS_PACK" --route uid one a
t 'the same values are fine' \
	status 0 "$DESFS_PACK" --n-bits 4 --route parent one a
t 'the other route has more slots' \
	status 0 "$DESFS_PACK" -v --route uid one uid
t 'as its descriptor tells' grep '"n_bits":8,"route":"uid"' uid/desfs.json

for bad in --n-bits=3 --n-bits=17 --codec=rar --level=99 --block-size=1K \
	--block-size=32M --max-shard-size=0 --jobs=0 --created-at=yesterday \
	--progress=maybe --nonsense; do
	t "$bad is refused" status 2 "$DESFS_PACK" "$bad" one bad
done
t 'no source is refused' status 2 "$DESFS_PACK" one
t 'nothing came of all that' not test -e bad

for codec in zstd lz4 none; do
	t "--codec $codec" \
		status 0 "$DESFS_PACK" --codec $codec --block-size 4K one $codec
	t "$codec keeps the bytes" same_bytes $codec sub/large one/sub/large
done

mkdir -p parts/d && files parts/d 40 3000 &&
	ln parts/d/000001 parts/d/zlink && ln parts/d/000001 parts/zlink
t '--max-shard-size makes parts' \
	status 0 "$DESFS_PACK" --max-shard-size 10K parts p
t 'many' n_shards p 12
t 'with all names' n_lines 41 "$DESFS" ls p d
t 'and the bytes of links' same_bytes p d/zlink parts/d/000001
t 'in each directory' same_bytes p zlink parts/d/000001

touch -d 2001-02-03T04:05:06Z one/file
touch -h -d 1969-12-31T23:59:59Z one/link
t '--created-at mtime' status 0 "$DESFS_PACK" --created-at mtime one m
t 'puts files into their days' \
	test -d m/20010203 -a -d m/19691231
t 'with the directories above them' \
	names m 'file link sub sub/deep sub/deep/more sub/large void'
t 'is for the first pack' status 2 "$DESFS_PACK" --created-at mtime one m
t 'and says so' says 'first pack only'
t '--created-at TIME' \
	status 0 "$DESFS_PACK" --created-at 2020-02-02T01:00+02:00 one time
t 'counts in UTC' test -d time/20200201

t '--dry-run' status 0 "$DESFS_PACK" --dry-run one dry
t 'says what it would do' says 'would-pack sub/deep/more'
t 'and does nothing' not test -e dry
echo changed >two/file
t '--dry-run compares with an archive' status 0 "$DESFS_PACK" -n two b
t 'and names what changed' says 'would-pack file'
t 'and does nothing either' n_lines 1 ls b/log
