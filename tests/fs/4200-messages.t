#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What was read once is the kernel's: no more messages.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse

files src/read 1000 900
n_list=$(scaled 20000)
files src/list "$n_list" 10
files src/list2 "$n_list" 10
mkdir src/links && ln -s ../read/000001 src/links/a
mkdir src/dirs
for i in 0 1 2 3 4 5 6 7 8 9; do
	files src/dirs/$i 15 100
	ln -s 000001 src/dirs/$i/link
done
t 'packed' "$DESFS_PACK" -q src des
t 'mounted' mount_up des mnt

# The numbers of messages, the control files' own apart.
counts()
{
	grep '^fuse_' mnt/.des/stats
}
# grown NAME: how many more of a kind between the files before and after
grown()
{
	awk -v name="fuse_$1" '$1 == name { n = FNR == NR ? -$2 : n + $2; k++ }
		END { if (k != 2) exit 1; print n }' before after
}
show()
{
	diff before after
	return 0
}
read_files()
{
	"$PYTHON" - <<-'EOF'
	import os
	for i in range(1000):
	    fd = os.open("mnt/read/%06d" % i, os.O_RDONLY)
	    st = os.fstat(fd)
	    data = os.read(fd, 1 << 20)
	    assert len(data) == st.st_size == 900
	    os.close(fd)
	EOF
}

first_pass()
{
	counts >before && read_files && counts >after && show &&
		[ "$(grown lookup)" -ge 1000 ] && [ "$(grown read)" -ge 1000 ] &&
		[ "$(grown messages)" -le 2100 ]
}
second_pass()
{
	counts >before && read_files && counts >after && show &&
		[ "$(grown messages)" = 0 ]
}
# The kernel may drop a page when memory is short, as it is while other tests
# fill its caches; what never is silent is a fault of ours.
silent()
{
	"$@" || "$@" || "$@"
}
t 'reading 1,000 files costs a lookup and a read each' first_pass
t 'reading them again no message' silent second_pass

list_twice()
{
	# shellcheck disable=SC2012
	[ "$(ls -l mnt/list | wc -l)" = $((n_list + 1)) ]
}
only_readdirplus()
{
	counts >before && list_twice && counts >after && show &&
		[ "$(grown readdirplus)" -gt 0 ] &&
		[ "$(grown readdir)" = 0 ] &&
		[ "$(grown lookup)" -le 2 ] &&
		[ "$(grown getattr)" -le 2 ] &&
		[ "$(grown getxattr)" -le 2 ] &&
		[ "$(grown listxattr)" -le 2 ] &&
		[ $(($(grown messages) - $(grown readdirplus))) -le 5 ] &&
		[ "$(grown readdirplus)" -le $((n_list / 10)) ]
}
t "ls -l of $n_list entries needs READDIRPLUS only" only_readdirplus

no_message()
{
	counts >before && "$@" >out && counts >after && show &&
		[ "$(grown messages)" = 0 ]
}
t 'ls -l again needs nothing' silent no_message ls -l mnt/list

cat mnt/links/a >/dev/null
ls -l mnt/links >/dev/null
not ls mnt/not-here mnt/read/not-here 2>/dev/null
t 'links are kept' silent no_message cat mnt/links/a
t 'what is not there is kept too' silent no_message sh -c '
	! cat mnt/not-here mnt/read/not-here 2>/dev/null'

find mnt/list2 -type f -size +1k >/dev/null
# find asks for the kind of file system, which the kernel does not keep.
find_again()
{
	counts >before && find mnt/list2 -type f -size +1k && counts >after &&
		show && [ $(($(grown messages) - $(grown statfs))) = 0 ]
}
t 'find again needs nothing' silent find_again

# A directory that fits a page costs one message with all of it and one that says
# that this was all.
few_per_directory()
{
	counts >before && find mnt/dirs -printf '%s %p\n' >out && counts >after && show &&
		[ "$(wc -l <out)" = 171 ] &&
		[ "$(grown readdirplus)" -le 22 ] &&
		[ $(($(grown messages) - $(grown readdirplus))) -le 5 ]
}
t 'small directories cost two messages each' few_per_directory

# Whatever programs ask about a tree, once more than the first time.
ask_all()
{
	ls -lR mnt/dirs >out && [ "$(grep -c -- '-> 000001$' out)" = 10 ] &&
		"$PYTHON" - <<-'EOF'
	import errno, os

	def fails(wanted, call, *args):
	    try:
	        call(*args)
	    except OSError as e:
	        assert e.errno in wanted, (call, args, e)
	    else:
	        raise AssertionError((call, args))

	gone = (errno.ENOENT,)
	none = (errno.ENOTSUP, errno.ENODATA)
	for name in ["mnt/dirs"] + ["mnt/dirs/%d" % i for i in range(10)]:
	    children = os.listdir(name)
	    assert len(children) in (10, 16)
	    for child in children:
	        path = os.path.join(name, child)
	        st = os.lstat(path)
	        assert os.access(path, os.R_OK)
	        assert os.path.islink(path) == (child == "link")
	        if child == "link":
	            assert os.readlink(path) == "000001"
	            assert os.stat(path).st_size == 100
	        os.close(os.open(path, os.O_RDONLY))
	        fails(none, os.getxattr, path, "user.some")
	        fails(none, os.getxattr, path, "security.capability")
	        try:
	            assert not os.listxattr(path)
	        except OSError as e:
	            assert e.errno in none
	    for missing in "none", ".git", "000001.gz":
	        path = os.path.join(name, missing)
	        fails(gone, os.stat, path)
	        fails(gone, os.open, path, os.O_RDONLY)
	        fails(gone, os.readlink, path)
	        fails(gone, os.listdir, path)
	EOF
}
t 'a tree answers all questions' ask_all
asked_again()
{
	counts >before && ask_all && counts >after && show &&
		[ "$(grown messages)" = 0 ]
}
t 'and the same again without a message' silent asked_again

control_apart()
{
	before=$(stat_of mnt control_messages) &&
		cat mnt/.des/metrics mnt/.des/stats >/dev/null &&
		[ "$(stat_of mnt control_messages)" -gt "$before" ]
}
t 'messages about control files are counted apart' control_apart

# Hundreds of snapshots of control files do not pile up.
many_snapshots()
{
	i=0
	while [ $i -lt 300 ]; do
		stat_of mnt fuse_messages >/dev/null || return 1
		i=$((i + 1))
	done
}
t 'control files can be read again and again' many_snapshots

