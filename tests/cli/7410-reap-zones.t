#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs reap takes what is deleted out of every zone, or removes nothing.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/fault.sh"

cat >zones <<END
[zones]
n_bits = 4
[store east]
url = $tmp/east
[store west]
url = $tmp/west
[store mirror]
url = $tmp/mirror
[zone lower]
slots = 0-7
stores = east, mirror
[zone upper]
slots = 8-15
stores = west, mirror
END
ar=zone://$tmp/zones

make_archive()
{
	rm -rf src east west mirror
	mkdir -p src/a src/b src/c east west mirror
	for d in a b c; do
		echo "secret-zebra in $d" >src/$d/zebra-name
		echo "stays in $d" >src/$d/stays
	done
	"$DESFS_PACK" -q --created-at 2026-11-01T10:00:00Z src "$ar"
}

delete()
{
	"$DESFS" tombstone add --no-copies "$ar" a/zebra-name b/zebra-name \
		c/zebra-name
}

says_nothing()
{
	grep -rl zebra east west mirror && return 1
	rm -rf all && "$DESFS" extract "$ar" all || return
	find all | grep zebra && return 1
	"$DESFS" verify --deep "$ar" && "$DESFS" erasures verify "$ar" || return
	# What is not of a zone is the same everywhere.
	for w in log salts desfs.json; do
		diff -r east/$w west/$w && diff -r east/$w mirror/$w || return
	done
}

all_at_once()
{
	make_archive && delete || return
	"$DESFS" reap --grace 0 "$ar" && says_nothing
}
t 'one round takes it out of all zones' all_at_once

# New revisions are there, old ones could go.
prepare()
{
	make_archive && delete && "$DESFS" repack --grace 1 "$ar" || return
	wait_for 60 sh -c "! $DESFS reap --json --dry-run $ar |
		grep -q '\"verdict\":\"grace\"'" || return
	find . -name '*.des' ! -name '*_R*' | sort >old
}

# Of what still waits nothing is gone.
old_is_there()
{
	find . -name '*.des' ! -name '*_R*' | sort | diff old -
}

damaged_here()
{
	prepare || return
	for f in mirror/2*/*_R001_*; do
		cp "$f" "$f.whole" && chmod u+w "$f" &&
			printf X | dd of="$f" bs=1 seek=200 conv=notrunc || return
	done
	"$DESFS" reap --grace 0 "$ar"
	[ $? = 1 ] && old_is_there || return
	for f in mirror/2*/*_R001_*.des; do
		mv -f "$f.whole" "$f" || return
	done
	"$DESFS" reap --grace 0 "$ar" && says_nothing
}
t 'a new revision that is damaged in one zone keeps the old one in all' \
	damaged_here

missing_here()
{
	prepare || return
	mkdir away
	for f in west/2*/*_R001_*.des; do
		mv "$f" away || return
	done
	"$DESFS" reap --grace 0 "$ar"
	[ $? = 1 ] || return
	for f in $(cd west && find . -name '*.des' ! -name '*_R*'); do
		grep -F "west/${f#./}" old && [ -f "mirror/$f" ] || return
	done
	find west -name '*.des' ! -name '*_R*' | grep . || return
	for f in away/*; do
		mv "$f" west/20261101/ || return
	done
	"$DESFS" reap --grace 0 "$ar" && says_nothing
}
t 'one that is missing in one zone, too' missing_here

# Just when the record is written a clean-up takes what one mirror has.
taken_here()
{
	make_archive && delete || return
	with_faults 'change */east/log/* nth=1 run=rm -f mirror/*/*_R001_*' \
		"$DESFS" repack --grace 0 "$ar"
	is=$?
	[ -s "$tmp/faults.used" ] && [ $is != 0 ] && [ $is -lt 100 ] || return
	for f in east west mirror; do
		[ "$(find $f -name '*.des' ! -name '*_R*' | wc -l)" -ge 1 ] ||
			return
	done
	"$DESFS" reap --grace 0 "$ar"
	"$DESFS" reap --grace 0 "$ar" && says_nothing
}
t 'one that is lost in one zone just when it is to count, too' taken_here

