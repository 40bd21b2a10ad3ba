#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2034
# Files are deleted for good from all stores of zones: a store that cannot be
# written to stops it, and a reap that is killed between two of them is completed
# by the next.  $EVERY: killed before every such change.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/erase.sh"
. "$SRCDIR/tests/lib/fault.sh"
need 'needs lz4 and zstandard of Python' "$PYTHON" -c 'import lz4, zstandard'
in_memory
every=${EVERY:-41}

erase_tree src 20
erase_pick src 1 7 >picked
erase_words picked >words
cp -a src live && (cd live && xargs rm <../picked)
touch -d @1700000000 src/a src/b src live/a live/b live
# In a directory of its own each time: the stores are beside the file.
mkdir base
cat >base/z <<-'EOF'
	[zones]
	n_bits = 4
	[store one]
	url = one
	[store two]
	url = two
	[store three]
	url = three
	[zone low]
	slots = 0-7
	stores = one, two
	[zone high]
	slots = 8-15
	stores = three, one
EOF
t 'a tree is packed into zones' "$DESFS_PACK" -q src zone://base/z
t 'files are deleted' "$DESFS" tombstone add --from picked zone://base/z
t 'from all of them' extracts_as zone://base/z live
t 'the document is in each store' eval '
	[ "$(find base -path "*/tombstones/*/*.json" | wc -l)" = 3 ]'

reap()
{
	"$DESFS" reap --grace 0 "zone://$1/z" >reap.out 2>&1 && return
	cat reap.out
	return 1
}
is_well()
{
	extracts_as "zone://$1/z" live && "$DESFS" verify --deep "zone://$1/z" \
		>verify.out 2>&1 && return
	cat verify.out
	return 1
}
# But for salts and lists of hashes that a run was about to name.
logs_of()
{
	for logs_s in one two three; do
		(cd "$1/$logs_s" && find log tombstones/2* -type f \
			2>/dev/null | sort) >logs.$logs_s
	done
	diff logs.one logs.two && diff logs.one logs.three
}

# A store that is away.
cp -a base away && mv away/two away/gone
t 'without one of the stores nothing is reaped' eval '! reap away'
mv away/gone away/two
t 'nor lost' is_well away
t 'when it is there again, all is' eval 'reap away && reap away && is_well away'
t 'nothing is left' nowhere words away

cp -a base at
n_changes "$PWD/at/*" "$DESFS" reap --jobs 1 --grace 0 zone://at/z >reap.out 2>&1
echo "# $changes changes"
t 'all is reaped' eval 'reap at && is_well at'
t 'from each store' nowhere words at
t 'all have the same log' logs_of at
killed()
{
	rm -rf at && cp -a base at || return 1
	killed_at_change "$1" "$PWD/at/*" "$DESFS" reap --jobs 1 --grace 0 \
		zone://at/z >reap.out 2>&1 || return 1
	is_well at && reap at && reap at && is_well at && nowhere words at &&
		logs_of at
}
i=1
while [ "$i" -le "$changes" ]; do
	t "killed before change $i of $changes" killed $i
	i=$((i + every))
done
