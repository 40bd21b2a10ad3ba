#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Large blocks are decoded in part for one file, then as a whole for others.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

files src 60 20000
for block in 256K 1M; do
	for codec in zstd lz4 none; do
		t "packed in blocks of $block, $codec" "$DESFS_PACK" -q \
			--block-size "$block" --codec "$codec" src "$block$codec"
	done
done

# read_in_order FILE...: each from a mount that has read the ones before only
read_in_order()
{
	for f in "$@"; do
		cmp "mnt/$(printf %06d "$f")" "src/$(printf %06d "$f")" ||
			return
	done
}
orders()
{
	mount_up "$1" mnt -o "verify=$2" || return
	# Within a prefix, beyond it, back; the last first; the others.
	read_in_order 3 1 5 11 2 && read_in_order 16 25 14 15 &&
		read_in_order 59 58 45 40 31 30 && same_by_diff src mnt
	status=$?
	"$DESFS" umount mnt && return $status
}

for archive in 256Kzstd 256Klz4 256Knone 1Mzstd 1Mlz4 1Mnone; do
	t "files of $archive read in any order" orders "$archive" crc
	t "and with their hashes" orders "$archive" file
done
