#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs route agrees with the original program, and prints what it should.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# all_as_golden FILE: hex of uid, created_at, n_bits, then the fields or "error".
all_as_golden()
{
	bad=0
	awk -F '\t' '/^#/ { next } {
		hex = "0123456789abcdef"; s = ""
		for (i = 1; i < length($1); i += 2) {
			v = (index(hex, substr($1, i, 1)) - 1) * 16 + \
				index(hex, substr($1, i + 1, 1)) - 1
			s = s sprintf("\\%03o", v)
		}
		print s "x"; print $2; print $3
		print $4 == "error" ? $4 : $4 " " $5 " " $6 " " $7 }' "$1" >rows
	while IFS= read -r uid && IFS= read -r created && IFS= read -r bits &&
		IFS= read -r want; do
		# shellcheck disable=SC2059
		uid=$(printf "$uid")
		uid=${uid%x}
		is=$("$DESFS" route --format 2 --n-bits "$bits" -- "$uid" \
			"$created" 2>/dev/null |
			awk '/^(day|slot|hex|key): / { s = s " " $2 }
				END { print substr(s, 2) }')
		[ "${is:-error}" = "$want" ] && continue
		echo "bits $bits at $created: '$is', not '$want'"
		bad=$((bad + 1))
	done <rows
	[ "$bad" = 0 ]
}
t 'vectors of the original program' \
	all_as_golden "$SRCDIR/tests/golden/route-v2.tsv"
every=1
in_tenths && every=10
awk -v every=$every 'NR % every == 0' "$SRCDIR/tests/golden/route-v2-more.tsv" >rows.more
t 'more of them' all_as_golden rows.more

fails()
{
	"$DESFS" route "$@" >out 2>err
	[ $? = 2 ] && [ ! -s out ] && grep -q '^desfs: ' err
}
t 'too few bits' fails --format 2 --n-bits 3 a 2025-01-01
t 'too many' fails --n-bits 17 a 2025-01-01
t 'a digit that is no decimal' fails --format 2 '²' 2025-01-01
t 'no time' fails a yesterday
t 'no uid' fails
t 'no such format' fails --format 1 a
t 'no such route' fails --route sideways a

lines()
{
	printf 'uid: %s\nday: 20250305\nslot: %s\nhex: %s\nkey: 20250305/20250305_%s\n' \
		"$1" "$2" "$3" "$3"
}
is_lines()
{
	lines "$1" "$2" "$3" >want
	shift 3
	"$DESFS" route "$@" >is || return
	diff want is
}
t 'the day is that of UTC' is_lines 12345 57 39 12345 2025-03-04T23:30-05:00
t 'a uid that looks like an option' is_lines -5 51 33 -- -5 2025-03-05
t 'hex is rounded up' is_lines 31 31 1F --n-bits 5 31 2025-03-05
t 'the top has the slot of the empty name' \
	is_lines top 0 0 --route parent top 2025-03-05
as_json()
{
	echo '{"uid":"31","day":"20250305","slot":31,"hex":"1F",'\
'"key":"20250305/20250305_1F"}' >want
	"$DESFS" route --json 31 2025-03-05 | diff want -
}
t 'JSON has the same names' as_json
siblings()
{
	a=$("$DESFS" route --route parent dir/a 2025-01-01 | grep key) &&
		b=$("$DESFS" route --route parent dir/b 2025-01-01 | grep key) &&
		[ "$a" = "$b" ]
}
t 'siblings share a slot with --route parent' siblings
now()
{
	d1=$(date -u +%Y%m%d)
	day=$("$DESFS" route x | sed -n 's/^day: //p')
	d2=$(date -u +%Y%m%d)
	[ "$day" = "$d1" ] || [ "$day" = "$d2" ]
}
t 'without a time it is now' now
