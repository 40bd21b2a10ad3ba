#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file of an older archive in a bucket that cannot be read is no matter of
# those that are read with it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

n=200
files src $n 1500
for f in big other; do
	head -c 30000 /dev/urandom >src/$f
done
mkdir bkt
"$DESFS_PACK" -q --format 2 --n-bits 4 --big-file-threshold 20000 \
	--created-at 2025-01-15T00:00:00Z src bkt/old || exit
big=_bigFiles/$(sha256sum <src/big | cut -d ' ' -f 1)
[ -e "bkt/old/$big" ] || exit
start_fake --load bkt/="$tmp/bkt" || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

# ends STATUS COMMAND...
ends()
{
	want=$1
	shift
	"$DESFS" "$@" >out 2>&1
	is=$?
	tail -n 5 out
	echo "status $is"
	[ $is = "$want" ]
}
all_but()
{
	diff -r src "$2" >diff.out
	cat diff.out
	[ "$(cat diff.out)" = "Only in src: $1" ]
}

# told WHAT FILE: it is the only one of which that is told.
told()
{
	[ "$(grep -c "$1" out)" = 1 ] && grep "$1" out | grep -q "$2"
}

fake_rules "kind=GET key=old/$big denied"
fake_reset
t 'extract leaves out a file that is forbidden' \
	ends 1 extract --index-cache '' s3://bkt/old forbidden
t 'and it only' all_but big forbidden
t 'and names it' told 403 big
t 'with a request for each of the others at most' at_most $((n + 80)) TOTAL
t 'so does convert' ends 1 convert --no-verify --index-cache '' s3://bkt/old new
t 'it' grep -q ' 1 failed, 0 lost' out
t 'and names it, too' told 403 big

# An older shard that is another one whenever contents are read of it.
shard=20250115_7_0000.des
mkdir one && cp "bkt/old/$shard" one && "$DESFS" ls one | sort >of-it || exit
fake_rules "kind=GET key=old/$shard range=bytes=[0-9]* etag=\"another\""
only_of_it()
{
	diff -r src "$1" | sed -n 's/^Only in src: //p' | sort >lost
	diff lost of-it && [ "$(diff -r src "$1" | wc -l)" = "$(wc -l <of-it)" ]
}
t 'extract leaves out what was replaced' \
	ends 1 extract --index-cache '' s3://bkt/old replaced
t 'and nothing else' only_of_it replaced
t 'and names each file of it' \
	[ "$(grep -c "$shard: is not the object" out)" = "$(wc -l <of-it)" ]
