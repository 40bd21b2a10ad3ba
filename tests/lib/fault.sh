# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# fault.sh - system calls that fail on demand, for shell tests.  After tap.sh:
#
#	with_faults RULES command [args]  the command under fault-shim.c; RULES
#	                                  are its lines
#	fault_used [PATTERN]              what was applied by the last of them;
#	                                  true when that is something
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

in_memory()
{
	mkdir mem || return 1
	if mount -t tmpfs -o size=500m,mode=755 tmpfs mem 2>/dev/null; then
		cd mem || return 1
	fi
}
