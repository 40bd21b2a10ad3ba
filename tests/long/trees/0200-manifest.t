#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A manifest of 1,000,000 records, one in twenty of them bad, in less than 256
# MiB of memory.
. "${0%/*}/../../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

made()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/make-manifest.py" "$@"
}
# packs ARGUMENT...: in little memory
packs()
{
	"$DESFS_PACK" "$@" 2>err
	is=$?
	tail -n 3 err
	tail -n 3 err | sed 's/^/# /' >>told
	[ $is = 1 ] && [ "$(sed -n \
		's/.*, \([0-9]*\)\.[0-9] MiB of memory.*/\1/p' err)" -lt 256 ]
}
begin=$(date +%s)
took()
{
	now=$(date +%s)
	echo "# $1 took $((now - begin)) s"
	begin=$now
}

: >told
made make 1000000 || exit
took 'making it'
t 'an array of 1,000,000 records is packed in little memory' \
	packs --manifest m.json --report r ar
took 'packing'
t 'of each it is told what became of it' made report r archived
exported()
{
	"$DESFS" export --format tar ar 2>/dev/null >all && made tar <all
}
t 'what is packed has the right bytes' exported
rm -f all
begin=$(date +%s)
t 'the same again' packs --manifest m.jsonl --report r ar
took 'packing again'
t 'all was there' made report r there
begin=$(date +%s)
t 'the same in format 2' packs --format 2 --manifest m.tsv --report r two
took 'packing in format 2'
t 'and each is told of' made report r archived
cat told
