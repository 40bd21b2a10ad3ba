#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each program tells its version.
. "${0%/*}/../lib/tap.sh"

first_line_is()
{
	want=$1
	shift
	"$@" --version >out || return 1
	cat out
	[ "$(head -n 1 out)" = "$want" ]
}

for p in desfs desfs-pack mount.desfs; do
	t "$p --version begins with name and version" \
		first_line_is "$p 0.1.0" "$BUILDDIR/$p"
done
