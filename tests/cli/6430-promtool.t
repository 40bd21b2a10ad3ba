#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# promtool finds nothing to say about our metrics, at any moment of a pack.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need 'needs promtool (contrib/get-promtool)' command -v promtool

files src 100 1000

clean()
{
	promtool check metrics <"$1" >promtool.out 2>&1
	clean_status=$?
	cat promtool.out
	[ $clean_status = 0 ] && [ ! -s promtool.out ]
}

"$DESFS_PACK" -q --stats-file run.prom src ar || exit
t 'metrics of a run that succeeded' clean run.prom
"$DESFS_PACK" -q --stats-file run.prom nowhere ar 2>/dev/null
t 'of one that failed' clean run.prom
mkdir gone && echo gone >gone/file &&
	"$DESFS_PACK" -q --stats-file run.prom --remove-source-files gone ar || exit
t 'of one that removed its sources' clean run.prom
"$DESFS_PACK" -q --stats-file run.prom --throttle 1files/s \
	--worker 1/1 src 'odd "\x' 2>stop.err &
pid=$!
begun()
{
	grep -qs '^des_packer_running.* 1$' run.prom
}
wait_for 60 begun
cp run.prom begun.prom
kill -TERM $pid
wait $pid
t 'of one that began' clean begun.prom
t 'of one that was stopped' clean run.prom
grep -v '^# HELP des_packer_slots ' run.prom >bad.prom
t 'it would find something' not clean bad.prom
