#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names of counters: each in .des/stats is in mount.desfs(8), in .des/metrics
# and in what desfs top --json prints; each that desfs top shows is one of them.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse

mkdir src
echo x >src/x
"$DESFS_PACK" -q src ar || exit
mount_up ar mnt || exit
sed 's/ .*//' mnt/.des/stats | sort >names
cat mnt/.des/metrics >metrics
man=$SRCDIR/man/mount.desfs.8

t 'there are counters' test "$(wc -l <names)" -gt 50
t 'no name twice' test "$(uniq -d <names)" = ''

# Of two groups the page names some and says how it goes on.
named()
{
	while read -r name; do
		case $name in
		control_*) name=fuse_${name#control_} ;;
		error_[A-Z]*) continue ;;
		esac
		grep -qE "(^| )$name( |\$)" "$man" || echo "$name"
	done <names >unnamed
	cat unnamed
	[ ! -s unnamed ]
}
t 'each is in mount.desfs(8)' named
echo volume_nothing >>names
t 'what is not would be found' not named
sed -i '$d' names

in_metrics()
{
	sed -n 's/^volume_//p' names | while read -r name; do
		grep -qE "^desfs_volume_$name(_total)? [0-9]+\$" metrics ||
			echo "$name"
	done >missing
	cat missing
	[ ! -s missing ]
}
t 'each of the archive is in metrics' in_metrics

"$DESFS" top --once --json mnt | sed 's/[,{]/\n/g' | sed -n 's/^"\([^"]*\)":.*/\1/p' |
	sort >json
in_json()
{
	comm -23 names json >missing
	cat missing
	[ ! -s missing ]
}
t 'each is in what desfs top --json prints' in_json

sed -n 's/^	{ "[^"]*", "\([a-z_]*\)", \(true\|false\) },$/\1/p' \
	"$SRCDIR/src/cmd/cmd-top.c" | sort -u >shown
t 'desfs top shows some' test "$(wc -l <shown)" -gt 20
shown_exist()
{
	comm -23 shown names >missing
	cat missing
	[ ! -s missing ]
}
t 'which are all there' shown_exist
