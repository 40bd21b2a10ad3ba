#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rooms include only the rooms below them, third-party headers stay in theirs.
. "${0%/*}/../lib/tap.sh"

cat >rooms <<'EOF'
base
codec base
conf base
net base
cache base
catalog base
shard base codec
erase base shard
store base conf net
legacy base codec shard store catalog
volume base codec shard store cache catalog erase legacy
run base shard
verify base codec conf run shard store catalog erase legacy volume
pack base codec conf run shard store catalog erase legacy volume verify
restore base codec run shard store erase legacy volume verify
exchange base codec conf run shard store catalog erase legacy volume verify pack restore
repack base codec conf cache run shard store catalog erase volume verify pack restore
fs base conf volume store
cmd base codec conf net cache catalog shard erase store legacy volume run verify pack restore exchange repack
EOF

# Header (a regular expression), then the files that may include it.
cat >third <<'EOF'
fuse(3/|_|\.) src/fs/
curl/ src/net/
expat\.h src/net/
zstd src/codec/
lz4 src/codec/
sqlite3 src/catalog/
jansson\.h src/base/json(-write)?\.[ch]$
archive(_entry)?\.h src/exchange/archive-library\.h$
nettle/ src/net/|src/base/(sha256|hmac)\.[ch]$
intel-ipsec-mb\.h src/base/sha256-many\.c$
openssl/ tests/
zlib\.h src/shard/route\.c$
cmocka\.h never
EOF

# Print "file header" for each include below DIR/src; "" headers and <> ones.
includes()
{
	(cd "$1" && find src -name '*.[ch]' | sort | xargs sed -n \
		-e 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*\).*/\1/' \
		-e 't show' -e b -e ':show' -e F -e p) | paste -d ' ' - -
}

rooms_ok()
{
	includes "$1" | awk '
	FILENAME != "-" { n = split($0, a, " "); known[a[1]] = 1
		for (i = 1; i <= n; i++) may[a[1], a[i]] = 1; next }
	{ split($1, f, "/"); room = f[2]; h = substr($2, 2) }
	!(room in known) { print $1 ": no such room: " room; bad = 1; next }
	$2 !~ /^"/ || h == "config.h" { next }
	h !~ /\// { print $1 ": include " h " by its full path"; bad = 1; next }
	{ split(h, p, "/") }
	!((room, p[1]) in may) { print $1 ": " room " may not include " h; bad = 1 }
	(h ~ /-backend\.h$/ || h == "fs/fs.h") && p[1] != room {
		print $1 ": " h " is private to " p[1]; bad = 1 }
	END { exit bad }' "$tmp/rooms" -
}

third_ok()
{
	includes "$1" | awk '
	FILENAME != "-" { re[++n] = $1; may[n] = $2; next }
	$2 ~ /^</ { for (i = 1; i <= n; i++)
		if (substr($2, 2) ~ "^" re[i] && $1 !~ "^(" may[i] ")") {
			print $1 ": may not include " substr($2, 2); bad = 1 } }
	END { exit bad }' "$tmp/third" -
}

t 'rooms include downwards only' rooms_ok "$SRCDIR"
t 'third-party headers stay in their rooms' third_ok "$SRCDIR"

# The checks themselves.
mkdir -p bad/src/base bad/src/volume
echo '#include "volume/volume.h"' >bad/src/base/up.c
t 'an upward include is found' not rooms_ok bad
echo '#include "store/store-backend.h"' >bad/src/volume/leak.c
rm bad/src/base/up.c
t 'a private header is found' not rooms_ok bad
echo '# include <zlib.h>' >bad/src/volume/leak.c
t 'a foreign library is found' not third_ok bad
