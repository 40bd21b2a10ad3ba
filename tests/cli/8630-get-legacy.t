#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs get takes files out of archives of older programs, by uid and day.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
legacy=$SRCDIR/tests/fixtures/legacy
des2=$legacy/des-v2

# all WHAT COUNT: so many files are right, see there
all()
{
	rm -rf dv-*
	"$PYTHON" "$SRCDIR/tests/lib/get-legacy.py" "$DESFS" "$legacy" "$1" >n &&
		cat n && [ "$(cat n)" -ge "$2" ]
}
t 'every file of every good set, as lists' all batch 700
t 'where the n_bits they were made with say' all n-bits 150
t 'one by one' all one 25

# gets STATUS TEXT ARGUMENTS: the SHA-256 of what it writes, or what it says
gets()
{
	gets_status=$1 gets_text=$2
	shift 2
	"$DESFS" get "$@" >out 2>err </dev/null
	gets_is=$?
	cat err
	[ $gets_is = "$gets_status" ] || { echo "status $gets_is"; return 1; }
	[ $gets_is != 0 ] || { sha256sum out | grep "^$gets_text"; return; }
	[ ! -s out ] && grep -qF -e "$gets_text" err
}
doc=06a314b17adf20f1bd4e3a524cca9eb472b5172af5d4c2d1b3c7393e5e4d0fc1
t 'any time of the day will do' gets 0 $doc \
	--created-at 2025-01-15T03:04:05.6 "$des2/packed-n8" doc-0.txt
t 'of the day as it is written' gets 0 $doc \
	--created-at 2025-01-15T23:59:59-11:00 "$des2/packed-n8" doc-0.txt
t 'not of the day in UTC' gets 3 'is not there on that day' \
	--created-at 2025-01-16T00:30:00+01:00 "$des2/packed-n8" doc-0.txt
t 'a wrong n_bits says where it looked' \
	gets 3 'is not where 16 bits say (without --n-bits' \
	--n-bits 16 "$des2/packed-n8" doc-0.txt
t 'and an impossible one that it is that' gets 3 'which DES2 never has' \
	--n-bits 3 "$des2/packed-n8" doc-0.txt
echo 'doc-0.txt	2025-01-15' >pairs
t 'which a list ends with' gets 2 'n_bits is 4 to 16' \
	--n-bits 3 --batch pairs "$des2/packed-n8"

