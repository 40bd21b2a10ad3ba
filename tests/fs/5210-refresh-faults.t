#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# New shards that cannot be read when a running mount hears of them: what the
# kernel believes of their names is put right as soon as they can be.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_fake

# add NAME TIME: one more file, packed then
add()
{
	mkdir -p src
	echo "$1" >"src/$1"
	"$DESFS_PACK" -q --endpoint "$fake_url" --created-at "$2" src \
		s3://bkt/a
}

start_fake --bucket bkt || exit
t 'an archive is made' add old 2026-01-01T10:00:00Z
t 'it is mounted' mount_up s3://bkt/a m -o \
	"endpoint=$fake_url,index_cache=,refresh=1,timeout=2,retries=1"
t 'a file is there' cmp src/old m/old
t 'a name is not' not test -e m/new

# What the mount reads first of a shard, and packing never.
fake_rules 'kind=GET key=*/20260201/*.des range=bytes=-262144 status=503'
t 'that file is packed' add new 2026-02-01T10:00:00Z
used()
{
	[ "$(fake_used 1)" -gt 0 ]
}
t 'the mount tries to read its shard' wait_for 30 used
t 'the name is not there yet' not test -e m/new
fake_rules
t 'when the server is well again, it is' wait_for 30 test -e m/new
t 'with the right bytes' cmp src/new m/new
