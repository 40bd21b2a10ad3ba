#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A second reader, written from the manual, agrees on what is well formed.
. "${0%/*}/../lib/tap.sh"

need 'needs python3-zstandard and python3-lz4' \
	/usr/bin/python3 -c 'import lz4.frame, zstandard'

desread=$SRCDIR/tests/lib/desread.py
golden=$SRCDIR/tests/golden

# ends_in STATUS FILE
ends_in()
{
	/usr/bin/python3 -B "$desread" verify "$golden/$2"
	status=$?
	[ $status = "$1" ] || echo "$2: exit status $status, not $1"
	[ $status = "$1" ]
}

while IFS='	' read -r file rc reason; do
	case $rc in
	OK) t "$file is read: $reason" ends_in 0 "$file" ;;
	CORRUPT) t "$file is refused: $reason" ends_in 6 "$file" ;;
	UNSUPPORTED) t "$file is newer: $reason" ends_in 7 "$file" ;;
	esac
done <"$golden/shards.tsv"

# Each shard of the table is there, and no other.
table_is_complete()
{
	grep -v '^#' "$golden/shards.tsv" | cut -f 1 | sort >stated
	(cd "$golden" && ls -- *.des) | sort >there
	diff stated there
}
t 'the table has all shards' table_is_complete

mkdir -p tree/dir/empty
echo one >tree/dir/file
ln tree/dir/file tree/link
ln -s nowhere tree/symlink
mkfifo tree/fifo
truncate -s 1M tree/hole
echo end >>tree/hole
i=0
while [ $i -lt 100 ]; do
	echo "number $i" >"tree/dir/n$i"
	i=$((i + 1))
done

same_tree()
{
	/usr/bin/python3 -B "$desread" tree --source "$1" >want &&
		/usr/bin/python3 -B "$desread" tree "$2" >got &&
		diff want got
}

for codec in none lz4 zstd; do
	t "a tree is packed with $codec" \
		"$DESFS_PACK" --codec "$codec" tree "archive-$codec"
	t 'the second reader finds nothing wrong' desread_ok "archive-$codec"
	t 'and the same tree' same_tree tree "archive-$codec"
done

rm -r tree/dir/empty tree/dir/file tree/symlink
echo two >tree/dir/empty
mkdir tree/symlink
echo three >tree/symlink/x
t 'what changed is packed' "$DESFS_PACK" --mirror tree archive-zstd
t 'the second reader finds nothing wrong' desread_ok archive-zstd
t 'and the tree as it is now' same_tree tree archive-zstd

flipped()
{
	shard=$(find archive-none -name '*.des' | head -n 1)
	printf X | dd of="$shard" bs=1 seek=300 conv=notrunc 2>/dev/null
	desread_ok archive-none
	[ $? = 6 ]
}
t 'a changed byte is found' flipped
