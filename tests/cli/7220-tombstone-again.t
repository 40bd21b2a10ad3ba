#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs tombstone add: what was deleted in part is deleted wholly; and holds whose
# names are no keys, records of the future.
. "${0%/*}/../lib/tap.sh"
PYTHON=${PYTHON:-/usr/bin/python3}

fresh()
{
	rm -rf src ar
	mkdir src && echo 1 >src/a && echo 2 >src/b
	"$DESFS_PACK" -q --created-at 2026-01-01T00:00:00Z src ar
}

all_after_one()
{
	fresh && "$DESFS" tombstone add ar a --created-at 2026-01-01T00:00:00Z &&
		"$DESFS" tombstone add --json --reason gdpr ar a &&
		"$DESFS_PACK" -q src ar && ! "$DESFS" cat ar a
}
t 'all versions, after a single one was deleted' all_after_one

again()
{
	fresh && "$DESFS" tombstone add ar a && "$DESFS" repack ar || return
	printf 'a\nb\n' >list
	"$DESFS" tombstone add --from list ar && ! "$DESFS" cat ar b
}
t 'to ask once more after a repack does no harm' again

held()
{
	fresh && "$DESFS" tombstone add ar a && mkdir ar/holds || return
	echo hold >"ar/holds/new
line"
	"$DESFS" reap --grace 0 ar
	[ "$(find ar -name '*_R001_*' | wc -l)" = 0 ] && rm -r ar/holds &&
		"$DESFS" reap --grace 0 ar &&
		[ "$(find ar -name '*_R001_*' | wc -l)" -gt 0 ]
}
t 'a hold holds, whatever its name' held

writer()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/log-writer.py" "$@"
}
future()
{
	fresh && doc=$(writer ar tombstone b) &&
		writer --ahead 400 ar withdrawn "$doc" || return
	"$DESFS" tombstone add ar a && "$DESFS" reap --grace 0 ar &&
		"$DESFS" erasures ar >left && cat left && [ ! -s left ] &&
		"$DESFS" cat ar b && "$DESFS" verify ar
}
t 'a clock that was wrong once stops nothing' future
