#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs get of many files takes far fewer requests than there are files.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

n=$(scaled 5000)
mkdir bkt
"$PYTHON" - "$n" <<'END'
import os, random, sys
os.makedirs("src/d")
for i in range(int(sys.argv[1])):
    with open("src/d/%06d" % i, "wb", buffering=0) as f:
        f.write(random.Random(i).randbytes(1500))
END
"$DESFS_PACK" -q --created-at 2025-01-01T00:00:00Z src bkt/dir || exit
"$DESFS_PACK" -q --route uid --n-bits 4 --created-at 2025-01-01T00:00:00Z \
	src bkt/uid || exit
# In an order that has nothing to do with that of the shards.
find src -type f -printf '%P\t2025-01-01T00:00:00Z\n' | rev | sort | rev >pairs
cp -r "$SRCDIR/tests/fixtures/legacy/des-v2/packed-n8" bkt/old
start_fake --load bkt/=bkt || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

# gets ARCHIVE LIST: all of it is there and right
gets()
{
	fake_reset
	"$DESFS" get --batch "$2" --report rep --index-cache '' "s3://bkt/$1" \
		>out.tar && tar --compare -f out.tar -C src &&
		! grep -v '"status":"ok"' rep &&
		[ "$(tar -tf out.tar | wc -l)" = "$(wc -l <"$2")" ]
}
t 'all files of a directory' gets dir pairs
t 'come with few requests' at_most 20 TOTAL
whole=$(fake_count BYTES_OUT)
t 'each byte once' [ "$whole" -lt $((n * 1700 + 2000000)) ]
t 'all files of all slots' gets uid pairs
t 'come with a few for each' at_most 60 TOTAL
head -n 20 pairs >few
t 'some that are far apart' gets dir few
t 'take no more requests than they are' at_most 30 TOTAL

# Of an older archive, 27 shards of the day, of 43; with n_bits one of them.
old()
{
	fake_reset
	"$DESFS" get --created-at 2025-01-15T10:00:00Z "$@" s3://bkt/old \
		doc-0.txt >one && sha256sum one | grep ^06a314b17adf20f1
}
t 'a file of an older archive' old
t 'takes the shards of its day' at_most 31 GET
t 'the same by n_bits' old --n-bits 8
t 'takes its shard' at_most 4 GET

# So many threads wait for it, however few processors there are.
is_held()
{
	[ "$(fake_used 1)" -gt 0 ] || ! kill -0 "$got" 2>/dev/null
}
waits_with()
{
	printf 'doc-0.txt\t2025-01-15\n' >one-pair
	fake_rules 'kind=GET key=old/*.des range=bytes=[0-9]* latency=600000'
	"$DESFS" get --batch one-pair s3://bkt/old >out.tar &
	got=$!
	wait_for 60 is_held
	n=$(cat /proc/$got/task/*/comm | grep -c ^get)
	kill -KILL $got
	wait $got
	fake_rules
	echo "$n threads"
	[ "$n" = "$1" ]
}
t 'a list of an older archive has eight threads' waits_with 8

# Eight threads look for what is in sixteen shards.
waits()
{
	fake_rules 'key=*.des latency=300'
	gets uid pairs && [ "$(fake_count IN_FLIGHT_MAX)" -gt 1 ]
}
t 'shards are waited for together' waits
fake_rules 'key=*.des flip-object=200'
damaged()
{
	"$DESFS" get --batch few --report rep --index-cache '' s3://bkt/dir \
		>out.tar 2>err
	damaged_is=$?
	cat err rep
	[ $damaged_is = 1 ] && grep -q '"status":"corrupt"' rep &&
		[ "$(wc -l <rep)" = 20 ] && tar -tf out.tar
}
t 'damage costs some files only' damaged
fake_rules 'key=*.des status=404 code=NoSuchKey'
gone()
{
	"$DESFS" get --index-cache '' s3://bkt/dir d/000000 >one 2>err
	gone_is=$?
	cat err
	[ $gone_is = 6 ] && [ ! -s one ]
}
t 'a shard that is gone is damage, not a missing file' gone
fake_rules
