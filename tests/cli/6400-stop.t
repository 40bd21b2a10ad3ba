#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack is asked to stop: it finishes the shard at hand and commits what is
# whole; a rerun completes the archive.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

files src 400 1000
mkdir -p deep/a/b deep/c deep/d/e/f
for d in . a a/b c d d/e d/e/f; do
	files deep/$d 40 300
done
ln src/000001 src/link
when=2026-01-02T10:00:00Z

pack()
{
	"$DESFS_PACK" -q --created-at $when "$@"
}

# Make the run of the rest of the arguments last long enough, and ask it to stop
# as soon as it reads files.  What it says is in stop.err, its status in $got.
stopped()
{
	rm -f stop.prom
	"$DESFS_PACK" --progress never --created-at $when --open-shards 1 \
		--throttle 1files/s --stats-file stop.prom "$@" 2>stop.err &
	pid=$!
	# It is there as soon as SIGUSR1 may come.
	wait_for 60 test -e stop.prom && wait_for 60 is_reading || return
	kill -TERM $pid
	wait $pid
	got=$?
	cat stop.err
	[ $got = 12 ]
}

is_reading()
{
	kill -USR1 "$pid" && sleep 0.1 && grep -q 'oldest file' stop.err
}

tree_of()
{
	"$DESFS" ls -lR "$1" && "$DESFS" verify "$1" >/dev/null &&
		rm -rf out && "$DESFS" extract "$1" out &&
		(cd out && find . -type f -exec sha256sum {} + | sort)
}

same_tree()
{
	tree_of "$1" >tree.a && tree_of "$2" >tree.b && diff tree.a tree.b
}

# Of many slots the first one is at hand.
first_slot()
{
	stopped --route uid --n-bits 4 src one || return
	grep 'stopped by a signal; 1 shards are in the archive, 15 of 16 slots' \
		stop.err || return
	set -- one/*/*.des
	[ $# = 1 ] && case $1 in
	*_0_0000_*) ;;
	*) return 1 ;;
	esac
}
t 'a signal lets the shard at hand end' first_slot
t 'which is committed' "$DESFS" verify one
t 'and holds files' [ "$("$DESFS" ls one | wc -l)" -gt 5 ]
t 'all of its slot' desread_ok one
t 'a rerun completes it' pack src one
t 'the undisturbed run' pack --route uid --n-bits 4 src whole
same_shards()
{
	shards_of "$1" >a.sum && shards_of "$2" >b.sum && diff a.sum b.sum
}
t 'which has the same shards' same_shards one whole
t 'and the same files' same_tree one whole

# Of one slot with many parts only one is finished.
first_part()
{
	stopped --max-shard-size 20K src parts || return
	grep 'of 16 slots were left' stop.err || return
	set -- parts/*/*.des
	echo "$*"
	[ $# -ge 1 ] && [ $# -lt 15 ]
}
t 'a signal lets the part at hand end' first_part
t 'without damage' desread_ok parts
t 'a rerun completes the parts' pack --max-shard-size 20K src parts
t 'an undisturbed run with parts' pack --max-shard-size 20K src whole-parts
t 'has the same files' same_tree parts whole-parts

t 'a run with directories is stopped' stopped deep dirs
t 'and completed' pack deep dirs
t 'the undisturbed one' pack deep whole-dirs
t 'has the same files and directories' same_tree dirs whole-dirs
t 'in the same shards' same_shards dirs whole-dirs

# The same for a later run: changed, removed, made new.
cp -a dirs later
cp -a dirs whole-later
rm -r deep/c deep/d/e
echo changed >deep/a/000003
echo file >deep/c
mkdir -p deep/new/dir deep/d/e/g
files deep/new/dir 10 100
files deep/d/e/g 10 100
echo x >deep/d/e/g/x
when=2026-01-03T10:00:00Z
t 'a later run is stopped' stopped --mirror deep later
t 'and completed later' pack --mirror deep later
t 'the later one, undisturbed' pack --mirror deep whole-later
t 'has the same tree' same_tree later whole-later
t 'in the same shards, too' same_shards later whole-later

# Until files are read there is nothing to finish.
mkfifo list
while_looking()
{
	"$DESFS_PACK" --progress never --files0-from list src none 2>look.err &
	pid=$!
	# Opened when it reads.
	exec 9>list
	printf '000001\0' >&9
	kill -TERM $pid
	# Its writer has not ended yet.
	wait_for 60 not kill -0 $pid 2>/dev/null
	kill -KILL $pid 2>/dev/null
	exec 9>&-
	wait $pid
	got=$?
	cat look.err
	[ $got = 12 ] && grep 'nothing of this run is in the archive' look.err
}
t 'while it looks, a signal ends the run at once' while_looking
t 'with nothing in the archive' not ls none/log
without_writer()
{
	mkdir none2
	"$DESFS_PACK" --progress never --stats-file "$1.prom" \
		--files0-from "$2" src none2 2>look.err <&9 &
	pid=$!
	wait_for 60 test -e "$1.prom"
	kill -TERM $pid
	wait_for 60 not kill -0 $pid 2>/dev/null
	kill -KILL $pid 2>/dev/null
	wait $pid
	got=$?
	cat look.err
	rmdir none2
	[ $got = 12 ]
}
exec 9</dev/null
t 'where nobody writes, too' without_writer named list
exec 9<>list
t 'and on standard input' without_writer stdin -
exec 9>&-
a_list()
{
	rm -rf listed
	"$1" | "$DESFS_PACK" -q --created-at $when --files0-from - src listed &&
		"$DESFS" ls listed >listed.out
	cat listed.out
	[ "$(tr '\n' ' ' <listed.out)" = "$2" ]
}
in_pieces()
{
	printf 0000
	sleep 0.2
	printf '01\000000002\0./'
	sleep 0.2
	printf '/000003'
}
t 'a list that comes in pieces' a_list in_pieces '000001 000002 000003 '
t 'an empty one' a_list true ''
long_path()
{
	printf '000001\0' && head -c 65536 /dev/zero | tr '\0' x
}
refused()
{
	long_path | not "$DESFS_PACK" -q --files0-from - src listed 2>err
	cat err
	grep -q 'path of more than 65535 bytes' err
}
t 'a path that is too long' refused
many()
{
	i=0
	while [ $i -lt 400 ]; do
		printf '././././././././././././././././././././././%06d\0' $i
		i=$((i + 1))
	done | head -c 1000000
	for i in 1 2 3; do
		printf '000001\0' && head -c 65000 /dev/zero | tr '\0' /
		printf '000002\0'
	done
}
t 'long ones' a_list many "$(cd src && echo 0*) "
