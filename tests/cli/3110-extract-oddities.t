#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is extracted looks like what was packed: every kind of entry.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

oddities src --count 500 2>notes
sed 's/^/# /' notes
t 'oddities are packed' "$DESFS_PACK" -q src des
t 'and extracted, all of them' "$DESFS" extract --setuid --devices des out
t 'rsync finds no difference' same_by_rsync src out
t 'nor does diff' same_by_diff src out
t 'nor does find' same_by_find src out
acls_of()
{
	(cd "$1" && find acls | sort | xargs getfacl -n)
}
same_acls()
{
	acls_of src >want && acls_of out >have && diff want have
}
t 'ACLs are the same' same_acls
sparse()
{
	[ "$(du -k out/holes/middle | cut -f 1)" -lt 2000 ]
}
t 'holes are holes' sparse

t 'packed again' "$DESFS_PACK" -q --created-at 2026-01-01 src one
t 'what was extracted is packed' \
	"$DESFS_PACK" -q --created-at 2026-01-01 out two
same_shards()
{
	shards_of one >want && shards_of two >have && diff want have
}
t 'into the same bytes' same_shards
