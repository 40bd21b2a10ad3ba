#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The dumps in des-shard(5) and des2(5) are the files they say they are.
. "${0%/*}/../lib/tap.sh"

# dump PAGE FILE: offset and octal escapes of each line; the offsets must follow.
dump()
{
	rm -f wrong
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$SRCDIR/man/$1" |
		grep -E '^[0-9a-f]{4}  [0-9a-f]{2}( |$)' >lines || return 1
	awk 'function hex(s,  i, v) {
		for (i = 1; i <= length(s); i++)
			v = 16 * v + index("0123456789abcdef", substr(s, i, 1)) - 1
		return v
	}
	{ if (hex($1) != n + 0) { print "offset", $1 >"wrong"; exit }
		text = substr($0, 7)
		sub(/   .*/, "", text)
		k = split(text, b, " ")
		if (b[2] == "*") { k = b[3]; for (i in b) b[i] = "00" }
		for (i = 1; i <= k; i++)
			printf "\\0%03o", i in b ? hex(b[i]) : 0
		n += k }' lines >escapes
	[ ! -e wrong ] || { cat wrong; return 1; }
	printf '%b' "$(cat escapes)" >bytes
	cmp bytes "$SRCDIR/tests/$2"
}
t 'the bytes of the dump are those of the golden file' \
	dump des-shard.5 golden/good-v3-example.des
t 'so are those of DES2' \
	dump des2.5 fixtures/legacy/des-v2/malformed/good-reference.des
