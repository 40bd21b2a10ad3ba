#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is deleted and gone for good stays away: the list of it, and its keys.
# And what can be taken back, and when it is too late.
. "${0%/*}/../lib/tap.sh"
need 'needs jq' command -v jq

make_archive()
{
	rm -rf src ar
	mkdir -p src/d src/other
	echo 1 >src/a
	echo 2 >src/d/secret
	echo 3 >src/other/c
	"$DESFS_PACK" -q src ar
}

packs()
{
	want=$1
	shift
	"$DESFS_PACK" --json "$@" src ar >out 2>err
	is=$?
	cat out err
	[ $is = 0 ] && jq -e "$want" out
}

status_of()
{
	want=$1
	shift
	"$@" >out 2>err
	is=$?
	cat out err
	[ $is = "$want" ]
}

# --- the list

make_archive
"$DESFS" tombstone key first >/dev/null && "$DESFS" tombstone key second >/dev/null
echo '[default]' >conf
echo 'erasure_key = first' >>conf
export DESFS_CONF="$tmp/conf"
t 'a file and a tree' sh -c "'$DESFS' tombstone add -r ar a d"
t 'are gone from everywhere' "$DESFS" reap --grace 0 ar
t 'their tombstone is done' sh -c "'$DESFS' tombstone list ar | grep ' done '"
t 'and has no name any more' not grep -r secret ar
done_is_done()
{
	id=$("$DESFS" tombstone list --json ar | jq -r .id)
	status_of 9 "$DESFS" tombstone remove ar "$id" && grep 'too late' err
}
t 'nor can it be taken back' done_is_done
t 'they are not packed again' packs '.erased == 3 and .packed == 0'
t 'nor by a mirror' packs '.erased == 3 and .removed == 0' --mirror
cat first second >both
chmod 600 both
echo '[default]' >conf
echo 'erasure_key = both' >>conf
t 'with more keys' packs '.erased == 3'
cat second first >both
t 'in any order' packs '.erased == 3'
echo new >src/d/new
t 'what is new in a directory brings that back' packs '.erased == 2 and .packed == 2'
t 'alone' sh -c "'$DESFS' ls ar d | grep -x new && ! '$DESFS' ls ar d | grep secret"

# --- its keys

export DESFS_CONF=
t 'without a key nothing is packed' status_of 10 "$DESFS_PACK" src ar
t 'which says what is missing' grep erasure_key err
t 'nor in a dry run' status_of 10 "$DESFS_PACK" -n src ar
echo '[default]' >conf
echo 'erasure_key = second' >>conf
export DESFS_CONF="$tmp/conf"
t 'nor with another one' status_of 10 "$DESFS_PACK" src ar
chmod 644 second
t 'nor with one that others may read' status_of 10 "$DESFS_PACK" src ar
t 'which says so' grep 'chmod 600' err
export DESFS_CONF=
t 'unless that is allowed' packs '.erased == 0 and .packed == 2' --allow-erased
t 'then they are back' sh -c "'$DESFS' cat ar d/secret | grep -x 2"
t 'readers need no key' sh -c "'$DESFS' cat ar other/c | grep -x 3"

# --- too late

make_archive
"$DESFS" tombstone add ar a d/secret >/dev/null
t 'until a repack' "$DESFS" tombstone remove ar a
t 'a deletion can be taken back' sh -c "'$DESFS' cat ar a | grep -x 1"
t 'a repack' "$DESFS" repack --grace 1h ar
t 'is too late' status_of 9 "$DESFS" tombstone remove ar d/secret
t 'and says why' grep 'it is too late: .*des' err
t 'what it did not touch' "$DESFS" tombstone add ar other/c
t 'can still be taken back' "$DESFS" tombstone remove ar other/c
t 'and is there' sh -c "'$DESFS' cat ar other/c | grep -x 3"
t 'what was taken back before, too' sh -c "'$DESFS' cat ar a | grep -x 1"

# Who names no key anywhere is served, too.
sed -i '/^erasure_key/d' conf
own_key()
{
	rm -rf own && "$DESFS_PACK" -q src own && "$DESFS" tombstone add own other/c &&
		"$DESFS" reap --grace 0 own && [ -e own/salts/suppression ] &&
		"$DESFS_PACK" -q src own && ! "$DESFS" ls own other | grep -x c &&
		"$DESFS_PACK" -q --allow-erased src own &&
		"$DESFS" reap --grace 0 own && "$DESFS" ls own other | grep -x c
}
t 'without a key in the settings the archive has one' own_key
log_lost()
{
	"$DESFS" repack --grace 0 --merge-below 1m own &&
		"$DESFS" reap --grace 0 own || return
	chmod -R u+w own && rm -r own/log && "$DESFS" rebuild --force own 2>err &&
		grep 'nothing is known of --allow-erased' err &&
		"$DESFS" reap --grace 0 own && "$DESFS" ls own other | grep -x c
}
t 'what came back on purpose stays when the log is made again' log_lost
