#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs verify of an archive from which files are deleted, step by step.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

mkdir -p src/d
for i in 1 2 3 4 5 6; do
	echo "$i" >"src/d/f$i"
done
echo 'a secret of mine' >src/d/mine
"$DESFS_PACK" -q src ar || exit
chmod -R u+w ar
key=$("$DESFS" stat ar d/mine | sed -n 's/^shard: //p')

# verified STATUS ARGUMENTS
verified()
{
	want=$1
	shift
	"$DESFS" verify --deep --json "$@" >out 2>err
	is=$?
	cat out err
	[ $is = "$want" ]
}
# total NAME N
total()
{
	tail -n 1 out
	tail -n 1 out | grep "\"$1\":$2[,}]"
}
no_notes()
{
	not grep '"kind":"note"' out
}

t 'an archive from which nothing is deleted' verified 0 ar
t 'has nothing deleted in it' total deleted 0
cp -a ar before

t 'a file is deleted' "$DESFS" tombstone add --reason gdpr ar d/mine
t 'that is no damage' verified 0 ar
t 'it is still there, and counted' total deleted 1
t 'a note tells' grep '"kind":"note","key":"tombstones"' out
t 'without its name' not grep mine out

# Damage in what is deleted is damage, and costs nothing.
rm -rf bad && cp -a ar bad
off=$("$DESFS" stat before d/mine | sed -n 's/^block: .* at \([0-9]*\), .*/\1/p')
printf '\377' | dd of="bad/$key" bs=1 seek=$((off + 50)) conv=notrunc 2>/dev/null
t 'a damaged block with deleted files' verified 6 bad
t 'costs those that are not deleted' total lost 6
t 'and tells no others' not grep mine out

t 'a repack' "$DESFS" repack --grace 1h ar
t 'leaves an archive that is well' verified 0 ar
t 'with nothing deleted in it' total deleted 0
t 'what is to be purged is there' ls "ar/$key"
t 'and counted' total old_shards 1
t 'it is no leftover' no_notes
t 'named by its key it is verified all the same' verified 0 ar "$key"
t 'it and no other' total shards 1
rm -rf bad && cp -a ar bad
rm "$(find bad/20* -name '*_R001_*')"
t 'a revision that counts and is lost is damage' verified 6 bad
t 'which says that one is missing' total missing_shards 1

# The same without grace, so that all is done at once.
rm -rf ar && cp -a before ar
"$DESFS" tombstone add --reason gdpr ar d/mine >/dev/null || exit
t 'a round of reap without grace' "$DESFS" reap --grace 0 ar
t 'leaves an archive that is well, too' verified 0 ar
t 'nothing is left' no_notes
t 'not the shard' not ls "ar/$key"
cp "before/$key" "ar/$key"
t 'should it turn up again it is an error' verified 6 ar
t 'as the log says it is gone' grep "\"$key\",\"text\":\"the log says it is gone" out
rm "ar/$key"

# Every record that others name, and the documents, are missed.
rm -rf ar && cp -a before ar
"$DESFS" tombstone add --reason gdpr ar d/mine >/dev/null || exit
"$DESFS" repack --grace 1h ar >/dev/null || exit
chmod -R u+w ar
misses()
{
	find ar/log ar/tombstones -name '*.json' ! -name "$1" | sort >objects
	[ -s objects ] || return
	while read -r object; do
		mv "$object" away
		verified 6 ar >all 2>&1 || { echo "$object"; cat all; return 1; }
		grep -q "${object##*/}" out || { echo "$object"; cat out; return 1; }
		mv away "$object"
	done <objects
}
newest=$(find ar/log -name '*.json' | sort | tail -n 1)
t 'each object of the log and of deletions is missed by name' \
	misses "${newest##*/}"
