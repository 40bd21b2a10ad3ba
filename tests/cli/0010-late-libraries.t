#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libcurl, SQLite and libarchive are loaded by who needs them: without, local
# archives open.
. "${0%/*}/../lib/tap.sh"

soname()
{
	sed -n "s/^#define $1_SONAME \"\\(.*\\)\"\$/\\1/p" "$BUILDDIR/config.h"
}
curl=$(soname LIBCURL) sqlite=$(soname LIBSQLITE) tar=$(soname LIBARCHIVE)
need 'needs ldd' command -v ldd

mkdir src wrong old && echo 1 >src/file
"$DESFS_PACK" -q src ar || exit

# Found before the real ones: no library, and one that has nothing.
for name in "$curl" "$sqlite" "$tar"; do
	echo 'no library' >"wrong/$name"
	echo 'int nothing;' | $CC -shared -fPIC -xc - -o "old/$name" || exit
done

# with DIR command...
with()
{
	dir=$1
	shift
	LD_LIBRARY_PATH=$tmp/$dir "$@"
}

# fails DIR WORDS PACKAGE command...
fails()
{
	dir=$1 words=$2 package=$3
	shift 3
	with "$dir" "$@" >out 2>&1 && return 1
	cat out
	[ "$(wc -l <out)" = 1 ] && grep -qF "$words" out &&
		grep -qF "(Debian: $package)" out
}
remote()
{
	fails "$1" "$2" libcurl4 "$DESFS" ls --index-cache '' \
		http://127.0.0.1:1/ar
}
index()
{
	: >index
	fails "$1" "$2" libsqlite3-0 "$DESFS" cache --index-cache="$tmp/index" status
}

tar_file()
{
	fails "$1" "$2" libarchive13 "$DESFS" export ar -o "$tmp/out.tar" &&
		[ -z "$(ls "$tmp"/out.tar* 2>/dev/null)" ]
}

import()
{
	fails "$1" "$2" libarchive13 "$DESFS_PACK" --from-archive src/file new
}

are_not_linked()
{
	for p in "$DESFS" "$DESFS_PACK" "$MOUNT_DESFS"; do
		[ -x "$p" ] && ! ldd "$p" | grep -E 'libcurl|libsqlite|libarchive' ||
			return 1
	done
}
version()
{
	with "$1" "$MOUNT_DESFS" --version >out || return 1
	cat out
	grep -q 'no libcurl (.*libcurl4)' out &&
		grep -q 'no SQLite (.*libsqlite3-0)' out
}

t 'the programs are not linked with them' are_not_linked
for dir in wrong old; do
	t "a local archive is read, libraries $dir" \
		with $dir "$DESFS" cat ar file
	t "--version tells what is missing, libraries $dir" version $dir
done
t 'a remote archive says what cannot be loaded' remote wrong "$tmp/wrong/$curl"
t 'and what the library has not' remote old "$curl has no curl_"
t 'an index cache says what cannot be loaded' index wrong "$tmp/wrong/$sqlite"
t 'and what the library has not' index old "$sqlite has no sqlite3_"
t 'an export says what cannot be loaded' tar_file wrong "$tmp/wrong/$tar"
t 'and what the library has not' tar_file old "$tar has no archive_"
t 'and an import, what cannot be loaded' import wrong "$tmp/wrong/$tar"
t 'and what the library has not' import old "$tar has no archive_"
