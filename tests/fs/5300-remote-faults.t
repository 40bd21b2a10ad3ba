#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount of an archive in S3 whose server fails: right bytes, or an errno in
# time; and when the server is well again, so is the mount.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_fake

files src/d 400 3000
mkdir src/big
for i in 1 2 3 4 5 6 7 8 9; do
	"$PYTHON" -c 'import random, sys
sys.stdout.buffer.write(random.Random(int(sys.argv[1])).randbytes(400000))' $i \
		>src/big/$i
done
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src archive || exit
start_fake --load bkt/a=archive || exit

# up NAME [options]: a mount without anything cached
up()
{
	up_dir=$1
	shift
	mount_up s3://bkt/a "$up_dir" -o \
		"endpoint=$fake_url,index_cache=,timeout=3,retries=3" "$@"
}

same()
{
	timeout -k 1 60 cmp "src/$1" "$2/$1"
}

# fails ERRNO FILE MOUNT: reading it does, with that errno
fails()
{
	timeout -k 1 60 "$PYTHON" - "$1" "$3/$2" <<-'EOT'
	import errno, os, sys
	try:
	    with open(sys.argv[2], "rb") as f:
	        got = len(f.read())
	except OSError as e:
	    print(errno.errorcode[e.errno])
	    sys.exit(errno.errorcode[e.errno] != sys.argv[1])
	sys.exit(f"{got} bytes and no error")
	EOT
}

t 'the archive is mounted' up m
t 'a file is right' same big/1 m

# Each in a mount that has no block yet.
blocks='kind=GET key=*.des range=bytes=[0-9]*'
n=1
while read -r errno fault; do
	n=$((n + 1))
	t 'it is mounted' up m-$n
	fake_rules "$blocks $fault"
	fake_reset
	t "$fault is $errno" fails "$errno" big/$n m-$n
	t "$fault makes few requests" at_most 40 TOTAL
	fake_rules
	t "after $fault all is well" same big/$n m-$n
	fusermount3 -u m-$n
done <<'EOT'
EIO status=503
EIO cut-after=1000
EIO longer=10
EIO flip=3000
ESTALE etag=other
EACCES denied
ETIMEDOUT stall-after=1000
EIO redirect=http://127.0.0.1:1/
EOT

fake_rules
t 'all files are right at the end' same_by_rsync src m
fusermount3 -u m

# Many readers while one request in five fails somehow: each read is right.
t 'the archive is mounted again' up n -o timeout=20,retries=8
fake_rules 'p=0.08 seed=1 status=503' 'p=0.04 seed=2 drop=rst' \
	'p=0.04 seed=3 cut-after=500' 'p=0.04 seed=4 shorter=3'
read_all()
{
	pids=
	for i in 1 2 3 4 5 6 7 8 9; do
		same "big/$i" n >>readers 2>&1 &
		pids="$pids $!"
		same "big/$i" n >>readers 2>&1 &
		pids="$pids $!"
	done
	read_all_status=0
	for pid in $pids; do
		wait "$pid" || read_all_status=1
	done
	cat readers
	return $read_all_status
}
t 'eighteen readers read right bytes' read_all
t 'and all other files' same_by_rsync src n
fusermount3 -u n

# A server that says nothing at all: a mount fails before it returns.
fake_rules 'latency=60000'
t 'a mount of a silent server fails' not up o
t 'and is not there' not mountpoint -q o
fake_rules
t 'a mount of the server in health does not' up o
