#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs-pack --from-archive takes what is in tars, zips and others, whole or not
# at all, and what comes from hostile ones stays where it belongs.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_root

pack()
{
	"$DESFS_PACK" -q --created-at 2026-01-01T12:00:00Z "$@"
}
status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat e
	[ "$is" = "$want" ]
}

# --- what GNU tar writes ------------------------------------------------------
oddities src --count 100 2>notes
sed 's/^/# /' notes
# GNU tar knows links to files alone.
rm -r src/special/sockets src/special/fifo-again
a255=$(printf '%0255d' 0)
mkdir -p "src/long/$a255/$a255" && echo long >"src/long/$a255/$a255/$a255"
ln "src/long/$a255/$a255/$a255" src/long/link
ln -s "$a255/$a255/$a255" src/long/symlink
truncate -s "$(scaled 300)M" src/sparse
printf data | dd of=src/sparse bs=1 seek="$(scaled 200000000)" conv=notrunc 2>/dev/null
setfattr -n user.a=b%c -v 'x=y' src/long/link ||
	echo '# no extended attributes here'
# The only times libarchive has no number for.
find src/times -name '-1.9*' -exec touch -h -d 1961-02-03T04:05:06.789Z {} +
touch -d 1969-12-31T23:59:58.000000007Z src/times/dir
tar --format=posix --xattrs --xattrs-include='*' --sparse -cf src.tar -C src . ||
	exit

xattrs_of()
{
	(cd "$1" && find . | sort | tr '\n' '\0' |
		xargs -0 getfattr -h -d -m - -e hex)
}
same_xattrs()
{
	xattrs_of src >a 2>/dev/null
	xattrs_of out >b 2>/dev/null
	grep -q '^user' a && cmp a b
}
compares()
{
	tar --compare -f "$1" -C src >o 2>&1
	status=$?
	grep -v 'Ignoring unknown extended header keyword' o >e
	cat e
	[ "$status" = 0 ] && [ ! -s e ]
}
extracts()
{
	"$DESFS" extract --setuid --devices ar out && same_by_find src out
}
t 'a tar is packed' status_is 0 pack --from-archive src.tar ar
t 'and says nothing with -q' test ! -s e
t 'what is extracted is what was in it' extracts
t 'with extended attributes' same_xattrs
sparse()
{
	[ "$(stat -c %b out/sparse)" -lt 8192 ] && [ "$(du -sk ar | cut -f 1)" -lt 20000 ]
}
t 'holes are holes' sparse
t 'it is exported' "$DESFS" export ar -o again.tar
t 'and compares with the source' compares again.tar
from_directory()
{
	pack src walked && "$DESFS" export walked -o walked.tar &&
		cmp walked.tar again.tar
}
t 'as if the directory had been packed' from_directory
piped()
{
	pack --from-archive - ar2 <src.tar && shards_of ar >a &&
		shards_of ar2 >b && cmp a b
}
t 'from a pipe it gives the same bytes' piped
# As text, with names.
acls_of()
{
	(cd "$1" && find acls | sort | xargs getfacl -n)
}
same_find_acls()
{
	listing src/acls >a && listing aclout/acls >b && diff a b
}
as_text()
{
	(cd src && tar --acls --numeric-owner -cf ../acls.tar acls) &&
		pack --from-archive acls.tar aclar &&
		"$DESFS" extract aclar aclout && acls_of src >a &&
		acls_of aclout >b && diff a b && same_find_acls
}
as_both()
{
	rm -rf aclout
	tar --acls --xattrs --xattrs-include='*' -cf acls.tar -C src acls &&
		grep -qa SCHILY.xattr.system.posix_acl_access acls.tar &&
		pack --from-archive acls.tar aclboth || return
	# Before lists are set, which sets modes again.
	"$DESFS" ls -l aclboth acls >modes && grep '^-rw-rw-r--.* file$' modes ||
		return
	"$DESFS" extract aclboth aclout && acls_of src >a &&
		acls_of aclout >b && diff a b && same_find_acls
}
if tar --acls -cf acls.tar -C src acls && grep -qa 'SCHILY.acl.access' acls.tar; then
	t 'access lists of tar --acls are kept' as_text
	t 'and with --xattrs, where they are twice' as_both
else
	skip_t 'access lists of tar --acls are kept' 'this tar has none'
fi
mkdir back && "$PYTHON" "$SRCDIR/tests/lib/make-backups.py" back \
	"$(scaled 200000000)" || exit
unknown_in_lists()
{
	status_is 0 "$DESFS_PACK" --from-archive back/acls.tar unknown &&
		[ "$(grep -c "access list is not kept: 'no such user'" e)" = 2 ] &&
		"$DESFS" ls -l unknown >o && cat o &&
		[ "$(grep -c '^-rwxr--r-- ' o)" = 2 ]
}
t 'lists with a name that is not known give nobody more' unknown_in_lists
"$DESFS" export ar names modes acls -o some.tar && gzip -k some.tar &&
	bzip2 -k some.tar && xz -k some.tar || exit
