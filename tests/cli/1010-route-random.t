#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Routes of format 2 are those of a second implementation, for random uids.
# ROUTE_UIDS=N takes so many, ROUTE_SEED=N others.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need 'needs Python 3' test -x /usr/bin/python3

t 'random uids are routed as by Python' \
	/usr/bin/python3 -B "$SRCDIR/tests/lib/route-random.py" \
	"$BUILDDIR/tests/lib/route-lines" "${ROUTE_UIDS:-$(scaled 1000000)}" \
	"${ROUTE_SEED:-1}"
