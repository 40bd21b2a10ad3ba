#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# desfs export writes a tar that GNU tar finds equal to what was packed, and a
# zip of what a zip can hold.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_root

oddities src --count 100 2>notes
sed 's/^/# /' notes
# No decimal number of a tar is between -1 and 0, and no tar has sockets.
find src/times -name '-1.9*' -exec touch -h -d 1961-02-03T04:05:06.789Z {} +
touch -d 1969-12-31T23:59:58.000000007Z src/times/dir
rm -r src/special/sockets
a255=$(printf '%0255d' 0)
mkdir -p "src/long/$a255/$a255" && echo long >"src/long/$a255/$a255/$a255"
ln "src/long/$a255/$a255/$a255" src/long/link
ln -s "$a255/$a255/$a255" src/long/symlink
head -c 3000000 /dev/urandom >src/large
truncate -s "$(scaled 1000)M" src/sparse
printf data | dd of=src/sparse bs=1 seek="$(scaled 700000000)" conv=notrunc 2>/dev/null
truncate -s "$(scaled 300)M" src/hole
setfattr -n user.a=b%c -v 'x=y' src/large ||
	echo '# no extended attributes here'
"$DESFS_PACK" -q --created-at 2026-01-01T12:00:00Z src ar || exit

status_is()
{
	want=$1
	shift
	"$@" >o 2>e
	is=$?
	cat e
	[ "$is" = "$want" ]
}

# GNU tar tells of the marks of names that are not UTF-8.
compares()
{
	tar --compare -f "$1" -C src >o 2>&1
	status=$?
	grep -v 'Ignoring unknown extended header keyword' o >e
	cat e
	[ "$status" = 0 ] && [ ! -s e ]
}
restores()
{
	mkdir out && tar -xpf "$1" -C out --numeric-owner --xattrs \
		--xattrs-include='*' 2>/dev/null &&
		touch -hr src/times/-1.999999999-link out/times/-1*-link &&
		touch -hr src/times/-2000000000.1-link out/times/-2*-link &&
		same_by_find src out
}
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
t 'a tar is written' "$DESFS" export ar -o all.tar
t 'tar --compare is clean' compares all.tar
t 'what tar makes of it is the same' restores all.tar
t 'and so are its extended attributes' same_xattrs
sparse()
{
	[ "$(stat -c %s all.tar)" -lt 40000000 ] &&
		[ "$(stat -c %b out/sparse)" -lt 4096 ] &&
		[ "$(stat -c %b out/hole)" -lt 64 ]
}
t 'holes take no room in it, nor in what comes out' sparse
rm -rf out
through_a_pipe()
{
	"$DESFS" export ar | cmp - all.tar
}
t 'standard output gets the same bytes' through_a_pipe

