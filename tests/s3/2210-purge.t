#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016
# Removing all there is of an object from Ceph RGW: plain buckets, such that
# keep versions, have stopped to, or lock them.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_rgw
need 'needs tests/lib/store-do' test -x "$BUILDDIR/tests/lib/store-do"
start_rgw || exit
export AWS_ENDPOINT_URL_S3="$rgw_url"

echo one >one
echo two >two
echo three >three

do_in()
{
	do_bucket=$1
	shift
	"$BUILDDIR/tests/lib/store-do" "s3://$do_bucket/a" "$@"
}
# do_says WHAT BUCKET VERB...
do_says()
{
	do_want=$1
	shift
	do_in "$@" >do.out 2>&1
	do_status=$?
	cat do.out
	[ $do_status = 0 ] && [ "$(cat do.out)" = "$do_want" ]
}
# What a bucket holds of a key, oldest last: kind and version.
versions()
{
	s3_curl GET "$rgw_url/$1?prefix=a%2F$(echo "$2" | sed 's,/,%2F,g')&versions=" \
		>versions.xml || return 1
	{ sed 's/<Version>/\n&/g; s/<DeleteMarker>/\n&/g' versions.xml && echo; } |
	sed -n "s;^<\(Version\|DeleteMarker\)>.*<Key>a/$2</Key>.*<VersionId>\([^<]*\).*;\1 \2;p"
}
n_versions()
{
	versions "$1" "$2" >n.out || return 1
	cat n.out
	[ "$(wc -l <n.out)" = "$3" ]
}
none_of()
{
	n_versions "$1" "$2" 0
}
unreadable()
{
	! s3_curl GET "$rgw_url/$1/a/$2" -o got 2>/dev/null
}
put_over()
{
	s3_curl PUT "$rgw_url/$1/a/$2" -T "$3"
}

t 'a plain bucket' make_bucket "$rgw_url" plain
t 'an object' do_says made plain put d/x one
t 'and one whose key is longer' do_says made plain put d/xy one
t 'is removed' do_says removed plain purge d/x
t 'and gone' none_of plain d/x
t 'the other is there' n_versions plain d/xy 1
t 'what is not there is gone' do_says removed plain purge d/x

t 'a bucket with versions' make_bucket "$rgw_url" vers versioned
t 'an object' do_says made vers put d/x one
t 'in three versions' eval 'put_over vers d/x two && put_over vers d/x three'
t 'hidden by a plain DELETE' s3_curl DELETE "$rgw_url/vers/a/d/x"
t 'there are four' n_versions vers d/x 4
t 'all of them are removed' do_says 'versions removed' vers purge d/x
t 'and gone' none_of vers d/x
t 'a marker alone' s3_curl DELETE "$rgw_url/vers/a/d/y"
t 'is there' n_versions vers d/y 1
t 'and removed' do_says 'versions removed' vers purge d/y
t 'and gone too' none_of vers d/y

t 'what is replaced leaves no version' eval '
	do_in vers replace d/r one && do_in vers replace d/r two &&
	do_in vers replace d/r three && n_versions vers d/r 1 &&
	s3_curl GET "$rgw_url/vers/a/d/r" -o got && cmp got three'

status_of()
{
	echo "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>$2</Status></VersioningConfiguration>" >status.xml
	s3_curl PUT "$rgw_url/$1?versioning=" -T status.xml
}
t 'a bucket that begins to keep versions' make_bucket "$rgw_url" late
t 'with an object from before' do_in late put d/x one
t 'keeps them' status_of late Enabled
t 'another version' put_over late d/x two
t 'and stops to' status_of late Suspended
t 'and a last one, which is the first anew' put_over late d/x three
t 'there are two' n_versions late d/x 2
t 'both are removed' do_says 'versions removed' late purge d/x
t 'and gone' none_of late d/x
t 'one of no version' put_over late d/n three
t 'is removed' do_says removed late purge d/n
t 'and gone' none_of late d/n

# Seconds from now, as S3 writes it.
in_seconds()
{
	date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ
}
newest()
{
	versions "$1" "$2" | sed -n 's/^Version //p' | head -n 1
}
bypass=
retain()
{
	echo "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>$3</Mode><RetainUntilDate>$4</RetainUntilDate></Retention>" >lock.xml
	s3_curl PUT "$rgw_url/$1/a/$2?retention=&versionId=$(newest "$1" "$2")" \
		-T lock.xml -H "Content-MD5: $(openssl md5 -binary lock.xml | base64)" \
		${bypass:+-H "$bypass"}
}
hold()
{
	echo "<LegalHold xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>$3</Status></LegalHold>" >hold.xml
	s3_curl PUT "$rgw_url/$1/a/$2?legal-hold=&versionId=$(newest "$1" "$2")" \
		-T hold.xml -H "Content-MD5: $(openssl md5 -binary hold.xml | base64)"
}
t 'a bucket with locks' s3_curl PUT "$rgw_url/lock" \
	-H 'x-amz-bucket-object-lock-enabled: true'
t 'two versions of an object' eval \
	'do_in lock put d/x one && put_over lock d/x two'
until=$(in_seconds 15)
t 'the newest is locked' retain lock d/x COMPLIANCE "$until"
t 'it is kept until then' do_says "kept ${until%Z}.000000Z" lock purge d/x
t 'the other is gone, there is a marker' n_versions lock d/x 2
t 'nobody reads it' unreadable lock d/x
t 'it is kept until then, still' do_says "kept ${until%Z}.000000Z" lock purge d/x
t 'and no marker more' n_versions lock d/x 2

