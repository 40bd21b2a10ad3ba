#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --checkpoint: another run has packed since.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"
. "$SRCDIR/tests/lib/kill-at.sh"

for d in 1 2 3 4 5 6 7 8 9; do
	files src/$d 8 400
done
cp -a src kept
cp -a src first

shows()
{
	rm -rf out && "$DESFS" extract "$1" out && same_by_rsync "$2" out
}
newest_record()
{
	find "$1/log" -name '*.json' | sort | tail -n 1
}
stamps()
{
	grep -o "\"$1\":\"[^\"]*\"" "$2" | cut -d: -f 2- | sort
}
begin()
{
	rm -rf a src cp && cp -a first src &&
		"$DESFS_PACK" -q --created-at 2026-01-01 src a
}

# The first run takes names for deleted, and finds others that are new.
away_and_back()
{
	begin && rm -r src/1 src/2/00000[1-4] src/4/000001 src/6 &&
		echo late >src/3/000001 && mkdir src/4/000001 src/n &&
		echo x | tee src/4/000001/x src/n/x >src/7/x &&
		echo file >src/6 || return 1
	killed "$1" a --mirror || return 1
	rm -rf src && cp -a first src && echo second >src/5/000001 &&
		rm -r src/8 src/9/00000[12] && mkdir src/8 &&
		echo y >src/8/y || return 1
	"$DESFS_PACK" -q --mirror src a && cp -a src second
}
# As soon as a resumed run has looked at the archive.
resumed_and_killed()
{
	killed "$1" a --mirror
	shows a src
}
overtaken()
{
	"$DESFS_PACK" --mirror --checkpoint cp src a 2>overtaken.err
	overtaken_status=$?
	cat overtaken.err
	[ $overtaken_status = 0 ] &&
		grep -q 'other runs have packed since' overtaken.err &&
		[ ! -e cp ]
}
for n in 3 6 8; do
	t "a run is killed before shard $n, another one has packed since" \
		away_and_back $n
	t 'the archive is as that has seen it' shows a src
	echo again >>src/7/000002
	cp -a cp cp.was
	echo third >src/5/000002
	t 'what is packed when the first goes on' overtaken
	t 'is what is there' shows a src
	rm -rf second
done

t 'a run is killed' away_and_back 8
echo more >src/5/000003
cp -a second was
goes_on_and_dies()
{
	killed 1 a --mirror
	shows a was
}
t 'one that goes on, and dies at once, brings nothing old back' goes_on_and_dies
stamps created_max "$(newest_record a)" >before
t 'the next one' "$DESFS_PACK" -q --mirror --checkpoint cp src a
stamps created_min "$(newest_record a)" >after
is_later()
{
	cat before after
	[ -s before ] && [ -s after ] && tail -n 1 before >both &&
		head -n 1 after >>both && sort -c -u both
}
t 'packs at a later time than all before' is_later
t 'what is there' shows a src

# A time of one's own stays, and each name has its newest content all the same.
at_a_time()
{
	begin && echo late >src/3/000001 && rm src/1/000001 &&
		killed 2 a --mirror --created-at 2026-01-02 || return 1
	rm -rf src && cp -a first src && echo newest >src/3/000001 &&
		"$DESFS_PACK" -q --mirror --created-at 2026-01-03 src a &&
		"$DESFS_PACK" -q --mirror --created-at 2026-01-02 \
			--checkpoint cp src a
}
t 'a run of an older time goes on after a later one' at_a_time
t 'and brings nothing old back' shows a src

# Workers have slots of their own.
worker()
{
	worker_i=$1
	shift
	"$DESFS_PACK" --worker "$worker_i/2" --checkpoint "cp$worker_i" "$@" \
		src a 2>worker.err
	worker_status=$?
	cat worker.err
	[ $worker_status = 0 ] && ! grep 'other runs' worker.err
}
worker_killed()
{
	begin && for d in 1 2 3 4 5 6 7 8 9; do
		echo new >src/$d/new && files src/$d/d 2 || return 1
	done
	with_faults "rename *.des nth=4 run=./kill-at 3 \$PPID cp1" \
		"$DESFS_PACK" -q --open-shards 1 --worker 1/2 --checkpoint cp1 \
		src a
	[ $? = 137 ] && worker 2 && worker 1
}
t 'a worker is killed while another one ends' worker_killed
t 'and goes on with what it had' shows a src
nothing_in_vain()
{
	"$DESFS_PACK" --clean a >clean.out 2>&1 || return 1
	cat clean.out
	grep leftovers clean.out && ! grep '\.des' clean.out
}
t 'nothing was packed in vain' nothing_in_vain
t 'the archive is sound' "$DESFS" verify --deep a
