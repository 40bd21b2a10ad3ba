#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs mount, top and umount.
. "${0%/*}/../lib/tap.sh"
need_fuse

mkdir src mnt
echo hello >src/hello
"$DESFS_PACK" -q src ar

t 'desfs mount' "$DESFS" mount ar mnt
t 'the files are there' cmp src/hello mnt/hello
once()
{
	"$DESFS" top --once mnt >out || return
	cat out
	grep -q '^FUSE messages *[1-9]' out && grep -q '^bytes served  *6 B' out
}
t 'desfs top --once' once
json()
{
	"$DESFS" top --once --json mnt | grep -q '"fuse_messages":[1-9]'
}
t 'desfs top --json' json
rates()
{
	timeout -s INT 2.5 "$DESFS" top -d 1 mnt >out
	status=$?
	cat out
	[ "$status" = 124 ] && grep -q 'a second' out
}
t 'desfs top with rates' rates
t 'desfs umount' "$DESFS" umount mnt
t 'the files are gone' test ! -e mnt/hello
t 'desfs umount of no mount' not "$DESFS" umount mnt
foreign()
{
	mount -t tmpfs none mnt 2>/dev/null || return 0
	"$DESFS" umount --lazy mnt 2>err
	[ $? = 2 ] && grep -q 'no archive is mounted' err && mountpoint -q mnt
	status=$?
	umount mnt && return $status
}
t 'desfs umount of what is no archive' foreign
t 'desfs top of no mount' not "$DESFS" top --once mnt
t 'desfs ARCHIVE DIR -o, as mount.fuse calls it' \
	"$DESFS" ar mnt -o ro,control=.ctl
t 'the files are there again' cmp src/hello mnt/hello
t 'desfs top --control' "$DESFS" top --once --control=.ctl mnt
exec 5<mnt/hello
t 'a mount in use stays' not "$DESFS" umount mnt
t 'but with --lazy' "$DESFS" umount --lazy mnt
exec 5<&-
