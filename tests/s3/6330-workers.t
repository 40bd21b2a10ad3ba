#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Workers that pack into a bucket together, killed and run again: its shards are
# those of a local archive of one run.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"

need_fake
start_fake --bucket plain --versioned vers || exit
export rgw_url="$fake_url"
export AWS_ENDPOINT_URL_S3="$fake_url"
when=2026-01-02T10:00:00Z

dirs='1 2 3 4 5 6 7 8 9 a b c d e f g h i j k l m n o'
for d in $dirs; do
	files src/"$d" 6 5000
	files src/"$d"/small 10
done
cp -a src old
t 'a local archive' "$DESFS_PACK" -q --created-at 2026-01-01 src local
cp -a local local1
for d in $dirs; do
	files src/"$d"/new 10 3000
done
rm -r src/3/small
t 'and a second run' "$DESFS_PACK" -q --mirror --created-at $when src local

# worker I/N PLACE [args]
worker()
{
	w_which=$1 w_place=$2
	shift 2
	"$DESFS_PACK" -q --worker "$w_which" "$@" "s3://$w_place"
}
at_once()
{
	w_pids='' w_bad=0
	for i in 1 2 3 4; do
		worker $i/4 "$@" &
		w_pids="$w_pids $!"
	done
	for w_pid in $w_pids; do
		wait "$w_pid" || w_bad=1
	done
	return $w_bad
}
same_shards()
{
	fetch_archive "$1" have && [ -s have/desfs.json ] &&
		diff -r --exclude=log --exclude=tmp have "$2"
}
for b in plain vers; do
	t "$b: four workers make an archive at once" \
		at_once $b/four --created-at 2026-01-01 old
	t 'that of one run' same_shards $b/four local1
	t 'a second time' at_once $b/four --mirror --created-at $when src
	t 'too' same_shards $b/four local
	t 'the archive is sound' "$DESFS" verify --deep "s3://$b/four"
done

# Held in the middle of something by the server, and killed there.
# killed RULE PLACE I [args]
killed()
{
	k_rule=$1 k_place=$2 k_i=$3
	shift 3
	fake_rules "$k_rule" || return 1
	"$DESFS_PACK" -q --worker "$k_i/4" --checkpoint "cp-$k_i" \
		--open-shards 1 "$@" "s3://$k_place" &
	k_pid=$!
	wait_for 60 rule_applied
	k_held=$?
	kill -KILL $k_pid
	wait $k_pid
	fake_rules
	[ $k_held = 0 ]
}
rule_applied()
{
	[ "$(fake_used 1)" -gt 0 ]
}
all_killed()
{
	for i in 1 2 3 4; do
		for nth in 2 1; do
			killed "method=PUT key=killed/2026*.des nth=$nth latency=600000" \
				plain/killed $i --created-at 2026-01-01 old ||
				return 1
		done
	done
}
t 'each of four workers is killed twice' all_killed
ends()
{
	for i in 4 3 2 1; do
		worker $i/4 plain/killed --checkpoint cp-$i \
			--created-at 2026-01-01 old || return 1
	done
	! ls cp-* 2>/dev/null
}
t 'and run to its end' ends
t 'the shards are those of one run' same_shards plain/killed local1
t 'the archive is sound' "$DESFS" verify --deep s3://plain/killed
