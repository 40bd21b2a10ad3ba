#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack: which files are packed, and results for programs.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

names()
{
	"$DESFS" ls -R --json "$1" | "$PYTHON" -c '
import json, sys
print(" ".join(sorted(json.loads(l)["path"] for l in sys.stdin)))' >names.out
	cat names.out
	[ "$(cat names.out)" = "$2" ]
}

mkdir -p src/build/x src/lib
touch src/a.c src/a.o src/build/x/b.o src/build/keep.c src/lib/c.o src/lib/c.c
t '--exclude' "$DESFS_PACK" -q --exclude '*.o' --exclude /build/x src a
t 'leaves out what matches' \
	names a 'a.c build build/keep.c lib lib/c.c'
printf '# comment\n+ /lib/c.o\n*.o\nbuild/\n' >rules
several()
{
	mkdir -p several/one several/two || return
	echo x >several/one/x && cp several/one/x several/x &&
		"$DESFS_PACK" -q --exclude /one --exclude '/x' several/one \
			several/two several/x several.ar &&
		"$DESFS" ls -R several.ar >several.out && cat several.out &&
		! grep -q one several.out &&
		! grep -q x several.out && grep -q two several.out
}
t '--exclude of sources by their names' several
t '--exclude-from' "$DESFS_PACK" -q --exclude-from rules src b
t 'takes the first rule that matches' names b 'a.c lib lib/c.c lib/c.o'
t 'a missing file of rules is an error' \
	not "$DESFS_PACK" -q --exclude-from nowhere src c

printf './lib/c.c\0build//x/\0a.o\0a.o\0' >list
t '--files0-from' "$DESFS_PACK" -q --files0-from list src l
t 'packs what is listed and the way to it' \
	names l 'a.o build build/x lib lib/c.c'
listed()
{
	(cd src && find . -name '*.c' -print0) |
		"$DESFS_PACK" -q --files0-from=- src "$1"
}
t '--files0-from=-' listed m
t 'reads standard input' names m 'a.c build build/keep.c lib lib/c.c'
missing_listed()
{
	printf 'a.c\0gone\0' >list
	"$DESFS_PACK" -q --files0-from list src n 2>err
	[ $? = 1 ] && cat err && grep 'gone: ' err
}
t 'a listed file that is missing fails' missing_listed
t 'the others are packed' names n a.c
printf '../src/a.c\0' >list
t 'no way out of the source' not "$DESFS_PACK" -q --files0-from list src o
t '--mirror does not go with it' \
	not "$DESFS_PACK" -q --mirror --files0-from list src o

# What other file systems a /dev has is the machine's affair.
t '--one-file-system' "$DESFS_PACK" -q -x /dev dev
other_systems_are_empty()
{
	for d in /dev/*/; do
		[ -L "${d%/}" ] && continue
		[ "$(stat -c %d "$d")" = "$(stat -c %d /dev)" ] && continue
		echo "$d is another"
		[ -z "$("$DESFS" ls dev "$(basename "$d")")" ] || return 1
	done
}
t 'does not enter another' other_systems_are_empty

# Each line one object of version 1; then a condition on all of them.
json()
{
	"$PYTHON" -c '
import json, sys
rows = [json.loads(l) for l in open("json.out", encoding="utf-8")]
assert rows and all(r["v"] == 1 for r in rows), rows
types = [r["type"] for r in rows]
last = rows[-1]
sys.exit(0 if eval(sys.argv[1]) else "not: " + sys.argv[1] + "\n" + str(rows))
' "$1"
}
printf 'x' >"src/$(printf 'new\nline \377')"
mkfifo src/fifo
"$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("src/sock")'
"$DESFS_PACK" -q --json src j >json.out
t '--json ends with a summary' json 'last["type"] == "summary"'
t 'which counts' json 'last["packed"] == 12 and last["packed_bytes"] == 1'
t 'and says what is left out' json '"left-out" in types'
t 'files are named only with -v' json '"packed" not in types'
"$DESFS_PACK" --json -v src j2 >json.out 2>/dev/null
t 'by -v they are' json 'types.count("packed") == 12'
t 'with names that are no text' json '"new\nline \udcff" in [r.get("path") for r in rows]'
t 'and kinds' json '{"file", "directory", "fifo"} == {
r["kind"] for r in rows if r["type"] == "packed"}'
"$DESFS_PACK" --json -n src j3 >json.out 2>/dev/null
t 'so does a dry run' json 'types.count("would-pack") == 12'

progress_is_json()
{
	"$DESFS_PACK" --progress json src k 2>json.err &&
		grep '^{' json.err >json.out &&
		"$PYTHON" -c 'import json
for l in open("json.out"): json.loads(l)'
}
t '--progress json writes objects' progress_is_json
memory_told()
{
	"$DESFS_PACK" -v --jobs 2 src v 2>&1 |
		sed -n 's/.*memory: \([0-9]*\)\.[0-9] MiB at most.*/\1/p' >memory
	cat memory
	[ "$(cat memory)" -lt 256 ]
}
t '-v tells the bound of memory, and it is low' memory_told

