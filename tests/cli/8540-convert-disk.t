#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs convert: what a disk cannot read any more is left out, and told.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

files src/d 100 1000
files src/e 100 1000
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src old || exit
key=$("$DESFS" stat old d/000001 | sed -n 's/^shard: //p')

faulty()
{
	want=$1
	shift
	with_faults "$@" "$DESFS" convert --report=report.json old new \
		>out 2>err
	is=$?
	cat out err
	[ "$is" = "$want" ] && fault_used
}
is_left()
{
	"$DESFS" verify --deep new && [ "$("$DESFS" ls new e | wc -l)" = 100 ] &&
		not "$DESFS" ls new d/000001
}

t 'a shard that cannot be read is left out' faulty 1 "read */old/$key errno=EIO"
t 'it is named, with what that costs' grep -q "$key: 10[0-9] entries cannot" err
t 'in the report, too' grep -q '"kind":"lost",.*Input/output' report.json
t 'all else is there' is_left
rm -r new
t 'a file that cannot be opened' faulty 1 "open */old/$key errno=EACCES"
t 'costs the same' is_left
rm -r new
t 'a log that cannot be read' faulty 5 "read */old/log/* errno=EIO"
t 'ends it at once' test ! -e new
t 'a disk that is full' faulty 13 "write */new/* from=3 errno=ENOSPC"
t 'leaves nothing half' not "$DESFS" ls new d
t 'and the next call goes on' "$DESFS" convert old new
t 'to the end' "$DESFS" cat new d/000001

# What is more than is kept in memory is read a second time to be compared.
mkdir large && head -c 36000000 /dev/urandom >large/file
"$DESFS_PACK" -q --codec none --created-at 2026-01-01T10:00:00Z large big || exit
n_reads()
{
	with_faults 'read */big/2* run=:' \
		"$DESFS" convert --codec=none -j 1 big big.new &&
		n=$(wc -l <"$tmp/faults.used")
}
t 'a large file is read twice' n_reads
unread_again()
{
	rm -r big.new
	with_faults "read */big/2* from=$((n - 3)) errno=EIO" "$DESFS" convert \
		--codec=none -j 1 --report=report.json big big.new >out 2>err
	is=$?
	cat out err
	[ $is = 1 ] && fault_used && grep '1 verified, 0 differ, 1 not' out &&
		grep '"kind":"uncompared",.*"uid":"file"' report.json
}
t 'one that cannot be read again is told, and is no other one' unread_again
"$DESFS" cat big.new file >is
t 'and is there' cmp large/file is

no_room()
{
	mkdir spool
	with_faults 'write */spool/* errno=ENOSPC' "$DESFS" convert \
		--spool=spool --report=report.json big big.full >out 2>err
	is=$?
	cat out err
	[ $is = 13 ] && fault_used && not grep '"kind":"failed"' report.json
}
t 'without room for temporary files it ends' no_room
