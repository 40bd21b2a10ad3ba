#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A published archive behind nginx is read over http and https.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_nginx

files src/d 480 2000
files src/e/large 8 500000
mkdir -p 'src/odd names' web
echo "percent and plus" >'src/odd names/a%20b+c&d=e?f#g'
ln -s ../d/000001 src/e/link
stamp=2026-01-01T10:00:00Z

start_nginx "$tmp/web" || exit
t 'a tree is packed where nginx serves it' "$DESFS_PACK" -q \
	--created-at $stamp src web/a
t 'before it is published nobody can read it' not "$DESFS" ls \
	"$nginx_url/a"
t 'it is published' "$DESFS" publish web/a

# says FILE COMMAND...: it says what is in the file
says()
{
	says_file=$1
	shift
	"$@" >said && cmp "$says_file" said
}

round()
{
	url=$1
	t "${url%%:*}: ls" says ls.local "$DESFS" ls -R --ca-file "$ca_file" \
		"$url/a"
	t "${url%%:*}: cat" says src/e/large/000003 "$DESFS" cat \
		--ca-file "$ca_file" "$url/a" e/large/000003
	t "${url%%:*}: verify" "$DESFS" verify --deep --ca-file "$ca_file" \
		"$url/a"
	t "${url%%:*}: extract" "$DESFS" extract --ca-file "$ca_file" \
		"$url/a" "x-${url%%:*}"
	t "${url%%:*}: what was extracted is right" same_by_rsync src \
		"x-${url%%:*}"
	t "${url%%:*}: mount" mount_up "$url/a" "m-${url%%:*}" \
		-o "ca_file=$ca_file"
	t "${url%%:*}: rsync sees no difference" same_by_rsync src \
		"m-${url%%:*}"
}

"$DESFS" ls -R web/a >ls.local
round "$nginx_url"
round "$nginx_tls_url"

# Closed ranges or bounded suffixes, and no HEAD.
odd_requests()
{
	grep -E '^(HEAD|GET [^ ]+ (-|bytes=[0-9]+-) )' "$nginx_log" |
		grep -v '^GET / '
}
t 'no request but GET with a range' not odd_requests
t 'a certificate nobody trusts is refused' not "$DESFS" ls "$nginx_tls_url/a"
t 'a web server is not written to' not "$DESFS_PACK" -q src "$nginx_url/b"

echo new >src/d/new
t 'more is packed and published' "$DESFS_PACK" -q --publish src web/a
t 'and read' says src/d/new "$DESFS" cat "$nginx_url/a" d/new
