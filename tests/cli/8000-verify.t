#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs verify finds what is wrong, and says what is only left over.
. "${0%/*}/../lib/tap.sh"

mkdir -p src/dir
for i in 1 2 3 4 5 6 7 8 9; do
	head -c "$((i * 5000))" /dev/urandom >"src/dir/f$i"
	echo "$i" >"src/g$i"
done
t 'a tree is packed' "$DESFS_PACK" -q src ar
chmod -R u+w ar
echo more >src/more
t 'and once more' "$DESFS_PACK" -q src ar
chmod -R u+w ar

status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat o e
	[ "$is" = "$want" ]
}
finds()
{
	status_is 6 "$DESFS" verify "$1" || return
	grep -q "$2" o
}
t 'it is all right' status_is 0 "$DESFS" verify ar
t 'all of it' status_is 0 "$DESFS" verify --deep ar
t 'with threads as without' status_is 0 "$DESFS" verify --deep -j 3 ar
each_alone()
{
	"$DESFS" verify --deep ar/2*/*.des
}
t 'each shard alone' each_alone
json_total()
{
	"$DESFS" verify --deep --json ar | tail -n 1 |
		grep '"kind":"total"' | grep -q '"damage":0'
}
t 'in JSON' json_total
t 'no archive' status_is 3 "$DESFS" verify src
t 'nothing there' status_is 3 "$DESFS" verify none

fresh()
{
	rm -rf bad && cp -r ar bad
}
# The shard that holds dir.
key=$("$DESFS" stat ar dir/f9 | sed -n 's/^shard: //p')

fresh
rm "bad/$key"
t 'a lost shard' finds bad "$key: the log names it"
t 'and how much it costs' grep -q "$key: costs all" o
fresh
truncate -s -1 "bad/$key"
t 'a shard cut short' finds bad "^$key: .*footer"
fresh
rm bad/desfs.json
t 'a lost descriptor' finds bad '^desfs.json: '
fresh
for f in bad/log/*; do
	echo '{}' >"$f"
	break
done
t 'a damaged log record' finds bad '^log: '
fresh
name=${key##*/}
mv "bad/$key" "bad/${key%/*}/${name%%_*}_F_0007_0123456789abcdef.des"
t 'a shard under another name' finds bad "$key: the log names it"
fresh
rm -f bad/log/*
rm bad/desfs.json
mv "bad/$key" "bad/${key%/*}/${name%%_*}_F_0007_0123456789abcdef.des"
t 'even when there is no log' finds bad 'is not called'

fresh
off=$("$DESFS" stat ar dir/f9 |
	sed -n 's/^block: .* at \([0-9]*\), .*/\1/p' | head -n 1)
printf '\125' | dd of="bad/$key" bs=1 seek=$((off + 100)) conv=notrunc 2>/dev/null
t 'damaged data is not seen without --deep' status_is 0 "$DESFS" verify bad
t 'but with it' status_is 6 "$DESFS" verify --deep bad
t 'at its place' grep -q "^$key: offset $off: block" o
t 'with the files it costs' grep -q "^$key: costs dir/f9" o

fresh
echo x >bad/stray
mkdir -p bad/20200101
cp "bad/$key" bad/20200101/20200101_0_0000_0123456789abcdef.des
t 'what is left over is no damage' status_is 0 "$DESFS" verify --deep bad
t 'but named' grep -q '^note: stray' o
t 'a shard too' grep -q '^note: 20200101/.*no log record' o

# Flip bits: each is found.
flips()
{
	size=$(stat -c %s "ar/$key")
	i=0
	while [ $i -lt 60 ]; do
		at=$((i * size / 60 + i * 7 % 13))
		cp "ar/$key" "bad/$key"
		old=$(od -An -tu1 -j $at -N 1 "ar/$key")
		# shellcheck disable=SC2059
		printf "$(printf '\\%03o' $((old ^ 1 << i % 8)))" |
			dd of="bad/$key" bs=1 seek=$at conv=notrunc 2>/dev/null
		"$DESFS" verify --deep "bad/$key" >o 2>e
		[ $? = 6 ] || { echo "byte $at of $size"; cat o e; return 1; }
		i=$((i + 1))
	done
}
fresh
t 'every flipped bit is found' flips

verified()
{
	"$DESFS" verify --deep "$1" && desread_ok "$1"
}
# Directory d10 and what is in it have one slot.
mkdir -p gone/d10 gone/stays && echo 1 >gone/d10/f && echo 2 >gone/stays/f
t 'a directory' "$DESFS_PACK" -q gone went
rm -r gone/d10
t 'that is gone in a mirror' "$DESFS_PACK" -q --mirror gone went
t 'is no damage' "$DESFS" verify --deep went
t 'for the second reader neither' desread_ok went
rm -r gone/stays && echo 3 >gone/stays && echo 3 >gone/d10
t 'nor is a file in its place' "$DESFS_PACK" -q --mirror gone went
rm gone/d10 && mkdir gone/d10 && echo 4 >gone/d10/g
t 'nor a directory again' "$DESFS_PACK" -q --mirror gone went
rm -r gone/d10 && echo 5 >gone/d10
t 'nor a file again' "$DESFS_PACK" -q --mirror gone went
t 'to either reader' verified went

# Two runs that begin with the same archive, and do not see each other.
at_once()
{
	mkdir -p once/first once/more/a && cd once && echo 1 >first/f &&
		echo 23 >more/f && echo 3 >more/a/g && echo 4 >more/a/h &&
		"$DESFS_PACK" -q --created-at 2026-01-01 first one &&
		cp -a one two &&
		"$DESFS_PACK" -q --created-at 2026-01-02T01 more one &&
		rm more/a/h && echo 5 >more/a/i &&
		"$DESFS_PACK" -q --created-at 2026-01-02T02 more two &&
		cp -a one/. two/
}
t 'two runs at once' at_once
twice_is_told()
{
	"$DESFS" verify --deep two >o && cat o &&
		[ "$(grep -c '^note: ' o)" = 2 ] &&
		grep "^note: 20260102/.*duplicates: 1 .*'f'\$" o &&
		grep "^note: 20260102/.*duplicates: 1 .*'a/g'\$" o
}
t 'what both have packed is told' twice_is_told
told_of_one()
{
	"$DESFS" verify one >o && cat o && grep note: o
}
t 'by neither of them alone' not told_of_one
