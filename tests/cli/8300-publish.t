#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs publish and desfs-pack --publish keep the list of the log whole.
. "${0%/*}/../lib/tap.sh"

mkdir src
echo one >src/one
t 'a tree is packed' "$DESFS_PACK" -q src ar
t 'without being published' test ! -e ar/log/index.json

# The list has just the records there are.
is_whole()
{
	(cd "$1/log" && find . -name '*Z-*.json' | sed 's|^\./||' | sort) >have
	python3 - "$1/log/index.json" <<'EOF' >says
import json, sys
d = json.load(open(sys.argv[1]))
assert d["version"] == 1 and d["kind"] == "index", d
print("\n".join(d["names"]))
EOF
	diff have says
}
t 'publish says what it did' "$DESFS" publish ar
t 'the list is whole' is_whole ar
echo two >src/two
t 'a second run does not publish' "$DESFS_PACK" -q src ar
t 'so the list is old' not is_whole ar
echo three >src/three
t 'a third one does' "$DESFS_PACK" -q --publish src ar
t 'and the list has all three' is_whole ar
t 'three names' test "$(wc -l <says)" = 3
rm -f ar/log/index.json
t 'a run without news publishes too' "$DESFS_PACK" -q --publish src ar
t 'all of it' is_whole ar
t 'the archive is as good as before' "$DESFS" verify --deep ar

race()
{
	mkdir -p many
	for i in 1 2 3 4 5 6; do
		mkdir -p "many/$i"
		echo "$i" >"many/$i/file$i"
		"$DESFS_PACK" -q --publish "many/$i" races &
	done
	wait
}
"$DESFS_PACK" -q src races
t 'six at a time' race
t 'leave a whole list' is_whole races

t 'what is no archive is not published' not "$DESFS" publish src
t 'nor made' test ! -e src/log
mkdir empty
t 'nor is an empty directory' not "$DESFS" publish empty
t 'nor one that is not there' not "$DESFS" publish nowhere
t 'which is not made' test ! -e nowhere
