#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs.conf(5) and mount.desfs(8) list exactly the settings there are.
. "${0%/*}/../lib/tap.sh"

# What the program knows.
"$DESFS" check-conf | sed 's/ = .*//' | sort >keys

# The keys between two headings of a page.
page_keys()
{
	awk -v from="$2" -v to="$3" '$0 == from { on = 1 } $0 == to { on = 0 }
		on && $1 == ".It" && $2 == "Cm" { print $3 }' \
		"$SRCDIR/man/$1" | sort
}

conf_page()
{
	page_keys desfs.conf.5 '.Sh SETTINGS' '.Sh CREDENTIALS' >page
	[ -s keys ] && diff keys page
}
t 'desfs.conf(5)' conf_page

# noexec and words for others are in prose.
mount_page()
{
	"$MOUNT_DESFS" --help | sed '1,/^Mount options/d' |
		sed -n 's/^  \([a-z_]*\).*/\1/p' | sort >options
	page_keys mount.desfs.8 '.Ss Mount options' '.Ss Access control lists' >page
	[ -s options ] && diff options page
}
t 'mount.desfs(8)' mount_page

# Part sizes are for what writes.
mounts_take_all()
{
	grep -vxE 'part_size|erasure_key' keys >want
	"$MOUNT_DESFS" --help | sed -n 's/^  \([a-z_]*\).*/\1/p' | sort >options
	comm -23 want options >missing
	cat missing
	[ ! -s missing ]
}
t 'mounts take all settings' mounts_take_all

# desfs-pack has a --profile of its own.
tools_take()
{
	"$@" --help | sed -n 's/^ *--\([a-z-]*\)=.*/\1/p' | tr - _ |
		sed '/^profile$/d; s/^aws_profile$/profile/' | sort >options
	grep -vE '^(disk_cache.*|refresh|tombstone_max_age|stale|part_size|erasure_key)$' \
		keys >want
	comm -23 want options >missing
	cat missing
	[ -s want ] && [ ! -s missing ]
}
for c in ls cat stat extract verify repack rebuild publish convert check-conf; do
	t "desfs $c takes them" tools_take "$DESFS" "$c"
done
t 'desfs-pack takes them' tools_take "$DESFS_PACK"
