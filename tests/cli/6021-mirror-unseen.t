#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --mirror: what the walk has not seen need not be gone.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

files src 3
files src/dir 5
files src/dir/sub 3
files src/other 3
"$DESFS_PACK" -q src a || exit
cp -a src was

mirror()
{
	"$DESFS_PACK" --mirror "$@" 2>err
	mirror_status=$?
	cat err
	return $mirror_status
}
has()
{
	has_a=$1
	shift
	for f; do
		"$DESFS" stat "$has_a" "$f" >/dev/null || return 1
	done
}

rm src/dir/000001 && rm -r src/dir/sub
faulty()
{
	rm -rf b && cp -a a b || return 1
	with_faults "$1" mirror src b
	[ $? = "$2" ] && fault_used
}
t 'a name that the system says nothing of' \
	faulty 'stat */dir/000001 errno=EIO' 1
t 'is told' grep -q 'dir/000001: cannot be examined: Input' err
t 'and stays' has b dir/000001
t 'others go' not has b dir/sub/000001
t 'a name that is there again' \
	faulty "stat */dir/000001 nth=1 run=echo new >$tmp/src/dir/000001" 1
t 'is told' grep -q 'dir/000001: is there, though' err
t 'and stays, too' has b dir/000001
rm -f src/dir/000001
t 'a directory that cannot be entered any more' \
	faulty 'open */src/dir from=2 errno=EIO' 1
t 'what is not there is told' grep -q 'dir/sub/000002: cannot be opened' err
t 'and stays' has b dir/sub/000000 dir/sub/000001 dir/sub/000002 dir/000001
t 'a directory that went away' faulty 'open */src/dir/sub errno=ENOENT' 0
t 'is gone' not has b dir/sub

t 'nothing else fails' mirror src a
t 'the archive shows the source' "$DESFS" extract a out
t 'as it is' same_by_rsync src out
touch src/other/000001
only_those()
{
	with_faults 'stat */000002 run=:' mirror src a &&
		[ "$(grep -c src/other/000002 "$tmp/faults.used")" -le 1 ]
}
t 'no name is asked for that is there' only_those

# What is of no kind that is packed, and what is no directory any more.
socket()
{
	rm src/000001 && "$PYTHON" -c 'import socket
socket.socket(socket.AF_UNIX).bind("src/000001")' &&
		rm -r src/other && ln -s dir src/other && mirror src a
}
t 'a file becomes a socket, a directory a link' socket
t 'the file is gone' not has a 000001
t 'the link is there' has a other
t 'what was in the directory is gone' not has a other/000001
rm src/000001
t 'a directory becomes a file' sh -c 'rm -r src/dir && echo x >src/dir'
t 'and is mirrored' mirror src a
t 'what was in it is gone' not has a dir/000002

# A file system that is not mounted.
mkdir none
refused()
{
	cp -a a before
	"$@"
	refused_status=$?
	cat err
	[ $refused_status = 2 ] && grep -q 'perhaps not mounted' err &&
		diff -r a/log before/log && rm -rf before
}
t 'an empty source is refused' refused mirror none a
t 'in a dry run too' refused mirror -n none a
t 'the archive has all still' has a 000002
t 'without --mirror it is not' "$DESFS_PACK" -q none a
t 'nor for an archive without files' mirror none new
t 'nor for one that is new, when it exists' mirror none new
t '--mirror-empty' mirror --mirror-empty none a
empty()
{
	"$DESFS" ls a >names && [ ! -s names ]
}
t 'empties the tree' empty
t 'which an empty source may be mirrored to' mirror none a
t 'it needs --mirror' not "$DESFS_PACK" -q --mirror-empty src a
mkdir one two && files one 2 && files two 2
t 'several sources' mirror one two several
rm two/*
t 'one of them is empty' not mirror one two several
t 'the old one' has several two/000001
t 'where all is excluded it is not empty' mirror --exclude '*' was a2
