#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2034,SC2086
# Whatever deletes from a bucket is killed after a request that changes something:
# readers have the live files byte by byte and none that is deleted, and the same
# command again, an hour later, completes it, to the last version and part.
# $EVERY: after every such request.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/erase.sh"
need_fake
start_fake --bucket plain --versioned vers || exit
export AWS_ENDPOINT_URL_S3="$fake_url"
every=${EVERY:-31}
# Parts as small as can be, so that one shard has two.
cat >conf <<'END'
[default]
part_size = 5M
END
export DESFS_CONF="$tmp/conf"

erase_tree full 12
for n in 1 2; do
	erase_pick full $n 5 >picked.$n
done
cat picked.1 picked.2 >picked
erase_words picked >words
head -c 6000000 /dev/urandom >full/b/large
cp -a full one && (cd one && xargs rm <../picked.1)
cp -a one two && (cd two && xargs rm <../picked.2)
for d in full one two; do
	touch -d @1700000000 $d/a $d/b $d
done
mkdir first && cp -a full/a first/ && touch -d @1700000000 first
"$DESFS_PACK" -q --n-bits 4 --created-at 2026-01-02T01:00:00Z first base || exit
"$DESFS_PACK" -q --created-at 2026-01-02T02:00:00Z full base || exit
t 'files are deleted' eval '
	"$DESFS" tombstone add --from picked.1 base && extracts_as base one'

step()
{
	step_name=$1 step_archive=$2
	shift 2
	case $step_name in
	add) "$@" "$DESFS" tombstone add --from picked.2 "$step_archive" ;;
	aggregate) "$@" "$DESFS" tombstone aggregate "$step_archive" ;;
	purge) "$@" "$DESFS" repack --jobs 1 --grace 0 --when-deleted 0 \
		--merge-below 1G "$step_archive" ;;
	reap) "$@" "$DESFS" reap --grace 0 "$step_archive" ;;
	esac >step.out 2>&1
}
again()
{
	step "$@" && return
	cat step.out
	return 1
}
reads_add() { extracts_as "$1" one two; }
reads_all() { extracts_as "$1" two; }
is_sound()
{
	"$DESFS" verify --deep "$1" >verify.out 2>&1 || {
		cat verify.out
		return 1
	}
}
# An hour later, when the dead count as such.
ends_well()
{
	fake_clock 3700 || return 1
	again reap "s3://$1" && again reap "s3://$1" &&
		reads_all "s3://$1" && is_sound "s3://$1"
	ends_status=$?
	fake_clock 0
	[ $ends_status = 0 ] &&
		s3_get_versions "$fake_url" "${1%%/*}" "${1#*/}" found &&
		nowhere words found
}
killed()
{
	k_place=$3/$1-$4-$5
	s3_put_all "from.$1" "$fake_url" "$3" "${k_place#*/}" || return 1
	step "$1" "s3://$k_place" fake_killed "method=$4 nth=$5" || {
		cat step.out
		return 1
	}
	"$2" "s3://$k_place" && is_sound "s3://$k_place" &&
		again "$1" "s3://$k_place" && reads_all "s3://$k_place" &&
		ends_well "$k_place"
}
undisturbed()
{
	cp -a "$3" "from.$1" && cp -a "$3" "$4" || return 1
	s3_put_all "$3" "$fake_url" vers "count-$1" && fake_reset &&
		again "$1" "s3://vers/count-$1" || return 1
	for m in PUT POST DELETE; do
		grep -c " $m " "$fake_log" >"n.$1.$m"
	done
	reads_all "s3://vers/count-$1" && again "$1" "$4" && reads_all "$4"
}
# crash STEP READS BEFORE AFTER
crash()
{
	t "$1, undisturbed" undisturbed "$@"
	crash_left=1
	for m in PUT POST DELETE; do
		n=$(cat "n.$1.$m" 2>/dev/null || echo 0)
		i=1
		while [ $i -le "$n" ]; do
			crash_left=$((crash_left - 1))
			if [ $crash_left = 0 ]; then
				crash_left=$every
				t "$1: killed after $m $i of $n" \
					killed "$1" "$2" vers $m $i
			fi
			i=$((i + 1))
		done
	done
}
crash add reads_add base added
crash aggregate reads_all added aggregated
crash purge reads_all aggregated purged
crash reap reads_all aggregated reaped
