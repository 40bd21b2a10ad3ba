#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever decides how files are stored: the same bytes with one thread and
# many, from one run and from workers; and what profiles are.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

"$PYTHON" "$SRCDIR/tests/lib/make-mixed.py" src "$(scaled 600)" 7

# pack ARCHIVE [options]
pack()
{
	pack_to=$1
	shift
	"$DESFS_PACK" -q --created-at 2026-01-01 "$@" src "$pack_to" &&
		shards_of "$pack_to" >"$pack_to.sum" && [ -s "$pack_to.sum" ]
}
# The slots of a small tree may all be the first worker's.
workers()
{
	"$DESFS_PACK" -q --created-at 2026-01-01 --worker 2/2 "$@" src two &&
		pack two --worker 1/2 "$@"
}
read_again()
{
	"$DESFS_PACK" -q --checksum "$@" src one && shards_of one >again.sum &&
		diff one.sum again.sum
}

while read -r options; do
	rm -rf one many two
	# shellcheck disable=SC2086
	{
		t "packed with $options" pack one --jobs 1 $options
		t 'with more threads' \
			pack many --jobs 4 --open-shards 3 $options
		t 'the same bytes' diff one.sum many.sum
		t 'by two workers' workers $options
		t 'the same bytes too' diff one.sum two.sum
		t 'the same descriptor' cmp one/desfs.json two/desfs.json
		t 'a rerun that reads all finds nothing new' \
			read_again $options
	}
	t 'it is sound' "$DESFS" verify --deep one
done <<'END'
--profile small
--profile fast
--level 7
--codec lz4 --level 9
--route uid
--n-bits 6
--max-shard-size 100K --n-bits 5
--route uid --n-bits 9 --max-shard-size 20K --block-size 8K
END

# With the files' own times the first pack of its slots is all a worker can do.
first_time()
{
	rm -rf one two
	pack one --created-at mtime --jobs 1 &&
		pack many.mtime --created-at mtime --jobs 4 &&
		diff one.sum many.mtime.sum && workers --created-at mtime &&
		diff one.sum two.sum
}
t 'with --created-at mtime all of them make the same' first_time

mkdir texts
for room in base fs pack shard store; do
	cp "$SRCDIR"/src/$room/*.c texts
done
cat texts/*.c | head -c 800000 >texts/large

# size_of ARCHIVE FILE: of its first block, before compression, and its codec
size_of()
{
	"$DESFS" stat "$1" "$2" |
		sed -n 's/^block: \([0-9]*\) bytes \([a-z0-9]*\) .*/\1 \2/p' |
		head -n 1
}
# block_within ARCHIVE FILE LOW HIGH
block_within()
{
	size=$(size_of "$1" "$2") && echo "$size" && size=${size% zstd} &&
		[ "$size" -gt "$3" ] && [ "$size" -le "$4" ]
}
bytes_of()
{
	cat "$1"/*/*.des | wc -c
}
smaller()
{
	one=$(bytes_of "$1") && two=$(bytes_of "$2") && echo "$one $two" &&
		[ "$one" -lt "$two" ]
}
profile()
{
	"$DESFS_PACK" -q --profile "$@"
}
t 'profile default' profile default texts default
t 'is what there is without' "$DESFS_PACK" -q texts plain
t 'profile small' profile small texts small
t 'profile fast' profile fast texts fast
t 'profile small with a level' profile small --level 12 texts small12
t 'profile small with a block size' \
	profile small --block-size 64K texts small64
t 'default: blocks of 128K' block_within default lane.c 60000 131072
t 'without: the same' block_within plain lane.c 60000 131072
t 'fast: the same' block_within fast lane.c 60000 131072
t 'small: blocks of 1M' block_within small lane.c 131072 1048576
t 'a large file has a larger block' block_within default large 799999 800000
t 'with --block-size all are of that size' block_within small64 lane.c 0 65536
t 'large files too' block_within small64 large 65535 65536
t 'small is smaller than default' smaller small default
t 'with a level smaller still' smaller small12 small
t 'default is smaller than fast' smaller default fast
t 'no profile of another name' not profile smal texts other
t 'no level that the codec does not have' \
	not profile small --level 23 texts other
t 'nothing was made' not test -e other
