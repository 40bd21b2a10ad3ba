#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sixty-four readers at once cost no more requests than one, and no more
# connections than are allowed.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_fake

mkdir src
for i in 1 2 3 4; do
	"$PYTHON" -c 'import random, sys
sys.stdout.buffer.write(random.Random(int(sys.argv[1])).randbytes(1000000))' \
		$i >src/$i
done
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src archive || exit
start_fake --load bkt/a=archive --rules 'key=*.des latency=30' || exit

up()
{
	fake_reset
	mount_up s3://bkt/a "$1" -o \
		"endpoint=$fake_url,index_cache=,connections=16"
}

# Four in each block, each on a page of its own: for the kernel that is 64 reads.
cat >reader.py <<'EOT'
import os, sys, threading
src, mount = sys.argv[1:]
start = threading.Barrier(64)
wrong = []
def read(n):
    name, off = str(n % 4 + 1), 131072 * (n // 4 % 4) + 16384 * (n // 16)
    with open(f"{src}/{name}", "rb") as f:
        want = os.pread(f.fileno(), 4096, off)
    fd = os.open(f"{mount}/{name}", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    start.wait()
    if os.pread(fd, 4096, off) != want:
        wrong.append((name, off))
    os.close(fd)
threads = [threading.Thread(target=read, args=(n,)) for n in range(64)]
for t in threads: t.start()
for t in threads: t.join()
sys.exit(f"wrong bytes: {wrong}" if wrong else 0)
EOT

t 'it is mounted' up m
t '64 readers of 16 blocks read right bytes' \
	timeout -k 1 120 "$PYTHON" reader.py src m
# Sixteen blocks, the tail of their shard, descriptor, log and its record.
t 'a block is asked for once' at_most 20 TOTAL
t 'at no time were more than 16 requests under way' at_most 16 IN_FLIGHT_MAX
t 'nor more connections open, with the one that asks' \
	at_most 17 CONNECTIONS_MAX
repeated()
{
	awk '$2 == "GET" && $4 ~ /\.des/ { print $4, $5 }' "$fake_log" | sort |
		uniq -d | grep .
}
t 'no range was asked for twice' not repeated
t '64 reads came from the kernel' test "$(stat_of m fuse_read)" -ge 64
fake_reset
t 'again' timeout -k 1 120 "$PYTHON" reader.py src m
t 'costs nothing' exactly 0 TOTAL
