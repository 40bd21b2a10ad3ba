#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --manifest packs what a manifest lists, tells what became of each
# record, and is not kept from that by bad ones.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"

made()
{
	"$PYTHON" -B "$SRCDIR/tests/lib/make-manifest.py" "$@"
}
# packs STATUS ARGUMENT...
packs()
{
	want=$1
	shift
	"$DESFS_PACK" "$@" 2>err
	is=$?
	[ $is = "$want" ] || { tail -n 20 err; return 1; }
}

# --- many, one in twenty of them bad ----------------------------------------
made make "$(scaled 20000)" || exit
t 'an array is packed' packs 1 --manifest m.json --report r ar
t 'of each record it is told what became of it' made report r archived
little_memory()
{
	tail -n 1 err
	[ "$(scaled 10)" != 10 ] || [ "$(sed -n \
		's/.*, \([0-9]*\)\.[0-9] MiB of memory.*/\1/p' err)" -lt 256 ]
}
t 'in little memory' little_memory
exported()
{
	"$DESFS" export --format tar ar >all && made tar <all
}
t 'what is packed has the right bytes' exported
from_a_pipe()
{
	# shellcheck disable=SC2002
	cat m.jsonl | packs 1 --manifest - --report - ar >r2 && made report r2 there
}
t 'lines through a pipe: all was there' from_a_pipe
dry_run()
{
	packs 1 -n --manifest m.tsv --report r3 new >told && made report r3 would_archive &&
		[ ! -e new ]
}
t 'TSV: what would be done' dry_run
shown()
{
	"$DESFS" stat ar 15 | grep '^meta: {"n":15,"text":"' &&
		"$DESFS" stat --json ar 15 | grep '"meta":"{\\"n\\":15,'
}
t 'metadata are shown' shown
t 'all is sound' "$DESFS" verify ar
in_format_2()
{
	packs 1 --format 2 --manifest m.tsv --report r4 two &&
		made report r4 archived && ls two >names &&
		grep -x '20240302_0F_0000.des' names
}
t 'the same in format 2, where its day is that of its own zone' in_format_2
long_path()
{
	# As a path it has three times as many bytes.
	printf '{"uid":"%s","created_at":"2024-01-01","size":0,"path":"m.tsv.0"}\n' \
		"$(head -c 30000 /dev/zero | sed 's/\x00/\\u0000/g')" >list
	: >m.tsv.0
	packs 0 --format 2 --manifest list --report r4 two && grep '"archived"' r4 |
		cut -c 1-40 && packs 1 --manifest list --report r4 no &&
		grep '"failed"' r4 | cut -c 1-40
}
t 'where a uid need not be a path' long_path
part_of_a_second()
{
	: >m.tsv.0
	for at in 2024-12-15T00:00:00+00:00:00.5 2024-12-15T12:00:00+00:00:00.5 \
		2024-12-15T00:00:00-23:59:59.9; do
		printf '{"uid":"%s","created_at":"%s","size":0,"path":"m.tsv.0"}\n' \
			$at $at
	done >list
	packs 1 --format 2 --n-bits 4 --manifest list --report r4 pa || return
	set -- pa/2*.des
	case $* in *20241214*) return 1 ;; esac
	sed 's/.*"status":"\([a-z]*\)".*/\1/' r4 | tr '\n' ' ' |
		grep -x 'failed archived archived ' &&
		packs 0 --manifest list three
}
t 'no day is taken for another' part_of_a_second
of_workers()
{
	for i in 1 2 3 4 5 6 7 8; do
		printf '{"uid":%d,"created_at":"2024-01-0%d","size":%d,"path":"m.tsv.0"}\n' \
			$i 9 0 $((i + 8)) 9 1 $((i + 16)) 0 0
	done >list
	i=0
	while [ $i -lt 6 ]; do
		i=$((i + 1))
		# Without a uid, or with one that has no slot in format 2, or no path.
		echo '{"size":0}'
		echo "no JSON $i"
		printf '{"uid":"\\u0661%024d","created_at":"2024-01-09","size":0}\n' $i
		printf '{"uid":"%030d","created_at":"2024-01-09","size":0,' $i
		printf '"path":"m.tsv.0"}\n'
		printf '{"uid":"%d/%022000d","created_at":"2024-01-09","size":0}\n' \
			$i 0 | sed 's|0|\\u0000|g'
	done >>list
	rm -f w1 w2 w3
	for i in 1 2 3; do
		packs 1 --worker $i/3 --n-bits 4 "$@" --manifest list \
			--report w$i "wo$*" || return
		tail -n 1 err
		cut -c 1-150 w$i
		[ -s w$i ] && grep -q '"failed"' w$i || return
	done
	sort w1 w2 w3 | sed 's/.*"record":\([0-9]*\),.*/\1/' | sort -n >is &&
		seq 54 | diff - is && cat w1 w2 w3 |
		grep -c '"status":"archived"'
}
t 'of a bad record one worker tells' of_workers --route uid
t 'in format 2, too' of_workers --format 2

# --- what a manifest may not lead to ----------------------------------------
mkdir few && echo one >few/1 && echo two >few/2 && mkfifo few/fifo &&
	ln -s 1 few/link
