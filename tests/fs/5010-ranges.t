#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ranges of blocks from a bucket: large files, damage on the way, and the disk
# cache, which makes a second mount free.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse
need_fake

mkdir -p src/small
head -c 50000000 /dev/urandom >src/large
for i in 10 11 12 13 14 15 16 17 18 19; do
	head -c 150000 /dev/urandom >src/small/f$i
done
start_fake || exit 1
make_bucket "$fake_url" bucket || exit 1
t 'packed' "$DESFS_PACK" -q --endpoint "$fake_url" src s3://bucket/ar
size=$(stat -c %s src/large)

up()
{
	mount_up s3://bucket/ar mnt -o "endpoint=$fake_url,retries=2$1" &&
		ls -lR mnt >out && fake_reset
}
down()
{
	umount mnt 2>/dev/null || fusermount3 -u mnt
}

# 128 KiB, 1, 2 and 4 MiB, then 8 MiB each.
sequential()
{
	up '' && cmp src/large mnt/large && at_most 10 GET || return 1
	bytes=$(stat_of mnt volume_fetch_bytes)
	echo "$(fake_count GET) GETs, $bytes bytes"
	[ "$bytes" -lt $((size + size / 50)) ]
}
t 'a large file comes in large ranges' sequential
t 'unmounted' down

# Some reads here and there: a block each.
random()
{
	up '' && "$PYTHON" - <<-'END' || return 1
	import os, random
	r = random.Random(5)
	a = os.open("mnt/large", os.O_RDONLY)
	b = os.open("src/large", os.O_RDONLY)
	os.posix_fadvise(a, 0, 0, os.POSIX_FADV_RANDOM)
	for i in range(100):
	    at = r.randrange(49000000)
	    assert os.pread(a, 1000, at) == os.pread(b, 1000, at)
	END
	bytes=$(stat_of mnt volume_fetch_bytes)
	echo "$(fake_count GET) GETs, $bytes bytes"
	at_most 110 GET && [ "$bytes" -le $((100 * 140000 * 3 / 2)) ]
}
t 'random reads come by the block' random
t 'unmounted' down

# A bit is wrong once in a while: the block is fetched again.
flips()
{
	up '' && fake_rules 'kind=GET range=* every=3 flip=70000' &&
		cmp src/large mnt/large
}
t 'bits flipped on the way are noticed and made good' flips
fake_rules
t 'unmounted' down

# A byte of one block is always wrong: that block fails, and no other.
lasting()
{
	up '' && fake_rules 'kind=GET flip-object=9000000' || return 1
	"$PYTHON" - <<-'END'
	import errno, os
	a = os.open("mnt/large", os.O_RDONLY)
	b = os.open("src/large", os.O_RDONLY)
	bad = 0
	for at in range(0, 50000000, 131072):
	    want = os.pread(b, 131072, at)
	    try:
	        assert os.pread(a, 131072, at) == want, at
	    except OSError as e:
	        assert e.errno == errno.EIO, e
	        bad += 1
	print(bad, "bad")
	assert bad == 1
	END
}
t 'lasting damage costs its block alone' lasting
fake_rules
t 'unmounted' down

# One read makes no more requests than its tries, however large its range.
refused()
{
	up '' && head -c 5000000 mnt/large | cmp -n 5000000 - src/large &&
		fake_rules 'kind=GET status=503' || return 1
	not dd if=mnt/large of=/dev/null bs=1k skip=40000 count=1 || return 1
	first=$(fake_used 1) && [ "$first" -ge 3 ] && [ "$first" -le 6 ]
}
t 'a server that refuses is not asked again and again' refused
fake_rules
t 'and when it answers all is right' cmp src/large mnt/large
t 'unmounted' down

cached()
{
	up ",disk_cache=$tmp/disk" && fake_reset && cmp src/large mnt/large &&
		for f in src/small/*; do
			cmp "$f" "mnt/${f#src/}" || return 1
		done
}
t 'a mount with a disk cache' cached
t 'has filled it' test "$(stat_of mnt volume_disk_bytes)" -gt 51000000
t 'unmounted' down
t 'another one' cached
t 'reads no block from the bucket' test "$(fake_count GET)" = 0
t 'but from the disk' test "$(stat_of mnt volume_disk_hits)" -gt 380
t 'unmounted' down

damage()
{
	find disk -type f -name '????????????????????????????????' | head -n 50 |
		while IFS= read -r f; do
			printf 'XXXX' | dd of="$f" bs=1 seek=100 conv=notrunc \
				2>/dev/null || return 1
		done
	cached && [ "$(fake_count GET)" -gt 0 ]
}
t 'damaged blocks of it are fetched anew' damage
t 'unmounted' down

# A second server has the same, undamaged.
fake_first=$fake_url
start_fake || exit 1
make_bucket "$fake_url" bucket || exit 1
cat >zones <<END
[store first]
url = s3://bucket/ar
endpoint = $fake_first
[store second]
url = s3://bucket/ar
endpoint = $fake_url
[zone all]
slots = all
stores = first, second
END
copied()
{
	s3_keys "$fake_first" bucket >keys && [ -s keys ] || return 1
	while IFS= read -r key; do
		s3_curl GET "$fake_first/bucket/$key" -o object &&
			s3_curl PUT "$fake_url/bucket/$key" -T object || return 1
	done <keys
}
t 'a mirror' copied
fake_url=$fake_first
mirrored()
{
	fake_rules 'kind=GET flip-object=9000000' &&
		mount_up zone://zones mnt -o index_cache= &&
		cmp src/large mnt/large && [ "$(fake_used 1)" -ge 1 ]
}
t 'a block damaged in the first store comes from the second' mirrored
fake_rules
t 'unmounted' down
