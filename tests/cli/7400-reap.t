#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs reap carries deletions out, from the tombstone to the receipt, and
# removes nothing before its time.
. "${0%/*}/../lib/tap.sh"
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

forged()
{
	f=$(grep -l '"kind":"purged"' ar/log/*.json | head -n 1)
	cp "$f" kept && rm -f "$f"
	"$DESFS" erasures verify ar
	is=$?
	cp kept "$f"
	[ $is != 0 ] && [ $is -lt 100 ]
}
t 'a record that is missing is found' forged

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
	rm ar/holds/court
	reap --grace 0 ar && says_nothing zebra
}
hold='{"version":1,"kind":"hold","matter":"M 1","scope":'
t 'a hold of everything' held "$hold\"all\"}"
t 'a hold of the name' held "$hold\"uid\",\"uid\":\"d/zebra-secret-name\"}"
t 'a hold of a prefix' held "$hold\"prefix\",\"prefix\":\"d/zeb\"}"
t 'a hold of the day' held "$hold\"day\",\"day\":20261101}"
t 'a hold that nobody understands' held 'keep it'

held_before()
{
	make_archive
	mkdir ar/holds
	echo "$hold\"uid\",\"uid\":\"d/zebra-secret-name\"}" >ar/holds/court
	delete ar d/zebra-secret-name d/file-1 || return
	reap --grace 0 ar || return
	[ "$(state_of d/zebra-secret-name)" = held ] || return
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
		timeout -s KILL $ms "$DESFS" reap --grace 0 ar >/dev/null 2>&1
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

# A run that knew nothing of the deletion, as from a restored backup.
came_back()
{
	make_archive
	"$DESFS" tombstone key secret || return
	printf '[default]\nerasure_key = secret\n' >conf
	DESFS_CONF=conf
	export DESFS_CONF
	cp -a ar early
	delete --reason gdpr ar d/zebra-secret-name || return
	reap --grace 0 ar && says_nothing zebra || return
	[ -n "$(find ar/tombstones -name 'suppressed-*')" ] || return
	echo 'zebra again' >src/d/zebra-secret-name
	"$DESFS_PACK" -q src ar && says_nothing zebra || return
	"$DESFS_PACK" -q src early || return
	rm -r early/20261101 && cp -a early/2* early/log ar/ || return
	"$DESFS" ls ar d | grep zebra || return
	reap --grace 0 ar || return
	grep 'had come back' err || return
	# The records that were brought back have names, too.
	reap --grace 0 ar
	"$DESFS" ls ar d | grep zebra && return 1
	says_nothing zebra && "$DESFS" erasures verify ar || return
	reap --grace 0 ar && not grep 'had come back' err
}
t 'what came back is deleted again' came_back
DESFS_CONF=

nothing_there()
{
	reap nowhere
	[ $? = 3 ] && [ ! -e nowhere ]
}
t 'no archive is made where there is none' nothing_there
