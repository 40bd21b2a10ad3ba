#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --format 2 writes what a strict checker of its own takes, and never
# over anything.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# Much is made durable here, which takes its time on disks.
if mkdir mem && mount -t tmpfs -o size=500m,mode=755 tmpfs mem 2>/dev/null; then
	cd mem || exit 99
fi

day=2026-01-02T10:00:00+01:00
pack2()
{
	"$DESFS_PACK" --format 2 --created-at "$day" "$@"
}
check()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/des2-check.py" "$@"
}
# status N COMMAND: it ends with N.
status()
{
	status_want=$1
	shift
	"$@"
	status_is=$?
	echo "status $status_is"
	[ $status_is = "$status_want" ]
}

# Sizes about limits of the codecs, names of all kinds.
make_source()
{
	"$PYTHON" - "$1" <<-'EOF'
	import hashlib, os, sys
	root = sys.argv[1]
	def put(name, size, kind=0):
	    path = os.path.join(root, name)
	    os.makedirs(os.path.dirname(path), exist_ok=True)
	    text = hashlib.shake_128(name.encode()).digest(size)
	    with open(path, "wb") as f:
	        f.write(text if kind == 0 else
	                b"words and more of them\n" * (size // 23 + 1))
	        f.truncate(size)
	for size in (0, 1, 255, 256, 257, 65535, 65536, 65537, 65791, 65792,
	             131072, 131073, 300000, 1 << 20, 3000001):
	    put("noise/%d" % size, size)
	    put("text/t%d" % size, size, 1)
	for name in ("a.jpg", "a.JPEG", "d/a.png", "a.GiF", "a.tar.gz", "a.zip",
	             "a.bz2", "a.xz", "a.mp4", ".gz", "tail.", "dir.gz/file",
	             "a.gz ", "x.jpgg"):
	    put("skip/" + name, 5000, 1)
	for i in range(60):
	    put("%d" % (i * 37), i * 9)
	for name in ("007", "7", "\u0663\u0664\u0665", "\uff11\uff12",
	             "\u0967\u0968", "-5", "+1", "1_000", " 1", "\u00bd",
	             "za\u017c\u00f3\u0142\u0107", "e\u0301", "\u00e9",
	             "\U0001f980-crab", "new\nline", "\"quoted\"\\"):
	    put("n/" + name, 100)
	    put(name, 101)
	EOF
}
t 'files' make_source src

for codec in zstd lz4 none; do
	t "codec $codec" pack2 --codec $codec src out-$codec
	t "the checker finds all files, codec $codec" check out-$codec \
		--codec $codec --source src --day 20260102
done
for level in 1 9 19; do
	t "zstd $level" pack2 --level $level src/text out-level$level
	t "what the checker says of it" check out-level$level --source src/text
done
profiles()
{
	pack2 --profile small src out-small && check out-small --source src &&
		pack2 --profile fast src out-fast &&
		check out-fast --source src --codec lz4 &&
		cmp out-fast/20260102_25_0000.des out-lz4/20260102_25_0000.des
}
t 'profiles' profiles
for bits in 4 5 8 10 16; do
	t "slots of $bits bits" pack2 --n-bits $bits --max-shard-size 20000 \
		src out-bits$bits
	t "what the checker says of $bits" check out-bits$bits \
		--n-bits $bits --max-shard 20000 --source src
done
threads()
{
	pack2 -j 1 src out-j1 && pack2 -j 9 --open-shards 9 src out-j9 &&
		diff -r out-j1 out-j9
}
t 'the same bytes, whatever the number of threads' threads

# --- sizes -------------------------------------------------------------------
big()
{
	mkdir -p big/sub && head -c 5000 src/noise/65536 >big/equal &&
		head -c 5001 src/noise/65536 >big/more &&
		cp big/more big/sub/copy && head -c 5002 src/noise/65536 >big/z &&
		pack2 --big-file-threshold 5000 big out-big &&
		check out-big --threshold 5000 --source big &&
		[ "$(find out-big/_bigFiles -type f | wc -l)" = 2 ]
}
t 'a file above the threshold is an object of its own, once' big
big_again()
{
	head -c 5003 src/noise/65537 >big/zz && touch -r out-big old &&
		pack2 --big-file-threshold 5000 big out-big &&
		pack2 --big-file-threshold 5000 --created-at 2026-01-03 big \
			out-big &&
		check out-big --threshold 5000 --source big --runs &&
		[ "$(find out-big/_bigFiles -type f | wc -l)" = 3 ]
}
t 'it is taken when it is there' big_again
big_damaged()
{
	rm -rf out-bad && mkdir -p out-bad/_bigFiles || return 1
	for f in out-big/_bigFiles/*; do
		head -c "$(stat -c %s "$f")" /dev/zero \
			>"out-bad/_bigFiles/${f##*/}"
	done
	cp out-zstd/20260102_25_0000.des out-bad/20260101_25_0000.des
	(cd out-bad/_bigFiles && sha256sum ./*) >bad.sum
	status 1 pack2 --big-file-threshold 5000 big out-bad 2>err &&
		cat err && [ "$(grep -c 'with other content: its SHA' err)" = 4 ] &&
		(cd out-bad/_bigFiles && sha256sum -c) <bad.sum &&
		[ "$(find out-bad -name '20260102*' | wc -l)" = 1 ]
}
t 'but not with other content, and never overwritten' big_damaged
big_lost()
{
	rm -rf out-lost && cp -a out-big out-lost &&
		rm out-lost/_bigFiles/* && cp -a big big-other &&
		head -c 5002 src/noise/131072 >big-other/z && touch -r big/z big-other/z &&
		status 1 pack2 --big-file-threshold 5000 big-other out-lost \
			2>err && cat err && [ "$(grep -c 'other content' err)" = 1 ] &&
		[ "$(find out-lost/_bigFiles -type f | wc -l)" = 2 ] &&
		pack2 -n --big-file-threshold 5000 big out-lost &&
		[ "$(find out-lost/_bigFiles -type f | wc -l)" = 2 ] &&
		pack2 --big-file-threshold 5000 big out-lost &&
		diff -r out-big out-lost || return 1
	f=$(sha256sum <big/z) && f=out-lost/_bigFiles/${f%% *} &&
		chmod u+w "$f" && truncate -s 5001 "$f" &&
		status 1 pack2 --big-file-threshold 5000 big out-lost 2>err &&
		cat err && grep 'has it with 5001 bytes, not 5002' err
}
t 'one that is lost is taken from the source again' big_lost
big_lost_hash()
{
	hash=$(sha256sum <big/z) && hash=${hash%% *} && rm -rf out-lost &&
		cat >lost.json <<-EOF || return 1
		[{"uid": "z", "created_at": "2026-01-02", "size_bytes": 5002,
		  "source_path": "big/z", "sha256": "$hash"}]
	EOF
	for i in 1 2 3; do
		"$DESFS_PACK" --format 2 --big-file-threshold 5000 \
			--manifest lost.json --report lost.out out-lost &&
			cmp big/z "out-lost/_bigFiles/$hash" &&
			rm -f "out-lost/_bigFiles/$hash" || return 1
	done
	cat lost.out && grep '"there"' lost.out | grep "$hash"
}
t 'by its hash too' big_lost_hash
rollover()
{
	mkdir roll && for i in 0 1 2 3; do
		head -c 1000 src/noise/65536 >roll/$((i * 16))
	done
	head -c 1 src/noise/65536 >roll/64 && : >roll/80 && : >roll/96 &&
		pack2 --n-bits 4 --max-shard-size 2000 roll out-roll &&
		check out-roll --n-bits 4 --max-shard 2000 --source roll &&
		[ "$(find out-roll -name '*.des' | wc -l)" = 3 ] &&
		pack2 --n-bits 4 --max-shard-size 2001 --created-at 2026-01-03 \
			roll out-roll &&
		[ "$(find out-roll -name '20260103*' | wc -l)" = 2 ]
}
t 'a shard ends at the limit and not before' rollover

# --- days --------------------------------------------------------------------
names()
{
	find "$1" -name '*.des' -printf '%f\n' | sort
}
dates()
{
	mkdir times && echo x >times/12345 &&
		touch -d 2026-03-05T04:30:00Z times/12345 &&
		TZ=EST5 "$DESFS_PACK" --format 2 --created-at mtime times \
			out-times &&
		"$DESFS_PACK" --format 2 --created-at mtime times out-times &&
		"$DESFS_PACK" --format 2 --created-at 2026-03-07T00:10+02:00 \
			times out-times && names out-times | tee names &&
		printf '%s\n' 20260304_39_0000.des 20260305_39_0000.des \
			20260307_39_0000.des | cmp - names &&
		check out-times --source times &&
		grep -a '"created_at":"2026-03-04T23:30:00.000000-05:00","mtime":"2026-03-05T04:30:00.000000000Z"' \
			out-times/20260304_39_0000.des
}
t 'the day is that of the clock on the wall' dates
no_meta()
{
	pack2 --no-meta src out-plain && check out-plain --no-meta --source src
}
t 'no metadata' no_meta
routes()
{
	"$DESFS" route --format 2 --n-bits 8 12345 2026-01-02 |
		grep 20260102/39.des && [ -f out-zstd/20260102_39_0000.des ]
}
t 'as desfs route has it' routes

# --- another run -------------------------------------------------------------
sums()
{
	(cd "$1" && find . -type f | sort | xargs -d '\n' sha256sum)
}
# note ARCHIVE; noted ARCHIVE: it has the same files.
note()
{
	sums "$1" >noted
}
noted()
{
	sums "$1" | cmp - noted
}
again()
{
	note out-zstd && pack2 --json src out-zstd >json &&
		noted out-zstd &&
		grep '"packed":0,.*"unchanged":1[0-9][0-9],' json &&
		pack2 --checksum src out-zstd && noted out-zstd
}
t 'what is there is not packed again' again
again_content()
{
	cp -a out-plain out-again && note out-again &&
		pack2 src out-again && noted out-again &&
		touch -d 2020-01-01 src/74 src/37 &&
		cp -a out-zstd out-again2 && pack2 src out-again2 &&
		note out-zstd && noted out-again2
}
t 'nor by its content, where no time tells' again_content
more()
{
	cp -a src src2 && echo new >src2/293 && echo new >src2/new &&
		note out-zstd && pack2 src2 out-zstd &&
		(cd out-zstd && sha256sum -c --quiet) <noted &&
		[ -f out-zstd/20260102_25_0001.des ] &&
		check out-zstd --source src2 --runs
}
t 'more files go to the next number' more
differs()
{
	echo other >src2/37 && printf 'nev\n' >src2/293 &&
		note out-zstd &&
		status 1 pack2 src2 out-zstd 2>err && cat err &&
		grep '37: 20260102_25_0000.des has it with 9 bytes, not 6' err &&
		grep '293: 20260102_25_0001.des has it with other content' err &&
		grep ' 2 failed' err && noted out-zstd &&
		pack2 -q --created-at 2026-01-03 src2 out-zstd
}
t 'other content under the same uid and day is refused' differs
damaged()
{
	cp -a out-lz4 out-bad2 && rm -rf src3 && mkdir src3 &&
		echo x >src3/293 && echo y >src3/38 &&
		printf 'XX' | dd of=out-bad2/20260102_25_0000.des bs=1 \
			conv=notrunc seek=1 2>/dev/null &&
		status 1 pack2 src3 out-bad2 2>err && cat err &&
		grep '293: not packed, .*20260102_25_0000.des: ' err &&
		names out-bad2 | grep 20260102_26 &&
		[ ! -f out-bad2/20260102_25_0001.des ]
}
t 'beside a damaged shard nothing is packed' damaged
deleted()
{
	cp -a out-lz4 out-del && cat >out-del/20260102_25_0000.meta <<-'EOF' &&
	{"version": 1, "shard_file": "20260102_25_0000.des", "index": {},
	 "tombstones": {"293:2026-01-02T09:00:00Z":
	 {"uid": "293", "created_at": "2026-01-02T09:00:00Z",
	  "deleted_at": "2026-01-03T00:00:00Z", "deleted_by": "x",
	  "reason": "GDPR"}}}
	EOF
		pack2 -v src3 out-del 2>err && cat err &&
		grep 'erased 293' err && grep '1 erased' err &&
		[ ! -f out-del/20260102_25_0001.des ] &&
		echo '{"version": 1,' >out-del/20260102_25_0000.meta &&
		status 1 pack2 src3 out-del 2>err && cat err &&
		grep '293: not packed, .*20260102_25_0000.meta: ' err
}
t 'what a sidecar says is deleted stays so' deleted
gaps()
{
	cp -a out-lz4 out-gap &&
		mv out-gap/20260102_25_0000.des out-gap/20260102_25_0041.des &&
		pack2 src3 out-gap && [ -f out-gap/20260102_25_0042.des ] &&
		check out-gap --gaps --runs --codec zstd --within --day 20260102 \
			2>err
	grep -q codec err
}
t 'numbers go on after the highest' gaps
dry()
{
	pack2 -n src nowhere >out && [ ! -e nowhere ] &&
		grep 'would-pack 74' out || return 1
	note out-lz4 && pack2 -n src out-lz4 >out && [ ! -s out ] &&
		pack2 -n src3 out-lz4 >out && grep 'would-pack 293' out &&
		noted out-lz4
}
t 'a dry run tells and writes nothing' dry

# --- our own reader ----------------------------------------------------------
extracts()
{
	rm -rf extracted && "$DESFS" extract "$1" extracted &&
		diff -r "$2" extracted
}
t 'desfs reads the same, zstd' extracts out-again2 src
t 'and lz4' extracts out-lz4 src
t 'and what is not compressed, in many shards' extracts out-bits16 src
t 'and big files' extracts out-big big

# --- lists -------------------------------------------------------------------
manifest()
{
	printf 'one' >one && : >none && head -c 20000 /dev/zero >zeros &&
		cat >list.json <<-'EOF' || return 1
		[{"uid": "12345", "created_at": "2026-03-04T23:30:00-05:00",
		  "size_bytes": 3, "source_path": "one"},
		 {"uid": "a//b/", "created_at": "2026-03-05T00:10:00+02:00",
		  "size_bytes": 3, "source_path": "one", "meta": {"k": [1, 2]}},
		 {"uid": "", "created_at": "2026-03-05T00:10:00+02:00",
		  "size_bytes": 0, "source_path": "none"},
		 {"uid": "..", "created_at": "2026-03-05T00:10:00+02:00",
		  "size_bytes": 20000, "source_path": "zeros"},
		 {"uid": "12345", "created_at": "2026-03-05T04:30:00Z",
		  "size_bytes": 3, "source_path": "one"},
		 {"uid": "12345", "created_at": "2026-03-05T04:30:00Z",
		  "size_bytes": 3, "source_path": "one"},
		 {"uid": "12345", "created_at": "2026-03-05T04:30:01Z",
		  "size_bytes": 3, "source_path": "one"},
		 {"uid": "x", "created_at": "2026-03-05T04:30:01Z",
		  "size_bytes": 3, "source_path": "one", "sha256":
		  "0000000000000000000000000000000000000000000000000000000000000000"},
		 {"uid": "²", "created_at": "2026-03-05T04:30:01Z",
		  "size_bytes": 3, "source_path": "one"}]
	EOF
	status 1 "$DESFS_PACK" --format 2 --big-file-threshold 10000 \
		--manifest list.json --report list.out out-list2 &&
		sed 's/.*"status":"\([a-z]*\)".*/\1/' list.out >list.is &&
		cat list.out && printf '%s\n' archived archived archived archived \
			archived duplicate failed failed failed | cmp - list.is &&
		check out-list2 --threshold 10000 && names out-list2 >list.names &&
		grep -x 20260304_39_0000.des list.names &&
		grep -x 20260305_39_0000.des list.names &&
		grep -a '"2026-03-05T00:10:00.000000+02:00","mtime":"[^"]*","k":\[1,2\]}' \
			out-list2/*.des &&
		note out-list2 && status 1 "$DESFS_PACK" --format 2 \
			--big-file-threshold 10000 --manifest list.json \
			--report list.out out-list2 && noted out-list2 &&
		[ "$(grep -c '"there"' list.out)" = 5 ]
}
t 'what a manifest lists, each at the date of its own zone' manifest

manifest_meta()
{
	cat >meta.json <<-'EOF' || return 1
		[{"uid": "a", "created_at": "2026-03-04T23:30:00-05:00",
		  "size_bytes": 3, "source_path": "one", "meta":
		  {"created_at": "1999-12-31", "mtime": "x", "k": 1}},
		 {"uid": "b", "created_at": "2026-03-04T23:30:00-05:00",
		  "size_bytes": 3, "source_path": "one", "meta":
		  {"created_at": "2026-03-04T23:30-05:00", "n": 1, "n": NaN,
		   "u": "\ud800", "i": 123456789012345678901234567890}}]
	EOF
	for i in archived there; do
		"$DESFS_PACK" --format 2 --manifest meta.json \
			--report meta.out out-meta && cat meta.out &&
			[ "$(grep -c "\"$i\"" meta.out)" = 2 ] || return 1
	done
	cat out-meta/*.des >meta.all && rm -f one.was && mv one one.was &&
		printf 'two' >one && sed 's/23:30:00-05/23:29:59-05/' \
		meta.json >meta2.json || return 1
	status 1 "$DESFS_PACK" --format 2 --manifest meta2.json \
		--report meta.out out-meta
	status_meta=$?
	mv one.was one && [ $status_meta = 0 ] &&
		[ "$(grep -c '"failed"' meta.out)" = 2 ] &&
		grep -a '{"created_at":"2026-03-04T23:30:00.000000-05:00","mtime":"[^"]*Z","k":1}' \
			meta.all &&
		grep -a '{"mtime":"[^"]*Z","created_at":"2026-03-04T23:30-05:00","n":1,"n":NaN,' \
			meta.all || return 1
	for f in a b; do
		"$DESFS" stat --json out-meta "$f" >stat.out && cat stat.out &&
			grep '2026-03-05T04:30:00' stat.out || return 1
	done
}
t 'its metadata do not hide when a file was made' manifest_meta

# Of 65536 bytes readers keep all, of more none.
manifest_large_meta()
{
	"$PYTHON" - >large.json <<-'EOF' || return 1
		import json
		for uid, n in ("a", 65536), ("b", 65448), ("c", 65447):
		    print(json.dumps({"uid": uid, "created_at": "2026-03-05",
		        "size_bytes": 3, "source_path": "one", "meta":
		        {"k": "x" * (n - len('{"k":""}'))}}))
	EOF
	status 1 "$DESFS_PACK" --format 2 --manifest large.json \
		--report large.out out-large
	cat large.out
	[ "$(sed 's/.*"status":"\([a-z]*\)".*/\1/' large.out | tr '\n' ' ')" = \
		'failed failed archived ' ] &&
		grep 'metadata of 65537 bytes' large.out &&
		"$DESFS" stat --json out-large c | grep -c xxxxxxxx &&
		status 1 "$DESFS_PACK" -n --format 2 --manifest large.json \
			out-large
}
t 'metadata that would not be read are failures' manifest_large_meta

# --- what it cannot hold -----------------------------------------------------
left()
{
	mkdir -p odd/empty && echo x >odd/file && ln odd/file odd/hard &&
		ln -s file odd/link && mkfifo odd/fifo &&
		echo x >"odd/$(printf 'no\377')" &&
		echo x >"odd/$(printf '\302\262')" &&
		status 1 pack2 odd out-odd 2>err && cat err &&
		grep 'link: symlink: format 2' err &&
		grep 'fifo: fifo: format 2' err && grep 'not UTF-8' err &&
		grep 'digits that are no decimals' err && grep ' 4 failed' err &&
		rm odd/fifo "odd/$(printf '\302\262')" &&
		check out-odd --source odd
}
t 'links, devices and names that are no text are failures' left

# refuses STATUS TEXT ARCHIVE [args]
refuses()
{
	refuses_status=$1 refuses_text=$2 refuses_archive=$3
	shift 3
	status "$refuses_status" "$DESFS_PACK" --created-at "$day" "$@" src \
		"$refuses_archive" 2>err && cat err &&
		grep -e "$refuses_text" err
}
t 'an archive of format 3' "$DESFS_PACK" -q --created-at 2026-01-01 src3 v3
t 'no format 2 in there' refuses 8 'archive of format 3' v3 --format 2
t 'nor the other way round' refuses 8 "an older program's archive" out-lz4
t 'a directory with something else' refuses 8 'not empty and no archive' \
	src3 --format 2
t 'another n-bits, by the names' refuses 2 'archive has another' out-lz4 \
	--format 2 --n-bits=16
t 'another n-bits, by the uids' refuses 2 'another --n-bits' out-lz4 \
	--format 2 --n-bits=10
for option in --mirror --mirror-empty --allow-erased --remove-source-files \
	--block-size=64K --checkpoint=c --publish --route=parent; do
	t "$option" refuses 2 "${option%=*}" nowhere --format 2 "$option"
done
t '--no-meta is for format 2' refuses 2 'for --format 2' nowhere --no-meta
t '--big-file-threshold too' refuses 2 'for --format 2' nowhere \
	--big-file-threshold 5M
t 'zones' refuses 2 'not into zones' zone:///dev/null \
	--format 2
t 'nothing was made' test ! -e nowhere

# --- choices -----------------------------------------------------------------
choices()
{
	for i in 1 2 3; do
		pack2 --worker $i/3 src out-workers || return 1
	done
	pack2 --codec lz4 src out-all && check out-workers --source src &&
		names out-all >a && names out-workers | cmp - a &&
		printf '74\0n/7\0' | pack2 --files0-from=- src out-list &&
		check out-list --source src --within | grep '^2 files' &&
		pack2 --exclude=/noise --exclude='a.*' src out-some &&
		check out-some --source src --within
}
t 'workers, lists of files, exclusions' choices
