#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs reap carries deletions out, from the tombstone to the receipt, and
# removes nothing before its time.
. "${0%/*}/../lib/tap.sh"
# shellcheck source=tests/lib/tree.sh
. "$SRCDIR/tests/lib/tree.sh"
need 'needs jq' command -v jq

make_archive()
{
	rm -rf src ar
	mkdir -p src/d/e src/other
	for i in 1 2 3 4; do
		echo "content of $i" >"src/d/file-$i"
	done
	echo 'zebra-secret-content' >src/d/zebra-secret-name
	echo 'yak-secret-too' >src/d/e/yak-secret-alone
	echo 'stays' >src/other/stays
	"$DESFS_PACK" -q --created-at 2026-11-01T10:00:00Z src ar
}

delete()
{
	"$DESFS" tombstone add --no-copies "$@"
}

reap()
{
	"$DESFS" reap "$@" 2>err
	is=$?
	cat err
	return $is
}

# Neither names nor contents, in whatever the archive has, compressed or not.
says_nothing()
{
	find ar | grep -E "$1" && return 1
	grep -rlE "$1" ar && return 1
	rm -rf all && "$DESFS" extract ar all || return
	find all | grep -E "$1" && return 1
	grep -rlE "$1" all && return 1
	"$DESFS" verify --deep ar
}

n_old()
{
	"$DESFS" reap --dry-run --json ar 2>/dev/null |
		jq -s 'map(select(.kind == "purge")) | length'
}

state_of()
{
	"$DESFS" erasures --json ar |
		jq -r --arg p "$1" 'select(.path == $p).state'
}

value()
{
	"$DESFS" reap --json "$@" ar 2>/dev/null |
		jq "select(.kind == \"total\").$key"
}

# --- the whole life, at once -------------------------------------------------

whole_life()
{
	make_archive
	delete --reason gdpr --by dpo --ticket R-17 ar d/zebra-secret-name \
		d/e/yak-secret-alone || return
	[ "$(state_of d/zebra-secret-name)" = hidden ] || return
	reap --grace 0 ar && says_nothing 'zebra|yak' || return
	[ -z "$(find ar/tombstones -mindepth 2 -type f)" ] &&
		[ -z "$("$DESFS" erasures ar)" ] || return
	[ "$("$DESFS" erasures --all --json ar |
		jq -c '[.kind, .final, .reason, .by, .ticket]' | sort -u)" = \
		'["receipt",true,"gdpr","dpo","R-17"]' ] || return
	[ "$(find ar/salts -type f ! -name suppression | wc -l)" = 2 ] && "$DESFS" erasures verify ar &&
		cmp all/d/file-3 src/d/file-3 && cmp all/other/stays src/other/stays
}
t 'with --grace 0 one round does it all' whole_life
again()
{
	find ar -type f | sort >before
	reap --grace 0 ar || return
	find ar -type f | sort | diff before -
}
t 'another round has nothing to do' again

proof()
{
	"$DESFS" erasures verify --uid d/zebra-secret-name --json ar >out || return
	id=$(jq -r 'select(.kind == "receipt").id' out)
	"$DESFS" erasures verify --uid d/file-1 ar
	[ $? = 3 ] || return
	cp "ar/salts/$id" salt
	"$DESFS" erasures forget ar "$id" && [ ! -e "ar/salts/$id" ] || return
	"$DESFS" erasures verify --uid d/zebra-secret-name ar
	[ $? = 3 ] || return
	"$DESFS" erasures verify --uid d/zebra-secret-name --salt salt ar
}
t 'a receipt names its subject to who has the salt' proof

# n_receipts N STATUS OPTION...: so many are found of d/file-2.
n_receipts()
{
	want=$1 status=$2
	shift 2
	"$DESFS" erasures verify --uid d/file-2 --json "$@" ar >out
	[ $? = "$status" ] && cat out &&
		[ "$(jq -r 'select(.kind == "receipt").id' out | wc -l)" = "$want" ]
}
by_version()
{
	make_archive
	delete --created-at 2026-11-01T10:00:00Z ar d/file-2 || return
	reap --grace 0 ar && n_receipts 1 0 &&
		n_receipts 1 0 --created-at 2026-11-01T10:00:00 &&
		n_receipts 1 0 --created-at 2026-11-01T10:00:00.000 &&
		n_receipts 0 3 --created-at 2026-11-01T10:00:00.5 &&
		n_receipts 0 3 --until 2026-11-01T10:00:00
}
t 'a receipt of one version is found without its time, too' by_version