t 'an object under governance' do_in lock put d/g one
far=$(in_seconds 86400)
t 'is locked' retain lock d/g GOVERNANCE "$far"
t 'and kept until then: nobody bypasses it' \
	do_says "kept ${far%Z}.000000Z" lock purge d/g

t 'an object under a legal hold' do_in lock put d/h one
t 'is held' hold lock d/h ON
t 'and kept, nobody knows how long' do_says 'kept unknown' lock purge d/h
t 'nobody reads it' unreadable lock d/h
t 'the hold ends' hold lock d/h OFF
t 'it is removed' do_says 'versions removed' lock purge d/h
t 'and gone' none_of lock d/h

t 'what a dead run left, locked' eval 'put_over lock tmp/run-00000000000000ff/1 one &&
	retain lock tmp/run-00000000000000ff/1 COMPLIANCE "$(in_seconds 15)"'
t 'is no failure of a clean-up' do_in lock leftovers remove
t 'it stays' n_versions lock tmp/run-00000000000000ff/1 1
freed()
{
	do_in lock leftovers remove && none_of lock tmp/run-00000000000000ff/1
}
t 'until the lock ends' wait_for 120 freed

unlocked()
{
	do_in lock purge d/x >do.out 2>&1 || return 1
	[ "$(cat do.out)" = 'versions removed' ]
}
t 'the lock ends: it is removed' wait_for 120 unlocked
t 'and gone' none_of lock d/x

# A deletion whose old bytes are locked is pending until that ends.
ar=s3://lock/a/ar
far=$(in_seconds 86400)
lock_all()
{
	while IFS= read -r key; do
		retain lock "$key" GOVERNANCE "$1" </dev/null || return 1
	done <locked.txt
}
pending()
{
	"$DESFS" reap --grace 0 $ar && "$DESFS" reap --grace 0 $ar &&
		"$DESFS" erasures --json $ar >erasures.out || return 1
	cat erasures.out
	grep -F '"state":"pending"' erasures.out |
		grep -F "\"pending_until\":\"${far%Z}.000000Z\""
}
receipt_says()
{
	s3_get_versions "$rgw_url" lock a/ar/log found || return 1
	grep -lF '"kind":"erased"' found/* | xargs cat >receipts.out
	cat receipts.out
	grep -F '"how":"pending"' receipts.out |
		grep -F "\"until\":\"${far%Z}.000000Z\""
}
final()
{
	"$DESFS" reap --grace 0 $ar && "$DESFS" erasures --all --json $ar |
		grep -F '"final":true'
}
none_left()
{
	while IFS= read -r key; do
		none_of lock "$key" && return
	done <locked.txt
	return 1
}
mkdir -p src/d && echo gone >src/d/gone && echo stays >src/stays
t 'an archive' "$DESFS_PACK" -q --n-bits 4 src $ar
s3_keys "$rgw_url" lock a/ar/2 | sed 's,^a/,,' >locked.txt
t 'has shards' [ -s locked.txt ]
t 'which are locked' lock_all "$far"
t 'something is deleted' "$DESFS" tombstone add --no-copies $ar d/gone
t 'that is pending until the lock ends' pending
t 'and its receipt says so' receipt_says
t 'which is sound' "$DESFS" erasures verify $ar
t 'nobody reads it' not "$DESFS" cat $ar d/gone
bypass='x-amz-bypass-governance-retention: true'
t 'the locks are taken off' lock_all "$(in_seconds 10)"
t 'it is final then' wait_for 120 final
t 'and the old shard is gone' none_left
t 'and receipts are sound' "$DESFS" erasures verify $ar

uploads()
{
	s3_curl GET "$rgw_url/$1?uploads=" >uploads.xml || return 1
	{ sed 's/<Key>/\n&/g' uploads.xml && echo; } | sed -n 's|^<Key>\([^<]*\).*|\1|p'
}
begin_upload()
{
	s3_curl POST "$rgw_url/$1/a/$2?uploads=" -o up.xml &&
		id=$(sed 's/.*<UploadId>//; s/<.*//' up.xml) &&
		s3_curl PUT "$rgw_url/$1/a/$2?partNumber=1&uploadId=$id" -T one
}
t 'unfinished uploads' eval 'begin_upload vers d/u && begin_upload vers d/u &&
	begin_upload vers d/uu'
t 'of a key go with it' do_says removed vers purge d/u
t 'and not of another' eval '[ "$(uploads vers)" = a/d/uu ]'
t 'strays are told' eval 'do_in vers strays >s && cat s &&
	grep -q "^unfinished upload of d/uu 0 [0-9]*$" s'
t 'young ones stay' eval 'do_in vers strays remove 3600 >s && ! grep removed s &&
	[ "$(uploads vers)" = a/d/uu ]'
t 'old ones go' eval 'do_in vers strays remove 0 >s && grep removed s &&
	[ ! "$(uploads vers)" ]'

t 'no run is the oldest' do_says none vers oldest
"$BUILDDIR/tests/lib/store-do" s3://vers/a run 600 >run.out &
run_pid=$!
t 'a run begins' wait_for 60 grep -q running run.out
t 'and is told' eval 'age=$(do_in vers oldest) && echo "$age" &&
	[ "$age" -ge 0 ] && [ "$age" -lt 600 ]'
kill $run_pid
