#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Deletions in buckets and zones: recorded everywhere or not at all, and no name
# in what goes over the wire but the document.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake
need 'needs jq' command -v jq
start_fake --page 5 --bucket bkt --versioned vers || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

mkdir -p src/secret src/other
echo 1 >src/secret/alice
echo 2 >src/secret/bob
echo 3 >src/other/carol

quiet()
{
	"$DESFS" tombstone "$@" >out 2>err || { cat out err; return 1; }
}

# --- a bucket

t 'an archive in a bucket' "$DESFS_PACK" -q src s3://bkt/ar
t 'is read' sh -c "'$DESFS' cat s3://bkt/ar secret/alice | grep -x 1"
fake_reset
t 'a deletion' quiet add s3://bkt/ar secret/alice
t 'tells no name in a request' not grep alice "$fake_log"
t 'is there for those who have a cache' not "$DESFS" cat s3://bkt/ar secret/alice
t 'and those who have none' not "$DESFS" cat --index-cache= s3://bkt/ar secret/alice
t 'others can be read' sh -c "'$DESFS' cat s3://bkt/ar secret/bob | grep -x 2"
kept_out()
{
	"$DESFS_PACK" --json "$@" src s3://bkt/ar >out 2>err
	cat out err
	jq -e '.erased == 1 and .packed == 0' out
}
t 'it is not packed again' kept_out
t 'nor without a cache' kept_out --index-cache=
t 'it is listed' sh -c "'$DESFS' tombstone list -v s3://bkt/ar | grep 'secret/alice$'"
t 'more of it' quiet add -r --index-cache= s3://bkt/ar secret
t 'is deleted' not "$DESFS" cat s3://bkt/ar secret/bob
t 'an aggregate' quiet aggregate s3://bkt/ar
t 'is written' sh -c "grep -E '^(1|2|3) ' out"
t 'taken back' quiet remove s3://bkt/ar secret/bob secret
t 'it is there again' sh -c "'$DESFS' cat s3://bkt/ar secret/bob | grep -x 2"

# A document that cannot be read back is not acknowledged.
names()
{
	"$DESFS" ls s3://bkt/ar secret
}
names >before
fake_rules 'kind=PUT key=*ar/log/* denied'
t 'no record, no deletion' not quiet add s3://bkt/ar secret/bob
t 'it says that nobody knows' grep 'not known' err
fake_rules 'kind=PUT key=*ar/tombstones/* denied'
t 'no document, none either' not quiet add s3://bkt/ar secret/bob
fake_rules 'kind=GET key=*ar/tombstones/* denied'
t 'nor if it cannot be read' not quiet add --index-cache= s3://bkt/ar secret/bob
fake_rules
t 'all is as it was' sh -c "'$DESFS' ls s3://bkt/ar secret | diff before -"
fake_rules 'kind=PUT key=*ar/log/* applied drop=rst count=1'
t 'an answer that is lost costs nothing' quiet add s3://bkt/ar secret/bob
t 'it was done once' sh -c "'$DESFS' tombstone show --json s3://bkt/ar secret/bob |
	jq -r 'select(.kind == \"erasure\" and .withdrawn == false).id' | wc -l | grep -x 1"
fake_rules
t 'it' not "$DESFS" cat s3://bkt/ar secret/bob

# --- zones

mkdir one two
cat >z <<END
[zones]
n_bits = 4
[store one]
url = one
[store two]
url = two
[store three]
url = s3://vers/z
[zone low]
slots = 0-7
stores = one, two
[zone high]
slots = 8-15
stores = three
END
t 'an archive in zones' "$DESFS_PACK" -q src zone://z
t 'a deletion in it' quiet add zone://z secret/alice
everywhere()
{
	for dir in one two; do
		find $dir/tombstones -name '*.json' | wc -l | grep -x 1 ||
			return 1
		grep -l '"kind":"tombstones"' $dir/log/* | wc -l | grep -x 1 ||
			return 1
	done
	s3_keys "$fake_url" vers z/tombstones | wc -l | grep -x 1
}
t 'is in every place' everywhere
t 'and obeyed' not "$DESFS" cat zone://z secret/alice
chmod 0 two/tombstones
if [ "$(id -u)" = 0 ]; then
	chmod 755 two/tombstones
	mv two/tombstones kept
	echo x >two/tombstones
fi
t 'where one place cannot be written' not quiet add zone://z secret/bob
t 'nothing is deleted' sh -c "'$DESFS' cat zone://z secret/bob | grep -x 2"
