# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# fault.sh - system calls that fail on demand, for shell tests.  After tap.sh:
#
#	with_faults RULES command [args]  the command under fault-shim.c; RULES
#	                                  are its lines
#	fault_used [PATTERN]              what was applied by the last of them;
#	                                  true when that is something
#	killed_at_change N GLOB command [args]
#	                                  kill the command before the Nth call
#	                                  that changes something that fits; true
#	                                  when it came that far
#	n_changes GLOB command [args]     how many there are; sets $changes
#	in_memory                         go to a file system without a disk, if
#	                                  that can be: many runs make much durable
#
# Programs built with ASan take it too, behind their own runtime.
fault_shim=$tmp/fault-shim.so
# shellcheck disable=SC2086
need 'needs a compiler' $CC -shared -fPIC -O1 \
	-I"$BUILDDIR" -o "$fault_shim" "$SRCDIR/tests/lib/fault-shim.c" -ldl

with_faults()
{
	printf '%s\n' "$1" >"$tmp/faults"
	rm -f "$tmp/faults.used"
	shift
	FAULT_SHIM=$tmp/faults LD_PRELOAD=$fault_shim \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "$@"
}

# shellcheck disable=SC2120
fault_used()
{
	grep -e "${1:-}" "$tmp/faults.used" && return
	echo "no fault was applied: ${1:-}"
	return 1
}

n_changes()
{
	changes_glob=$1
	shift
	with_faults "change $changes_glob" "$@" || return 1
	# shellcheck disable=SC2034
	changes=$(wc -l <"$tmp/faults.used")
}

killed_at_change()
{
	change_n=$1 change_glob=$2
	shift 2
	ASAN_OPTIONS=$no_leaks \
		with_faults "change $change_glob nth=$change_n run=kill -KILL \$PPID" \
		"$@"
	change_status=$?
	[ $change_status = 137 ]
}

in_memory()
{
	mkdir mem || return 1
	if mount -t tmpfs -o size=500m,mode=755 tmpfs mem 2>/dev/null; then
		cd mem || return 1
	fi
}
