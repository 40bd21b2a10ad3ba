#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What HACKING.md asks of every file and can be read off it.
. "${0%/*}/../lib/tap.sh"

cd "$SRCDIR" || exit
find src tests -name '*.[ch]' -o -name '*.def' | sort >"$tmp/files"

# Comments and strings are taken out; line numbers stay.
code()
{
	awk '{ out = ""; s = $0
		while (s != "") {
			if (in_c) {
				if (!(i = index(s, "*/"))) { s = ""; continue }
				s = substr(s, i + 2); in_c = 0; continue
			}
			if (match(s, /\/\*|"([^"\\]|\\.)*"|'\''([^'\''\\]|\\.)*'\''/)) {
				out = out substr(s, 1, RSTART - 1) " "
				in_c = substr(s, RSTART, 2) == "/*"
				s = substr(s, RSTART + (in_c ? 2 : RLENGTH))
			} else { out = out s; s = "" }
		}
		print FILENAME ":" FNR ":" out }' "$1"
}

banned='strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf|gets|strtok'
banned="$banned|[sf]?scanf|vsscanf|atoi|atol|atoll|atof|gmtime|localtime|ctime"
banned="$banned|asctime|ctime_r|asctime_r|mktemp|tmpnam|tempnam|alloca|setjmp"
banned="$banned|system|popen|rand|srand|readdir_r|perror"

while IFS= read -r f; do
	code "$f"
done <"$tmp/files" >"$tmp/code"

bans()
{
	grep -E "(^|[^[:alnum:]_.>])($banned)[[:space:]]*\(" "$tmp/code"
}
t 'no banned function is called' not bans

null_compares()
{
	grep -E '[!=]= *NULL|NULL *[!=]=' "$tmp/code" | grep '^src/'
}
t 'pointers are tested without NULL' not null_compares

no_spdx()
{
	while IFS= read -r f; do
		case $f in
		*.def) sed -n 1,9p "$f" ;;
		*) head -n 2 "$f" ;;
		esac | grep -qE 'SPDX-License-Identifier: Apache-2.0|^/\* rc\.def' ||
			echo "$f"
	done <"$tmp/files" | grep .
}
t 'each file begins with its licence' not no_spdx

config_late()
{
	grep '\.c$' "$tmp/files" | while IFS= read -r f; do
		grep -m 1 '^#include' "$f" | grep -q '"config.h"' || echo "$f"
	done | grep .
}
t 'config.h comes first in each source' not config_late

guard_missing()
{
	grep '^src/.*\.h$' "$tmp/files" | while IFS= read -r f; do
		g=DESFS_$(echo "${f#src/}" | tr 'a-z/.-' 'A-Z___')
		grep -qx "#define $g" "$f" || echo "$f: no $g"
	done | grep .
}
t 'each header has its guard' not guard_missing

# shellcheck disable=SC2046
config_in_header()
{
	grep 'include.*config\.h' $(grep '\.h$' "$tmp/files")
}
t 'no header includes config.h' not config_in_header

bad_names()
{
	grep -E '/(util|utils|common|misc|types|internal|helpers)\.[ch]$|[A-Z_]' \
		"$tmp/files" | grep '^src/'
}
t 'no file is called util, common, misc, types or internal' not bad_names

# shellcheck disable=SC2046
bad_lines()
{
	grep -nE '[[:space:]]$|^ {8}' $(cat "$tmp/files")
}
t 'lines are indented by tabs and end without blanks' not bad_lines

unlisted()
{
	grep -vE '^tests/(bench|long)/|\.def$' "$tmp/files" | while IFS= read -r f; do
		grep -qwF -e "$f" -e "${f%.c}" src/local.mk tests/local.mk ||
			echo "$f is in no local.mk"
	done | grep .
	find tests -name '*.t' ! -path 'tests/long/*' \
		! -path 'tests/s3/*' | while IFS= read -r f; do
		grep -qwF "$f" tests/local.mk || echo "$f is not in tests/local.mk"
	done | grep .
}
all_listed()
{
	! unlisted >"$tmp/unlisted"
	cat "$tmp/unlisted"
	[ ! -s "$tmp/unlisted" ]
}
t 'each source and each test is in a local.mk' all_listed
