#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Archives of older programs in Ceph RGW: mounted, read by all tools, converted;
# --format 2, manifests and backups into it; who may not is told what and where.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/s3-archive.sh"
need_fuse
need_rgw
legacy=$SRCDIR/tests/fixtures/legacy

fixtures()
{
	"$PYTHON" "$SRCDIR/tests/lib/legacy-fixtures.py" "$@"
}
# ends STATUS TEXT COMMAND...: so, and says that.
ends()
{
	ends_status=$1 ends_text=$2
	shift 2
	"$@" >out 2>err
	ends_is=$?
	tail -n 20 err
	[ $ends_is = "$ends_status" ] || { echo "status $ends_is"; return 1; }
	[ ! "$ends_text" ] || grep -qF -e "$ends_text" out err
}

t 'RGW is up' rgw_with plain versions
[ "${AWS_ENDPOINT_URL_S3:-}" ] || exit
uploaded()
{
	fixtures make fx && mkdir raw && cp -r "$legacy/des-v2" \
		"$legacy/datavision" raw && s3_put_all fx "$rgw_url" plain fx &&
		s3_put_all raw "$rgw_url" plain raw
}
t 'the fixtures are there' uploaded

# --- read ---------------------------------------------------------------------
# is_tree NAME DIR: it has the files of that archive
is_tree()
{
	fixtures tree "fx/$1.json" "$2"
}
both_views()
{
	mount_up "s3://plain/fx/$1" mnt -o "log=log.$1" && is_tree "$1" mnt &&
		fixtures days "fx/$1.json" mnt/.des/by-date
	views_status=$?
	"$DESFS" umount mnt && [ $views_status = 0 ]
}
listed()
{
	"$DESFS" ls -R --json "s3://plain/fx/$1" >lines &&
		fixtures listing "fx/$1.json" <lines
}
each_file()
{
	fixtures paths "fx/$1.json" >names &&
		xargs -0 "$DESFS" stat --json "s3://plain/fx/$1" <names >lines &&
		fixtures listing "fx/$1.json" <lines &&
		xargs -0 "$DESFS" cat "s3://plain/fx/$1" <names >bytes &&
		fixtures content "fx/$1.json" <bytes
}
written_out()
{
	"$DESFS" extract "s3://plain/fx/$1" "x.$1" && is_tree "$1" "x.$1" &&
		"$DESFS" export "s3://plain/fx/$1" -o one.tar &&
		"$DESFS" export "s3://plain/fx/$1" -o two.tar &&
		cmp one.tar two.tar && mkdir "t.$1" &&
		tar -C "t.$1" -xf one.tar && is_tree "$1" "t.$1"
}
for a in odd loose packed-n10 packed-bigfile datavision; do
	t "$a: mounted, both views" both_views $a
	t "$a: ls" listed $a
	t "$a: stat and cat" each_file $a
	t "$a: extract, and export, twice the same" written_out $a
	t "$a: verify" ends 0 'all is well' "$DESFS" verify --deep \
		"s3://plain/fx/$a"
done
by_days()
{
	mount_up s3://plain/fx/loose mnt -o layout=date &&
		fixtures days fx/loose.json mnt && "$DESFS" umount mnt
}
t 'mounted by days' by_days
t 'the log says what n_bits is' grep -q 'n_bits is 10: from' log.packed-n10

# gets COUNT WHAT: so many files are right, see get-legacy.py
gets()
{
	rm -rf dv-*
	"$PYTHON" "$SRCDIR/tests/lib/get-legacy.py" "$DESFS" "$legacy" "$2" \
		s3://plain/raw >n && cat n && [ "$(cat n)" -ge "$1" ]
}
t 'get: lists and files, where n_bits say' gets 150 n-bits
t 'get: one by one' gets 20 one
t 'get: a wrong n_bits says where it looked' ends 3 'is not where 16 bits say' \
	"$DESFS" get --n-bits 16 s3://plain/raw/des-v2/packed-n8 doc-0.txt
t 'get: what was deleted is not there' ends 3 '200: was deleted' \
	"$DESFS" get --created-at 2025-01-15T11:00:01Z \
	s3://plain/raw/des-v2/sidecar 200

