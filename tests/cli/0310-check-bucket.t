#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016
# desfs check-conf at a bucket: which permission is missing, one by one, and
# that nothing stays there.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake
start_fake --page 2 --bucket plain --versioned vers || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

# check BUCKET [RULE]...: its steps are in out
check()
{
	check_bucket=$1
	shift
	fake_rules "$@" && fake_reset || return 1
	"$DESFS" check-conf --write "s3://$check_bucket/a" >out 2>&1
	check_status=$?
	fake_rules
}
is_empty()
{
	s3_keys "$fake_url" "$1" >keys || return 1
	s3_curl GET "$fake_url/$1?versions=" >versions.xml || return 1
	s3_curl GET "$fake_url/$1?uploads=" >uploads.xml || return 1
	! grep -h -e . keys && ! grep -oh '<Key>[^<]*' versions.xml uploads.xml
}
# well STEP TEXT: it is told to be
well()
{
	grep -qx "ok $1: $2" out || {
		cat out
		return 1
	}
}

# With other tests of its own for what differs between the two.
for b in plain vers; do
	t "$b: with all rights all is well" eval \
		"check $b && [ \$check_status = 0 ] && ! grep FAILED out"
	t "$b: nothing stays there" is_empty $b
	t "$b: objects are made" well write 'objects can be made and read'
	t "$b: parts of them are read" well range '.*(206)'
	t "$b: they are copied" well copy 'objects can be copied .*'
	t "$b: uploads are aborted" well multipart 'uploads in parts can be .*'
	t "$b: they are listed" well uploads 'unfinished uploads can be listed'
	t "$b: the log has a request of each kind" eval \
		'for k in PUT COPY CREATE PART ABORT UPLOADS VERSIONS DELETE; do
			[ "$(fake_count $k)" -ge 1 ] || echo "no $k"
		done >none; cat none; [ ! -s none ]'
done
t 'a bucket that keeps versions is told' well versions \
	'the bucket keeps them, and they can be listed'
t 'they are removed one by one' well remove \
	'objects can be removed, by version id'
t 'what a server does not refuse is a note' grep -qx \
	'note create-only: the server ignores If-None-Match; .*' out
check plain
t 'a bucket without versions is told' well versions 'the bucket keeps none'
t 'a server that refuses to overwrite is told' well create-only \
	'the server refuses to overwrite'

# lacks BUCKET STEP RIGHT RULE...: the one step fails, and says what is missing
lacks()
{
	lacks_bucket=$1 lacks_step=$2 lacks_right=$3
	shift 3
	check "$lacks_bucket" "$@" && [ "$check_status" = 10 ] &&
		grep -q "^FAILED $lacks_step: the account needs $lacks_right, " \
			out && [ "$(grep -c '^FAILED' out)" = 1 ] &&
		[ "$(fake_count TOTAL)" -ge 5 ] && return
	echo "status $check_status"
	cat out
	return 1
}
# missing BUCKET STEP RIGHT RULE...: and nothing stays
missing()
{
	t "$1: without $3 $2 fails" lacks "$@"
	t "$1: and nothing stays" is_empty "$1"
}
for b in plain vers; do
	missing $b write s3:PutObject 'kind=PUT denied'
	missing $b multipart s3:PutObject 'kind=CREATE denied'
	missing $b multipart s3:PutObject 'kind=PART denied'
	missing $b multipart s3:AbortMultipartUpload 'kind=ABORT denied'
	missing $b uploads s3:ListBucketMultipartUploads 'kind=UPLOADS denied'
done
missing plain write s3:GetObject 'kind=GET key=*/tmp/*/try denied'
missing plain copy 's3:GetObject and s3:PutObject' 'kind=COPY denied'
missing vers copy 's3:GetObjectVersion and s3:PutObject' 'kind=COPY denied'
missing vers versions s3:ListBucketVersions 'kind=VERSIONS denied'
check plain 'kind=VERSIONS denied'
t 'without versions nobody needs to list them' grep -qx \
	'note versions: they cannot be listed, .*' out
t 'which is no failure' [ "$check_status" = 0 ]

# Answers that are lost: what they tell of is found all the same.
for b in plain vers; do
	t "$b: answers that are lost do not matter" eval "
		check $b 'kind=PUT count=1 applied drop=rst' \
			'kind=CREATE count=1 applied drop=rst' \
			'kind=COPY count=1 applied drop=rst' &&
			[ \$check_status = 0 ]"
	t "$b: and leave nothing" is_empty $b
done
t 'a put that fails for good is told' eval \
	"check plain 'kind=PUT status=500 applied' && [ \$check_status = 5 ] &&
	 grep -q '^FAILED write: ' out"
t 'and its object removed' is_empty plain
t 'a server that cannot copy is told' eval \
	"check plain 'kind=COPY status=501 code=NotImplemented' &&
	 grep -q '^FAILED copy: desfs-pack copies what is longer ' out"
t 'a server that gives all for a range is told' eval \
	"check plain 'range=bytes=0-0 full' && [ \$check_status = 6 ] &&
	 grep -q '^FAILED range: .* must answer a Range with 206: ' out"
t 'and nothing stays of that' is_empty plain

# What cannot be removed is told, and found by a clean-up.
t 'what stays is told' lacks plain remove s3:DeleteObject 'kind=DELETE denied'
t 'by name' grep -qE 'tmp/run-[0-9a-f]{16}/ stays behind, ' out
t 'versions that stay too' lacks vers remove s3:DeleteObjectVersion \
	'kind=DELETE query=*versionId=* denied'
mkdir src
echo 1 >src/file
for b in plain vers; do
	t "$b: a clean-up removes it" eval "
		'$DESFS_PACK' -q src s3://$b/a &&
			'$DESFS_PACK' --clean s3://$b/a &&
			s3_keys $fake_url $b >keys && ! grep tmp/ keys"
done

# Reading alone.
fake_reset
t 'an archive is well' "$DESFS" check-conf s3://plain/a
t 'which nothing is written for' eval \
	'[ "$(fake_count PUT)$(fake_count DELETE)" = 00 ]'
fake_rules 'range=bytes=0-0 full'
t 'that its ranges are not is told' eval \
	"! '$DESFS' check-conf s3://plain/a >out && grep -q '^FAILED range: ' out"
fake_rules

# An archive of an older program: that it cannot be looked for is not "none".
s3_put_all "$SRCDIR/tests/fixtures/legacy/des-v2/sidecar" "$fake_url" plain old
# older STATUS TEXT [RULE]...: with writing and without
older()
{
	older_status=$1 older_text=$2
	shift 2
	for older_write in '' --write; do
		fake_rules "$@" || return
		"$DESFS" check-conf --retries=1 $older_write s3://plain/old >out
		older_is=$?
		cat out
		[ $older_is = "$older_status" ] &&
			grep -qe "$older_text" out || return
		grep -q 'no archive is there' out && return 1
	done
	:
}
t 'an older one is told' older 0 '^ok read: an older'
t 'who may not look for it is told' older 10 \
	'^FAILED read: the account needs s3:ListBucket, ' \
	'kind=LIST query=*prefix=old%252F&* denied'
t 'so is that the server did not say' older 5 '^FAILED read: .*503' \
	'kind=LIST query=*prefix=old%252F&* status=503'
fake_rules
t 'no secret is in what was said' not grep -qF "$AWS_SECRET_ACCESS_KEY" out
