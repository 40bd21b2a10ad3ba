#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Large trees in Ceph RGW, and behind nginx over http and https, are what was
# packed.
. "${0%/*}/../../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"

need_fuse
need_rgw
need_nginx
tarball=/usr/src/linux-source-6.1.tar.xz
need 'needs the package linux-source-6.1' test -f $tarball
when=2026-01-01T10:00:00Z
export CEPH_RGW_SIZE=4294967296

t 'RGW is up' rgw_with plain
[ "${AWS_ENDPOINT_URL_S3:-}" ] || exit
mkdir -p web
t 'nginx is up' start_nginx "$tmp/web"

at_least()
{
	n=$(find "$2" -type f | wc -l)
	echo "$n files"
	[ "$n" -ge "$1" ]
}
# tree NAME DIR FILES: packed to RGW and, for nginx, here; all read back
tree()
{
	t "$1: it has its files" at_least "$3" "$2"
	t "$1: packed to RGW" \
		"$DESFS_PACK" -q --created-at $when "$2" "s3://plain/$1"
	t "$1: packed for nginx" \
		"$DESFS_PACK" -q --publish --created-at $when "$2" "web/$1"
	t "$1: both are the same objects" same_objects "plain/$1" "web/$1"
	rm -rf "web/$1.s3"
	t "$1: verify --deep finds nothing" \
		"$DESFS" verify --deep "s3://plain/$1"
	t "$1: mounted" mount_up "s3://plain/$1" mnt
	t "$1: rsync finds no difference" same_by_rsync "$2" mnt
	t "$1: nor does diff" same_by_diff "$2" mnt
	t "$1: nor does find" same_by_find "$2" mnt
	t "$1: unmounted" fusermount3 -u mnt
	t "$1: mounted over http" mount_up "$nginx_url/$1" mnt
	t "$1: rsync finds no difference there" same_by_rsync "$2" mnt
	t "$1: unmounted again" fusermount3 -u mnt
	t "$1: mounted over https" mount_up "$nginx_tls_url/$1" mnt \
		-o "ca_file=$ca_file"
	t "$1: rsync finds no difference there either" same_by_rsync "$2" mnt
	t "$1: unmounted at last" fusermount3 -u mnt
	rm -rf "web/$1" "${XDG_CACHE_HOME:?}"/*
}

files many/dir 100000
tree many many 100000
rm -rf many
tree include /usr/include 1000
mkdir linux && tar -xf $tarball -C linux || exit 1
tree linux linux 78000
nothing_new()
{
	keys_of plain/linux >before &&
		"$DESFS_PACK" -q --mirror linux s3://plain/linux &&
		keys_of plain/linux >after && diff before after
}
t 'linux: a rerun adds nothing' nothing_new
