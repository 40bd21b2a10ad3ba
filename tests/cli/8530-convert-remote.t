#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs convert from a bucket, from a web server, and into a bucket.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

files src/d 100 1000
files src/e 3 3000000
"$DESFS_PACK" -q --publish --created-at 2026-01-01T10:00:00Z src a || exit

converted()
{
	"$DESFS" convert --index-cache '' --endpoint "$fake_url" "$@" >out 2>&1
	is=$?
	cat out
	[ $is = 0 ] && grep -q '^10[0-9] entries .* 0 failed, 0 lost; 10[0-9] v' out
}
whole()
{
	"$DESFS" verify --deep --index-cache '' --endpoint "$fake_url" "$1" &&
		"$DESFS" cat --index-cache '' --endpoint "$fake_url" "$1" \
			e/000001 | cmp - src/e/000001
}

start_fake --load bkt/a=a || exit
t 'from a bucket' converted s3://bkt/a local
t 'all is there' whole local
t 'into one' converted a s3://bkt/b
t 'all is there, too' whole s3://bkt/b
t 'within one' converted --codec=lz4 s3://bkt/a s3://bkt/c/d
t 'and there' whole s3://bkt/c/d

# Room for one file at a time, not for the next ones together.
tight()
{
	mkdir small && mount -t tmpfs -o size=7m,mode=755 tmpfs small &&
		converted --spool=small s3://bkt/a tight
}
if [ "$(id -u)" = 0 ]; then
	t 'with little room for temporary files' tight
	t 'all is there, as well' whole tight
else
	skip_t 'with little room for temporary files' 'needs root'
	skip_t 'all is there, as well' 'needs root'
fi
t 'not below the old one' not converted s3://bkt/a s3://bkt/a/new
t 'nor over it' not converted s3://bkt/a s3://bkt/a/

# Requests for the new one fail from when on it is compared.
again()
{
	"$DESFS" convert --index-cache '' --endpoint "$fake_url" --retries 1 \
		-j 1 "$@" a s3://bkt/b >out 2>&1
	is=$?
	cat out
}
trouble()
{
	fake_rules 'kind=GET key=b/*.des latency=1' && again --no-verify &&
		n=$(fake_used 1) && [ "$n" -gt 0 ] && fake_reset &&
		fake_rules "kind=GET key=b/*.des from=$((n + 1)) status=503" &&
		again --report=report.json && fake_rules '' && [ "$is" = 5 ] &&
		grep '"result":"input or output error","archived":0,"there":10' report.json &&
		not grep '"kind":"different"' report.json
}
t 'trouble on the way is no difference' trouble

# So do those for contents of an older one, of more than are kept in memory.
"$PYTHON" -B "$SRCDIR/tests/lib/legacy-many.py" des2 old 12 4000000 2 || exit
start_fake --load bkt/old=old || exit
from_old()
{
	"$DESFS" convert --index-cache '' --endpoint "$fake_url" --retries 1 \
		-j 1 "$@" s3://bkt/old "$new" >out 2>&1
	is=$?
	cat out
	echo "status $is"
}
unanswered()
{
	fake_rules 'kind=GET key=old/*.des latency=1' && new=new1 &&
		from_old --no-verify && n=$(fake_used 1) && [ "$n" -gt 0 ] &&
		fake_rules "kind=GET key=old/*.des from=$((n + 1)) status=503" &&
		new=new2 && from_old && n=$(fake_used 1) && fake_rules '' &&
		[ "$n" -gt 0 ] && [ "$is" = 5 ] && not grep 'not compared' out
}
t 'no answer while an older one is compared ends it' unanswered

start_fake --web "$tmp" || exit
t 'from a web server' converted "$fake_url/a" web
t 'all is there as well' whole web
fake_rules 'key=*.des flip-object=300'
t 'damage on the way is found' not converted "$fake_url/a" flipped
t 'and told' grep -q ' [1-9][0-9]* failed' out
