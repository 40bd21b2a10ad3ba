#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2119
# Files that change between the look at them and the end of reading are reported
# and left out, whatever changes and when.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

when=2026-01-01T10:00:00Z
pack()
{
	"$DESFS_PACK" --created-at $when --block-size 64K src "$@" 2>err
	pack_status=$?
	cat err
	return $pack_status
}
extract()
{
	rm -rf out && "$DESFS" extract a out
}
# disturbed RULES [args]: some files are left out, and the rules were applied.
disturbed()
{
	disturbed_rules=$1
	shift
	with_faults "$disturbed_rules" "$DESFS_PACK" --created-at $when \
		--block-size 64K src "$@" 2>err
	disturbed_status=$?
	cat err
	[ $disturbed_status = 1 ] && fault_used >used
}

# add NAME SIZE AT COMMAND: a file that such a command changes then; $f is its
# path in there.
mkdir -p src/d
: >rules
add()
{
	head -c "$2" /dev/urandom >"src/d/$1"
	echo "$1" >>victims
	echo "${3% *} */d/$1 ${3#* } run=f=$tmp/src/d/$1; $4" >>rules
}

# Small files are read at once, large ones in blocks.
n=0
other='printf X | dd conv=notrunc bs=1 of=$f 2>/dev/null'
changes()
{
	n=$((n + 1))
	add "$n-append" "$1" "$2" 'echo more >>$f'
	add "$n-cut" "$1" "$2" 'truncate -s 70 $f'
	add "$n-empty" "$1" "$2" ': >$f'
	add "$n-bytes" "$1" "$2" "$other"
	add "$n-old-time" "$1" "$2" "cp -p \$f $tmp/old-$n && $other && \
touch -r $tmp/old-$n \$f"
	add "$n-mode" "$1" "$2" 'chmod 600 $f'
}
# Those opened first: after slow reads another thread opens files, too.
changes 3000 'open nth=1'
changes 300000 'open nth=1'
for size in 3000 300000; do
	n=$((n + 1))
	add $n-replaced $size 'open nth=1' "cp -p \$f $tmp/new && mv $tmp/new \$f"
	add $n-gone $size 'open nth=1' 'rm $f'
	add $n-link $size 'open nth=1' 'rm $f && ln -s 1-mode $f'
	add $n-fifo $size 'open nth=1' 'rm $f && mkfifo $f'
done
changes 3000 'read nth=1'
changes 300000 'read nth=1'
changes 300000 'read nth=2'
files src/quiet 5 2000
files src/d 5 2000

all_reported()
{
	while IFS= read -r v; do
		if ! grep -q "error: d/$v: " err || [ -e "out/d/$v" ]; then
			echo "$v was not reported, or archived"
			return 1
		fi
	done <victims
	[ "$(wc -l <victims)" = "$(grep -c 'error: ' err)" ]
}
others_are_there()
{
	for v in src/d/00* src/quiet/*; do
		cmp "$v" "out/${v#src/}" || return 1
	done
}
whole()
{
	pack a && extract &&
		[ ! "$(find src -type p ! -name '*-fifo')" ] &&
		find src out -type p -delete && diff -r --no-dereference src out
}
t 'many files change' disturbed "$(cat rules)" a
t 'each by a rule' [ "$(wc -l <used)" = "$(wc -l <rules)" ]
t 'the archive can be read' extract
t 'each of them is reported and left out' all_reported
t 'all others are archived' others_are_there
t 'the archive is sound' "$DESFS" verify --deep a
t 'the next run makes it whole' whole

# A file that is replaced while it is read was the file of that name when the
# walk saw it.
replaced()
{
	rm -rf src a && files src/d 1 300000 && cp src/d/000000 want &&
		with_faults "read */d/000000 nth=2 run=echo new >$tmp/new && \
mv $tmp/new $tmp/src/d/000000" "$DESFS_PACK" src a
	replaced_status=$?
	fault_used && extract || return 1
	case $replaced_status in
	0) cmp want out/d/000000 ;;
	1) [ ! -e out/d/000000 ] ;;
	*) return 1 ;;
	esac
}
t 'replaced in the middle: all of the old one, or nothing' replaced

# What the archive has already stays.
keeps()
{
	rm -rf src a && mkdir -p src/d && echo old >src/d/f && cp src/d/f want &&
		pack a && { [ "$1" ] || echo new >src/d/f; } || return 1
	# shellcheck disable=SC2086
	disturbed "read */d/f nth=1 run=echo newer >$tmp/src/d/f" $1 a &&
		grep 'd/f: ' err && extract && cmp want out/d/f
}
t 'the version before stays' keeps ''
t 'also with --checksum' keeps --checksum

# Two names of one file, which the walk comes to at different times: the bytes
# of the one are not those of the other.
linked()
{
	rm -rf a src && mkdir -p src/d && head -c 5000 /dev/zero |
		tr '\0' x >src/d/n0 || return 1
	for i in 1 2 3 4 5 6 7; do
		ln src/d/n0 src/d/n$i || return 1
	done
	disturbed "stat */d/n[0-7] nth=$1 run=truncate -s 2000 $tmp/src/d/n0" \
		a && "$DESFS" verify --deep a && extract || return 1
	n=0
	for i in 0 1 2 3 4 5 6 7; do
		if [ -e out/d/n$i ]; then
			cmp src/d/n$i out/d/n$i || return 1
			n=$((n + 1))
		else
			grep "d/n$i: changed" err || return 1
		fi
	done
	echo "$n names archived"
	pack a && extract && diff -r src out
}
for n in 2 4 5 8; do
	t "the file changes before the walk comes to its name $n" linked $n
done

# A directory that is another one now.
moved()
{
	rm -rf src a && files src/d 3 && cp -a src/d elsewhere &&
		with_faults "open */src/d/00* nth=1 run=mv $tmp/src/d $tmp/old; \
ln -s $tmp/elsewhere $tmp/src/d" "$DESFS_PACK" src a
	[ $? -le 1 ] && fault_used && extract || return 1
	for i in out/d/*; do
		[ ! -e "$i" ] || cmp "$i" "old/${i##*/}" || return 1
	done
}
t 'a directory that becomes a link leads nowhere' moved
