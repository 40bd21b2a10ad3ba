# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# s3-archive.sh - look at an archive in a bucket from outside, for shell tests.
# After tap.sh, tree.sh and s3.sh; PLACE is BUCKET/PREFIX, on $rgw_url:
#
#	rgw_with BUCKET...       start RGW, make the buckets (one that begins with
#	                         "vers" keeps versions), let programs use it
#	keys_of PLACE            keys without the prefix
#	fetch_archive PLACE DIR  all objects become files
#	same_objects PLACE DIR   as in the local archive, but for log records
#	versions_of PLACE [PREFIX]  VERSION or MARKER, and the key, of all versions
#	each_once PLACE          each key has one version and no delete marker
#	each_the_same PLACE      all versions of a key have the same size and ETag
#	leftovers_of PLACE       objects below tmp/, delete markers too, and
#	                         unfinished uploads of the bucket
#	nothing_left PLACE       there are none
#	is_sound PLACE [DIR]     verify --deep has nothing to say; it equals DIR
#
#	start_gate               s3-gate.py before RGW: sets $gate_url
#	gate_rules [RULE]...     see there
#	is_held                  a request is held now
#	clean_later PLACE        desfs-pack --clean, an hour later

rgw_with()
{
	start_rgw || return 1
	for b; do
		case $b in
		vers*) make_bucket "$rgw_url" "$b" versioned ;;
		*) make_bucket "$rgw_url" "$b" ;;
		esac || return 1
	done
	export AWS_ENDPOINT_URL_S3="$rgw_url"
}

# As curl signs it in a query.
encoded()
{
	echo "$1" | sed 's|/|%2F|g'
}

keys_of()
{
	s3_keys "$rgw_url" "${1%%/*}" "$(encoded "${1#*/}/")" >keys.raw &&
		sed "s|^${1#*/}/||" keys.raw
}

fetch_archive()
{
	rm -rf "$2"
	keys_of "$1" >"$2.keys" || return 1
	while IFS= read -r key; do
		mkdir -p "$2/$(dirname "$key")" && s3_curl GET \
			"$rgw_url/$1/$key" -o "$2/$key" </dev/null || return 1
	done <"$2.keys"
}

same_objects()
{
	fetch_archive "$1" "$2.s3" && [ -s "$2.s3/desfs.json" ] &&
		diff -r --exclude=log --exclude=tmp "$2.s3" "$2" &&
		[ "$(find "$2.s3/log" -name '2*.json' | wc -l)" = \
			"$(find "$2/log" -name '2*.json' | wc -l)" ]
}

versions_of()
{
	s3_curl GET "$rgw_url/${1%%/*}?prefix=$(encoded \
		"${1#*/}/${2:-}")&versions=" >versions.xml || return 1
	! grep -q '<IsTruncated>true' versions.xml || return 1
	sed 's/<\(Version\|DeleteMarker\)>/\n&/g' versions.xml |
		sed -nE "s|^<(V\|D)[^>]*>.*<Key>${1#*/}/([^<]*)<.*|\1 \2|p" |
		sed 's/^V/VERSION/; s/^D/MARKER/' | sort
}

each_once()
{
	versions_of "$1" >versions && [ -s versions ] &&
		! grep ^MARKER versions && sort versions | uniq -d >versions.d &&
		cat versions.d && [ ! -s versions.d ]
}

each_the_same()
{
	versions_of "$1" >versions && [ -s versions ] &&
		! grep ^MARKER versions || return 1
	sed 's/<Version>/\n&/g' versions.xml | sed -nE \
		's|^<Version>.*<Key>([^<]*)<.*<Size>([^<]*)<.*|\1 \2|p' \
		>versions.size
	sed 's/<Version>/\n&/g' versions.xml | sed -nE \
		's|^<Version>.*<Key>([^<]*)<.*<ETag>([^<]*)<.*|\1 \2|p' \
		>versions.tag
	for s3_f in versions.size versions.tag; do
		[ "$(sort -u $s3_f | wc -l)" = \
			"$(sort -u versions | wc -l)" ] || return 1
	done
}

leftovers_of()
{
	versions_of "$1" tmp/ && s3_curl GET \
		"$rgw_url/${1%%/*}?uploads=" >uploads.xml || return 1
	sed 's/<Key>/\n&/g' uploads.xml | sed -n "s|^<Key>\(${1#*/}/[^<]*\).*|UPLOAD \1|p"
}

nothing_left()
{
	leftovers_of "$1" >left || return 1
	cat left
	[ ! -s left ]
}

is_sound()
{
	"$DESFS" verify --deep "s3://$1" >verify.out 2>&1 || {
		cat verify.out
		return 1
	}
	! grep note: verify.out || return 1
	[ "${2:-}" ] || return 0
	rm -rf out
	"$DESFS" extract "s3://$1" out && diff -r --no-dereference "$2" out
}

start_gate()
{
	mkdir -p gate && "$PYTHON" -B "$SRCDIR/tests/lib/s3-gate.py" \
		"$rgw_url" gate >gate/out 2>&1 &
	s3_pids="$s3_pids $!"
	wait_for 20 grep -qs '^READY' gate/out || return 1
	gate_url=http://127.0.0.1:$(sed -n 's/^READY port=//p' gate/out)
}

gate_rules()
{
	rm -f gate/held
	printf '%s\n' "$@" >gate/new && mv gate/new gate/rules
}

is_held()
{
	[ -s gate/held ]
}

clean_later()
{
	gate_rules 'ahead 3700'
	AWS_ENDPOINT_URL_S3=$gate_url "$DESFS_PACK" --clean "s3://$1"
	clean_status=$?
	gate_rules
	return $clean_status
}
