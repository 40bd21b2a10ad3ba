#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A running mount forgets what is deleted: names, inodes, contents, in all views,
# also for who holds it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse

tombstone()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/make-tombstone.py" "$@"
}

mkdir -p src/d/sub src/e
files src/d 20 5000
head -c 700000 /dev/urandom >src/d/large
echo deep >src/d/sub/deep
echo one >src/e/versions
echo only >src/e/only
ln src/d/000001 src/e/link
"$DESFS_PACK" -q --created-at 2026-11-20T08:00:00Z src archive || exit
echo two >src/e/versions
"$DESFS_PACK" -q --created-at 2026-11-21T08:00:00Z src archive || exit
mount_up archive mnt -o refresh=1 || exit

fails_soon()
{
	wait_for 60 not test -e "$1"
}

while_held()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/held-file.py" mnt/d/large mnt/d/000002 \
		held >held.out 2>&1 &
	held=$!
	wait_for 60 test -e held && tombstone archive d/large && wait $held &&
		return
	cat held.out
	return 1
}
t 'open, mapped and cached: reads fail, the page cache is empty' while_held

no_name()
{
	! test -e mnt/d/large && ls mnt/d >ls.out && ! grep large ls.out &&
		! cat mnt/.des/info/d/large
}
t 'it is in no directory and has no info' no_name

by_date()
{
	ls -l mnt/.des/by-date/20261120/d >/dev/null &&
		cat mnt/.des/by-date/20261120/d/000003 >/dev/null &&
		cat mnt/.des/info/d/000003 >/dev/null &&
		exec 5<mnt/.des/by-date/20261120/d/000003 6<mnt/d/000003 &&
		tombstone archive d/000003 &&
		fails_soon mnt/d/000003 &&
		fails_soon mnt/.des/by-date/20261120/d/000003 &&
		wait_for 60 not cat <&5 && wait_for 60 not cat <&6 &&
		ls mnt/.des/by-date/20261120/d >ls.out && ! grep 000003 ls.out &&
		! cat mnt/.des/info/d/000003
}
t 'the view of a day forgets it too' by_date
exec 5<&- 6<&-

newest()
{
	[ "$(cat mnt/e/versions)" = two ] &&
		[ "$(cat mnt/.des/by-date/20261121/e/versions)" = two ] &&
		tombstone --at 2026-11-21T08:00:00.000000Z archive e/versions &&
		wait_for 60 grep -q one mnt/e/versions &&
		fails_soon mnt/.des/by-date/20261121/e/versions &&
		fails_soon mnt/.des/by-date/20261121/e &&
		[ "$(cat mnt/.des/by-date/20261120/e/versions)" = one ]
}
t 'without the newest version the one before is shown' newest

listed()
{
	ls -l mnt/d >ls.before && tombstone archive d/000004 d/000005 &&
		fails_soon mnt/d/000005 && fails_soon mnt/d/000004 &&
		ls -l mnt/d >ls.after &&
		[ "$(diff ls.before ls.after | grep -c '^<.*00000[45]$')" = 2 ] &&
		! grep '00000[45]' ls.after
}
t 'lists with attributes lose just these' listed

linked()
{
	[ "$(stat -c %i mnt/d/000001)" = "$(stat -c %i mnt/e/link)" ] &&
		tombstone archive d/000001 && fails_soon mnt/d/000001 &&
		cmp src/e/link mnt/e/link
}
t 'another name of a hard link stays' linked

recursive()
{
	(cd mnt/d/sub && cat deep && cd "$tmp" &&
		tombstone archive d/sub d/sub/deep) >/dev/null &&
		fails_soon mnt/d/sub && ls mnt/d >ls.out && ! grep sub ls.out
}
t 'a directory goes with what is below' recursive

tools()
{
	for cmd in ls cat stat; do
		! "$DESFS" $cmd archive d/large || return 1
	done
	"$DESFS" ls -R archive >ls.out && ! grep -E 'large|00000[1345]$' ls.out &&
		! "$DESFS" extract archive out1 d/large &&
		"$DESFS" extract archive out &&
		! test -e out/d/large && cmp out/d/000002 src/d/000002 &&
		[ "$(cat out/e/versions)" = one ]
}
t 'commands obey as well' tools

withdrawn()
{
	tombstone --withdraw archive && wait_for 60 test -e mnt/d/large &&
		cmp mnt/d/large src/d/large && cmp mnt/d/000003 src/d/000003 &&
		cmp mnt/d/sub/deep src/d/sub/deep &&
		cmp mnt/.des/by-date/20261120/d/000003 src/d/000003 &&
		[ "$(cat mnt/e/versions)" = two ]
}
t 'what is taken back is shown again' withdrawn

# Reads fail when nobody can tell any more what is deleted.
unreadable()
{
	mount_up archive mnt3 -o refresh=1,tombstone_max_age=2 &&
		cat mnt3/d/000006 >/dev/null && tombstone archive d/000007 &&
		wait_for 60 not test -e mnt3/d/000007 &&
		tombstone archive d/000008 &&
		for f in archive/tombstones/*/*; do echo x >"$f"; done &&
		tombstone archive d/000009 &&
		for f in archive/tombstones/*/*; do echo x >"$f"; done &&
		wait_for 60 not cat mnt3/d/000006 &&
		! "$DESFS" cat archive d/000006
}
t 'a tombstone nobody can read closes the archive' unreadable
