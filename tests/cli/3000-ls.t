#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs ls, cat and stat show what was packed.
. "${0%/*}/../lib/tap.sh"

mkdir -p src/dir/sub src/empty
printf 'hello\n' >src/dir/hello
chmod 4751 src/dir/hello
ln src/dir/hello src/dir/sub/link
ln -s '../else where' src/dir/sym
mkfifo src/dir/fifo
printf 'x' >"src/new
line"
printf 'y' >"$(printf 'src/bad\377')"
: >src/nothing
head -c 9000000 /dev/urandom >src/large
truncate -s 3M src/holes
printf 'data' | dd of=src/holes bs=1 seek=2000000 conv=notrunc 2>/dev/null
chmod 600 src/large
find src -exec touch -h -d 2021-02-03T04:05:06.789012345Z {} +
t 'a tree is packed' "$DESFS_PACK" -q --created-at 2024-05-06 src ar

# The standard input of t is empty: here documents go to files.
cat >want-root <<'END'
dir
empty
holes
large
nothing
END
root_is()
{
	"$DESFS" ls ar | grep -av '^bad\|^new\|^line' | diff want-root -
}
t 'ls lists the root in order' root_is
all_names()
{
	(cd src && find . -mindepth 1 -printf '%P\0' | LC_ALL=C sort -z) >want
	"$DESFS" ls -R0 ar |
		awk 'BEGIN { RS = "\0" } /:$/ { d = substr($0, 1, length - 1)
			d = d == "." ? "" : d "/"; next }
			{ printf "%s%s%c", d, $0, 0 }' | LC_ALL=C sort -z >is
	cmp want is
}
t 'ls -R0 has all names' all_names

ids="$(id -u) $(id -g)"
# shellcheck disable=SC2086
long_is()
{
	set -- $ids
	{
		echo "prw-r--r-- 1 $1 $2 0 2021-02-03 04:05 fifo"
		echo "-rwsr-x--x 2 $1 $2 6 2021-02-03 04:05 hello"
		echo "drwxr-xr-x 2 $1 $2 0 2021-02-03 04:05 sub"
		echo "lrwxrwxrwx 1 $1 $2 13 2021-02-03 04:05 sym -> ../else where"
	} >want
	"$DESFS" ls -l ar dir | tr -s ' ' | diff want -
}
umask 022
t 'ls -l has mode, links, owner, size, time, target' long_is
itself()
{
	[ "$("$DESFS" ls -d ar dir)" = dir ] &&
		[ "$("$DESFS" ls ar dir/hello)" = dir/hello ]
}
t 'ls -d lists directories themselves' itself
json_is()
{
	"$DESFS" ls -R --json ar >rows || return
	[ "$(wc -l <rows)" = "$(cd src && find . -mindepth 1 -print0 |
		tr -dc '\0' | wc -c)" ] || return
	grep -q '"path":"new\\nline"' rows && grep -q '"path":"bad\\udcff"' rows &&
		grep '"path":"dir/hello"' rows | grep '"mode":"4751"' |
		grep -q '"mtime":"2021-02-03T04:05:06.789012345Z"'
}
t 'ls --json has all names as JSON' json_is
fails()
{
	want=$1
	shift
	"$DESFS" "$@" >out 2>err
	[ $? = "$want" ] && grep -q '^desfs: ' err
}
t 'ls of a name that is not there' fails 3 ls ar nothere
t 'ls goes on after it' fails 1 ls ar nothere dir
t 'and lists the rest' grep -q hello out

same_bytes()
{
	"$DESFS" cat ar "$1" | cmp - "src/$1"
}
for f in dir/hello large holes nothing; do
	t "cat of $f" same_bytes "$f"
done
both()
{
	"$DESFS" cat ar large /dir/hello >is && cat src/large src/dir/hello |
		cmp - is
}
t 'cat of two files' both
t 'cat of a directory' fails 2 cat ar dir
t 'cat of nothing' fails 3 cat ar dir/none
t 'cat goes on' fails 1 cat ar dir/none dir/hello
t 'and writes the rest' cmp out src/dir/hello

stat_has()
{
	"$DESFS" stat ar "$1" >out || return
	cat out
	shift
	for line; do
		grep -qxF "$line" out || { echo "no: $line"; return 1; }
	done
}
group=$("$DESFS" stat ar dir/sub/link | sed -n 's/^link_group: //p')
t 'a link group is 32 hexadecimal digits' \
	expr "$group" : '[0-9a-f]\{32\}$'
t 'stat of a file' stat_has dir/hello 'path: dir/hello' 'type: file' \
	'mode: 4751 -rwsr-x--x' 'size: 6' 'nlink: 2' \
	'mtime: 2021-02-03T04:05:06.789012345Z' \
	'created_at: 2024-05-06T00:00:00.000000Z' \
	"sha256: $(sha256sum <src/dir/hello | cut -d ' ' -f 1)" \
	"link_group: $group" 'part: 0' 'revision: 0' 'blocks: 1'
t 'stat of a link' stat_has dir/sym 'type: symlink' 'target: ../else where'
t 'stat of the root' stat_has '' 'path: .' 'type: directory'
holes_shown()
{
	"$DESFS" stat ar holes | grep -c '^block: hole' >n
	[ "$(cat n)" -ge 20 ]
}
t 'stat shows holes' holes_shown
all_blocks()
{
	[ "$("$DESFS" stat ar large | grep -c '^block: ')" = \
		"$("$DESFS" stat ar large | sed -n 's/^blocks: //p')" ]
}
t 'stat lists all blocks of a large file' all_blocks
key_exists()
{
	[ -f "ar/$("$DESFS" stat ar large | sed -n 's/^shard: //p')" ]
}
t 'stat names the shard' key_exists
t 'stat of nothing' fails 3 stat ar none
stat_json()
{
	"$DESFS" stat --json ar dir/hello |
		grep "\"link_group\":\"$group\"" | grep -q '"xattrs":{}'
}
t 'stat --json' stat_json
