#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --help and the manual page of each program and command name the same options.
. "${0%/*}/../lib/tap.sh"

# The options a page describes: the arguments of Fl on its .It lines.
page_options()
{
	awk '$1 == ".It" {
		fl = 0
		for (i = 2; i <= NF; i++) {
			if ($i == "Fl") { fl = 1; continue }
			if ($i ~ /^[A-Z][a-z]$/) { fl = 0; continue }
			if (fl && $i ~ /^-?[A-Za-z0-9]/) print "-" $i
		}
	}' "$1" | sort -u
}

# The options --help describes: lines that begin with blanks and an option.
help_options()
{
	"$@" --help >help 2>&1 </dev/null || return 1
	sed -n 's/^[[:space:]]\{1,\}\(-.*\)/\1/p' help |
		sed -e 's/   *[^-].*//' | tr -s ' ,=[]' '\n' |
		grep -E '^--?[A-Za-z0-9]' | sort -u
}

# same PAGE COMMAND...
same()
{
	page=$SRCDIR/man/$1
	shift
	[ -f "$page" ] || { echo "$page is missing"; return 1; }
	help_options "$@" >in-help || { cat help; return 1; }
	page_options "$page" >in-page
	echo 'in --help only (<), in the page only (>):'
	diff in-help in-page
}

# The commands: the name in each const struct cmd.
commands()
{
	find "$SRCDIR/src/cmd" -name 'cmd-*.c' -exec sed -n \
		'/^const struct cmd cmd_/,/^};/s/^[[:space:]]*\.name = "\([^"]*\)".*/\1/p' \
		{} + | sort
}

if [ -f "$SRCDIR/man/desfs-pack.1" ]; then
	t 'desfs-pack --help and desfs-pack(1)' same desfs-pack.1 "$DESFS_PACK"
fi
if [ -f "$SRCDIR/man/mount.desfs.8" ]; then
	t 'mount.desfs --help and mount.desfs(8)' \
		same mount.desfs.8 "$MOUNT_DESFS"
fi
if [ -f "$SRCDIR/man/desfs.1" ]; then
	t 'desfs --help and desfs(1)' same desfs.1 "$DESFS"
fi
for c in $(commands); do
	t "desfs $c --help and desfs-$c(1)" same "desfs-$c.1" "$DESFS" "$c"
done

pages_listed()
{
	(cd "$SRCDIR" && ls man/*.[1-8] 2>/dev/null) | while IFS= read -r p; do
		grep -qw "$p" "$SRCDIR/man/local.mk" ||
			echo "$p is not in man/local.mk"
	done | grep .
}
t 'each page is installed' not pages_listed
