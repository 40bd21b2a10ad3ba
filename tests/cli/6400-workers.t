#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --worker: what N workers make together is what one run makes.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

first=2026-01-01T10:00:00Z second=2026-01-02T10:00:00Z

# workers N SOURCE ARCHIVE [options]: all at once, but for the last two, who
# come after the others.
workers()
{
	w_n=$1 w_source=$2 w_archive=$3 w_i=0 w_pids='' w_status=0
	shift 3
	while [ $w_i -lt "$w_n" ]; do
		w_i=$((w_i + 1))
		if [ $w_i -gt $((w_n - 2)) ]; then
			for w_pid in $w_pids; do
				wait "$w_pid" || w_status=$?
			done
			w_pids=
			"$DESFS_PACK" -q --worker $w_i/"$w_n" "$@" "$w_source" \
				"$w_archive" || w_status=$?
			continue
		fi
		"$DESFS_PACK" -q --worker $w_i/"$w_n" "$@" "$w_source" \
			"$w_archive" &
		w_pids="$w_pids $!"
	done
	return $w_status
}
same_archive()
{
	shards_of "$1" >one.sum && shards_of "$2" >two.sum && [ -s one.sum ] &&
		diff one.sum two.sum && cmp "$1/desfs.json" "$2/desfs.json"
}
records()
{
	find "$1/log" -type f | wc -l
}

for bad in 0/1 2/1 1 1/ /1 a/b 1/65537 -1/2 1/2/3 +1/2 ' 1/2'; do
	t "--worker '$bad' is refused" \
		not "$DESFS_PACK" --worker "$bad" src archive
done

old_tree src
oddities src/odd --count 300 2>/dev/null
files src/many 300 3000
for d in 1 2 3 4 5 6 7 8 9; do
	files src/deep/$d/down 12 900
done
t 'one run' "$DESFS_PACK" -q --created-at $first src one
counts='2 3 16 40'
in_tenths && counts='3 16'
for n in $counts; do
	t "$n workers" workers "$n" src "w$n" --created-at $first
	t "make the same shards and descriptor" same_archive one "w$n"
	t 'once more' workers "$n" src "w$n" --created-at $first
	t 'they make nothing' same_archive one "w$n"
done
t 'at most as many records as slots' test "$(records "w$n")" -le 16
t 'the archive is sound' "$DESFS" verify --deep "w$n"
t 'and has what the source has' "$DESFS" extract w16 out
t 'all of it' same_by_rsync src/many out/many

# Every kind of change, deletion among them.
new_tree src
mkdir -p src/brand/new/deep && files src/brand/new/deep/down 5
rm -r src/deep/1 src/deep/2/down/00000*
mv src/deep/3 src/deep/three
cp -a one plain
for how in plain one; do
	mirror=--mirror
	[ $how = one ] || mirror=
	# shellcheck disable=SC2086
	t "a second run, ${mirror:-without --mirror}" "$DESFS_PACK" -q \
		$mirror --created-at $second src $how
	for n in $counts; do
		rm -rf again && cp -a "w$n" again
		# shellcheck disable=SC2086
		t "by $n workers" workers "$n" src again $mirror \
			--created-at $second
		t 'makes the same shards' same_archive $how again
		t 'which verify finds no fault with' "$DESFS" verify again
	done
done

# Each at its own time: the tree is the source's, though the shards are others.
in_turn()
{
	for i in 3 1 2; do
		"$DESFS_PACK" -q --mirror --worker $i/3 "$@" || return 1
	done
}
tree_is()
{
	rm -rf out && "$DESFS" extract "$2" out && same_by_rsync "$1" out
}
rm -r src/odd
t 'workers each at its own time' in_turn src now
t 'pack the tree' tree_is src now
mkdir -p src/late/a/b && files src/late/a/b/c 5 && rm -r src/many
mkdir src/many && files src/many/again 7
t 'and what changed in it' in_turn src now
t 'is the tree then' tree_is src now
ls now/log >before
t 'a third time there is nothing to do' in_turn src now
t 'and nothing is done' sh -c 'ls now/log | diff before -'

# The times of files.
t 'a first pack at the times of files' \
	"$DESFS_PACK" -q --created-at mtime src mtime
t 'by workers' workers 5 src mtime5 --created-at mtime
t 'is the same' same_archive mtime mtime5
t 'which is for a worker to do once' not "$DESFS_PACK" -q --worker 1/5 \
	--created-at mtime src mtime5

# A list of files.
files_from()
{
	(cd src && find . -name '*1*' -print0) >list
	"$DESFS_PACK" -q --files0-from list --created-at $first src listed &&
		workers 4 src listed4 --files0-from list --created-at $first
}
t 'a list of files' files_from
t 'is packed alike' same_archive listed listed4

# Options that do not fit what others have made.
t 'another number of slots is refused' \
	not "$DESFS_PACK" -q --worker 1/2 --n-bits 8 src one

seeds='1 2 3'
in_tenths && seeds=1
for seed in $seeds; do
	mkdir "model$seed" && cd "model$seed" || exit
	t "random changes by 5 workers, seed $seed" \
		"$PYTHON" "$SRCDIR/tests/lib/pack-model.py" "$seed" 5 5
	cd ..
done

# Only its own names cost a worker a look at their attributes.
for d in 1 2 3 4 5 6 7 8; do
	files few/$d 4
done
looked()
{
	looked_out=$1
	shift
	with_faults 'listxattr */few/* run=:' "$DESFS_PACK" -q \
		--created-at $first "$@" few few.a || return 1
	sed -n 's|^listxattr .*/few/||p' faults.used | sort >"$looked_out"
	wc -l <"$looked_out"
	[ -s "$looked_out" ]
}
t 'a worker looks at names' looked one.names --worker 1/2
t 'the other one too' looked two.names --worker 2/2
rm -rf few.a
t 'one run looks at all' looked all.names
shared_out()
{
	sort one.names two.names | diff all.names - &&
		comm -12 one.names two.names >both.names && [ ! -s both.names ]
}
t 'which are those of the one and the other' shared_out
