#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Memory that a pack takes does not grow with what it packs.
# shellcheck disable=SC2016
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# below MIB ARGS...: packs in less than that; a sanitizer has its own memory.
below()
{
	below_most=$1
	shift
	"$DESFS_PACK" -v "$@" >pack.out 2>&1 || {
		tail pack.out
		return 1
	}
	tail -n 1 pack.out
	[ "$(scaled 10)" = 10 ] || return 0
	[ "$(sed -n 's/.*, \([0-9]*\)\.[0-9] MiB of memory.*/\1/p' pack.out)" \
		-lt "$below_most" ]
}

# A million blocks, and data at both ends and between.
mkdir huge
len=$(scaled 4000)
echo begin >huge/f && truncate -s "${len}M" huge/f && echo end >>huge/f
"$PYTHON" -c '
with open("huge/f", "r+b") as f:
    for at in range(7, '"$len"', 100):
        f.seek(at << 20)
        f.write(b"between")'
if [ "$(du -m huge | cut -f 1)" -lt 100 ]; then
	t 'a file of a million blocks is packed in little memory' \
		below 24 --block-size 4K huge h
	t 'and is right' eval '"$DESFS" cat h f | cmp - huge/f'
	t 'all is sound' "$DESFS" verify --deep h
else
	skip_t 'a file of a million blocks' 'no holes here'
fi
