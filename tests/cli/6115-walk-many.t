#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# More directories in one than a walker keeps the names of in memory: what is
# found is all there is, however many walk.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

when=2026-01-01T10:00:00Z

# At two levels, and some have one below.
many()
{
	"$PYTHON" - <<-'EOF'
	import os
	os.makedirs("src/wide")
	os.chdir("src/wide")
	for i in range(2500):
	    os.mkdir("%s%05d" % ("n" * 240, i))
	name = "n" * 240 + "00007"
	os.chdir(name)
	for i in range(2500):
	    os.mkdir("%s%05d" % ("m" * 240, i))
	    if i % 100 == 0:
	        os.mkdir("%s%05d/below" % ("m" * 240, i))
	EOF
}
t 'many directories in two' many
pack()
{
	"$DESFS_PACK" -q --json --created-at $when "$@" >json &&
		tail -n 1 json | sed 's/.*"spilled_bytes":\([0-9]*\).*/\1/' \
			>spilled && cat spilled
}
t 'are packed by one thread' pack --jobs 1 src one
t 'whose names went to a file' [ "$(cat spilled)" -gt 500000 ]
t 'by four' pack --jobs 4 src four
shards_of one >one.sum
shards_of four >four.sum
t 'which make the same' cmp one.sum four.sum
complete()
{
	"$DESFS" extract one out && (cd src && find . | sort) >want &&
		(cd out && find . | sort) >got && cmp want got
}
t 'of all there is' complete
t 'a rerun has nothing to do' pack --jobs 4 src one
unchanged()
{
	shards_of one >again.sum && cmp one.sum again.sum
}
t 'and adds no shard' unchanged
few()
{
	mkdir few few/a few/b && pack few few.ar && [ "$(cat spilled)" = 0 ]
}
t 'few names go to no file' few
