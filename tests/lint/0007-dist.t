#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tarball has every file of the repository.
. "${0%/*}/../lib/tap.sh"

need 'only in a git checkout' test -e "$SRCDIR/.git"
need 'only in a built tree' test -f "$BUILDDIR/Makefile"

complete()
{
	env -u MAKEFLAGS -u MFLAGS make -C "$BUILDDIR" distdir \
		distdir="$tmp/dist" am__remove_distdir=: >make.log 2>&1 ||
		{ tail make.log; return 1; }
	(cd dist && find . ! -type d) | sed 's|^\./||' | sort >have
	git -C "$SRCDIR" ls-files | grep -vE '^(\.ci/|\.github/|.*\.gitignore$)' |
		sort >want
	comm -13 have want >missing
	cat missing
	[ -s want ] && [ ! -s missing ]
}

t 'the tarball has every tracked file' complete
