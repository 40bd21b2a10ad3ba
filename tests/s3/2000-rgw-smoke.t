#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An archive in Ceph RGW: packed, mounted, read by all tools, packed again; its
# bytes are those of a local archive.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_rgw

files src/d 300 2000
files src/e/deep/er 190 100
files src/e/large 8 500000
"$PYTHON" -c 'import random, sys
for i in range(40):
    sys.stdout.buffer.write(random.Random(i).randbytes(1000000))' >src/huge
mkdir -p 'src/odd names' src/empty
echo "percent and plus" >'src/odd names/a%20b+c&d=e?f#g'
echo umlaut >"src/odd names/ä ö"
: >src/nothing
ln -s ../d/000001 src/e/link
ln src/d/000002 src/e/hard

stamp=2026-01-01T10:00:00Z
"$DESFS_PACK" -q --created-at $stamp src local || exit
shards_of local >local.sum

start_rgw || exit
s3="--endpoint $rgw_url"

# Keys and digests of all shards below s3://BUCKET/PREFIX, as shards_of.
remote_shards()
{
	s3_keys "$rgw_url" "$1" "$2/" | grep '\.des$' >remote.keys
	while IFS= read -r key; do
		s3_curl GET "$rgw_url/$1/$key" -o remote.object || return 1
		echo "$(sha256sum <remote.object | cut -c 1-64)  ./${key#"$2/"}"
	done <remote.keys | sort -k 2
}

same_shards()
{
	remote_shards "$1" "$2" >remote.sum
	[ -s local.sum ] && diff local.sum remote.sum
}

no_leftovers()
{
	s3_keys "$rgw_url" "$1" "$2/tmp/" >leftovers &&
		s3_curl GET "$rgw_url/$1?uploads=" >uploads &&
		! grep . leftovers && ! grep -o '<Upload>.*' uploads
}

# No key has two versions of different bytes, and none was removed; packers that
# make the same at the same time may have put it twice.
nothing_written_over()
{
	s3_curl GET "$rgw_url/$1?prefix=$(echo "$2/" | sed 's,/,%2F,g')&versions=" \
		>versions || return 1
	sed 's/<Version>/\n&/g; s/<DeleteMarker>/\n&/g' versions |
		sed -nE 's/^<Version>.*<Key>([^<]*).*<ETag>([^<]*).*/\1 \2/p' |
		sort -u >version.keys
	grep -q '\.des ' version.keys || return 1
	! cut -d ' ' -f 1 version.keys | uniq -d | grep . &&
		! grep -o '<DeleteMarker>.*' versions
}

# says FILE COMMAND...: it says what is in the file
says()
{
	says_file=$1
	shift
	"$@" >said && cmp "$says_file" said
}

# shellcheck disable=SC2086 # words
round()
{
	t "$1: a bucket is made" make_bucket "$rgw_url" "$1" "$2"
	t "$1: a tree is packed" \
		"$DESFS_PACK" -q $s3 --created-at $stamp src "s3://$1/a/b"
	t "$1: the shards are those of a local pack" same_shards "$1" a/b
	t "$1: nothing is left over" no_leftovers "$1" a/b
	t "$1: it is mounted" mount_up "s3://$1/a/b" "m-$1" \
		-o "endpoint=$rgw_url"
	t "$1: rsync sees no difference" same_by_rsync src "m-$1"
	t "$1: nor does diff" same_by_diff src "m-$1"
	"$DESFS" ls -R local >ls.local
	t "$1: ls" says ls.local "$DESFS" ls -R $s3 "s3://$1/a/b"
	t "$1: cat" says src/huge "$DESFS" cat $s3 "s3://$1/a/b" huge
	t "$1: extract" "$DESFS" extract $s3 "s3://$1/a/b" "x-$1"
	t "$1: what was extracted is right" same_by_rsync src "x-$1"
	t "$1: verify" "$DESFS" verify --deep $s3 "s3://$1/a/b"
	t "$1: the same is packed again" "$DESFS_PACK" -q $s3 src "s3://$1/a/b"
	t "$1: changes no shard" same_shards "$1" a/b
}

round bucket ''
round versions versioned
t 'no version was written over' nothing_written_over versions a/b

# What is new is seen, by tools and by the mount.
echo new >src/d/new
echo changed >src/d/000007
t 'what is new is packed' "$DESFS_PACK" -q --endpoint "$rgw_url" src \
	s3://versions/a/b
t 'is read' says src/d/000007 "$DESFS" cat --endpoint "$rgw_url" \
	s3://versions/a/b d/000007
t 'is mounted' mount_up s3://versions/a/b m-new -o "endpoint=$rgw_url"
t 'and right' same_by_rsync src m-new

# Two at once with the same stamp and slots: nothing is lost or written over.
two_at_once()
{
	for i in 1 2; do
		"$DESFS_PACK" --progress=never --endpoint "$rgw_url" \
			--created-at $stamp "$@" >"two.$i" 2>&1 &
		eval "two_$i=$!"
	done
	wait "$two_1"
	two_status_1=$?
	wait "$two_2"
	two_status_2=$?
	cat two.1 two.2
	[ "$two_status_1$two_status_2" = 00 ]
}
t 'two packers at once, in a bucket with versions' \
	two_at_once src s3://versions/two
t 'write nothing over' nothing_written_over versions two
t 'what they made is well' "$DESFS" verify --deep --endpoint "$rgw_url" \
	s3://versions/two
t 'nothing is left of them' no_leftovers versions two

# TLS.
t 'over https' "$DESFS" ls --endpoint "$rgw_tls_url" --ca-file "$ca_file" \
	s3://bucket/a/b d/000001
t 'with a certificate nobody trusts' not "$DESFS" ls \
	--endpoint "$rgw_tls_url" s3://bucket/a/b d/000001

# RGW dies and comes again.
t 'mounted without anything cached' mount_up s3://bucket/a/b m-kill \
	-o "endpoint=$rgw_url,index_cache=,timeout=3"
rgw_daemon kill rgw
t 'without RGW reading fails in time' not timeout 30 cat m-kill/e/large/000003
t 'and pack does' not timeout 100 "$DESFS_PACK" -q --endpoint "$rgw_url" \
	--timeout 3 src s3://bucket/c
t 'RGW starts' rgw_daemon start rgw
t 'reading is right again' cmp src/e/large/000003 m-kill/e/large/000003
t 'the rest too' same_by_diff src/e m-kill/e
