#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our symbols are nobody else's; the daemon has nothing that writes archives.
. "${0%/*}/../lib/tap.sh"

need 'needs nm and ldd' sh -c 'command -v nm && command -v ldd'

defined()
{
	nm -g --defined-only "$@" 2>/dev/null |
		awk 'NF == 3 && $3 ~ /^[a-z]/ { sub(/@.*/, "", $3); print $3 }' |
		sort -u
}

ours_alone()
{
	defined "$BUILDDIR/libdesfs.a" >ours
	[ -s ours ] || return 1
	ldd "$DESFS" "$DESFS_PACK" "$MOUNT_DESFS" |
		awk '$3 ~ /^\// { print $3 }' |
		grep -vE '/lib(asan|tsan|ubsan|lsan)\.' | sort -u >libs
	while IFS= read -r lib; do
		defined -D "$lib" | comm -12 ours - | sed "s|^|$lib: |"
	done <libs >common
	cat common
	[ -s libs ] && [ ! -s common ]
}

t 'no symbol of ours is also one of a library' ours_alone

# Writers are the rooms from verify/ up and the files of store/ with "write" in
# the name.
cd "$BUILDDIR" || exit
writers=$(find src/verify src/pack src/restore src/exchange src/repack \
	src/store -name '*.o' 2>/dev/null | grep -E '^src/[^s]|write')
cd "$tmp" || exit

daemon_writes()
{
	# Words: one object each.
	for o in $writers; do
		defined "$BUILDDIR/$o"
	done | sort -u >forbidden
	defined "$MOUNT_DESFS" | comm -12 - forbidden | grep .
}

t 'mount.desfs has nothing of rooms that write nor of that half of store/' \
	not daemon_writes
