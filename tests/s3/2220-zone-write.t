#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016
# Writing to zones in buckets: what fails in one store, and runs that are killed
# after a request.  $EVERY: after every such request of each kind.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake
start_fake --page 5 --bucket plain --versioned vers || exit
export AWS_ENDPOINT_URL_S3="$fake_url"

# Slots 0 to 7 in a bucket and a directory, 8 to 15 in one that keeps versions.
zones()
{
	mkdir "$1" || return 1
	cat >"$1/z" <<-EOF
	[zones]
	n_bits = 4
	[store one]
	url = s3://plain/$1
	[store dir]
	url = dir
	[store two]
	url = s3://vers/$1
	[zone low]
	slots = 0-7
	stores = one, dir
	[zone high]
	slots = 8-15
	stores = two
	EOF
}
mkdir old
for i in 0 1 2 3 4 5; do
	mkdir "old/d$i"
	echo "hello $i" >"old/d$i/f"
done
cp -a old new
echo changed >new/d3/f
mkdir new/more
echo more >new/more/f
pack_old()
{
	"$DESFS_PACK" -q --jobs 1 --created-at 2026-01-01T10:00:00Z old \
		"zone://$1/z"
}
second='-q --jobs 1 --created-at 2026-01-02T10:00:00Z new'
pack_new()
{
	# shellcheck disable=SC2086
	"$DESFS_PACK" $second "zone://$1/z"
}
all_of()
{
	for all_b in plain vers; do
		s3_keys "$fake_url" $all_b "$1/" | sed "s,^$1/,$all_b ," || return 1
	done
	(cd "$1/dir" && find . -type f | sed 's,^\.,dir ,' | sort)
}
# Without what carries a time or a random name.
shards_and_more()
{
	all_of "$1" | sed 's,log/2.*,log/RECORD,' | sort
}
is_well()
{
	"$DESFS" verify --deep "zone://$1/z" >verify.out 2>&1 || {
		cat verify.out
		return 1
	}
	rm -rf out && "$DESFS" extract "zone://$1/z" out && diff -r "$2" out
}

zones want
t 'a tree is packed into buckets and a directory' pack_old want
t 'it is well' is_well want old
all_of want >all
t 'each shard where it belongs' eval '
	cat all && ! grep "^plain .*_[89A-F]_" all && ! grep "^vers .*_[0-7]_.*des" all &&
	grep "^plain .*_[0-7]_" all && grep "^dir .*_[0-7]_" all &&
	grep "^vers .*_[89A-F]_" all'
t 'nothing is left below tmp/' eval '! grep tmp/ all'

zones fail
fake_rules 'method=PUT key=fail/2026*.des status=503'
t 'a store that fails is an error that names it' eval '
	! "$DESFS_PACK" -q --timeout 2 old zone://fail/z 2>e && cat e &&
	grep "store [a-z]*: 2026" e'
fake_rules
t 'nothing of it counts' eval '! "$DESFS" ls zone://fail/z | grep .'
t 'a rerun completes it' eval 'pack_old fail && is_well fail old'

fake_reset
t 'the second run, undisturbed' pack_new want
awk '$2 != "LIST" && $3 != "GET" && $3 != "HEAD"' "$fake_log" >writes
t 'makes requests that change something' test "$(wc -l <writes)" -gt 15
shards_and_more want >want.all
"$DESFS" ls -R zone://want/z >names.new

# The rerun completes it, and an hour later nothing is left of the one before.
killed_is_completed()
{
	zones "$1" || return 1
	# shellcheck disable=SC2086
	pack_old "$1" && "$DESFS" ls -R "zone://$1/z" >names.old &&
		fake_killed "$2" "$DESFS_PACK" $second "zone://$1/z" || return 1
	"$DESFS" ls -R "zone://$1/z" >names.now || return 1
	cmp -s names.old names.now || diff names.new names.now || return 1
	pack_new "$1" && is_well "$1" new && fake_clock 3700 &&
		"$DESFS_PACK" --clean "zone://$1/z" >clean.out 2>&1
	killed_status=$?
	fake_clock 0
	cat clean.out
	[ $killed_status = 0 ] && shards_and_more "$1" | diff want.all - &&
		is_well "$1" new
}
for method in PUT DELETE; do
	i=1
	n=$(grep -c " $method " writes)
	while [ $i -le "$n" ]; do
		t "killed after $method $i of $n" killed_is_completed \
			"k-$method-$i" "method=$method nth=$i"
		i=$((i + ${EVERY:-9}))
	done
done
