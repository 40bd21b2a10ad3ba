#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An archive in a bucket is exported with few requests, and imported into one.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

files src/d 300 3000
files src/e 300 3000
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src a &&
	"$DESFS" export a -o local.tar || exit
start_fake --load bkt/a=a || exit

# Several small files a request, as neighbours are read together.
exports()
{
	fake_reset
	"$DESFS" export --index-cache '' --endpoint "$fake_url" s3://bkt/a |
		cmp - local.tar && at_most 30 TOTAL
}
t 'the same bytes come from a bucket, with few requests' exports
imports()
{
	"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z --endpoint "$fake_url" \
		--from-archive local.tar s3://bkt/b &&
		"$DESFS" export --index-cache '' --endpoint "$fake_url" \
			s3://bkt/b | cmp - local.tar
}
t 'and go into one' imports
fake_rules 'method=GET key=*.des status=503'
fails()
{
	"$DESFS" export --index-cache '' --retries 1 --timeout 5 \
		--endpoint "$fake_url" s3://bkt/a -o failed.tar >e 2>&1
	is=$?
	cat e
	[ $is != 0 ] && ! ls failed.tar.*
}
t 'a server that gives nothing is told' fails
