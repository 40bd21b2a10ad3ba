#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All shell scripts, tests too, pass shellcheck.
. "${0%/*}/../lib/tap.sh"

need 'needs shellcheck' command -v shellcheck
cd "$SRCDIR" || exit
find . \( -path ./.git -o -path './build*' -o -path './desfs-*' -o \
	-path ./_build -o -path './config*' -o -path ./build-aux -o -path ./autom4te.cache \) -prune -o -type f \
	\( -perm -100 -o -name '*.sh' \) -print |
	sort | while IFS= read -r f; do
	case $f in
	*.sh) echo "$f" ;;
	*) head -n 1 "$f" | grep -aq '^#!.*sh$' && echo "$f" ;;
	esac
done >"$tmp/scripts"
while IFS= read -r f; do
	t "${f#./}" shellcheck "$f"
done <"$tmp/scripts"
