# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# tap.sh - TAP for shell tests.  A test begins: . "${0%/*}/../lib/tap.sh"
#
#	t 'name' command [args]    one test; its output is shown when it fails
#	not command [args]         succeeds when it fails (a crash is no failure)
#	need 'reason' command      skips the whole file unless the command succeeds
#	need_fuse  need_root       the usual reasons
#	skip_t 'name' 'reason'     one test that cannot run here
#	wait_for SECONDS command   until the command succeeds
#	desread_ok ARCHIVE...      the second reader finds nothing wrong
#
# $tmp is an empty directory, the current one; everything mounted below it is
# unmounted and all of it removed at the end.  The plan is printed at the end.
SRCDIR=${SRCDIR:-$(cd "${0%/*}" && until [ -f configure.ac ] || [ "$PWD" = / ]; do
	cd ..
done && pwd)}
BUILDDIR=${BUILDDIR:-$PWD}
DESFS=${DESFS:-$BUILDDIR/desfs}
DESFS_PACK=${DESFS_PACK:-$BUILDDIR/desfs-pack}
MOUNT_DESFS=${MOUNT_DESFS:-$BUILDDIR/mount.desfs}
CC=${CC:-cc}
export SRCDIR BUILDDIR DESFS DESFS_PACK MOUNT_DESFS CC
export LC_ALL=C TZ=UTC DESFS_CONF=
# For what is killed at any moment: while it looks for leaks it would tell of
# that.
# shellcheck disable=SC2034 # of tests
no_leaks=${ASAN_OPTIONS:-}:detect_leaks=0
tap_n=0 tap_failed=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/desfs-test.XXXXXX") || exit 99
tap_out=$tmp.out

tap_end()
{
	tap_status=$?
	cd / || exit 99
	awk -v d="$tmp/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo |
		sort -r | while IFS= read -r m; do
		fusermount3 -uz "$(printf '%b' "$m")" 2>/dev/null ||
			umount -l "$(printf '%b' "$m")"
	done
	chmod -R u+rwx "$tmp" 2>/dev/null
	rm -rf --one-file-system "$tmp" "$tap_out"
	[ "$tap_skipped" ] && exit 0
	[ "$tap_status" = 0 ] || echo "Bail out! the script ended with $tap_status"
	echo "1..$tap_n"
	[ "$tap_status$tap_failed" = 00 ] || exit 1
}
tap_skipped=
trap tap_end EXIT
trap 'exit 143' HUP INT TERM

t()
{
	tap_name=$1
	shift
	tap_n=$((tap_n + 1))
	if "$@" >"$tap_out" 2>&1 </dev/null; then
		echo "ok $tap_n - $tap_name"
	else
		echo "not ok $tap_n - $tap_name"
		tap_failed=$((tap_failed + 1))
		tail -n 50 "$tap_out" | sed 's/^/# /'
	fi
}

not()
{
	"$@" && return 1
	[ $? -lt 99 ]
}

need()
{
	tap_reason=$1
	shift
	"$@" >/dev/null 2>&1 && return
	echo "1..0 # SKIP $tap_reason"
	tap_skipped=1
	exit 0
}

need_fuse()
{
	need 'needs /dev/fuse' sh -c ': <>/dev/fuse && command -v fusermount3'
}

need_root()
{
	need 'needs root' test "$(id -u)" = 0
}

skip_t()
{
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

wait_for()
{
	tap_left=$(($1 * 10))
	shift
	until "$@"; do
		tap_left=$((tap_left - 1))
		[ $tap_left -gt 0 ] || return 1
		sleep 0.1
	done
}

desread_ok()
{
	/usr/bin/python3 -B "$SRCDIR/tests/lib/desread.py" verify "$@"
}

cd "$tmp" || exit 99
