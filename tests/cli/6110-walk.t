#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several threads walk: what they find does not depend on how many there are,
# nor on what changes below them, and nothing outside the source is found.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

when=2026-01-01T10:00:00Z

# Wide, deep, flat and bushy places; hard links from each to others.
nasty()
{
	"$PYTHON" - "$1" "$(scaled 6000)" <<-'EOF'
	import os, sys
	top, many = sys.argv[1], int(sys.argv[2])

	def fill(names, content):
	    for n in names:
	        with open(n, "wb", buffering=0) as f:
	            f.write(content + n.encode())
	def down(name):
	    os.makedirs(name, exist_ok=True)
	    os.chdir(name)

	os.umask(0o022)
	down(top)
	root = os.getcwd()
	down("flat")
	fill(["f%d" % i for i in range(many)], b"flat ")
	fill(["%s%03d" % ("n" * 252, i) for i in range(100)], b"long ")
	for i in range(0, many, 7):
	    os.mkdir("d%d" % i)
	os.chdir(root)
	down("bushy")
	for i in range(40):
	    for k in range(10):
	        os.makedirs("%d/%d/empty" % (i, k))
	        fill(["%d/%d/%d" % (i, k, n) for n in range(3)], b"bushy ")
	os.chdir(root)
	down("deep")
	for i in range(150):
	    down(("%d " % i) * 40)
	    fill(["file"], b"deep ")
	    os.mkdir("beside")
	    fill(["beside/file"], b"beside ")
	    # Its other names are far away, some in the directory all began in.
	    fd = os.open(root + "/flat", os.O_RDONLY)
	    os.link("file", "link%d" % i, dst_dir_fd=fd)
	    os.link("file", "../link")
	    os.close(fd)
	    os.symlink("/etc", "to-etc")
	    os.symlink("..", "up")
	os.chdir(root)
	os.mkfifo("fifo")
	EOF
}

# Some file systems have none.
attributes()
{
	for f in src/flat/f1 src/flat/f22 src/bushy/3/4/1 src/bushy/7 src; do
		setfattr -n user.of -v "$f" "$f" 2>/dev/null || return 0
	done
	head -c 3000 /dev/zero | tr '\0' v >value
	setfattr -n user.long -v "$(cat value)" src/flat/f2
	n=0
	while [ $n -lt 20 ]; do
		setfattr -n "user.one-of-many-names-$n" -v $n src/flat/f3
		n=$((n + 1))
	done
}

# What was told, but for times, memory and the order.
told()
{
	sed 's/,"slots":.*//' "$1.json" | sort
	sed 's/^.*error: //' "$1.err" | sort
}
# pack SOURCE ARCHIVE [options]
pack()
{
	pack_from=$1 pack_to=$2
	shift 2
	"$DESFS_PACK" -q --json --created-at $when "$@" "$pack_from" \
		"$pack_to" >"$pack_to.json" 2>"$pack_to.err"
	pack_status=$?
	cat "$pack_to.err"
	told "$pack_to" >"$pack_to.said"
	shards_of "$pack_to" >"$pack_to.sum" && [ -s "$pack_to.sum" ] &&
		return $pack_status
}
same()
{
	diff "$1.sum" "$2.sum" && diff "$1.said" "$2.said"
}

t 'a nasty tree' nasty src
t 'with attributes' attributes
t 'is packed by one thread' pack src one --jobs 1
for n in 2 3 4 16; do
	t "and by $n" pack src "by-$n" --jobs $n
	t 'which find the same' same one "by-$n"
done
without_own_directory()
{
	with_faults 'unshare * errno=EPERM' pack src shared --jobs 3 &&
		fault_used
}
t 'also where threads cannot have a directory of their own' \
	without_own_directory
t 'they find the same' same one shared
extracted_again()
{
	"$DESFS" extract one out && pack out again && same one again
}
t 'which is all: what is extracted is packed to the same' extracted_again

# --- a rerun ------------------------------------------------------------------

