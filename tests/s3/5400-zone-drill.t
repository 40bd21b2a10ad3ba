#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A store of a zone dies under a running tar, hangs, comes back, and is not
# alone: what readers notice of it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"

need_fuse
need_nginx

# Random, so that every file is read over the wire: three parts, each read once.
mkdir -p src mnt
for part in dies hangs later; do
	for i in 1 2 3 4 5 6; do
		mkdir -p "src/$part/d$i"
		for k in 1 2; do
			head -c 2000000 /dev/urandom >"src/$part/d$i/f$k"
		done
	done
done
mkdir -p web1 web2
t 'a tree is packed' "$DESFS_PACK" -q --publish src web1/ar
cp -a web1/ar web2/ar

# A server that can be stopped and started again: server N DIR
server()
{
	start_nginx "$2" || return
	eval "dir$1=\$nginx_dir url$1=\$nginx_url pid$1=\$nginx_pid"
}
die()
{
	eval "kill \$pid$1 && s3_stopped \$pid$1"
}
revive()
{
	eval "at=\$dir$1 nginx_url=\$url$1"
	nginx -p "$at" -c "$at/conf" -e "$at/error.log" >>"$at/out" 2>&1 &
	nginx_pid=$!
	eval "pid$1=$nginx_pid"
	s3_pids="$s3_pids $nginx_pid"
	wait_for 10 nginx_answers && kill -0 "$nginx_pid"
}
# To the workers; procps need not be there.
signal()
{
	while read -r pid; do
		kill "-$1" "$pid" || return
	done <frozen
}
# Its workers no longer answer; the kernel still takes connections.
freeze()
{
	eval "tr ' ' '\n' </proc/\$pid$1/task/\$pid$1/children" >frozen
	[ -s frozen ] && signal STOP
}
thaw()
{
	signal CONT
}
served()
{
	eval "log=\$dir$1/access.log"
	grep -c '^GET .*\.des ' "$log"
}
value()
{
	sed -n "s/^$1 //p" mnt/.des/stats
}
left_alone()
{
	[ "$(value "zone:all:$1:state")" = 1 ]
}

# tar a part, do something after its first bytes, and compare: under PART COMMAND...
under()
{
	part=$1
	shift
	rm -rf got && mkdir got || return
	{
		timeout 100 tar -C mnt -cf - "$part"
		echo $? >tar.status
	} 2>tar.err | {
		head -c 3000000
		"$@" >&2
		cat
	} | tar -C got -xf - || return
	cat tar.err
	[ "$(cat tar.status)" = 0 ] && [ ! -s tar.err ] &&
		diff -r "src/$part" "got/$part"
}

t 'two servers are up' server 1 "$tmp/web1"
t 'with the same archive' server 2 "$tmp/web2"
cat >zones <<EOF
[store first]
url = $url1/ar
[store second]
url = $url2/ar
[zone all]
slots = all
stores = first, second
EOF
mount_it()
{
	"$MOUNT_DESFS" zone://zones mnt -o index_cache=,refresh=3600 "$@"
}
t 'they are mounted as one' mount_it
mountpoint -q mnt || exit
t 'tar ends well although a server dies under it' under dies die 1
t 'the second one has taken over' test "$(served 2)" -gt 0
t 'the first one is left alone' left_alone first

# Each try reads what was not read before.
n=0
used_again()
{
	n=$((n + 1))
	at=$(((n + 1) / 2)) of=$((2 - n % 2))
	[ $at -gt 5 ] && return 1
	cmp "src/later/d$at/f$of" "mnt/later/d$at/f$of" || return
	sleep 1
	[ "$(value zone:all:first:state)" = 0 ]
}
before=$(served 1)
t 'the server comes back' revive 1
t 'it is used again' wait_for 60 used_again
t 'its log says so' test "$(served 1)" -gt "$before"
second=$(value zone:all:second:requests)
t 'a file is read' cmp src/later/d6/f1 mnt/later/d6/f1
t 'from the first server alone' \
	test "$(value zone:all:second:requests)" = "$second"

t 'tar ends well although a server hangs' under hangs freeze 1
t 'it is left alone' left_alone first
t 'it answers again' thaw

die 1
die 2
lost()
{
	timeout 60 cat mnt/later/d6/f2 >o 2>e
	[ $? = 1 ] && grep 'Input/output error' e
}
t 'with no server left a file that was not read is EIO in time' lost
t 'and again' lost
t 'what was read before is still there' cmp src/dies/d1/f1 mnt/dies/d1/f1
t 'one server is enough' revive 2
back()
{
	cmp src/later/d6/f2 mnt/later/d6/f2
}
t 'for the file to be there again' wait_for 60 back
t 'they are unmounted' fusermount3 -u mnt

# The same with another kind of server before the web server: other tags.
if ! command -v radosgw >/dev/null; then
	skip_t 'Ceph RGW before nginx' 'needs radosgw'
	exit 0
fi
t 'Ceph RGW is up' start_rgw
t 'with a bucket' make_bucket "$rgw_url" zone-drill
upload()
{
	(cd web1 && find ar -type f ! -path '*/tmp/*') | sort >keys
	while IFS= read -r key; do
		s3_curl PUT "$rgw_url/zone-drill/$key" -T "web1/$key" || return
	done <keys
}
t 'the archive is copied into it' upload
cat >zones <<EOF
[store first]
url = s3://zone-drill/ar
endpoint = $rgw_url
[store second]
url = $url2/ar
[zone all]
slots = all
stores = first, second
EOF
t 'they are mounted as one' mount_it
mountpoint -q mnt || exit
t 'a file comes from RGW' cmp src/later/d6/f1 mnt/later/d6/f1
t 'and nothing from nginx' test "$(value zone:all:second:requests)" = 0
t 'tar ends well although RGW is killed under it' \
	under dies rgw_daemon kill rgw
t 'it is left alone' left_alone first
t 'nginx has taken over' test "$(value zone:all:second:failovers)" -gt 0
n=0
t 'RGW comes back' rgw_daemon start rgw
t 'it is used again' wait_for 60 used_again
t 'all is unmounted' fusermount3 -u mnt
