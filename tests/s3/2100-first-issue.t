#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An archive in Ceph RGW is what a local one is: the same objects, the same tree,
# first and second pack.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"

need_rgw
need_fuse
first=2026-01-01T10:00:00Z second=2026-01-02T10:00:00Z

t 'RGW is up' rgw_with plain versions
[ "${AWS_ENDPOINT_URL_S3:-}" ] || exit

oddities src --count 300 2>notes
sed 's/^/# /' notes
t 'oddities are packed' "$DESFS_PACK" -q --created-at $first src local
for b in plain versions; do
	t "into a bucket too: $b" \
		"$DESFS_PACK" -q --created-at $first src s3://$b/odd
	t "its objects are those of the local one: $b" \
		same_objects $b/odd local
	t "and nothing else: $b" nothing_left $b/odd
done
t 'the independent reader agrees' reader_agrees local.s3
t 'verify finds nothing' "$DESFS" verify --deep s3://plain/odd

same_list()
{
	"$DESFS" ls --json -R local >want && [ -s want ] &&
		"$DESFS" ls --json -R s3://plain/odd >have && diff want have
}
t 'the list is that of the local one' same_list
t 'extracted' "$DESFS" extract --setuid --devices s3://plain/odd out
t 'what was extracted is what was packed' same_by_rsync src out
t 'for find too' same_by_find src out

t 'mounted' mount_up s3://plain/odd mnt
t 'rsync finds no difference' same_by_rsync src mnt
t 'nor does diff' same_by_diff src mnt
t 'nor does find' same_by_find src mnt
t 'unmounted' fusermount3 -u mnt
t 'mounted with the index cache of before' mount_up s3://plain/odd mnt
t 'there is still no difference' same_by_rsync src mnt
t 'mounted over https, without caches' mount_up s3://versions/odd tls \
	-o "endpoint=$rgw_tls_url,ca_file=$ca_file,index_cache="
t 'rsync finds no difference there' same_by_rsync src tls
t 'nor does diff there' same_by_diff src tls

nothing_new()
{
	keys_of plain/odd >before &&
		"$DESFS_PACK" -q --mirror src s3://plain/odd &&
		keys_of plain/odd >after && diff before after
}
t 'a rerun adds nothing' nothing_new

# What changes between two packs.
old_tree change
cp -a change old
for a in plain mirror; do
	t "the first pack: $a" \
		"$DESFS_PACK" -q --created-at $first change s3://versions/$a
	t "a running mount: $a" \
		mount_up s3://versions/$a running-$a -o refresh=1,timeout=20
	t "shows it: $a" same_by_rsync old running-$a
	"$DESFS_PACK" -q --created-at $first change $a
done
# Names the kernel knows by now, also such that are not there.
ls -lR running-* >/dev/null
not cat running-*/added 2>/dev/null
readers_begin running-mirror

new_tree change
t 'the second pack' \
	"$DESFS_PACK" -q --created-at $second change s3://versions/plain
t 'the second pack with --mirror' "$DESFS_PACK" -q --mirror \
	--created-at $second change s3://versions/mirror
"$DESFS_PACK" -q --created-at $second change plain
"$DESFS_PACK" -q --mirror --created-at $second change mirror
for a in plain mirror; do
	t "its objects are those of the local one: $a" \
		same_objects versions/$a $a
done
t 'a running mount shows the new source' \
	wait_for 20 same_by_rsync change running-mirror
t 'for diff too' same_by_diff change running-mirror
t 'and without --mirror what was added' \
	wait_for 20 cmp change/added running-plain/added
t 'and modified' wait_for 20 cmp change/modified running-plain/modified
t 'and removed all the same' test "$(cat running-plain/deleted)" = old
t 'a fresh mount' mount_up s3://versions/plain fresh -o index_cache=
t 'shows what the running one does' same_by_rsync fresh running-plain
t 'a mount of the local archive' mount_up plain local.mnt
t 'shows that too' same_by_rsync local.mnt fresh
t 'by-date reaches the old bytes' \
	same_by_diff old running-mirror/.des/by-date/20260101
t 'a file open meanwhile keeps its bytes' readers_end
