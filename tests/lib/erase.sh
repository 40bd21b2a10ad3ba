# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# erase.sh - trees of which files are deleted for good, for shell tests.  After
# tap.sh and tree.sh:
#
#	erase_tree DIR COUNT [SIZE]  DIR/a and DIR/b with COUNT files each; a file
#	                          NNNN-WORD has SIZE bytes or so, text that tells
#	                          its name over and over and numbers between
#	erase_pick DIR FIRST STEP    every STEPth file from FIRST on, a path each
#	erase_words FILE          the words, of those paths, that no name and no
#	                          content of another file has: to be searched for
#	nowhere WORDS PATH...     none of them is below the paths, in any frame
#	extracts_as ARCHIVE TREE...  all of it is as one of the trees; sets $tree
erase_tree()
{
	"$PYTHON" - "$@" <<-'EOF'
	import hashlib, os, sys
	where, count = sys.argv[1], int(sys.argv[2])
	size = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
	for d in "ab":
	    os.makedirs(os.path.join(where, d), exist_ok=True)
	    for i in range(count):
	        word = hashlib.sha256(b"%s/%d" % (d.encode(), i)).hexdigest()[:16]
	        path = os.path.join(where, d, "%04d-%s" % (i, word))
	        out = hashlib.shake_128(path.encode()).digest(size)
	        n = max(1, size // 500)
	        text = b"".join(b"\nhere is %s, " % word.encode() +
	                        out[j * 400:j * 400 + 400] for j in range(n))
	        with open(path, "wb", buffering=0) as f:
	            f.write(text)
	        os.utime(path, (1700000000 + i, 1700000000 + i))
	    os.utime(os.path.join(where, d), (1700000000, 1700000000))
	EOF
}

erase_pick()
{
	(cd "$1" && find a b -type f | sort | awk -v a="$2" -v s="$3" \
		'(NR - a) % s == 0 && NR >= a')
}

# Names in pages share beginnings: the tail of the word is in one piece.
erase_words()
{
	sed 's/.*-....//' "$1"
}

nowhere()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/find-anywhere.py" "$@" >nowhere.out && return
	head -n 10 nowhere.out
	return 1
}

extracts_as()
{
	as_archive=$1
	shift
	rm -rf out
	"$DESFS" extract "$as_archive" out >extract.out 2>&1 || {
		cat extract.out
		return 1
	}
	for tree; do
		diff -r "$tree" out >tree.diff && return
		cat tree.diff
	done
	return 1
}
