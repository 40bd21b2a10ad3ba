#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016
# Several runs with --remove-source-files on one source: whatever goes is in one
# of their archives, under its name.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

in_memory

begin()
{
	rm -rf src orig a b a.out b.out && for d in 0 1 2 3 4 5; do
		files src/$d 60 2000 && ln src/$d/000001 src/hard-$d &&
			ln src/$d/000002 src/$d/hard && ln -s x src/$d/link &&
			: >src/$d/empty || return 1
	done && head -c 900000 /dev/urandom >src/large && cp -a src orig
}
pack()
{
	"$DESFS_PACK" --block-size 64K --remove-source-files src "$@"
}
# Each file is in its place, or in an archive.
none_lost()
{
	for none_a; do
		if [ -e "$none_a/desfs.json" ]; then
			"$DESFS" verify --deep "$none_a" >verify.out || {
				cat verify.out
				return 1
			}
			"$DESFS" extract "$none_a" "$none_a.out" || return 1
		fi
	done
	"$PYTHON" - <<-'EOT'
	import os, sys
	def what(path):
	    if os.path.islink(path):
	        return os.readlink(path)
	    return open(path, "rb").read() if os.path.exists(path) else None
	lost = [os.path.join(d, f)[5:] for d, _, fs in os.walk("orig") for f in fs]
	assert len(lost) > 380
	for where in "src", "a.out", "b.out":
	    lost = [f for f in lost
	            if what("%s/%s" % (where, f)) != what("orig/" + f)]
	sys.exit("lost: %s" % lost if lost else 0)
	EOT
}
# What the others came in between of is reported, and done by the next run.
together()
{
	begin || return 1
	pack a >a.log 2>&1 &
	first=$!
	pack "$1" >b.log 2>&1
	second_status=$?
	wait $first
	first_status=$?
	cat a.log b.log
	[ $first_status -le 1 ] && [ $second_status -le 1 ] && none_lost a b &&
		rm -rf a.out b.out && pack a && none_lost a b &&
		! find src ! -type d | grep .
}
t 'two into different archives' together b
t 'again' together b
t 'two into one archive' together a
t 'and again' together a

# One comes while the other has a file under a name that nobody knows.
hidden()
{
	begin && with_faults "unlink */.desfs-removing-* nth=$1 \
run=LD_PRELOAD= $DESFS_PACK --remove-source-files $PWD/src $PWD/b \
>$PWD/b.log 2>&1; true" "$DESFS_PACK" --remove-source-files src a >a.log 2>&1
	hidden_status=$?
	cat a.log b.log
	fault_used && [ $hidden_status = "$2" ] && none_lost a b
}
t 'the second takes all of the first' hidden 1 0
t 'in the middle' hidden 200 0

workers()
{
	begin && "$DESFS_PACK" -q --created-at 2026-01-01T00:00:00Z orig a ||
		return 1
	rm -rf a
	for i in 1 2 3 4; do
		pack --worker $i/4 a >$i.log 2>&1 &
	done
	wait
	cat ./?.log
	none_lost a && rm -rf a.out && for i in 1 2 3 4; do
		pack --worker $i/4 a || return 1
	done && none_lost a && ! find src ! -type d | grep .
}
t 'four workers' workers

# A checkpoint's shards are proven like any older ones.
resumed()
{
	begin && with_faults 'rename */a/2*.des nth=4 run=kill -9 $PPID; sleep 10' \
		"$DESFS_PACK" --block-size 64K --checkpoint ck \
		--remove-source-files src a
	[ $? = 137 ] && fault_used && diff -r --no-dereference orig src &&
		pack --checkpoint ck a && none_lost a &&
		! find src ! -type d | grep .
}
t 'a run that a checkpoint resumes' resumed