# contained BITS SLOT: with so many it is there, in that container
contained()
{
	contained_uid='UserCustom_20250115_(6967D5010700_AD)'
	contained_4=$(printf %s "$contained_uid" | sha256sum | cut -c 1)
	mkdir -p "dv$1/2025-01-15" &&
		cp "$legacy/datavision/daily/2025-01-15/$contained_4.des" \
			"dv$1/2025-01-15/$2.des" &&
		"$DESFS" get --n-bits "$1" "dv$1" "$contained_uid" >one &&
		echo "$contained_uid" >pairs &&
		"$DESFS" get --n-bits "$1" --batch pairs "dv$1" |
		tar -xOf - >list && [ -s one ] && cmp one list
}
hash=$(printf %s 'UserCustom_20250115_(6967D5010700_AD)' | sha256sum)
t 'containers may have three bits' contained 3 $((0x${hash%"${hash#?}"} / 2))
t 'or twenty' contained 20 "${hash%"${hash#?????}"}"
t 'and what is not in one is not there' gets 3 'is not where 20 bits say' \
	--n-bits 20 dv20 nobody
t 'a tombstone hides at its time' gets 3 '200: was deleted' \
	--created-at 2025-01-15T11:00:00Z "$des2/sidecar" 200
t 'and a second later' gets 3 '200: was deleted' \
	--created-at 2025-01-15T11:00:01Z "$des2/sidecar" 200
t 'and without a time' gets 3 '200: was deleted' "$des2/sidecar" 200
t 'but not on another day' gets 3 'is not there on that day' \
	--created-at 2025-01-16 "$des2/sidecar" 200

# The same uids on two days, and once more without a time.
mkdir days
cp "$des2/codec-none/20250115_00_0000.des" days
cp "$des2/codec-none/20250115_00_0000.des" days/20250117_00_0000.des
cat >pairs <<'END'
lorem.txt	2025-01-15T10:00:00Z
42	2025-01-17
lorem.txt
lorem.txt	2025-01-16
lorem.txt	2025-01-17T01:00:00+14:00
END
versions()
{
	"$DESFS" get --batch pairs --report rep -o out.tar days 2>err
	[ $? = 1 ] || return
	cat rep
	tar -tf out.tar | sort >names
	cat names
	[ "$(cut -d @ -f 1 names | tr '\n' ' ')" = \
		'42 lorem.txt lorem.txt lorem.txt ' ] &&
		[ "$(uniq names | wc -l)" = 4 ] && tar -xOf out.tar 42 |
		sha256sum | grep -q ^109a6d6687b14f &&
		sed -n 4p rep | grep -q '"status":"missing"' &&
		[ "$(grep -c '"status":"ok"' rep)" = 4 ]
}
t 'versions of a uid have names of their own' versions
by_days()
{
	grep 2025 pairs >timed && echo 'lorem.txt	never' >>timed
	"$DESFS" get --batch timed --report rep.days -o out.tar days
	[ $? = 1 ] || return
	cat rep.days
	tar -tf out.tar | sort >names.days
	grep -vx lorem.txt names | cmp - names.days &&
		[ "$(grep -c '"status":"ok"' rep.days)" = 3 ] &&
		grep -q '"reason":".never. is no ISO' rep.days
}
t 'also where one day is read after the other' by_days
t 'a list that is not there is no empty one' gets 3 'nolist' --batch nolist days

# What is deleted, beside what is not there: on two days, with a damaged shard
# in one place, and as the name of a directory.
"$PYTHON" - <<'END'
import json, os, shutil
from datetime import datetime
def name(day, n):
    return "gone/202501%02d_00_%04d" % (day, n)
os.mkdir("gone")
src = os.environ["SRCDIR"] + "/tests/fixtures/legacy/des-v2/codec-none/"
for day in 15, 17, 18:
    shutil.copy(src + "20250115_00_0000.des", name(day, 0) + ".des")
for day, uids in (15, ["42", "nobody", "%empty", "a//b"]), (17, ["lorem.txt"]):
    with open(name(day, 0) + ".meta", "w") as f:
        json.dump({"version": 1, "tombstones": {
            u: {"uid": u} for u in uids}}, f)
END
deletions()
{
	chmod -R u+w gone
	printf '%s\n' '42	2025-01-15' '42	2025-01-17' 42 \
		'nobody	2025-01-15' 'nobody	2025-01-17' nobody '%empty' \
		'a//b' 'a/b' 'lorem.txt	2025-01-17' 'lorem.txt	2025-01-15' \
		>pairs
	"$DESFS" get --batch pairs --report rep -o out.tar gone 2>err
	[ $? = "$1" ] || return
	shift
	cat err rep
	sed 's/.*"status":"\([a-z]*\)".*/\1/' rep | tr '\n' ' ' >is
	[ "$(cat is)" = "$* " ]
}
t 'a list tells what was deleted from what is missing' deletions 1 \
	deleted ok ok deleted missing deleted deleted deleted missing deleted ok
truncate -s -5 gone/20250118_00_0000.des
t 'without a time, what cannot be read may have it' deletions 6 \
	deleted ok ok deleted missing corrupt corrupt corrupt corrupt deleted ok

# What is damaged.
cp -r "$des2/packed-bigfile" big
chmod -R u+w big
printf x | dd of="$(echo big/_bigFiles/*)" conv=notrunc bs=1 seek=5 2>/dev/null
t 'no byte of an external file that is damaged' \
	gets 6 'the shard says' -o new big movie.mp4
t 'and no file' [ ! -e new ]
cp -r "$des2/packed-n4" hurt
chmod -R u+w hurt
truncate -s -5 hurt/20250115_2_0000.des
hurt_list()
{
	"$PYTHON" - "$des2/expected.json" >pairs <<-'END'
	import json, sys
	for s in json.load(open(sys.argv[1]))["sets"]:
	    if s["name"] == "packed-n4":
	        for f in s["files"]:
	            print(json.dumps(f))
	END
	echo '{"uid": "nobody", "created_at": "2025-01-15"}' >>pairs
	"$DESFS" get --batch pairs --report rep hurt >out.tar 2>err
	[ $? = 6 ] || return
	grep -h '"status":"[^o]' rep
	grep -q '20250115_2_0000.des' err &&
		! grep -q '"status":"missing"' rep &&
		[ "$(grep -c '"status":"corrupt"' rep)" -lt 12 ] &&
		[ "$(tar -tf out.tar | wc -l)" -gt 30 ]
}
t 'a damaged shard costs its own files only' hurt_list
