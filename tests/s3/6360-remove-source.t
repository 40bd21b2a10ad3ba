#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016
# --remove-source-files into a bucket: nothing goes that the server does not give
# back.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"

need_fake
start_fake --bucket plain || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
cat >conf <<'END'
[default]
part_size = 5M
retries = 1
timeout = 5
END
export DESFS_CONF="$tmp/conf"
mkdir -p orig/large && files orig/a 20 3000 &&
	head -c 12000000 /dev/urandom >orig/large/f && ln -s f orig/large/link

# with RULE STATUS PLACE: a run, with one rule.
with()
{
	rm -rf src && cp -a orig src && fake_rules "$1" || return 1
	"$DESFS_PACK" --remove-source-files src "s3://plain/$3" >err 2>&1
	with_status=$?
	with_used=$(fake_used 1)
	fake_rules ''
	cat err
	[ $with_status = "$2" ] && { [ ! "$1" ] || [ "$with_used" -ge 1 ]; }
}
archived()
{
	rm -rf out && "$DESFS" extract "s3://plain/$1" out &&
		diff -r --no-dereference orig out
}
all_there()
{
	diff -r --no-dereference orig src
}

t 'a tree is packed' with '' 0 good
t 'only directories stay' [ ! "$(find src ! -type d)" ]
t 'the archive has the rest' archived good
t 'what is there already' with '' 0 good
t 'goes too' [ ! "$(find src ! -type d)" ]

t 'a shard that comes back with another byte' \
	with 'kind=GET key=*.des flip-object=300' 6 flip
t 'is named' grep -q '\.des: read back: ' err
t 'nothing of it goes' eval \
	'(cd src && find . ! -type d | sort) >left; grep large/f left && grep a/000001 left'
t 'though the run is in the archive' archived flip
t 'the next run does it' with '' 0 flip
t 'all' [ ! "$(find src ! -type d)" ]

t 'shards that cannot be read whole' \
	with 'kind=GET key=*.des range=bytes=0-* status=500' 6 header
t 'keep all' all_there
t 'a log record that cannot be read again' \
	with 'kind=GET key=*/log/2* from=2 status=500' 5 log
t 'keeps all too' all_there
t 'and it is told that the run counts' \
	sh -c 'cat err; grep "the run is in the archive, but" err'
t 'a log that is not there any more' \
	with 'kind=LIST query=*log* from=2 count=9 xml=empty' 6 list
t 'keeps all as well' all_there
t 'a log record that is not taken' with 'kind=PUT key=*/log/* status=500' 5 put
t 'keeps all, of course' all_there
# Blocks of 128 KiB, 230 of the large file alone, are not read one by one.
rm -rf orig && files orig/a 6000 100 &&
	head -c 30000000 /dev/urandom >orig/large
few_requests()
{
	rm -rf src && cp -a orig src && fake_reset &&
		"$DESFS_PACK" -q src "s3://plain/$1-not" &&
		few_before=$(fake_count GET) && fake_reset &&
		with '' 0 "$1" && few=$(fake_count GET) &&
		echo "$few_before requests without reading back, $few with" &&
		[ $((few - few_before)) -le 60 ]
}
t 'little is asked for at a time' few_requests few
t 'nor when older shards are read' eval \
	"fake_reset && with '' 0 few-not && at_most 70 GET"
t 'where a large read fails there are small ones' \
	with 'kind=GET key=*.des range=bytes=192-??????? status=500' 0 small
t 'which is as good' [ ! "$(find src ! -type d)" ]
t 'and of an older shard too' \
	with 'kind=GET key=*.des range=bytes=192-2????? status=500' 0 few-not
t 'of which all goes' [ ! "$(find src ! -type d)" ]

# Neither is each file tried in vain.
server_lost()
{
	"$DESFS_PACK" -q orig s3://plain/lost && fake_reset || return 1
	with 'kind=GET key=*.des from=20 status=500' 5 lost &&
		lost_n=$(fake_count GET) && echo "$lost_n requests" &&
		[ "$lost_n" -le 60 ] && cmp orig/large src/large
}
t 'a server that fails while older shards are read ends it' server_lost
t 'an older shard that is damaged' eval \
	"'$DESFS_PACK' -q orig s3://plain/old &&
	with 'kind=GET key=*.des flip-object=300' 1 old"
t 'keeps its files' eval \
	'grep "not removed: .*\.des: " err && [ "$(find src ! -type d)" ]'
