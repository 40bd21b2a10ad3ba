#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs verify --salvage brings back what is intact.
. "${0%/*}/../lib/tap.sh"

umask 022
mkdir -p src/dir/sub
for i in 1 2 3 4 5 6 7 8 9; do
	head -c "$((i * 30000))" /dev/urandom >"src/dir/f$i"
done
head -c 900000 /dev/urandom >src/dir/large
ln -s f1 src/dir/sym
mkfifo src/dir/fifo
: >src/dir/nothing
truncate -s 2M src/dir/zz-holes
head -c 200000 /dev/urandom |
	dd of=src/dir/zz-holes bs=1000 seek=1100 conv=notrunc 2>/dev/null
chmod 640 src/dir/f3
touch -d 1965-01-01T00:00:00.5Z src/dir/f4
t 'a tree is packed' "$DESFS_PACK" -q src ar
chmod -R u+w ar
key=$("$DESFS" stat ar dir/f1 | sed -n 's/^shard: //p')
name=${key##*/}

status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat o e
	[ "$is" = "$want" ]
}
# All files of $1 are as they were, but those named.
intact()
{
	got=$1
	shift
	for f in src/dir/* ; do
		f=${f#src/}
		case " $* " in *" ${f#dir/} "*)
			[ ! -e "$got/$f" ] || { echo "$f is there"; return 1; }
			continue ;;
		esac
		if [ -f "src/$f" ] && [ ! -L "src/$f" ]; then
			cmp "src/$f" "$got/$f" || return
		fi
		[ "$(stat -c '%F %a %Y %s' "src/$f")" = \
			"$(stat -c '%F %a %Y %s' "$got/$f")" ] ||
			{ stat "src/$f" "$got/$f"; return 1; }
	done
}
t 'a whole shard' status_is 0 "$DESFS" verify --salvage all "ar/$key"
t 'gives all' intact all

cp "ar/$key" "$name"
size=$(stat -c %s "$name")
truncate -s $((size - 600)) "$name"
t 'without its footer' status_is 6 "$DESFS" verify --salvage nofoot "$name"
t 'a shard gives all' intact nofoot
cp "ar/$key" "$name"
truncate -s -65536 "$name"
t 'without its last 64 KiB' status_is 6 "$DESFS" verify --salvage cut "$name"
t 'it gives all but what lay there' intact cut zz-holes
t 'nothing half' test ! -e cut/dir/zz-holes

# One block of the large file, and with it the index.
cp "ar/$key" "$name"
off=$("$DESFS" stat ar dir/large |
	sed -n 's/^block: .* at \([0-9]*\), .*/\1/p' | sed -n 3p)
printf 'damage' | dd of="$name" bs=1 seek=$((off + 500)) conv=notrunc 2>/dev/null
t 'with a damaged block' status_is 6 "$DESFS" verify --salvage hole "$name"
t 'it gives all but one file' intact hole large
t 'and names that' grep -q '^desfs: dir/large: ' e
truncate -s $((size - 600)) "$name"
t 'without index besides' status_is 6 "$DESFS" verify --salvage both "$name"
t 'it gives the same' intact both large
t 'and tells of the file' grep -q '^desfs: dir/large: block' e

# In an archive.
cp "$name" "ar/$key"
t 'of an archive' status_is 6 "$DESFS" verify --deep --salvage some ar
t 'the damaged shards are salvaged' intact some large
mkdir -p trap elsewhere
ln -s "$tmp/elsewhere" trap/dir
t 'into a trap' status_is 6 "$DESFS" verify --salvage trap "$name"
t 'nothing goes through it' rmdir elsewhere
