#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Attributes larger than most disks take.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse
need_root
mkdir ram
need 'tmpfs cannot be mounted' mount -t tmpfs -o size=8m tmpfs ram
echo x >ram/f && echo x >ram/g && mkdir ram/d
need 'tmpfs has no attributes here' setfattr -n user.x -v 1 ram/f

"$PYTHON" -c 'import os
os.setxattr("ram/f", "user.large", bytes(range(250)) * 240)
os.setxattr("ram/d", "trusted.large", b"\0" * 65000)
for i in range(8):
    os.setxattr("ram/g", "user.%d" % i, b"%d" % i * 7000)' || exit 1
t 'attributes of 60,000 bytes are packed' "$DESFS_PACK" -q ram des
t 'and mounted' mount_up des mnt
t 'and are the same' same_by_rsync ram mnt
dump()
{
	(cd "$1" && find . | sort | while IFS= read -r f; do
		getfattr -d -m - -e hex "$f"
	done)
}
same_dump()
{
	dump ram >want && dump mnt >have && cmp want have && grep -c large have
}
t 'getfattr sees the same' same_dump
