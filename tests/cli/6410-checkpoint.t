#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --checkpoint: a run that died goes on where it was.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
. "$SRCDIR/tests/lib/fault.sh"
. "$SRCDIR/tests/lib/kill-at.sh"

when=2026-01-02T10:00:00Z
for d in 1 2 3 4 5 6 7 8 9; do
	files src/$d 6 20000
	files src/$d/more 30 300
done
ln src/1/000001 src/9/link
"$DESFS_PACK" -q --created-at 2026-01-01 src base || exit
cp -a src old
for d in 1 2 3 4 5 6 7 8 9; do
	files src/$d/later 20 5000
	rm src/$d/more/00001?
done
mkdir -p src/brand/new && files src/brand/new 5

pack()
{
	"$DESFS_PACK" -q --checkpoint cp "$@"
}
# The same, in an archive whose log names a shard.
killed_later()
{
	rm -rf a && "$DESFS_PACK" -q --created-at 2026-01-01 --exclude '*' \
		old a && killed 6 a --created-at $when
}
nothing_stays()
{
	ls cp* >left 2>/dev/null
	cat left
	[ ! -s left ]
}
names_of()
{
	sed 's/"key":"/\n&/g' cp | sed -n 's/^"key":"\([^"]*\)".*/\1/p'
}
same_archive()
{
	shards_of "$1" >one.sum && shards_of "$2" >two.sum && [ -s one.sum ] &&
		diff one.sum two.sum && cmp "$1/desfs.json" "$2/desfs.json"
}
# Opens of files of the source, counted; none of names.done is among them.
reads_the_rest()
{
	with_faults 'open */src/* run=:' \
		"$DESFS_PACK" --checkpoint cp --created-at $when --json "$@" \
		>pack.out || return 1
	sed -n 's|^open .*/src/\([0-9].*/[0-9]*\).*|\1|p' "$tmp/faults.used" |
		sort -u >names.read
	wc -l names.read names.done
	grep -qx '1/later/00000[0-9]\|brand.*\|[1-9]/.*' names.read || return 1
	comm -12 names.read names.done >both
	head both
	[ ! -s both ]
}
files_of()
{
	for f in $(names_of); do
		"$PYTHON" -B "$SRCDIR/tests/lib/desread.py" ls "$1/$f"
	done | grep '/00[0-9]*$' | sort -u >names.done
	[ "$(wc -l <names.done)" -ge 50 ]
}
one_time()
{
	cat "$1"/log/*.json |
		grep -o '"created_m[a-z]*":"[^"]*"' | cut -d: -f 2- | sort -u >stamps
	cat stamps
	[ "$(wc -l <stamps)" = "$2" ]
}

t 'an undisturbed run' pack --created-at $when src want
t 'leaves no checkpoint' nothing_stays
t 'a run is killed' killed 6 a --created-at $when
t 'its checkpoint names what it published' test "$(names_of | wc -l)" = 5
t 'only its owner reads it' test "$(stat -c %a cp)" = 600
t 'which holds files' files_of a
t 'the tree is empty still' not "$DESFS" ls a
cp cp old-of-a
t 'a rerun reads none of them again' reads_the_rest src a
t 'and removes the checkpoint' nothing_stays
t 'the shards are those of the undisturbed run' same_archive want a
t 'the archive is sound' "$DESFS" verify --deep a
nothing_left()
{
	"$DESFS_PACK" --clean a && "$DESFS_PACK" --clean a 2>clean.err
	cat clean.err
	grep -q '^0 leftovers' clean.err
}
t 'there are no leftovers after a clean-up' nothing_left
cp old-of-a cp
t 'the old checkpoint is no harm' pack --created-at $when src a
t 'to the archive' same_archive want a

# Of a slot in the middle of its parts.
t 'small shards' pack --created-at $when --max-shard-size 20K src small
again_and_again()
{
	rm -rf many
	for n in 4 2 9 2 5 30; do
		killed $n many --created-at $when --max-shard-size 20K ||
			return 1
	done
	pack --created-at $when --max-shard-size 20K src many
}
t 'six times killed in the middle of a slot' again_and_again
t 'they are those of one run' same_archive small many
mirror_killed()
{
	cp -a base second && cp -a base mirror &&
		"$DESFS_PACK" -q --mirror --created-at $when src second &&
		for n in 3 2 2; do
			killed $n mirror --created-at $when --mirror || return 1
		done
	pack --created-at $when --mirror src mirror
}
t 'a second run with --mirror is killed' mirror_killed
t 'it makes the same in the end' same_archive second mirror

# The time is that of the first try.
t 'a run of now is killed' killed 5 now
t 'and run again' pack src now
t 'all is of one time' one_time now 1
t 'and all is there' "$DESFS" extract now out
t 'as it was' same_by_rsync src out
mtime_killed()
{
	"$DESFS_PACK" -q --created-at mtime src mtime &&
		killed 4 mtime2 --created-at mtime &&
		killed 3 mtime2 --created-at mtime &&
		pack --created-at mtime src mtime2
}
t 'a run at the times of files is killed' mtime_killed
t 'and makes the same' same_archive mtime mtime2
workers_killed()
{
	for i in 2 1 3; do
		killed 2 shared --created-at $when --worker $i/3 &&
			pack --created-at $when --worker $i/3 src shared ||
			return 1
	done
}
t 'workers are killed' workers_killed
t 'and make the same' same_archive want shared

# Asked to stop, in good order.
asked()
{
	with_faults "rename *.des nth=4 run=kill -TERM \$PPID" \
		"$DESFS_PACK" -q --open-shards 1 --checkpoint cp src stopped
	[ $? = 12 ]
}
t 'a run is asked to stop' asked
t 'what it has done counts' "$DESFS" ls stopped
t 'its checkpoint stays' test -s cp
t 'with nothing more to commit' test "$(names_of | wc -l)" = 0
t 'a rerun' pack src stopped
t 'goes on at the same time' one_time stopped 1

# Cleaned up meanwhile: there is nothing to go on from.
cleaned()
{
	killed_later && names_of >names && grep . names &&
		"$DESFS_PACK" --clean a || return 1
	while IFS= read -r f; do
		[ ! -e "a/$f" ] || return 1
	done <names
}
t 'a clean-up removes what a checkpoint names' cleaned
packs_again()
{
	"$DESFS_PACK" --checkpoint cp --created-at $when src a 2>pack.err
	packs_status=$?
	cat pack.err
	[ $packs_status = 0 ] &&
		grep '5 of its shards are not there any more' pack.err
}
t 'a rerun tells so' packs_again
t 'and packs all' "$DESFS" verify --deep a
t 'as it is' "$DESFS" extract a out2
t 'in the source' test -e out2/9/later/000019
# A clean-up that has looked whether a run is alive, and is about to remove a
# shard when one begins: that one waits, or the other one lets the shard be.
raced()
{
	killed_later || return 1
	cat >begin <<-END
	"$DESFS_PACK" -q --checkpoint cp --created-at $when src a \
		>raced.out 2>&1 &
	echo \$! >raced.pid
	left=20
	while kill -0 \$(cat raced.pid) && [ \$left -gt 0 ]; do
		left=\$((left - 1))
		sleep 0.1
	done
	END
	with_faults 'unlink *.des nth=1 run=sh ./begin' \
		"$DESFS_PACK" --clean a || return 1
	wait_for 60 not kill -0 "$(cat raced.pid)" 2>/dev/null
	cat raced.out
	fault_used unlink
}
t 'a rerun begins while a clean-up is at work' raced
t 'no shard is missing' "$DESFS" verify --deep a
t 'the run is whole' pack --created-at $when src a
one_gone()
{
	rm -rf a && killed 9 a --created-at $when --max-shard-size 20K &&
		rm "a/$(names_of | sed -n 4p)" &&
		pack --created-at $when --max-shard-size 20K src a
}
t 'one of them is lost' one_gone
t 'and packed again, under its name' same_archive small a

# What is refused.
rm -rf a
t 'a checkpoint to be refused' killed 6 a --created-at $when
cp cp good
refused()
{
	refused_status=$1 refused_words=$2
	shift 2
	cp good cp
	pack "$@" >refused.out 2>&1
	refused_got=$?
	cat refused.out
	[ $refused_got = "$refused_status" ] && cmp cp good &&
		grep -qF "$refused_words" refused.out
}
other='run with other options'
t 'another archive' refused 2 'of another archive' --created-at $when src base
t 'no archive' refused 2 'of another archive' --created-at $when src nowhere
t 'another time' refused 2 "$other" --created-at 2026-01-03 src a
t 'another level' refused 2 "$other" --level 5 --created-at $when src a
t 'another size' refused 2 "$other" --block-size 64K --created-at $when src a
t '--mirror' refused 2 "$other" --mirror --created-at $when src a
t 'a pattern' refused 2 "$other" --exclude x --created-at $when src a
t 'other sources' refused 2 "$other" --created-at $when src old a
t 'another source, which has no name either' \
	refused 2 "$other" --created-at $when old a
t 'a worker' refused 2 'of worker 1/1, this is 1/2' --worker 1/2 \
	--created-at $when src a
t 'a dry run' refused 2 'nothing that a --checkpoint' -n \
	--created-at $when src a
t 'one that another run has' flock good true
busy()
{
	cp good cp
	flock cp "$DESFS_PACK" --checkpoint cp --created-at $when src a \
		>busy.out 2>&1
	[ $? = 8 ] && grep -q 'another run has it' busy.out
}
t 'is refused' busy
t 'other processes are no matter' refused 2 "$other" --mirror -j 3 \
	--open-shards 2 --created-at $when src a

bad()
{
	rm -rf cp && eval "$1" || return 1
	pack --created-at $when src a >bad.out 2>&1
	bad_status=$?
	cat bad.out
	[ $bad_status = "$2" ] && grep -qF "$3" bad.out
}
t 'what is none' bad 'echo hello >cp' 6 'remove it to begin anew'
t 'a line without end' bad 'head -c 4000 /dev/zero | tr "\0" x >cp' 6 \
	'no first line'
t 'a cut one' bad 'head -c 100 good >cp' 6 'no first line'
t 'one that is cut in the middle' bad \
	'sed "2{h;s/}$//p;x}" good >cp' 6 'line 2: '
t 'a changed time' bad 'sed "1s/T10:00/T11:00/" good >cp' 6 'digest'
t 'a changed shard' bad \
	'sed "2{h;s/\"size\":/\"size\":1/p;x}" good >cp' 6 'digest'
t 'a line twice' bad 'sed 2p good >cp' 6 'twice'
t 'a large one' bad 'truncate -s 300M cp' 6 'no checkpoint'
t 'a pipe' bad 'mkfifo cp' 2 'not a file'
t 'a directory' bad 'mkdir cp' 2 'not a file'
t 'a link' bad 'ln -s good cp' 2 'not a file'
rm cp
t 'a place that is not there' not pack --checkpoint no/such/dir src a
damaged()
{
	names_of >names
	f=a/$(sed -n 2p names)
	chmod u+w "$f" && cp "$f" was &&
		case $1 in
		cut) truncate -s -1 "$f" ;;
		footer) printf X | dd of="$f" bs=1 conv=notrunc status=none \
			seek=$(($(stat -c %s "$f") - 100)) ;;
		other) cp "a/$(sed -n 3p names)" "$f" ;;
		esac
}
for how in cut footer other; do
	cp good cp
	t "a shard is damaged: $how" damaged $how
	t 'which is an error' refused 6 '.des' --created-at $when src a
	cp was "$f"
done
cp good cp
t 'the good one is good still' pack --created-at $when src a
t 'for the same archive' same_archive want a

# The last line is what was being written.
cut()
{
	rm -rf a && killed 6 a --created-at $when && names_of >names || return 1
	eval "$1" <./cp >cp.cut && mv cp.cut cp || return 1
	"$DESFS_PACK" --checkpoint cp --created-at $when src a 2>cut.err
	cut_status=$?
	cat cut.err
	[ $cut_status = 0 ] && grep -q 'last line is cut' cut.err
}
for how in 'head -c -1' 'head -c -700' "sed '\$s/size/sise/'"; do
	t "a machine fails while it is written: $how" cut "$how"
	t 'the archive is that of the undisturbed run' same_archive want a
done

# What is new is appended: over 65,536 slots it gets long.
appended()
{
	rm -rf a && with_faults "rename */cp run=:
write */cp run=:" pack --created-at $when --open-shards 1 src a || return 1
	fault_used rename || return 1
	[ "$(grep -c '^rename' "$tmp/faults.used")" = 1 ] &&
		fault_used '^write'
}
t 'it is written anew once in a run' appended
kept_apart()
{
	rm -rf a && echo mine >cp.tmp && pack --created-at $when src a &&
		[ "$(cat cp.tmp)" = mine ] && rm cp.tmp
}
t 'a file of a name near its is not touched' kept_apart
left=cp.0123456789abcdef.tmp
swept()
{
	rm -rf a && touch $left x$left && pack --created-at $when src a &&
		[ ! -e $left ] && [ -e x$left ] && rm x$left
}
t 'what a killed run has left of one is removed' swept

