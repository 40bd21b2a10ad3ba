#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Memory of uploads: a slow server, several long uploads at a time.
# shellcheck disable=SC2016
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"

need_fake
start_fake --bucket plain || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

# Noise, so that all of it is sent.
n=$(scaled 40)
mkdir src
for i in 1 2 3 4 5 6; do
	head -c "${n}000000" /dev/urandom >src/$i
done

told()
{
	"$DESFS_PACK" -v src s3://plain/told 2>&1 |
		sed -n 's/.*memory: \([0-9]*\)\.[0-9] MiB at most.*/\1/p' >told
	cat told
	[ "$(cat told)" -lt 256 ]
}
t 'the bound of memory is below 256 MiB' told

# Parts that wait, and shards that wait to be published.
packed()
{
	fake_rules 'kind=PART latency=300' &&
		"$DESFS_PACK" -v --n-bits 4 --max-shard 8M src s3://plain/a \
			>pack.out 2>&1
	packed_status=$?
	fake_rules
	tail -n 5 pack.out
	return $packed_status
}
t 'long uploads at a time' packed
t 'are whole' eval '"$DESFS" extract s3://plain/a out && diff -r src out'
# In the plain build: a sanitizer has more.
if [ "$n" = 40 ]; then
	t 'they hold few parts at a time' eval \
		'most=$(sed -n "s/.*, \([0-9]*\)\.[0-9] MiB of memory.*/\1/p" \
			pack.out) && echo "$most MiB" && [ "$most" -lt 128 ]'
fi
