#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An archive with deletions and checkpoints, read from a web server that cannot
# list, with an index cache that is older.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake
PYTHON=${PYTHON:-python3}
need 'needs python3' command -v "$PYTHON" >/dev/null

write()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/log-writer.py" "$@"
}
mkdir src web
echo a >src/name-a && echo b >src/name-b && echo c >src/name-c
"$DESFS_PACK" -q --created-at 2026-01-01 src web/ar || exit
shard=$(cd web/ar && echo 2*/*.des)
mkdir more && echo z >more/z
"$DESFS_PACK" -q --publish --created-at 2026-01-02 more web/ar || exit
start_fake --web web || exit
web=$fake_url

shows()
{
	"$DESFS" ls --index-cache "$tmp/cache/index" "$web/ar" >names || return
	[ "$(tr '\n' ' ' <names)" = "$1" ] || {
		cat names
		return 1
	}
}
t 'an archive on the web' shows 'name-a name-b name-c z '
key=$(write web/ar tombstone name-b)
t 'before the index is new nothing is deleted there' shows 'name-a name-b name-c z '
t 'publish' "$DESFS" publish web/ar
t 'then it is' shows 'name-a name-c z '
t 'with a new cache, too' test "$("$DESFS" ls --index-cache '' "$web/ar" | wc -l)" = 3
mv "web/ar/$key" away
t 'a cache has the tombstone' shows 'name-a name-c z '
t 'without it, it is missed' not "$DESFS" ls --index-cache '' "$web/ar"
mv away "web/ar/$key"

write web/ar checkpoint
rm web/ar/log/2*
t 'an index that is too old is an error without a cache' \
	not "$DESFS" ls --index-cache '' "$web/ar"
t 'publish again' "$DESFS" publish web/ar
t 'a checkpoint is read' test "$("$DESFS" ls --index-cache '' "$web/ar" | wc -l)" = 3
t 'and by an older cache' shows 'name-a name-c z '

# What goes from the log goes from the cache.
write web/ar repack "$shard" --
write web/ar "done" "$key"
rm "web/ar/$key"
old=$(echo web/ar/log/checkpoint-*)
write web/ar checkpoint "$shard"
rm web/ar/log/2* "$old"
t 'publish once more' "$DESFS" publish web/ar
in_cache()
{
	cat cache/index* | grep -q "$1"
}
t 'the cache has names' in_cache name-b
t 'a repack counts' shows 'z '
t 'and no name is left in the cache' not in_cache name-b
t 'nor where the shard began and ended' not in_cache '"last":"name-c"'
