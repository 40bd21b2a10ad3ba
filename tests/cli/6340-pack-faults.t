#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2119
# Disks that are full or fail while desfs-pack reads and writes: the error names
# what failed and why, readers see what was there, and the next run completes it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/kill.sh"
. "$SRCDIR/tests/lib/fault.sh"

in_memory

# --- what the archive is written to ----------------------------------------
files src/small 200 500 && files src/other/dir 50 3000 && mkdir -p src/a/b
head -c 700000 /dev/urandom >src/a/b/large
ln src/small/000001 src/a/link
kill_base()
{
	"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src base &&
		files src/more 100 700 && echo changed >src/small/000007 &&
		head -c 400000 /dev/urandom >src/a/more &&
		rm -r src/other/dir && cp -a base want && kill_pack want &&
		"$DESFS" ls -R base >names.old &&
		"$DESFS" ls -R want >names.new &&
		! cmp -s names.old names.new && shards_of want >want.sum
}
t 'an archive, and what an undisturbed run makes of it' kill_base

# What must hold after a run that failed, and does after the next one.
recovers()
{
	kill_is_whole killed >whole && cat whole &&
		grep 'does not count' whole && kill_named_by_verify killed &&
		"$DESFS" verify --deep killed >/dev/null &&
		kill_pack killed && kill_is_whole killed >whole &&
		grep 'the run counts' whole && "$DESFS_PACK" --clean killed &&
		shards_of killed >killed.sum && diff want.sum killed.sum &&
		kill_leftovers killed >left && cat left && [ ! -s left ] &&
		"$DESFS" verify --deep killed
}
# fails RULE STATUS TEXT: TEXT is in the error.
fails()
{
	faulty "$@" && recovers
}
faulty()
{
	rm -rf killed && cp -a base killed || return 1
	with_faults "$1" "$DESFS_PACK" -q --mirror --created-at "$kill_when" \
		--jobs 2 src killed >err 2>&1
	fails_status=$?
	cat err
	[ $fails_status = "$2" ] && fault_used && grep -q "error: .*$3" err &&
		[ "$(wc -l <err)" = 1 ]
}
# The record is there, though it may not survive a crash: the run counts.
fails_late()
{
	faulty "$@" && kill_is_whole killed >whole && kill_pack killed &&
		shards_of killed >killed.sum && diff want.sum killed.sum &&
		"$DESFS" verify --deep killed
}
# The object may have no name yet.
space='No space left on device'
t 'no space for the first bytes of a shard' \
	fails 'write */killed/tmp/*-* nth=1 errno=ENOSPC' 13 "tmp/.*: $space"
t 'nor for later ones' \
	fails 'write */killed/tmp/*-* nth=7 errno=ENOSPC' 13 "tmp/.*: $space"
t 'a short write, and then no space' fails \
	"write */killed/tmp/*-* nth=4 short=100
write */killed/tmp/*-* nth=5 errno=ENOSPC" 13 "tmp/.*: $space"
t 'beyond the quota' fails 'write */killed/tmp/*-* nth=3 errno=EDQUOT' 13 \
	'tmp/.*: Disk quota exceeded'
t 'a write error' fails 'write */killed/tmp/*-* nth=3 errno=EIO' 5 \
	'tmp/.*: Input/output error'
t 'an error when a shard is made durable' fails \
	'fsync */killed/tmp/run-*-* nth=2 errno=EIO' 5 \
	'2026.*\.des: Input/output error'
t 'no space then' fails 'fsync */killed/tmp/run-*-* nth=1 errno=ENOSPC' 13 \
	"2026.*\\.des: $space"
t 'a shard that cannot get its name' fails \
	'rename */killed/2*.des nth=2 errno=EIO' 5 \
	'2026.*\.des: Input/output error'
t 'a name that is not made durable' fails \
	'fsync */killed/20260102 nth=1 errno=EIO' 5 \
	'2026.*\.des: Input/output error'
