#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The index cache: what it saves, what it survives, desfs cache.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake

mkdir src src/d src/e
for i in 1 2 3 4 5 6 7 8 9; do
	echo "file $i" >"src/d/$i"
	echo "more $i" >"src/e/$i"
done
"$DESFS_PACK" -q src ar || exit 1

# upload DIR: all files of it, the log last.
upload()
{
	(cd "$1" && find . -type f ! -path './tmp/*' ! -name '.*' | sort) |
		sed 's,^\./,,' >upload.list
	while IFS= read -r key; do
		s3_curl PUT "$fake_url/box/ar/$key" -T "$1/$key" || return 1
	done <upload.list
}
desfs()
{
	command=$1
	shift
	"$DESFS" "$command" --endpoint="$fake_url" --index-cache=index/db "$@"
}
# requests LIST GET COMMAND...: at most so many.
requests()
{
	lists=$1 gets=$2
	shift 2
	fake_reset
	"$@" || return
	at_most "$lists" LIST && at_most "$gets" GET
}
says()
{
	want=$1
	shift
	"$@" >out 2>&1
	cat out
	grep -q -- "$want" out
}
is_file()
{
	desfs cat s3://box/ar "$1" >out && cmp out "src/$1"
}

t 'the server starts' start_fake
t 'a bucket' make_bucket "$fake_url" box
t 'the archive is there' upload ar

t 'no cache yet' says '0 archives' desfs cache status
t 'asking makes none' test ! -e index
t 'the first read' requests 1 5 is_file d/1
t 'the next one costs a list and a block' requests 1 1 is_file d/1
t 'in another directory, its tail too' requests 1 2 is_file e/1
t 'cache status' says 's3://box/ar.*: 3 shards' desfs cache status
json()
{
	desfs cache status --json >out || return
	cat out
	grep -q '^{"v":1,"kind":"index_cache",.*"archives":1,' out &&
		grep -q '^{"v":1,"kind":"archive","location":".*s3://box/ar' out
}
t 'cache status --json' json
t 'cache verify' says '0 damaged' desfs cache verify

t 'cache clear' desfs cache clear
t 'then all is read again' requests 1 5 is_file d/1
t 'cache clear of another archive' desfs cache clear s3://box/other
t 'leaves it' requests 1 1 is_file d/1
t 'cache clear of this one' desfs cache clear s3://box/ar
t 'drops it' says '0 archives' desfs cache status
t 'cache warm' says '^3 shards' desfs cache warm s3://box/ar
t 'then each file costs a list and a block' requests 1 1 is_file e/9
t 'cache warm again reads nothing' requests 1 0 desfs cache warm s3://box/ar
t 'cache warm of a directory' says 'no index cache' \
	"$DESFS" cache warm --index-cache=index/db ar

# The disk cache beside it.
mkdir -m 700 blocks
t 'cache verify of a disk cache' says '^disk cache: 0 pieces' \
	desfs cache verify --disk-cache=blocks
t 'cache clear of both' desfs cache clear --disk-cache=blocks
t 'has emptied the one' says '0 archives' desfs cache status
t 'and not made another' desfs cache verify --disk-cache=none
t 'none is there' test ! -e none

# Damage.
t 'it is filled again' is_file d/1
head -c 20000 index/db >half && cat half >index/db
t 'half a cache is as none' is_file d/1
t 'and is put aside' test -e index/db.damaged
t 'then it works again' requests 1 1 is_file d/1
echo 'no database' >index/db
t 'cache verify tells damage' says '1 damaged' desfs cache verify
t 'and is content afterwards' desfs cache verify
chmod 777 index
t 'a directory for all is not used' is_file d/1
t 'cache status says so' says 'everybody' desfs cache status
chmod 700 index

# Another archive in its place.
t 'it is known' requests 9 9 is_file d/1
echo 'another file 1' >src/d/1
rm -r src/e
"$DESFS_PACK" -q src ar2 || exit 1
replace()
{
	s3_keys "$fake_url" box ar >keys || return
	while IFS= read -r key; do
		s3_curl DELETE "$fake_url/box/$key" || return
	done <keys
	upload ar2
}
t 'another archive takes its place' replace
t 'it is read' is_file d/1
t 'what was is gone' not desfs cat s3://box/ar e/1
t 'the other one is known now' requests 1 1 is_file d/1

# Several at once, one of them killed.
many()
{
	rm -rf index
	for n in 1 2 3 4; do
		# Not by the function: that would be a shell to kill.
		ASAN_OPTIONS=$no_leaks "$DESFS" cat --endpoint="$fake_url" \
			--index-cache=index/db s3://box/ar "d/$n" >"many.$n" &
		eval "pid$n=\$!"
	done
	kill -KILL "$pid4" 2>/dev/null
	wait "$pid4"
	for n in 1 2 3; do
		eval "wait \"\$pid$n\"" && cmp "many.$n" "src/d/$n" || return
	done
	desfs cache verify && is_file d/4
}
t 'several at once' many

# Shards are warmed eight at a time, also when the first ones get no answer.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
	mkdir -p "wide/w$i"
	echo "$i" >"wide/w$i/f"
done
"$DESFS_PACK" -q wide ar3 || exit 1
n_shards=$(find ar3 -name '*.des' | wc -l)
t 'there are more shards than eight' test "$n_shards" -gt 8
t 'a wide archive takes its place' sh -c 'rm -rf ar2 && mv ar3 ar2'
t 'in the bucket' replace
eight_at_once()
{
	rm -rf index
	fake_rules 'kind=GET key=*.des latency=600000' && fake_reset
	desfs cache warm --timeout 600 s3://box/ar >out 2>&1 &
	warm=$!
	wait_for 20 eight_wait
	eight_status=$?
	kill "$warm"
	wait "$warm"
	fake_rules
	return $eight_status
}
eight_wait()
{
	[ "$(fake_used 1)" = 8 ]
}
t 'eight are read at once' eight_at_once
t 'and in the end all' says "^$n_shards shards" desfs cache warm s3://box/ar
t 'as one sees' requests 1 0 desfs cache warm s3://box/ar
t 'a file costs its block' requests 1 1 desfs cat s3://box/ar w7/f
