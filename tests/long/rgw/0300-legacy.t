#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An older archive of 20,000 files in 300 shards in Ceph RGW: mounted, extracted
# and converted with few requests, and all of it is right.
. "${0%/*}/../../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"

need_fuse
need_rgw
export CEPH_RGW_SIZE=4294967296

t 'RGW is up' rgw_with plain
[ "${AWS_ENDPOINT_URL_S3:-}" ] || exit

# Two days, each with 16 slots of ten shards.
packed()
{
	files src 20000 3000 &&
		(cd src && find . -type f -printf '%P\0' | sort -z) >all &&
		head -z -n 10000 all >list.01 && tail -z -n 10000 all >list.02 ||
		return 1
	for day in 01 02; do
		"$DESFS_PACK" -q --format 2 --n-bits 4 --max-shard-size 195000 \
			--created-at 2026-01-$day --files0-from=list.$day src \
			s3://plain/old || return 1
	done
}
t 'packed in format 2' packed
keys_of plain/old | grep '\.des$' >shards
n=$(wc -l <shards)
t 'into 300 shards' [ "$n" -ge 300 ]

# asks AT_MOST COMMAND...: so many requests are enough
asks()
{
	asks_most=$1
	shift
	rm -f trace
	"$@" --trace trace >out 2>err || { tail -n 20 err; return 1; }
	asks_n=$(wc -l <trace)
	echo "$asks_n requests"
	[ "$asks_n" -le "$asks_most" ]
}
same_files()
{
	diff -r src "$1" >diff.out
	head -n 20 diff.out
	[ ! -s diff.out ] && [ "$(find "$1" -type f | wc -l)" = 20000 ]
}
t 'ls asks once for each' asks $((n + 5)) "$DESFS" ls -R s3://plain/old
t 'and lists all files' [ "$(grep -c '^[0-9]' out)" = 20000 ]
t 'extract asks for less than each file' asks 8000 \
	"$DESFS" extract s3://plain/old new
echo "# extract: $asks_n requests for $n shards"
t 'all is right' same_files new
rm -rf new
t 'verify --deep finds nothing' asks 8000 \
	"$DESFS" verify --deep s3://plain/old
echo "# verify: $asks_n requests"
t 'mounted' mount_up s3://plain/old mnt -o trace=trace.mount
t 'all is right there, too' same_files mnt
t 'unmounted' "$DESFS" umount mnt
echo "# mounted: $(wc -l <trace.mount) requests"

t 'converted' "$DESFS" convert --trace trace.convert s3://plain/old \
	s3://plain/new
echo "# convert: $(wc -l <trace.convert) requests"
t 'with hardly more requests than there are files' \
	[ "$(wc -l <trace.convert)" -le 25000 ]
t 'the new one is sound' is_sound plain/new src
