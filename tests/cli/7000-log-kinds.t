#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Log records of all kinds and checkpoints, written by hand: what readers show.
. "${0%/*}/../lib/tap.sh"
PYTHON=${PYTHON:-python3}
need 'needs python3' command -v "$PYTHON" >/dev/null

write()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/log-writer.py" "$@"
}
shows()
{
	"$DESFS" ls ar >names || return
	[ "$(tr '\n' ' ' <names)" = "$1" ] || {
		cat names
		return 1
	}
}
status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat o e
	[ "$is" = "$want" ]
}
shards_of()
{
	(cd "$1" && find 2* -name '*.des' | sort)
}

mkdir one two
echo a >one/a && echo b >one/b
echo c >two/c && echo d >two/d
t 'an archive' "$DESFS_PACK" -q --created-at 2026-01-01 one ar
cp -r ar other
t 'its shard' test "$(shards_of ar | wc -l)" = 1
t 'another one' "$DESFS_PACK" -q --created-at 2026-01-02 two other
old=$(shards_of ar)
new=$(shards_of other | grep -v "$old")
mkdir -p "ar/${new%/*}" && cp "other/$new" "ar/$new"
t 'what no record names is not shown' shows 'a b '

# --- repack
write --shards other ar repack "$old" -- "$new"
t 'a repack puts another in the place' shows 'c d '
t 'whose files can be read' test "$("$DESFS" cat ar c)" = c
chmod u+w "ar/${old%/*}" && mv "ar/$old" away
t 'what was replaced may be gone' shows 'c d '
t 'or come back' mv away "ar/$old"
t 'and is not shown' shows 'c d '
cp -r ar before
write --shards other ar repack "$old" -- "$old-" 2>/dev/null
t 'one that cannot be made is not written' diff -r before ar
cp -r ar lost
write ar repack "$old" --
t 'the second of two does not count' shows 'c d '

# --- tombstones
key=$(write ar tombstone c)
t 'a tombstone hides a file' shows 'd '
t 'to all who ask for it' status_is 3 "$DESFS" cat ar c
t 'there is no such name' status_is 3 "$DESFS" stat ar c
mv "ar/$key" away
fails()
{
	for cmd in ls 'cat ar d;cat' 'stat ar d;stat' 'extract ar out;extract'; do
		name=${cmd##*;}
		args=${cmd%%;*}
		[ "$args" = ls ] && args='ls ar'
		# shellcheck disable=SC2086
		status_is 6 "$DESFS" $args || {
			echo "$name"
			return 1
		}
		grep -q "$key" e || return
	done
	[ ! -e out/d ]
}
t 'one that is missing is an error everywhere' fails
sed 's/"gdpr"/"user"/' away >"ar/$key"
t 'and one that is another' fails
: >"ar/$key"
t 'and an empty one' fails
rm "ar/$key" && mv away "ar/$key"
t 'it is there again' shows 'd '
cp -r ar withdrawn && cp -r ar keep
write ar withdrawn "$key"
t 'one that is withdrawn hides nothing' shows 'c d '
rm -r ar && mv withdrawn ar
write ar "done" "$key"
rm "ar/$key"
t 'nobody asks for one that is done' shows 'c d '
rm -r ar && mv keep ar

# --- aggregates
key2=$(write ar tombstone d)
t 'two tombstones' shows ''
hour=$(date -u +%Y%m%d/%H)
for f in ar/log/2*; do
	last=$(basename "$f")
done
# The hour is that of the log's record.
day=$(echo "$last" | cut -c 1-8) && hour=$day/$(echo "$last" | cut -c 10-11)
write ar aggregate "$hour" "$key" "$key2"
t 'with an aggregate' shows ''
echo x >"ar/tombstones/$hour.json"
t 'that may be damaged' shows ''

# --- checkpoints
"$DESFS" ls -lR --json ar >rows
write ar names >names.before
write ar checkpoint
t 'with a checkpoint' shows ''
rm ar/log/2*
rows_same()
{
	"$DESFS" ls -lR --json ar | diff rows -
}
t 'all records may go' rows_same
t 'of one that names nothing less' sh -c "$PYTHON -B $SRCDIR/tests/lib/log-writer.py ar names |
	diff names.before -"
rm "ar/$old"
for f in ar/log/checkpoint-*; do
	:
done
write ar checkpoint "$old"
rm "$f"
t 'nor the names of what is purged' rows_same
t 'are left' not grep -r '"first":"","incompat":0,"key":"'"$old" ar/log
t 'a run goes on from there' "$DESFS_PACK" -q --created-at 2026-01-03 one ar
t 'and shows its files' shows 'a b '
for f in ar/log/checkpoint-*; do
	sed 's/"purged":true/"purged":null/' "$f" >x && cat x >"$f"
done
t 'a damaged one is an error' status_is 6 "$DESFS" ls ar

# --- what is lost
rm -r ar && mv lost ar
t 'an archive with a repack' shows 'c d '
first=$(find ar/log -name '2*' | sort | head -n 1)
mv "$first" away
t 'a record that another names as the one before it' status_is 6 "$DESFS" ls ar
t 'is named' grep -q "${first##*/}" e
mv away "$first"

# --- rebuild
cp -r ar keep
echo x >"$first"
t 'a damaged record' status_is 6 "$DESFS" ls ar
t 'is mended' status_is 0 "$DESFS" rebuild ar
t 'and brings nothing back' shows 'c d '
rm -r ar && cp -r keep ar
key=$(write ar tombstone c)
rm ar/log/*
t 'without a log' status_is 0 "$DESFS" rebuild ar
t 'nobody knows what was replaced, but what is deleted' shows 'a b d '