# --- what others do to it -----------------------------------------------------
put()
{
	s3_curl PUT "$rgw_url/plain/$2" -T "$1"
}
# shellcheck disable=SC2317 # by wait_for
fails_with()
{
	not cat "$2" >out 2>err && grep -q "$1" err
}
gone()
{
	[ ! -e "$1" ]
}
good=$legacy/des-v2/malformed/good-reference.des
put "$good" live/20250304_00_0000.des
t 'one shard is mounted' mount_up s3://plain/live mnt -o refresh=1,log=log
put "$good" live/20250305_00_0000.des
one_more()
{
	[ "$(find mnt/.des/by-date -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]
}
t 'one that is added shows' wait_for 60 one_more
for day in 20250304 20250305; do
	printf '{"version":1,"tombstones":{"b":{"uid":"b"}}}' >meta
	put meta live/${day}_00_0000.meta
done
t 'what is deleted goes' wait_for 60 gone mnt/b
t 'all else stays' cat mnt/a
printf '{"version":1' >meta && put meta live/20250305_00_0000.meta
t 'a damaged sidecar hides its shard' wait_for 60 fails_with \
	'Input/output error' mnt/a
t 'and is named' grep -q '20250305_00_0000.meta' log
t 'unmounted' "$DESFS" umount mnt

big=$(cd "$legacy/des-v2/packed-bigfile" && echo _bigFiles/*)
damaged_big()
{
	cp "$legacy/des-v2/packed-bigfile/$big" big && chmod u+w big &&
		printf x | dd of=big conv=notrunc bs=1 seek=5 2>/dev/null &&
		put big "raw/des-v2/packed-bigfile/$big" &&
		ends 6 'the shard says' "$DESFS" get -o new \
			s3://plain/raw/des-v2/packed-bigfile movie.mp4 &&
		[ ! -e new ] && ends 6 "$big" "$DESFS" verify --deep \
			s3://plain/raw/des-v2/packed-bigfile
}
t 'of a big file that is damaged no byte is given out' damaged_big

# --- converted ----------------------------------------------------------------
converts()
{
	ends 0 '0 failed, 0 lost' "$DESFS" convert "s3://plain/fx/$1" "$2" &&
		ends 0 'all is well' "$DESFS" verify --deep "$2" &&
		rm -rf new && "$DESFS" extract "$2" new && is_tree "$1" new
}
for a in odd datavision; do
	t "$a: converted within RGW" converts $a "s3://plain/new/$a"
done
t 'converted to disk' converts packed-bigfile big.new
t 'and into a bucket that keeps versions' converts loose s3://versions/loose
t 'each object is made once there' each_once versions/loose

# --- format 2 -----------------------------------------------------------------
# Slots 1 and 2 have a shard of more than one part, and so many as there are runs.
slots()
{
	for run in 1 2 3; do
		mkdir -p "src/$run" all && for i in 1 2; do
			head -c 5300000 /dev/urandom >"src/$run/$((run * 16 + i))"
		done
		for i in 3 4 5 6; do
			echo "$run.$i" >"src/$run/$((run * 16 + i))"
		done
		cp -p "src/$run"/* all
	done
	head -c 7000000 /dev/urandom >src/1/big && cp -p src/1/big all &&
		cp -p src/1/big src/2/big2 && cp -p src/1/big all/big2
}
pack2()
{
	timeout -k 5 120 "$DESFS_PACK" -q --progress never --format 2 --n-bits 4 \
		--codec none --created-at 2026-01-02 --big-file-threshold 6M \
		"$@"
}
checked()
{
	fetch_archive "$1" got && rm -rf got/tmp && cat got.keys && shift &&
		"$PYTHON" -B "$SRCDIR/tests/lib/des2-check.py" got --n-bits 4 \
			--codec none --threshold 6291456 --runs "$@" &&
		[ ! -e got/_locks ]
}
at_once()
{
	at_once_pids=
	for run in 1 2 3; do
		pack2 "src/$run" "s3://$1" 2>"err.$run" &
		at_once_pids="$at_once_pids $!"
	done
	at_once_failed=0
	for at_once_pid in $at_once_pids; do
		wait "$at_once_pid" || at_once_failed=1
	done
	cat err.*
	[ $at_once_failed = 0 ] && checked "$1" --source all
}
slots
for b in plain versions; do
	t "three runs at once: all files are there, $b" at_once $b/two
	t 'and nothing is left over' nothing_left $b/two
done
t 'each shard was made once' each_once versions/two
goes_on()
{
	versions_of versions/two >before && cp got.keys keys.before &&
		pack2 all s3://versions/two && versions_of versions/two >after &&
		cmp before after && mkdir more && echo more >more/65 &&
		pack2 more s3://versions/two && cp more/65 all &&
		checked versions/two --source all &&
		diff keys.before got.keys | grep '^[<>]' | tee new.keys &&
		[ "$(cat new.keys)" = '> 20260102_1_0003.des' ] &&
		each_once versions/two
}
t 'a further run packs what is new under the next number' goes_on
refused()
{
	echo other >more/65 && ends 1 'has it with' pack2 more s3://versions/two &&
		each_once versions/two && checked versions/two --source all
}
t 'other content is refused, and nothing written over' refused
t 'it is no archive to pack format 3 into' ends 8 "older program's archive" \
	"$DESFS_PACK" -q more s3://versions/two
t 'nor one with other n_bits' ends 2 'the archive has another' \
	"$DESFS_PACK" -q --format 2 more s3://versions/two
t 'nor is there a bucket for it' ends 3 'bucket nowhere does not exist' \
	"$DESFS_PACK" -q --format 2 more s3://nowhere/x

# --- manifests and backups ----------------------------------------------------
made()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/make-manifest.py" "$@"
}
mkdir list && cd list && made make 1000 || exit
of_manifest()
{
	ends 1 '' "$DESFS_PACK" -q --manifest m.jsonl --report r \
		s3://plain/list && made report r archived &&
		"$DESFS" export s3://plain/list >all.tar && made tar <all.tar &&
		ends 1 '' "$DESFS_PACK" -q --manifest m.tsv --report r \
			s3://plain/list && made report r there
}
t 'a manifest is packed, and reported' of_manifest
of_manifest_2()
{
	ends 1 '' "$DESFS_PACK" -q --format 2 --n-bits 4 --manifest m.jsonl \
		--report r s3://plain/list2 && made report r archived &&
		ends 0 'all is well' "$DESFS" verify --deep s3://plain/list2
}
t 'in format 2 as well' of_manifest_2
cd "$tmp" || exit
of_backup()
{
	mkdir tree && files tree/d 200 3000 && echo 'ä' >'tree/ö ü' &&
		ln -s d/000001 tree/link && ln tree/d/000002 tree/hard &&
		tar --format=posix -cf tree.tar -C tree . &&
		"$DESFS_PACK" -q --from-archive tree.tar s3://plain/backup &&
		"$DESFS" export s3://plain/backup -o back.tar &&
		tar --compare -f back.tar -C tree &&
		[ "$(tar -tf back.tar | grep -vc '/$')" = 203 ] &&
		ends 0 'all is well' "$DESFS" verify --deep s3://plain/backup
}
t 'a backup is packed, and exported the same' of_backup

# --- who may not --------------------------------------------------------------
old=s3://plain/fx/packed-n4
t 'a wrong secret' ends 10 'the secret key does not fit' \
	env AWS_SECRET_ACCESS_KEY=wrong "$DESFS" ls $old
t 'for a mount too' ends 10 'the secret key does not fit' \
	env AWS_SECRET_ACCESS_KEY=wrong "$MOUNT_DESFS" $old mnt
t 'and for --format 2' ends 10 'the secret key does not fit' \
	env AWS_SECRET_ACCESS_KEY=wrong "$DESFS_PACK" -q --format 2 more $old
t 'nobody of that name' ends 10 'does not know the access key' \
	env AWS_ACCESS_KEY_ID=nobody "$DESFS" convert $old nothing
t 'a bucket that is not there' ends 3 'there is no such bucket' \
	"$MOUNT_DESFS" s3://nowhere/fx mnt
t 'a prefix below which nothing is' ends 3 'no archive' \
	"$DESFS" get s3://plain/nothing 1
t 'a server that is not there' ends 5 'cannot connect to 127.0.0.1:1' \
	"$DESFS" ls --timeout 2 --retries 1 --endpoint http://127.0.0.1:1 $old

# may ACTION...: so much may everybody do in the bucket plain
may()
{
	may_do=$(printf '"s3:%s",' "$@")
	cat >policy.json <<-END
	{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
	 "Principal": {"AWS": ["arn:aws:iam:::user/guest"]},
	 "Action": [${may_do%,}],
	 "Resource": ["arn:aws:s3:::plain", "arn:aws:s3:::plain/*"]}]}
	END
	s3_curl PUT "$rgw_url/plain?policy=" -T policy.json
}
guest()
{
	env AWS_ACCESS_KEY_ID=GUEST AWS_SECRET_ACCESS_KEY=guests-secret "$@"
}
t 'there is a guest' rgw_user guest GUEST guests-secret
t 'who may list and get' may ListBucket GetObject
t 'can read' guest "$DESFS" extract $old x.guest
t 'all of it' is_tree packed-n4 x.guest
t 'but not pack' ends 10 '403 AccessDenied' guest "$DESFS_PACK" -q --format 2 \
	more s3://plain/guest
t 'who may only get' may GetObject
t 'is told of the right to list' ends 10 's3:ListBucket' guest "$DESFS" ls $old
t 'for a mount as well' ends 10 's3:ListBucket' guest "$MOUNT_DESFS" $old mnt
t 'and for a conversion' ends 10 's3:ListBucket' guest "$DESFS" convert $old n
t 'who may only list' may ListBucket
t 'is told of the right to get' ends 10 's3:GetObject' guest "$DESFS" ls $old
t 'check-conf knows an older archive' ends 0 "older program's archive" \
	"$DESFS" check-conf $old

# --- RGW dies -----------------------------------------------------------------
t 'mounted once more' mount_up s3://plain/fx/loose mnt -o timeout=3
rgw_daemon kill rgw
t 'without RGW reading fails in time' not timeout 60 cat mnt/lorem.txt
t 'what is known shows' [ "$(stat -c %s mnt/lorem.txt)" = 20000 ]
t 'opening fails in time' ends 5 'cannot connect to 127.0.0.1' timeout 100 \
	"$DESFS" ls --timeout 3 s3://plain/fx/loose
t 'and so does --format 2' ends 5 'cannot connect to 127.0.0.1' timeout 100 \
	"$DESFS_PACK" -q --format 2 --timeout 3 more s3://plain/late
t 'RGW starts' rgw_daemon start rgw
t 'reading is right again' is_tree loose mnt
