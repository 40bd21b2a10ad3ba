#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2094
# Packing into buckets: what is sent, what a failing server, another packer and
# a kill leave behind.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"

need_fake
when=2026-01-02T10:00:00Z
# Short pages, so that lists have several.
start_fake --page 3 --bucket plain --versioned vers || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
# The smallest parts, so that a file of 12 MB needs three.
cat >conf <<'END'
[default]
part_size = 5M
END
export DESFS_CONF="$tmp/conf"

mkdir -p small/a small/b large
for i in 1 2 3 4 5 6 7 8; do
	mkdir -p "small/d$i"
	seq "$i" 500 >"small/d$i/f"
done
head -c 3000000 /dev/urandom >large/short
mkdir large/x
head -c 12000000 /dev/urandom >large/x/long

pack()
{
	"$DESFS_PACK" -q --created-at $when "$@"
}
sound()
{
	"$DESFS" verify "$1" >verify.out 2>&1 || {
		cat verify.out
		return 1
	}
	! grep note: verify.out
}
same()
{
	rm -rf out
	"$DESFS" extract "$1" out && diff -r "$2" out
}
# A prefix as curl signs it.
encoded()
{
	echo "$1" | sed 's|/|%2F|g'
}
# The keys below tmp/, and unfinished uploads: nothing of them may stay.
left()
{
	s3_keys "$fake_url" "${1%%/*}" "$(encoded "${1#*/}/tmp/")" &&
		s3_curl GET "$fake_url/${1%%/*}?uploads=" >uploads.xml &&
		sed 's/<Key>/\n&/g' uploads.xml |
		sed -n "s|^<Key>\(${1#*/}/[^<]*\).*|upload of \1|p"
}
clean_of()
{
	left "$1" >left || return 1
	cat left
	[ ! -s left ]
}
versions_of()
{
	s3_curl GET "$fake_url/$1?prefix=$(encoded "$2")&versions=" | grep -o '<Key>' | wc -l
}

for b in plain vers; do
	t "$b: small shards are packed" pack small s3://$b/small
	t "$b: and are right" same s3://$b/small small
	t "$b: long ones go up in parts" pack large s3://$b/large
	t "$b: and are right" same s3://$b/large large
	t "$b: nothing else stays of either" eval \
		"clean_of $b/small && clean_of $b/large"
	t "$b: all is sound" eval "sound s3://$b/small && sound s3://$b/large"
done
t 'seven parts were sent at most for one shard and a bit' \
	[ "$(fake_count PART)" -le 14 ]

fake_reset
t 'a second run adds nothing' pack small s3://plain/small
t 'and writes no shard' eval '! grep -q "PUT .*\.des" "$fake_log"'

# A run that dies before its log record: its shards are taken.
unlogged()
{
	fake_killed 'kind=PUT key=again/log/*' "$DESFS_PACK" -q \
		--created-at $when small s3://plain/again &&
		s3_keys "$fake_url" plain again%2F | grep '\.des$' &&
		fake_reset && pack small s3://plain/again
}
t 'a run whose shards are there' unlogged
t 'puts none of them again' eval '! grep -q "PUT .*/again/2.*\.des" "$fake_log"'
t 'and the archive is whole' same s3://plain/again small

t 'a bucket that is not there is named' eval \
	'! pack small s3://none/x 2>err && grep -q "bucket none does not exist" err'

# Failures of the server, one at a time.
n=0
fails()
{
	n=$((n + 1))
	t "$1: the shards are right all the same" eval \
		"fake_rules '$2' && pack large s3://$3/f$n &&
		 [ \"\$(fake_used 1)\" -ge 1 ] && fake_rules &&
		 same s3://$3/f$n large && sound s3://$3/f$n &&
		 clean_of $3/f$n"
}
fails 'a part answered with 503' 'kind=PART count=1 status=503' plain
fails 'a part whose answer is lost' 'kind=PART count=1 status=500 applied' plain
fails 'a part that is cut off' 'kind=PART nth=2 drop=rst' plain
fails 'a small put whose answer is lost' \
	'kind=PUT key=*.des count=1 applied drop=rst' plain
fails 'the same where versions are kept' \
	'kind=PUT key=*.des count=1 applied drop=rst' vers
fails 'a log record whose answer is lost' \
	'kind=PUT key=*/log/* count=1 applied drop=fin' plain
fails 'a descriptor whose answer is lost' \
	'kind=PUT key=*desfs.json count=1 applied drop=fin' vers
fails 'an upload that ends without an answer' \
	'method=POST query=*uploadId=* count=1 applied drop=rst' plain
fails 'an upload that begins without an answer' \
	'method=POST query=*uploads* count=1 applied drop=rst' plain
fails 'a copy answered with 503' 'kind=COPY count=1 status=503' plain
fails 'a copy whose answer is lost' 'kind=COPY count=1 applied drop=rst' plain
fails 'a copy that is too large for one request' \
	'kind=COPY status=400 code=InvalidRequest query=' plain
fails 'a clock that is wrong' 'kind=PUT count=1 skewed' plain

t 'a server that fails for good is an error' eval \
	"fake_rules 'kind=PART status=500' &&
	 ! \"\$DESFS_PACK\" -q large s3://plain/bad 2>err && fake_rules"
t 'which leaves no upload' eval \
	'left plain/bad >left && ! grep upload left'
t 'and no mark of a run alive' eval 'grep claim left && ! grep alive left'
t 'and what it claims can be cleaned when the run was made again' eval \
	'pack large s3://plain/bad &&
	 "$DESFS_PACK" --clean s3://plain/bad && clean_of plain/bad'

# A server that stores other bytes than it was sent.
t 'a tag that is not that of the bytes is noticed' eval \
	"fake_rules 'kind=PUT key=*/2*.des etag=%22$(printf '%032d' 7)%22' &&
	 ! pack small s3://plain/tag 2>err && fake_rules && grep -q ETag err"
t 'and such an object removed' eval \
	'! s3_keys "$fake_url" plain tag%2F | grep "\.des$"'

# Two at once.
race()
{
	pack small "s3://$1" 2>race.1 &
	race_pid=$!
	pack small "s3://$1" 2>race.2
	race_2=$?
	wait $race_pid
	race_1=$?
	cat race.1 race.2
	[ $race_1$race_2 = 00 ]
}
for b in plain vers; do
	t "$b: two packers at once do well" race $b/race
	t "$b: their archive is right" eval \
		"same s3://$b/race small && sound s3://$b/race"
	t "$b: nothing else stays" clean_of $b/race
	t "$b: there is one descriptor" \
		[ "$(versions_of $b race/desfs.json)" = 1 ]
done

# A kill in the middle: the parts wait for an answer.
kill_it()
{
	fake_rules 'kind=PART from=2 latency=60000' &&
		fake_reset || return 1
	"$DESFS_PACK" -q --created-at $when large "s3://$1" &
	kill_pid=$!
	wait_for 20 eval '[ "$(fake_count PART)" -ge 2 ]' && kill -9 $kill_pid
	wait $kill_pid
	fake_rules
	left "$1" >left || return 1
	grep 'upload of' left
}
for b in plain vers; do
	t "$b: a run is killed" kill_it $b/killed
	t "$b: for an hour it may be alive" eval \
		"\"\$DESFS_PACK\" --clean s3://$b/killed &&
		 left $b/killed | diff left -"
	t "$b: another run does well" pack large s3://$b/killed
	t "$b: after an hour the rest is cleaned" eval \
		"fake_curl clock/3700 -X PUT &&
		 \"\$DESFS_PACK\" --clean s3://$b/killed &&
		 fake_curl clock/0 -X PUT && clean_of $b/killed"
	t "$b: and the archive is right" eval \
		"same s3://$b/killed large && sound s3://$b/killed"
done

# A server two hours behind, credentials that may not see versions: marks are
# compared with the server's clock alone.
behind()
{
	fake_curl clock/-7200 -X PUT && "$@"
	behind_status=$?
	fake_curl clock/0 -X PUT && return $behind_status
}
killed_behind()
{
	fake_curl clock/-7200 -X PUT && kill_it plain/behind
	fake_curl clock/0 -X PUT && left plain/behind >left && grep alive left
}
clean_unseen()
{
	fake_rules 'kind=VERSIONS denied' &&
		"$DESFS_PACK" --clean s3://plain/behind &&
		[ "$(fake_used 1)" -ge 1 ] && fake_rules
}
t 'behind: a run is killed' killed_behind
t 'behind: for an hour it may be alive' eval \
	'behind clean_unseen && left plain/behind | diff left -'
t 'behind: after an hour the rest is cleaned' eval \
	'pack large s3://plain/behind && clean_unseen && clean_of plain/behind'
t 'no secret is in what was said' not grep -rqF "$AWS_SECRET_ACCESS_KEY" \
	err race.1 race.2 verify.out "$fake_log"
