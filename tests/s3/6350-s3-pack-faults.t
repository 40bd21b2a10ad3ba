#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A server that fails for good in the middle of a run: the error names the object
# and why, readers see what was there, and the next run completes it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"

need_fake
start_fake --bucket plain --versioned vers || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
first=2026-01-01T10:00:00Z second=2026-01-02T10:00:00Z
cat >conf <<'END'
[default]
part_size = 5M
retries = 1
timeout = 2
END
export DESFS_CONF="$tmp/conf"

# A small shard, and one of several parts.
mkdir -p old/a && files old/a 20 && cp -a old src && files src/a/more 30 2000 &&
	rm src/a/000003 && mkdir src/large &&
	head -c 12000000 /dev/urandom >src/large/f
pack_old()
{
	"$DESFS_PACK" -q --created-at $first old "$1"
}
pack()
{
	"$DESFS_PACK" -q --mirror --created-at $second src "$@"
}
undisturbed()
{
	pack_old local && "$DESFS" ls -R local >names.old && pack local &&
		"$DESFS" ls -R local >names.new &&
		(cd local && find 2* -name '*.des') | sort >keys.new
}
t 'what an undisturbed run makes' undisturbed

shows()
{
	rm -rf "${XDG_CACHE_HOME:?}"/*
	"$DESFS" ls -R "s3://$1" >names.now && diff "names.$2" names.now
}
later()
{
	fake_curl clock/3700 -X PUT && "$@"
	later_status=$?
	fake_curl clock/0 -X PUT && return $later_status
}
objects()
{
	s3_keys "$fake_url" "${1%%/*}" "$(echo "${1#*/}/" | sed 's|/|%2F|g')" |
		sed "s|^${1#*/}/||" | sort
}
named()
{
	later "$DESFS" verify "s3://$1" >verify.out || return 1
	objects "$1" | grep -e '^tmp/' -e '^20260102/' >left
	while IFS= read -r key; do
		grep -qF "${key##*/}" verify.out || {
			cat verify.out
			echo "verify does not name $key"
			return 1
		}
	done <left
}
complete()
{
	pack "s3://$1" && shows "$1" new && later "$DESFS_PACK" -q --clean \
		"s3://$1" && objects "$1" | grep '\.des$' | diff keys.new - &&
		! objects "$1" | grep '^tmp/' && rm -rf out &&
		"$DESFS" extract "s3://$1" out && diff -r src out &&
		later "$DESFS" verify --deep "s3://$1" >verify.out &&
		cat verify.out && ! grep note: verify.out
}

# fails NAME RULES STATUS TEXT: the second run fails so.
n=0
broken()
{
	fake_rules '' && pack_old "s3://$1" && shows "$1" old || return 1
	printf '%s\n' "$2" | fake_curl rules -X PUT --data-binary @- || return 1
	pack "s3://$1" >err 2>&1
	broken_status=$?
	broken_used=$(fake_used 1)
	fake_rules ''
	cat err
	[ "$broken_used" -ge 1 ] && [ $broken_status = "$3" ] &&
		grep -q "error: .*$4" err && [ "$(wc -l <err)" = 1 ]
}
fails()
{
	n=$((n + 1))
	place=plain/$n
	[ $((n % 2)) = 0 ] || place=vers/$n
	t "$1" broken $place "$2" "$3" "$4"
	t 'readers see what was there' shows $place old
	t 'verify names what is left' named $place
	t 'the next run makes what an undisturbed one does' complete $place
}
fails 'parts that fail for good' 'kind=PART from=2 status=500' 5 \
	'tmp/.*: .*500'
fails 'parts without an answer' 'kind=PART from=2 latency=60000' 14 'tmp/.*: '
fails 'parts that are cut off' 'kind=PART from=2 drop=rst' 5 'tmp/.*: '
fails 'a server that is busy for good' 'kind=PART from=2 status=503' 5 \
	'tmp/.*: .*503'
fails 'an upload that cannot begin' 'method=POST query=*uploads* status=500' 5 \
	'tmp/.*: .*500'
fails 'one that cannot be completed' 'method=POST query=*uploadId=* status=500' \
	5 'tmp/.*: .*500'
fails 'a copy that fails' 'kind=COPY status=500' 5 '20260102/.*des.*: .*500'
fails 'small shards that cannot be put' 'kind=PUT key=*/20260102/* status=500' \
	5 '20260102/.*des: .*500'
fails 'that may not be put' 'kind=PUT key=*/20260102/* denied' 10 \
	'20260102/.*des: '
fails 'a full bucket' \
	'kind=PUT key=*/20260102/* status=403 code=QuotaExceeded' 13 \
	'20260102/.*des: .*QuotaExceeded'
fails 'a server without room' 'kind=PART from=2 status=507' 13 \
	'tmp/.*: 507 .*no space left'
fails 'no log record' 'kind=PUT key=*/log/* status=500' 5 'log/.*json: .*500'
fails 'one without an answer' 'kind=PUT key=*/log/* latency=60000' 14 \
	'log/.*json: '
fails 'shards that cannot be looked at again' \
	'kind=GET key=*/20260102/* status=500' 5 '20260102/.*des: .*500'
fails 'other bytes than were sent' \
	'kind=GET key=*/20260102/* flip=-20' 6 '20260102/.*des: '
