#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs repack of damaged shards: an error that says what it costs, or, with
# --drop-corrupt, all that is whole and a list of what is not.
. "${0%/*}/../lib/tap.sh"
# shellcheck source=tests/lib/tree.sh
. "$SRCDIR/tests/lib/tree.sh"

# flip FILE OFFSET: invert a byte.
flip()
{
	"$PYTHON" - "$@" <<-'EOF2'
	import os, sys
	path, at = sys.argv[1], int(sys.argv[2])
	os.chmod(path, 0o644)
	with open(path, "r+b") as f:
	    at = at if at >= 0 else os.path.getsize(path) + at
	    f.seek(at)
	    b = f.read(1)
	    f.seek(at)
	    f.write(bytes([b[0] ^ 0xff]))
	EOF2
}

# part ARCHIVE NAME: where data, index, ... begin, of the only shard.
part()
{
	"$PYTHON" - "$(find "$1" -name '*.des' | sort | head -n 1)" "$2" <<-'EOF2'
	import os, struct, sys
	with open(sys.argv[1], "rb") as f:
	    f.seek(-512, 2)
	    b = f.read(512)
	u64 = lambda at: struct.unpack_from("<Q", b, at)[0]
	at = {"data": 192 + u64(192) // 2, "index": u64(200), "root": u64(200) + u64(216),
	      "filter": u64(248), "dir": u64(280), "info": u64(312),
	      "header": 100, "footer": os.path.getsize(sys.argv[1]) - 100}
	print(at[sys.argv[2]] + (30 if sys.argv[2] in ("index", "root", "data") else 0))
	EOF2
}

files one/many 3000 400
files one/many/large 3 700000
mkdir one/many/empty
ln -s 000001 one/many/link
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z one intact

# The shard with nearly all: the names below one directory.
biggest()
{
	find "$1" -name '*.des' -printf '%s %p\n' | sort -n | tail -n 1 |
		cut -d ' ' -f 2-
}

damaged()
{
	rm -rf "$1" && cp -a intact "$1" &&
		big=$(biggest "$1") && mkdir -p probe && rm -f probe/* &&
		cp "$big" probe/x.des && flip "$big" "$(part probe "$2")"
}

fails()
{
	"$DESFS" repack --recompress zstd:2 "$1" >out 2>&1
	status=$?
	cat out
	[ $status != 0 ] && grep -q "$2" out
}

drops()
{
	"$DESFS" repack --drop-corrupt --json "$1" >"$1.json" &&
		"$DESFS" verify --deep "$1" >verify.out &&
		! grep -q DAMAGE verify.out
}

lost()
{
	grep -c '"kind": *"lost"' "$1.json"
}

# All that is there is as it was, and no more is missing than is told.
rest_is_right()
{
	rm -rf "x-$1"
	"$DESFS" extract "$1" "x-$1" 2>/dev/null
	diff -r one "x-$1" | grep -v '^Only in one' >differs
	cat differs
	[ ! -s differs ] &&
		[ "$(diff -r one "x-$1" | grep -c '^Only in one')" = "$(lost "$1")" ]
}

t 'a block is damaged' damaged a data
t 'which is an error with names' fails a 'block at .*costs .*many/'
t 'it stays as it is' test "$(find a -name "$(basename "$big" | cut -c 1-15)*")" = "$big"
t 'what needs it is dropped' drops a
t 'and listed' test "$(lost a)" -ge 1
t 'the rest is there' rest_is_right a
t 'the record counts them' grep -q '"lost": *[1-9]' a/log/*

t 'an index page is damaged' damaged b index
t 'which is an error' fails b 'index page'
t 'its entries are found again' drops b
t 'all of them' rest_is_right b
t 'so none is lost' test "$(lost b)" = 0

t 'the root page is damaged' damaged c root
t 'its entries are found again' drops c
t 'all of them' rest_is_right c
for what in filter dir info header footer; do
	t "the $what is damaged" damaged d "$what"
	t 'which is an error' fails d .
	t 'nothing is lost by it' drops d
	t 'all is there' rest_is_right d
done
t 'an intact archive' cp -a intact e
t 'is read, and left as it is' drops e
t 'without a new record' test "$(find e/log -type f | wc -l)" = 1

t 'both index and a block are damaged' damaged f root
flip "$(biggest f)" "$(part probe data)"
t 'what needs the block is dropped' drops f
t 'and listed' test "$(lost f)" -ge 1
t 'the rest is there' rest_is_right f
