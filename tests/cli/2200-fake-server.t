#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The test server does right, and wrong as it is told: it judges the others.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake
start_fake --bucket bkt --versioned ver --page 3 || exit
s3=$fake_url

printf 0123456789 >ten

# code CURL-ARGUMENTS: status, length of the body, curl's exit status
code()
{
	: >body
	code_out=$(curl -s -m 10 -o body -D head -w '%{http_code}' "$@")
	code_exit=$?
	echo "$code_out $(wc -c <body) $code_exit"
}

signed()
{
	code --aws-sigv4 aws:amz:us-east-1:s3 -u \
		"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@"
}

is()
{
	is_want=$1
	shift
	is_got=$("$@")
	[ "$is_got" = "$is_want" ] && return
	echo "$*: $is_got, not $is_want"
	cat head body
	return 1
}

# The status alone.
says()
{
	says_want=$1
	shift
	says_got=$("$@")
	[ "${says_got%% *}" = "$says_want" ]
}

get()
{
	signed "$s3/bkt/dir/ten" "$@"
}

has()
{
	grep -q "$1" body || {
		cat body
		return 1
	}
}

t 'an object is put' s3_curl PUT "$s3/bkt/dir/ten" -T ten
t 'and got' is '200 10 0' get
t 'a range is got' is '206 3 0' get -r 2-4
t 'of the right bytes' has '^234$'
t 'the end is got' is '206 4 0' get -r -4
t 'of the right bytes too' has '^6789$'
t 'more than there is, is all' is '206 10 0' get -r -99
t 'what lies behind it is not there' says 416 get -r 10-
t 'another tag fails' says 412 get -H 'If-Match: "other"'
t 'without signature there is nothing' says 403 code "$s3/bkt/dir/ten"
t 'and that says why' has AccessDenied

# refused CODE ARGUMENTS
refused()
{
	refused_code=$1
	shift
	code "$@" >/dev/null
	has "<Code>$refused_code</Code>"
}
sign='--aws-sigv4 aws:amz:us-east-1:s3'
other='--aws-sigv4 aws:amz:eu-west-1:s3'
hash='x-amz-content-sha256: UNSIGNED-PAYLOAD'
me=$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY
# shellcheck disable=SC2086 # two words
{
	t 'a wrong secret is refused' refused SignatureDoesNotMatch $sign \
		-u "$AWS_ACCESS_KEY_ID:other" -H "$hash" "$s3/bkt/dir/ten"
	t 'a wrong name is refused' refused InvalidAccessKeyId $sign \
		-u "other:$AWS_SECRET_ACCESS_KEY" -H "$hash" "$s3/bkt/dir/ten"
	t 'a wrong region is refused' refused AuthorizationHeaderMalformed \
		$other -u "$me" -H "$hash" "$s3/bkt/dir/ten"
	t 'a wrong body is refused' refused XAmzContentSHA256Mismatch $sign \
		-u "$me" -T ten -H "x-amz-content-sha256: $(
		echo | sha256sum | cut -c 1-64)" "$s3/bkt/x"
	t 'a wrong MD5 is refused' refused BadDigest $sign -u "$me" -T ten \
		-H "$hash" -H 'Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==' \
		"$s3/bkt/x"
	t 'the secret itself is refused' refused SecretLeaked $sign -u "$me" \
		-H "$hash" -H "x-other: $AWS_SECRET_ACCESS_KEY" \
		"$s3/bkt/dir/ten"
	t 'create-only is obeyed' refused PreconditionFailed $sign -u "$me" \
		-T ten -H "$hash" -H 'If-None-Match: *' "$s3/bkt/dir/ten"
	t 'what is not there is said so' refused NoSuchKey $sign -u "$me" \
		-H "$hash" "$s3/bkt/none"
}

for i in 1 2 3 4 5 6 7; do
	s3_curl PUT "$s3/ver/k$i" -T ten && s3_curl PUT "$s3/ver/k$i" -T ten
