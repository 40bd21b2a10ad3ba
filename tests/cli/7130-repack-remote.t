#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs repack in a bucket, and in zones of mirrors.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

files src/d 1500 3000
files src/e 20 400000
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src a || exit
"$DESFS" tombstone add a d/000005 d/001400 e/000003 >/dev/null || exit
start_fake --load bkt/a=a || exit

remote()
{
	remote_cmd=$1
	shift
	"$DESFS" "$remote_cmd" --endpoint "$fake_url" "$@"
}

whole()
{
	remote verify --deep --index-cache '' s3://bkt/a >found
	cat found
	! grep -q DAMAGE found
}

t 'a dry run asks, and writes nothing' remote repack -n s3://bkt/a
t 'repack in a bucket' remote repack s3://bkt/a
t 'the archive is whole' whole
remote extract s3://bkt/a x >/dev/null 2>&1
rm src/d/000005 src/d/001400 src/e/000003
t 'what is deleted is gone' diff -r src x
fake_rules 'method=GET key=*_R001_*.des after=2 nth=3 status=503'
t 'a server that fails now and then' remote repack --recompress zstd:5 --grace 0 s3://bkt/a
fake_rules
t 'the archive is whole' whole
rm -rf x
remote extract s3://bkt/a x >/dev/null 2>&1
t 'with the same files' diff -r src x
fake_rules 'method=GET key=*.des content-range=odd'
t 'what is answered wrongly is not dropped' \
	not remote repack --drop-corrupt --timeout 3 --retries 1 s3://bkt/a
fake_rules
t 'the archive is whole' whole
s3_keys "$fake_url" bkt a/2026 >keys
sed 's/_[0-9a-f]*\.des$//' keys | sort >short
cat >want <<END
a/20260101/20260101_0_0000_R001
a/20260101/20260101_A_0000
a/20260101/20260101_A_0000_R002
a/20260101/20260101_C_0000
a/20260101/20260101_C_0000_R002
END
t 'what had no grace period is removed, and nothing else' diff want short

# --- zones ----------------------------------------------------------------
mkdir z1 z2
cat >z <<END
[zones]
n_bits = 4
[store one]
url = $tmp/z1
[store two]
url = $tmp/z2
[zone all]
slots = 0-15
stores = one, two
END
t 'pack into two mirrors' "$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z \
	src zone://z
t 'something is deleted' "$DESFS" tombstone add zone://z d/000009
t 'repack there' "$DESFS" repack zone://z
t 'each has the new shard' test "$(find z1 z2 -name '*_R001_*' | wc -l)" = 2
rm src/d/000009
rm -rf x
"$DESFS" extract z1 x >/dev/null 2>&1
t 'the first is whole' diff -r src x
rm -rf x
"$DESFS" extract z2 x >/dev/null 2>&1
t 'and the second' diff -r src x
