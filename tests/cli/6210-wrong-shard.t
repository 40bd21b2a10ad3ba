#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What lies under the key of a shard and is not that shard is never committed.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

mkdir src
"$PYTHON" -c 'import random
open("src/a", "wb").write(random.Random(1).randbytes(300000))' || exit

pack()
{
	"$DESFS_PACK" -q --created-at 2026-01-01T10:00:00Z src a 2>err
	pack_status=$?
	cat err
	return $pack_status
}

# A run that died before its log record: its mark says what it published.
died()
{
	rm -rf a && pack && rm a/log/* && mkdir -p a/tmp &&
		(cd a && printf '%s\n' /pack 2*/*.des) \
			>a/tmp/run-0123456789abcdef
}

# damage FROM_END: another byte there, in all shards
damage()
{
	chmod u+w a/2*/*.des
	"$PYTHON" - "$1" a/2*/*.des <<-'EOT'
	import os, sys
	for name in sys.argv[2:]:
	    with open(name, "r+b") as f:
	        f.seek(-int(sys.argv[1]), os.SEEK_END)
	        byte = f.read(1)
	        f.seek(-1, os.SEEK_CUR)
	        f.write(bytes([byte[0] ^ 1]))
	EOT
}

damaged()
{
	"$@"
	[ $? = 6 ]
}

no_record()
{
	[ ! "$(ls a/log)" ]
}

t 'a run dies' died
t 'the next one takes its shards' pack
t 'and commits them' test "$(ls a/log)"
t 'the archive is whole' "$DESFS" verify a

t 'a run dies again' died
t 'its shards get another end' damage 40
t 'the next one refuses them' damaged pack
t 'and says which' grep '\.des: ' err
t 'no log record names them' no_record
