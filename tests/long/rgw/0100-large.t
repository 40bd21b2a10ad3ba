#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file of 2 GiB and a sparse one of 10 GiB in Ceph RGW, and behind nginx over
# http and https, have their bytes.
. "${0%/*}/../../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"

need_fuse
need_rgw
need_nginx
when=2026-01-01T10:00:00Z
# Its OSD keeps all in memory.
export CEPH_RGW_SIZE=4294967296

t 'RGW is up' rgw_with plain
[ "${AWS_ENDPOINT_URL_S3:-}" ] || exit
mkdir -p web src
t 'nginx is up' start_nginx "$tmp/web"

head -c 2147483648 /dev/urandom >src/random
"$PYTHON" - <<'END' || exit 1
import random
rnd = random.Random(7)
with open("src/sparse", "wb") as f:
    for i in range(200):
        f.seek(rnd.randrange(10 << 30))
        f.write(rnd.randbytes(rnd.randrange(1, 300000)))
    f.truncate((10 << 30) + 12345)
END

# Its memory is told; it must not grow with the file.
packed()
{
	"$DESFS_PACK" -q --created-at $when src s3://plain/large &
	pid=$!
	: >peaks
	while kill -0 $pid 2>/dev/null; do
		sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status \
			>>peaks 2>/dev/null
		sleep 0.2
	done
	wait $pid
}
memory()
{
	peak=$(sort -n peaks | tail -n 1)
	echo "$peak kB"
	[ "$peak" -lt 524288 ]
}
t 'packed to RGW' packed
echo "# desfs-pack needed $(sort -n peaks | tail -n 1) kB"
t 'in less than 512 MiB of memory' memory
t 'nothing is left over' nothing_left plain/large
t 'packed for nginx' \
	"$DESFS_PACK" -q --publish --created-at $when src web/large
t 'both are the same objects' same_objects plain/large web/large
rm -rf web/large.s3

# Sequential, at random places, and its holes.
some_ranges()
{
	"$PYTHON" - "$1" <<-'END'
	import os, random, sys
	rnd = random.Random(5)
	for name in "random", "sparse":
	    a = os.open("src/" + name, os.O_RDONLY)
	    b = os.open(sys.argv[1] + "/" + name, os.O_RDONLY)
	    size = os.fstat(a).st_size
	    assert os.fstat(b).st_size == size
	    for i in range(300):
	        at = rnd.randrange(size)
	        n = rnd.randrange(1, 1 << 20)
	        assert os.pread(a, n, at) == os.pread(b, n, at), (name, at, n)
	END
}
data_bytes()
{
	"$PYTHON" - "$1" <<-'END'
	import os, sys
	fd = os.open(sys.argv[1], os.O_RDONLY)
	at = n = 0
	while True:
	    try:
	        at = os.lseek(fd, at, os.SEEK_DATA)
	    except OSError:
	        break
	    end = os.lseek(fd, at, os.SEEK_HOLE)
	    n += end - at
	    at = end
	print(n)
	END
}
sparse_mount()
{
	n=$(data_bytes "$1/sparse") && echo "$n" && [ "$n" -lt 150000000 ]
}
# look_at WHERE PLACE [-o OPTIONS]
look_at()
{
	where=$1
	shift
	t "mounted from $where" mount_up "$1" mnt ${2+"$2" "$3"}
	t "ranges are right from $where" some_ranges mnt
	t "the bytes are the same from $where" cmp src/random mnt/random
	t "SEEK_DATA passes over holes from $where" sparse_mount mnt
	t "attributes are the same from $where" same_by_find src mnt
	t "unmounted from $where" fusermount3 -u mnt
	rm -rf "${XDG_CACHE_HOME:?}"/*
}
look_at RGW s3://plain/large
look_at http "$nginx_url/large"
look_at https "$nginx_tls_url/large" -o "ca_file=$ca_file"

t 'mounted once more' mount_up s3://plain/large mnt
t 'the sparse file has the same bytes' cmp src/sparse mnt/sparse
t 'unmounted once more' fusermount3 -u mnt
t 'extracted' "$DESFS" extract s3://plain/large out
t 'the random file is the same' cmp src/random out/random
t 'the sparse file is the same' cmp src/sparse out/sparse
t 'and sparse' test "$(du -sm out/sparse | cut -f 1)" -lt 150
