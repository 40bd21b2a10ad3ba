#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever a server does wrong: right bytes or the right exit status, never
# wrong bytes, never a hang, never more requests than the retries allow.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

mkdir src
"$PYTHON" -c 'import random
print(random.Random(7).randbytes(700000).hex()[:700000], end="")' >src/big
"$DESFS_PACK" -q --codec none --block-size 128K --created-at 2026-01-01T10:00:00Z src archive ||
	exit
start_fake --load bkt/a=archive || exit

# run URL FILE [SECONDS]: status, then what is wrong with the bytes
run()
{
	timeout -k 1 60 "$DESFS" cat --endpoint "$1" --timeout "${3:-3}" --retries 3 \
		--index-cache '' s3://bkt/a big >"$2.out" 2>"$2.err"
	run_status=$?
	run_len=$(wc -c <"$2.out")
	cmp -s -n "$run_len" "$2.out" src/big || run_status=wrong-bytes
	[ $run_status != 0 ] || cmp -s "$2.out" src/big ||
		run_status=too-few-bytes
	echo "$run_status"
}

# What the requests of each kind have in common.
where()
{
	case $1 in
	block) echo 'kind=GET key=*.des range=bytes=[0-9]*' ;;
	tail) echo 'kind=GET key=*.des range=bytes=-*' ;;
	record) echo 'kind=GET key=*/log/*' ;;
	descriptor) echo 'kind=GET key=*/desfs.json' ;;
	list) echo 'kind=LIST' ;;
	esac
}

# judge FILE RULE...: run once under these rules
judge()
{
	judge_file=$1 judge_seconds=3
	shift
	# Much takes its time.
	case $* in *xml=huge*) judge_seconds=30 ;; esac
	fake_rules "$@" && fake_reset &&
		echo "$(run "$fake_url" "$judge_file" $judge_seconds) $(fake_used 1)" \
			>"$judge_file.got"
	tail -n 12 "$fake_log" >"$judge_file.log"
}

# is WANT MAX FILE: the status, and at most so many requests met the fault
is()
{
	read -r is_status is_used <"$3.got"
	[ "$is_status" = "$1" ] && [ "$is_used" -ge 1 ] &&
		[ "$is_used" -le "$2" ] &&
		{ [ "$1" = 0 ] || [ -s "$3.err" ]; } && return
	echo "status $is_status, not $1; the fault was met $is_used times," \
		"at most $2 are right"
	cat "$3.err" "$3.log"
	return 1
}

t 'without faults all is right' test "$(run "$fake_url" none)" = 0

# The status when it happens once and when it happens always, and how often then
# at most: three retries, and libcurl's one when a connection it kept proves
# dead.  The slow ones come first.
table()
{
	cat <<'EOT'
block 0 14 4 latency=60000
block 0 14 4 stall-after=0
block 0 14 4 stall-after=1000
block 0 14 4 trickle=5
list 0 14 4 latency=60000
list 0 14 4 stall-after=100
descriptor 0 14 4 stall-after=10
block 0 5 4 status=503
block 0 5 4 status=503 retry-after=1
block 5 5 1 status=503 retry-after=100
block 0 5 4 status=500 code=InternalError
block 0 5 4 status=429 code=TooManyRequests
block 0 5 5 drop=fin
block 0 5 5 drop=rst
block 0 6 8 drop=garbage
block 0 5 4 cut-after=0
block 0 5 4 cut-after=1000
block 0 5 4 reset-after=1000
block 0 0 9 overlong=100
block 0 6 8 longer=100
block 0 6 8 shorter=100
block 0 6 8 full
block 0 6 8 shift=10
block 0 6 8 content-range=bytes%200-9/10
block 0 6 8 content-range=none
block 0 6 8 content-range=nonsense
block 0 6 8 status=200
block 0 6 8 status=204
block 0 9 2 etag=other
block 0 9 2 etag=none
block 0 9 2 status=412 code=PreconditionFailed
block 0 6 2 flip=1000
block 0 6 4 status=404 code=NoSuchKey
block 0 6 2 status=416 code=InvalidRange
block 5 5 1 redirect=http://127.0.0.1:1/
block 5 5 1 status=301 redirect=https://127.0.0.1:1/
block 10 10 1 expired
block 10 10 1 status=403 code=ExpiredToken
block 10 10 1 denied
block 0 10 2 skewed
tail 0 5 4 status=503
tail 0 5 5 drop=rst
tail 0 5 4 cut-after=1000
tail 0 6 4 longer=100
tail 0 6 4 shorter=100
tail 0 6 4 shift=10
tail 0 6 4 content-range=none
tail 6 6 1 flip=-100
tail 0 6 2 status=404 code=NoSuchKey
tail 10 10 1 expired
record 0 5 4 status=503
record 0 5 4 cut-after=100
record 6 6 1 flip=100
record 10 10 1 denied
descriptor 0 5 4 status=503
descriptor 0 5 4 cut-after=10
descriptor 6 6 1 flip=100
descriptor 3 3 1 status=404 code=NoSuchKey
descriptor 3 3 1 status=404 code=NoSuchBucket
descriptor 10 10 1 status=403 code=SignatureDoesNotMatch
list 0 5 4 status=503
list 0 5 5 drop=fin
list 0 5 4 cut-after=100
list 0 6 4 xml=bad
list 0 6 4 xml=cut
list 0 6 4 xml=empty
list 0 6 4 xml=html
list 0 6 4 xml=entity
list 0 6 4 xml=deep
list 0 6 4 xml=huge
list 10 10 1 denied
list 6 6 5 endless=same
list 6 6 1001 endless=grow
list 14 14 40 endless=grow latency=400
EOT
}

# Most of the time is spent waiting: several servers, each with its rows.
worker()
{
	n=0
	while read -r place once always most fault; do
		n=$((n + 1))
		[ $((n % workers)) = "$1" ] || continue
		case $fault in
		endless=*) ;; # is so or not
		*) judge "once-$n" "$(where "$place") count=1 $fault" ;;
		esac
		judge "always-$n" "$(where "$place") $fault"
	done
}

table >rows
workers=7
for i in 0 1 2 3 4 5 6; do
	start_fake --load bkt/a=archive || exit
	worker $i <rows &
	jobs="${jobs:-} $!"
done
for job in $jobs; do
	wait "$job"
done
n=0
while read -r place once always most fault; do
	n=$((n + 1))
	[ ! -e "once-$n.got" ] ||
		t "$place, once, $fault" is "$once" 1 "once-$n"
	t "$place, always, $fault" is "$always" "$most" "always-$n"
done <rows

t 'no message has the secret' not grep -F "$AWS_SECRET_ACCESS_KEY" ./*.err
