#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Four workers, each killed some times and run again: the archive is that of one
# undisturbed run.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/kill-workers.sh"

kills=${KILLS:-3}
same()
{
	shards_of kw_want >kw_want.sum && shards_of killed >killed.sum &&
		[ -s killed.sum ] && diff kw_want.sum killed.sum
}
cleaned()
{
	"$DESFS_PACK" --clean killed && "$DESFS_PACK" --clean killed 2>clean.err
	cat clean.err
	grep -q '^0 leftovers' clean.err
}
t 'one undisturbed run' kw_begin "${KILL_SIZE:-2}"
seed=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
echo "# seed $seed"
cp -a base killed
t "each of four workers is killed $kills times" kw_all killed "$kills" "$seed"
t 'what they leave goes' cleaned
t 'the shards are those of the undisturbed run' same
t 'all of them are sound' "$DESFS" verify --deep killed
names()
{
	"$DESFS" ls -lR killed >names.killed && "$DESFS" ls -lR kw_want >names &&
		diff names names.killed
}
t 'and the tree is the same' names

# A first pack, which makes the archive too.
rm -rf base killed
first()
{
	rm -rf kw_want && kw_pack kw_want
}
t 'a first pack' first
t "by four workers, killed $kills times" kw_all killed "$kills" $((seed + 9))
t 'what they leave goes' cleaned
t 'its shards are those of the undisturbed run' same
t 'and so is what it is called' cmp kw_want/desfs.json killed/desfs.json
