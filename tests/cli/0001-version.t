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

# The libraries it is linked with.
tells()
{
	"$BUILDDIR/$1" --version >out || return 1
	cat out
	grep -qE "libcurl $n \(.+, HTTP/2: (yes|no)\), expat $n\$" out &&
		grep -qE "SQLite $n\$" out &&
		grep -qE "libzstd $n, lz4 $n(,|\$)" out &&
		grep -q "^$(uname -s) $(uname -r)" out
}
n='[0-9]+(\.[0-9]+)+'

for p in desfs desfs-pack mount.desfs; do
	t "$p --version begins with name and version" \
		first_line_is "$p 0.1.0" "$BUILDDIR/$p"
	t "$p --version tells libraries and kernel" tells "$p"
done
