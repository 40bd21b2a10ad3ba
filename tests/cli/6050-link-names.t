#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A name of a hard link is in no shard but its own, so that it can be erased there.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need 'needs python3-zstandard and python3-lz4' \
	/usr/bin/python3 -c 'import lz4.frame, zstandard'

# The smallest name of each file is one that is found nowhere else.
for d in aaa b c d/e f g h zz; do
	mkdir -p src/$d
	for i in 1 2 3; do
		seq "$i" 500 >"src/$d/other-$i"
	done
done
seq 3 700 >src/aaa/patient-4711
ln -s nowhere src/aaa/quidam-0815
for d in b c d/e f g h zz; do
	ln src/aaa/patient-4711 src/$d/number-1
	ln src/aaa/quidam-0815 src/$d/number-2
done

field()
{
	"$DESFS" stat "$1" "$3" | sed -n "s/^$2: //p"
}
# All slots of the names are there, and only one of them has the smallest.
only_its_own()
{
	field ar shard "$1" >own &&
		/usr/bin/python3 -B "$SRCDIR/tests/lib/find-bytes.py" ar \
			"${1##*/}" >found &&
		diff own found
}
many_slots()
{
	for d in aaa b c d/e f g h zz; do
		field ar slot $d/other-1
	done | sort -u >slots
	[ "$(wc -l <slots)" -ge 4 ]
}
# group ARCHIVE UID: as des-shard(5) has it.
group()
{
	/usr/bin/python3 - "$1" "$2" <<-'END'
		import hashlib, json, os, sys
		id = json.load(open(sys.argv[1] + "/desfs.json"))["archive_id"]
		text = bytes.fromhex(id) + os.fsencode(sys.argv[2])
		print(hashlib.sha256(text).hexdigest()[:32])
	END
}
# in_group SMALLEST UID...
in_group()
{
	group ar "$1" >want || return
	shift
	for uid; do
		field ar link_group "$uid" >have
		diff want have || return
	done
}
shards()
{
	find "$1" -name '*.des' | sort
}

for codec in none zstd; do
	rm -rf ar
	t "packed with $codec" "$DESFS_PACK" -q --codec $codec src ar
	t 'the independent reader finds nothing wrong' reader_agrees ar
	t 'the names lie in several slots' many_slots
	t "a file's smallest name is only where it is a name" \
		only_its_own aaa/patient-4711
	t "a symbolic link's too" only_its_own aaa/quidam-0815
	t 'its names have their group' in_group aaa/patient-4711 \
		aaa/patient-4711 b/number-1 d/e/number-1 zz/number-1
	t 'and others theirs' in_group aaa/quidam-0815 \
		aaa/quidam-0815 b/number-2 zz/number-2
done

no_more()
{
	shards ar >before && "$DESFS_PACK" -q src ar && shards ar >after &&
		diff before after
}
t 'what did not change is not packed again' no_more

come_out()
{
	rm -rf out
	"$DESFS" extract ar out && same_by_rsync src out &&
		[ "$(stat -c %h out/zz/number-1 out/zz/number-2 | uniq)" = 8 ] &&
		[ "$(stat -c %i out/zz/number-1 out/aaa/patient-4711 |
			uniq | wc -l)" = 1 ]
}
t 'the links are made again' come_out

another()
{
	"$DESFS_PACK" -q --created-at 2001-02-03 src br &&
		field ar link_group b/number-1 >a && [ -s a ] &&
		field br link_group b/number-1 >b && [ -s b ] && not cmp -s a b
}
t 'an archive of another id has other groups' another

smaller()
{
	mkdir src/a && ln src/aaa/patient-4711 src/a/persona-99 &&
		"$DESFS_PACK" -q src ar &&
		in_group a/persona-99 a/persona-99 aaa/patient-4711 b/number-1
}
t 'a smaller name makes another group' smaller
t 'and is not in it' only_its_own a/persona-99
t 'the independent reader finds nothing wrong' reader_agrees ar
