#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs convert: archives of older programs, as what their writers made of them.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
fixtures=$SRCDIR/tests/fixtures/legacy

status_is()
{
	want=$1
	shift
	"$@" >out 2>err
	is=$?
	cat out err
	[ "$is" = "$want" ]
}
# The new archive has what expected.json says of the set, and nothing else.
has_all()
{
	"$PYTHON" -B - "$@" <<-'EOP'
	import collections, json, os, sys
	sys.path.insert(0, os.environ["SRCDIR"] + "/tests/lib")
	import desread
	from desshard import REG
	expected, name, new = sys.argv[1:]
	doc = json.load(open(expected))
	if name == "daily":
	    want = [(f["name"], f["sha256"]) for f in doc["daily"]["files"]]
	elif "sets" in doc:
	    s = next(s for s in doc["sets"] if s["name"] == name)
	    gone = {t["uid"] for t in s.get("tombstones", [])}
	    want = [(f["uid"], f["sha256"]) for f in s["files"]
	            if f["uid"] not in gone]
	else:
	    c = next(c for c in doc["containers"] if c["path"] == name)
	    want = [(e["name"], e["sha256"]) for e in c["entries"]]
	a = desread.Archive(new)
	have = collections.Counter()
	for key in a.shards:
	    for e in a.shard(key).entries():
	        if e.type == REG:
	            have[e.uid.decode(), e.sha.hex()] += 1
	plain = {uid for uid, _ in want}
	for uid, sha in want:
	    if not have[uid, sha]:
	        # It is no path, and has another name.
	        uid = next(u for u, h in have
	                   if h == sha and u not in plain and have[u, h])
	    have[uid, sha] -= 1
	print(+have)
	assert not +have
	EOP
}
converts()
{
	status_is 0 "$DESFS" convert --report="$3.json" "$1" "$3.new" &&
		grep ', 0 were there, 0 failed, 0 lost; ' out &&
		has_all "$2" "$4" "$3.new" && reader_agrees "$3.new" &&
		"$DESFS" verify --deep "$3.new"
}

for set in codec-none codec-zstd5 codec-zstd9 codec-lz4 bigfiles \
	packed-n8 packed-n4 packed-n10 packed-bigfile legacy-v1 sidecar; do
	t "DES2, $set" converts "$fixtures/des-v2/$set" \
		"$fixtures/des-v2/expected.json" $set $set
done
t 'Datavision, by days' converts "$fixtures/datavision/daily" \
	"$fixtures/datavision/expected.json" daily daily
mkdir -p plain/2025-01-15
cp "$fixtures/datavision/plain.des" plain/2025-01-15/0.des
t 'Datavision, plain' converts plain "$fixtures/datavision/expected.json" \
	plain plain.des
t 'DES2, of nothing' status_is 0 "$DESFS" convert \
	"$fixtures/des-v2/empty-shard" empty.new
t 'Datavision, with external files' converts "$fixtures/datavision/ext" \
	"$fixtures/datavision/expected.json" ext ext/2025-01-15/shard_07.des
t 'a tombstone keeps its file away' status_is 3 "$DESFS" cat sidecar.new 200

# Damaged objects beside a good one: what can be read comes along, the others
# are named.
beside()
{
	"$DESFS" convert --report=bad.json bad bad.new >out 2>err
	is=$?
	cat out err
	case ${1##*/} in
	# Nobody can see it, or the original takes it so, too.
	duplicate-uid.des | payload-bitflip.des | payload-flip.des) [ $is = 0 ] ;;
	*) [ $is = 1 ] && grep -q "$2" err && grep -q "$2" bad.json ;;
	esac && "$DESFS" cat bad.new "$3" >content && [ "$(wc -c <content)" = "$4" ] &&
		"$DESFS" verify --deep bad.new
}
for bad in "$fixtures"/des-v2/malformed/*.des; do
	case $bad in */good-reference.des) continue ;; esac
	rm -rf bad bad.new && mkdir bad && cp "$bad" bad/20250115_01_0000.des &&
		cp "$fixtures/des-v2/codec-none/20250115_00_0000.des" bad
	t "DES2, ${bad##*/} beside a good one" beside "$bad" \
		20250115_01_0000.des lorem.txt 20000
done
for bad in "$fixtures"/datavision/malformed/*.des; do
	case $bad in */good-reference.des) continue ;; esac
	rm -rf bad bad.new && mkdir -p bad/2025-01-15 &&
		cp "$bad" bad/2025-01-15/1.des &&
		cp "$fixtures/datavision/malformed/good-reference.des" \
			bad/2025-01-15/0.des
	t "Datavision, ${bad##*/} beside a good one" beside "$bad" \
		2025-01-15/1.des a 4
done
rm -rf bad bad.new && cp -R "$fixtures/des-v2/bigfiles" bad && chmod -R u+w bad
for f in bad/_bigFiles/*; do printf x | dd of="$f" conv=notrunc 2>/dev/null; break; done
t 'a big file that is not what its hash says is left out' beside "" \
	"${f#bad/}" small.txt 900
t 'nothing is written over an older archive' status_is 2 \
	"$DESFS" convert "$fixtures/des-v2/codec-none" bad

# Of the same name, time and size, and still another file: only reading tells.
mkdir src && head -c 24 /dev/zero >src/007
touch -d 2025-01-15T00:00:00Z src/007 src && chmod 644 src/007
"$DESFS_PACK" -q --created-at 2025-01-15T00:00:00Z src other
t 'another file in its place is found' status_is 6 "$DESFS" convert \
	--report=bad.json "$fixtures/des-v2/packed-n8" other
t 'and named' grep -q '007: has other bytes' err
t 'it stays what it was' sh -c "'$DESFS' cat other 007 | cmp - src/007"
