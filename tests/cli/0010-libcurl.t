#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libcurl is loaded by who needs it; without it only remote archives are shut.
. "${0%/*}/../lib/tap.sh"

name=$(sed -n 's/^#define LIBCURL_SONAME "\(.*\)"$/\1/p' "$BUILDDIR/config.h")
need 'needs ldd' command -v ldd

mkdir src wrong old && echo 1 >src/file
"$DESFS_PACK" -q src ar || exit

# Found before the real one: no library, and one that has nothing.
echo 'no library' >"wrong/$name"
echo 'int nothing;' | $CC -shared -fPIC -xc - -o "old/$name" || exit

# with DIR command...
with()
{
	dir=$1
	shift
	LD_LIBRARY_PATH=$tmp/$dir "$@"
}

# fails DIR WORDS
fails()
{
	with "$1" "$DESFS" ls --index-cache '' http://127.0.0.1:1/ar >out 2>&1 &&
		return 1
	cat out
	[ "$(wc -l <out)" = 1 ] && grep -qF "$2" out &&
		grep -qF "libcurl4" out
}

is_not_linked()
{
	for p in "$DESFS" "$DESFS_PACK" "$MOUNT_DESFS"; do
		[ -x "$p" ] && ! ldd "$p" | grep libcurl || return 1
	done
}

t 'the programs are not linked with libcurl' is_not_linked
for dir in wrong old; do
	t "a local archive is read with libcurl $dir" \
		with $dir "$DESFS" cat ar file
	t "--version does without it, $dir" with $dir "$MOUNT_DESFS" --version
done
t 'a remote archive says what cannot be loaded' fails wrong "$tmp/wrong/$name"
t 'and what the library has not' fails old "$name has no curl_"
