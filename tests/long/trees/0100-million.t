#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# find over 1,000,000 files leaves the daemon below 256 MiB.
. "${0%/*}/../../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse
"$PYTHON" - <<'EOF' || exit 1
import os
os.mkdir("src")
for d in range(100):
    os.makedirs("src/%02d" % d)
    at = os.open("src/%02d" % d, os.O_RDONLY)
    for i in range(10000):
        fd = os.open("file-%05d" % i, os.O_WRONLY | os.O_CREAT, 0o644,
                     dir_fd=at)
        os.write(fd, b"%d %d\n" % (d, i))
        os.close(fd)
    os.close(at)
EOF
# peak_of FILE: what GNU time(1) would call the maximum resident set, in kB
packed()
{
	"$DESFS_PACK" -q src des &
	pid=$!
	: >peaks
	while kill -0 $pid 2>/dev/null; do
		sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status \
			>>peaks 2>/dev/null
		sleep 0.2
	done
	echo "desfs-pack: $(sort -n peaks | tail -n 1) kB"
	wait $pid
}
t 'packed' packed
echo "# desfs-pack needed $(sort -n peaks | tail -n 1) kB"
mkdir mnt
"$MOUNT_DESFS" -f des mnt 2>log &
daemon=$!
t 'mounted' wait_for 30 test -d mnt/00
peak()
{
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$daemon/status
}
found()
{
	[ "$(find mnt "$@" | wc -l)" = 1000101 ]
}
t 'find finds 1,000,000 files' found
below()
{
	rss=$(peak) && echo "$rss kB" && [ "$rss" -lt 262144 ]
}
t 'the daemon is below 256 MiB' below
echo "# after find: $(peak) kB"
echo 3 >/proc/sys/vm/drop_caches 2>/dev/null
t 'find with stat, when the kernel has forgotten all' found -size -1000k
t 'the daemon is still below' below
echo "# after find -size: $(peak) kB"
kill -TERM $daemon
t 'ends on SIGTERM' wait $daemon
