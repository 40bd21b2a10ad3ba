#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mount(8) and fstab find the helper once it is installed.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse
need_root
need 'needs a mount namespace' \
	unshare -m sh -c "mkdir u && mount -t tmpfs tmpfs u"

files src/dir 10
"$DESFS_PACK" -q src des || exit 1
mkdir mnt mnt2 mnt3

# In a mount namespace of its own, with the programs where make install puts
# them; all mounts go with the namespace.
cat >in-namespace <<E2
set -e
mount -t tmpfs tmpfs u
cp -a /sbin/. u
mount --bind u /sbin
cp "$MOUNT_DESFS" "$DESFS" /sbin
cd "$tmp"
"\$@"
E2
installed()
{
	unshare -m --propagation private sh in-namespace "$@"
}
# on_mount DIR COMMAND...: then the mount is there, and goes
on_mount()
{
	dir=$1
	shift
	cat >script <<-EOF
	set -e
	"\$@"
	grep " $tmp/$dir " /proc/self/mountinfo
	cmp src/dir/000003 "$dir/dir/000003"
	umount "$dir"
	EOF
	installed sh script "$@"
}
t 'mount -t desfs' on_mount mnt mount -t desfs "$tmp/des" "$tmp/mnt"
t 'mount -t desfs with options' on_mount mnt \
	mount -t desfs -o ro,allow_other,refresh=5,noatime "$tmp/des" "$tmp/mnt"
t 'mount -t fuse.desfs' on_mount mnt \
	mount -t fuse.desfs "$tmp/des" "$tmp/mnt"
cat >fstab <<EOF
$tmp/des $tmp/mnt2 desfs ro,noauto,_netdev,x-systemd.automount 0 0
$tmp/des $tmp/mnt3 fuse.desfs defaults,user,noexec 0 0
EOF
t 'a line of fstab' on_mount mnt2 mount -T fstab "$tmp/mnt2"
t 'one of type fuse.desfs' on_mount mnt3 mount -T fstab "$tmp/mnt3"
t 'mount -a' on_mount mnt3 mount -T fstab -a
t 'mount tells of failure' not installed mount -t desfs "$tmp/no" "$tmp/mnt"
