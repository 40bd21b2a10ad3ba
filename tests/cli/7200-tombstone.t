#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs tombstone asks for deletions: what is taken, what is told, what is
# written.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/fault.sh"
need 'needs jq' command -v jq

# Two versions of two names, hard links, equal files.
make_archive()
{
	rm -rf src ar
	mkdir -p src/d/e src/d-x src/other
	echo 1 >src/a
	cp src/a src/other/equal
	echo 2 >src/d/b
	ln src/d/b src/other/link
	echo 3 >src/d/e/c
	echo 4 >src/d-x/f
	: >src/empty
	: >src/other/empty
	"$DESFS_PACK" -q --created-at 2026-11-01T10:00:00.250000Z src ar
	echo new >src/a
	echo new >src/d/e/c
	"$DESFS_PACK" -q --created-at 2026-11-01T10:00:00.750000Z src ar
	echo newer >src/a
	"$DESFS_PACK" -q --created-at 2026-11-02T10:00:00Z src ar
	rm -rf before
	cp -a ar before
}

tombstone()
{
	word=$1
	shift
	"$DESFS" tombstone "$word" "$@"
}

# The status, and what it prints where.
run()
{
	want=$1
	shift
	"$@" >out 2>err
	is=$?
	cat out err
	[ $is = "$want" ]
}

# No uid but those of the documents: in keys, the log.
says_nothing_of()
{
	find ar | grep -F "$1" && return 1
	grep -rF "$1" ar/log && return 1
	return 0
}

untouched()
{
	diff -r ar before
}

