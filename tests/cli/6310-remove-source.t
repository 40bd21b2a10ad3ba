#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2119
# --remove-source-files: what the archive has proven to have goes, nothing else
# does, whatever happens meanwhile.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

in_memory

# Files of every kind that is packed, in several slots.
begin()
{
	rm -rf src orig a out && files src/d 5 3000 && files src/e/f 5 500 &&
		head -c 400000 /dev/urandom >src/large && : >src/empty &&
		ln -s large src/link && mkfifo src/e/fifo &&
		ln src/d/000001 src/d/hard && ln src/d/000001 src/e/hard &&
		cp -a src orig
}
pack()
{
	"$DESFS_PACK" --block-size 64K --remove-source-files src a "$@" \
		>packed 2>err
	pack_status=$?
	cat packed err
	return $pack_status
}
# with RULES STATUS [args]: a run in which the rules were applied.
with()
{
	with_rules=$1 with_status=$2
	shift 2
	with_faults "$with_rules" "$DESFS_PACK" --block-size 64K \
		--remove-source-files src a "$@" >packed 2>err
	[ $? = "$with_status" ] && cat err && fault_used && return
	cat err
	return 1
}
only_directories()
{
	[ "$(cd orig && find . -type d)" = "$(cd src && find .)" ] ||
		find src ! -type d | not grep .
}
# All that was there can be had from the archive.
all_archived()
{
	rm -rf out && "$DESFS" extract a out &&
		find orig out -type p -printf '%P\n' | sort | uniq -u |
		not grep . && rm -rf cmp && cp -a orig cmp &&
		find cmp out -type p -delete && diff -r --no-dereference cmp out
}
# kept NAME...: they, and no others, are in src.
kept()
{
	for kept_f; do
		echo "$kept_f"
	done >kept.names
	kept_list kept.names
}
kept_list()
{
	sort "$1" >kept.want
	(cd src && find . ! -type d -printf '%P\n') | sort >kept.is
	diff kept.want kept.is
}
same()
{
	cmp "src/$1" "orig/$1"
}

t 'a tree' begin
t 'a dry run' pack --dry-run
t 'names what it would remove' \
	[ "$(grep -c '^would-remove-source' packed)" = 16 ]
t 'and removes nothing' diff -r --no-dereference --exclude=fifo orig src
t 'the tree is packed' pack --json
t 'which is counted' grep '"removed_sources":16,' packed
t 'with its bytes' grep '"removed_source_bytes":423500,' packed
t 'nothing was kept' grep '"kept_sources":0,' packed
t 'only directories stay' only_directories
t 'the archive has all the rest' all_archived
t 'it is sound' "$DESFS" verify --deep a
t 'there is nothing more to do' pack
t 'and so it says' not grep 'source files' err

unchanged()
{
	begin && "$DESFS_PACK" -q src a && pack && only_directories &&
		all_archived && grep 'removed 16' err
}
t 'what an earlier run packed goes too' unchanged