unreachable()
{
	prepare || return
	mv mirror gone
	"$DESFS" reap --grace 0 "$ar" && return 1
	mv gone mirror
	old_is_there || return
	"$DESFS" reap --grace 0 "$ar" && says_nothing
}
t 'a zone that cannot be reached keeps all' unreachable

record_missing()
{
	prepare || return
	f=$(grep -l '"kind":"repack"' mirror/log/*.json | head -n 1)
	mv "$f" record
	"$DESFS" reap --grace 0 "$ar"
	find . -name '*.des' ! -name '*_R*' | grep . || return
	mv record "$f"
	"$DESFS" reap --grace 0 "$ar" && says_nothing
}
t 'so does a record that one zone has not' record_missing

# Each mirror alone looks like a whole archive.
one_alone()
{
	prepare || return
	cat >alone <<-END
		[zones]
		n_bits = 4
		[store mirror]
		url = $tmp/mirror
		[zone all]
		slots = 0-15
		stores = mirror
	END
	for f in mirror east "zone://$tmp/alone"; do
		"$DESFS" reap --grace 0 "$f" && return 1
		"$DESFS" repack --grace 0 --recompress none "$f"
		old_is_there || return
		grep -rl '"kind":"erased"' mirror/log east/log && return 1
	done
	"$DESFS" reap --grace 0 "$ar" && says_nothing
}
t 'one store of zones is not taken for all' one_alone

# Two of three have all slots, and look like a whole archive.
some_alone()
{
	prepare || return
	cat >some <<-END
		[zones]
		n_bits = 4
		[store east]
		url = $tmp/east
		[store mirror]
		url = $tmp/mirror
		[zone lower]
		slots = 0-7
		stores = east, mirror
		[zone upper]
		slots = 8-15
		stores = mirror
	END
	"$DESFS_PACK" -q src "zone://$tmp/some" || return
	for cmd in 'reap' 'repack --recompress none'; do
		# shellcheck disable=SC2086 # words
		"$DESFS" $cmd --grace 0 "zone://$tmp/some" 2>err && return 1
		cat err
		grep 'these are 2 of 3 stores' err || return
	done
	find . -name '*.des' ! -name '*_R*' | sort | diff old - | grep '^<' &&
		return 1
	grep -rl '"kind":"erased"' mirror/log east/log && return 1
	# The third one is no more.
	rm -r west east/reap/zones mirror/reap/zones
	"$DESFS" reap --grace 0 "zone://$tmp/some" || return
	grep -rl zebra east mirror && return 1
	[ "$(cat east/reap/zones mirror/reap/zones)" = '{"stores":2}
{"stores":2}' ] && "$DESFS" verify "zone://$tmp/some"
}
t 'nor are some of them' some_alone

# An older program has not said how many they are, or there is one more.
more_of_them()
{
	make_archive || return
	for f in '{}' '{"stores":2}' 'x'; do
		for s in east west mirror; do
			rm -f $s/reap/zones && echo "$f" >$s/reap/zones || return
		done
		"$DESFS" reap "$ar" || return
		for s in east west mirror; do
			grep -qFx '{"stores":3}' $s/reap/zones || return
		done
	done
}
t 'a run writes down how many they are' more_of_them

# writes_between CALL NOW THEN: before that call another run, which knows of
# fewer stores, has written THEN where NOW was, or nothing.
writes_between()
{
	rm -f east/reap/zones
	[ ! "$2" ] || echo "$2" >east/reap/zones || return
	echo "$3" >fewer
	with_faults "$1 nth=1 run=cp $tmp/fewer $tmp/east/reap/zones" \
		"$DESFS" reap "$ar" && fault_used || return
	cat east/reap/zones && grep -qFx '{"stores":3}' east/reap/zones
}
together()
{
	make_archive || return
	writes_between 'change */east/reap/zones' '' '{"stores":2}' &&
		writes_between 'change */east/reap/zones' '' '{}' &&
		writes_between 'fsync */east/reap' '{}' '{"stores":2}'
}
t 'also when another that knows of fewer does so at once' together

# "number of erasures open"
open_now()
{
	"$DESFS" reap --json --grace 0 "$ar" 2>err | tee out | grep -o '"open":[0-9]*'
	cat err >&2
}

# A shard that has what is deleted is in a place where it does not belong, as
# when zones were changed; or in one place, under a name that no record has.
left_in()
{
	cp "east/$has" copy && delete || return
	mkdir -p "${1%/*}" && cp copy "$1" || return
	[ "$(open_now)" = '"open":3' ] && grep 'keep deletions open' err &&
		[ -e "$1" ] || return
	rm "$1"
	[ "$(open_now)" = '"open":0' ] && says_nothing
}
one_with_it()
{
	make_archive || return
	has=$(cd east && grep -rl zebra 2* | head -n 1)
}
misplaced()
{
	one_with_it && left_in "west/$has"
}
t 'a copy in a store of another zone keeps it open' misplaced
unnamed()
{
	one_with_it && left_in "mirror/${has%_*}_0000000000000000.des"
}
t 'so does one in one store that no record names' unnamed

back_in_one()
{
	make_archive || return
	cp -a mirror backup && delete && "$DESFS" reap --grace 0 "$ar" || return
	cp -a backup/2* mirror/ && rm -rf backup &&
		"$DESFS" reap --grace 0 "$ar" 2>err && grep 'again' err &&
		says_nothing
}
t 'what is back in one store is removed again' back_in_one

# All is purged, but that is not believed of a store that is away.
not_read()
{
	prepare && "$DESFS" reap --grace 1h "$ar" || return
	mv mirror gone
	"$DESFS" reap --grace 0 "$ar" && return 1
	mv gone mirror
	grep -rl '"done":\["' east/log west/log && return 1
	"$DESFS" reap --grace 0 "$ar" && grep -rq '"done":\["' east/log &&
		says_nothing
}
t 'nothing is done while one store could not be read' not_read

# A round has died between two stores, after the first one got its salts.
salts_in_one()
{
	make_archive && delete || return
	mkdir -p west/salts
	for id in suppression $(grep -o '"id":"[0-9a-f]*"' \
		west/tombstones/2*/*.json | cut -d '"' -f 4); do
		head -c 32 /dev/urandom >west/salts/"$id" || return
	done
	cp -a west/salts before && "$DESFS" reap --grace 0 "$ar" &&
		diff -r before west/salts && diff -r before east/salts &&
		says_nothing
}
t 'salts that one store alone has are given to the others' salts_in_one

# A store that says there is no such thing is not an archive without a key.
key_not_completed()
{
	make_archive && delete && "$DESFS" reap --grace 0 "$ar" &&
		rm -r mirror/salts || return
	with_faults 'change */mirror/salts* nth=1 errno=ENOENT' \
		"$DESFS" reap --grace 0 "$ar" 2>err
	is=$?
	cat err && fault_used && [ $is = 3 ] && grep 'store mirror' err || return
	"$DESFS" reap --grace 0 "$ar" &&
		cmp east/salts/suppression mirror/salts/suppression
}
t 'a key that cannot be given to all stores ends the round' key_not_completed

# With what desfs-zones(5) says of that.
add_mirror()
{
	make_archive && delete && "$DESFS" reap --grace 0 "$ar" &&
		"$DESFS" tombstone add --no-copies "$ar" a/stays || return
	sed 's/^stores = west.*/&, extra/' zones >added
	printf '[store extra]\nurl = %s\n' "$tmp/extra" >>added
	rm -rf extra && mkdir extra && cp -a west/2* extra || return
	"$DESFS" reap "zone://$tmp/added"
	"$DESFS" verify "zone://$tmp/added" && return 1
	cp -a west/tombstones west/salts west/reap extra &&
		"$DESFS" reap "zone://$tmp/added" &&
		"$DESFS" verify --deep "zone://$tmp/added"
}
t 'a mirror needs what is no shard, too' add_mirror
