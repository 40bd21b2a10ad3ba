#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What was deleted for good is not packed again, unless that is allowed.
. "${0%/*}/../lib/tap.sh"
need 'needs jq' command -v jq

make_archive()
{
	rm -rf src ar
	mkdir -p src/d/e src/other
	echo 1 >src/a
	echo 2 >src/d/b
	echo 3 >src/d/e/c
	echo 4 >src/other/f
	"$DESFS_PACK" -q src ar
}

erase()
{
	"$DESFS" tombstone add ar "$@" >/dev/null
}

# The summary has these members, as jq says them.
packs()
{
	want=$1
	shift
	"$DESFS_PACK" -v --json "$@" src ar >out 2>err
	is=$?
	cat out err
	[ $is = 0 ] && jq -e "select(.type == \"summary\") | $want" out
}

told()
{
	jq -r "select(.type == \"$1\").path" out | sort >is
	shift
	printf '%s\n' "$@" | sort | diff - is
}

has()
{
	"$DESFS" extract ar got >/dev/null && diff -r got "$1"
	status=$?
	rm -rf got
	return $status
}

# --- kept out

make_archive
erase a
t 'a deleted name' packs '.erased == 1 and .packed == 0 and .failed == 0'
t 'is told' told erased a
t 'and stays away' not "$DESFS" stat ar a
echo changed >src/a
t 'changed, too' packs '.erased == 1 and .packed == 0'
t 'a dry run tells' packs '.erased == 1 and .packed == 0' --dry-run
t 'so does --checksum' packs '.erased == 1' --checksum
summary()
{
	"$DESFS_PACK" src ar 2>err
	cat err
	grep '^1 erased' err
}
t 'the summary says it' summary
metrics()
{
	"$DESFS_PACK" -q --stats-file stats src ar && cat stats &&
		grep 'erased.* 1$' stats
}
t 'and metrics do' metrics
t 'what is not deleted is packed' sh -c "echo 5 >src/new"
t 'beside it' packs '.erased == 1 and .packed_files == 1'
mkdir src/dir
mv src/a src/b
t 'under another name it is another file' packs '.erased == 0 and .packed_files == 1'
mkdir src/a
t 'a directory of that name is kept out' packs '.erased == 1'
echo x >src/a/x
t 'unless something is in it' packs '.erased == 0 and .packed == 2'
t 'which is there' sh -c "'$DESFS' cat ar a/x | grep -x x"

make_archive
erase -r d
t 'a tree' packs '.erased == 4 and .packed == 0'
t 'is all told' told erased d d/b d/e d/e/c
t 'and stays away' not "$DESFS" ls ar d
echo new >src/d/e/new
t 'what is new in it' packs '.erased == 2 and .packed == 3'
t 'is packed with its directories' sh -c "'$DESFS' cat ar d/e/new | grep -x new"
t 'not what was deleted' not "$DESFS" cat ar d/e/c
make_archive
erase -r d
echo new >src/d/e/new
i=1
while [ $i -le 4 ]; do
	t "worker $i of 4" "$DESFS_PACK" -q --worker $i/4 --created-at now src ar
	i=$((i + 1))
done
t 'pack directories each other needs' sh -c "'$DESFS' cat ar d/e/new | grep -x new"
t 'and nothing that was deleted' not "$DESFS" cat ar d/b

# --- versions

make_archive
created=$("$DESFS" stat --json ar a | jq -r .created_at)
erase --created-at "$created" a
t 'a version does not keep the name out' packs '.erased == 0 and .packed == 1'
t 'which is there' sh -c "'$DESFS' cat ar a | grep -x 1"
make_archive
created=$("$DESFS" stat --json ar a | jq -r .created_at)
erase --created-at "$created" a
t 'packed at the time that was deleted' "$DESFS_PACK" -q --created-at "$created" src ar
t 'it gets a later one' sh -c "'$DESFS' cat ar a | grep -x 1"

# --- allowed

make_archive
erase a d/b
t '--allow-erased' packs '.erased == 0 and .packed == 2' --allow-erased
t 'brings them back' has src
t 'and says so in its record' sh -c "cat ar/log/* | grep -o '\"allow_erased\":true' | wc -l | grep -x 1"
t 'what is there unchanged stays' packs '.erased == 0 and .unchanged == 8 and .packed == 0'
echo changed >src/a
t 'changed it needs to be allowed again' packs '.erased == 1 and .packed == 0'
t 'the one before is there' sh -c "'$DESFS' cat ar a | grep -x 1"
t 'deleted once more' erase a
t 'is gone' not "$DESFS" cat ar a
make_archive
erase a
t 'allowed, as of long ago' "$DESFS_PACK" -q --allow-erased \
	--created-at 2020-01-01T00:00:00Z src ar
t 'they are later than what was deleted' has src
t 'taken back, a deletion keeps nothing out' sh -c \
	"'$DESFS' tombstone add ar d/b >/dev/null && '$DESFS' tombstone remove ar d/b"
t 'so nothing is' packs '.erased == 0 and .packed == 0'

# A run of the same time makes the shard whose place was taken again.
shards()
{
	find ar -name '*.des' | sort
}
rm -rf src ar
mkdir -p src/d
echo 1 >src/d/a
echo 2 >src/d/b
then=2026-01-01T00:00:00Z
"$DESFS_PACK" -q --created-at $then src ar
shards >first
erase d/a d/b
t 'all that is deleted is reaped' sh -c \
	"'$DESFS' reap --grace 0 ar && '$DESFS' reap --grace 0 ar"
shards >reaped
again()
{
	"$DESFS_PACK" --allow-erased --created-at $then src ar 2>err
	is=$?
	cat err
	[ $is = 9 ] && grep 'des, one of .*: was packed before' err
}
t 'the same run again fails' again
t 'and leaves nothing of what was removed' sh -c \
	"find ar -name '*.des' | sort | comm -12 - first | { ! comm -23 - reaped | grep .; }"
t 'one of another time' "$DESFS_PACK" -q --allow-erased src ar
t 'brings all back' has src

# --- mirrors, and sources that are removed

whiteouts()
{
	"$DESFS" stat --json ar . >/dev/null
	packs '.removed == 0' --mirror
}
make_archive
erase a d/b
rm src/a src/d/b
t 'a mirror writes no whiteout with a name' whiteouts
make_archive
erase a
t 'sources of what is kept out stay' packs \
	'.erased == 1 and .failed == 0 and .kept_sources == 0 and .removed_sources == 3' \
	--remove-source-files
t 'they do' test -f src/a
t 'the others are in the archive' test ! -e src/d/b
t 'a dry run says the same' packs '.erased == 1 and .removed_sources == 0' \
	--remove-source-files --dry-run

# A version that is deleted while its source waits to be removed is no proof.
make_archive
erase d/b
"$DESFS_PACK" -q --allow-erased src ar
t 'what was allowed is proven' packs '.removed_sources == 4 and .failed == 0' \
	--remove-source-files
t 'and removed' test ! -e src/d/b

# --- sources that are the archive's

make_archive
erase a
for dir in tombstones "tombstones/$(ls ar/tombstones)" log; do
	t "--remove-source-files spares ar/$dir" not "$DESFS_PACK" -q \
		--remove-source-files "ar/$dir" ar
done
mkdir ar/holds ar/salts
echo all >ar/holds/x
echo salt >ar/salts/x
for dir in holds salts; do
	t "and ar/$dir" not "$DESFS_PACK" -q --remove-source-files "ar/$dir" ar
done
