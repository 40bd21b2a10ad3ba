#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs reap leaves nothing behind that the next round does not find.
. "${0%/*}/../lib/tap.sh"
need 'needs jq' command -v jq
. "$SRCDIR/tests/lib/fault.sh"

make_archive()
{
	rm -rf src ar
	mkdir -p src/d src/other
	for i in 1 2 3; do
		echo "content of $i" >"src/d/file-$i"
	done
	echo 'zebra-secret-content' >src/d/zebra-secret-name
	echo 'stays' >src/other/stays
	"$DESFS_PACK" -q --created-at 2026-11-01T10:00:00Z src ar
}

# What no record names has names in it that nobody would come for.
all_named()
{
	for f in $(cd ar && find tombstones -mindepth 2 -type f \
		! -name 'suppressed-*'); do
		grep -qF "$f" ar/log/*.json || { echo "$f" && return 1; }
	done
}

# The rest of a tombstone of which a part is held has a document of its own.
split_unnamed()
{
	make_archive
	mkdir ar/holds
	echo '{"version":1,"kind":"hold","matter":"M 1","scope":"uid","uid":"d/zebra-secret-name"}' \
		>ar/holds/court
	"$DESFS" tombstone add --no-copies ar d/zebra-secret-name d/file-1 ||
		return
	mv ar before
	n_unnamed=0
	for nth in 1 2 3 4 5 6 7 8 9; do
		rm -rf ar && cp -a before ar || return
		with_faults "rename */ar/log/2* nth=$nth errno=EIO" \
			"$DESFS" reap --grace 0 ar
		[ -e "$tmp/faults.used" ] || break
		all_named || n_unnamed=$((n_unnamed + 1))
		"$DESFS" reap --grace 0 ar && all_named || return
		"$DESFS" erasures verify ar || return
	done
	[ "$nth" -gt 3 ] && [ "$nth" -lt 9 ] && [ $n_unnamed -gt 0 ]
}
t 'a document that no record names is removed by the next round' split_unnamed

all_deleted()
{
	make_archive
	(cd src && find . -mindepth 1 -type f | sed 's/^..//') >names
	# shellcheck disable=SC2046
	"$DESFS" tombstone add --no-copies ar $(cat names) || return
	"$DESFS" reap --grace 1 ar || return
	wait_for 60 sh -c '! '"$DESFS"' reap --json --grace 1 ar |
		grep -q "\"open\":[1-9]"' || return
	"$DESFS" reap --grace 0 ar && "$DESFS" erasures verify ar
}
t 'an archive of which all was deleted is done, too' all_deleted