done
fake_reset
s3_keys "$s3" ver >keys
printf 'k%s\n' 1 2 3 4 5 6 7 >want
t 'all keys are listed' cmp want keys
t 'in pages of three' exactly 3 LIST
s3_curl GET "$s3/ver/?versions=" | sed 's/<Version>/\n&/g' >versions
t 'three of the versions are listed' is 3 grep -c '^<Version>' versions

# wrong RULE WANT CURL-ARGUMENTS: what it is with the rule
wrong()
{
	fake_rules "$1" || return 1
	wrong_want=$2
	shift 2
	is "$wrong_want" get "$@"
	wrong_status=$?
	[ "$(fake_used 1)" = 1 ] || return 1
	fake_rules ''
	return $wrong_status
}
t '503' wrong 'status=503 retry-after=7' '503 174 0'
t 'has Retry-After' grep -q '^Retry-After: 7' head
t 'no reply' wrong 'drop=fin' '000 0 52'
t 'a reset' wrong 'drop=rst' '000 0 56'
t 'no HTTP' wrong 'drop=garbage' '000 0 1'
t 'an early end' wrong 'cut-after=4' '200 4 18'
t 'a reset in the body' wrong 'reset-after=4' '200 4 56'
t 'a stall before' wrong 'latency=9000' '000 0 28' -m 1
t 'a stall inside' wrong 'stall-after=4' '200 4 28' -m 1
t 'a stall that ends' wrong 'stall-after=4 stall=200' '200 10 0'
t 'a trickle' wrong 'trickle=4' '200 10 0'
t 'more bytes than said' wrong 'overlong=5' '206 9 0' \
	-r 0-3 --ignore-content-length
t 'more bytes than asked for' wrong 'longer=5' '206 9 0' -r 0-3
t 'fewer bytes than asked for' wrong 'shorter=2' '206 2 0' -r 0-3
t '200 for a range' wrong 'full' '200 10 0' -r 0-3
t 'another range' wrong 'shift=2' '206 4 0' -r 0-3
t 'that says so' grep -q '^Content-Range: bytes 2-5/10' head
t 'a wrong header' wrong 'content-range=bytes%201-2/3' '206 4 0' -r 0-3
t 'that is it' grep -q '^Content-Range: bytes 1-2/3' head
t 'another tag' wrong 'etag=other' '200 10 0'
t 'that is it too' grep -q '^ETag: "other"' head
t 'a bit of the body' wrong 'flip=1' '206 3 0' -r 4-6
t 'is flipped' has '^446$'
t 'a bit of the object' wrong 'flip-object=-5' '206 3 0' -r 4-6
t 'is flipped there' has '^446$'
t 'a redirect' wrong 'redirect=http://127.0.0.1:1/' '307 183 0'
t 'credentials that expired' wrong 'expired' '400 178 0'

fake_rules 'kind=LIST endless=same'
s3_curl GET "$s3/bkt/?list-type=2" >body
t 'a list without an end' has '<IsTruncated>true.*'
fake_rules 'kind=GET nth=2 status=503' 'kind=GET key=dir/* from=4 count=1 status=500'
for i in 1 2 3 4 5; do
	get -s | cut -c 1-3
done | tr '\n' ' ' >codes
t 'rules count' is '200 503 200 500 200 ' cat codes
t 'a rule that is none is refused' not fake_rules 'bogus=1'

mkdir -p web/dir && cp ten web/dir
start_fake --web web || exit
t 'files are served' is '206 2 0' code "$fake_url/dir/ten" -r 3-4
t 'right' has '^34$'
t 'others are not there' is '404 22 0' code "$fake_url/dir/eleven"
t 'nor is what lies above' is '404 22 0' \
	code --path-as-is "$fake_url/dir/../../head"

start_fake --clock 1000 --bucket bkt || exit
t 'a clock that is wrong is noticed' refused RequestTimeTooSkewed \
	--aws-sigv4 aws:amz:us-east-1:s3 -u "$me" -H "$hash" "$fake_url/bkt/x"
t 'no log has the secret' not grep -rF "$AWS_SECRET_ACCESS_KEY" "$tmp"/fake-*
t 'nor a signature' not grep -ri signature "$tmp"/fake-*