# Opens for reading are of directories alone.
opens_no_file()
{
	cp -a one rerun &&
		with_faults "open */src/flat/f[0-9]* errno=EIO
open */src/*file errno=EIO
read */src/* errno=EIO" \
			"$DESFS_PACK" "$@" src rerun
}
unchanged()
{
	opens_no_file "$@" && not fault_used
}
sees_nothing_new()
{
	[ "$(ls one/log)" = "$(ls rerun/log)" ]
}
t 'a rerun reads no content' unchanged --jobs 3
t 'and has nothing to pack' sees_nothing_new
rm -rf rerun
reads_them()
{
	opens_no_file --checksum
	[ $? = 1 ] && fault_used 'open'
}
t 'but with --checksum it does' reads_them
rm -rf rerun
hidden_change()
{
	cp -a one rerun && touch -r src/flat/f5 stamp &&
		printf 'FLAT f5' >src/flat/f5 && touch -r stamp src/flat/f5 &&
		"$DESFS_PACK" src rerun 2>err && cat err &&
		grep '^packed 0 names' err &&
		"$DESFS_PACK" --checksum src rerun 2>err && cat err &&
		grep '^packed 1 names' err &&
		[ "$("$DESFS" cat rerun flat/f5)" = 'FLAT f5' ]
}
t 'which finds what changed behind its times' hidden_change

# --- what may not be read -----------------------------------------------------

nobody=
if [ "$(id -u)" = 0 ]; then
	nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
	chmod 755 "$tmp"
fi
closed_tree()
{
	mkdir -p shut/closed/in shut/listed shut/passed shut/open && for d in \
		closed/in closed listed passed open; do
		files shut/$d 30
	done
	mkdir shut/open/deeper shut/open/deeper/closed
	chmod 000 shut/closed shut/open/deeper/closed
	chmod 444 shut/listed
	chmod 311 shut/passed
	mkdir -m 1777 theirs
}
pack_closed()
{
	$nobody "$DESFS_PACK" -q --json --created-at $when --jobs "$1" shut \
		"theirs/$1" >"closed.$1.json" 2>"closed.$1.err"
	closed_status=$?
	told "closed.$1" >"closed.$1.said" && cat "closed.$1.said"
	[ $closed_status = 1 ]
}
same_closed()
{
	diff closed.1.said closed.4.said &&
		grep -q '"path":"passed"' closed.4.said &&
		grep -q '"path":"listed/000007"' closed.4.said &&
		grep -q '"failed":33,' closed.4.said
}
# shellcheck disable=SC2086
if $nobody "$DESFS_PACK" --version >/dev/null 2>&1; then
	t 'a tree of which not all may be read' closed_tree
	t 'is packed as far as it goes' pack_closed 1
	t 'by several threads too' pack_closed 4
	t 'which say the same of it' same_closed
	chmod -R u+rwx shut
else
	skip_t 'a tree of which not all may be read' 'nobody can run it'
fi

# --- what changes below the walk ----------------------------------------------

# A chain of directories n, each with others beside it that are walked before or
# after, and the same names outside.
chain()
{
	rm -rf src outside && mkdir -p src outside && "$PYTHON" - <<-'EOF'
	import os

	def fill(d, name):
	    os.mkdir(d)
	    with open(d + "/" + name, "w") as f:
	        f.write(name)
	for i in range(100):
	    for d in "az":
	        fill("outside/%s%d" % (d, i), "secret")
	os.chdir("src")
	for i in range(100):
	    for d in "az":
	        fill("%s%d" % (d, i), "ours")
	    os.mkdir("n")
	    os.chdir("n")
	EOF
}
n_times()
{
	"$PYTHON" -c "print('/'.join(['n'] * $1))"
}
nothing_from_outside()
{
	"$DESFS" ls -R --json "$1" >listed && head -c 300 listed &&
		not grep -q secret listed
}
moved_out()
{
	chain && rm -rf moved
	with_faults "readdir */src/$(n_times 80) nth=1 run=mv $tmp/src/$(n_times 20) $tmp/outside/m" \
		"$DESFS_PACK" -q --jobs "$1" src moved 2>err
	moved_status=$?
	tail -n 3 err
	fault_used && [ $moved_status = 1 ] &&
		nothing_from_outside moved
}
says_so()
{
	grep -q ': moved while it was read' err
}
t 'a directory that is moved away leads nowhere else' moved_out 1
t 'which is told' says_so
t 'nor with several threads' moved_out 4

swapped()
{
	chain && rm -rf swapped
	swap=$tmp/src/$(n_times 10)/a10
	with_faults "open $swap nth=1 run=rm -r $swap && ln -s $tmp/outside $swap" \
		"$DESFS_PACK" -q --jobs "$1" src swapped 2>err
	swapped_status=$?
	cat err
	fault_used && [ $swapped_status = 1 ] &&
		grep -q '/a10: directory cannot be read' err &&
		nothing_from_outside swapped
}
t 'a directory that becomes a link is not followed' swapped 1
t 'nor with several threads' swapped 4

# The two change places all the time.
flicker()
{
	"$PYTHON" - <<-'EOF' &
	import ctypes, os
	exchange = ctypes.CDLL(None, use_errno=True).renameat2
	parent = os.getppid()
	def at(p):
	    return ctypes.c_char_p(p.encode())
	while os.getppid() == parent and not os.path.exists("enough"):
	    for i in range(100):
	        exchange(-100, at("src/z0"), -100, at("src/a0"), 2)
	EOF
	flicker_pid=$!
}
flickering()
{
	chain && rm -rf src/z0 && ln -s "$tmp/outside" src/z0 && flicker ||
		return
	n=0
	while [ $n -lt "$(scaled 20)" ]; do
		n=$((n + 1))
		rm -rf flickered
		"$DESFS_PACK" -q --jobs 4 src flickered 2>err
		[ $? -le 1 ] || break
		nothing_from_outside flickered >/dev/null || break
	done
	touch enough
	wait "$flicker_pid"
	[ $n = "$(scaled 20)" ]
}
t 'nor one that is a link every other moment' flickering