# --- what is left out ------------------------------------------------------
refused()
{
	"$DESFS_PACK" "$@" 2>err
	[ $? = 2 ] && cat err && diff -r --no-dereference --exclude=fifo orig src
}
t 'a tree again' begin
t '--mirror is refused' refused --mirror --remove-source-files src a
t 'before anything is made' [ ! -e a ]
excluded()
{
	begin && pack --exclude '/d/000002' --exclude /e/ &&
		{ echo d/000002 && (cd orig && find e ! -type d); } >want &&
		kept_list want && grep 'removed 8' err
}
t 'what is excluded stays' excluded
failed()
{
	begin && with 'read */src/d/000003 errno=EIO' 1 && kept d/000003 &&
		same d/000003 && grep 'd/000003: ' err
}
t 'what could not be read stays' failed
failed_again()
{
	begin && "$DESFS_PACK" -q src a && with \
		'read */src/d/000003 nth=1 errno=EIO' 1 --checksum &&
		kept d/000003 && [ "$(grep -c d/000003 err)" = 1 ]
}
t 'also when the archive has it' failed_again
within()
{
	begin && mkdir src/x && rm -rf a && ln -s src/x/a a &&
		(cd src && find . -print0) >list && "$DESFS_PACK" -q src src/x/a &&
		(cd src && find . -print0) >list && find src/x -type f | sort \
		>before && pack && sed 's,^src/,,' before >want && kept_list want &&
		"$DESFS" verify --deep src/x/a && begin && mkdir src/x &&
		cp -a src orig && ln -s src/x/a a && "$DESFS_PACK" -q src src/x/a &&
		(cd src && find . -print0) >list && find src/x -type f | sort \
		>before && pack --files0-from list &&
		find src/x -type f | sort | diff before - &&
		"$DESFS" verify --deep src/x/a
}
t 'the archive in the source stays' within
inside()
{
	rm -rf src a && begin && "$DESFS_PACK" -q src a && find a -type f |
		sort >before && for f in a/log a/log/*; do
		"$DESFS_PACK" --remove-source-files "$f" a 2>err
		[ $? = 2 ] && grep 'lies in the archive' err || return 1
	done && find a -type f | sort | diff before -
}
t 'a source in the archive is refused' inside
several()
{
	begin && "$DESFS_PACK" --remove-source-files src/d src/large src/e a &&
		kept empty link && "$DESFS" extract a out && cmp out/large \
		orig/large && diff -r orig/d out/d
}
t 'several sources' several
listed()
{
	begin && printf 'd/hard\0e/f/000002\0' >list &&
		"$DESFS_PACK" --remove-source-files --files0-from list src a &&
		[ ! -e src/d/hard ] && [ ! -e src/e/f/000002 ] &&
		same d/000001 && [ "$(find src ! -type d | wc -l)" = 14 ]
}
t 'only what is listed' listed

# --- what changed since ----------------------------------------------------
# since COMMAND RULE...: before the call a file changes; it stays as it is then.
since()
{
	since_command=$1
	shift
	for rule; do
		begin && with "$rule run=f=$PWD/src/d/000002; $since_command" \
			1 && [ -e src/d/000002 ] && rm -f new &&
			cp -p src/d/000002 new && kept d/000002 &&
			grep 'd/000002: not removed: ' err &&
			"$DESFS" verify a || return 1
		ls -l src/d
	done
}
second='open */src/d/000002 nth=2'
third='read */src/d/000002 nth=2'
hidden='*/src/d/.desfs-removing-????????????????'
last="rename $hidden nth=3"
other='printf X | dd conv=notrunc bs=1 of=$f 2>/dev/null'
t 'appended to since' since 'echo more >>$f' "$second"
t 'cut since' since 'truncate -s 5 $f' "$second"
t 'written to since' since "$other" "$second"
t 'written to, with the old time' since \
	"cp -p \$f $PWD/old && $other && touch -r $PWD/old \$f" "$second"
t 'another mode since' since 'chmod 600 $f' "$second" "$third" "$last"
t 'replaced since' since "cp -p \$f $PWD/new && mv $PWD/new \$f" "$second"
t 'replaced just before it goes' since \
	"cp -p \$f $PWD/new && echo new >>$PWD/new && mv $PWD/new \$f" \
	"$third" "$last"
t 'a link since' eval \
	'begin && with "$second run=cd $PWD/src/d; rm 000002; ln -s x 000002" 1 &&
	kept d/000002 && [ -L src/d/000002 ]'
t 'a directory just before it goes' eval \
	'begin && with "$last run=rm $PWD/src/d/000002; mkdir $PWD/src/d/000002" 1 &&
	[ -d src/d/000002 ] && kept'

# linked COMMAND: to a file of three names, once it is packed; all stay.
linked()
{
	begin && with "open */a/log/2*.json nth=1 run=f=$PWD/src/d/hard; $1" 1 &&
		kept d/000001 d/hard e/hard
}
t 'all names stay of a file whose mode changed' linked 'chmod 600 $f'
t 'that was written to, with the old time' linked \
	"cp -p \$f $PWD/old && $other && touch -r $PWD/old \$f"
t 'that got an attribute' linked \
	"$PYTHON -c 'import os, sys; os.setxattr(sys.argv[1], \"trusted.x\", b\"y\")' \$f"
linked_touched()
{
	begin && with "open */a/log/2*.json nth=1 run=cd $PWD/src/d && \
chmod 755 hard && chmod 644 hard && ln hard $PWD/more && rm $PWD/more" 0 &&
		only_directories
}
t 'and none when nothing came of it' linked_touched
counted()
{
	begin && with "$second run=echo more >>$PWD/src/d/000002" 1 --json \
		--stats-file stats && kept d/000002 &&
		grep '"type":"failed","path":"d/000002".*,"kept_source":true}' \
			packed &&
		grep '"removed_sources":15,"removed_source_bytes":420500,"kept_sources":1,"failed":1,' \
			packed &&
		grep 'removed 15 source files, 410.6 KiB; kept 1$' err &&
		grep '^des_packer_removed_sources_total{.*} 15$' stats &&
		grep '^des_packer_removed_source_bytes_total{.*} 420500$' stats &&
		grep '^des_packer_kept_sources_total{.*} 1$' stats
}
t 'what was kept is counted' counted
# moved COMMAND RULE: in src, before the call; d is moved then.
moved()
{
	rm -rf moved && begin && with "$2 run=cd $PWD/src && $1" 1 &&
		grep 'd/000002: not removed: its directory was moved' err &&
		(cd moved && find . ! -type d) | sort >moved.is && cat moved.is &&
		not grep desfs-removing moved.is &&
		for f in 000002 000003 000004; do
			cmp "orig/d/$f" "moved/$f" || return 1
		done
}
t 'its directory is moved' moved "mv d $PWD/moved" "$third"
t 'just before it goes' moved "mv d $PWD/moved" "$last"
t 'another one has its place' moved \
	"mv d $PWD/moved; mkdir d; echo new >d/000002" "$last"
t 'and that has a new file' grep new src/d/000002
t 'a link has its place' moved "mv d $PWD/moved; ln -s $PWD/moved d" "$third"
source_moved()
{
	rm -rf moved && begin && with "$third run=mv $PWD/src $PWD/moved" 1 &&
		grep 'd/000002: not removed: its directory was moved' err &&
		for f in d/000002 d/000004; do
			cmp "orig/$f" "moved/$f" || return 1
		done
}
t 'the source is moved' source_moved

twice()
{
	begin && with "$last run=cd $PWD/src/d; echo new >new; mv new 000002
stat $hidden nth=3 run=echo newer >$PWD/src/d/000002" 1 &&
		[ "$(cat src/d/000002)" = newer ] &&
		[ "$(cat src/d/.desfs-removing-*)" = new ] &&
		grep 'd/000002: .*is now called .desfs-removing-' err
}
t 'replaced twice: both are kept' twice
gone()
{
	begin && with "$second run=rm $PWD/src/d/000002" 0 && only_directories
}
t 'removed by somebody else' gone
same_attributes()
{
	begin && "$DESFS_PACK" -q src a && cp -p src/d/000002 old &&
		printf X | dd conv=notrunc bs=1 of=src/d/000002 2>dd.err &&
		touch -r old src/d/000002 && not pack && kept d/000002 &&
		grep 'd/000002: .*not those in the archive' err
}
t 'other bytes with the same attributes' same_attributes

# --- somebody writes -------------------------------------------------------
writing()
{
	begin && exec 4>>src/d/000002 && not pack && exec 4>&- &&
		kept d/000002 && grep 'd/000002: .*may write to it' err &&
		pack && kept
}
# One who comes while it is read waits, and then gets the file.
coming()
{
	begin && with "$third run=(echo more >>$PWD/src/d/000002) & \
until grep -q 'LEASE *BREAKING' /proc/locks; do sleep 0.05; done" 1 &&
		kept d/000002 && wait_for 20 grep more src/d/000002
}
mapped()
{
	begin && "$PYTHON" - src/d/000002 <<-'EOT' >mapped.out &
	import mmap, sys
	with open(sys.argv[1], "r+b") as f:
	    m = mmap.mmap(f.fileno(), 0)
	print("mapped", flush=True)
	sys.stdin.close()
	import time
	time.sleep(60)
	EOT
	mapped_pid=$!
	wait_for 20 grep -qs mapped mapped.out && not pack
	mapped_status=$?
	kill $mapped_pid
	wait $mapped_pid
	[ $mapped_status = 0 ] && kept d/000002
}
has_leases()
{
	echo x >leased && "$PYTHON" -c '
import fcntl
f = open("leased")
fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_RDLCK)'
}
if has_leases; then
	t 'a file that is open for writing stays' writing
	t 'and one that is mapped' mapped
	t 'and one that is about to be written to' coming
