#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2034
# verify of zones compares what is no shard in each store: log, descriptor,
# documents of deletions, salts, holds.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"

mkdir -p src
for i in 0 1 2 3 4 5 6 7 8 9; do
	echo "hello $i" >"src/f$i"
done
zones()
{
	cat <<-EOF
	[zones]
	n_bits = 4
	[store a]
	url = $1
	$3
	[store b]
	url = $2
	$3
	[zone all]
	slots = all
	stores = a, b
	EOF
}
zones a b >z
pack()
{
	"$DESFS_PACK" -q "$@" src zone://z
}
# One deletion that is done, with receipt, salt and list, which folds the log;
# and some that are not, two of them in an hour.
history()
{
	pack --route uid && pack && cp -a a/log log.first &&
		"$DESFS" tombstone add --no-copies zone://z f1 &&
		"$DESFS" reap --grace 0 zone://z || return
	for history_f in f2 f3 f4; do
		"$DESFS" tombstone add --no-copies zone://z $history_f &&
			"$DESFS" tombstone aggregate zone://z || return
	done
	mkdir -p a/holds b/holds
	echo '{"kind":"hold","scope":"day","day":20200101,"version":1}' \
		>a/holds/old
	cp a/holds/old b/holds/old
}
# verified STATUS TEXT [OPTION]...
verified()
{
	want=$1 text=$2
	shift 2
	"$DESFS" verify "$@" zone://z >found 2>&1
	is=$?
	cat found
	[ $is = "$want" ] && grep -qF -- "$text" found
}
afresh()
{
	chmod -R u+w a b && rm -rf a b && cp -a whole.a a && cp -a whole.b b &&
		chmod -R u+w a b
}
# The first object that a pattern fits.
first()
{
	(cd a && for first_f in $1; do echo "$first_f"; done | head -n 1)
}

t 'an archive is made' history
cp -a a whole.a
cp -a b whole.b
t 'its stores are the same' verified 0 'no damage found'
t 'with all of it read' verified 0 'all is well' --deep

record=$(first 'log/2*')
last=$(cd a && printf '%s\n' log/2* | tail -n 1)
tomb=$(first 'tombstones/2*/????????*.json')
check=$(first 'log/checkpoint-*')
list=$(first 'tombstones/suppressed-*')
salt=$(first 'salts/[0-9a-f]*[0-9a-f]')
for key in "$record" "$last" "$check" "$tomb" "$list" "$salt" salts/suppression \
	holds/old desfs.json; do
	t "there is one: $key" test -f "b/$key"
	size=$(wc -c <"a/$key")
	afresh && rm "b/$key"
	t 'it is missed in one store' verified 6 \
		"store b: $key: not there, store a has it, $size bytes"
	t 'nothing else is' eval '[ "$(grep -c "not there" found)" = 1 ]'
	t 'and in JSON' verified 6 "\"store\":\"b\",\"key\":\"$key\"" --json
	afresh && rm "a/$key"
	t 'also in the first' verified 6 \
		"store a: $key: not there, store b has it, $size bytes"
done
afresh && rm "b/$last"
t 'a report has it' eval 'verified 6 . --report rep.json &&
	grep "\"kind\":\"damage\".*\"store\":\"b\",\"key\":\"$last\"" rep.json'
t 'what a record takes back is whole again' eval '
	pack && verified 0 "no damage found" && cmp "a/$last" "b/$last"'

# Other bytes, of the same size.
flip()
{
	printf '\377' | dd of="$1" bs=1 seek=$(($(wc -c <"$1") / 2)) conv=notrunc
}
# What has a hash tells which copy is wrong.
for key in "$record" "$check" "$list" desfs.json; do
	for s in a b; do
		afresh && flip "$s/$key"
		t "other bytes in $s: $key" verified 6 "store $s: $key: "
		t 'the other store is right' eval '
			[ "$(grep -c "^store .*$key: .* of SHA-256" found)" = 1 ]'
	done
done
afresh && flip "b/$tomb"
t "so has a tombstone" verified 6 "store b: $tomb: "
afresh && flip b/holds/old
t 'what has none is compared' verified 6 \
	"store b: holds/old: $(wc -c <a/holds/old) bytes of SHA-256 $(sha256sum \
		<b/holds/old | cut -c 1-16)..., store a has $(wc -c \
		<a/holds/old) of $(sha256sum <a/holds/old | cut -c 1-16)..."
