#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs bench measures archives, reads no more than it may, and tells damage.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"

files src/many 300 2000
mkdir src/dir
head -c 3000000 /dev/urandom >src/dir/large
"$DESFS_PACK" -q src ar || exit
before=$(shards_of ar)

bench()
{
	timeout 100 "$DESFS" bench "$@"
}
# json FILE EXPRESSION...: all true, with p a list of the parts.
json()
{
	"$PYTHON" - "$@" <<-'EOF2'
	import json, sys
	p = [json.loads(line) for line in open(sys.argv[1])]
	def parts(name): return [x for x in p if x["part"] == name]
	def part(name): return parts(name)[0]
	for x in p: print(x)
	for e in sys.argv[2:]:
	    assert eval(e), e
	EOF2
}

table()
{
	bench --files 50 -j 2 ar >out || return
	cat out
	for part in 'open, first bytes, cold' 'find a name, cold' 'find it again' \
		'miss a name' 'list entries, cold' 'read small files, cold' \
		'read in order, cold' 'read a large file, cold' decompress; do
		grep -qE "^$part +[12] +[1-9][0-9]* " out || return
	done
	grep -q '^cold: .*the kernel may have' out
}
t 'a table' table
t 'the archive is as it was' test "$before" = "$(shards_of ar)"

bench --json --files 50 -j 3 ar >parts
t 'JSON: each has a version' json parts 'all(x["v"] == 1 for x in p)'
t 'what it was measured on' json parts 'p[0]["part"] == "about"' \
	'p[0]["files"] == 301' 'p[0]["processors"] > 0' 'not p[0]["remote"]'
t 'each chosen name is found once' json parts \
	'part("find a name")["times"] == part("total")["files"] > 30'
t 'names that are not there are no errors' json parts \
	'part("miss a name")["times"] > 0' 'part("total")["failed"] == 0'
t 'all entries are listed' json parts \
	'part("list entries")["times"] == 303'
t 'one thread and three' json parts \
	'[x["threads"] for x in parts("read small files")] == [1, 3]'
t 'small files are read whole' json parts \
	'all(x["bytes"] == 2000 * x["times"] for x in parts("read small files") + parts("read them again"))'
t 'what is read again costs no request' json parts \
	'all(x["requests"] == 0 for x in parts("read them again"))' \
	'all(x["requests"] > 0 for x in parts("read small files"))'
t 'files in order, all of them' json parts \
	'part("read in order")["bytes"] == p[0]["plain_bytes"]'
t 'quantiles are in order' json parts \
	'all(0 < x["p50_ns"] <= x["p99_ns"] <= x["max_ns"] * 1.26 for x in p if "p50_ns" in x)'
chosen()
{
	bench --json --files 20 "$@" ar | grep '"read small files"' | head -n 1 |
		grep -o '"request_bytes":[0-9]*'
}
t 'the same seed chooses the same' test "$(chosen --seed 5)" = "$(chosen --seed 5)"

bounded()
{
	bench --json --files 300 --max-bytes 1000 ar >few && json few \
		'part("total")["request_bytes"] < 2000000' \
		'part("total")["files"] < 300'
}
t 'no more bytes than allowed, about' bounded
dropped()
{
	bench --drop-caches --files 5 ar >out && grep -q 'asked to forget' out
}
t '--drop-caches' dropped

status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat e
	[ $is = "$want" ]
}
t 'no archive' status_is 3 bench src
t 'no number' status_is 2 bench --files 0 ar

# The middle of the large file is in the middle of its shard.
cp -r ar bad
shard=$(find bad -name '*.des' -size +1000k)
printf 'damage' | dd of="$shard" bs=1 seek=1500000 conv=notrunc status=none
t 'damage decides the status' status_is 6 bench --files 400 bad
t 'the object is named' grep -E 'dir/large: .*[.]des' e
t 'it is counted' grep -E 'FAILED|ERRORS' o

if [ -x "$FAKE_S3" ]; then
	start_fake && make_bucket "$fake_url" bucket &&
		"$DESFS_PACK" -q --endpoint "$fake_url" src s3://bucket/ar || exit
	fake_reset
	bench --json --files 20 --endpoint "$fake_url" s3://bucket/ar >far
	t 'over a network' json far 'p[0]["remote"]' \
		'part("total")["failed"] == 0' \
		'part("find a name")["times"] == part("total")["files"]'
	t 'all requests are told' json far \
		"part('total')['requests'] == $(fake_count TOTAL)"
	t 'none writes' exactly 0 PUT
	fake_rules 'kind=GET key=*.des denied'
	t 'a store that refuses' not bench --endpoint "$fake_url" s3://bucket/ar
else
	skip_t 'over a network' 'needs libmicrohttpd'
fi
