#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2119
# The archive, or a part or a copy of it, within its own source: it is not
# packed, and --remove-source-files takes nothing of it.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

in_memory

begin()
{
	for m in src/*/*; do
		umount "$m" 2>/dev/null
	done
	rm -rf src a out && files src/d 5 3000 && files src/e 5 500 &&
		"$DESFS_PACK" -q --max-shard-size 4K src a && files src/new 3 &&
		mkdir src/x && set -- a/2*/*.des && shard=$1 &&
		record=$(echo a/log/2*) && (cd a && find . -type f) | sort >before
}
# The archive has all that it had, and it is sound.
intact()
{
	(cd a && find . -type f) | sort >after &&
		[ ! "$(comm -23 before after)" ] && "$DESFS" verify --deep a
}
# run STATUS [args]
run()
{
	run_status=$1
	shift
	"$DESFS_PACK" "$@" src a >packed 2>err
	run_is=$?
	cat packed err
	[ "$run_is" = "$run_status" ]
}
listed()
{
	"$DESFS" ls -R a | grep "$1"
}
# The files of the source are gone, but those below $1.
others_gone()
{
	find src -name "$1" -prune -o ! -type d -print >left && cat left &&
		[ ! -s left ]
}

# --- by the numbers of its directories -------------------------------------
bound()
{
	mkdir -p "$2" && mount --bind "$1" "$2"
}
whole()
{
	begin && bound a src/x/a && run 0 --remove-source-files &&
		[ "$(grep -c 'x/a: left out: the archive itself' err)" = 1 ] &&
		others_gone x && not listed x/a && intact
}
parts()
{
	begin && for d in a/2* a/log a/tmp; do
		bound "$d" "src/x/${d#a/}" || return 1
	done && run 0 --remove-source-files && others_gone x &&
		[ "$(grep -c 'left out: the archive itself' err)" = 3 ] &&
		not listed x/ && intact
}
parts_listed()
{
	begin && for d in a/2* a/log; do
		bound "$d" "src/x/${d#a/}" || return 1
	done && find src -printf '%P\0' >list &&
		run 0 --remove-source-files --files0-from list &&
		others_gone x && not listed x/ && intact
}
part_is_source()
{
	begin && bound a/log src/x/log || return 1
	for o in '' --remove-source-files; do
		# shellcheck disable=SC2086
		"$DESFS_PACK" $o src/x/log a 2>err
		[ $? = 2 ] && grep 'archive' err || return 1
	done
	intact
}
files_of_it()
{
	begin && : >src/x/shard && : >src/x/record && mkdir src/x/y &&
		mount --bind "$shard" src/x/shard &&
		mount --bind "$record" src/x/record &&
		run 1 --remove-source-files && others_gone x &&
		grep 'x/shard: not removed: it is the archive' err &&
		grep 'x/record: not removed: it is the archive' err && intact
}
# Without the bytes that tell, the directory must.
refused_later()
{
	begin && echo scratch >a/tmp/file && mkdir src/x/tmp &&
		echo scratch >src/x/tmp/file && with_faults \
		"open */a/log/2*.json nth=2 run=mount --bind $PWD/a/tmp \
$PWD/src/x/tmp" "$DESFS_PACK" --remove-source-files src a 2>err
	refused_status=$?
	cat err
	[ $refused_status = 1 ] && fault_used &&
		grep 'x/tmp/file: not removed: lies in the archive' err &&
		[ -e a/tmp/file ] && rm a/tmp/file && intact
}
mkdir one two
if mount --bind one two 2>/dev/null && umount two; then
	t 'the archive mounted elsewhere' whole
	t 'parts of it' parts
	t 'parts of it that are listed' parts_listed
	t 'a part of it as the source' part_is_source
	t 'single files of it' files_of_it
	t 'a part that comes in between' refused_later
else
	skip_t 'the archive mounted elsewhere' 'cannot mount'
fi

