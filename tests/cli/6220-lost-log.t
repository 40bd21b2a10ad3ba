#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016
# An archive that has lost its log gets no new one by packing, which would hide
# all its shards; one whose first run was killed is gone on with.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/fault.sh"
. "$SRCDIR/tests/lib/s3.sh"

mkdir src
for i in 0 1 2 3 4 5 6 7 8 9; do
	mkdir "src/d$i"
	echo "hello $i" >"src/d$i/f"
done
pack()
{
	"$DESFS_PACK" -q "$@"
}
objects()
{
	(cd "$1" && find . -type f -exec sha256sum {} + | sort)
}
# is STATUS TEXT command...
is()
{
	want=$1 text=$2
	shift 2
	"$@" >out 2>&1
	got=$?
	cat out
	[ $got = "$want" ] && grep -qF "$text" out
}
same()
{
	rm -rf out.d && "$DESFS" extract "$1" out.d && diff -r src out.d
}

# --- a log that is lost -------------------------------------------------------
t 'an archive' pack src a
lose()
{
	rm -rf lost && cp -a a lost && chmod -R u+w lost && eval "$1" &&
		objects lost >before
}
refused()
{
	is 3 "'desfs rebuild'" pack "$@" src lost && grep -F lost: out &&
		objects lost | diff before -
}
t 'its records go' lose 'rm lost/log/*'
t 'it is not packed into' refused
t 'by several neither' refused --worker 1/4
t 'nor with a checkpoint' refused --checkpoint state
t 'nor is there one' not test -s state
t 'nor does it become a mirror' refused --mirror
t 'nor without a directory for them' eval \
	'lose "rm -r lost/log" && refused'
t 'what is no record does not help' eval \
	'lose "rm lost/log/* && touch lost/log/x.json" && refused'
echo 'hello again' >src/d3/f
t 'rebuild makes it again' "$DESFS" rebuild lost
t 'then it is packed into' pack src lost
t 'and all is there' same lost
t 'also what was' "$DESFS" verify --deep lost

# What is deleted comes before the shards: between the two rebuild is stopped.
t 'a file is deleted' "$DESFS" tombstone add --no-copies a d5/f
stopped()
{
	lose 'rm lost/log/*' && killed_at_change 2 "$PWD/lost/log/2*" \
		"$DESFS" rebuild lost && objects lost >before
}
t 'rebuild is stopped before the record of shards' stopped
t 'there is that of documents alone' eval \
	'[ "$(ls lost/log | wc -l)" = 1 ] && grep tombstones lost/log/*'
t 'it is not packed into either' refused
t 'nor with a checkpoint' refused --checkpoint state
t 'rebuild goes on' "$DESFS" rebuild lost
t 'then it is packed into' pack --exclude /d5 src lost
t 'what is deleted stays so' eval 'rm -rf out.d &&
	"$DESFS" extract lost out.d && not test -e out.d/d5/f &&
	diff -r --exclude=d5 src out.d'

# --- runs that were not finished ------------------------------------------------
killed()
{
	rm -rf a && killed_at_change "$1" "$2" "$DESFS_PACK" -q src a
}
t 'a first run is killed before its record' killed 1 '*/a/log/*'
t 'having made shards' eval 'ls a/2*/*.des && [ ! "$(ls a/log 2>e)" ]'
t 'it is gone on with' pack src a
t 'all is there' same a

# The power fails: of what the run has claimed there is what it made durable.
mkdir durable
power_failed()
{
	rm -rf a durable/*
	ASAN_OPTIONS=$no_leaks with_faults \
		"fsync $PWD/a/tmp run=echo tmp >>$PWD/durable/dir
fsync $PWD/a/tmp/run-???????????????? run=cp $PWD/a/tmp/run-* $PWD/durable/; echo mark >>$PWD/durable/n
change */a/log/* nth=1 run=kill -KILL \$PPID" \
		"$DESFS_PACK" -q --jobs 1 src a
	[ $? = 137 ] || return
	[ -s durable/dir ] || rm a/tmp/run-*
	for mark in a/tmp/run-????????????????; do
		cp "durable/${mark##*/}" "$mark" || : >"$mark"
	done
}
t 'the power fails before the record of a first run' power_failed
find a -name '*.des' >shards
t 'having made shards' test -s shards
t 'of which each costs one word more' \
	[ "$(wc -l <durable/n)" = "$(wc -l <shards)" ]