for kind in gz:gzip:1f8b bz2:bzip2:425a xz:xz:fd37 zst::28b5 lz4::0422; do
	end=${kind%%:*} magic=${kind##*:} program=${kind#*:}
	program=${program%:*}
	compressed()
	{
		"$DESFS" export ar acls names -o "some.tar.$end" &&
			[ "$(head -c 2 "some.tar.$end" |
				od -An -tx1 | tr -d ' ')" = "$magic" ] ||
			return
		[ ! "$program" ] || "$program" -dc "some.tar.$end" >some.tar
	}
	t "a name of .tar.$end has it compressed" compressed
done
some()
{
	"$DESFS" export ar deep/0/1 names -o some.tar 2>e || return
	cat e
	tar -tf some.tar 2>/dev/null | head -n 4 >is
	printf '%s\n' deep/ deep/0/ deep/0/1/ deep/0/1/2/ | diff - is &&
		! tar -tf some.tar 2>/dev/null | grep -v '^deep\|^names'
}
t 'paths select, with the directories above' some
t 'a path that is not there' status_is 1 "$DESFS" export ar none -o none.tar
t 'a name that says nothing' status_is 2 "$DESFS" export ar -o some.what
t 'a name that says other' status_is 2 \
	"$DESFS" export ar --format zip -o some.tar
t 'no archive' status_is 3 "$DESFS" export nothing -o some.tar
t 'a full disk' status_is 13 "$DESFS" export ar --format tar -o /dev/full

# --- zip ---------------------------------------------------------------------
zip_is_same()
{
	"$PYTHON" - all.zip src <<-'END'
	import hashlib, os, stat, sys, zipfile
	os.umask(0)
	z = zipfile.ZipFile(sys.argv[1])
	src = os.fsencode(sys.argv[2])
	want, count = set(), 0
	for top, dirs, files in os.walk(src):
	    for n in dirs + files:
	        p = os.path.join(top, n)
	        if stat.S_IFMT(os.lstat(p).st_mode) in (
	                stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
	            want.add(os.path.relpath(p, src))
	for i in z.infolist():
	    # cp437 is what zipfile takes names for that are not marked UTF-8.
	    name = i.filename.encode("utf-8" if i.flag_bits & 0x800 else "cp437")
	    st = os.lstat(os.path.join(src, name))
	    mode = i.external_attr >> 16
	    assert mode == st.st_mode, (name, oct(mode), oct(st.st_mode))
	    if stat.S_ISLNK(mode):
	        assert z.read(i) == os.readlink(os.path.join(src, name)), name
	    elif stat.S_ISREG(mode):
	        assert i.file_size == st.st_size, name
	        if st.st_size < 1 << 30:
	            with open(os.path.join(src, name), "rb") as f:
	                assert z.read(i) == f.read(), name
	    want.remove(name.rstrip(b"/"))
	assert not want, want
	END
}
rm src/sparse
truncate -s 50M src/hole
"$DESFS_PACK" -q --mirror --created-at 2026-01-02T12:00:00Z src ar || exit
t 'a zip is written' status_is 0 "$DESFS" export ar -o all.zip
cp e told
t 'it has what a zip can hold' zip_is_same
t 'what it cannot is told once' grep -q \
	'zip has no place for: [1-9][0-9]* devices.*; .* [1-9][0-9]* ent.*; [1-9]' \
	told
one_line()
{
	[ "$(wc -l <told)" = 1 ]
}
t 'in one line' one_line

# --- the view of a day -------------------------------------------------------
mkdir -p day/dir && echo one >day/dir/file && echo same >day/dir/other
"$DESFS_PACK" -q --created-at 2026-03-01T10:00:00Z day days || exit
echo second >day/dir/file
"$DESFS_PACK" -q --created-at 2026-03-01T11:00:00Z day days || exit
of_a_day()
{
	"$DESFS" export --date 20260301 days -o day.tar &&
		tar -tf day.tar | sort >is && cat is &&
		grep -qx 'dir/file' is && grep -qx 'dir/file@20260301T100000.*' is &&
		[ "$(tar -xOf day.tar --wildcards 'dir/file@*')" = one ] &&
		"$DESFS" export --date 20260301 days dir/file -o one.tar &&
		[ "$(tar -xOf one.tar dir/file)" = second ]
}
t 'a day has older versions too' of_a_day
t 'a day that is none' status_is 2 "$DESFS" export --date 2026 days -o x.tar

# --- damage ------------------------------------------------------------------
mkdir hurt
head -c 3000000 /dev/urandom >hurt/early
head -c 3000000 /dev/urandom >hurt/late
head -c 200000 /dev/urandom >hurt/small
echo fine >hurt/fine
"$DESFS_PACK" -q hurt bad || exit
chmod -R u+w bad
# damage NAME NUMBER-OF-BLOCK
damage()
{
	shard=bad/$("$DESFS" stat bad "$1" | sed -n 's/^shard: //p')
	off=$("$DESFS" stat bad "$1" |
		sed -n 's/^block: .* at \([0-9]*\), .*/\1/p' | sed -n "$2"p)
	[ "$off" ] && printf '\377\000\377\000' |
		dd of="$shard" bs=1 seek=$((off + 1000)) conv=notrunc 2>/dev/null
}
damage early 1 && damage small 1 && damage late 9 || exit
t 'damaged files are errors' status_is 1 "$DESFS" export bad -o bad.tar
cp e told
t 'the first of them are named' grep -q '^desfs: early: .*\.des' told
t 'small ones too' grep -q '^desfs: small: .*\.des' told
t 'and where another one ends' grep -q \
	'^desfs: late: zeros stand for bytes [1-9][0-9]* to 3000000: .*\.des' told
only_good()
{
	tar -xf bad.tar -C bad.out && (cd bad.out && echo *) >is && cat is &&
		[ "$(cat is)" = 'fine late' ] && cmp bad.out/fine hurt/fine &&
		[ "$(stat -c %s bad.out/late)" = 3000000 ] &&
		cmp -n 1048576 bad.out/late hurt/late
}
mkdir bad.out
t 'the tar is a good one of the others' only_good
old_stays()
{
	echo old >old.tar && status_is 1 "$DESFS" export bad -o old.tar &&
		[ "$(cat old.tar)" = old ] && cmp old.tar.partial bad.tar &&
		grep -q '^desfs: old.tar is left as it was' e
}
t 'it does not take the place of another one' old_stays
# --- attributes with odd names ------------------------------------------------
told_odd()
{
	"$DESFS" export attributes -o attributes.tar 2>e && cat e &&
		grep -q 'GNU tar restores .* of 1 entries under other names' e &&
		"$DESFS_PACK" -q --from-archive attributes.tar again &&
		"$DESFS" export again 2>e | cmp - attributes.tar
}
mkdir odd && echo x >odd/a && echo x >odd/b
if setfattr -n 'user.a b' -v x odd/a && setfattr -n user.a=b%c -v x odd/b; then
	"$DESFS_PACK" -q odd attributes || exit
	t 'attributes that GNU tar gives other names are counted' told_odd
else
	skip_t 'attributes that GNU tar gives other names are counted' \
		'no extended attributes here'
fi

# --- archives of older programs ----------------------------------------------
cp -r "$SRCDIR/tests/fixtures/legacy/des-v2/packed-n8" older && chmod -R u+w older
first=$(find older -name '*.des' | sort | head -n 1)
truncate -s -1 "$first"
whole_stays()
{
	echo whole >older.tar && status_is 6 "$DESFS" export older -o older.tar &&
		[ "$(cat older.tar)" = whole ] && tar -tf older.tar.partial >o &&
		[ -s o ]
}
t 'one that lacks a whole shard is no whole tar either' whole_stays
no_leftover()
{
	find . -name '*.tmp' | grep .
}
t 'no temporary file is left' not no_leftover
