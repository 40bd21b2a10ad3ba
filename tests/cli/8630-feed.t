#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Records with times of their own go with all else that is done to an archive:
# workers, deletion, repacking, packing of directories.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
export DESFS_CONF=

# record UID SECOND TEXT: of the second of 2024-01-02
record()
{
	mkdir -p src
	printf %s "$3" >"src/$2-$3"
	printf '{"uid":"%s","created_at":"2024-01-02T00:00:%02dZ",' "$1" "$2"
	printf '"size":%d,"path":"src/%s-%s"}\n' "${#3}" "$2" "$3"
}
# packs STATUS ARGUMENT...: list into ar
packs()
{
	want=$1
	shift
	"$DESFS_PACK" -q --manifest list --report report "$@" ar 2>err
	is=$?
	[ $is = "$want" ] || { cat err; return 1; }
}
# statuses STATUS...: of the records in their order
statuses()
{
	sed 's/.*"status":"\([a-z_]*\)".*/\1/' report | tr '\n' ' ' >is
	echo "$* " | tr -d '\n' | diff - is
}
# has TIME UID TEXT
has()
{
	"$DESFS" get --created-at "2024-01-02T00:00:$1Z" ar "$2" >is &&
		printf %s "$3" | cmp - is
}
{
	record a/b/f 1 one
	record a/b/f 2 two
	record a/g 2 gee
	record other/h 3 aitch
	record i 4 eye
} >list

# --- workers, and what was there ---------------------------------------------
workers()
{
	for w in 1 2 3; do
		packs 0 --worker $w/3 --throttle 1000files/s &&
			wc -l <report || return
		cat report >>all
	done
	mv all report
	[ "$(grep -c '"archived"' report)" = 5 ]
}
t 'workers pack each record once' workers
t 'then all are there' packs 0
t 'which is told' statuses there there there there there
# trees [NAME]: that is in a, too
trees()
{
	"$DESFS" ls -R ar | tr -s '\n' ' ' >is
	printf '.: a i other a: b g%s a/b: f other: h ' "$1" | diff - is
}
t 'with the directories above them' trees
t 'in all versions' has 01 a/b/f one
t 'and the last one' has 02 a/b/f two
t 'all is sound' "$DESFS" verify --deep ar

# --- beside directories -------------------------------------------------------
beside()
{
	mkdir -p dir/a && echo walked >dir/a/w &&
		"$DESFS_PACK" -q dir ar && "$DESFS" cat ar a/w a/g >is &&
		printf 'walked\ngee' | cmp - is && packs 0 &&
		statuses there there there there there
}
t 'what is walked lies beside' beside

# --- made again ---------------------------------------------------------------
repacked()
{
	"$DESFS" repack --grace 0s --recompress none ar >/dev/null &&
		trees ' w' && packs 0 && statuses there there there there there &&
		"$DESFS" verify --deep ar && has 01 a/b/f one
}
t 'a repack keeps them, and they are there' repacked

# --- elsewhere ----------------------------------------------------------------
# same URL: packed twice into that, from two stores or over a wire
same()
{
	"$DESFS_PACK" -q --manifest list --report report "$1" &&
		statuses archived archived archived archived archived &&
		"$DESFS_PACK" -q --manifest list --report report "$1" &&
		statuses there there there there there &&
		"$DESFS" get --created-at 2024-01-02T00:00:01Z "$1" a/b/f >is &&
		printf one | cmp - is && "$DESFS" verify "$1"
}
cat >zones <<'END'
[zones]
n_bits = 4
[store a]
url = a
[store b]
url = b
[zone all]
slots = 0-15
stores = a, b
END
t 'zones hold them' same zone://zones
if [ -x "$FAKE_S3" ]; then
	start_fake --bucket bkt || exit
	export AWS_ENDPOINT_URL_S3="$fake_url"
	t 'so do buckets' same s3://bkt/ar
else
	skip_t 'so do buckets' 'needs the test server'
fi

# --- deleted ------------------------------------------------------------------
delete_version()
{
	"$DESFS" tombstone add --created-at 2024-01-02T00:00:02Z ar a/b/f \
		>/dev/null && packs 0 &&
		statuses there erased there there there
}
t 'a version that was deleted is not packed again' delete_version
delete_name()
{
	"$DESFS" tombstone add ar other/h >/dev/null && packs 0 &&
		statuses there erased there erased there &&
		[ -z "$("$DESFS" ls ar other)" ]
}
t 'nor is a name' delete_name
delete_done()
{
	"$DESFS" repack --when-deleted 0 --grace 0s ar >/dev/null &&
		"$DESFS" tombstone aggregate ar >/dev/null &&
		packs 0 && cat report &&
		statuses there erased there erased there &&
		"$DESFS" verify --deep ar
}
t 'when its bytes are gone, too' delete_done
allowed()
{
	packs 1 --allow-erased && statuses there failed there failed there &&
		grep '"record":2,.*tombstone' report
}
t 'with --allow-erased it is said that it would not be seen' allowed
deletion_done()
{
	"$DESFS" tombstone key secret >/dev/null &&
		printf '[default]\nerasure_key = secret\n' >conf &&
		export DESFS_CONF="$tmp/conf" &&
		"$DESFS" reap --grace 0 ar && record other/h 3 aitch >list &&
		packs 0 && statuses erased && [ -z "$("$DESFS" ls ar other)" ]
}
t 'when the deletion is done' deletion_done
come_back()
{
	DESFS_CONF="$tmp/conf" && export DESFS_CONF &&
		packs 0 --allow-erased && statuses archived &&
		has 03 other/h aitch && "$DESFS" verify --deep ar
}
t 'then what is allowed comes back' come_back
# Its shard would be the one that was removed, byte by byte.
alone()
{
	DESFS_CONF="$tmp/conf" && export DESFS_CONF && rm -rf ar &&
		record d7/h 1 alone >list && packs 0 && statuses archived &&
		mv report first && "$DESFS" tombstone add ar d7/h >out &&
		"$DESFS" reap --grace 0 ar && packs 0 --allow-erased &&
		statuses archived && cat report && not cmp report first &&
		has 01 d7/h alone && "$DESFS" verify --deep ar
}
t 'so does what was alone in its shard' alone
