#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# New versions and removed names while READs and listings hang and files are
# pushed all the time: nothing hangs, and no old bytes come back.  A thousand
# times in tests/long/push/0000-refresh.t.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse
need_fake

start_fake --bucket bkt || exit
FAKE_URL=$fake_url
export FAKE_URL
n=${REFRESHES:-$(scaled 30)}
t "$n refreshes under pushing" timeout -k 10 $((600 + 6 * n)) "$PYTHON" -B \
	"$SRCDIR/tests/lib/push-refresh.py" "$n"
tail -n 8 "$tap_out" | sed 's/^/# /'
down()
{
	for m in local? remote?; do
		umount "$m" 2>/dev/null || fusermount3 -u "$m" || return 1
	done
}
t 'unmounted' down
