#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs convert is killed or stopped: the same call again completes it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

convert()
{
	"$DESFS" convert --codec=none --max-shard-size=200K "$@" old new
}
begin()
{
	rm -rf new state
	ASAN_OPTIONS=$no_leaks "$DESFS" convert --throttle=500K/s \
		--codec=none --max-shard-size=200K "$@" old new >out 2>err &
	pid=$!
}
ended_with()
{
	wait $pid
	is=$?
	cat out err
	[ $is = "$1" ]
}
n_shards()
{
	find new -name '*.des' -path 'new/2*' 2>/dev/null | wc -l
}
has_shards()
{
	[ "$(n_shards)" -ge "$1" ]
}
has_bytes()
{
	[ "$(du -sb new 2>/dev/null | cut -f 1)" -gt 300000 ]
}
same_names()
{
	"$DESFS" ls -R old >a && "$DESFS" ls -R new >b && diff a b
}

files src/a 300 5000 && files src/b/c 300 5000
t 'an archive' "$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src old

begin
t 'some of it is written' wait_for 60 has_bytes
kill -KILL $pid
t 'it is killed' ended_with 137
t 'nothing half is shown' not "$DESFS" ls new
t 'the same call again converts all' convert
t 'to the same tree' same_names
t 'which is whole' "$DESFS" verify --deep new

begin --checkpoint=state
t 'with a checkpoint, too' wait_for 60 has_shards 2
kill -KILL $pid
t 'it is killed with shards that are done' ended_with 137
find new -name '*.des' -path 'new/2*' >finished
cp -a old other
other_archive()
{
	"$DESFS" convert --codec=none --max-shard-size=200K \
		--checkpoint=state other new 2>err
	[ $? = 2 ] && grep 'or another source' err
}
t 'another archive does not go on there' other_archive
t 'the same call goes on' convert --checkpoint=state
t 'those are still there' xargs ls -d <finished
t 'the tree is the same' same_names
t 'without a checkpoint left' test ! -e state
t 'and whole' "$DESFS" verify --deep new

begin
t 'once more' wait_for 60 has_bytes
kill -TERM $pid
t 'it is stopped in good order' ended_with 12
t 'and tells how to go on' grep -q 'the same call again goes on' err
t 'what is there is whole' "$DESFS" verify --deep new
t 'the same call goes on there' convert
t 'to the end' same_names

# Stopped while both are compared.
t 'the last call is made again' convert --no-verify
"$DESFS" convert --throttle=500K/s --progress=json old new >out 2>err &
pid=$!
t 'it compares' wait_for 60 grep -q '"phase": *"comparing"' err
kill -TERM $pid
t 'and is stopped there' ended_with 12
t 'which is said' grep -q 'all is converted, and the same call again verifies' err
