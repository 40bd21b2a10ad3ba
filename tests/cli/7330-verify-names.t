#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify names all that damage costs, also where the damage hides it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# A directory whose shard has all kinds; its records are in one block.
mkdir -p src/d
for i in 1 2 3 4 5 6 7 8 9; do
	echo "$i" >"src/d/f$i"
	: >"src/d/empty$i"
	ln -s "f$i" "src/d/link$i"
done
head -c 300000 /dev/urandom >src/d/zlarge
"$DESFS_PACK" -q src ar || exit
chmod -R u+w ar
key=$("$DESFS" stat ar d/zlarge | sed -n 's/^shard: //p')
(cd src && find . -mindepth 1 | sed 's,^\./,,' | sort) >all
grep -e /empty -e /link all >without-data

# number NAME: of the footer of the shard
number()
{
	"$PYTHON" - "ar/$key" "$1" <<'END'
import struct, sys
at = {"data": 184, "index": 200, "blocks": 168}[sys.argv[2]]
print(struct.unpack_from("<Q", open(sys.argv[1], "rb").read()[-512:], at)[0])
END
}

# flip OFFSET: in a copy
flip()
{
	rm -rf bad && cp -r ar bad
	"$PYTHON" - "bad/$key" "$1" <<'END'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    b = f.read(1)
    f.seek(int(sys.argv[2]))
    f.write(bytes([b[0] ^ 8]))
END
}

# names KIND WHAT: the paths that verify tells
names()
{
	"$DESFS" verify --deep --json "$2" | "$PYTHON" -c 'import json, sys
for l in sys.stdin:
    r = json.loads(l)
    if r["kind"] == sys.argv[1] and r.get("path", ""):
        print(r["path"])' "$1" | sort
}
# told KIND WHAT FILE: just those in the file
told()
{
	names "$1" "$2" >is
	diff "$3" is
}
off=$("$DESFS" stat ar d/f1 | sed -n 's/^block: .* at \([0-9]*\), .*/\1/p' |
	head -n 1)

: >none
t 'an archive that is well loses nothing' told lost ar none
t 'and weakens nothing' told weak ar none

flip $((off + 60))
grep /f all >files
t 'a damaged block costs the files in it' told lost bad files
t 'and weakens those whose records it had' told weak bad without-data
people_are_told()
{
	"$DESFS" verify --deep bad >o
	grep 'weakens d/empty1: its record is lost' o
}
t 'people are told so' people_are_told

flip $(($(number index) + 40))
t 'a damaged page of the index costs all in it, by name' told lost bad all
t 'of a shard that is a file, too' told lost "bad/$key" all
flip $(($(stat -c %s "ar/$key") - 300))
t 'so does a damaged footer' told lost bad all
t 'of a file' told lost "bad/$key" all
truncate -s -700 "bad/$key"
t 'and one that is gone' told lost bad all
many()
{
	"$DESFS" verify --deep bad >o
	cat o
	[ "$(grep -c ': costs ' o)" = 22 ] && grep ': costs [0-9]* more, ' o
}
t 'people are told some, and how many more' many
