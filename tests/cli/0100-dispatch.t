#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs finds its commands, tells what they are, and what was wrong in a call.
. "${0%/*}/../lib/tap.sh"

# status_is N COMMAND...: ends with N; output in out, errors in errors.
status_is()
{
	want=$1
	shift
	"$@" >out 2>errors
	is=$?
	cat out errors
	[ "$is" = "$want" ]
}

# One line on stderr that begins with the program's name.
complains()
{
	status_is "$@" || return
	[ ! -s out ] && [ "$(wc -l <errors)" = 1 ] &&
		grep -qE '^(desfs|mount.desfs): ' errors
}

t 'no command' complains 2 "$DESFS"
t 'an unknown one' complains 2 "$DESFS" nonsense
t 'a misspelt one' complains 2 "$DESFS" extarct
t 'is guessed' grep -q "did you mean 'extract'" errors
t 'a wrong option' complains 2 "$DESFS" ls --nonsense archive
t 'too few arguments' complains 2 "$DESFS" cat archive
t 'too many arguments' complains 2 "$DESFS" umount a b
t 'no archive' complains 3 "$DESFS" ls "$tmp/none"
mkdir empty
t 'a directory that is none' complains 3 "$DESFS" ls empty
t 'a mount that fails tells why' complains 3 "$DESFS" mount "$tmp/none" empty
t 'a call by mount.fuse' complains 3 "$DESFS" "$tmp/none" empty -o ro

t 'desfs --help' status_is 0 "$DESFS" --help
t 'desfs help' status_is 0 "$DESFS" help
sed -n 's/^  \([a-z]*\) .*/\1/p' out >commands
has_commands()
{
	[ "$(wc -l <commands)" -ge 12 ]
}
t 'lists the commands' has_commands

same_help()
{
	"$DESFS" help "$1" >a && "$DESFS" "$1" --help >b && diff a b &&
		grep -q "^Usage: desfs $1" a
}
while IFS= read -r c; do
	t "help of $c" same_help "$c"
done <commands

t 'help of no command' complains 2 "$DESFS" help nonsense
t 'desfs version' status_is 0 "$DESFS" version
same_version()
{
	"$DESFS" --version | diff - out
}
t 'is desfs --version' same_version
tells_libraries()
{
	grep -q libzstd out && grep -q lz4 out && grep -q /dev/fuse out &&
		grep -q '^mount.desfs ' out
}
t 'it names libraries, the daemon and the kernel' tells_libraries
into_full()
{
	"$@" >/dev/full
}
t 'a full disk is no success' complains 5 into_full "$DESFS" help
