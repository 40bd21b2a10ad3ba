#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack is asked to stop while a server is slow: what is being sent
# arrives and is committed; a second signal ends the run at once.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

# More slots than can be at hand.
files src 100 1000
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	mkdir src/$i
	files src/$i 10 1000
done
start_fake --bucket bkt || exit
AWS_ENDPOINT_URL_S3=$fake_url
export AWS_ENDPOINT_URL_S3

pack()
{
	timeout -k 5 120 "$DESFS_PACK" -q --progress never --index-cache '' \
		--created-at 2026-01-02T10:00:00Z src "$@"
}

was_used()
{
	[ "$(fake_used "$1")" -ge 1 ]
}

has_been_told()
{
	kill -USR1 "$pid" && sleep 0.1 && grep -q 'asked to stop' "$1.err"
}

# asked NAME [SIGNAL]: a run into the archive NAME, SIGTERM as soon as the rule
# that is set met a request, and SIGNAL then; its status in $got.
asked()
{
	"$DESFS_PACK" --progress never --created-at 2026-01-02T10:00:00Z \
		--index-cache '' --open-shards 1 src "s3://bkt/$1" \
		2>"$1.err" &
	pid=$!
	wait_for 60 was_used 1 || return
	kill -TERM $pid
	# Two of a kind that come at once are one.
	[ ! "${2-}" ] || {
		wait_for 60 has_been_told "$1"
		kill "-$2" $pid
	}
	wait $pid
	got=$?
	cat "$1.err"
}

finished()
{
	fake_rules 'kind=PUT key=*.des count=1 latency=5000' && asked one &&
		[ "$got" = 12 ] && grep 'stopped by a signal; [1-3] shards' one.err
}
t 'shards that are being sent, or are to be, arrive' finished
fake_rules
t 'and counts' "$DESFS" verify --index-cache '' s3://bkt/one
t 'a rerun completes the rest' pack s3://bkt/one
t 'an undisturbed run' pack s3://bkt/whole
same()
{
	for a in one whole; do
		"$DESFS" ls -lR --index-cache '' "s3://bkt/$a" >$a.ls || return
	done
	diff one.ls whole.ls
}
t 'has the same files' same

# For ever, as far as a test is concerned.
killed()
{
	fake_rules 'kind=PUT key=*.des latency=600000' &&
		asked two TERM && [ "$got" = 143 ]
}
t 'a second signal ends the run at once' killed
fake_rules
nothing()
{
	"$DESFS" ls --index-cache '' s3://bkt/two
	[ $? = 3 ]
}
t 'with nothing in the archive' nothing
t 'which can be packed then' pack s3://bkt/two
t 'and is whole' "$DESFS" verify --index-cache '' s3://bkt/two
