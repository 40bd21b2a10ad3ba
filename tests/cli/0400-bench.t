#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The benchmarks judge rightly, and their archives are what desfs-pack makes.
. "${0%/*}/../lib/tap.sh"

PYTHON=${PYTHON:-python3}
need 'no Python' "$PYTHON" -c ''
# shellcheck disable=SC2016 # not the shell's
need 'Python is older than 3.9' "$PYTHON" -c \
	'import sys; sys.exit(sys.version_info < (3, 9))'

t 'peers are scaled, goals judged' "$PYTHON" "$SRCDIR/tests/bench/selftest.py"
t 'those of packing, too' "$PYTHON" \
	"$SRCDIR/tests/bench/selftest-packing.py"

gen=$BUILDDIR/tests/bench/gen-archive

t 'an archive of 10,000 files is made' "$gen" 10000 grown
t 'and all is well with it' "$DESFS" verify --deep grown
t 'the second reader finds nothing wrong' desread_ok grown

# The files that gen-archive stands for.
make_tree()
{
	"$PYTHON" - "$1" src <<-'EOF'
	import os, sys
	sys.path.insert(0, os.path.join(os.environ["SRCDIR"], "tests/bench"))
	sys.dont_write_bytecode = True
	import growth
	text = ('{"number": %08d, "state": "archived", "owner": "somebody", '
	        '"note": "one of many", "version": 3}\n')
	for i in range(int(sys.argv[1])):
	    path = os.path.join(sys.argv[2], growth.path_of(i))
	    os.makedirs(os.path.dirname(path), exist_ok=True)
	    with open(path, "w") as f:
	        f.write(text % i)
	EOF
	find src -type d -exec chmod 755 {} +
	find src -type f -exec chmod 644 {} +
	find src -exec touch -d 2024-01-01T00:00:00Z {} +
}
shards()
{
	(cd "$1" && sha256sum desfs.json 2*/*) | sort
}
same_as_packed()
{
	make_tree 1100 && "$gen" 1100 made &&
		"$DESFS_PACK" -q --created-at 2024-01-01 src packed &&
		shards packed >want && shards made >have && diff want have &&
		[ -s want ]
}
if [ "$(id -u)" = 0 ]; then
	t 'desfs-pack makes the same of such files' same_as_packed
else
	skip_t 'desfs-pack makes the same of such files' \
		'files have to be those of root'
fi
t 'it does not touch what is there' not "$gen" 10000 grown
