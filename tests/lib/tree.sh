# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# tree.sh - trees, mounts and their comparison, for shell tests.  After tap.sh:
#	. "$SRCDIR/tests/lib/tree.sh"
#
#	oddities DIR [args]     every kind of entry, see make-oddities.py
#	files DIR COUNT [SIZE]  COUNT files 000000 ... of hex digits
#	mount_up ARCHIVE DIR [args]  make DIR, mount there
#	stat_of DIR NAME        one number of DIR/.des/stats
#	same_by_rsync A B       rsync sees no difference in content or metadata
#	same_by_diff A B        nor does diff; without what it cannot compare
#	same_by_find A B        nor does find, which also counts links
#	shards_of ARCHIVE       keys and digests of all shards
#	reader_agrees ARCHIVE   the independent reader verifies it
#	old_tree DIR; new_tree DIR  every kind of change between two packs
#	readers_begin DIR       open its modified and deleted, before they change
#	readers_end             true when both still had their bytes
#	in_tenths               true under a sanitizer, and where the environment has
#	                        TEST_SIZES=tenth
#	scaled N                N; a tenth of it under a sanitizer, and where the
#	                        environment has TEST_SIZES=tenth
PYTHON=${PYTHON:-/usr/bin/python3}

oddities()
{
	"$PYTHON" "$SRCDIR/tests/lib/make-oddities.py" "$@"
}

files()
{
	"$PYTHON" - "$@" <<-'EOF'
	import hashlib, os, sys
	where, count = sys.argv[1], int(sys.argv[2])
	size = int(sys.argv[3]) if len(sys.argv) > 3 else 64
	os.makedirs(where, exist_ok=True)
	os.chdir(where)
	for i in range(count):
	    text = hashlib.shake_128(b"%d" % i).hexdigest((size + 1) // 2)
	    with open("%06d" % i, "wb", buffering=0) as f:
	        f.write(text[:size].encode())
	EOF
}

mount_up()
{
	mkdir -p "$2" && "$MOUNT_DESFS" "$@"
}

stat_of()
{
	awk -v name="$2" '$1 == name { print $2; n++ } END { exit n != 1 }' \
		"$1/.des/stats"
}

# Nanoseconds of mtime count too.  Sockets are not packed.
same_by_rsync()
{
	rsync -rlptgoDHX --checksum --dry-run -i --delete --modify-window=-1 \
		--exclude='/special/sockets/*' "$1/" "$2/" >rsync.out 2>&1
	rsync_status=$?
	head -n 50 rsync.out
	[ $rsync_status = 0 ] && [ ! -s rsync.out ]
}

same_by_diff()
{
	diff -r --no-dereference --exclude=special "$1" "$2" >diff.out 2>&1
	diff_status=$?
	head -c 5000 diff.out
	[ $diff_status = 0 ] && [ ! -s diff.out ]
}

listing()
{
	(cd "$1" && find . -path './special/sockets/*' -prune -o \
		-type d -printf '%p %y %m %U %G %T@\n' -o \
		-printf '%p %y %m %U %G %s %T@ %n %l\n') | sort
}

same_by_find()
{
	listing "$1" >find.a && listing "$2" >find.b && [ -s find.a ] &&
		! diff find.a find.b >find.diff 2>&1 && head -c 5000 find.diff
	cmp find.a find.b
}

shards_of()
{
	(cd "$1" && find . -name '*.des' -exec sha256sum {} + | sort -k 2)
}

reader_agrees()
{
	"$PYTHON" "$SRCDIR/tests/lib/desread.py" verify "$1"
}

old_tree()
{
	(mkdir -p "$1" && cd "$1" &&
		mkdir -p same dir/sub gone/below many &&
		echo same >same/file &&
		echo old >modified && echo old >dir/sub/modified &&
		echo old >deleted && echo old >dir/deleted &&
		echo old >renamed-from &&
		echo file >file-to-dir &&
		mkdir dir-to-file && echo child >dir-to-file/child &&
		mkdir dir-to-dir && echo child >dir-to-dir/child &&
		ln -s file same/link && ln -s old link-modified &&
		mkdir moved && echo moved >moved/file &&
		echo mode >mode-modified &&
		echo below >gone/below/file &&
		echo one >hard && ln hard hard2 &&
		echo link >file-to-link &&
		files many 300)
}

new_tree()
{
	(cd "$1" &&
		echo newer >modified && echo newer >dir/sub/modified &&
		rm deleted dir/deleted &&
		mv renamed-from renamed-to &&
		rm file-to-dir && mkdir file-to-dir &&
		echo inside >file-to-dir/inside &&
		rm -r dir-to-file && echo file >dir-to-file &&
		ln -sf new link-modified &&
		mv moved moved-to &&
		chmod 600 mode-modified &&
		rm -r gone && rm hard2 &&
		ln -sf same file-to-link &&
		echo added >added && mkdir -p added-dir/sub &&
		rm many/00001? && echo x >many/000100 &&
		touch -d 2020-01-01 many/000101)
}

readers_begin()
{
	cat <<-'EOF' >readers.py
	import sys
	f = open(sys.argv[1], "rb")
	m = open(sys.argv[2], "rb")
	print("open", flush=True)
	sys.stdin.readline()
	assert f.read() == b"old\n", "modified"
	assert m.read() == b"old\n", "deleted"
	print("kept", flush=True)
	EOF
	mkfifo ask && : >answer
	"$PYTHON" readers.py "$1/modified" "$1/deleted" <ask >answer 2>&1 &
	readers=$!
	exec 3>ask
	wait_for 20 grep -q open answer
}
readers_end()
{
	echo >&3
	exec 3>&-
	wait "$readers"
	cat answer
	grep -q kept answer
}

in_tenths()
{
	[ "${TEST_SIZES:-}" = tenth ] ||
		grep -qE '__(asan|tsan)_init' "$DESFS_PACK"
}

scaled()
{
	if in_tenths; then
		echo $(($1 / 10))
	else
		echo "$1"
	fi
}