t 'no unfinished file' fails 'open */killed/tmp/*-* nth=2 errno=ENOSPC' 13 \
	"tmp/.*: $space"
t 'no mark of the run' fails 'open */killed/tmp/run-* nth=1 errno=EROFS' 10 \
	'tmp.*: Read-only file system'
t 'the run is not made durable' fails 'fsync */killed/tmp errno=EIO' 5 \
	'tmp: Input/output error'
t 'nor that a shard is its' fails \
	'fsync */killed/tmp/run-???????????????? nth=1 errno=EIO' 5 \
	'tmp/run-[0-9a-f]*: Input/output error'
t 'no log record' fails 'rename */killed/log/2*.json errno=ENOSPC' 13 \
	"log/.*\\.json: $space"
t 'its directory is not made durable' fails_late \
	'fsync */killed/log errno=EIO' 5 'log/.*\.json: Input/output error'
t 'the shards cannot be read again' fails \
	'open */killed/20260102/*.des errno=EIO' 5 \
	'2026.*\.des: Input/output error'
t 'a damaged log' fails 'read */killed/log/2*.json errno=EIO' 5 \
	'log/.*\.json: Input/output error'
# A limit of this shell's, in blocks of 512 bytes.
limited()
{
	rm -rf killed && cp -a base killed || return 1
	(ulimit -f 300 && env --default-signal=XFSZ "$DESFS_PACK" -q --mirror --created-at "$kill_when" \
		src killed) >err 2>&1
	limited_status=$?
	cat err
	[ $limited_status = 11 ] && grep 'tmp/.*: File too large' err && recovers
}
t 'beyond the size that a file may have' limited

# A first run leaves no archive, or one with nothing in it.
first()
{
	rm -rf killed
	with_faults "$1" "$DESFS_PACK" -q src killed >err 2>&1
	first_status=$?
	cat err
	[ $first_status = 13 ] && fault_used && grep "$2: $space" err &&
		not "$DESFS" ls killed && "$DESFS_PACK" -q src killed &&
		"$DESFS_PACK" --clean killed && "$DESFS" verify --deep killed \
		>verify.out && cat verify.out && not grep note: verify.out &&
		rm -rf out && "$DESFS" extract killed out && diff -r src out
}
t 'a first run without space for the descriptor' \
	first 'write */killed/tmp/* nth=1 errno=ENOSPC' 'tmp/.*'
t 'one without space for its name' \
	first 'rename */killed/desfs.json errno=ENOSPC' 'desfs\.json'
t 'one without space for shards' \
	first 'write */killed/tmp/* nth=5 errno=ENOSPC' 'tmp/.*'

# Both for real: a small file system for the archive, then for --spool.
mounted()
{
	mkdir -p "$1" && mount -t tmpfs -o "size=$2,mode=755" tmpfs "$1"
}
full()
{
	cp -a base small/killed || return 1
	"$DESFS_PACK" -q --mirror --created-at "$kill_when" src small/killed \
		>err 2>&1
	full_status=$?
	cat err
	[ $full_status = 13 ] && grep "error: .*: $space" err &&
		mount -o remount,size=100m small &&
		rm -rf killed && ln -s small/killed killed && recovers
}
# Paths of 60,000 bytes, so that few files need much room to be sorted.
deep()
{
	"$PYTHON" - <<-'EOT'
	import os
	os.mkdir("deep")
	fd = os.open("deep", os.O_RDONLY)
	for i in range(240):
	    os.mkdir("x" * 250, dir_fd=fd)
	    fd = os.open("x" * 250, os.O_RDONLY, dir_fd=fd)
	for i in range(1300):
	    os.close(os.open("%04d" % i, os.O_CREAT, dir_fd=fd))
	EOT
}
full_spool()
{
	deep || return 1
	rm -rf killed && cp -a base killed || return 1
	"$DESFS_PACK" -q --created-at "$kill_when" --spool spool deep killed \
		>err 2>&1
	spool_status=$?
	cat err
	[ $spool_status = 13 ] && grep "error: temporary file in $PWD/spool: $space" \
		err && kill_is_whole killed >whole &&
		grep 'does not count' whole &&
		"$DESFS_PACK" -q --mirror --created-at "$kill_when" \
			deep killed && "$DESFS" verify killed
}
if mounted small 1100k && mounted spool 8m; then
	t 'a file system that is full' full
	t 'one for temporary files' full_spool
