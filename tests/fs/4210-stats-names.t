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

# Of some groups the page names some and says how it goes on.
named()
{
	while read -r name; do
		case $name in
		control_*) name=fuse_${name#control_} ;;
		error_[A-Z]*) continue ;;
		latency_*_bucket_*) name=latency_read_bucket_ ;;
		latency_*) name=latency_read_${name#latency_*_} ;;
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

# A program that was not written by us reads them where it is installed.
metrics_parse()
{
	grep -vE '^# (HELP|TYPE) desfs_[a-z_]+ .' metrics | grep -vE \
		'^desfs_[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})? [0-9]+(\.[0-9]+)?(e[-+][0-9]+)?$' >odd
	cat odd
	[ ! -s odd ] && tail -c 1 metrics | grep -q '^$' || return
	! command -v promtool || promtool check metrics <mnt/.des/metrics
}
t 'metrics are in the format of Prometheus' metrics_parse

# histogram KIND: counts grow with the bounds, the last is that of all.
histogram()
{
	sed -n "s/^desfs_request_seconds_\\([a-z]*\\){op=\"$1\"[^}]*} /\\1 /p" metrics |
		awk '$1 == "bucket" { bad += $2 < last; last = $2; n++ }
			$1 == "count" { all = $2 }
			END { print n, last, all; exit bad || n < 20 || last != all || !all }'
}
cat mnt/x >x
cat mnt/.des/metrics >metrics
t 'a histogram of reads adds up' histogram read
t 'so does that of lookups' histogram lookup
t 'there is none of what was not asked' not histogram lseek
answered()
{
	cat mnt/.des/stats >stats
	awk -v kind="$1" '$1 == "fuse_" kind { asked = $2 }
		index($1, "latency_" kind "_bucket_") == 1 { n += $2 }
		END { print asked, n; exit !n || n != asked }' stats
}
for kind in lookup read; do
	t "as many ${kind}s took some time as came" answered $kind
done

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
	"$SRCDIR/src/cmd/top-view.c" | sort -u >shown
t 'desfs top shows some' test "$(wc -l <shown)" -gt 20
shown_exist()
{
	comm -23 shown names >missing
	cat missing
	[ ! -s missing ]
}
t 'which are all there' shown_exist
