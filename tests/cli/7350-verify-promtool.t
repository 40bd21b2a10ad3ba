#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# promtool finds nothing to say about the metrics of verify.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need 'needs promtool (contrib/get-promtool)' command -v promtool

files src 30 1000
"$DESFS_PACK" -q src ar && cp -r ar 'odd "\x' || exit

clean()
{
	promtool check metrics <"$1" >promtool.out 2>&1
	clean_status=$?
	cat promtool.out
	[ $clean_status = 0 ] && [ ! -s promtool.out ]
}

"$DESFS" verify --deep --stats-file run.prom ar >/dev/null || exit
t 'metrics of an archive that is well' clean run.prom
rm -f 'odd "\x'/2*/*.des
"$DESFS" verify --stats-file run.prom 'odd "\x' >/dev/null
t 'of one that is not' clean run.prom
t 'whose rate is that of all' grep '^des_shard_corruption_rate{.*} 1$' run.prom
"$DESFS" verify --stats-file run.prom nowhere >/dev/null 2>&1
t 'of none' clean run.prom
grep -v '^# HELP des_shard_corruption_rate ' run.prom >bad.prom
t 'it would find something' not clean bad.prom