# path and versions of each erasure, sorted.
erasures()
{
	"$DESFS" tombstone list -v --json ar |
		jq -r 'select(.kind == "erasure" and .withdrawn == false) |
			.path + " " + (.created_at // "all")' | sort
}

are()
{
	printf '%s\n' "$@" | sort >want
	erasures >is
	diff want is
}

# --- what is taken

make_archive
t 'names that are not there' run 3 tombstone add ar d/b nope d/no
t 'are all told' sh -c "grep -q 'nope: not in' err && grep -q 'd/no: not in' err"
t 'and nothing was done' untouched
t 'a dry run tells' run 0 tombstone add -nv ar a
t 'what it would do' grep -x 'would delete a' out
t 'and does nothing' untouched
t 'all versions of a name' run 0 tombstone add -v ar a
t 'are named' grep -x 'deleted a' out
t 'in one document' are 'a all'
t 'that is not named by it' says_nothing_of nope
t 'it is not listed any more' sh -c "! '$DESFS' ls ar | grep -x a"
t 'nor read' run 3 "$DESFS" cat ar a
t 'others are' run 0 "$DESFS" cat ar other/equal
name_is_in_documents_only()
{
	find ar | grep -x 'ar/a' && return 1
	grep -rl '"uid":"a"' ar | grep -v '^ar/tombstones/' && return 1
	grep -rlq '"uid":"a"' ar/tombstones
}
t 'and in the documents alone' name_is_in_documents_only
t 'once more' run 0 tombstone add ar a
t 'is told and is none more' sh -c \
	"grep -q 'a: was deleted before' err && grep -q 'deleted 0 names, 1' out"
t 'with what is not deleted yet' run 0 tombstone add ar a d/b
t 'that is' are 'a all' 'd/b all'

make_archive
t 'a version of its time' run 0 tombstone add \
	--created-at 2026-11-01T10:00:00.250000Z ar a
t 'is the only one' are 'a 2026-11-01T10:00:00.250000Z'
t 'the newest is there still' sh -c "'$DESFS' cat ar a | grep -x newer"
t 'a whole second' run 0 tombstone add --created-at 2026-11-01T10:00:00Z ar a
t 'takes all in it' are 'a 2026-11-01T10:00:00.250000Z' \
	'a 2026-11-01T10:00:00.750000Z'
t 'a second beside is an error' run 3 tombstone add \
	--created-at 2026-11-02T10:00:01Z ar a
t 'that tells the versions there are' grep 'a: created at 2026-11-02T10:00:00.000000Z' err
deleted_is_not_told()
{
	! grep '2026-11-01' err
}
t 'but none that is deleted' deleted_is_not_told
t 'another zone' run 0 tombstone add --created-at 2026-11-02T11:00:00+01:00 ar a
t 'is the same time' are 'a 2026-11-01T10:00:00.250000Z' \
	'a 2026-11-01T10:00:00.750000Z' 'a 2026-11-02T10:00:00.000000Z'
t 'no time' run 2 tombstone add --created-at yesterday ar a
t '--force records what is not there' run 0 tombstone add --force \
	--created-at 2027-01-01T00:00:00Z ar a nope
t 'as it is said' sh -c "'$DESFS' tombstone show ar nope | grep 'created_at 2027-01-01T00:00:00.000000Z nope'"
t 'or all of it' run 0 tombstone add --force ar nothing
t 'until now' sh -c "'$DESFS' tombstone show ar nothing | grep ' until 20'"

# --- directories

make_archive
t 'a directory with names below' run 2 tombstone add ar d
t 'is told' grep 'd: a directory with names below' err
t 'and stays' untouched
t '--recursive' run 0 tombstone add -rv ar d
t 'takes all below, and no neighbour' are 'd all' 'd/b all' 'd/e all' 'd/e/c all'
make_archive
echo x >src/d/late
"$DESFS_PACK" -q src ar
rm -r src/d
"$DESFS_PACK" -q --mirror src ar
t 'what a mirror hides' not "$DESFS" ls ar d
t 'goes as well' run 0 tombstone add -r ar d
t 'with all it ever had' are 'd all' 'd/b all' 'd/e all' 'd/e/c all' 'd/late all'
make_archive
t 'a version of a directory with a time' run 0 tombstone add -r \
	--created-at 2026-11-01T10:00:00.750000Z ar d
t 'takes the same of what is below' are 'd/e/c 2026-11-01T10:00:00.750000Z'

# --- what stays

make_archive
t 'copies' run 0 tombstone add ar a d/b
t 'a hard link stays' grep -E '^stays: other/link .*hard link' out
empty_is_no_copy()
{
	! grep empty out
}
t 'equal bytes stay' grep -E '^stays: other/equal .*bytes' out
make_archive
t 'a file without bytes' run 0 tombstone add ar empty
t 'is equal to nothing' empty_is_no_copy
make_archive
t 'copies that go too' run 0 tombstone add ar a other/equal d/b other/link
t 'do not stay' not grep stays: out
make_archive
t '--no-copies' run 0 tombstone add --no-copies ar a
t 'does not look' not grep stays: out

# --- lists

make_archive
printf 'a\t2026-11-01T10:00:00.250000Z\nd/b\n\nd-x/f' >list
t 'names from a file' run 0 tombstone add --from list ar
t 'with their times' are 'a 2026-11-01T10:00:00.250000Z' 'd/b all' 'd-x/f all'
t 'the same again' run 0 tombstone add --from list ar
t 'is nothing' grep 'deleted 0 names, 3' out
make_archive
printf 'a\t2026-11-01T10:00:00.250000Z\r\nd/b\r\n\r\nd-x/f\r\n' >list
t 'names from a list with carriage returns' run 0 tombstone add --from list ar
t 'are without them' are 'a 2026-11-01T10:00:00.250000Z' 'd/b all' 'd-x/f all'
make_archive
printf 'a\td/b\n' >list
t 'no time after a tab' run 2 tombstone add --from list ar
t 'is told with its line' grep 'list:1: after the last tab' err
t 'and not with the name' not grep 'd/b' err
t 'a line without a name' sh -c "printf '\t2026-11-01T10:00:00Z\n' >list; ! '$DESFS' tombstone add --from list ar"
from_stdin()
{
	printf 'a\0d/b\0' | "$DESFS" tombstone add --from - -0 --recursive ar
}
t 'names with NUL from standard input' from_stdin
t 'are all' are 'a all' 'd/b all'
tab=$(printf 'x\ty')
echo tab >"src/$tab"
"$DESFS_PACK" -q src ar
t 'a name with a tab is an argument' run 0 tombstone add ar "$tab"
t 'no name is told by its number' run 2 tombstone add ar a ''
t 'which is it' grep '^desfs: name 2: has no name' err
t 'no such list' run 3 tombstone add --from nope ar
t 'neither names nor list' run 2 tombstone add ar

# --- words

make_archive
t 'why, who, and what for' run 0 tombstone add --reason gdpr --by 'A. Officer' \
	--ticket GDPR-17 ar a
words_are_kept()
{
	"$DESFS" tombstone list --json ar | tee /dev/stderr |
		jq -e '.reason == "gdpr" and .by == "A. Officer" and
			.ticket == "GDPR-17" and .state == "open" and .count == 1'
}
t 'are kept' words_are_kept
t 'and shown' sh -c "'$DESFS' tombstone list ar | grep 'open .* 1 gdpr .*A. Officer GDPR-17'"
t 'another reason is none' run 2 tombstone add --reason fun ar a
t 'a word with a newline' run 2 tombstone add --by 'x
y' ar d/b

# --- looking, taking back

make_archive
tombstone add ar a d/b >/dev/null
id=$("$DESFS" tombstone list --json ar | jq -r .id)
eid=$("$DESFS" tombstone show --json ar d/b | jq -r 'select(.kind == "erasure").id')
t 'by its id' sh -c "'$DESFS' tombstone show ar $id | grep -c until | grep -x 2"
t 'by that of an erasure' sh -c "'$DESFS' tombstone show ar $eid | grep 'd/b$'"
t 'what nobody asked for' run 3 tombstone show ar other/link
t 'some of both' run 1 tombstone show ar other/link a
t 'taking back what is not there' run 3 tombstone remove ar a other/link
t 'takes back nothing' are 'a all' 'd/b all'
t 'a dry run of it' run 0 tombstone remove -nv ar a
t 'tells' grep -x 'would take back a' out
t 'and does nothing' are 'a all' 'd/b all'
t 'one' run 0 tombstone remove ar "$eid"
t 'is not deleted any more' are 'a all'
t 'and can be read' sh -c "'$DESFS' cat ar d/b | grep -x 2"
t 'again' run 0 tombstone remove ar d/b
t 'is as good' grep 'taken back 0 names, 1 were' out
t 'it may be asked for again' run 0 tombstone add ar d/b
t 'and is deleted' are 'a all' 'd/b all'
t 'a whole tombstone' run 0 tombstone remove ar "$id"
t 'has but what it had' are 'd/b all'
t 'its state is told' sh -c "'$DESFS' tombstone list ar | grep '$id .*withdrawn'"

# Who repacks now may have read the log before.
is_alive()
{
	"$BUILDDIR/tests/lib/store-do" ar alive | grep -x 1
}
if [ -x "$BUILDDIR/tests/lib/store-do" ]; then
	"$BUILDDIR/tests/lib/store-do" ar run 600 >/dev/null &
	alive=$!
	t 'somebody writes' wait_for 60 is_alive
	t 'nothing is taken back meanwhile' run 8 tombstone remove ar d/b
	t 'a dry run tells what would be' run 0 tombstone remove -n ar d/b
	t 'it may be forced' run 1 tombstone remove --force ar d/b
	t 'which tells what may come of it' grep 'taken back, but a run' err
	t 'and is done' sh -c "'$DESFS' cat ar d/b | grep -x 2"
	t 'to delete needs no peace' run 0 tombstone add ar d/b
	kill $alive
	wait $alive 2>/dev/null
	t 'then it can be' run 0 tombstone remove ar d/b
	tombstone add ar d/b >/dev/null
fi

# One that is forced while a repack has just looked.
make_archive
tombstone add ar d/b >/dev/null
cat >force <<END
cd '$tmp' && '$DESFS' tombstone remove --force ar d/b 2>force.err
echo \$? >force.rc
END
overtaken()
{
	ls ar/2*/*.des >before.ls
	with_faults "rename */ar/log/*.json nth=1 run=sh '$tmp/force'" \
		"$DESFS" reap --grace 0 ar >out 2>err
	is=$?
	cat out err force.err
	fault_used && [ $is != 0 ] && grep 'nothing is removed in this' err
}
t 'a deletion is taken back while a repack commits' overtaken
t 'who took it back is told' sh -c '! grep -x 0 force.rc && grep "taken back, but a run" force.err'
still_there()
{
	ls ar/2*/*.des >after.ls && [ -s before.ls ] &&
		! comm -23 before.ls after.ls | grep .
}
t 'and nothing is removed' still_there

# --- a clean-up that takes a live run for dead

make_archive
lost_document()
{
	with_faults "rename */ar/log/*.json nth=1 run=rm '$tmp'/ar/tombstones/*/*" \
		"$DESFS" tombstone add ar d/b && fault_used
}
t 'a document is removed while it is to count' lost_document
t 'it is written again' are 'd/b all'
lost_shard()
{
	ls ar/2*/*.des >before.ls
	cat >lose <<-END
	cd '$tmp' && ls ar/2*/*.des | comm -13 before.ls - | xargs -r rm
	END
	with_faults "$1 run=sh '$tmp/lose'" "$DESFS" reap --grace 0 ar >out 2>err
	is=$?
	cat out err
	fault_used && [ $is != 0 ] && grep 'gone when it was to count' err
}
for rule in 'rename */ar/log/*.json nth=1' 'readdir */ar/log'; do
	t "a new revision is removed: $rule" lost_shard "$rule"
	t 'nothing counts of it' are 'd/b all'
	t 'and nothing else is lost' sh -c "'$DESFS' cat ar a | grep -x newer"
	t 'the archive is sound' "$DESFS" verify --deep ar
done
t 'the next round makes it' "$DESFS" reap --grace 0 ar
t 'and all is there' sh -c "'$DESFS' cat ar a | grep -x newer && '$DESFS' verify --deep ar"

# --- damage

make_archive
shard_of()
{
	find ar -name "*$("$DESFS" stat --json ar "$1" | jq -r .shard | sed 's|.*/||')"
}
bad=$(shard_of d/b)
chmod u+w "$bad"
size=$(stat -c %s "$bad")
dd if=/dev/zero of="$bad" bs=1 seek=$((size / 2)) count=$((size / 2)) conv=notrunc 2>/dev/null
t 'a name in a damaged shard' run 6 tombstone add ar d/b
t 'is not deleted' sh -c "'$DESFS' tombstone list ar | wc -l | grep -x 0"
t 'unless it is forced' run 0 tombstone add --force ar d/b
t 'then it is' are 'd/b all'
t 'others can be deleted' run 0 tombstone add ar other/link
t 'though nobody knows what stays' grep '1 shards are damaged' err

# --- aggregates

make_archive
tombstone add ar a >/dev/null
t 'one tombstone needs no aggregate' run 0 tombstone aggregate ar
t 'and has none' grep '^0 tombstones in 0 aggregates, 0 written' out
tombstone add ar d/b >/dev/null
tombstone add -r ar other >/dev/null
t 'several have one or, when the hour ends, two' run 0 tombstone aggregate --json ar
aggregates_hold_documents()
{
	find ar/tombstones -name '??.json' >aggregates
	find ar/tombstones -name '*.json' ! -name '??.json' >documents
	while read -r f; do
		text=$(tr -d '\n' <"$f")
		xargs cat <aggregates | grep -qF "$text" || echo "$f"
	done <documents >missing
	[ -s aggregates ] && [ "$(wc -l <missing)" -le 1 ]
}
t 'that has them byte by byte' aggregates_hold_documents
t 'again' run 0 tombstone aggregate --json ar
t 'writes nothing' jq -e '.written == 0 and .aggregates >= 1' out
t 'another day has none' run 0 tombstone aggregate --day 2020-01-01 --json ar
t 'so there is nothing to do' jq -e '.aggregates == 0' out
t 'no day' run 2 tombstone aggregate --day soon ar
t 'readers obey' not "$DESFS" cat ar d/b
find ar/tombstones -name '??.json' -exec sed -i 's/until/untel/g' {} +
t 'an aggregate that is wrong counts for nothing' not "$DESFS" cat ar d/b
t 'and costs nothing' run 0 "$DESFS" cat ar d-x/f
t 'and is written anew' sh -c "'$DESFS' tombstone aggregate --json ar | jq -e '.written >= 1'"

# --- refusals

t 'no archive' run 3 tombstone add nowhere a
t 'makes none' test ! -e nowhere
t 'an empty name' run 2 tombstone add ar ''
t 'a word that is none' run 2 tombstone ad ar a
t 'list takes no names' run 2 tombstone list ar a
t 'list takes no options of add' run 2 tombstone list --force ar
t 'a web server' run 2 tombstone add http://localhost:1/ a
damaged_document()
{
	f=$(find ar/tombstones -name '*.json' ! -name '??.json' | head -n 1)
	cp "$f" kept
	sed 's/"reason":"user"/"reason":"gdpr"/' kept >"$f"
	run 6 tombstone list ar && grep 'SHA-256' err && rm "$f" &&
		run 6 tombstone list ar && cp kept "$f"
}
t 'a document that is another is an error' damaged_document

# --- a key

t 'a key' run 0 tombstone key keyfile
t 'is for its owner alone' sh -c "stat -c %a keyfile | grep -x 600"
t 'and is not made twice' run 8 tombstone key keyfile