cat some.tar.gz >gz
from_compressed()
{
	rm -rf ar3
	pack --from-archive - ar3 <"$1" &&
		"$DESFS" export ar3 names modes acls | cmp - some.tar
}
t 'gzip is understood' from_compressed gz
t 'bzip2' from_compressed some.tar.bz2
t 'xz' from_compressed some.tar.xz
for end in zst lz4; do
	"$DESFS" export ar names modes acls -o some.tar.$end || exit
	t "$end" from_compressed some.tar.$end
done
gnu()
{
	rm -rf ar3
	tar --format=gnu -cf gnu.tar -C src long names deep &&
		pack --from-archive gnu.tar ar3 &&
		"$DESFS" export ar3 -o gnu2.tar || return
	tar --numeric-owner -tvf gnu.tar | grep -v link | sort >a
	# The top is in every archive.
	tar -tvf gnu2.tar 2>/dev/null | grep -v 'link\| \./$' | sort >b
	diff a b
}
t 'GNU format too' gnu
says_spool()
{
	rm -rf ar3
	"$DESFS_PACK" --spool "$tmp" --from-archive src.tar ar3 2>e || return
	cat e
	grep -q "src.tar: contents are kept in $tmp until they are packed, .* MiB" e &&
		rm -rf ar3
}
t 'it says where contents are kept' says_spool
excludes()
{
	pack --exclude '/deep' --exclude 'symlink' --from-archive src.tar ar3 &&
		not "$DESFS" ls ar3 deep && not "$DESFS" ls ar3 long/symlink &&
		"$DESFS" ls ar3 long/link
}
t '--exclude leaves out' excludes
rm -rf ar3 out

# --- zip ----------------------------------------------------------------------
zip_round()
{
	"$DESFS" export ar acls sizes modes -o some.zip 2>e || return
	pack --from-archive some.zip zipped &&
		"$DESFS" export zipped -o some2.zip &&
		"$PYTHON" - some.zip some2.zip <<-'END'
	import sys, zipfile
	a, b = (sorted((i.orig_filename, i.date_time, i.external_attr, i.extra,
	                i.file_size, i.CRC) for i in zipfile.ZipFile(n).infolist())
	        for n in sys.argv[1:])
	assert len(a) > 20 and a == b, [x for x in zip(a, b) if x[0] != x[1]][:3]
	END
}
t 'a zip of ours comes back' zip_round
foreign_zip()
{
	pack --from-archive - z <back/good.zip &&
		[ "$("$DESFS" cat z dir/file | wc -c)" = 9000 ] &&
		[ "$("$DESFS" cat z 'sé')" = 'name in UTF-8' ] &&
		"$DESFS" ls -l z | grep -q 'symlink -> dir/file'
}
t 'another one, from a pipe' foreign_zip
t 'damaged and encrypted files are left out' \
	status_is 1 pack --from-archive back/mixed.zip mixed
mixed_told()
{
	cat e
	grep -q 'damaged: ZIP bad CRC' e && grep -q 'secret: is encrypted' e &&
		[ "$("$DESFS" ls mixed)" = good ]
}
t 'and named' mixed_told

# --- others -------------------------------------------------------------------
cpio_links()
{
	pack --from-archive back/links.cpio cpio &&
		for f in first second third; do
			[ "$("$DESFS" cat cpio $f)" = 'of all three' ] &&
				"$DESFS" ls -l cpio $f | grep -q '^-rw-r--r--  *3 ' ||
				return
		done
}
t 'cpio has the content of links with the last' cpio_links
t 'hard links that lead nowhere' status_is 1 pack --from-archive back/links.tar links
hard_links()
{
	sed 's/.*desfs-pack: error: //' e | sort >is
	cat >want <<-'END'
	later: a hard link to what is not before it: comes
	out: hard link: refused: a name with '..'
	self: a hard link to what is not before it: self
	to-dir: a hard link to a directory
	END
	diff want is || return
	for f in one two chain dotted; do
		[ "$("$DESFS" cat links $f)" = one ] &&
			"$DESFS" ls -l links $f | grep -q '^-rw-r-----  *4 ' ||
			return
	done
	[ "$("$DESFS" cat links of-old)" = old ] &&
		[ "$("$DESFS" cat links of-new)" = new ] &&
		"$DESFS" ls -l links of-old | grep -q '^-rw-r-----  *1 '
}
t 'are named, the others are what they were of' hard_links
excluded_names()
{
	status_is 0 pack --exclude /no --from-archive back/excluded.tar ex &&
		[ "$("$DESFS" ls ex | tr '\n' ' ')" = 'four to-large two ' ] &&
		[ "$("$DESFS" cat ex two four)" = oneone ] &&
		[ "$("$DESFS" cat ex to-large | wc -c)" = 5000 ] &&
		"$DESFS" ls -l ex two | grep -q '^-rw-r-----  *2 ' &&
		pack --exclude /first --exclude /third \
			--from-archive back/links.cpio ex2 &&
		[ "$("$DESFS" cat ex2 second)" = 'of all three' ]
}
t 'those to names that are excluded are files all the same' excluded_names
excluded_large()
{
	status_is 1 pack --exclude /no --spool-limit 8K \
		--from-archive back/excluded.tar ex3 &&
		[ "$(grep -c error: e)" = 1 ] &&
		grep -q 'to-large: a hard link to what was excluded, whose' e &&
		[ "$("$DESFS" cat ex3 four)" = one ]
}
t 'unless there is no room for what is not wanted' excluded_large
t 'links to links without end' status_is 1 pack --from-archive back/chain.tar chain
t 'end somewhere' grep -q 'l039: a hard link through too many others' e
t 'hostile names' status_is 1 pack --from-archive back/names.tar names
odd_names()
{
	[ "$(grep -c error: e)" = 6 ] &&
		[ "$(grep -c "refused: a name with '\.\.'" e)" = 3 ] &&
		grep -q 'blocked/file: is below blocked, which is no directory' e &&
		[ "$("$DESFS" cat names abs/file)" = absolute ] &&
		[ "$("$DESFS" cat names dot/slashes/file)" = dots ] &&
		[ "$("$DESFS" cat names twice)" = 'second, and longer' ] &&
		[ "$("$DESFS" cat names changes/file)" = below ] &&
		[ "$("$DESFS" cat names "$(printf 'e\314\201')")" = \
			'composed of two' ] &&
		[ "$("$DESFS" cat names "$(printf '\377\376')")" = 'not UTF-8' ] &&
		[ "$("$DESFS" cat names "$(printf 'ctrl\001\002/\001')")" = 'low bytes' ]
}
t 'are left out, those that are only odd are kept' odd_names

