#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2034,SC2094
# Writing to zones: every store gets what belongs there, a run that is killed
# between two of them is completed by the next one, and failures name the store.
# $EVERY: kill before every such change, not each of them ($EVERY = 1).
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

store_do=$BUILDDIR/tests/lib/store-do
need 'needs tests/lib/store-do' test -x "$store_do"
in_memory
# Slots 0 to 7 twice, in a and b; 8 to 15 in c alone.
cat >z <<-'EOF'
	[zones]
	n_bits = 4
	[store a]
	url = a
	[store b]
	url = b
	[store c]
	url = c
	[zone low]
	slots = 0-7
	stores = a, b
	[zone high]
	slots = 8-15
	stores = c
EOF
for i in 0 1 2 3 4 5 6 7 8 9; do
	mkdir -p "src/d$i"
	echo "hello $i" >"src/d$i/f"
done
pack()
{
	"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src zone://z
}
# Of each store what it has, without the log's names.
held()
{
	for held_s in a b c; do
		(cd "$held_s" && find . -type f ! -path './log/*' | sort |
			sed "s,^\\.,$held_s,")
	done
}
objects_of()
{
	(cd "$1" && find . -type f ! -name '*.des' -exec sha256sum {} + | sort)
}
all_is_well()
{
	"$DESFS" verify --deep zone://z >verify.out 2>&1 || {
		cat verify.out
		return 1
	}
	rm -rf out && "$DESFS" extract zone://z out && diff -r src out &&
		objects_of a >a.sum && objects_of b >b.sum &&
		objects_of c >c.sum && diff a.sum b.sum && diff a.sum c.sum
}

t 'a tree is packed into zones' pack
t 'all of it is there, the log everywhere' all_is_well
held >held
t 'each shard where it belongs and nowhere else' eval '
	! grep "^[ab]/.*_[89A-F]_" held && ! grep "^c/.*_[0-7]_" held &&
	grep "^a/.*_[0-7]_" held && grep "^b/.*_[0-7]_" held &&
	grep "^c/.*_[89A-F]_" held'
t 'the mirrors are the same' diff -r a b

