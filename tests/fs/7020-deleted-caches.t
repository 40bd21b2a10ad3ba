#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is deleted leaves the disk cache and the index cache: those of a mount, and
# those that nobody uses.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_fake

start_fake --bucket bkt || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
mkdir -p src/a src/b src/c
for f in a/one a/two b/three b/four c/five; do
	head -c 300000 /dev/urandom >src/$f
	# Stored as they are, so found as they are.
	head -c 100016 src/$f | tail -c 16 | od -An -v -tx1 | tr -d " \n" >"${f#*/}.bytes"
done
"$DESFS_PACK" -q src s3://bkt/a || exit

# Whether the bytes of a file are anywhere below a directory.
has_bytes()
{
	"$PYTHON" - "$1" "$(cat "$2.bytes")" <<-'EOF2'
	import os, sys
	want = bytes.fromhex(sys.argv[2])
	for at, _, files in os.walk(sys.argv[1]):
	    for f in files:
	        with open(at + "/" + f, "rb") as file:
	            if want in file.read():
	                sys.exit(0)
	sys.exit(1)
	EOF2
}

# The shards an index cache knows of, and pages in its log.
roots_in()
{
	"$PYTHON" - "$1" <<-'EOF2'
	import sqlite3, sys
	db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
	for (root,) in db.execute("select root from shards order by root"):
	    print(root.hex()[:16])
	EOF2
}

# Roots of the shards that count, by what the files are in.
keys()
{
	for p in a b c a/one a/two b/three b/four c/five; do
		"$DESFS" stat --json s3://bkt/a $p 2>/dev/null
	done | sed -n 's/.*_\([0-9a-f]*\)\.des".*/\1/p' | sort -u
}

only_counting()
{
	roots_in "$1" >roots && [ -s roots ] && keys >keys.now &&
		comm -23 roots keys.now >roots.old && cat roots.old &&
		[ ! -s roots.old ]
}

# Empty, or the file is not there.
no_log()
{
	[ ! -s "$1-wal" ]
}

delete()
{
	"$DESFS" --version >/dev/null && "$DESFS" tombstone add s3://bkt/a "$@"
}

mount_up s3://bkt/a mnt -o refresh=1,index_cache=m.sqlite,disk_cache=m.disk ||
	exit
cat mnt/a/one mnt/a/two mnt/b/three >/dev/null || exit
t 'blocks are kept' has_bytes m.disk one

leaves_disk()
{
	delete a/one && wait_for 60 not test -e mnt/a/one &&
		wait_for 60 not has_bytes m.disk one &&
		has_bytes m.disk two && has_bytes m.disk three
}
t 'blocks of a deleted file leave the disk cache of a mount' leaves_disk

rows_go()
{
	roots_in m.sqlite >roots.before && [ -s roots.before ] &&
		"$DESFS" repack --grace 0 --progress never s3://bkt/a &&
		cat mnt/a/two >/dev/null && ls mnt/a mnt/b >/dev/null &&
		wait_for 60 only_counting m.sqlite && wait_for 60 no_log m.sqlite
}
t 'rows of replaced shards leave its index cache, and its log' rows_go
t 'the mount reads on' cmp src/a/two mnt/a/two
umount mnt

# Caches of a mount that is down while something is deleted and repacked.
mount_up s3://bkt/a mnt -o refresh=1,index_cache=u.sqlite,disk_cache=u.disk &&
	cat mnt/a/two mnt/b/three mnt/b/four >/dev/null && umount mnt &&
	wait_for 60 not test -e u.sqlite-wal || exit
forgotten()
{
	cp -a u.sqlite v.sqlite && cp -a u.disk v.disk && delete a/two &&
		"$DESFS" repack --grace 1h --progress never s3://bkt/a &&
		has_bytes u.disk two && echo forget: &&
		"$DESFS" cache forget --index-cache=u.sqlite \
			--disk-cache=u.disk s3://bkt/a &&
		! has_bytes u.disk two && has_bytes u.disk four &&
		only_counting u.sqlite && no_log u.sqlite
}
t 'desfs cache forget does so without a mount' forgotten
again()
{
	has_bytes v.disk two && mount_up s3://bkt/a mnt \
		-o refresh=1,index_cache=v.sqlite,disk_cache=v.disk &&
		wait_for 60 not has_bytes v.disk two && umount mnt &&
		has_bytes v.disk four
}
t 'a mount that was down forgets when it begins' again

# The mount has heard of nothing, and knows of no shard that is gone.
mount_up s3://bkt/a mnt -o refresh=1,index_cache=,disk_cache=w.disk &&
	cat mnt/b/three mnt/b/four mnt/c/five >/dev/null && umount mnt || exit
unknown()
{
	has_bytes w.disk three && has_bytes w.disk five && delete b/three &&
		"$DESFS" reap --grace 0 s3://bkt/a || return
	cp -a w.disk x.disk && cp -a w.disk y.disk || return
	mount_up s3://bkt/a mnt -o refresh=1,index_cache=,disk_cache=w.disk &&
		wait_for 60 not has_bytes w.disk three && umount mnt &&
		has_bytes w.disk five || return
	"$DESFS" cache forget --index-cache=x.sqlite --disk-cache=x.disk \
		s3://bkt/a && ! has_bytes x.disk three && has_bytes x.disk five
}
t 'blocks of shards that nobody knows any more go, too' unknown

# What a record replaced that came in late, as of a clock that is behind.
late()
{
	cp x.disk/swept-* y.disk/ && has_bytes y.disk three &&
		"$DESFS" cache forget --index-cache=x.sqlite --disk-cache=y.disk \
			s3://bkt/a &&
		! has_bytes y.disk three && has_bytes y.disk five
}
t 'also when others were swept a moment ago' late
