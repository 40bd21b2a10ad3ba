#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs rebuild makes descriptor and log again from the shards.
. "${0%/*}/../lib/tap.sh"

mkdir -p src/dir
for i in 1 2 3 4 5; do
	echo "$i" >"src/f$i"
	echo "$i$i" >"src/dir/f$i"
done
t 'a tree is packed' "$DESFS_PACK" -q src ar
echo changed >src/f1
rm src/f2
t 'and once more' "$DESFS_PACK" -q --mirror src ar
chmod -R u+w ar
"$DESFS" ls -R --json ar >rows

status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat o e
	[ "$is" = "$want" ]
}
same()
{
	cmp ar/desfs.json lost/desfs.json || return
	"$DESFS" verify --deep lost || return
	"$DESFS" ls -R --json lost | diff rows -
}
fresh()
{
	rm -rf lost && cp -r ar lost
}
fresh
t 'a sound archive is left alone' status_is 8 "$DESFS" rebuild lost
t 'as it was' diff -r ar lost
rm -r lost/log lost/desfs.json
t 'without descriptor and log it is none' status_is 3 "$DESFS" ls lost
t 'it could be made again' status_is 0 "$DESFS" rebuild --dry-run lost
t 'nothing was written' test ! -e lost/desfs.json
t 'it is made again' status_is 0 "$DESFS" rebuild lost
t 'the same' same
fresh
rm lost/desfs.json
t 'without the descriptor alone' status_is 0 "$DESFS" rebuild lost
t 'it is the same' same
fresh
rm lost/log/*
t 'without the log alone' status_is 0 "$DESFS" rebuild lost
t 'the files are the same' same
fresh
for f in lost/log/*; do
	echo garbage >"$f"
	break
done
t 'with a damaged record' status_is 6 "$DESFS" ls lost
t 'the log is mended' status_is 0 "$DESFS" rebuild lost
t 'and the same' same
fresh
echo garbage >lost/desfs.json
t 'with a damaged descriptor' status_is 0 "$DESFS" rebuild lost
t 'it is mended' same

fresh
rm lost/log/*
for f in lost/2*/*.des; do
	truncate -s -1 "$f"
	break
done
t 'a damaged shard is left out' status_is 1 "$DESFS" rebuild lost
t 'and named' grep -q "^desfs: ${f#lost/}: " e
t 'the rest is there' status_is 0 "$DESFS" verify lost
fresh
cp -r ar other
rm -r other
mkdir one && echo 1 >one/1 && "$DESFS_PACK" -q one other
for f in other/2*/*.des; do
	cp "$f" "lost/${f#other/}"
done
rm lost/log/*
t 'a shard of another archive too' status_is 1 "$DESFS" rebuild lost
t 'is named' grep -q 'another archive' e
rm -r lost
mkdir lost
t 'nothing to rebuild from' status_is 3 "$DESFS" rebuild lost
