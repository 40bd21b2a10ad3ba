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

# ends ARCHIVE FLIP|CUT OFFSET: hit the only large shard of small.
hit()
{
	"$PYTHON" - "$(biggest small)" "$1" "$2" <<-'EOF2'
	import os, sys
	path, how, at = sys.argv[1], sys.argv[2], int(sys.argv[3])
	os.chmod(path, 0o644)
	b = bytearray(open(path, "rb").read())
	at += len(b) if at < 0 else 0
	if how == "cut":
	    del b[at:]
	else:
	    b[at] ^= 0xff
	open(path, "wb").write(b)
	EOF2
}

# All that the data has is kept, whatever became of what says where it is.
each_is_kept()
{
	how=$1
	shift
	for at; do
		rm -rf small && cp -a small-intact small && hit "$how" "$at" &&
			"$DESFS" repack --drop-corrupt --json small >small.json &&
			[ "$(lost small)" = 0 ] && rm -rf x-small &&
			"$DESFS" extract small x-small && diff -r few x-small &&
			"$DESFS" verify --deep small >/dev/null && continue
		echo "$how at $at"
		cat small.json
		return 1
	done
}

files few/few 5 200
"$DESFS_PACK" -q --n-bits 4 --created-at 2026-01-01T10:00:00Z few small-intact
t 'no byte of a header is needed' \
	each_is_kept flip 0 8 9 12 15 16 19 20 24 40 44 48 60 64 130 188
t 'no byte of a footer is needed' each_is_kept flip -512 -504 -503 -500 -497 \
	-496 -493 -488 -472 -468 -464 -384 -320 -296 -200 -100 -44 -12 -1
t 'a shard that has lost its end is read by its blocks' \
	each_is_kept cut -1 -8 -500 -512 -513 -600

cut_short()
{
	rm -rf small && cp -a small-intact small && hit cut "$1" &&
		"$DESFS" repack --drop-corrupt small >out && cat out &&
		grep -q 'lost [0-9]* entries whose names are lost, of those from' \
			out && "$DESFS" verify --deep small &&
		[ -z "$("$DESFS" ls small few 2>&1)" ]
}
t 'one that has lost all is dropped, and its range of names told' cut_short 100
t 'empty ones too' cut_short 0

gone()
{
	rm -rf small && cp -a small-intact small && rm -f "$(biggest small)" &&
		not "$DESFS" reap --when-deleted 0 small >out 2>&1
	not "$DESFS" repack --drop-corrupt small >out 2>&1 && cat out &&
		grep -q "No such file" out && not grep -q ': *$' out
}
t 'one that is not there is an error with a reason' gone

# Nothing is left of what was packed, and the archive is there.
lose_all()
{
	rm -rf small && cp -a small-intact small &&
		for f in small/*/*.des; do
			chmod u+w "$f" && : >"$f" || return
		done
	"$DESFS" repack --drop-corrupt --grace 0 small || return
	find small -name '*.des' | not grep .
}
bare()
{
	[ -z "$("$DESFS" ls small)" ] && "$DESFS" stat small . &&
		"$DESFS" stat --json small . >stat.json &&
		"$DESFS" verify small && rm -rf x-small &&
		"$DESFS" extract small x-small && rmdir x-small
}
t 'all shards are lost and dropped' lose_all
t 'which is an archive without files' bare

# --- of zones ------------------------------------------------------------------
cat >z <<-'EOF2'
	[zones]
	n_bits = 4
	[store x]
	url = x
	[store y]
	url = y
	[zone all]
	slots = 0-15
	stores = x, y
EOF2
# zoned: a block of x and the index of y are damaged, in different shards.
zoned()
{
	rm -rf x y &&
		"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z few zone://z &&
		big=$(biggest x) && chmod u+w "$big" "y${big#x}" &&
		printf '\377' |
		dd of="$big" bs=1 seek=300 conv=notrunc 2>/dev/null &&
		"$DESFS" verify zone://z --deep | grep '^store x: '
}
whole()
{
	"$DESFS" verify --deep zone://z && rm -rf x-z &&
		"$DESFS" extract zone://z x-z && diff -r few x-z &&
		diff -r x y
}
t 'a copy is damaged, the other is not' zoned
mended()
{
	"$DESFS" repack --grace 0 --drop-corrupt --json zone://z >z.json &&
		not grep '"kind": *"lost"' z.json && whole
}
t 'nothing is dropped' mended
in_both()
{
	zoned && flip "y${big#x}" $(($(wc -c <"$big") - 700)) && cp -a x x-before && cp -a y y-before &&
		not "$DESFS" repack --grace 0 --drop-corrupt zone://z 2>err ||
		return
	cat err && grep 'damaged in each of 2 stores' err &&
		cmp "$big" "x-before${big#x}" &&
		[ "$(cd x && ls log)" = "$(cd x-before && ls log)" ]
}
t 'what one copy has lost is not dropped while there is another' in_both
in_one()
{
	rm -f "y${big#x}" &&
		"$DESFS" repack --grace 0 --drop-corrupt --json zone://z >z.json &&
		grep '"kind": *"lost"' z.json &&
		"$DESFS" verify --deep zone://z
}
t 'once one is left it is' in_one
alike()
{
	zoned && cp -f "$big" "y${big#x}" &&
		"$DESFS" repack --grace 0 --drop-corrupt --json zone://z >z.json &&
		grep '"kind": *"lost"' z.json && "$DESFS" verify --deep zone://z
}
t 'what all copies have lost alike is' alike
deleted()
{
	zoned && "$DESFS" tombstone add zone://z few/000003 || return
	"$DESFS" repack --grace 0 zone://z && rm -rf x-z &&
		"$DESFS" verify --deep zone://z && "$DESFS" extract zone://z x-z &&
		[ "$(diff -r few x-z)" = 'Only in few/few: 000003' ]
}
t 'it stops no deletion' deleted
lost_in_one()
{
	zoned && rm -f "x${big#x}" && mended
}
t 'nor does one that is missing cost anything' lost_in_one
