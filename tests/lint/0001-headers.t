#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone, and twice.
. "${0%/*}/../lib/tap.sh"

[ "${LIB_CFLAGS+set}" ] || LIB_CFLAGS=$(pkg-config --cflags fuse3 2>/dev/null)

# CC and the flags may be several words.
# shellcheck disable=SC2086
alone()
{
	printf '#include "config.h"\n#include "%s"\n#include "%s"\n' "$1" "$1" |
		$CC -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -pthread \
			-D_GNU_SOURCE -I"$BUILDDIR" -I"$SRCDIR/src" $LIB_CFLAGS \
			-x c -
}

for h in $(cd "$SRCDIR/src" && find . -name '*.h' | sed 's|^\./||' | sort); do
	t "$h stands alone" alone "$h"
done