# --- what the log says is not so -----------------------------------------------

missed()
{
	f=$(grep -l '"kind":"purged"' ar/log/*.json | head -n 1)
	cp "$f" kept && rm -f "$f"
	"$DESFS" erasures verify ar
	is=$?
	cp kept "$f"
	[ $is != 0 ] && [ $is -lt 100 ]
}
t 'a record that is missing is found' missed

# One erasure done, and two in another document.
before_forging()
{
	make_archive
	delete ar d/zebra-secret-name || return
	delete ar d/file-1 d/file-2 || return
	cp -a ar unreaped && reap --grace 0 ar || return
	cp -a ar honest
	"$DESFS" erasures verify honest
}
t 'all is so' before_forging
found()
{
	"$DESFS" erasures verify ar >out 2>&1
	is=$?
	cat out
	[ $is = 6 ] && grep -q "$1" out
}
# forged PATTERN CODE: a log that says what code makes of it.
forged()
{
	rm -rf ar && cp -a honest ar &&
		"$PYTHON" "$SRCDIR/tests/lib/forge-log.py" ar "$2" && found "$1"
}
last='r = of("erased")[-1]["receipts"]'
t 'a receipt is left out' forged \
	'2 of the erasures it asks for are done, and 1 have a final' "$last
[x for x in r if x['hidden'] != of('tombstones')[0]['time']][0]['hidden'] = ''
r[:] = [x for x in r if x['hidden']]"
t 'all receipts are left out' forged '1 .* are done, and 0 have' "r = of('erased')
for x in r: x['receipts'] = []"
t 'there are more than were asked for' forged 'there are 3 receipts for the 2' \
	"$last
r.append(dict([x for x in r if x['hidden'] == of('tombstones')[1]['time']][0]))
r[-1]['id'] = 'f' * 32
r.sort(key=lambda x: x['id'])"
t 'it is of what nobody asked for' forged 'no record asked for anything' "$last
r[0]['hidden'] = '2026-11-20T00:00:00.000000Z'"
t 'two tell of another subject' forged 'of another subject' "$last
r[0]['subject'] = 'a' * 64"
t 'a document is done that nobody asked for' forged 'which no record asks for' \
	"of('erased')[-1]['done'].append('tombstones/20261122/' + 'f' * 32 + '.json')"
t 'it names a shard that was never there' forged 'no record replaces the shard' \
	"$last
r[0]['replaced'][0]['from'] = 'e' * 64
r[0]['purged'][0]['root'] = 'e' * 64"
t 'another shard has taken the place' forged 'another shard in the place' "$last
r[0]['replaced'][0]['to'] = ['e' * 64]"
t 'fewer have' forged '1 shards took the place of .*, not 0' "$last
r[0]['replaced'][0]['to'] = []"
t 'it does not say that all went' forged 'does not say where' "$last
r[0]['purged'] = []"
t 'what went was not replaced' forged 'does not say what took its place' "$last
r[0]['purged'][0]['root'] = 'e' * 64"
t 'it went before' forged 'went before others took its place' "$last
r[0]['purged'][0]['time'] = '2026-11-01T00:00:00.000000Z'"
not_read()
{
	rm -rf ar && cp -a honest ar && "$PYTHON" - <<-'EOF2' && found 'SHA-256 is not the one'
	import glob
	path = sorted(glob.glob("ar/log/*"))[1]
	import os
	b = open(path, "rb").read()
	os.unlink(path)
	open(path, "wb").write(b + b"\n")
	EOF2
}
t 'a record is not what its successor read' not_read
back()
{
	rm -rf ar && cp -a honest ar
	for f in unreaped/2026*/*.des; do
		[ -e "ar/${f#*/}" ] || cp "$f" "ar/${f#*/}" || return
	done
	found 'receipt .*_0000_.* is there'
}
t 'an old shard is there again' back
# heir PATTERN COMMAND [ARG]...: what took the place of the old one, spoilt.
heir()
{
	pattern=$1
	shift
	rm -rf ar && cp -a honest ar &&
		f=$(find ar -name '*_R001_*.des' | head -n 1) && chmod u+w "$f" &&
		"$@" "$f" && found "$pattern"
}
old=$(find unreaped -name '*.des' | head -n 1)
t 'what took its place is not there' heir 'is not there' rm
t 'it is another shard' heir 'its root is not the one' cp "$old"
t 'it is none' heir footer truncate -s 100

# --- step by step ------------------------------------------------------------

stepwise()
{
	make_archive
	delete ar d/zebra-secret-name || return
	reap ar || return
	[ "$(state_of d/zebra-secret-name)" = verified ] &&
		[ "$(n_old)" = 1 ] || return
	"$DESFS" ls ar d | grep zebra && return 1
	key=waiting && [ "$(value)" = 1 ] || return
	# What another round says does not shorten it.
	[ "$(value --grace 0)" = 1 ] && [ "$(n_old)" = 1 ]
}
t 'inside its grace period an old revision stays' stepwise

in_danger()
{
	"$DESFS" erasures ar || return
	"$DESFS" erasures --margin 48h ar
	[ $? = 1 ]
}
t 'an erasure in danger of 48 hours is status 1' in_danger

grace_over()
{
	make_archive
	delete ar d/zebra-secret-name || return
	"$DESFS" repack --grace 1 ar || return
	wait_for 60 sh -c '! '"$DESFS"' reap --json --dry-run ar |
		grep -q "\"verdict\":\"grace\""' || return
	reap --grace 0 ar && says_nothing zebra
}
t 'when it is over the old revision goes' grace_over

# A packer has read the log, and waits for names when one of them is deleted.
beside_packer()
{
	make_archive
	mkfifo names
	"$DESFS_PACK" -q --files0-from names src ar 2>pack.err &
	exec 7>names
	wait_for 60 sh -c 'grep -q "^/pack$" ar/tmp/run-*' &&
		delete ar d/zebra-secret-name && reap --grace 0 ar || return
	# The bytes are gone, but it may bring them back.
	[ "$(state_of d/zebra-secret-name)" = purged ] &&
		[ -z "$(find ar -name '*.des' -exec grep -l zebra {} +)" ] &&
		touch src/d/zebra-secret-name || return
	printf '%s\0' d/zebra-secret-name >&7
	exec 7>&-
	wait $! || return
	[ "$(state_of d/zebra-secret-name)" = hidden ] || return
	"$DESFS" ls ar d | grep zebra && return 1
	reap --grace 0 ar && says_nothing zebra &&
		[ -z "$("$DESFS" erasures ar)" ]
}
t 'a packer at work keeps a deletion open, and no old revision' beside_packer

# --- refusals ----------------------------------------------------------------

prepare()
{
	make_archive
	delete ar d/zebra-secret-name || return
	"$DESFS" repack --grace 1 ar || return
	new=$(find ar -name '*_R001_*')
	wait_for 60 sh -c '! '"$DESFS"' reap --json --dry-run ar |
		grep -q "\"verdict\":\"grace\""' || return
	[ -f "$new" ]
}

unverified()
{
	prepare && chmod u+w "$new" && cp "$new" whole || return
	printf X | dd of="$new" bs=1 seek=200 conv=notrunc 2>/dev/null || return
	reap --grace 0 ar
	[ $? = 1 ] || return
	[ "$(n_old)" = 1 ] || return
	cp whole "$new"
	reap --grace 0 ar && says_nothing zebra
}
t 'what takes the place has to be whole first' unverified

unlisted()
{
	prepare || return
	f=$(grep -l '"kind":"repack"' ar/log/*.json)
	mv "$f" away
	# The list has the shards, and no record says that one is replaced.
	reap --grace 0 ar
	find ar -name '*.des' | sort >out && [ "$(wc -l <out)" -ge 2 ] || return
	: >"$f"
	reap --grace 0 ar && return 1
	find ar -name '*.des' | sort | diff - out || return
	rm -f "$f"
	mv away "$f"
}
t 'a list is no ground to remove anything' unlisted

held()
{
	prepare || return
	mkdir ar/holds
	echo "$1" >ar/holds/court
	reap --grace 0 ar || return
	[ "$(n_old)" = 1 ] || return
	"$DESFS" ls ar d | grep zebra && return 1
	"$DESFS" erasures ar >out && cat out && grep -q "by holds/court$2\$" out ||
		return
	rm ar/holds/court
	"$DESFS" reap --grace 0 -n ar | grep ' old ones would be removed ([1-9]' ||
		return
	reap --grace 0 ar && says_nothing zebra
}
hold='{"version":1,"kind":"hold","matter":"M 1","scope":'
t 'a hold of everything' held "$hold\"all\"}"
t 'a hold of the name' held "$hold\"uid\",\"uid\":\"d/zebra-secret-name\"}"
t 'a hold of a prefix' held "$hold\"prefix\",\"prefix\":\"d/zeb\"}"
t 'a hold of the day' held "$hold\"day\",\"day\":20261101}"
t 'a hold that nobody understands' held 'keep it' \
	', which is not understood and so holds everything'

held_before()
{
	make_archive
	mkdir ar/holds
	echo "$hold\"uid\",\"uid\":\"d/zebra-secret-name\"}" >ar/holds/court
	delete ar d/zebra-secret-name d/file-1 || return
	reap --grace 0 ar || return
	[ "$(state_of d/zebra-secret-name)" = held ] || return
	"$DESFS" verify ar | grep 'but for those that a hold keeps$' || return
	# The other one of the tombstone is done.
	[ -z "$(state_of d/file-1)" ] || return
	"$DESFS" erasures --margin 48h ar || return
	"$DESFS" ls ar d | grep -e zebra -e file-1 && return 1
	rm ar/holds/court
	reap --grace 0 ar && says_nothing zebra && "$DESFS" erasures verify ar
}
t 'what is held stays in its shard, the rest of the tombstone goes' held_before

# --- several at once ---------------------------------------------------------

together()
{
	make_archive
	delete ar d/zebra-secret-name d/e/yak-secret-alone || return
	for i in 1 2 3; do
		"$DESFS" reap --grace 0 ar >"out.$i" 2>&1 &
		eval "pid$i=$!"
	done
	status=0
	# shellcheck disable=SC2154
	for pid in "$pid1" "$pid2" "$pid3"; do
		wait "$pid" || status=$?
	done
	cat out.*
	[ $status -le 1 ] || return
	reap --grace 0 ar && says_nothing 'zebra|yak' &&
		"$DESFS" erasures verify ar && cmp all/d/file-3 src/d/file-3
}
t 'three rounds at once' together

killed()
{
	make_archive
	delete ar d/zebra-secret-name d/e/yak-secret-alone || return
	for ms in 0.005 0.01 0.02 0.03 0.05; do
		ASAN_OPTIONS=$no_leaks timeout -s KILL $ms \
			"$DESFS" reap --grace 0 ar >/dev/null 2>&1
	done
	reap --grace 0 ar
	reap --grace 0 ar && says_nothing 'zebra|yak' &&
		"$DESFS" erasures verify ar && cmp all/d/file-3 src/d/file-3
}
t 'rounds that are killed are completed' killed

# --- what else it does -------------------------------------------------------

published()
{
	make_archive
	"$DESFS" publish ar || return
	delete ar d/zebra-secret-name || return
	reap --grace 0 ar || return
	find ar/log -type f ! -name index.json | sed 's/.*\///' | sort >is
	jq -r '.names[]' ar/log/index.json | sort | diff - is
}
t 'the list for web servers is written again' published

counted()
{
	make_archive
	delete ar d/zebra-secret-name || return
	reap --stats-file run.prom ar || return
	grep -q '^des_reap_erasures{archive="ar",state="verified"} 1$' run.prom &&
		grep -q '^des_reap_success{archive="ar"} 1$' run.prom &&
		grep -q '^des_reap_waiting_shards{archive="ar"} 1$' run.prom ||
		return
	command -v promtool || return 0
	promtool check metrics <run.prom >promtool.out 2>&1
	cat promtool.out
	[ ! -s promtool.out ]
}
t 'metrics' counted

# A run that knew nothing of the deletion, as from a restored backup; and what
# is done before the next round.
came_back()
{
	make_archive
	[ -e secret ] || "$DESFS" tombstone key secret || return
	printf '[default]\nerasure_key = secret\n' >conf
	DESFS_CONF=conf
	export DESFS_CONF
	rm -rf early && cp -a ar early
	delete --reason gdpr ar d/zebra-secret-name || return
	reap --grace 0 ar && says_nothing zebra || return
	[ -n "$(find ar/tombstones -name 'suppressed-*')" ] || return
	echo 'zebra again' >src/d/zebra-secret-name
	"$DESFS_PACK" -q src ar && says_nothing zebra || return
	"$DESFS_PACK" -q src early || return
	rm -r early/20261101 && cp -a early/2* early/log ar/ || return
	"$DESFS" ls ar d | grep zebra && "$@" || return
	reap --grace 0 ar || return
	grep 'had come back' err || return
	# The records that were brought back have names, too.
	reap --grace 0 ar
	"$DESFS" ls ar d | grep zebra && return 1
	says_nothing zebra && "$DESFS" erasures verify ar || return
	reap --grace 0 ar && not grep 'had come back' err
}
t 'what came back is deleted again' came_back true

made_again()
{
	find ar -name '*.des' >before
	"$DESFS" repack --grace 0 --recompress none ar || return
	# None of those that the log said were added is left.
	find ar -name '*.des' | grep -xFf before && return 1
	"$DESFS" ls ar d | grep zebra
}
t 'and where its shard was made again, and is gone' came_back made_again

# What came back, put together with what is there by right, of that time.
by_right()
{
	make_archive
	rm -rf early && cp -a ar early
	delete ar d/zebra-secret-name d/file-1 || return
	reap --grace 0 ar || return
	rm src/d/file-1
	echo 'zebra again' >src/d/zebra-secret-name
	"$DESFS_PACK" -q --created-at 2026-11-02T10:00:00Z src early || return
	rm -r early/20261101 && cp -a early/2* early/log ar/ || return
	rm src/d/zebra-secret-name
	echo 'file 1 again' >src/d/file-1
	echo last >src/d/zzz
	"$DESFS_PACK" -q --allow-erased --created-at "$1" src ar || return
	"$DESFS" repack --grace 0 --merge-below 1m ar || return
	reap --grace 0 ar && "$DESFS" ls ar d | grep -x file-1
}
apart()
{
	by_right 2026-11-02T11:00:00Z && not grep 'may have come back' err &&
		not "$DESFS" ls ar d/zebra-secret-name
}
t 'in one shard with what may be there, which stays' apart
alike()
{
	by_right 2026-11-02T10:00:00Z && grep '2 versions .* may have' err &&
		"$DESFS" ls ar d/zebra-secret-name || return
	"$DESFS" tombstone add ar d/zebra-secret-name || return
	reap --grace 0 ar || return
	reap --grace 0 ar && not grep '2 versions .* may have' err
}
t 'of the same time nobody can tell, and it is said' alike
DESFS_CONF=

# Shards of a backup, copied over the archive.
backup_is_back()
{
	make_archive
	cp -a ar backup
	delete ar d/zebra-secret-name || return
	reap --grace 0 ar && says_nothing zebra || return
	cp -a backup/2* ar/ && ! says_nothing zebra || return
	reap --grace 0 ar && grep 'are removed again' err &&
		says_nothing zebra || return
	reap --grace 0 ar && not grep 'again' err && "$DESFS" erasures verify ar
}
t 'what was removed and is there again is removed again' backup_is_back

nothing_there()
{
	reap nowhere
	[ $? = 3 ] && [ ! -e nowhere ]
}
t 'no archive is made where there is none' nothing_there
