#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual pages are clean mdoc.
. "${0%/*}/../lib/tap.sh"

need 'needs mandoc' command -v mandoc
for p in "$SRCDIR"/man/*.[1-8]; do
	[ -f "$p" ] || continue
	t "${p##*/}" mandoc -Tlint -W warning "$p"
done
