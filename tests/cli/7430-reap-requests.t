#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A round of desfs reap that has nothing to do makes few requests, and reads
# nothing twice.
. "${0%/*}/../lib/tap.sh"
# shellcheck source=tests/lib/s3.sh
. "$SRCDIR/tests/lib/s3.sh"
need_fake

mkdir -p src/d
for i in 1 2 3 4 5 6 7 8 9; do
	echo "content of $i" >"src/d/file-$i"
done
start_fake --bucket bkt || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
ar=s3://bkt/ar

reads_once()
{
	sed -n 's/^[0-9]* GET GET \([^ ]* [^ ]*\).*/\1/p' "$fake_log" | sort |
		uniq -d >twice
	cat twice
	[ ! -s twice ]
}

# idle_round N: it makes at most N requests, changes nothing.
idle_round()
{
	fake_reset && "$DESFS" reap $ar >out 2>&1
	is=$?
	cat out
	[ $is = 0 ] && at_most "$1" TOTAL && exactly 0 PUT && exactly 0 DELETE && reads_once
}

delete_all()
{
	"$DESFS" tombstone add --no-copies "$@" &&
		"$DESFS" reap --grace 0 $ar
}

t 'an archive' "$DESFS_PACK" -q --n-bits 4 src $ar
t 'where nothing was ever deleted' idle_round 12

waiting()
{
	"$DESFS" tombstone add --no-copies $ar d/file-1 &&
		"$DESFS" tombstone add --no-copies $ar d/file-2 &&
		"$DESFS" reap $ar && idle_round 20 && cat out &&
		grep 'old shards that stay: 1 wait' out &&
		grep '2 erasures open' out
}
t 'where old shards and deletions wait' waiting
listed()
{
	fake_reset && "$DESFS" erasures $ar && at_most 14 TOTAL && reads_once
}
t 'erasures reads each once, too' listed