else
	skip_t 'a file that is open for writing stays' 'no leases here'
	skip_t 'and one that is mapped' 'no leases here'
	skip_t 'and one that is about to be written to' 'no leases here'
fi

# --- the archive is not what it should be ----------------------------------
# A byte of each shard but that of the root.
cat >flip.py <<'E2'
import glob, os, sys
for name in sorted(glob.glob(sys.argv[1] + "/2*/*.des")):
    os.chmod(name, 0o600)
    with open(name, "r+b") as f:
        f.seek(300)
        b = f.read(1)
        f.seek(300)
        f.write(bytes([b[0] ^ 1]))
E2
flip="$PYTHON $PWD/flip.py $PWD/a"
damaged()
{
	begin && with "open */a/log/2*.json nth=1 run=$flip" 6 &&
		diff -r --no-dereference --exclude=fifo orig src &&
		grep '\.des: read back: ' err && grep 'in the archive, but' err
}
t 'a damaged shard: nothing of it goes' damaged
damaged_old()
{
	begin && "$DESFS_PACK" -q src a && $flip && not pack &&
		grep 'not removed: .*\.des: ' err && "$PYTHON" - <<-'EOT'
	import os
	left = [os.path.join(d, f) for d, _, fs in os.walk("src") for f in fs]
	print(left)
	assert left
	EOT
}
t 'a damaged older one' damaged_old
no_record()
{
	begin && with "open */a/log nth=4 run=rm $PWD/a/log/*" "$1" &&
		diff -r --no-dereference --exclude=fifo orig src
}
t 'no log record any more' no_record 9
for call in 'fsync */a/tmp/* nth=1' 'fsync */a/log' 'rename */a/log/*' \
	'rename */a/2*.des' 'write */a/tmp/*'; do
	t "${call%% *} fails in ${call#* }" eval \
		"begin && with '$call errno=EIO' 5 &&
		diff -r --no-dereference --exclude=fifo orig src"
