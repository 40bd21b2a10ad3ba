#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same files give the same bytes, however many threads and in what order
# readdir comes.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

when=2026-01-01T10:00:00Z

oddities src --count 3000 2>/dev/null
mkdir -p src/more && files src/more/a 500 3000 && files src/more/b 500 900

# A copy whose directories are read in another order: in ext4 that does not
# depend on how they were filled, so in another file system where we may.
reordered_copy()
{
	mkdir src3 && { mount -t tmpfs -o size=200m tmpfs src3 || :; } &&
		rsync -aHAX src/ src3/ && same_by_rsync src src3
}

# pack SOURCE ARCHIVE [options]
pack()
{
	pack_from=$1 pack_to=$2
	shift 2
	"$DESFS_PACK" -q --created-at $when "$@" "$pack_from" "$pack_to" &&
		shards_of "$pack_to" >"$pack_to.sum" && [ -s "$pack_to.sum" ]
}
same_as_first()
{
	diff one.sum "$1.sum" && cmp one/desfs.json "$1/desfs.json"
}
another_order()
{
	find "$1" -path '*/deep/*' -prune -o -print >order.a
	find "$2" -path '*/deep/*' -prune -o -print |
		sed "s|^$2|$1|" >order.b
	! cmp -s order.a order.b
}

t 'packed with --jobs 1' pack src one --jobs 1
t 'packed with --jobs 4' pack src four --jobs 4
t 'the same bytes' same_as_first four
t 'packed with few shards open and little room to sort' \
	pack src few --jobs 3 --open-shards 1
t 'the same bytes again' same_as_first few
t 'a copy of the source' cp -a src src2
t 'packed' pack src2 copy
t 'and its bytes are the same' same_as_first copy
t 'a copy with another order of entries' reordered_copy
if grep -q " $tmp/src3 " /proc/self/mountinfo; then
	t 'it is another order' another_order src src3
else
	skip_t 'it is another order' 'another file system cannot be mounted'
fi
t 'packed in that order' pack src3 reordered
t 'and its bytes are the same too' same_as_first reordered
t 'another time gives other shards' \
	pack src later --created-at 2026-01-01T10:00:01Z
t 'as it must' not cmp one.sum later.sum
