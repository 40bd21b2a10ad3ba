# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# kill-workers.sh - four workers, each killed at random moments and run again, for
# shell tests.  After tap.sh and tree.sh:
#
#	kw_begin N        a source, what one run makes of it in kw_want; N times as
#	                  large as it need be
#	kw_pack ARCHIVE [args]       how a worker, or one run, packs
#	kw_all ARCHIVE KILLS SEED    four workers at once, each KILLS times killed,
#	                  and run to its end; the odd ones with a checkpoint
kw_when=2026-01-02T10:00:00Z
kw_exec=

kw_pack()
{
	kw_to=$1
	shift
	$kw_exec "$DESFS_PACK" -q --mirror --created-at $kw_when --max-shard-size 1M \
		--jobs 2 "$@" src "$kw_to"
}

kw_begin()
{
	for d in 1 2 3 4 5 6 7 8; do
		files src/$d 20 5000 && files src/$d/small 60 || return 1
	done
	"$DESFS_PACK" -q --created-at 2026-01-01 src base || return 1
	for d in 1 2 3 4 5 6 7 8; do
		files src/$d/new 30 3000 &&
			files src/more/$d $(($1 * 2)) 400000 || return 1
	done
	rm -r src/3/small && rm src/4/00001? && echo new >src/5/000003 &&
		ln src/6/000001 src/7/link && mkdir -p src/a/b/c &&
		files src/a/b/c/d 20 || return 1
	rm -rf kw_want && cp -a base kw_want || return 1
	kw_start=$(date +%s%N)
	kw_pack kw_want || return 1
	kw_ms=$((($(date +%s%N) - kw_start) / 1000000 + 20))
	echo "an undisturbed run takes $kw_ms ms"
}

# kw_moments N SEED: numbers from 0 to 1, one a line.
kw_moments()
{
	awk -v n="$1" -v seed="$2" 'BEGIN {
		srand(seed)
		for (i = 0; i < n; i++)
			print rand()
	}'
}

# kw_worker ARCHIVE I KILLS SEED
kw_worker()
{
	kw_archive=$1 kw_i=$2 kw_kills=$3
	kw_moments 1000 $(($4 + kw_i)) >"kw_moments.$kw_i"
	set -- --worker "$kw_i/4"
	[ $((kw_i % 2)) = 0 ] || set -- "$@" --checkpoint "cp-$kw_i"
	while [ "$kw_kills" -gt 0 ] && IFS= read -r kw_random; do
		kw_sleep=$(awk -v r="$kw_random" -v ms="$kw_ms" \
			'BEGIN { printf "%.3f", r * ms / 1000 }')
		(
			export ASAN_OPTIONS="$no_leaks"
			kw_exec='exec'
			kw_pack "$kw_archive" "$@"
		) &
		kw_pid=$!
		sleep "$kw_sleep"
		kill -KILL $kw_pid 2>/dev/null
		wait $kw_pid 2>/dev/null
		kw_status=$?
		echo "worker $kw_i: $kw_sleep s, $kw_status"
		case $kw_status in
		137) kw_kills=$((kw_kills - 1)) ;;
		# It was quicker; there is less to do every time.
		0) kw_ms=$((kw_ms / 2)) ;;
		*) return 1 ;;
		esac
	done <"kw_moments.$kw_i"
	[ "$kw_kills" = 0 ] && kw_pack "$kw_archive" "$@"
}

kw_all()
{
	kw_workers=
	for kw_n in 1 2 3 4; do
		kw_worker "$1" $kw_n "$2" "$3" >kw_out.$kw_n 2>&1 &
		kw_workers="$kw_workers $!"
	done
	kw_bad=0
	for kw_pid in $kw_workers; do
		wait "$kw_pid" || kw_bad=1
	done
	cat kw_out.*
	[ $kw_bad = 0 ] && ! ls cp-* 2>/dev/null
}
