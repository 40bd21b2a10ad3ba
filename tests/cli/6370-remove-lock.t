#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Of a lock in a bucket with versions the owner's goes last.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake
store_do=$BUILDDIR/tests/lib/store-do
need 'needs tests/lib/store-do' test -x "$store_do"
start_fake --bucket vers --versioned vers || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

# Three runs have put theirs, and two of them have not looked yet.
three_of() # KEY
{
	for n in 1 2 3; do
		echo "run $n" >body
		s3_curl PUT "$fake_url/vers/a/$1" -T body || return
	done
}
# stays_of PREFIX TEXT: when all but the first of the removals fail
stays_of()
{
	fake_rules 'kind=DELETE from=2 denied' || return
	"$store_do" s3://vers/a remove "$1/x" && return 1
	fake_rules && s3_get_versions "$fake_url" vers "a/$1" left || return
	cat left/* >all && cat all && [ "$(sort all)" = "$2" ]
}
owner_last()
{
	three_of _locks/x && stays_of _locks 'run 1
run 2'
}
t 'the last lock goes first' owner_last
others_first()
{
	three_of salts/x && stays_of salts 'run 2
run 3'
}
t 'of others the first, so that it stays hidden' others_first
all_gone()
{
	"$store_do" s3://vers/a remove _locks/x || return
	s3_get_versions "$fake_url" vers a/_locks left || return
	! find left -type f | grep .
}
t 'in the end all have gone' all_gone