# --- by its id -------------------------------------------------------------
copy()
{
	begin && cp -a a src/x/copy && run 0 --remove-source-files &&
		[ "$(grep -c 'x/copy: left out: the archive itself, or' err)" = 1 ] &&
		[ "$(grep -c 'left out: ' err)" = 1 ] && others_gone x &&
		not listed x/copy && diff -r src/x/copy/log/ a/log/ |
		not grep copy && intact
}
t 'a copy of the archive' copy
# More than are read at once, so that others get a share of the names.
many_names()
{
	begin && cp -a a src/x/copy && "$PYTHON" - <<-'EOT' &&
	import os
	for i in range(5000):
	    os.mkdir("src/x/copy/%08d-of-a-longer-name" % i)
	EOT
		run 0 --remove-source-files --jobs 4 && others_gone x &&
		[ "$(grep -c 'left out: ' err)" = 1 ] && not listed x/copy &&
		intact
}
t 'one with many days' many_names
copy_listed()
{
	begin && cp -a a src/x/copy && find src -printf '%P\0' >list &&
		run 0 --files0-from list --remove-source-files &&
		[ "$(grep -c 'left out: ' err)" = 1 ] && not listed x/copy &&
		others_gone x && cmp src/x/copy/desfs.json a/desfs.json && intact
}
t 'a copy that is listed' copy_listed
copy_is_source()
{
	begin && cp -a a copy && find copy -type f | sort >copied || return 1
	for s in copy copy/log copy/log/*; do
		"$DESFS_PACK" --remove-source-files "$s" a 2>err
		[ $? = 2 ] && grep 'archive' err || return 1
	done
	find copy -type f | sort | diff copied - && intact
}
t 'a copy as the source' copy_is_source
# Nothing says that the directory is one, so it is packed; its files stay.
no_descriptor()
{
	begin && cp -a a src/x/copy && rm src/x/copy/desfs.json &&
		echo '{"a":1}' >src/x/json && run 1 --remove-source-files &&
		(cd src && find . ! -type d) | sort >is &&
		(cd a && find . -type f ! -name desfs.json) |
		grep -xFf before | sed 's,^\./,./x/copy/,' | sort >want &&
		diff want is && listed x/copy/log && intact
}
t 'a copy without descriptor: nothing of it goes' no_descriptor
linked()
{
	begin && ln "$shard" src/x/shard && run 1 --remove-source-files &&
		others_gone x && [ -e src/x/shard ] && intact
}
t 'a shard with another name' linked
earlier()
{
	begin && cp -a a src/x/copy && mv src/x/copy/desfs.json . && run 0 &&
		listed x/copy && mv desfs.json src/x/copy/ && run 0 --mirror &&
		not listed x/copy && intact
}
t 'what was packed of a copy is gone with the next --mirror' earlier

# --- what is none ----------------------------------------------------------
# no_copy COMMAND: makes what is called desfs.json.
no_copy()
{
	begin && mkdir src/x/copy && echo other >src/x/copy/other &&
		(cd src/x/copy && eval "$1") && run 0 && not grep ': left out' err &&
		"$DESFS" stat a x/copy/other x/copy/desfs.json && intact
}
t 'no JSON' no_copy 'echo hello >desfs.json'
t 'nothing' no_copy ': >desfs.json'
t 'JSON without end' no_copy 'yes [ | tr -d "\n" | head -c 60000 >desfs.json'
t 'too much' no_copy '{ cat ../../../a/desfs.json; yes " "; } |
	head -c 70000 >desfs.json'
t 'a pipe' no_copy 'mkfifo desfs.json'
t 'a device' no_copy 'mknod desfs.json c 1 5 || echo none >desfs.json'
t 'a directory' no_copy 'mkdir desfs.json'
t 'a symbolic link' no_copy 'ln -s ../../../a/desfs.json desfs.json'
t 'another archive' no_copy '"$DESFS_PACK" -q ../../d new && mv new/* . &&
	rm -r new'
t 'one that names its id' no_copy 'sed "s/\"n_bits\":4/\"n_bits\":5/" \
	../../../a/desfs.json >desfs.json'
unread()
{
	begin && cp -a a src/x/copy &&
		with_faults 'read */src/x/copy/desfs.json errno=EIO' \
			"$DESFS_PACK" -q src a 2>err
	cat err
	grep 'error: x/copy/desfs.json: cannot be read: Input/output error' err && intact
}
t 'a descriptor that cannot be read is reported as any file' unread

# An ordinary tree pays nothing for it.
no_look()
{
	begin && with_faults 'open */src/*/desfs.json
stat */src/*/desfs.json' "$DESFS_PACK" -q src a && not fault_used
}
t 'no directory is asked for a descriptor' no_look
