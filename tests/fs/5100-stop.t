#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A signal ends tools and mounts soon, also while a server does not answer.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake

mkdir -p src out mnt
head -c 300000 /dev/urandom >src/big
"$DESFS_PACK" -q --codec none src ar || exit
start_fake --load bkt/a=ar --bucket bkt || exit
# Far beyond what a test waits for.
set -- --endpoint "$fake_url" --timeout 600 --index-cache ''

# Requests of this kind get no answer: those that read shards, or write.
no_answer()
{
	fake_rules "$1 latency=600000" && fake_reset
}
met()
{
	[ "$(fake_used 1)" -ge 1 ]
}
# ends SIGNAL PID STATUS: within ten seconds
ends()
{
	wait_for 20 met || return
	kill -s "$1" "$2" || return
	wait_for 10 not kill -0 "$2" 2>/dev/null || {
		kill -s KILL "$2"
		echo 'it did not end'
		return 1
	}
	wait "$2"
	ends_is=$?
	cat err
	[ "$ends_is" = "$3" ] || {
		echo "status $ends_is"
		return 1
	}
}
# Shells start what they do not wait for with SIGINT ignored.
start()
{
	"$PYTHON" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$@" >out/o 2>err &
	pid=$!
}
PYTHON=${PYTHON:-/usr/bin/python3}

no_answer 'kind=GET key=*.des'
start "$DESFS" cat "$@" s3://bkt/a big
t 'SIGINT ends cat' ends INT "$pid" 130
no_answer 'kind=GET key=*.des'
start "$DESFS" extract "$@" s3://bkt/a out/x
t 'SIGINT ends extract' ends INT "$pid" 12
t 'at once, before it gives up the server' grep '127.0.0.1:[0-9]*: stopped$' err
no_answer 'kind=GET key=*/desfs.json'
start "$DESFS" extract "$@" s3://bkt/a out/y
t 'SIGTERM too, before it has begun' ends TERM "$pid" 12
no_answer 'kind=PUT key=*.des'
printf '[default]\nendpoint = %s\ntimeout = 600\n' "$fake_url" >conf
DESFS_CONF=$PWD/conf
export DESFS_CONF
start "$DESFS_PACK" src s3://bkt/b
# The first one lets the shard at hand end, for which the server is needed.
asked()
{
	kill -s USR1 "$pid" && grep 'asked to stop' err
}
wait_for 20 met && kill -s INT "$pid"
t 'SIGINT asks desfs-pack to stop' wait_for 20 asked
t 'a second one ends it' ends INT "$pid" 130
fake_rules
t 'whose archive holds nothing' not "$DESFS" ls s3://bkt/b
"$DESFS_PACK" -q src s3://bkt/b
t 'but has room for the next run' "$DESFS" verify --deep s3://bkt/b

if test -c /dev/fuse && command -v fusermount3 >/dev/null; then
	no_answer 'kind=GET key=*/desfs.json'
	start "$MOUNT_DESFS" -f s3://bkt/a mnt -o index_cache=,refresh=0
	t 'SIGTERM ends what is not mounted yet' ends TERM "$pid" 12
	fake_rules
	start "$MOUNT_DESFS" -f s3://bkt/a mnt -o index_cache=,refresh=0
	wait_for 20 mountpoint -q mnt
	t 'a mount' test -e mnt/big
	no_answer 'kind=GET key=*.des range=bytes=[0-9]*'
	cat mnt/big >out/big 2>out/e &
	reader=$!
	t 'SIGTERM ends it under a reader' ends TERM "$pid" 0
	t 'who gets no bytes' not wait "$reader"
	t 'and no wrong ones' not test -s out/big
	t 'nothing is mounted' not mountpoint -q mnt
	fake_rules
	start "$MOUNT_DESFS" -f s3://bkt/a mnt -o index_cache=,refresh=1
	wait_for 20 mountpoint -q mnt
	no_answer kind=LIST
	t 'SIGTERM ends it under a refresh' ends TERM "$pid" 0
else
	skip_t 'SIGTERM ends a mount' 'needs /dev/fuse'
fi
