#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Times are those that Python reads, for random texts.  TIME_SEED=N takes others.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need 'needs Python 3.11' "$PYTHON" -c \
	'import sys; sys.exit(sys.version_info < (3, 11))'

t 'random times are those that Python reads' \
	"$PYTHON" "$SRCDIR/tests/lib/time-random.py" \
	"$BUILDDIR/tests/lib/time-lines" "$(scaled 20000)" "${TIME_SEED:-1}"
