#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mount looks like what was packed: every kind of entry, and real trees.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

# The first of the usual directories that make up 5,000 files and are no larger
# than 400 MB.
real_trees()
{
	n=0
	for d in /usr/include /usr/share/doc /usr/share/perl /usr/share/man \
		/usr/share/zoneinfo /usr/lib/python3 /usr/share; do
		[ -d $d ] || continue
		[ "$(du -sm $d | cut -f 1)" -lt 400 ] || continue
		echo $d
		n=$((n + $(find $d -type f | head -n 5000 | wc -l)))
		[ $n -lt 5000 ] || return 0
	done
	return 1
}

# compare WHAT A B
compare()
{
	t "rsync finds no difference: $1" same_by_rsync "$2" "$3"
	t "nor does diff: $1" same_by_diff "$2" "$3"
	t "nor does find: $1" same_by_find "$2" "$3"
}

oddities src --count "$(scaled 100000)" 2>notes
sed 's/^/# /' notes
t 'oddities are packed' "$DESFS_PACK" -q src odd
t 'the independent reader agrees' reader_agrees odd
t 'and mounted' mount_up odd mnt
compare 'oddities' src mnt

extents()
{
	"$PYTHON" - "$1" <<-'EOF'
	import errno, os, sys
	fd = os.open(sys.argv[1], os.O_RDONLY)
	at = 0
	while True:
	    try:
	        at = os.lseek(fd, at, os.SEEK_DATA)
	    except OSError as e:
	        assert e.errno == errno.ENXIO
	        break
	    end = os.lseek(fd, at, os.SEEK_HOLE)
	    for block in range(at // 131072, (end - 1) // 131072 + 1):
	        print(block)
	    at = end
	EOF
}
same_holes()
{
	for f in middle ends only; do
		extents "src/holes/$f" | uniq >want
		extents "mnt/holes/$f" | uniq >have
		diff want have || return 1
	done
}
t 'holes are holes' same_holes
t 'sockets are left out' not test -e mnt/special/sockets/socket
t 'nothing hides the control directory from who asks' test -f mnt/.des/stats
control_hidden()
{
	# shellcheck disable=SC2010,SC2012
	[ "$(ls -a mnt | grep -c '^\.des$')" = 0 ]
}
t 'readdir does not show it' control_hidden

acl_of()
{
	(cd "$1" && find acls | sort | xargs getfacl -n)
}
same_acls()
{
	acl_of src >want && acl_of mnt >have && diff want have &&
		grep -q default: have
}
if setfacl -m u:1:r notes 2>/dev/null; then
	t 'ACLs are the same' same_acls
else
	skip_t 'ACLs are the same' 'no ACLs here'
fi

# shellcheck disable=SC2046
pack_real()
{
	real_trees >trees || { cat trees; return 1; }
	"$DESFS_PACK" -q $(cat trees) real
}
t '5,000 files of this system are packed' pack_real
t 'the independent reader agrees with that too' reader_agrees real
t 'they are mounted' mount_up real realmnt
while IFS= read -r d; do
	if [ "$(wc -l <trees)" = 1 ]; then
		compare "$d" "$d" realmnt
	else
		compare "$d" "$d" "realmnt/${d##*/}"
	fi
done <trees
