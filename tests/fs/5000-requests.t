#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How many requests a mount of a bucket makes, case by case, each on what the
# cases before left in the caches.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"

need_fuse
need_fake

# 100 directories of 100 files, one of 1,000, one of 200, all in the root.
trees()
{
	"$PYTHON" - <<-'END'
	import os, random
	r = random.Random(3)
	def make(d, n, size):
	    os.makedirs("src/" + d)
	    for i in range(n):
	        with open("src/%s/f%04d" % (d, i), "wb") as f:
	            f.write(r.randbytes(r.randrange(size)))
	for i in range(100):
	    make("many%02d" % i, 100, 600)
	make("thousand", 1000, 300)
	make("twohundred", 200, 20000)
	make("shuffled", 200, 20000)
	make("readers", 256, 20000)
	END
}
t 'files' trees

start_fake || exit 1
make_bucket "$fake_url" bucket || exit 1
t 'packed into the bucket' "$DESFS_PACK" -q --endpoint "$fake_url" src \
	s3://bucket/ar
t 'into 16 shards' test "$(s3_keys "$fake_url" bucket | grep -c '\.des$')" = 16

up()
{
	fake_reset && mount_up s3://bucket/ar mnt -o "endpoint=$fake_url"
}
down()
{
	umount mnt 2>/dev/null || fusermount3 -u mnt
}
# A case: requests at most, command.
case_of()
{
	case_n=$1
	shift
	fake_reset && "$@" || return 1
	echo "$(fake_count GET) GET, $(fake_count LIST) LIST"
	at_most "$case_n" TOTAL && exactly "$(fake_count GET)" TOTAL
}
read_all()
{
	for i in $(find "src/$1" -name 'f*' -printf '%f\n' | sort); do
		cmp "src/$1/$i" "mnt/$1/$i" || return 1
	done
}

# Descriptor, list, log record, the tails of the root and of the directory.
first()
{
	up && cmp src/twohundred/f0100 mnt/twohundred/f0100 && {
		fake_count TOTAL
		at_most 6 TOTAL && exactly 1 LIST
	}
}
t 'mount and read one file in a directory of the root' first

again()
{
	up && stat mnt && at_most 2 TOTAL && at_most 1 LIST && at_most 1 GET
}
t 'unmounted' down
t 'mounted again with an index cache' again
t 'cat of 200 small files' case_of 6 read_all twohundred
echo "# $(fake_count GET) GETs"
t 'again' case_of 0 read_all twohundred
list()
{
	ls -l mnt/thousand >out && [ "$(wc -l <out)" = 1001 ]
}
t 'ls -l of 1,000 entries' case_of 2 list
echo "# $(fake_count GET) GETs"
names()
{
	find mnt -name 'f*' -path '*/many*' >out && [ "$(wc -l <out)" = 10000 ]
}
t 'find of 10,000 files in 100 directories' case_of 18 names
echo "# $(fake_count GET) GETs"
missing()
{
	for i in 0 1 2 3 4 5 6 7 8 9; do
		for k in 0 1 2 3 4 5 6 7 8 9; do
			[ ! -e mnt/thousand/no$i$k ] || return 1
		done
	done
}
t 'stat of 100 missing names in a directory already read' case_of 0 missing
t 'hardly more bytes than were wanted' test "$(stat_of mnt volume_fetch_bytes)" -le \
	$(($(stat_of mnt volume_fetch_used) * 8 + 1048576))

shuffled()
{
	for i in $(find src/shuffled -name 'f*' -printf '%f\n' | sort |
		shuf --random-source="$0"); do
		cmp "src/shuffled/$i" "mnt/shuffled/$i" || return 1
	done
}
t '200 files in any order' case_of 10 shuffled
echo "# $(fake_count GET) GETs"

# Readers at once cause hardly more requests than one.
fake_rules latency=20
readers()
{
	# shellcheck disable=SC2016
	find src/readers -name 'f*' -printf '%f\n' | xargs -P 64 -n 4 sh -c \
		'for f; do cmp "src/readers/$f" "mnt/readers/$f" || exit 1; done' sh
}
t '64 readers of one directory' case_of 12 readers
echo "# $(fake_count GET) GETs"
fake_rules

t 'unmounted' down
whole()
{
	tar -C mnt -cf - . | tar -C src -df -
}
t 'mounted' up
fake_reset
t 'tar of all is right' whole
echo "# $(fake_count GET) GETs"
t 'in few requests' at_most 64 TOTAL
t 'unmounted' down
