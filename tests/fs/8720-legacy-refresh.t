#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount of an archive of an older program follows what becomes of it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse

sets=$SRCDIR/tests/fixtures/legacy/des-v2
mkdir old aside
cp "$sets"/packed-n8/20250115_*.des old || exit
# There is a 100 already.  doc-1.txt is alone in its shard.
shard=20250115_ED_0000.des
grep -q doc-1.txt "old/$shard" || exit
t 'mounted' mount_up old mnt -o refresh=1,n_bits=8,log="$tmp/log"
t 'it says what it is' wait_for 20 grep -q 'older program; n_bits is 8' log
sum=$(sha256sum <mnt/doc-1.txt)
count()
{
	find mnt -mindepth 1 -maxdepth 1 | wc -l
}
lists()
{
	[ "$(count)" = "$1" ]
}
n=$(count)

cp "$sets/sidecar/20250115_00_0000.des" old/new && mv old/new \
	old/20250115_02_0000.des
t 'what comes is seen' wait_for 30 [ -e mnt/200 ]
t 'and listed' wait_for 30 lists $((n + 2))
cat mnt/200 mnt/100 >kept
cp "$sets/sidecar/20250115_00_0000.meta" old/new && mv old/new \
	old/20250115_02_0000.meta
t 'what is deleted goes' wait_for 30 not cat mnt/200
t 'and what is not stays' cat mnt/100
t 'in lists, too' wait_for 30 lists "$n"

mv "old/$shard" aside
t 'what is moved away goes' wait_for 30 not [ -e mnt/doc-1.txt ]
mv "aside/$shard" old
t 'and comes back' wait_for 30 [ -e mnt/doc-1.txt ]
t 'as it was' [ "$(sha256sum <mnt/doc-1.txt)" = "$sum" ]

# The same size, other bytes.
"$PYTHON" - "old/$shard" new.des <<'END'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[10] ^= 1
open(sys.argv[2], "wb").write(b)
END
mv new.des "old/$shard"
changed()
{
	[ "$(sha256sum <mnt/doc-1.txt)" != "$sum" ]
}
t 'what changes is read as it is now' wait_for 30 changed

: >"old/$shard"
t 'what is damaged is told' wait_for 30 grep -q "$shard: 0 bytes" log
t 'the rest is there' cat mnt/100
t 'unmounted' fusermount3 -u mnt
