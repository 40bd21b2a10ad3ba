# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# kill.sh - desfs-pack killed at some moment, for shell tests.  After tap.sh and
# tree.sh; begin with kill_begin N, then kill_at for each moment.
kill_when=2026-01-02T10:00:00Z

# An archive with a first pack, what a second makes of it undisturbed, and how
# long that takes; N times as large as it need be.
kill_begin()
{
	files src/small 2000 500 && files src/other/dir 500 3000 &&
		mkdir -p src/a/b/c && files src/a/b/c/large 3 4000000 &&
		ln src/small/000001 src/a/link &&
		"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src base &&
		files src/more $(($1 * 1000)) 700 &&
		files src/a/more $(($1 * 2)) 3000000 &&
		echo changed >src/small/000007 && rm -r src/other/dir &&
		cp -a base want || return 1
	kill_start=$(date +%s%N)
	kill_pack want || return 1
	kill_ms=$((($(date +%s%N) - kill_start) / 1000000 + 1))
	"$DESFS" ls -R base >names.old && "$DESFS" ls -R want >names.new &&
		! cmp -s names.old names.new || return 1
	shards_of want >want.sum
	echo "an undisturbed run takes $kill_ms ms"
}

kill_pack()
{
	"$DESFS_PACK" -q --mirror --created-at $kill_when --jobs 2 src "$1"
}

# Objects that no log record names, and unfinished ones; not marks of runs.
kill_leftovers()
{
	(cd "$1" && cat log/*.json >../log.all &&
		find . -type f ! -path './log/*' ! -name desfs.json \
			! -name 'run-????????????????' | sed 's|^\./||' |
		while IFS= read -r f; do
			grep -qF "$f" ../log.all || echo "$f"
		done)
}

# The tree of one moment or the other, never anything between.
kill_is_whole()
{
	"$DESFS" ls -R "$1" >names.now || return 1
	if cmp -s names.now names.old; then
		echo 'the run does not count'
	elif cmp -s names.now names.new; then
		echo 'the run counts'
	else
		diff names.old names.now
		return 1
	fi
}

kill_named_by_verify()
{
	kill_leftovers "$1" >left
	"$DESFS" verify "$1" >verify.out 2>&1
	kill_status=$?
	cat left verify.out
	[ $kill_status -lt 99 ] || return 1
	while IFS= read -r f; do
		grep -qF "${f##*/}" verify.out || {
			echo "verify does not name $f"
			return 1
		}
	done <left
}

# kill_at MS: kill a run then; all that must hold.
kill_at()
{
	rm -rf killed && cp -a base killed || return 1
	ASAN_OPTIONS=$no_leaks "$DESFS_PACK" -q --mirror \
		--created-at $kill_when --jobs 2 src killed >kill.out 2>&1 &
	kill_pid=$!
	sleep "$(awk -v ms="$1" 'BEGIN { printf "%.3f", ms / 1000 }')"
	kill -KILL $kill_pid 2>/dev/null
	wait $kill_pid 2>/dev/null
	echo "killed after $1 ms"
	kill_is_whole killed && kill_named_by_verify killed &&
		kill_pack killed && kill_is_whole killed >whole &&
		grep 'the run counts' whole && "$DESFS_PACK" --clean killed &&
		shards_of killed >killed.sum && diff want.sum killed.sum &&
		kill_leftovers killed >left && cat left && [ ! -s left ] &&
		"$DESFS" verify --deep killed >/dev/null
}