huge_holes()
{
	pack --from-archive back/sparse.tar holes >o 2>e
	is=$?
	cat e
	[ $is = 1 ] && grep -q 'exa: [0-9]* bytes, more than a file can have' e &&
		grep -q 'tera: with holes, [0-9]* bytes: too many' e &&
		[ "$("$DESFS" cat holes good | tail -c 4)" = data ] &&
		[ "$("$DESFS" cat holes good | wc -c)" = 1048576 ]
}
t 'files larger than any cost themselves alone' huge_holes

# --- whole or not at all ------------------------------------------------------
nothing_of()
{
	rm -rf cut
	"$DESFS_PACK" --from-archive "$1" cut >e 2>&1
	is=$?
	cat e
	[ "$is" = 6 ] && grep -q "$2" e && not "$DESFS" ls cut || return
	rm -rf cut
	"$DESFS_PACK" --from-archive - cut <"$1" >e 2>&1
	is=$?
	cat e
	[ "$is" = 6 ] && not "$DESFS" ls cut
}
cuts='512 1000 1024 1500 2048'
for n in $cuts; do
	head -c "$n" back/small.tar >cut.tar
	t "a tar cut after $n bytes" \
		nothing_of cut.tar "cut.tar: damaged or cut after [0-9]* entries, at byte [0-9]"
done
t 'one with no mark of its end' nothing_of back/no-end.tar 'the mark of its end is missing'
head -c 170 back/small.tar.xz >cut.tar.xz
t 'a cut xz' nothing_of cut.tar.xz 'damaged or cut'
head -c -9 gz >cut.tar.gz
t 'a cut gzip' nothing_of cut.tar.gz 'damaged or cut after'
t 'a flipped bit in a bzip2' nothing_of back/flip.tar.bz2 'damaged or cut'
t 'a cut zip' nothing_of back/cut.zip 'damaged or cut'
for f in empty text mtree; do
	t "what is no backup: $f" nothing_of back/$f 'Unrecognized archive format'
done
t 'no such file' status_is 3 pack --from-archive none cut
keeps_old()
{
	cp -r links before && status_is 6 pack --from-archive cut.tar.gz links &&
		diff -r before/log links/log
}
t 'an archive that was there stays as it was' keeps_old

# --- bombs --------------------------------------------------------------------
peak_of()
{
	"$PYTHON" - "$@" <<-'END'
	import resource, subprocess, sys
	limit = int(sys.argv[1])
	r = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL)
	peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
	print(peak, "MiB, status", r.returncode)
	sys.exit(r.returncode or peak > limit)
	END
}
limit=128
grep -qE '__(asan|tsan)_init' "$DESFS_PACK" && limit=1000
t 'a bomb takes no memory' peak_of $limit "$DESFS_PACK" -q \
	--from-archive back/bomb.tar.bz2 bomb
t 'nor does its export' peak_of $limit "$DESFS" export bomb -o /dev/null --format tar
t '--spool-limit holds' status_is 13 pack --spool-limit 1M --from-archive back/bomb.tar.bz2 cut
t 'and nothing is packed' not "$DESFS" ls cut
t 'all is refused that is for directories' status_is 2 pack --mirror --from-archive src.tar cut
t 'and a source besides' status_is 2 pack --from-archive src.tar src cut