afresh && echo more >>b/holds/old
t 'so is one that is longer' verified 6 'store b: holds/old: '
afresh && flip "b/$salt"
t 'salts are with --deep' verified 6 "store b: $salt: " --deep
t 'which are not read otherwise' verified 0 'no damage found'
afresh && : >"b/$salt"
t 'but for their size' verified 6 "store b: $salt: 0 bytes"

# What is derived.
hour=$(first 'tombstones/2*/??.json')
t 'there is an aggregate' test -f "b/$hour"
afresh && rm "b/$hour"
t 'which may be missing' verified 0 'no damage found'
echo '{"archive_id":"","documents":[],"kind":"aggregate"}' >"b/$hour"
t 'one that is of no use is noted, with its store' verified 0 \
	"note: store b: $hour: "
afresh
echo x >b/log/index.json
echo x >b/log/other
t 'nor does the list for web servers matter' verified 0 'no damage found'

# What nobody needs.
afresh && echo x >a/salts/0123456789abcdef0123456789abcdef
t 'a salt without a receipt may be in one store' verified 0 'no damage found'
afresh
old=$(for f in log.first/2*; do
	test -f "a/log/${f##*/}" || echo "${f##*/}"
done | head -n 1)
t 'there is a record that a checkpoint stands for' test "$old"
cp "log.first/$old" a/log
t 'it may be left in one store' verified 0 \
	"note: store b: log/$old: not there, store a has it: other objects"

# A store that does not answer is no damage.
afresh && mv b b.away
t 'a store that is not there' verified 1 'store b: '
t 'is no damage' not grep 'not there, store' found
mv b.away b

# --- over the network ---------------------------------------------------------
afresh
if ! command -v curl >o || ! test -x "$FAKE_S3"; then
	skip_t 'requests are counted' 'needs the fake server'
	exit
fi
zones s3://bkt/a s3://bkt/b >z
mkdir both && cp -a a b both
t 'both stores in a bucket' start_fake --load bkt=both
on_s3()
{
	verified "$@" --endpoint "$fake_url" --index-cache ''
}
t 'all is well there' on_s3 0 'no damage found'
gets=$(fake_count GET)
for i in $(seq 100 139); do
	echo "$i" >"both/a/salts/0123456789abcdef0123456789abc$i"
	cp "both/a/salts/0123456789abcdef0123456789abc$i" both/b/salts
done
t 'a bucket with more salts' start_fake --load bkt=both
t 'is well, too' on_s3 0 'no damage found'
t 'each of them costs no request' exactly "$gets" GET
t 'all lists are few' at_most 16 LIST
fake_reset
t 'what is compared' on_s3 0 'no damage found'
t 'takes one request a store' eval '
	for s in a b; do
		for k in $(cd both/a && find log holds tombstones/supp* -type f); do
			n=$(grep -c "GET /bkt/$s/$k" "$fake_log")
			echo "$s $k $n"
			[ $n -ge 1 ] && [ $n -le 2 ] || exit 1
		done
	done'
fake_rules 'key=b/log/* kind=GET status=503 code=SlowDown'
t 'a store that does not answer' on_s3 1 'store b: log/' --timeout 3 --retries 1
t 'is told of once, and nothing else' eval '
	[ "$(grep -c "^store b: " found)" = 1 ]'
fake_rules 'key=b/log/* kind=GET status=403'
t 'nor is one that may not be read any damage' on_s3 1 'store b: log/'
fake_rules

# One of them behind a web server, which cannot list.
afresh
t 'a web server' start_fake --web "$tmp"
zones a "$fake_url/b" >z
t 'all is well there' verified 0 'no damage found'
t 'which is not asked for each salt' not grep salts/0 "$fake_log"
t 'nor is it with a list of the log' eval '
	"$DESFS" publish b && verified 0 "no damage found"'
rm "b/$last" "a/$tomb"
t 'what is missing on the web server' verified 6 \
	"store b: $last: not there, store a has it"
t 'and here' grep "^store a: $tomb: not there, store b has it" found