t 'and the run as well' [ "$(cat durable/dir)" = tmp ]
t 'it is gone on with' pack src a
t 'all is there' same a

t 'one is killed that has no shard' eval 'killed 1 "*/a/2*/*" && pack src a'
t 'all is there, too' same a
one_more()
{
	killed 1 '*/a/log/*' && shard=$(find a -name '*.des' | head -n 1) &&
		cp "$shard" "${shard%????????.des}00000000.des"
}
t 'a shard that no dead run has made' eval 'one_more && cp -a a lost.1 &&
	is 3 "desfs rebuild" pack src a'

# A directory beside what is the archive's that nobody else may read.
beside()
{
	mkdir a/backup && with_faults "open $PWD/a/backup errno=EACCES" "$@"
}
t 'one is killed beside a directory that may not be read' eval \
	'killed 1 "*/a/log/*" && beside pack src a && same a'
t 'a log is lost beside one' eval 'rm a/log/* && rm -r a/backup &&
	is 3 "desfs rebuild" beside pack src a'

# Others of its kind are at work, or have made all there is and are dead.
together()
{
	rm -rf a
	for w in 1 2 3; do
		killed_at_change 1 '*/a/log/*' "$DESFS_PACK" -q --worker $w/4 \
			--created-at 2026-01-01T10:00:00Z src a || return
	done
	pack --worker 4/4 --created-at 2026-01-01T10:00:00Z src a &&
		pack src a && same a
}
t 'three of four workers are dead' together
store_do=$BUILDDIR/tests/lib/store-do
if test -x "$store_do"; then
	rm -rf a lost
	pack src a
	rm a/log/*
	"$store_do" a run 600 >run.out &
	run=$!
	wait_for 60 grep -q running run.out
	t 'a run is alive that may have made them' pack src a
	kill -KILL $run
	wait $run 2>e
	rm -rf a
else
	skip_t 'a run is alive' 'needs tests/lib/store-do'
fi

# --- zones, buckets -----------------------------------------------------------
cat >z <<-'EOF'
	[zones]
	n_bits = 4
	[store one]
	url = one
	[store two]
	url = two
	[zone low]
	slots = 0-7
	stores = one
	[zone high]
	slots = 8-15
	stores = two
EOF
t 'zones' pack src zone://z
chmod -R u+w one two
t 'of which one has its log' eval 'rm -r one/log && pack src zone://z &&
	ls one/log/2*'
t 'of which none has' eval 'rm -r one/log two/log &&
	is 3 "desfs rebuild" pack src zone://z && ! ls one/log/2*'

if ! command -v curl >e || ! test -x "$FAKE_S3"; then
	skip_t 'requests' 'needs the fake server'
	exit
fi
start_fake --bucket bkt
s3()
{
	pack --endpoint "$fake_url" --index-cache '' src s3://bkt/a
}
# Lists of all there is.
lists()
{
	grep -c 'max-keys=1000.*prefix=a%2F ' "$fake_log"
}
t 'a first pack into a bucket' s3
fake_reset
t 'a second one' s3
t 'looks for no shards' [ "$(lists)" = 0 ]
t 'its log is lost' eval 'for k in $(s3_keys "$fake_url" bkt a/log/); do
	s3_curl DELETE "$fake_url/bkt/$k" || exit 1
done'
fake_reset
t 'it is not packed into' is 3 "'desfs rebuild'" s3
t 'which one list more tells' [ "$(lists)" = 1 ]

# In the first hour nobody knows that the run is dead.
for clock in 0 7200; do
	start_fake --bucket bkt
	t 'a first run is killed' fake_killed 'kind=PUT key=*/claim/log/*' \
		"$DESFS_PACK" -q --endpoint "$fake_url" --index-cache '' src \
		s3://bkt/a
	t 'before its record' eval '[ ! "$(s3_keys "$fake_url" bkt a/log/)" ] &&
		s3_keys "$fake_url" bkt a/2 | grep des'
	fake_clock $clock
	t "it is gone on with after $clock seconds" s3
	t 'all is there' "$DESFS" verify --endpoint "$fake_url" \
		--index-cache '' s3://bkt/a
done
