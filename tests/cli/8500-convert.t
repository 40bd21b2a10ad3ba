#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs convert: an archive with all that one can have becomes another one.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

status_is()
{
	want=$1
	shift
	"$@" >out 2>err
	is=$?
	cat out err
	[ "$is" = "$want" ]
}
# What the report says: an expression over doc and rows.
report_says()
{
	"$PYTHON" - "$@" <<-'EOP'
	import json, sys
	doc = json.load(open(sys.argv[1]))
	rows = doc["rows"]
	total = rows[-1]
	assert doc["kind"] == "convert-report" and total["kind"] == "total"
	print(rows[:5], total)
	assert eval("(" + sys.argv[2] + ")")
	EOP
}
# The file $2 of the archive $1 is as in src.
as_packed()
{
	"$DESFS" cat "$1" "$2" | cmp - "src/$2"
}
has_lz4()
{
	"$DESFS" stat new changing/many/000001 | grep -q lz4
}
history()
{
	"$PYTHON" "$SRCDIR/tests/lib/history.py" "$1"
}
same_history()
{
	history old >a && history new >b && [ "$(wc -l <a)" -gt 400 ] && diff a b
}

umask 022
oddities src --count 100
old_tree src/changing
truncate -s 5M src/sparse
printf end >>src/sparse
printf middle | dd of=src/sparse bs=1 seek=3000000 conv=notrunc 2>/dev/null
head -c 3000000 /dev/urandom >src/noise
pack()
{
	"$DESFS_PACK" -q --mirror --block-size 64K \
		--created-at "$1" src old
}
t 'a first version' pack 2026-01-01T10:00:00Z
new_tree src/changing
t 'a second one' pack 2026-01-02T10:00:00Z
echo again >src/changing/modified
rm -r src/changing/file-to-dir && echo back >src/changing/file-to-dir
rm src/changing/dir-to-file && mkdir src/changing/dir-to-file
echo newborn >src/changing/dir-to-file/newborn
t 'a third one of the same day' pack 2026-01-02T11:00:00Z
cp -a old before

t 'it is converted' status_is 0 "$DESFS" convert --codec=lz4 \
	--report=report old new
t 'all is verified' grep -q ' 0 failed, 0 lost; [1-9][0-9]* verified, 0 diff' out
t 'the report says so' report_says report \
	'total["failed"] == 0 and total["verified"] == total["archived"] > 300'
t 'nothing is written to the old one' diff -r before old
t 'the new one is whole' "$DESFS" verify --deep new
t 'a second reader agrees' reader_agrees new
t 'with all versions' same_history
t 'blocks are of the codec asked for' has_lz4
t 'once more there is nothing to do' status_is 0 "$DESFS" convert old new
t 'and it says so' grep -q '^0 entries converted, [1-9][0-9]* were there, 0 f' out

if [ -e /dev/fuse ] && [ "$(id -u)" = 0 ]; then
	for layout in tree date; do
		t "the old one, $layout" mount_up old a.$layout -o layout=$layout
		t "the new one, $layout" mount_up new b.$layout -o layout=$layout
	done
	t 'rsync sees no difference' same_by_rsync a.tree b.tree
	t 'nor does find' same_by_find a.tree b.tree
	t 'nor in the view of days' same_by_rsync a.date b.date
	t 'holes are holes' [ "$(stat -c %b b.tree/sparse)" -lt 4000 ]
	for m in a.tree b.tree a.date b.date; do
		fusermount3 -u $m 2>/dev/null || umount $m
	done
fi

# Refused.
t 'not into itself' status_is 2 "$DESFS" convert old old
t 'nor by another path' status_is 2 "$DESFS" convert old ./src/../old/.
t 'nor below' status_is 2 "$DESFS" convert old old/log/new
t 'nor above' status_is 2 "$DESFS" convert old .
ln -s old link
t 'nor through a link' status_is 2 "$DESFS" convert link file://"$tmp"/old
t 'nothing was done' diff -r before old
mkdir full && echo text >full/file
t 'nor into what is no archive' status_is 8 "$DESFS" convert old full
t 'nor from it' status_is 3 "$DESFS" convert full new2
t 'nor from nowhere' status_is 3 "$DESFS" convert nowhere new2
t 'which leaves nothing' test ! -e new2
t 'a dry run' status_is 0 "$DESFS" convert -n old new2
t 'leaves nothing either' test ! -e new2

