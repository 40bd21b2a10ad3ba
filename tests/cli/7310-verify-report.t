#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs verify: which shards it looks at, its report, and going on with it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# Days of some shards each.
for day in 01 02 03 04 05; do
	files "src$day/d" 40 3000
	files "src$day/e" 40 3000
	"$DESFS_PACK" -q --created-at "2026-01-${day}T10:00:00Z" "src$day" ar ||
		exit
done
chmod -R u+w ar
n=$(find ar -name '*.des' | wc -l)

# flip FILE OFFSET: one bit of a byte
flip()
{
	old=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "$(printf '\\%03o' $((old ^ 4)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# status_is STATUS COMMAND...
status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat o e
	[ "$is" = "$want" ]
}

# of_rows PYTHON: an expression about rows r of the report
of_rows()
{
	python3 - "$1" <<'END'
import json, sys
d = json.load(open("rep.json"))
assert d["v"] == 1 and d["kind"] == "verify-report", d
r = d["rows"]
of = lambda kind: [x for x in r if x["kind"] == kind]
total = r[-1]
assert total["kind"] == "total" and r[0]["kind"] == "run"
if not eval("(" + sys.argv[1] + ")"):
    print("not so:", sys.argv[1])
    print(json.dumps(r, indent=1)[:3000])
    sys.exit(1)
END
}

t 'an archive that is well' status_is 0 \
	"$DESFS" verify --deep --report rep.json ar
t 'has a report with a row for each shard' \
	of_rows "len(of('shard')) == $n == total['shards']"
t 'that says how many are damaged' of_rows "total['corruption_rate'] == 0"
t 'under its name alone' not ls rep.json.part

# --- what is damaged --------------------------------------------------------
cp -a ar bad
key=$(cd bad && find 20260101 -name '*.des' -size +20k | sort | head -n 1)
flip "bad/$key" 4000
rm "$(find bad/20260102 -name '*.des' | head -n 1)"
t 'a damaged one' status_is 6 "$DESFS" verify --deep --report rep.json bad
t 'and a missing one are counted' \
	of_rows "(total['damaged_shards'], total['missing_shards']) == (1, 1)"
t 'in the rate of all' \
	of_rows "abs(total['corruption_rate'] - 2 / $n) < 1e-6"
t 'the damage is told with key and offset' \
	of_rows "[x['offset'] for x in of('damage') if x['key'] == '$key']"
t 'and each file it costs, by the place of the damage' \
	of_rows "len([x for x in of('lost') if x['key'] == '$key' and x['path']
	and x['offset'] == [d['offset'] for d in of('damage')
	if d['key'] == '$key'][0]]) ==
	[s['lost'] for s in of('shard') if s['key'] == '$key'][0] > 0"
few_names()
{
	lost=$(grep -c "^$key: costs " o)
	[ "$lost" -le 21 ] && grep -q "^$key: costs [0-9]* more, all" o
}
t 'of many only the first are told to people' few_names

# --- which shards -----------------------------------------------------------
sample()
{
	status_is 0 "$DESFS" verify --sample 30 "$@" --report rep.json ar &&
		python3 -c 'import json
for r in json.load(open("rep.json"))["rows"]:
	if r["kind"] == "shard": print(r["key"])' >chosen
}
t 'a sample' sample
t 'is told with its seed' grep 'by seed [0-9]' e
t 'it is a part of all' of_rows \
	"total['shards'] == -(-$n * 3 // 10) == $n - total['skipped_shards']"
seed=$(sed -n 's/.*by seed //p' e)
cp chosen first
t 'the same seed' sample --seed "$seed"
t 'draws the same lots' cmp chosen first
others()
{
	for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
		sample --seed $seed || return
		cmp -s chosen first || return 0
	done
	return 1
}
t 'others draw others' others
sample_is_told()
{
	"$DESFS" verify --sample 30% ar 2>err
	cat err
	grep -q 'a sample of 30 % by seed' err
}
t 'per cent are told with one sign' sample_is_told
t 'a sample is never empty' status_is 0 "$DESFS" verify --sample 0.001% ar
t 'one shard was looked at' grep '^1 shards' o
t 'none is no sample' status_is 2 "$DESFS" verify --sample 0 ar
t 'nor are words' status_is 2 "$DESFS" verify --sample all ar
# All records are of today, whatever the shards' days.
t 'since an hour all shards are here' status_is 0 "$DESFS" verify --since 1h ar
t 'all of them' grep "^$n shards" o
t 'since a time to come none' \
	status_is 0 "$DESFS" verify --since 2099-01-01T00:00 ar
