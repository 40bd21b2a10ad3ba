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

value()
{
	"$DESFS" reap --json --grace "$1" ar 2>err |
		jq "select(.kind == \"total\").$2"
	cat err >&2
}

# Nobody counts it, and it has what was deleted.
unnamed_shard()
{
	make_archive
	for f in ar/2026*/*.des; do
		grep -q zebra "$f" && unnamed=${f%_*}_0000000000000000.des &&
			cp "$f" copy-of
	done
	"$DESFS" tombstone add --no-copies ar d/zebra-secret-name || return
	cp copy-of "$unnamed"
	[ "$(value 0 open)" = 1 ] && [ "$(value 0 open)" = 1 ] || return
	grep 'keep deletions open' err || return
	[ -e "$unnamed" ] && rm -f "$unnamed" || return
	[ "$(value 0 open)" = 0 ] && "$DESFS" erasures verify ar
}
t 'nothing is done while a shard that nothing names has it' unnamed_shard

# Nobody reads what a run that was killed had not published.
stuck_leftover()
{
	make_archive
	"$DESFS" tombstone add --no-copies ar d/zebra-secret-name || return
	echo zebra-secret-content >ar/tmp/run-0123456789abcdef-0123456789abcdef || return
	n=0
	while [ "$n" -lt 2 ]; do
		with_faults 'unlink */tmp/run-0123456789abcdef-* from=1 errno=EPERM' \
			"$DESFS" reap --json --grace 0 ar >o
		[ $? = 1 ] && fault_used || return
		n=$((n + 1))
	done
	[ "$(jq 'select(.kind == "total").open' o)" = 1 ] || return
	[ "$(value 0 open)" = 0 ] && [ -z "$(find ar/tmp -name "run-*-*")" ]
}
t 'nor while what a dead run left cannot be removed' stuck_leftover

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