else
	skip_t 'a file system that is full' 'cannot mount one'
	skip_t 'one for temporary files' 'cannot mount one'
fi
rm -rf deep small/killed

# --- what the sources are read from ----------------------------------------
# unread NAME RULE TEXT: NAME is reported and keeps the version it had, or has
# none; all else is packed, and the next run has it.
unread()
{
	rm -rf killed out && cp -a base killed || return 1
	with_faults "$2" "$DESFS_PACK" -q --mirror --created-at "$kill_when" \
		src killed >err 2>&1
	unread_status=$?
	cat err
	[ $unread_status = 1 ] && fault_used &&
		grep "error: $1: .*$3" err && [ "$(wc -l <err)" = 1 ] &&
		"$DESFS" verify --deep killed && "$DESFS" ls -R killed |
		sort >names.now || return 1
	sort names.new >want.names
	sort names.old >was.names
	"$DESFS" extract killed out || return 1
	# Both know each name that the run could not see.
	comm -23 was.names names.now >gone
	grep "^$1\(/\|\$\)" gone && return 1
	(cd src && find . -type f -printf '%P\n') | while IFS= read -r f; do
		case $f in
		"$1" | "$1"/*) ;;
		*) cmp "src/$f" "out/$f" || exit 1 ;;
		esac
	done || return 1
	kill_pack killed && rm -rf out && "$DESFS" extract killed out &&
		diff -r --no-dereference src out && "$DESFS" verify killed
}
ln -s somewhere src/small/link
mkdir src/a/sub && echo below >src/a/sub/file
rm -rf base want && mv src new && mkdir src && cp -a new/small new/a src/ &&
	rm src/a/more src/small/link && rm -rf src/old
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src base
rm -rf src && mv new src && sleep 0.1 && echo changed >>src/small/000007 &&
	cp -a base want && kill_pack want && "$DESFS" ls -R base >names.old &&
	"$DESFS" ls -R want >names.new
eio='Input/output error'
t 'a file that cannot be opened' unread small/000007 \
	'open */src/small/000007 errno=EIO' "$eio"
t 'or may not be' unread small/000007 \
	'open */src/small/000007 errno=EACCES' 'Permission denied'
t 'a file that cannot be read' unread small/000007 \
	'read */src/small/000007 errno=EIO' "$eio"
# Sixteen looks at a larger file come before it is read.
t 'a new one' unread a/more 'read */src/a/more from=1 errno=EIO' "$eio"
t 'in the middle' unread a/more 'read */src/a/more nth=18 errno=EIO' "$eio"
t 'a file that is shorter than it says' unread a/more \
	'read */src/a/more from=18 short=0' 'changed while it was read'
t 'a file that cannot be looked at' unread small/000007 \
	'stat */src/small/000007 nth=1 errno=EIO' "$eio"
t 'nor again when it was read' unread small/000007 \
	'stat */src/small/000007 nth=2 errno=EIO' "$eio"
t 'a link that cannot be read' unread small/link \
	'readlink */src/small/link errno=EIO' "$eio"
t 'attributes that cannot be listed' unread small/000007 \
	'listxattr */src/small/000007 errno=EIO' "$eio"
t 'a directory that cannot be opened' unread a/sub \
	'open */src/a/sub errno=EIO' "$eio"
t 'a directory that cannot be read' unread a/sub \
	'readdir */src/a/sub nth=1 errno=EIO' "$eio"
t 'nor to its end' unread small 'readdir */src/small nth=2 errno=EIO' "$eio"
