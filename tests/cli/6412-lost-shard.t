#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack: a clean-up elsewhere, whose locks are not seen here, removes shards
# in the moment in which they begin to count.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"
. "$SRCDIR/tests/lib/kill-at.sh"

when=2026-01-02
for d in 1 2 3 4 5 6 7 8 9; do
	files src/$d 4 300
done
cp -a src first
"$DESFS_PACK" -q --created-at 2026-01-01 src base || exit
for d in 1 2 3 4 5 6 7 8 9; do
	files src/$d/new 3
done
cp -a base want
"$DESFS_PACK" -q --created-at $when src want || exit

cat >take <<'END'
#!/bin/sh
find "$1/20260102" -name '*.des' | sort | sed -n 2p | xargs rm
touch took
END
chmod +x take
pack()
{
	"$DESFS_PACK" -q --created-at $when "$@" src a
}
# While its record gets its name.
lost()
{
	lost_rule=$1
	shift
	rm -f took
	with_faults "rename */a/log/*.json nth=1 run=./take $tmp/a
$lost_rule" pack "$@" 2>lost.err
	lost_status=$?
	cat lost.err
	[ $lost_status = 9 ] && [ -e took ] &&
		grep -q '20260102/.*, one of 1: gone .*; run again' lost.err
}
shows()
{
	rm -rf out && "$DESFS" extract a out && same_by_rsync "$1" out
}
same_archive()
{
	shards_of want >one.sum && shards_of a >two.sum && [ -s one.sum ] &&
		diff one.sum two.sum
}

cp -a base a
t 'a shard is removed when it is to count' lost ''
t 'the archive is what it was' shows first
t 'by its log, too' diff -r -x 'checkpoint-*' base/log a/log
t 'the next run makes it whole' pack
t 'as it should be' same_archive

rm -rf a && cp -a base a
t 'a run is killed' killed 6 a --created-at $when
t 'one that goes on loses a shard that it takes over' lost '' --checkpoint cp
t 'the archive is what it was still' shows first
goes_on()
{
	"$DESFS_PACK" --created-at $when --checkpoint cp src a 2>err
	cat err
	grep -q '1 of its shards are not there any more' err
}
t 'the next one goes on with the others' goes_on
t 'and makes it whole' same_archive

rm -rf a && cp -a base a
t 'the record cannot be taken back' lost 'unlink */log/*.json errno=EACCES'
t 'and is told' grep 'remove log/.*json, which names what is gone' lost.err
# A look that fails is none that finds nothing.
looks()
{
	rm -rf a && cp -a base a && with_faults "rename */a/log/*.json run=:
read */a/20260102/*.des run=:" pack || return 1
	n=$(sed -n '/^rename/q;p' faults.used | wc -l)
	cut -c 1-6 faults.used | uniq -c
	[ "$n" -gt 0 ] && [ "$(tail -n 1 faults.used | cut -c 1-4)" = read ]
}
t 'an undisturbed run looks at its shards before and after' looks
blind()
{
	rm -rf a && cp -a base a || return 1
	with_faults "read */a/20260102/*.des from=$((n + 1)) errno=EIO" \
		"$DESFS_PACK" --created-at $when src a 2>blind.err
	blind_status=$?
	cat blind.err
	[ $blind_status = 0 ] && grep -q 'not looked at again: .*Input' blind.err
}
t 'where it cannot after, that is told' blind
t 'and all counts' same_archive

# A clean-up looks once more whether a run has begun, after all it has read.
cat >begin <<-END
	"$DESFS_PACK" -q --created-at $when --checkpoint cp src a >begun.out 2>&1 &
	echo \$! >begun.pid
	left=600
	until flocked=; for f in a/tmp/run-*; do
		flock -n -s \$f true || flocked=1
	done; [ "\$flocked" ]; do
		left=\$((left - 1))
		[ \$left -gt 0 ] || exit
		sleep 0.05
	done
END
begins()
{
	rm -rf a && cp -a base a && killed 6 a --created-at $when ||
		return 1
	with_faults "open */a/log nth=3 run=cd $tmp; sh ./begin" \
		"$DESFS_PACK" --clean a >clean.out 2>&1
	cat clean.out
	wait_for 60 not kill -0 "$(cat begun.pid)" 2>/dev/null
	cat begun.out
	fault_used && ! grep '\.des' clean.out && [ ! -s begun.out ]
}
t 'a run begins while a clean-up reads the log' begins
t 'and keeps what it had' same_archive
