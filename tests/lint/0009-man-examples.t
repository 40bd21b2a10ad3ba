#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples of the manual pages do what the pages say.
#
# Commands are the lines of literal displays that begin with "$ "; what follows
# one is its output, if anything.  They run in one shell, in a directory with
# records, archive (made of records, in 2024) and mnt.
. "${0%/*}/../lib/tap.sh"

PATH=$BUILDDIR:$PATH
export PATH

# A script of the page's examples, each followed by a comparison.
script_of()
{
	awk '
	function finish() {
		if (cmd == "") return
		n++
		if (out == "") printf "%s\n", cmd
		else {
			printf "{ %s\n} >is || exit\n", cmd
			printf "cat >want <<\047END\047\n%sEND\n", out
			print "diff want is || exit"
		}
		cmd = out = ""
	}
	/^\.Sh/ { here = $2 == "EXAMPLES" }
	!here { next }
	/^\.Bd -literal/ { shown = 1; next }
	/^\.Ed/ { finish(); shown = 0; next }
	!shown { next }
	{ gsub(/\\&/, ""); gsub(/\\e/, "\\"); gsub(/\\-/, "-") }
	/^\$ / { finish(); cmd = substr($0, 3); more = /[|\\]$/; next }
	more { cmd = cmd "\n" $0; more = /[|\\]$/; next }
	{ out = out $0 "\n" }
	END { exit n < 2 }' "$1"
}

prepare()
{
	rm -rf records archive
	mkdir -p records/reports mnt || return
	echo 'remember the milk' >records/notes.txt
	echo 'first quarter' >records/reports/q1.txt
	echo 'second quarter' >records/reports/q2.txt
	find records -exec touch -d 2024-03-05T09:00:00Z {} +
	desfs-pack -q --created-at 2024-03-05T10:00:00Z records archive
}

run_examples()
{
	mkdir "$1.d" && cd "$1.d" || return
	prepare || return
	script_of "$2" >script || { echo 'fewer than two examples'; return 1; }
	{ echo 'set -e'; cat script; } | sh -x
	status=$?
	umount -l mnt 2>/dev/null || fusermount3 -uz mnt 2>/dev/null
	return $status
}

# Mounts are what some containers cannot do.
can_mount()
{
	sh -c ': <>/dev/fuse && command -v fusermount3' >/dev/null 2>&1
}

for page in "$SRCDIR"/man/*.[178]; do
	name=${page##*/}
	if ! can_mount && grep -qE '^\$ (desfs mount|mount)' "$page"; then
		skip_t "examples of $name" 'needs /dev/fuse'
		continue
	fi
	t "examples of $name" run_examples "$name" "$page"
	cd "$tmp" || exit
done

# desfs(1) has the exit statuses of rc.def.
statuses_listed()
{
	sed -n 's/^RC([^,]*,[^,]*, *\([0-9]*\),.*/\1/p' \
		"$SRCDIR/src/base/rc.def" | sort -nu >"$tmp/want"
	sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It \([0-9]*\)$/\1/p' \
		"$SRCDIR/man/desfs.1" >"$tmp/is"
	diff "$tmp/want" "$tmp/is"
}
t 'desfs(1) lists all exit statuses' statuses_listed