# Files that cannot be read: root reads all, so another user packs.
other_user()
{
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}
mkdir -p bad/closed bad/open out && echo data >bad/open/file &&
	echo secret >bad/open/secret && echo deep >bad/closed/deep
chmod 777 . out && chmod -R a+rX bad && "$DESFS_PACK" -q bad out/before &&
	chmod -R a+rwX out && chmod 600 bad/open/secret && chmod 0 bad/closed
[ "$(id -u)" = 0 ] || chmod 0 bad/open/secret
partly()
{
	other_user "$DESFS_PACK" "$@" >fail.out 2>&1
	fail_status=$?
	cat fail.out
	[ $fail_status = 1 ]
}
t 'a file that cannot be read fails' partly bad out/first
t 'it is named' grep 'open/secret: .*Permission denied' fail.out
t 'and a directory' grep 'closed: .*Permission denied' fail.out
t 'and counted' grep '2 failed' fail.out
t 'the rest is there' names out/first 'closed open open/file'
t 'with --mirror too' partly --mirror bad out/before
t 'what was packed before stays' \
	names out/before 'closed closed/deep open open/file open/secret'
its_bytes()
{
	[ "$("$DESFS" cat out/before open/secret)" = secret ]
}
t 'with its bytes' its_bytes
chmod 755 bad/closed

# A file of which the system says 4096 bytes, and gives fewer.
odd=/sys/kernel/mm/transparent_hugepage/enabled
[ -f $odd ] || odd=/sys/kernel/uevent_seqnum
changing()
{
	"$DESFS_PACK" $odd src/a.c changing 2>fail.out
	[ $? = 1 ] && grep 'changed while it was read' fail.out
}
t 'a file that is not what its size says has changed' changing
t 'the others are packed' names changing a.c

mkdir huge
touch huge/a
truncate -s 257G huge/b
huge()
{
	timeout 20 "$DESFS_PACK" -q --block-size 4K huge h 2>err
	[ $? = 1 ] && cat err && grep 'b: larger than' err
}
if [ -s huge/b ]; then
	t 'a file of more blocks than an entry can have fails at once' huge
	t 'and the others are packed' names h a
else
	skip_t 'a file of too many blocks' 'no files of such a size here'
fi

# An option that is wrong fails before anything is made.
spooled()
{
	not "$DESFS_PACK" -q --spool "$tmp/nowhere" src spooled 2>err &&
		cat err && grep -q 'spool directory .*nowhere' err &&
		[ ! -e spooled ]
}
t '--spool wants a directory' spooled
# find(1) goes into an archive that lies in the source too.
within()
{
	mkdir -p within/d && echo x >within/d/f &&
		"$DESFS_PACK" -q within within/d/ar || return 1
	(cd within && find . -print0) | "$DESFS_PACK" -v --files0-from=- \
		within within/d/ar 2>err || return 1
	cat err
	[ "$(grep -c 'left out' err)" = 2 ] && names within/d/ar 'd d/f'
}
t 'nothing of the archive itself is packed' within