# Deleted for good.
cp -a old copy
t 'a version is deleted' "$DESFS" tombstone add copy changing/modified
t 'then it is converted' status_is 0 "$DESFS" convert copy deleted
t 'all else comes along' grep -q ' 0 failed, 0 lost; [1-9][0-9]* verified, 0 d' out
t 'that stays behind' status_is 3 "$DESFS" cat deleted changing/modified

# Two runs of one time have packed the same.
cp -a src/changing twice
for i in 1 2; do
	echo $i >twice/modified
	"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z twice twice$i
done
cp -R twice2/2* twice2/log twice1
t 'what is there twice' status_is 0 "$DESFS" convert --report=twice.json \
	twice1 once
t 'comes along once' report_says twice.json \
	'total["archived"] == total["verified"] > 200 and total["duplicates"] > 10'
t 'and without a word' not grep -q error: err
"$DESFS" cat twice1 modified >a && "$DESFS" cat once modified >b
t 'which is the one that is seen' cmp a b

# Damaged: one block with several files, and one page of an index.
"$DESFS" stat old changing/many/000150 >victim
key=$(sed -n 's/^shard: //p' victim)
off=$(sed -n 's/^block: .* at \([0-9]*\), .*/\1/p' victim | head -n 1)
cp -a old bad && chmod -R u+w bad
printf damage | dd of="bad/$key" bs=1 seek=$((off + 30)) conv=notrunc 2>/dev/null
t 'with a damaged block the others are converted' status_is 1 \
	"$DESFS" convert --report=bad.json bad fromdamaged
t 'the report names what is lost' report_says bad.json \
	'any(r["kind"] == "failed" and r["uid"] == "changing/many/000150" and
	r["object"] == "'"$key"'" and r["object"] in r["reason"] for r in rows)'
t 'and how much' report_says bad.json \
	'0 < total["failed"] < 400 and total["verified"] == total["archived"] > 200
	and total["different"] == 0'
t 'the victim is not there' status_is 3 "$DESFS" cat fromdamaged \
	changing/many/000150
t 'others are' as_packed fromdamaged noise
t 'the new one is whole all the same' "$DESFS" verify --deep fromdamaged
t 'mended, the rest comes along' status_is 0 "$DESFS" convert old fromdamaged
t 'the victim too' as_packed fromdamaged changing/many/000150
"$DESFS" stat fromdamaged noise >victim
key=$(sed -n 's/^shard: //p' victim)
off=$(sed -n 's/^block: .* at \([0-9]*\), .*/\1/p' victim | head -n 1)
chmod -R u+w fromdamaged
printf damage | dd of="fromdamaged/$key" bs=1 seek=$((off + 30)) \
	conv=notrunc 2>/dev/null
t 'damage of the new one is found' status_is 6 \
	"$DESFS" convert --report=bad.json old fromdamaged
t 'and in the report' report_says bad.json \
	'total["damage"] == 1 and total["archived"] == 0 and
	any(r["kind"] == "damage" and r["object"] == "'"$key"'" for r in rows)'
key=$("$DESFS" stat old changing/many/000150 | sed -n 's/^shard: //p')
rm -r bad && cp -a old bad && chmod -R u+w bad
size=$(stat -c %s "bad/$key")
truncate -s $((size - 600)) "bad/$key"
t 'of a shard without a footer nothing comes' status_is 1 \
	"$DESFS" convert --report=bad.json bad shardless
t 'and the report tells how many entries that costs' report_says bad.json \
	'any(r["kind"] == "lost" and r["object"] == "'"$key"'" and
	r["entries"] > 100 for r in rows) and total["lost"] > 100'