done
t 'nor when there is no space for the record' eval \
	"begin && with 'rename */a/log/* errno=ENOSPC' 13 &&
	diff -r --no-dereference --exclude=fifo orig src"
no_shard()
{
	begin && with "open */a/log/2*.json nth=1 run=rm $PWD/a/2*/*.des" 6 &&
		diff -r --no-dereference --exclude=fifo orig src &&
		grep '\.des: read back: ' err
}
t 'shards that are lost before they are read back' no_shard
# Each slot is looked up anew.
no_shard_later()
{
	begin && with "rename */.desfs-removing-* nth=1 run=rm $PWD/a/2*/*.des" \
		6 && [ "$(find src ! -type d | wc -l)" -ge 10 ] &&
		grep 'not all of its sources were removed' err
}
t 'or while files are removed: other slots stay' no_shard_later
t 'nor is any removed when the archive cannot be read back' eval \
	"begin && with 'open */a/log/2*.json errno=EIO' 5 &&
	diff -r --no-dereference --exclude=fifo orig src"

# --- it cannot be removed --------------------------------------------------
stays()
{
	begin && with "$1 errno=$2" 1 && kept d/000002 && same d/000002 &&
		grep 'd/000002: not removed: ' err && pack && kept
}
t 'renaming fails' stays "$last" EACCES
t 'removing fails' stays "unlink $hidden nth=3" EPERM
t 'reading fails' stays "$third" EIO
plain()
{
	begin && with 'rename */.desfs-removing-* errno=EINVAL' 1 &&
		(cd orig && find . ! -type d -printf '%P\n') >want &&
		kept_list want
}
t 'no renaming at all' plain
old_kernel()
{
	begin && with 'rename2 */.desfs-removing-* errno=EINVAL' 0 &&
		only_directories && all_archived
}
t 'no renaming to new names only' old_kernel
old_kernel_replaced()
{
	begin && with "rename2 * errno=EINVAL
$last run=cd $PWD/src/d; echo new >new; mv new 000002" 1 &&
		kept d/000002 && grep new src/d/000002
}
t 'there too another file gets its name back' old_kernel_replaced

# --- ended in the middle ---------------------------------------------------
# Each file is in the source still, or the archive has it.
none_lost()
{
	rm -rf out && "$DESFS" extract a out || [ ! -d a/log ] ||
		[ ! "$(ls a/log)" ] || return 1
	(cd orig && find . ! -type d) | while IFS= read -r f; do
		[ -p "orig/$f" ] || cmp "src/$f" "orig/$f" 2>/dev/null ||
			cmp "out/$f" "orig/$f" || exit 1
	done
}
killed()
{
	begin && with "$1 run=kill -9 \$PPID; sleep 10" 137 && none_lost &&
		rm -f packed && pack && only_directories && none_lost &&
		"$DESFS" verify a >/dev/null && rm -rf out &&
		"$DESFS" extract a out && (cd orig && find .) | while read -r f; do
			[ -e "out/$f" ] || [ -L "out/$f" ] || exit 1
		done
}
for call in 'write */a/tmp/* nth=3' 'rename */a/2*.des nth=2' \
	'rename */a/log/* nth=1' 'fsync */a/log nth=1' \
	'open */a/log/2*.json nth=1' 'open */a/2*.des nth=3' \
	'open */src/d/000002 nth=2' 'read */src/large nth=9' \
	'rename */.desfs-removing-* nth=1' 'rename */.desfs-removing-* nth=9' \
	'unlink */.desfs-removing-* nth=1' 'unlink */.desfs-removing-* nth=16'
do
	t "killed before $call" killed "$call"
done
stopped()
{
	begin && with 'unlink */.desfs-removing-* nth=3 run=kill -TERM $PPID' \
		12 && none_lost && [ "$(find src ! -type d | wc -l)" = 13 ] &&
		grep 'the run is in the archive, but' err && pack &&
		only_directories && all_archived
}
t 'stopped by a signal: what is left stays' stopped

# Three files are read twice: the last one 2.5 seconds after the first.
slowly()
{
	rm -rf src a && files src/d 3 3000 &&
		pack --throttle 2files/s --json && only_directories &&
		ms=$(sed -n 's/.*"duration_ms":\([0-9]*\).*/\1/p' packed) &&
		echo "$ms ms" && [ "$ms" -ge 2400 ]
}
t 'what is read once more is throttled too' slowly
