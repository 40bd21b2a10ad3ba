#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount gives nobody a right he had not; extract writes nothing outside.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse
need_root

chmod 755 "$tmp"
mkdir -p src/private src/shared
echo secret >src/private-file && chmod 600 src/private-file
echo secret >src/private/file && chmod 700 src/private
echo public >src/public && echo group >src/group && chmod 640 src/group
chown 0:1 src/group
echo listed >src/acl && chmod 600 src/acl
has_acl=
setfacl -m u:65534:r src/acl 2>/dev/null && has_acl=1
cp "$(command -v id)" src/setuid-id && chmod 4755 src/setuid-id
mknod src/null c 1 3 && chmod 666 src/null

as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

t 'packed' "$DESFS_PACK" -q src des
t 'mounted with allow_other' mount_up des mnt -o allow_other
t 'root reads what is private' cat mnt/private-file mnt/private/file
t 'others read what is public' as_nobody cat mnt/public
t 'not a file of mode 0600' not as_nobody cat mnt/private-file
t 'not even after root has read it' not as_nobody cat mnt/private-file
t 'not what is in a directory of mode 0700' \
	not as_nobody cat mnt/private/file
t 'nor its list' not as_nobody ls mnt/private
t 'not what a group may' not as_nobody cat mnt/group
t 'the group may' setpriv --reuid=65534 --regid=1 --clear-groups cat mnt/group
t 'not through the control directory' \
	not as_nobody cat mnt/.des/info/private-file
t 'nor by day' not as_nobody sh -c 'cat mnt/.des/by-date/*/private-file'
t 'nor requests' not as_nobody cat mnt/.des/requests
if [ "$has_acl" ]; then
	t 'who an ACL lets in may read' as_nobody cat mnt/acl
	t 'others may not' not setpriv --reuid=65533 --regid=65533 \
		--clear-groups cat mnt/acl
else
	skip_t 'who an ACL lets in may read' 'no ACLs here'
fi

mount_has()
{
	awk -v d="$tmp/mnt" '$5 == d { print $6 }' /proc/self/mountinfo >opts
	cat opts
	grep -qE "(^|,)$1(,|\$)" opts
}
for o in ro nosuid nodev; do
	t "the mount is $o" mount_has $o
done
setuid_inert()
{
	[ "$(stat -c %a mnt/setuid-id)" = 4755 ] &&
		[ "$(as_nobody mnt/setuid-id -u)" = 65534 ]
}
t 'a setuid program runs as its caller' setuid_inert
t 'a device is not opened' not sh -c 'cat mnt/null'
t 'nothing can be written' not sh -c 'echo x >mnt/public'
t 'or made' not touch mnt/new
t 'or removed' not rm -f mnt/public
t 'or given another mode' not chmod 777 mnt/private-file

t 'mounted without allow_other' mount_up des mnt2
t 'others see nothing' not as_nobody ls mnt2

t 'mounted with an owner and a mask' \
	mount_up des mnt3 -o allow_other,uid=65534,gid=65534,umask=077
owned()
{
	[ "$(stat -c %u:%g:%a mnt3/public)" = 65534:65534:600 ] &&
		[ "$(stat -c %a mnt3/setuid-id)" = 4700 ]
}
t 'which are shown' owned
t 'and count' as_nobody cat mnt3/public
t 'for others too' not setpriv --reuid=1 --regid=1 --clear-groups cat mnt3/public

# An archive made by somebody else.  extract may fail, or leave things out, but
# all it writes is below its target.
mkdir cell cell/outside && echo canary >cell/outside/canary
chmod 644 cell/outside/canary
touch -d 2001-01-01 cell/outside/canary cell/outside cell
snapshot()
{
	find cell -path cell/out -prune -o -path cell/dest -prune -o \
		-printf '%p %y %m %U %G %s %T@ %n %l\n' | sort
	cat cell/outside/canary
}
t 'a hostile archive' \
	"$BUILDDIR/tests/lib/make-hostile" hostile "$tmp/cell/outside"
mkdir cell/out cell/dest
touch -d 2001-01-01 cell
snapshot >before
status_of()
{
	"$@"
	status=$?
	echo "status $status"
	[ $status -lt 99 ]
}
untouched()
{
	snapshot >after
	diff before after
}
nothing_else()
{
	(cd cell && find . -name '*dotdot*' -o -name '*climbs*' \
		-o -name '*absolute*' -o -name '*beneath*') | sort >all
	cat all
	! grep -v '^\./out/' all
}
t 'is extracted or refused' status_of "$DESFS" extract hostile cell/out
t 'nothing outside was touched' untouched
t 'or made' nothing_else
t 'no file is setuid' not sh -c 'find cell/out -perm /6000 | grep .'
t 'no device was made' not sh -c 'find cell/out -type c | grep .'
no_way_in()
{
	# No file was written through, or is another name of, what is outside.
	[ "$(stat -c %h cell/outside/canary)" = 1 ]
}
t 'the canary has one name' no_way_in
t 'the good files are there' cmp cell/out/good cell/out/zz-good

for p in link/beneath ../x both/beneath-both both2/beneath-both2 \
	dir/../../climbs /absolute up/beneath-up ..; do
	t "asked for alone: $p" status_of "$DESFS" extract hostile cell/out "$p"
done
t 'still nothing outside was touched' untouched
t 'or made' nothing_else

# Into a target that has links where the archive has directories.
ln -s "$tmp/cell/outside" cell/dest/dir &&
	ln -s "$tmp/cell/outside/canary" cell/dest/good
touch -d 2001-01-01 cell
t 'extracted over links' status_of "$DESFS" extract hostile cell/dest
t 'which are not followed' untouched
t 'into which nothing is written' not test -e cell/outside/good

t 'the hostile archive is mounted' mount_up hostile hmnt
t 'and listed' status_of ls -lR hmnt
no_bad_names()
{
	find hmnt -mindepth 1 -name '*/*' -o -name .. >bad
	cat bad
	[ ! -s bad ]
}
t 'without names that lead elsewhere' no_bad_names
t 'the good file is read' cmp hmnt/good hmnt/zz-good
t 'the daemon still serves' test -f hmnt/.des/stats
t 'verify survives it' status_of "$DESFS" verify hostile
t 'so does ls' status_of "$DESFS" ls -lR hostile