# --- each copy is verified ----------------------------------------------------
# verified STATUS PATTERN [OPTION]...
verified()
{
	want=$1 pattern=$2
	shift 2
	"$DESFS" verify --deep "$@" zone://z >verify.out 2>&1
	is=$?
	cat verify.out
	[ $is = "$want" ] && grep -q "$pattern" verify.out
}
twice=$(cd b && echo 2*/*_[0-7]_* | sed 's/ .*//')
cp -a b b.all
chmod u+w "b/$twice"
printf '\377' | dd of="b/$twice" bs=1 seek=300 conv=notrunc 2>/dev/null
t 'damage of one copy is told with its store' verified 6 "^store b: $twice: "
t 'it costs no reader a file' not grep 'cannot be read' verify.out
t 'the other copy is well' not grep 'store a: ' verify.out
t 'in JSON too' verified 6 "\"store\":\"b\",\"key\":\"$twice\"" --json
t 'a report has a row for each copy' eval '
	verified 6 . --report rep.json && grep "\"store\":\"b\"" rep.json &&
	[ "$(grep -c "\"kind\":\"shard\".*\"key\":\"$twice\"" rep.json)" = 2 ]'
# One that was stopped behind the first copy.
t 'which a run that goes on passes over' eval '
	{ sed "/\"kind\":\"shard\",.*\"store\":\"b\".*_[0-7]_/,\$d" rep.json; } \
		>rep.json.part &&
	verified 6 "were looked at before" --report rep.json --resume &&
	[ "$(grep -c "\"kind\":\"shard\".*\"key\":\"$twice\"" rep.json)" = 2 ]'
rm -f "b/$twice"
t 'so is one that is missing' verified 6 "^store b: $twice: .*No such file"
mv b b.away
t 'a store that is not there' verified 1 'b'
t 'is no damage' not grep DAMAGED verify.out
rm -rf b.away
mv b.all b
t 'all copies are well' verified 0 'all is well'

t 'a run leaves nothing behind' eval '! find a/tmp b/tmp c/tmp -type f | grep .'
t 'packed again, nothing changes' eval 'pack && held | diff held -'
t 'the n_bits of the zones are the archive'"'"'s' grep '"n_bits":4' a/desfs.json
t 'others are refused' eval '
	! "$DESFS_PACK" -q --n-bits 3 src zone://z 2>e && grep n-bits e'

t 'places of a shard' eval '
	"$store_do" zone://z places 20260101/20260101_3_x >o && cat o &&
	[ "$(cut -d " " -f 1 o | tr "\n" " ")" = "a b " ]'
t 'places of all else' eval '
	"$store_do" zone://z places log/x >o && cat o &&
	[ "$(cut -d " " -f 1 o | tr "\n" " ")" = "a b c " ]'
echo x >x
t 'an object for all is put into all' eval '
	"$store_do" zone://z put holds/x x && cmp x a/holds/x && cmp x b/holds/x &&
	cmp x c/holds/x && [ "$("$store_do" zone://z put holds/x x)" = existed ]'
rm b/holds/x
t 'where it is missing it is put again' eval '
	[ "$("$store_do" zone://z put holds/x x)" = made ] && cmp x b/holds/x'
echo y >y
t 'but not over another' eval '! "$store_do" zone://z put holds/x y 2>e &&
	grep "store a: holds/x: exists already" e'
t 'it is replaced' eval '"$store_do" zone://z replace holds/x y &&
	cmp y a/holds/x && cmp y c/holds/x'
rm c/holds/x
t 'and removed, though it is missing somewhere' eval '
	"$store_do" zone://z remove holds/x && ! test -e a/holds/x &&
	! test -e b/holds/x'
t 'but there is none now' eval '! "$store_do" zone://z remove holds/x 2>e &&
	grep "not found" e'
low=$(cd a && echo 2*/*_[0-7]_* | sed 's/ .*//')
cp -a a a.all
cp -a b b.all
t 'a shard is purged from its zone' eval '
	[ "$("$store_do" zone://z purge "$low")" = removed ] &&
	! test -e "a/$low" && ! test -e "b/$low"'
rm -r a b
mv a.all a
mv b.all b

"$store_do" zone://z run 600 >run.out &
run_pid=$!
t 'a run has a mark in each store' wait_for 60 grep -q running run.out
t 'it is seen as one' eval '[ "$("$store_do" zone://z alive)" = 1 ]'
t 'also in one of the stores' eval '[ "$("$store_do" c alive)" = 1 ]'
t 'and how old it is' eval '
	age=$("$store_do" zone://z oldest) && echo "$age" &&
	[ "$age" = unknown ] || [ "$age" -lt 600 ]'
kill -KILL $run_pid
wait $run_pid 2>/dev/null
t 'when it is dead its marks are left over, and whose' eval '
	"$store_do" zone://z leftovers >o && cat o && grep "^store b: tmp/run-" o &&
	[ "$(wc -l <o)" = 3 ]'
t 'and removed' eval '"$store_do" zone://z leftovers remove &&
	! find a/tmp b/tmp c/tmp -type f | grep .'

# --- what goes wrong ---------------------------------------------------------
echo 'hello again' >src/d3/f
cp -a src src.new
mv b b.away
t 'without one of the stores nothing is written' eval '
	! "$DESFS_PACK" -q src zone://z 2>e && grep "store b: " e && ! test -e b'
t 'but all is read' "$DESFS" ls -R zone://z
mv b.away b
cp a/desfs.json a.json
sed -i 's/"archive_id":"./"archive_id":"g/' b/desfs.json 2>/dev/null ||
	{ chmod u+w b/desfs.json && sed -i 's/"archive_id":"./"archive_id":"g/' b/desfs.json; }
t 'two archives are not mixed' eval '
	! "$DESFS_PACK" -q src zone://z 2>e && cat e && grep "stores a and b are of two archives" e'
rm -f b/desfs.json
t 'a descriptor that is missing is given back' eval 'pack && cmp a.json b/desfs.json'
t 'all is well' all_is_well
rm -f b/log/* c/log/*
t 'so are log records' eval '"$DESFS_PACK" -q src zone://z && all_is_well'
sed 's,^url = c,url = http://127.0.0.1:1/c,' z >web
t 'a web server is no place to write to' eval '
	! "$DESFS_PACK" -q src zone://web 2>e && cat e && grep "store c: " e'

# --- a run that is killed ----------------------------------------------------
rm -rf a b c
pack
for s in a b c; do
	cp -a $s base.$s
done
echo 'hello now' >src/d3/f
echo 'hello now too' >src/d8/f
mkdir src/more
echo more >src/more/f
again()
{
	"$DESFS_PACK" -q --created-at 2026-01-02T10:00:00Z --jobs 1 src zone://z
}
from_base()
{
	rm -rf a b c && cp -a base.a a && cp -a base.b b && cp -a base.c c
}
"$DESFS" ls -R zone://z >names.old
n_changes "$PWD/[abc]/*" again || echo "the count failed"
echo "# $changes changes"
held >held.want
"$DESFS" ls -R zone://z >names.new
# Readers have the one tree or the other; the rerun completes it.
killed_is_completed()
{
	from_base && killed_at_change "$1" "$PWD/[abc]/*" again || return 1
	"$DESFS" ls -R zone://z >names.now || return 1
	cmp -s names.old names.now || diff names.new names.now || return 1
	again && "$DESFS_PACK" --clean zone://z >clean.out 2>&1 && cat clean.out &&
		all_is_well && held | diff held.want - &&
		! find a/tmp b/tmp c/tmp -type f | grep .
}
t 'there are changes to be killed at' test "$changes" -gt 50
i=1
while [ $i -le "$changes" ]; do
	t "killed before change $i" killed_is_completed $i
	i=$((i + ${EVERY:-7}))
done
