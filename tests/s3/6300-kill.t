#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack is killed while it writes to Ceph RGW: nothing is lost, nothing half
# there.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"

need_rgw
first=2026-01-01T10:00:00Z second=2026-01-02T10:00:00Z
cat >conf <<'END'
[default]
part_size = 5M
END
export DESFS_CONF="$tmp/conf"

t 'RGW is up' rgw_with plain versions
[ "${AWS_ENDPOINT_URL_S3:-}" ] || exit
t 'with a gate before it' start_gate

# A first pack of small files; the second has a shard of six parts too.
mkdir -p src/a src/b src/large
files src/a 20
files src/b 20 3000
"$DESFS_PACK" -q --created-at $first src local
cp -a src old
files src/a/more 30 2000
files src/c 30 500
rm src/b/000003
head -c 27000000 /dev/urandom >src/large/random
pack_second()
{
	"$DESFS_PACK" -q --mirror --created-at $second src "$@"
}
t 'a local archive to compare with' pack_second local
"$DESFS" ls -R local >names.new

# The names of the first moment or of the second, never anything between.
shows()
{
	rm -rf "${XDG_CACHE_HOME:?}"/*
	"$DESFS" ls -R "s3://$1" >names.now && diff "names.$2" names.now
}

# killed PLACE RULE: a second pack is killed while such a request is held
killed()
{
	"$DESFS_PACK" -q --created-at $first old "s3://$1" || return 1
	"$DESFS" ls -R "s3://$1" >names.old
	gate_rules "$2"
	AWS_ENDPOINT_URL_S3=$gate_url "$DESFS_PACK" -q --mirror \
		--created-at $second src "s3://$1" &
	kill_pid=$!
	wait_for 60 is_held
	kill_held=$?
	kill -KILL $kill_pid
	wait $kill_pid
	# A request under way may arrive after the death of its sender.
	gate_rules
	sleep 0.3
	[ $kill_held = 0 ]
}

stays()
{
	leftovers_of "$1" >left.1 && "$DESFS_PACK" -q --clean "s3://$1" &&
		leftovers_of "$1" >left.2 && cat left.1 && [ -s left.1 ] &&
		diff left.1 left.2
}

# Also for who names the server in an option.
named()
{
	(unset AWS_ENDPOINT_URL_S3
	"$DESFS" verify --endpoint="$rgw_url" "s3://$1") >verify.out || return 1
	cat verify.out
	# An hour has not passed: a run that is alive has no leftovers.
	! grep 'left by a writer' verify.out || return 1
	gate_rules 'ahead 3700'
	(unset AWS_ENDPOINT_URL_S3
	"$DESFS" verify --endpoint="$gate_url" "s3://$1") >verify.out
	gate_rules
	cat verify.out
	grep -q 'left by a writer' verify.out
}

# case_of NAME PLACE old|new RULE: what readers see after the kill
case_of()
{
	t "killed $1" killed "$2" "$4"
	t 'readers see a whole tree' shows "$2" "$3"
	t 'what it left stays for an hour' stays "$2"
	t 'verify tells of it after that' named "$2"
	t 'a rerun does well' pack_second "s3://$2"
	t 'and is seen' shows "$2" new
	t 'its objects are those of a local archive' same_shards "$2"
	t 'a clean-up an hour later' clean_later "$2"
	t 'leaves nothing over' nothing_left "$2"
	t 'and all is sound' is_sound "$2" src
}
same_shards()
{
	fetch_archive "$1" have &&
		diff -r --exclude=log --exclude=tmp have local
}

case_of 'before its first shard' versions/first old \
	'before PUT /claim/'
case_of 'in the middle of an upload of parts' plain/part old \
	'before PUT partNumber=4'
case_of 'when all parts are one object, before it is told' versions/whole old \
	'after POST uploadId='
case_of 'before the copy' plain/copy old \
	'before PUT /copy/.*\.des copy$'
case_of 'when the copy is there' versions/copied old \
	'after PUT /copied/.*\.des copy$'
case_of 'after the last shard, before the log record' plain/log old \
	'before PUT /log/log/'
case_of 'when the log record is there' versions/record new \
	'after PUT /record/log/'
for a in first whole copied record; do
	t "each object is there once: $a" each_once versions/$a
done
