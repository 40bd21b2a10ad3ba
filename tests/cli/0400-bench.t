#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The benchmarks judge rightly.
. "${0%/*}/../lib/tap.sh"

PYTHON=${PYTHON:-python3}
need 'no Python' "$PYTHON" -c ''
# shellcheck disable=SC2016 # not the shell's
need 'Python is older than 3.9' "$PYTHON" -c \
	'import sys; sys.exit(sys.version_info < (3, 9))'

t 'peers are scaled, goals judged' "$PYTHON" "$SRCDIR/tests/bench/selftest.py"
