#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A round of desfs reap that has nothing to do makes few requests, and reads
# nothing twice.
. "${0%/*}/../lib/tap.sh"
# shellcheck source=tests/lib/s3.sh
. "$SRCDIR/tests/lib/s3.sh"
# shellcheck source=tests/lib/tree.sh
. "$SRCDIR/tests/lib/tree.sh"
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

# --- what is over costs nothing ----------------------------------------------

ar=s3://bkt/done
t 'another archive' "$DESFS_PACK" -q --n-bits 4 src $ar
# Of a single version each: of others the list of names would be asked what came
# back since, as the shards are new.
delete()
{
	delete_all --created-at "$("$DESFS" stat --json $ar "d/file-$1" |
		sed 's/.*"created_at":"\([^"]*\)".*/\1/')" $ar "d/file-$1"
}
t 'a deletion that is over' delete 1
t 'costs an idle round the records that tell of it' idle_round 16
several()
{
	for i in 2 3 4 5 6 7 8 9; do
		delete $i || return 1
	done
	idle_round 18
}
t 'nine cost no more than some' several

mkdir -p many/d
n=$(scaled 1100)
i=0
while [ $i -lt "$n" ]; do
	echo "$i" >"many/d/$i"
	i=$((i + 1))
done
ar=s3://bkt/many
many()
{
	"$DESFS_PACK" -q --n-bits 4 many $ar &&
		delete_all --recursive $ar d >reaped 2>&1 &&
		grep ", $((n + 1)) erasures finished" reaped && idle_round 23
}
t 'nor do 1,100 at once, but for a page of the list' many