line()
{
	printf '{"uid":"%s","created_at":"2024-01-0%s","size":4,"path":"%s"}\n' \
		"$@"
}
# reasons STATUS <WANTED: of the report r4
reasons()
{
	sed -e 's/.*"status":"\([a-z]*\)"/\1/' -e 's/,"sha256.*//' \
		-e 's/,"size.*//' -e 's/,"reason":/ /' -e 's/,"shard.*//' \
		-e 's/}$//' r4 >is && diff - is
}
hostile()
{
	{
		line fifo 1 few/fifo
		line dev 1 /dev/zero
		line dir 1 few
		line s3 1 s3://a/b
		line under 1 few/1/1
		line link 1 few/link
		line ../../etc 1 few/1
		line /etc/passwd 1 few/1
		line '' 1 few/1
		line 'a\u0000' 1 few/1
		line v 1 few/1
		line v 2 few/2
		echo '{"uid":"x"'
	} >list
	packs 1 --manifest list --report r4 ho && reasons <<-'END' || return
	failed "few/fifo: is no regular file"
	failed "/dev/zero: is no regular file"
	failed "few: is a directory"
	failed "s3://a/b: only files can be sources, objects are not supported"
	failed "few/1/1: Not a directory"
	archived
	archived
	archived
	archived
	archived
	archived
	archived
	failed "line 13: not JSON: the line ends within it"
	END
	"$DESFS" ls -R ho | grep '[^:]$' | sort >names
	diff - names <<-'END' && [ "$("$DESFS" cat ho v)" = two ]
	%2E%2E
	%2E%2E
	%2Fetc
	%empty
	a%00
	etc
	link
	passwd
	v
	END
}
t 'no source is waited for, no uid leads out' hostile
other_content()
{
	{
		line v 1 few/2
		printf '{"uid":"v","created_at":"2024-01-02","size":4,"path":'
		printf '"few/1","sha256":"%064d"}\n' 0
	} >list
	packs 1 --manifest list --report r4 ho && cat r4 &&
		grep '"record":1,.*"there"' r4 &&
		grep '"record":2,.*"failed","reason":"there with other content' r4
}
t 'what the archive has is not replaced' other_content

# --- runs that fail ----------------------------------------------------------
line a 1 few/1 >list && line a 1 few/none >>list
failed_run()
{
	echo before >r4
	not with_faults 'rename */fa/log/2*.json errno=EIO' "$DESFS_PACK" --manifest list \
		--report r4 fa 2>err || return
	cat err r4
	fault_used && [ "$(wc -l <r4)" = 2 ] &&
		grep '"record":1,.*"failed","reason":".*Input/output error' r4 &&
		grep '"record":2,.*"failed","reason":"few/none: No such file' r4
}
t 'a run that is not committed has archived nothing' failed_run
# numbers STATUS FILE: of records with that status
numbers()
{
	sed -n 's/^{"v":1,"record":\([0-9]*\),.*"status":"'"$1"'".*/\1/p' "$2"
}
# shellcheck disable=SC2016
stopped_run()
{
	head -n 400 m.jsonl >list4
	with_faults 'rename */st/20*/* nth=3 run=kill -TERM $PPID
link */st/20*/* nth=3 run=kill -TERM $PPID' "$DESFS_PACK" -q --open-shards 1 \
		--manifest list4 --report r4 st 2>err
	is=$?
	cat err
	[ $is = 12 ] && fault_used && [ "$(wc -l <r4)" = 400 ] &&
		grep '"reason":"stopped by a signal' r4 >whys && [ -s whys ] &&
		numbers archived r4 >was && [ -s was ] &&
		packs 1 --manifest list4 --report r5 st &&
		numbers there r5 | diff was -
}
t 'of one that was stopped, what it archived is there' stopped_run
not_begun()
{
	echo before >r4
	packs 2 --manifest list --report r4 --n-bits 8 ar && [ "$(cat r4)" = before ] &&
		printf 'uid\tsize\n1\t2\n' | packs 6 --manifest - --report r4 ar &&
		grep 'names no column created_at' err &&
		[ "$(cat r4)" = before ] && [ ! -e r4.part ]
}
t 'one that does not begin leaves the report alone' not_begun
# The second look is behind the lock.
ended_between()
{
	echo theirs >r6.part
	with_faults 'stat */r6.part nth=2 run=mv r6.part r6.theirs' "$DESFS_PACK" -q \
		--manifest list --report r6 be
	fault_used && [ "$(cat r6.theirs)" = theirs ] && [ "$(wc -l <r6)" = 2 ] &&
		[ ! -e r6.part ]
}
t 'the report of a run that ends while another begins is left alone' ended_between
refused()
{
	packs 2 --manifest list --report /dev/full no && cat err &&
		packs 2 --manifest list few no && packs 2 --report r4 few no &&
		packs 2 --manifest list --mirror no &&
		packs 2 --manifest list --created-at mtime no &&
		packs 2 --manifest list --json --report - no &&
		packs 3 --manifest nothing no && [ ! -e no/log ]
}
t 'what makes no sense is refused' refused

# go_on FROM FILE OTHER: killed before the log has it, then with another source
go_on()
{
	rm -rf ck
	killed_at_change 1 '*/ck/log/*' "$DESFS_PACK" -q --checkpoint state \
		"$1" "$2" ck
	[ "$change_status" = 137 ] && [ -s state ] &&
		packs 2 --checkpoint state "$1" "$3" ck &&
		grep 'or another source' err &&
		packs 0 -q --checkpoint state "$1" "$2" ck && [ ! -e state ]
}
mkdir pair && for i in 1 2; do
	echo $i >pair/$i
	printf '{"uid":"f%s","created_at":"2024-01-02T00:00:00Z","size":2,' $i
	printf '"path":"pair/%s"}\n' $i
done >pair.list
head -n 1 pair.list >pair1 && tail -n 1 pair.list >pair2
tar cf pair1.tar pair/1 && tar cf pair2.tar pair/2
t 'a checkpoint is of one manifest' go_on --manifest pair1 pair2
t 'or of one backup' go_on --from-archive pair1.tar pair2.tar