t 'none of them' grep "^0 shards.*; $n shards were passed over" o
t 'a time is a time' status_is 2 "$DESFS" verify --since yesterday ar
t 'an age has an end' status_is 2 "$DESFS" verify --since 999999999d ar
key5=$(cd ar && find 20260105 -name '*.des' | sort | head -n 1)
key4=$(cd ar && find 20260104 -name '*.des' | sort | head -n 1)
t 'a shard by its key behind the archive' \
	status_is 0 "$DESFS" verify --deep --report rep.json ar "$key5" "$key4"
t 'and nothing else' of_rows \
	"[x['key'] for x in of('shard')] == ['$key4', '$key5']"
t 'or as the end of its place' status_is 0 "$DESFS" verify "file://$tmp/ar/$key5"
t 'one shard' grep '^1 shards' o
rm -rf lost && cp -a ar lost && rm "lost/$key5"
t 'one that is lost' status_is 6 "$DESFS" verify lost "$key5"
t 'one that was never there' status_is 3 "$DESFS" verify ar \
	20260105/20260105_0_0000_0123456789abcdef.des

# --- going on ---------------------------------------------------------------
# What is left of a report when times and chances are taken away.
rows()
{
	python3 - "$1" <<'END'
import json, sys
for r in json.load(open(sys.argv[1]))["rows"]:
    for k in ("started", "ended", "seed", "skipped_shards"):
        r.pop(k, None)
    print(json.dumps(r, sort_keys=True))
END
}
"$DESFS" verify --deep --report whole.json bad >/dev/null
rows whole.json | sort >whole.rows

begun()
{
	grep -qs '"kind":"shard"' rep.json.part
}
# stopped ARGUMENTS: a signal comes when some shards are done, but not all
stopped()
{
	"$DESFS" verify --deep -j 2 --rate 60K --report rep.json "$@" \
		>stop.out 2>stop.err &
	pid=$!
	wait_for 120 begun
	kill -TERM $pid
	wait $pid
	is=$?
	cat stop.out stop.err
	[ $is = 12 ] && grep -q 'after [0-9]* shards.*--resume goes on' stop.err
}
rm -f rep.json
t 'a run that is stopped says how to go on' stopped bad
t 'its report is not there' not ls rep.json
t 'other arguments do not go on' \
	status_is 2 "$DESFS" verify --resume --report rep.json bad
t 'the same do' status_is 6 "$DESFS" verify --deep --resume --report rep.json bad
t 'shards that were done are not done again' \
	grep '[1-9][0-9]* shards were looked at before' e
same_rows()
{
	rows rep.json | sort >rep.rows && diff whole.rows rep.rows
}
t 'the report is what one run would have written' same_rows
passed_over()
{
	done_before=$(sed -n 's/.*: \([0-9]*\) shards were looked.*/\1/p' e)
	of_rows "total['skipped_shards'] == $done_before"
}
t 'and says how many were passed over' passed_over

# A crash leaves a row that is cut short, and findings of a shard not done.
t 'another is stopped' stopped bad
cp rep.json.part crashed
printf '{"kind":"damage","target":0,"key":"20260105/x.des","text":"half' \
	>>rep.json.part
t 'what a crash has cut short is dropped' \
	status_is 6 "$DESFS" verify --deep --resume --report rep.json bad
t 'and done again' same_rows
echo rubbish >rep.json.part
t 'rubbish is refused' status_is 6 "$DESFS" verify --deep --resume \
	--report rep.json bad
t 'by its name' grep 'rep.json.part: not a report' e
t 'and not gone on with' status_is 6 "$DESFS" verify --deep \
	--report rep.json bad
t 'a run without --resume begins anew' same_rows
t 'without a report there is nothing to resume' \
	status_is 2 "$DESFS" verify --resume bad

# --- metrics and progress ---------------------------------------------------
t 'metrics' status_is 6 "$DESFS" verify --deep --stats-file v.prom bad
rate_is()
{
	cat v.prom
	grep -q "^des_shard_corruption_rate{archive=\"$1\"} $2" v.prom
}
t 'have the rate of damaged shards' rate_is bad 0.[0-9]
t 'and how it ended' grep '^des_verify_exit_status{.*} 6' v.prom
t 'of an archive that is well' \
	status_is 0 "$DESFS" verify --stats-file v.prom ar
t 'it is 0' rate_is ar '0$'
progress_ends()
{
	"$DESFS" verify --deep --progress json ar >/dev/null 2>e || return
	tail -n 1 e
	tail -n 1 e | grep '"done":true' |
		grep "\"slots_done\":$n,\"slots_total\":$n,\"files_done\":400,"
}
t 'progress as JSON counts shards and files' progress_ends
t 'to people it speaks of shards' status_is 0 \
	"$DESFS" verify --progress always ar
t 'by that name' grep "/$n shards" e
