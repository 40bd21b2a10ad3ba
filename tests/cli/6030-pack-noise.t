#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Noise and what compresses are kept in blocks of their own, and all else is as
# ever: order, records, links, determinism.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

n_files=$(scaled 6000)
[ "$n_files" -lt 1500 ] || n_files=1500
"$PYTHON" "$SRCDIR/tests/lib/make-mixed.py" src "$n_files" 1

# pack ARCHIVE [options]: the tree, in one shard of its slot each
pack()
{
	pack_to=$1
	shift
	"$DESFS_PACK" -q --created-at 2026-01-01 "$@" src "$pack_to" &&
		shards_of "$pack_to" >"$pack_to.sum"
}
salvaged()
{
	mkdir "$2" || return
	for shard in "$1"/*/*.des; do
		cp "$shard" cut.des && chmod u+w cut.des &&
			truncate -s -600 cut.des || return
		"$DESFS" verify --salvage "$2" cut.des >o 2>&1
		[ $? = 6 ] || { cat o; return 1; }
	done
}
# Links and attributes of directories are of one shard only.
same_files()
{
	rsync -rlptgo --omit-dir-times --checksum --dry-run -i --delete \
		src/ "$1/" >rsync.out 2>&1 && ! grep -v '^\.d' rsync.out
}
extracted()
{
	"$DESFS" extract "$1" "$2" && same_by_rsync src "$2"
}

for options in '' '--block-size 4K' '--block-size 1M' '--codec lz4' \
	'--codec none --block-size 64K'; do
	n=$((${n:-0} + 1))
	# shellcheck disable=SC2086
	t "packed ${options:-with defaults}" pack ar$n $options --jobs 4
	# shellcheck disable=SC2086
	t 'packed with one thread' pack one$n $options --jobs 1
	t 'the same bytes' diff ar$n.sum one$n.sum
	t 'it is sound' "$DESFS" verify --deep ar$n
	t 'the independent reader finds so too' reader_agrees ar$n
	t 'the same tree comes out' extracted ar$n out$n
	t 'without indexes' salvaged ar$n saved$n
	t 'the same files come out' same_files saved$n
	rm -rf out$n saved$n one$n
done

# block_of FILE: number of its last block, by its offset in its shard
block_of()
{
	"$DESFS" stat pair "$1" | sed -n 's/^block: \(.*\)/\1/p'
}
mkdir pair.src
for i in 1 2 3 4 5 6; do
	head -c 3000 /dev/urandom >pair.src/$i.noise
	seq $i 700 >pair.src/$i.text
done
"$DESFS_PACK" -q pair.src pair
for i in 1 2 3 4 5 6; do
	block_of $i.noise >>noise.blocks
	block_of $i.text >>text.blocks
done
t 'all noise is in one block' test "$(sort -u noise.blocks | wc -l)" = 1
t 'all text is in another' test "$(sort -u text.blocks | wc -l)" = 1
t 'noise is stored as it is' grep -q ' none ' noise.blocks
t 'and text is not' grep -q ' zstd ' text.blocks