# Where a part of it was written it is written anew.
torn()
{
	rm -rf a && with_faults "write */cp nth=2 errno=ENOSPC
write */cp nth=1 short=100
rename */cp run=:
rename *.des nth=6 run=./kill-at 5 \$PPID" "$DESFS_PACK" --open-shards 1 \
		--checkpoint cp --created-at $when src a 2>torn.err
	cat torn.err "$tmp/faults.used"
	grep -q 'checkpoint: cp: No space' torn.err &&
		[ "$(grep -c '^rename.*/cp' "$tmp/faults.used")" = 2 ] &&
		[ "$(names_of | wc -l)" = 5 ]
}
t 'a write fails in the middle' torn
t 'and all is in the file then' pack --created-at $when src a
t 'for the archive of the undisturbed run' same_archive want a

# Where it cannot be written any more the run goes on.
full()
{
	rm -rf a && with_faults 'write */cp* from=2 errno=ENOSPC' "$DESFS_PACK" \
		--checkpoint cp --created-at $when src a 2>full.err
	full_status=$?
	cat full.err
	fault_used cp && grep -q 'checkpoint: ' full.err &&
		[ $full_status = 0 ]
}
t 'a full disk for the checkpoint ends nothing' full
t 'and leaves nothing' nothing_stays
t 'the archive is the same' same_archive want a
