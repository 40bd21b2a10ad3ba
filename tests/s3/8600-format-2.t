#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --format 2 into a bucket: small shards and large ones, big files,
# several runs at once, runs that are killed.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake

start_fake --bucket bkt || exit
AWS_ENDPOINT_URL_S3=$fake_url
export AWS_ENDPOINT_URL_S3

pack2()
{
	pack2_to=$1
	shift
	timeout -k 5 120 "$DESFS_PACK" -q --progress never --format 2 \
		--n-bits 4 --codec none --created-at 2026-01-02 \
		--big-file-threshold 6M "$@" src "s3://bkt/$pack2_to"
}
# All objects below a prefix, as files; but not what is of runs.
fetch()
{
	rm -rf got && mkdir -p got/_bigFiles && s3_keys "$fake_url" bkt "$1/" |
		grep -v -e "^$1/tmp/" -e "^$1/_locks/" >keys || return 1
	while IFS= read -r key; do
		s3_curl GET "$fake_url/bkt/$key" -o "got/${key#"$1"/}" \
			</dev/null || return 1
	done <keys
}
check()
{
	fetch "$1" || return 1
	shift
	"$PYTHON" -B "$SRCDIR/tests/lib/des2-check.py" got --source src \
		--n-bits 4 --codec none --threshold 6291456 "$@"
}
locks()
{
	s3_keys "$fake_url" bkt "$1/_locks/"
}

mkdir src
files src/small 40 3000
for i in 1 2 3; do
	head -c 5300000 /dev/urandom >src/$i
done
head -c 7000000 /dev/urandom >src/big
cp src/big src/big2

first()
{
	pack2 one && check one --day 20260102 && [ -z "$(locks one)" ]
}
t 'files become shards and objects of their own' first
again()
{
	fake_reset && pack2 one && [ "$(grep -c "PUT.*\.des" "$fake_log")" = 0 ] &&
	files src/more 40 2000 && pack2 one && check one --runs &&
		[ -z "$(locks one)" ]
}
t 'a further run adds what is new' again

# A run is held as it makes a shard, another one begins and ends.
is_held()
{
	[ "$(fake_used 1)" -ge 1 ]
}
held()
{
	fake_rules "$2"
	pack2 "$1" 2>err &
	held_pid=$!
	wait_for 60 is_held
	pack2 "$1" 2>err2
	held_other=$?
	fake_rules
	wait $held_pid
	held_status=$?
	cat err err2
	[ $held_status$held_other = 00 ] && check "$1" --runs &&
		[ -z "$(locks "$1")" ]
}
t 'a run is overtaken with a small shard' \
	held two 'method=PUT key=two/2026*_1_0000.des count=1 latency=3000'
t 'and with a large one, while it is copied' \
	held three 'method=PUT key=three/2026*_2_0000.des count=1 latency=3000'
together()
{
	together_pids=
	for i in 1 2 3 4; do
		pack2 four 2>err.$i &
		together_pids="$together_pids $!"
	done
	together_failed=0
	for i in $together_pids; do
		wait "$i" || together_failed=1
	done
	cat err.*
	[ $together_failed = 0 ] && check four --runs
}
t 'four at once' together

killed()
{
	fake_killed "$2" "$DESFS_PACK" -q --progress never --format 2 \
		--n-bits 4 --codec none --created-at 2026-01-02 \
		--big-file-threshold 6M src "s3://bkt/$1" || return 1
	check "$1" --runs --within --orphans || return 1
	# It is not heard of any more.
	fake_clock 7200
	pack2 "$1"
	killed_status=$?
	cat keys
	fake_clock 0
	[ $killed_status = 0 ] && check "$1" --runs
}
t 'killed as a shard has got its name' \
	killed five 'method=PUT key=five/2026*_2_0000.des applied'
t 'killed before' killed six 'method=PUT key=six/2026*_1_0000.des'
t 'killed with a big file' killed seven 'method=PUT key=seven/_bigFiles/*'

# Where a bucket keeps versions RGW lets any number of runs make one lock, and a
# copy lies over another one.  Here one run has looked for the lock, and not made
# it yet, while another has made it, and not its shard yet.
pack_slot_1()
{
	timeout -k 5 120 "$DESFS_PACK" -q --progress never --format 2 \
		--n-bits 4 --codec none --created-at 2026-01-02 "$1" \
		s3://versions/locked
}
own_slot_1()
{
	mkdir -p own/1 own/2 own/all && cp src/1 own/1/17 && cp src/2 own/2/33 &&
		cp -p own/1/17 own/2/33 own/all
}
made_twice()
{
	own_slot_1 && start_fake --versioned versions --silent-copies || return 1
	fake_rules 'method=GET key=locked/_locks/*_1_0000.des count=1 latency=3000' \
		'method=PUT key=locked/tmp/*/claim/2026* count=1 latency=6000'
	AWS_ENDPOINT_URL_S3=$fake_url
	pack_slot_1 own/1 2>err &
	twice_pid=$!
	wait_for 60 is_held
	pack_slot_1 own/2 2>err2
	twice_other=$?
	wait $twice_pid
	twice_status=$?
	cat err err2
	s3_keys "$fake_url" versions locked/ >keys
	cat keys
	[ $twice_status$twice_other = 00 ] && ! grep _locks keys &&
		rm -rf got && mkdir got && grep '\.des$' keys >shards || return 1
	while IFS= read -r key; do
		s3_curl GET "$fake_url/versions/$key" -o "got/${key##*/}" \
			</dev/null || return 1
	done <shards
	"$PYTHON" -B "$SRCDIR/tests/lib/des2-check.py" got --source own/all \
		--n-bits 4 --codec none --runs
}
t 'a lock that was made twice is that of one run' made_twice
