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
says_so()
{
	status_is "$@" && grep -q "'desfs rebuild'" o e
}
t 'without the log nothing can be deleted' \
	says_so 3 "$DESFS" tombstone add --force lost f1
t 'nor is anything deleted' says_so 3 "$DESFS" erasures verify lost
t 'a new one would hide all' test -z "$(ls lost/log)"
t 'verify tells of it' says_so 6 "$DESFS" verify lost
mark=lost/tmp/run-0123456789abcdef
mkdir -p lost/tmp && echo /reap >$mark
t 'also while a run is at work that makes no shards' \
	says_so 6 flock $mark "$DESFS" verify lost
t 'which is no first run' \
	says_so 3 flock $mark "$DESFS" tombstone add --force lost f1
rm $mark
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

# The record of a repack is lost, when what it replaced is gone already.
cp -r ar gone
"$DESFS" tombstone add --no-copies gone f3 dir/f4 >/dev/null
"$DESFS" repack --grace 0 gone >/dev/null
"$DESFS" ls -R --json gone >rows.gone
chmod -R u+w gone
lost_repack()
{
	rm -rf lost && cp -r gone lost && rm lost/2*/none 2>/dev/null
	# shellcheck disable=SC2046
	rm $(grep -l "$1" lost/log/2*.json)
}
same_gone()
{
	"$DESFS" verify --deep lost || return
	"$DESFS" ls -R --json lost | diff rows.gone -
}
lost_repack '"kind":"repack"'
t 'without the record of a repack' status_is 6 "$DESFS" ls lost
t 'which is made again' status_is 0 "$DESFS" rebuild lost
t 'what it replaced does not count' same_gone
not_there_now()
{
	lost_repack '"kind":"repack"' && mkdir kept || return
	for f in lost/2*/*_R001_*; do
		mv "$f" kept/ && if [ "$1" = damaged ]; then
			head -c 100 "kept/${f##*/}" >"$f"
		fi || return
	done
	status_is 1 "$DESFS" rebuild lost && grep 'is not there whole' e || return
	grep '"kind":"repack"' lost/log/2*.json && return 1
	for f in kept/*; do
		day=${f##*/} && day=${day%%_*} && mv "$f" "lost/$day/" || return
	done
	rmdir kept && "$DESFS" rebuild --force lost && same_gone
}
t 'nor is it given up while it is damaged' not_there_now damaged
t 'or not there' not_there_now missing
# Old shards that are back, from a backup: with what was made of them, and alone.
same_files()
{
	"$DESFS" ls -R --json lost | diff rows.gone -
}
restored()
{
	lost_repack '"kind":"repack"' && cp -n ar/2*/*.des lost/2*/
}
restored
t 'nor does it count when it is back' status_is 0 "$DESFS" rebuild lost
t 'beside what was made of it' same_files
without_heirs()
{
	restored && rm -f lost/2*/*_R001_* && "$DESFS" rebuild --force lost >o 2>&1
	cat o
	! grep 'is lost\|bytes are gone' o && same_files
}
t 'it does where nothing else is there, but for what is deleted' without_heirs
lost_repack '"kind":"repack"\|"kind":"purged"'
t 'nor when nothing tells that it is gone' status_is 7 "$DESFS" rebuild lost
t 'if that is asked for' status_is 0 "$DESFS" rebuild --force lost
t 'is it there' same_gone
lost_repack '"kind":"repack"\|"kind":"purged"'
rm lost/2*/*_R001_*
t 'a shard that is not there' status_is 1 "$DESFS" rebuild lost
t 'is told' grep 'it is not there' e

# A tombstone that counts is lost.
fresh
"$DESFS" tombstone add --no-copies lost f3 >/dev/null
doc=$(echo lost/tombstones/2*/*.json)
"$DESFS" ls -R --json lost >rows.less
cp -r lost before
rm -f "$doc"
t 'without a tombstone' status_is 6 "$DESFS" ls lost
t 'nothing can be read' status_is 6 "$DESFS" rebuild lost
t 'and it says what to do' grep -e --drop-tombstones e
t 'unless it is given up' status_is 1 "$DESFS" rebuild --drop-tombstones lost
t 'then what it deleted is back' same
rm -rf lost && cp -r before lost
"$DESFS" tombstone add --no-copies lost f4 >/dev/null
"$DESFS" tombstone aggregate lost >/dev/null
"$DESFS" ls -R --json lost >rows.less
chmod -R u+w lost
echo garbage >"$doc"
rm -f lost/log/index.json lost/desfs.json
t 'one that is in an aggregate' status_is 0 "$DESFS" rebuild --force lost
t 'is put back' test "$(sha256sum <"$doc")" = "$(sha256sum <"before/${doc#lost/}")"
t 'and deletes' sh -c "'$DESFS' ls -R --json lost | diff rows.less -"
rm -r lost
mkdir lost
t 'nothing to rebuild from' status_is 3 "$DESFS" rebuild lost
