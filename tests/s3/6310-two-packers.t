#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two packers write to the same slots of a versioned bucket at once: nothing is
# overwritten, both runs count, what both have packed is told.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"

need_rgw
cat >conf <<'END'
[default]
part_size = 5M
END
export DESFS_CONF="$tmp/conf"
t 'RGW is up' rgw_with versions
[ "${AWS_ENDPOINT_URL_S3:-}" ] || exit
t 'with a gate before it' start_gate

# The same directories and so the same slots; 101 files of both, some of each.
for p in one two; do
	mkdir -p $p/large
	files $p/both 50 2000
	files $p/both/deep 50 300
	echo "$p" >"$p/both/of-$p"
	echo "$p" >"$p/of-$p"
done
head -c 12000000 /dev/urandom >one/large/same
cp one/large/same two/large/same
head -c 6000000 /dev/urandom >one/large/one
head -c 7000000 /dev/urandom >two/large/two
find one two -type f -exec touch -d 2025-05-05 {} +
mkdir all
cp -a one/. two/. all/

pack()
{
	"$DESFS_PACK" -q --created-at "$1" "$2" "s3://$3"
}
# in_between PLACE RULE: a run waits while such a request is held, another one
# begins and ends
in_between()
{
	gate_rules "$2"
	AWS_ENDPOINT_URL_S3=$gate_url pack 2026-01-01T10:00:00Z one "$1" &
	one_pid=$!
	wait_for 60 is_held
	one_held=$?
	pack 2026-01-01T10:00:01Z two "$1"
	two_status=$?
	gate_rules
	wait $one_pid && [ $two_status$one_held = 00 ]
}
at_once()
{
	pack "$2" one "$1" 2>once.err &
	one_pid=$!
	pack "$3" two "$1"
	two_status=$?
	wait $one_pid
	one_status=$?
	cat once.err
	[ $one_status$two_status = 00 ]
}
all_there()
{
	rm -rf out
	"$DESFS" extract "s3://$1" out && diff -r all out
}
duplicates_told()
{
	"$DESFS" verify --deep "s3://$1" >verify.out || return 1
	cat verify.out
	[ "$(grep -c '^note:' verify.out)" = "$(grep -c \
		'^note: [^ ]*\.des: duplicates: ' verify.out)" ] || return 1
	sed -n 's/.*: duplicates: \([0-9]*\) .*/\1/p' verify.out |
		awk '{ n += $1 } END { print n; exit n != 101 }'
}
records()
{
	keys_of "$1" >keys && [ "$(grep -c '^log/' keys)" = "$2" ]
}
holds_all()
{
	t "both files of both are there: $1" all_there "versions/$1"
	t "both records are in the log: $1" records "versions/$1" 2
	t "what both packed is told: $1" duplicates_told "versions/$1"
	t "each object is there once: $1" each_once "versions/$1"
	t "nothing is left: $1" nothing_left "versions/$1"
}

t 'a first run while another one is about to make the archive' \
	in_between versions/descriptor 'before PUT /descriptor/desfs.json'
holds_all descriptor
t 'a run while another one uploads' \
	in_between versions/upload 'before PUT partNumber=2'
holds_all upload
t 'a run while another one is about to commit' \
	in_between versions/commit 'before PUT /commit/log/'
holds_all commit
for i in 1 2 3; do
	t "two first runs at once: $i" at_once versions/race$i \
		2026-01-01T10:00:00Z 2026-01-01T10:00:01Z
	holds_all race$i
done

# The same files at the same time are the same shards.
twins()
{
	pack 2026-01-01T10:00:00Z one "$1" 2>twin.err &
	one_pid=$!
	pack 2026-01-01T10:00:00Z one "$1"
	two_status=$?
	wait $one_pid
	one_status=$?
	cat twin.err
	[ $one_status$two_status = 00 ]
}
"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z one local
twin_objects()
{
	fetch_archive "$1" have &&
		diff -r --exclude=log --exclude=tmp have local
}
for i in 1 2; do
	t "two equal runs at once: $i" twins versions/twins$i
	t "make what one makes: $i" twin_objects versions/twins$i
	t "and nothing else under its names: $i" each_the_same versions/twins$i
	t "and all is sound: $i" is_sound versions/twins$i one
done
