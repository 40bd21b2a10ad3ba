#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --clean while workers live, and after they have died.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

when=2026-01-01T10:00:00Z
for d in 1 2 3 4 5 6 7 8 9; do
	files src/$d 6 3000
done
worker()
{
	"$DESFS_PACK" -q --open-shards 1 --created-at $when --worker "$@" src a
}
shards()
{
	find a -name '*.des' | wc -l
}
t 'one run' "$DESFS_PACK" -q --created-at $when src want

dies()
{
	with_faults "rename *.des nth=3 run=kill -KILL \$PPID" worker 1/2
	[ "$(shards)" = 2 ]
}
t 'a worker dies' dies
told()
{
	"$DESFS" verify a >verify.out
	cat verify.out
	grep -q 'it names no shard: a first run was not finished' verify.out
}
t 'verify tells of what it left' told

# Another one waits for us before it publishes its third shard.
lives()
{
	with_faults "rename *.des nth=3 run=until [ -e go ]; do sleep 0.1; done" \
		worker 2/2 &
	lives_pid=$!
	wait_for 60 four && sleep 0.5 && four
}
four()
{
	[ "$(shards)" = 4 ]
}
t 'another one lives' lives
clean()
{
	"$DESFS_PACK" --clean "$@" a >clean.out 2>&1
	clean_status=$?
	cat clean.out
	return $clean_status
}
t 'a clean-up' clean
t 'says so' grep 'runs are writing; shards were left alone' clean.out
t 'and leaves the shards of both' test "$(shards)" = 4
t 'a second clean-up' clean
t 'does too' test "$(shards)" = 4
ends()
{
	touch go
	wait "$lives_pid"
}
t 'it ends well' ends
n=$(shards)
t 'what a clean-up would remove' clean -n
t 'are the two of the dead' test "$(grep -c 'would remove 2026' clean.out)" = 2
t 'they are there still' test "$(shards)" = "$n"
t 'a clean-up now' clean
t 'removes them' test "$(shards)" = $((n - 2))
t 'and nothing that counts' "$DESFS" verify --deep a
t 'the dead worker again' worker 1/2
same()
{
	shards_of want >one.sum && shards_of a >two.sum && diff one.sum two.sum
}
t 'makes it what one run makes' same
t 'with nothing to clean' clean
t 'at all' grep '^0 leftovers' clean.out

# One more begins and dies when a clean-up has seen which runs are dead, and what
# there is.
for d in 10 11 12 13; do
	files src/$d 6 3000
done
n=$(shards)
cat >late.sh <<EOT
export FAULT_SHIM='$tmp/late' LD_PRELOAD='$fault_shim'
'$DESFS_PACK' -q --open-shards 1 --created-at $when src a
exit 0
EOT
echo "rename *.des nth=3 run=kill -KILL \$PPID" >late
dies_late()
{
	with_faults "open */log/*.json nth=1 run=sh late.sh" clean || return
	fault_used && [ "$(shards)" = $((n + 2)) ]
}
t 'a worker dies while that goes on' dies_late
t 'a clean-up later' clean
t 'knows what was its' test "$(shards)" = "$n"
t 'and leaves nothing' clean
t 'behind' grep '^0 leftovers' clean.out
