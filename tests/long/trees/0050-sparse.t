#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sparse file of 10 GiB stays sparse, and costs what its data costs.
. "${0%/*}/../../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse
mkdir src && "$PYTHON" - <<'EOF' || exit 1
import random
rnd = random.Random(7)
with open("src/sparse", "wb") as f:
    for i in range(200):
        f.seek(rnd.randrange(10 << 30))
        f.write(rnd.randbytes(rnd.randrange(1, 300000)))
    f.truncate((10 << 30) + 12345)
EOF
t 'packed in little time' timeout 600 "$DESFS_PACK" -q src des
t 'small' test "$(du -sm des | cut -f 1)" -lt 100
t 'mounted' mount_up des mnt
t 'its size' test "$(stat -c %s mnt/sparse)" = 10737430585
t 'the same bytes' cmp src/sparse mnt/sparse
t 'rsync finds no difference' same_by_rsync src mnt
data_bytes()
{
	"$PYTHON" - "$1" <<-'EOF'
	import os, sys
	fd = os.open(sys.argv[1], os.O_RDONLY)
	at = n = 0
	while True:
	    try:
	        at = os.lseek(fd, at, os.SEEK_DATA)
	    except OSError:
	        break
	    end = os.lseek(fd, at, os.SEEK_HOLE)
	    n += end - at
	    at = end
	print(n)
	EOF
}
sparse_mount()
{
	n=$(data_bytes mnt/sparse) && echo "$n" && [ "$n" -lt 150000000 ]
}
t 'SEEK_DATA passes over holes' sparse_mount
t 'extracted' "$DESFS" extract des out
t 'the same again' cmp src/sparse out/sparse
t 'and sparse' test "$(du -sm out | cut -f 1)" -lt 150
