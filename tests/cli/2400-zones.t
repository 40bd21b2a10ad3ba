#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Archives whose slots lie in several directories, by a zone file.
. "${0%/*}/../lib/tap.sh"

for i in 0 1 2 3 4 5 6 7 8 9; do
	mkdir -p "src/d$i"
	echo "hello $i" >"src/d$i/f"
done
status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat o e
	[ "$is" = "$want" ]
}
says()
{
	grep -F -- "$1" e o
}
# Slots 0 to 7 in a, then b; 8 to 15 in b, then a.
zones()
{
	cat <<-EOF
	[zones]
	n_bits = 4
	[store a]
	url = a
	[store b]
	url = b
	[zone low]
	slots = ${1:-0-7}
	stores = a, b
	[zone high]
	slots = ${2:-8-15}
	stores = b, a
	EOF
}
same_through()
{
	rm -rf out && "$DESFS" extract "zone://$1" out && diff -r src out
}
all_is_there()
{
	"$DESFS" verify --deep "zone://$1" && same_through "$1"
}

t 'a tree is packed' "$DESFS_PACK" -q src a
cp -a a b
zones >z
t 'it is read through a zone file' all_is_there z
t 'which may be named from the root on' all_is_there "$tmp/z"
t 'a file is read' "$DESFS" cat zone://z d3/f

# Of each store only the shards of its own zone.
cp -a a a.all
cp -a b b.all
rm a/2*/*_[89A-F]_* b/2*/*_[0-7]_*
t 'each store has but its shards' same_through z
t 'which verify takes for copies that are missing' status_is 6 "$DESFS" verify zone://z
t 'naming store and shard' says "store b: $(cd a && echo 2*/*_0_*)"
t 'none of them is enough' not "$DESFS" verify a
rm b/log/*
t 'an empty log is not believed' same_through z
rm b/desfs.json
t 'a store without a descriptor is enough for its shards' same_through z
rm -r a b
mv a.all a
mv b.all b

mv a away
t 'a store that is not there is done without' same_through z
mv b gone
t 'no store at all is an error' status_is 3 "$DESFS" ls zone://z
t 'that names zone and store' says 'zone low: store a'
mv away a
mv gone b

first=$(cd a && echo 2*/*_0_*)
t 'there is a shard of the first slot' test -f "a/$first"
rm "a/$first"
t 'a shard that is missing comes from the mirror' same_through z
truncate -s 1000 "b/$first"
t 'when the mirror has it cut, it is damaged' status_is 6 "$DESFS" verify zone://z
t 'and named' says "$first"
rm "b/$first"
t 'when nobody has it, it is missing' status_is 6 "$DESFS" verify zone://z
rm -rf a b
"$DESFS_PACK" -q src a
cp -a a b
first=$(cd a && echo 2*/*_0_*)
truncate -s 1000 "a/$first"
t 'a shard that is cut is read from the mirror' same_through z
cp "b/$first" cut && chmod u+w cut
at=$(($(wc -c <"b/$first") - 300))
printf x | dd of=cut bs=1 conv=notrunc seek=$at 2>e
cp -f cut "a/$first"
t 'one whose footer is damaged too' same_through z
cp -f "b/$first" "a/$first"

zones 0-6 >gap
t 'slots nobody has are refused' status_is 2 "$DESFS" ls zone://gap
t 'with the slot' says 7
zones 0-8 >overlap
t 'slots that two have are refused' status_is 2 "$DESFS" ls zone://overlap
t 'with both' says low
zones 0-7 8-31 | sed 's/n_bits = 4/n_bits = 5/' >wide
t 'zones for another n_bits are refused' status_is 2 "$DESFS" ls zone://wide
t 'with both numbers' says 'n_bits 5, the archive has 4'
t 'a zone file that is not there is an error' status_is 3 "$DESFS" ls zone://no

if test -c /dev/fuse && command -v fusermount3 >/dev/null; then
	mkdir mnt
	t 'zones are mounted' "$MOUNT_DESFS" zone://z mnt
	t 'the files are the same' diff -r src mnt
	t 'each zone read from its first store' grep -x 'zone:low:b:requests 0' mnt/.des/stats
	t 'metrics tell of it' grep 'desfs_zone_state{zone="high",store="a"' mnt/.des/metrics
	"$DESFS" top --once mnt >o
	t 'desfs top too' grep '^low *a *used' o
	fusermount3 -u mnt
else
	skip_t 'zones are mounted' 'needs /dev/fuse'
fi
