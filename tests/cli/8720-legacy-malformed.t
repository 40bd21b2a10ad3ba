#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every malformed fixture of older formats, and frames that are bombs: what is
# wrong is named, with the exit status for damage, and costs no other file.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# A sanitizer has its own memory.
[ "$(scaled 10)" = 1 ] || rss=-rss
t 'all cases were tried' "$PYTHON" "$SRCDIR/tests/lib/legacy-malformed.py" \
	"$DESFS" "$tmp" "$tmp/results" ${rss:+"$rss"}

case_ok()
{
	grep -F " $1 " results
	grep -q "^ok $1 " results
}
cut -d ' ' -f 1-3 results | grep -oE '[^ ]+/[^ ]+' >names
t 'there are as many as fixtures, and four' \
	test "$(wc -l <names)" -ge 37
while IFS= read -r name <&3; do
	t "$name" case_ok "$name"
done 3<names
