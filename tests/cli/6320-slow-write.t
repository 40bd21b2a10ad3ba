#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file in the middle of one long write(2), whose time was set where it began,
# is not archived half written.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

# shellcheck disable=SC2086
need 'needs a compiler' $CC -O1 -I"$BUILDDIR" -o slow-write \
	"$SRCDIR/tests/lib/slow-write.c" -lpthread
size=16777216
mkdir src && touch src/f go
need 'needs userfaultfd' ./slow-write src/f 65536 b go

bytes_of()
{
	tr -d "$2" <"$1" | wc -c
}
stop_write()
{
	rm -f go && head -c $size /dev/zero | tr '\0' a >src/f || return 1
	./slow-write src/f $size b go >stopped 2>&1 &
	writer=$!
	wait_for 60 grep -q stopped stopped
}
half_written()
{
	half=$(bytes_of src/f a) && echo "$half bytes are new" &&
		[ "$half" -gt 0 ] && [ "$half" -lt $size ]
}
# It has ended, or waits for the file system, and that for two seconds, as it
# does for the disk now and then.
is_held()
{
	kill -0 "$packer" 2>/dev/null || return 0
	if grep -qs '^State:.D' "/proc/$packer/task/"*/status; then
		held_n=$((held_n + 1))
	else
		held_n=0
	fi
	[ $held_n -ge 20 ]
}
pack_while_stopped()
{
	"$DESFS_PACK" -q "$@" src a >err 2>&1 &
	packer=$!
	held_n=0
	wait_for 60 is_held
	held=$?
	touch go
	wait $packer
	pack_status=$?
	wait "$writer" && cat err && [ $held = 0 ]
}
whole_or_reported()
{
	rm -rf out && "$DESFS" extract a out || return 1
	case $pack_status in
	0) [ "$(bytes_of out/f a)" = $size ] || [ "$(bytes_of out/f b)" = $size ] ;;
	1) grep 'f: ' err && [ ! -e out/f ] ;;
	*) return 1 ;;
	esac
}
same_content()
{
	"$DESFS" cat a f | cmp - src/f
}
# Small files are read at once, large ones by blocks.
for block in 16M 64K; do
	rm -rf a
	t "$block: a write stops in the middle" stop_write
	t 'when the file has some new bytes' half_written
	t 'it is packed' pack_while_stopped --block-size $block
	t 'whole, or it is reported' whole_or_reported
	t 'the next run has it' "$DESFS_PACK" -q src a
	t 'as it is' same_content
done
