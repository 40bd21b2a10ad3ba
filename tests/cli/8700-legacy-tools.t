#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Archives of older programs: they are read by all tools, in a bucket too, and
# written to by none.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"

sets=$SRCDIR/tests/fixtures/legacy/des-v2
old=$tmp/old
cp -r "$sets/packed-n8" "$old" || exit
mkdir src && echo x >src/x

# status N MESSAGE COMMAND...: it ends so, and says that.
status()
{
	want=$1 text=$2
	shift 2
	"$@" >out 2>err
	got=$?
	cat out err
	[ $got = "$want" ] && grep -qF "$text" out err
}

find "$old" -type f -exec sha256sum {} + >before
for c in 'repack' 'reap' 'rebuild' 'publish' 'tombstone list'; do
	# Words.
	# shellcheck disable=SC2086
	t "desfs $c says that it is to be converted" \
		status 7 'convert it first' "$DESFS" $c "$old"
done
t 'desfs tombstone add, too' \
	status 7 'convert it first' "$DESFS" tombstone add "$old" 007
t 'nothing is packed into it' \
	status 8 "older program's archive" "$DESFS_PACK" -q src "$old"
t 'a part of it is not verified' \
	status 2 'only be verified as a whole' "$DESFS" verify --sample 5 "$old"
find "$old" -type f -exec sha256sum {} + >after
t 'all that is there is as it was' cmp before after

t 'it is listed' "$DESFS" ls -R "$old"
t 'verify reads all of it' status 0 'no damage found' "$DESFS" verify "$old"
t 'it is extracted' "$DESFS" extract "$old" local

# One of its shards is cut short.
first=$(find "$old" -name '*.des' -printf '%f\n' | sort | head -n 1)
truncate -s -1 "$old/$first"
t 'ls tells damage and lists the rest' status 6 "$first" "$DESFS" ls "$old"
t 'which is not less' [ "$(wc -l <out)" -gt 20 ]
t 'extract writes the rest' status 6 "$first" "$DESFS" extract "$old" rest
rest_is_right()
{
	diff -r local rest | grep -v '^Only in local' >wrong
	cat wrong
	[ ! -s wrong ]
}
t 'which is right' rest_is_right
t 'stat ends so, too' status 6 "$first" "$DESFS" stat "$old"
t 'verify counts it' status 6 'DAMAGED: 1 findings, 1 shards damaged' \
	"$DESFS" verify "$old"

need_fake
mkdir bkt
cp -r "$sets/packed-n8" bkt/old
cp -r "$sets/packed-bigfile" bkt/big
start_fake --load bkt/=bkt || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

n=$(find bkt/old -name '*.des' | wc -l)
t 'in a bucket it is listed' "$DESFS" ls -R s3://bkt/old
# What is asked first: the descriptor, whether it is one, and which shards.
t 'with a request for each shard' at_most $((n + 3)) TOTAL
fake_reset
t 'it is extracted from there' "$DESFS" extract s3://bkt/old remote
t 'as it is from a directory' diff -r local remote
# Whichever of its shards comes first.
exported()
{
	"$DESFS" export bkt/old -o local.tar &&
		fake_rules 'key=old/*.des every=3 latency=200' &&
		"$DESFS" export s3://bkt/old -o remote.tar
	fake_rules && cmp local.tar remote.tar
}
t 'exported, it is the same to the byte' exported
fake_reset
cat_one()
{
	"$DESFS" cat s3://bkt/old doc-1.txt | cmp - local/doc-1.txt
}
t 'one file is read there' cat_one
t 'with one request more' at_most $((n + 4)) TOTAL
t 'big files are found there' "$DESFS" verify s3://bkt/big
t 'nothing is packed into it there' \
	status 8 "older program's archive" "$DESFS_PACK" -q src s3://bkt/old

# Many small files of few shards, in an order that has nothing to do with names.
mkdir -p bkt/many
"$PYTHON" - <<'END'
import random, struct
r = random.Random(1)
for k in range(4):
    head, data, index, off = b"DES2\2\0\0\0", [], [struct.pack("<I", 300)], 8
    for i in r.sample(range(300), 300):
        uid = b"d/%d-%03d" % (k, i)
        data.append(r.randbytes(1500))
        index.append(struct.pack("<H", len(uid)) + uid +
                     struct.pack("<BQQBQQI", 0, off, 1500, 0, 1500, 1500, 0))
        off += 1500
    index = b"".join(index)
    with open("bkt/many/20250115_%X_0000.des" % k, "wb") as f:
        f.write(head + b"".join(data) + index + b"DESI" +
                struct.pack("<Q", len(index)))
END
start_fake --load bkt/=bkt || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
t 'many files are extracted' "$DESFS" extract bkt/many many
fake_reset
t 'from a bucket, too' "$DESFS" extract s3://bkt/many many-remote
t 'with few requests' at_most 100 TOTAL
t 'they are the same' diff -r many many-remote
t 'and all of them' [ "$(find many -type f | wc -l)" = 1200 ]

# A list that fails is no answer to what is there: neither an archive of an
# older program nor none.
for b in old none; do
	for c in verify repack reap rebuild publish 'tombstone list'; do
		fake_rules 'kind=LIST query=*start-after=* denied'
		# shellcheck disable=SC2086 # words
		t "desfs $c s3://bkt/$b tells of a list that is forbidden" \
			status 10 403 "$DESFS" $c s3://bkt/$b
		t 'but of no archive' not grep -E 'older program|no archive|not an archive' out err
	done
	fake_rules 'kind=LIST status=503 code=SlowDown'
	t "or of a server that is busy: $b" status 5 503 "$DESFS" repack \
		--timeout 2 --retries 1 s3://bkt/$b
done
fake_rules ''
t 'then none is there' status 3 'no archive' "$DESFS" repack s3://bkt/none
