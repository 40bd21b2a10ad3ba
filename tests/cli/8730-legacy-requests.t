#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Older archives in a bucket are read with a few requests for each shard.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

n=$(scaled 2000)
shards=16
mkdir bkt
many()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/legacy-many.py" "$@" || exit
}
many des2 bkt/des2 "$n" 1500 $shards
some=$((n / 4))
many des2 bkt/dirs $some 1500 $shards 50
many datavision bkt/datavision $some 1500 $shards
many datavision bkt/dvdirs $some 1500 $shards 50
files src $some 3000
mkdir src/large && head -c 20000000 /dev/urandom >src/large/one
"$DESFS_PACK" -q --format 2 --n-bits 4 --created-at 2025-01-15T00:00:00Z \
	src bkt/frames || exit
start_fake --load bkt/="$tmp/bkt" || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

bytes_of()
{
	find "bkt/$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }'
}
# few ARCHIVE REQUESTS TIMES: no more requests, nor bytes of all that it has.
few()
{
	out=$(fake_count BYTES_OUT)
	echo "$(fake_count TOTAL) requests, $out bytes of $(bytes_of "$1")"
	at_most "$2" TOTAL && [ "$out" -le $(($3 * $(bytes_of "$1") + 200000)) ]
}
tree()
{
	"$DESFS" export -o "$2.tar" "$1" && mkdir "$2" &&
		tar -C "$2" -xf "$2.tar"
}
same()
{
	diff -r "local-$1" "$2"
}

# Every index is in the last bytes of its shard, and so are contents that are
# read once more.  Bytes of verifying are those of contents again, at most.
converts()
{
	fake_reset
	"$DESFS" convert --index-cache '' "s3://bkt/$1" "new-$1" >out 2>&1
	is=$?
	cat out
	[ $is = 0 ] && grep -q ' 0 failed, 0 lost; .* verified, 0 differ' out &&
		few "$1" "$2" "$3" && tree "new-$1" "from-$1" &&
		same "$1" "from-$1"
}
extracts()
{
	fake_reset
	"$DESFS" extract --index-cache '' "s3://bkt/$1" "out-$1" &&
		few "$1" "$2" "$3" && same "$1" "out-$1"
}
exports()
{
	fake_reset
	"$DESFS" export --index-cache '' -o "$1.tar" "s3://bkt/$1" &&
		few "$1" "$2" "$3" && mkdir "tar-$1" &&
		tar -C "tar-$1" -xf "$1.tar" && same "$1" "tar-$1"
}
verifies()
{
	fake_reset
	"$DESFS" verify --deep "s3://bkt/$1" && few "$1" "$2" "$3"
}
each()
{
	tree "bkt/$1" "local-$1" || exit
	t "$1: convert" converts "$@"
	t "$1: extract" extracts "$@"
	t "$1: export" exports "$@"
	t "$1: verify" verifies "$@"
}
each des2 $((4 * shards)) 4
each datavision $((4 * shards)) 4
# Directories are in sixteen slots, for each of which a shard is gone through.
each dirs $((10 * shards)) 8
each dvdirs $((10 * shards)) 8
# With a big file, and with frames.
each frames $((6 * shards)) 4

# What is wrong with one file is no matter of its neighbours.
cp -r bkt/frames bad
shard=$(cd bad && find . -name '*.des' -printf '%f\n' | sort | head -n 1)
printf 'XXXX' | dd of="bad/$shard" bs=1 seek=8 conv=notrunc 2>dd.err || exit
start_fake --load bad/a=bad || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
one_lost()
{
	want=$1
	shift
	"$DESFS" "$@" >out 2>&1
	is=$?
	cat out
	echo "status $is"
	[ $is = "$want" ]
}
t 'convert leaves out a damaged file' one_lost 1 convert --index-cache '' \
	s3://bad/a new-bad
t 'and one only' grep -q ' 1 failed, 0 lost; ' out
t 'so does extract' one_lost 6 extract --index-cache '' s3://bad/a out-bad
t 'as well' [ "$(find out-bad -type f | wc -l)" = $some ]
fake_rules 'kind=GET key=*.des from=5 every=3 count=5 cut-after=1000'
again()
{
	rm -rf out-bad
	one_lost 6 extract --index-cache '' s3://bad/a out-bad &&
		[ "$(find out-bad -type f | wc -l)" = $some ] &&
		[ "$(fake_used 1)" -gt 0 ]
}
t 'what is cut off is read again' again
