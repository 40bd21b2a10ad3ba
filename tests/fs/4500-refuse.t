#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a mount refuses with one clear line, how it ends, and what programs ask
# of a file system besides reading.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

mkdir src && files src/dir 3000 && files src/big 1 3000001 &&
	files src/big2 1 700000
ln src/dir/000001 src/other-name
ln src/dir/000001 src/big/third-name
mkfifo src/fifo
ln -s dir src/link
"$DESFS_PACK" -q src des || exit 1
mkdir empty notone mnt full && echo x >notone/file && echo x >full/file
echo x >afile

# refused WORD COMMAND...: fails, and says it in one line that has WORD
refused()
{
	word=$1
	shift
	"$@" >out 2>err
	status=$?
	cat out err
	echo "status $status"
	[ $status != 0 ] && [ $status -lt 99 ] && [ ! -s out ] &&
		[ "$(wc -l <err)" = 1 ] && grep -q -e "$word" err
}
not_mounted()
{
	! grep -q "^[^ ]* [^ ]* [^ ]* [^ ]* $tmp/" /proc/self/mountinfo
}
for m in "$MOUNT_DESFS" "$DESFS mount"; do
	n=${m##*/}
	# shellcheck disable=SC2086 # a command and its word
	{
	t "$n: an empty mount point" refused empty $m des ''
	t "$n: an archive that is not there" refused nowhere $m nowhere mnt
	t "$n: an empty directory is none" refused empty $m empty mnt
	t "$n: nor is any other" refused notone $m notone mnt
	t "$n: nor is a file" refused afile $m afile mnt
	t "$n: a mount point that is not there" refused missing $m des missing
	t "$n: one that is a file" refused afile $m des afile
	t "$n: an unknown option" refused nonsense $m des mnt -o nonsense
	t "$n: an option out of range" refused refresh \
		$m des mnt -o refresh=x
	t "$n: a value that is none" refused verify $m des mnt -o verify=no
	t "$n: a mount point missing" refused . $m des
	}
done
t 'nothing was mounted' not_mounted

damaged()
{
	cp -a des "$1" && : >"$1/$2"
}
damaged nojson desfs.json
t 'a descriptor that is none' refused desfs.json "$MOUNT_DESFS" nojson mnt
cp -a des badlog &&
	echo '{}' >"badlog/log/20260101T000000.000000Z-$(printf %032d 1).json"
t 'a log record that is none' refused log "$MOUNT_DESFS" badlog mnt
t 'still nothing was mounted' not_mounted

# A shard named in the log and not there is an error, not an empty directory.
lost_shard()
{
	cp -a des lost && find lost -name '*.des' -exec rm {} + &&
		mount_up lost lost.mnt >out 2>&1
	status=$?
	cat out
	if [ $status != 0 ]; then
		grep -q '\.des' out
		return
	fi
	ls lost.mnt >out 2>&1 && return 1
	cat out
	! ls lost.mnt/dir && ! cat lost.mnt/dir/000001
}
t 'a shard that is missing is an error' lost_shard
lost_named()
{
	# shellcheck disable=SC2012
	key=$(cd des && ls -d 2*/*.des | head -n 1)
	"$DESFS" ls -R lost >out 2>&1 && return 1
	cat out
	grep -q "${key##*/}" out || grep -q '\.des' out
}
t 'and the tools name it' lost_named

t 'mounted over files' mount_up des full
t 'which are hidden' not test -e full/file
t 'and come back' "$DESFS" umount full
t 'as they were' test -f full/file

t 'mounted' mount_up des mnt
t 'the type is fuse.desfs' \
	grep -q " $tmp/mnt .* - fuse.desfs " /proc/self/mountinfo
t 'd_ino, d_type, telldir and seekdir' "$BUILDDIR/tests/lib/look" dir mnt/dir
t 'at the root' "$BUILDDIR/tests/lib/look" dir mnt
t 'in the control directory' "$BUILDDIR/tests/lib/look" dir mnt/.des/by-date
t 'mmap' "$BUILDDIR/tests/lib/look" mmap mnt/big/000000
t 'mmap of what read has cached in part' sh -c \
	"head -c 100000 mnt/big2/000000 >/dev/null &&
	'$BUILDDIR/tests/lib/look' mmap mnt/big2/000000"
three_names()
{
	[ "$(stat -c %h mnt/other-name)" = 3 ] &&
		[ "$(stat -c %i mnt/other-name mnt/dir/000001 \
			mnt/big/third-name | sort -u | wc -l)" = 1 ]
}
t 'hard links have one st_ino and their number' three_names
group_told()
{
	"$DESFS" stat des other-name | sed -n 's/^link_group: //p' >group &&
		[ -s group ] && for name in other-name dir/000001; do
		grep "\"link_group\": \"$(cat group)\"" \
			"mnt/.des/info/$name" || return
	done
}
t 'and one group, which .des/info tells' group_told

inodes()
{
	find "$1" -printf '%P %i\n' | sort
}
same_inodes()
{
	inodes mnt >want && mount_up des mnt2 && inodes mnt2 >have &&
		cmp want have &&
		[ "$(cut -d ' ' -f 2 have | sort -u | wc -l)" = \
			$(($(wc -l <have) - 2)) ]
}
t 'st_ino is the same in each mount' same_inodes

statfs()
{
	stat -f -c '%S %b %f %a %c %d %l %t' mnt >out && cat out &&
		read -r bs blocks free avail files ffree namelen _ <out &&
		[ "$bs" -gt 0 ] && [ "$blocks" -gt 0 ] &&
		[ "$free $avail $ffree" = '0 0 0' ] &&
		[ "$files" -ge 3000 ] && [ "$namelen" = 255 ] && df mnt
}
t 'statfs' statfs

at_the_end()
{
	[ "$(tail -c +3000001 mnt/big/000000 | wc -c)" = 1 ] &&
		[ "$(dd if=mnt/big/000000 bs=1 skip=4000000 2>/dev/null |
			wc -c)" = 0 ]
}
t 'reads end where the file does' at_the_end
t 'a directory is not read as a file' not cat mnt/dir
t 'a file is no directory' not ls mnt/other-name/x
t 'a name too long is an error' not ls "mnt/$(printf '%0300d' 0)"

# The process that serves a mount point has it in its arguments.
serving()
{
	daemon=$(readlink -f "$MOUNT_DESFS")
	for p in /proc/[0-9]*; do
		if [ "$(readlink "$p/exe")" = "$daemon" ] &&
			grep -aqsF "$1" "$p/cmdline"; then
			echo "${p##*/}"
			return
		fi
	done
	return 1
}
gone()
{
	! grep -q " $tmp/$1 " /proc/self/mountinfo
}
sigterm()
{
	mount_up des "$tmp/term" && pid=$(serving "$tmp/term") &&
		[ "$pid" ] && kill -TERM "$pid" && wait_for 20 gone term &&
		wait_for 20 not kill -0 "$pid"
}
t 'SIGTERM unmounts and ends' sigterm
foreground()
{
	mkdir fg
	"$MOUNT_DESFS" -f des "$tmp/fg" 2>fg.log &
	fg=$!
	wait_for 20 test -f fg/link/000001 && kill -TERM $fg &&
		wait_for 20 gone fg && wait $fg
	status=$?
	cat fg.log
	[ $status = 0 ]
}
t 'SIGTERM ends one in the foreground, with success' foreground
held()
{
	mkfifo stay && mount_up des "$tmp/held" && pid=$(serving "$tmp/held")
	"$BUILDDIR/tests/lib/look" hold held/dir/000005 <stay &
	exec 4>stay
	sleep 0.3
	kill -TERM "$pid"
	wait_for 20 gone held
	status=$?
	exec 4>&-
	wait
	[ $status = 0 ] && wait_for 20 not kill -0 "$pid"
}
t 'SIGTERM unmounts when a file is open' held

t 'desfs umount' "$DESFS" umount mnt2
t 'unmounts' gone mnt2
t 'desfs umount of what is no mount' refused full "$DESFS" umount full
returns()
{
	mkdir ret
	x=$(timeout 30 "$DESFS" mount des ret 2>&1) && [ ! "$x" ] &&
		test -f ret/link/000002
}
t 'desfs mount returns when it serves, and closes its output' returns
