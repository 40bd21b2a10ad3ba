#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files deleted while READs and listings hang and files are pushed all the time:
# nothing hangs, and no deleted bytes come back.  A thousand times in
# tests/long/crash/0110-delete-rounds.t.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_fake

start_fake --bucket bkt || exit
FAKE_URL=$fake_url
export FAKE_URL
n=${DELETIONS:-$(scaled 30)}
t "$n deletions under pushing" timeout -k 10 $((600 + 6 * n)) "$PYTHON" -B \
	"$SRCDIR/tests/lib/delete-rounds.py" "$n"
tail -n 8 "$tap_out" | sed 's/^/# /'
down()
{
	for m in local? remote?; do
		umount "$m" 2>/dev/null || fusermount3 -u "$m" || return 1
	done
}
t 'unmounted' down
