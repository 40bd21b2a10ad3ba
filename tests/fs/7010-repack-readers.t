#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Readers of running mounts meet no error while shards are replaced and removed
# under them: files held open, names the kernel knows, lists.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_fake

start_fake --bucket bkt || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
for d in a b c/d c/e; do
	files src/$d 40 $((500 + 700 * ${#d}))
done
head -c 3000000 /dev/urandom >src/a/large
printf 'a/00000%d\n' 1 2 3 4 5 6 7 8 >gone
printf 'c/d/00000%d\n' 1 2 3 4 5 6 7 8 >>gone

delete_and_repack()
{
	for n in 1 2 3 4; do
		"$DESFS" tombstone add "$1" a/00000$n c/d/00000$n &&
			"$DESFS" repack --grace 0 --progress never "$1" ||
			return 1
		sleep "$2"
	done
}

# MOUNT...: while their archive is repacked, with pauses of $pause.
read_under_repack()
{
	place=$1 pause=$2
	shift 2
	rm -f stop
	"$PYTHON" -B "$SRCDIR/tests/lib/read-on.py" 16 stop src gone "$@" \
		>read.out 2>&1 &
	reader=$!
	delete_and_repack "$place" "$pause"
	repacked=$?
	: >stop
	wait $reader
	status=$?
	cat read.out
	[ $status$repacked = 00 ]
}

gone_in()
{
	for n in 1 2 3 4; do
		wait_for 60 not test -e "$1/a/00000$n" || return 1
	done
	cmp src/a/000009 "$1/a/000009" && cmp src/a/large "$1/a/large"
}

"$DESFS_PACK" -q src archive || exit
mount_up archive soon -o refresh=1 && mount_up archive late -o refresh=600 ||
	exit
t '16 readers on disk: repacked and purged four times' \
	read_under_repack archive 1.5 soon late
t 'what was deleted is gone' gone_in soon
one_each()
{
	find archive/2* -name '*.des' >all && sed 's/_R[0-9]*_.*//; s/_[0-9a-f]*\.des//' \
		all | sort | uniq -d >twice && cat all && [ ! -s twice ] &&
		grep _R004_ all
}
t 'no old revision is left' one_each
held_open()
{
	for pid in $(pidof mount.desfs); do
		ls -l "/proc/$pid/fd" 2>/dev/null
	done >fds
	! grep "$tmp/archive/.*deleted" fds
}
# The other mount does not look.
umount late
t 'the mount holds no removed shard' wait_for 60 held_open

"$DESFS_PACK" -q src s3://bkt/a || exit
mount_up s3://bkt/a soon3 -o refresh=1,index_cache=soon.sqlite,disk_cache=disk &&
	mount_up s3://bkt/a late3 -o refresh=600,index_cache= || exit
t '16 readers in a bucket: repacked and purged four times' \
	read_under_repack s3://bkt/a 1.5 soon3 late3
t 'what was deleted is gone there' gone_in soon3
