#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The source of Linux, 79,000 files: mounted and extracted it is the same.
. "${0%/*}/../../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse
tarball=/usr/src/linux-source-6.1.tar.xz
need 'needs the package linux-source-6.1' test -f $tarball

mkdir src && tar -xf $tarball -C src || exit 1
at_least()
{
	n=$(find "$1" -type f | wc -l)
	echo "$n files"
	[ "$n" -ge 78000 ]
}
t 'the tree has its 79,000 files' at_least src
t 'packed' "$DESFS_PACK" -q src des
t 'smaller' test "$(du -sm des | cut -f 1)" -lt $(($(du -sm src | cut -f 1) / 3))
t 'the independent reader agrees' reader_agrees des
t 'verify --deep finds nothing' "$DESFS" verify --deep des
t 'mounted' mount_up des mnt
t 'rsync finds no difference' same_by_rsync src mnt
t 'nor does diff' same_by_diff src mnt
t 'nor does find' same_by_find src mnt
t 'extracted' "$DESFS" extract des out
t 'rsync finds no difference in that' same_by_rsync src out
t 'nor does diff' same_by_diff src out
t 'nor does find' same_by_find src out
nothing_new()
{
	shards_of des >before && "$DESFS_PACK" -q --mirror src des &&
		shards_of des >after && cmp before after
}
t 'a rerun adds nothing' nothing_new
