#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount that cannot read the log for too long shows nothing until it can; what
# was packed since is shown soon.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_fake

mkdir -p src/dir/below web
echo top >src/top
echo deep >src/dir/below/deep
for day in 1 2 3; do
	echo $day >src/day$day
	"$DESFS_PACK" -q --publish --created-at 2026-01-0${day}T10:00:00Z src \
		web/ar || exit
done
start_fake --web web || exit

# What the kernel has asked for is known to it for good, or so it seems.
as_known()
{
	[ "$(cat "$1/top" "$1/dir/below/deep" "$1/day1")" = 'top
deep
1' ] && [ "$(cat "$1/.des/by-date/20260101/top")" = top ]
}
fails()
{
	if "$@" 2>err; then
		return 1
	fi
	grep -q 'Input/output error' err
}
can()
{
	! fails cat "$1/top" >/dev/null
}
is_stale()
{
	! can "$1"
}

age=refresh=1,tombstone_max_age=2
for index in "$tmp/cache" ''; do
	mkdir -p s o
	t "a mount${index:+ with an index cache}" mount_up "$fake_url/ar" s \
		-o "$age,index_cache=$index,log=$tmp/log"
	t 'shows files' as_known s
	t 'one that goes on' mount_up "$fake_url/ar" o \
		-o "$age,stale=ok,index_cache=$index"
	t 'shows files' as_known o
	t 'one without refresh' mount_up "$fake_url/ar" n \
		-o "refresh=0,tombstone_max_age=1,index_cache=$index"
	t 'shows files' as_known n
	exec 3<s/top
	kill "$fake_pid" && s3_stopped "$fake_pid"

	t 'without the server it gets stale' wait_for 30 is_stale s
	for path in top dir/below/deep day1 .des/by-date/20260101/top \
		never-seen dir/never-seen; do
		t "no $path" fails cat s/$path
	done
	t 'no names' fails ls s
	t 'none below' fails ls s/dir
	t 'nor by day' fails ls s/.des/by-date/20260101
	t 'no information' fails cat s/.des/info/top
	t 'the statistics are there' test "$(stat_of s refresh_failed)" -ge 1
	t 'and count the errors' test "$(stat_of s error_STALE)" -ge 9
	t 'the log says why' grep 'could not be read for 2 s' log
	t 'a file that was open is readable' test "$(cat <&3)" = top
	exec 3<&-
	t 'with stale=ok all goes on' as_known o
	t 'without refresh too' as_known n

	start_fake --web web --port "$fake_port" || exit
	t 'with the server it is back' wait_for 30 can s
	t 'with all files' as_known s
	t 'and says so' grep 'can be read again' log
	rm -f log
	echo "new$index" >src/new
	"$DESFS_PACK" -q --publish src web/ar
	has_new()
	{
		[ "$(cat "$1/new" 2>&1)" = "new$index" ]
	}
	t 'what is packed becomes visible' wait_for 30 has_new s
	t 'there too' wait_for 30 has_new o
	t 'but not without refresh' not has_new n
	for m in s o n; do
		fusermount3 -u $m
	done
done

# A third of refresh is the longest a refresh may wait.
mount_up "$fake_url/ar" t -o "refresh=9,timeout=20,index_cache=,log=$tmp/log"
t 'a shorter timeout is told' grep 'timeout is 3 s' log
fusermount3 -u t
mount_up "$fake_url/ar" t -o "refresh=90,timeout=20,index_cache=,log=$tmp/log2"
t 'one that is short stays' not grep 'timeout is' log2
fusermount3 -u t
