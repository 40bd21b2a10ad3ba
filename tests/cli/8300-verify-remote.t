#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify of archives in buckets and behind web servers.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

files src/d 100 1000
files src/e 100 1000
"$DESFS_PACK" -q --publish --created-at 2026-01-01T10:00:00Z src a || exit

# finds STATUS TEXT ARGUMENTS: verify's status, and what it says
finds()
{
	finds_status=$1 finds_text=$2
	shift 2
	"$DESFS" verify --deep --index-cache '' "$@" >found 2>&1
	finds_got=$?
	cat found
	[ $finds_got = "$finds_status" ] && grep -q "$finds_text" found
}

mkdir -p a/tmp/run-0123456789abcdef
echo mark >a/tmp/run-0123456789abcdef/alive-20200101T000000.000000Z
echo left >a/tmp/run-0123456789abcdef/1
touch -d 2020-01-01 a/tmp/run-*/* a/tmp/run-*
start_fake --load bkt/a=a || exit
t 'an archive in a bucket is well' finds 0 'all is well' \
	--endpoint "$fake_url" s3://bkt/a
t 'what a dead run has left there is told' finds 0 'left by a writer' \
	--endpoint "$fake_url" s3://bkt/a
rm -r a/tmp

start_fake --web "$tmp" || exit
t 'an archive behind a web server is well' finds 0 'all is well' "$fake_url/a"
shards=$(find a -name '*.des' | wc -l)
t 'all of its shards were looked at' grep "^$shards shards" found
fake_rules 'key=*.des flip-object=300'
t 'damage is found there' finds 6 'DAMAGED' "$fake_url/a"
fake_rules
fake_rules 'key=*.des status=503 code=SlowDown'
t 'what cannot be read is not taken for damaged' \
	finds 1 'no damage found; .* shards could not be read' \
	--timeout 3 --retries 1 --stats-file v.prom "$fake_url/a"
t 'it is named' grep '^2.*des: could not be read: ' found
t 'and not in the rate of damaged ones' \
	grep '^des_shard_corruption_rate{.*} 0$' v.prom
fake_rules 'key=*.des content-range=odd'
t 'nor is one that answers other than it was asked' \
	finds 1 'no damage found; .* shards could not be read' \
	--timeout 3 --retries 1 "$fake_url/a"
fake_rules 'key=*.des status=403'
t 'neither is what we may not read' finds 1 'shards could not be read' \
	--retries 1 "$fake_url/a"
fake_rules
# shellcheck disable=SC2046 # one word
mv $(find a -name '*.des' | head -n 1) gone
t 'so is a shard that is gone' finds 6 'all .* entries of the shard' "$fake_url/a"
t 'what is no archive is none' not "$DESFS" verify "$fake_url/src"
