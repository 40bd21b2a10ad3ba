#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What desfs top shows is what was asked, and what is slow is said in words.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fuse

files src 50 3000
"$DESFS_PACK" -q src ar || exit
mount_up ar mnt -o push=off || exit
top()
{
	timeout 60 "$DESFS" top "$@"
}

# json FILE EXPRESSION...: true for each line of the file, called a, b, ...
json()
{
	"$PYTHON" - "$@" <<-'EOF2'
	import json, sys
	looks = [json.loads(line) for line in open(sys.argv[1])]
	names = dict(zip("abcd", looks))
	print(names)
	for e in sys.argv[2:]:
	    assert eval(e, names), e
	EOF2
}

cat mnt/* >all
t 'batch mode' top -b -n 1 mnt
top -b -n 1 mnt >out
table()
{
	cat out
	grep -qE "^  read +$(stat_of mnt fuse_read) +[0-9.]+ [mu]?s" out &&
		grep -qE "^  lookup +$(stat_of mnt fuse_lookup) " out &&
		grep -qE '^FUSE messages +[1-9]' out
}
t 'with the counts there are' table

top --json -n 2 -d 1 mnt >two &
pid=$!
wait_for 20 test -s two
cat mnt/.des/stats >/dev/null
"$PYTHON" -c 'import os
for i in range(50):
    fd = os.open("mnt/%06d" % i, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.read(fd, 4096)'
wait $pid
t 'JSON, an object each time' test "$(wc -l <two)" = 2
t 'with a version' json two 'a["v"] == 1' 'b["v"] == 1'
t 'the first has no interval' json two '"interval_ms" not in a'
t 'the second has' json two 'b["interval_ms"] >= 1000'
t 'rates are the differences' json two \
	'b["fuse_read"] - a["fuse_read"] >= 50' \
	'abs(b["kinds"]["read"]["per_second"] * b["interval_ms"] / 1000 - (b["fuse_read"] - a["fuse_read"])) < 1'
t 'quantiles are of the interval' json two \
	'0 < b["kinds"]["read"]["p50_us"] <= b["kinds"]["read"]["p99_us"]' \
	'"p50_us" not in b["kinds"]["readlink"]'
t 'ratios too' json two '0 <= b["hit_percent"]["block_cache"] <= 100' \
	'"disk_cache" not in b["hit_percent"]'
t 'as many durations as messages' json two \
	'sum(n for name, n in b.items() if name.startswith("latency_read_bucket_")) == b["fuse_read"]'

# On a terminal: screen EXPECTED COLUMNS INPUT ARGUMENTS...
screen()
{
	"$PYTHON" - "$DESFS" "$@" <<-'EOF2'
	import fcntl, os, pty, select, struct, sys, termios, time
	desfs, expected, columns, keys = sys.argv[1:5]
	pid, fd = pty.fork()
	if not pid:
	    time.sleep(0.2)
	    os.execv(desfs, [desfs, "top"] + sys.argv[5:])
	fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(columns), 0, 0))
	before, out, end = termios.tcgetattr(fd), b"", time.time() + 60
	n = 0
	while time.time() < end:
	    if not select.select([fd], [], [], 1)[0]:
	        continue
	    try:
	        piece = os.read(fd, 65536)
	    except OSError:
	        break
	    if not piece:
	        break
	    out += piece
	    if keys and out.count(b"found in") > n:
	        n += 1
	        during = termios.tcgetattr(fd)
	        os.write(fd, keys[0].encode())
	        keys = keys[1:]
	    if b"?1049l" in out:
	        after = termios.tcgetattr(fd)
	status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
	print(out.decode(), status)
	assert status == 0 and expected in out.decode()
	assert not during[3] & termios.ECHO and after == before
	assert b"?1049h" in out
	lines = out.decode().split("\x1b[H")[1].split("\x1b[K\r\n")[:-1]
	assert len(lines) > 5 and max(map(len, lines)) <= int(columns)
	EOF2
}
t 'a screen; q ends it and puts the terminal back' screen 'a second' 100 xq mnt
t 'so does Ctrl-C' screen 'FUSE messages' 80 "$(printf '\003')" mnt
t 'narrow terminals' screen 'FUSE mess' 30 q mnt

interrupted()
{
	timeout -s INT 2 "$DESFS" top -b -d 60 mnt
	[ $? = 124 ]
}
t 'interrupted in batch mode' interrupted
status()
{
	want=$1
	shift
	top "$@" 2>err
	[ $? = "$want" ] && cat err && grep -q "$text" err
}
text='no archive is mounted there'
t 'a directory that is no mount' status 3 src
text='No such file'
t 'one that is not there' status 3 nowhere
text='name of the control directory'
t 'another control directory' status 3 --control=.other mnt
umount mnt 2>/dev/null || fusermount3 -u mnt

[ -x "$FAKE_S3" ] || exit 0
# Too much to come with the index.
for i in 0 1 2 3 4 5 6 7; do
	head -c 2000000 /dev/urandom >src/big$i
done
start_fake && make_bucket "$fake_url" bucket &&
	"$DESFS_PACK" -q --endpoint "$fake_url" src s3://bucket/ar || exit
mount_up s3://bucket/ar far -o "endpoint=$fake_url,max_threads=4" || exit
stat far/big0 >/dev/null
fake_rules 'kind=GET key=*.des latency=6000'
cat far/big0 >big0 &
reader=$!
oldest()
{
	top -1 far >out && grep -E '^! store: oldest .* s: see desfs-tuning' out
}
t 'a store that is slow is said so' wait_for 20 oldest
t 'with who waits' grep -E 'oldest .* \((lookup|read), pid [1-9]' out
slow()
{
	top --json -1 far >slow && json slow 'a["slow"]' \
		'a["requests_now"] >= 1' 'a["oldest"]["age_ms"] >= 1000'
}
t 'in JSON too' slow
fake_rules
wait $reader
well()
{
	top -1 far >out && ! grep '^!' out
}
t 'when it is over nothing is said' well

t 'and the bytes are right' cmp src/big0 big0

# A look that gets no answer waits as well, but that is told.
daemon=$(stat_of far process_pid)
kill -STOP "$daemon"
"$DESFS" top -1 far >late 2>late.err &
late=$!
t 'a daemon that does not answer' \
	wait_for 60 grep -q 'the daemon has not answered for [1-9]' late.err
t 'nothing else is said' not grep -v 'the daemon has not answered' late.err
kill -CONT "$daemon"
wait $late
t 'it answers when it can' test $? = 0
t 'and the look is shown' grep -q '^FUSE messages' late
t 'the bytes are right' cmp src/big7 far/big7
