#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# RGW is killed under a pack and under a tar of a mount, the daemon while it
# fills its caches: what comes then is an error or right, never wrong.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"

need_rgw
need_fuse
when=2026-01-01T10:00:00Z
cat >conf <<'END'
[default]
part_size = 5M
END
export DESFS_CONF="$tmp/conf"

t 'RGW is up' rgw_with plain
[ "${AWS_ENDPOINT_URL_S3:-}" ] || exit

mkdir -p src/large src/medium
files src/small 1000 700
head -c 90000000 /dev/urandom >src/large/random
for i in 1 2 3 4 5 6 7 8 9; do
	head -c 4000000 /dev/urandom >src/medium/$i
done
t 'a local archive to compare with' \
	"$DESFS_PACK" -q --created-at $when src local

# Stopped as soon as it has sent parts, so that RGW dies in the middle of them.
has_parts()
{
	[ "$(grep -cs ' PUT [^ ]*tmp/run-[0-9a-f]*/[0-9]* ' trace)" -ge 2 ]
}
begin_pack()
{
	rm -f trace
	pack_to=$1
	shift
	"$DESFS_PACK" -q --created-at $when --trace=trace "$@" src \
		"s3://$pack_to" 2>pack.err &
	pack_pid=$!
	wait_for 60 has_parts
	kill -STOP "$pack_pid"
	cat trace
	has_parts && ! grep -q ' PUT [^ ]*log/' trace
}
end_pack()
{
	kill -CONT "$pack_pid"
	wait "$pack_pid"
	pack_status=$?
	cat pack.err
	echo "desfs-pack ended with $pack_status"
}
pack_over_kill()
{
	begin_pack "$@" && rgw_daemon kill rgw || return 1
	{ sleep 1; rgw_daemon start rgw >rgw.again; } &
	again_pid=$!
	end_pack
	wait $again_pid || return 1
	# By retries, or not at all.
	[ $pack_status = 0 ] || [ $pack_status = 5 ]
}
pack_goes_on()
{
	pack_over_kill "$@" && [ "$pack_status" = 0 ]
}
pack_without()
{
	begin_pack "$1" && rgw_daemon kill rgw || return 1
	end_pack
	[ $pack_status = 5 ] && grep -q . pack.err
}
unseen()
{
	"$DESFS" ls -R --index-cache= "s3://$1" >ls.out 2>ls.err
	cat ls.out ls.err
	[ ! -s ls.out ]
}
pack_again()
{
	"$DESFS_PACK" -q --created-at $when src "s3://$1"
}
t 'a pack with patience survives RGW' \
	pack_goes_on plain/patient --timeout=100 --retries=100
t 'its objects are those of a local archive' same_objects plain/patient local
t 'RGW is killed and started under a pack' pack_over_kill plain/again
t 'a rerun does well' pack_again plain/again
t 'its objects are those of a local archive too' same_objects plain/again local
t 'RGW is killed for good under a pack' pack_without plain/good
t 'until it is started' rgw_daemon start rgw
t 'nothing of the run is seen' unseen plain/good
t 'a rerun does well after that' pack_again plain/good
t 'its objects are those of a local archive as well' same_objects plain/good local
t 'a gate' start_gate
for a in patient again good; do
	t "a clean-up an hour later: $a" clean_later plain/$a
	t "leaves nothing over: $a" nothing_left plain/$a
	t "and all is sound: $a" is_sound plain/$a src
done

# tar of a mount; RGW dies after its first bytes.  What tar has no complaint of
# is right.
right_or_named()
{
	(cd "$2" && find . -type f) >got.names
	[ -s got.names ] || return 1
	while IFS= read -r f; do
		cmp -s "$1/$f" "$2/$f" || grep -qF "${f#./}" tar.err || {
			echo "$f differs"
			return 1
		}
	done <got.names
}
tar_over_kill()
{
	rm -rf got && mkdir got || return 1
	{
		timeout 300 tar -C mnt -cf - .
		echo $? >tar.status
	} 2>tar.err | {
		head -c 3000000
		rgw_daemon kill rgw
		{ sleep "$1"; rgw_daemon start rgw; } >rgw.again 2>&1 &
		cat
		wait
	} | tar -C got -xf -
	echo "tar ended with $(cat tar.status)"
	cat tar.err
	if [ "$(cat tar.status)" = 0 ]; then
		[ ! -s tar.err ] && same_by_diff src got
	else
		grep -q 'Input/output error' tar.err &&
			right_or_named src got
	fi
}
tar_goes_on()
{
	tar_over_kill "$1" && [ "$(cat tar.status)" = 0 ]
}
t 'mounted' mount_up s3://plain/again mnt -o timeout=20,index_cache=
t 'tar ends well when RGW is back soon' tar_goes_on 0
t 'the same mount is right' same_by_rsync src mnt
t 'unmounted' fusermount3 -u mnt
t 'mounted with little patience' \
	mount_up s3://plain/again mnt -o timeout=2,retries=1,index_cache=
tar_fails()
{
	tar_over_kill "$1" && [ "$(cat tar.status)" != 0 ]
}
t 'tar ends with an error, not wrong, when RGW is away for long' tar_fails 8
t 'the same mount reads all then' same_by_rsync src mnt
t 'for diff too' same_by_diff src mnt
t 'unmounted again' fusermount3 -u mnt

# The daemon is killed when it has read so many bytes for the caches to hold.
caches=disk_cache=$tmp/disk,index_cache=$tmp/index/cache.sqlite
mkdir index
daemon_killed()
{
	mkdir -p mnt
	"$MOUNT_DESFS" -f s3://plain/again mnt -o "$caches" 2>daemon.err &
	daemon_pid=$!
	wait_for 20 mountpoint -q mnt || return 1
	tar -C mnt -cf - . 2>tar.err | {
		head -c "$1" | wc -c
		kill -KILL $daemon_pid
		cat >rest
	}
	wait $daemon_pid
	[ $? = 137 ] && fusermount3 -uz mnt
}
cache_sound()
{
	"$DESFS" cache --index-cache="$tmp/index/cache.sqlite" \
		--disk-cache="$tmp/disk" verify
}
disk_filled()
{
	n=$(du -sm disk | cut -f 1) && echo "$n MiB" && [ "$n" -ge 20 ]
}
for bytes in 1 1000000 20000000 60000000; do
	t "the daemon is killed after $bytes bytes" daemon_killed $bytes
	t 'the caches are sound' cache_sound
	[ $bytes -lt 60000000 ] || t 'the disk cache had been filled' disk_filled
	t 'the next mount' mount_up s3://plain/again mnt -o "$caches"
	t 'is right' same_by_rsync src mnt
	t 'unmounted' fusermount3 -u mnt
	t 'and they are still' cache_sound
	[ $bytes = 1000000 ] || rm -rf disk index/*
done
