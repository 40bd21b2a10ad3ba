#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every file of the fixtures of older formats through a mount, in both views;
# damage is an error of its file alone; what comes and is deleted shows.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

fixtures()
{
	"$PYTHON" "$SRCDIR/tests/lib/legacy-fixtures.py" "$@"
}
t 'there are archives of all fixtures' fixtures make fx

both_views()
{
	mount_up "fx/$1" "mnt.$1" && fixtures tree "fx/$1.json" "mnt.$1" &&
		fixtures days "fx/$1.json" "mnt.$1/.des/by-date" &&
		"$DESFS" umount "mnt.$1"
}
for a in odd loose packed-n4 packed-n8 packed-n10 packed-bigfile datavision; do
	t "all files of $a in both views" both_views $a
done

hides()
{
	not mount_up "$2" hidden -o "$1" >out 2>&1
	cat out
	grep -q 'name the control directory otherwise' out
}
t 'no control directory hides a file' hides control=old-none fx/loose
t 'or a day' hides layout=date,control=20250106 fx/loose
mkdir nothing && "$DESFS_PACK" -q nothing empty
t 'also one to come' hides layout=date,control=20250106 empty

# fails_with TEXT FILE: it cannot be read, and why.
fails_with()
{
	not cat "$2" >out 2>err && [ ! -s out ] && grep -q "$1" err
}
bad=$SRCDIR/tests/fixtures/legacy/des-v2/malformed
mkdir old
cp fx/loose/20250106_00_0000.des old
cp "$bad/size-mismatch.des" old/20250303_00_0000.des
cp "$bad/bad-magic.des" old/20250303_00_0001.des
t 'an archive with damage is mounted' mount_up old mnt -o refresh=1,log=log
t 'a damaged file is an error' fails_with 'Input/output error' mnt/a
t 'and has its size' test "$(stat -c %s mnt/a)" = 299
"$DESFS" cat fx/loose old-none >wanted
t 'the others can be read' cmp mnt/old-none wanted
t 'what is damaged stands in the log' grep -q \
	'20250303_00_0001.des: header at byte 0' log

# What is added, deleted and mended by others shows at the next refresh.
cp "$bad/good-reference.des" old/tmp &&
	mv old/tmp old/20250304_00_0000.des
t 'a shard that was added shows' wait_for 60 test -e mnt/b
t 'and its file is the newest one' cat mnt/a
printf '{"version":1,"tombstones":{"b":{"uid":"b"}}}' >old/tmp &&
	mv old/tmp old/20250304_00_0000.meta
gone()
{
	! test -e "$1"
}
t 'a file that was deleted goes' wait_for 60 gone mnt/b
t 'nothing else does' cat mnt/a
printf '{"version":1' >old/tmp && mv old/tmp old/20250304_00_0000.meta
t 'a damaged sidecar hides its shard' \
	wait_for 60 fails_with 'Input/output error' mnt/a
t 'and is named' grep -q '20250304_00_0000.meta' log
printf '{"version":1,"tombstones":{}}' >old/tmp &&
	mv old/tmp old/20250304_00_0000.meta
t 'mended, it shows all of it' wait_for 60 cat mnt/a mnt/b
t 'the mount is taken down' "$DESFS" umount mnt

# n_bits is read off the names, and said; one they contradict is refused.
said()
{
	mount_up "fx/$1" mnt -o "log=log.$1$3" && grep -F "$2" "log.$1" &&
		"$DESFS" umount mnt
}
t 'the log says what n_bits is' said packed-n10 'n_bits is 10: from' ''
t 'and what was asked' said packed-n4 'n_bits is 5, as was asked' ,n_bits=5
refused()
{
	not mount_up fx/packed-n10 mnt -o n_bits=8 2>err && cat err &&
		grep -q 'n_bits is not 8: .*_[1-3][0-9A-F][0-9A-F]_0000.des' err
}
t 'a name that contradicts what is asked is named' refused
