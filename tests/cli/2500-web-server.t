#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What tools do and refuse on a web server, which cannot list and not be written
# to; and what they say of places where no archive is.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake

mkdir -p src/dir web
for i in 1 2 3 4 5 6; do
	head -c 5000 /dev/urandom >"src/dir/f$i"
	echo "$i" >"src/g$i"
done
"$DESFS_PACK" -q --publish src web/ar || exit
echo left >web/ar/left-over
start_fake --web web || exit
web=$fake_url

# is STATUS command...
is()
{
	want=$1
	shift
	"$@" --index-cache '' >o 2>e
	got=$?
	cat o e
	[ "$got" = "$want" ]
}
says()
{
	grep -F -- "$1" o e
}

t 'verify reads what the log names' is 0 "$DESFS" verify --deep "$web/ar"
t 'all of it' says '14 entries, 12 files'
t 'and says what it cannot look for' says 'note: log: what it does not name is not looked for'
same_total()
{
	"$DESFS" verify web/ar | tail -n 1 >there
	"$DESFS" verify --index-cache '' "$web/ar" | tail -n 1 | diff there -
}
t 'with the sum of a local one' same_total
"$DESFS" verify web/ar >o
t 'which knows the left-over' grep 'note: left-over' o
shard=$(cd web/ar && echo 2*/*.des | sed 's/ .*//')
mv "web/ar/$shard" kept
t 'a lost shard is damage' is 6 "$DESFS" verify "$web/ar"
t 'that has a name' says "$shard"
t 'and a price' says 'costs all'
mv kept "web/ar/$shard"
mv web/ar/desfs.json kept
t 'so is a lost descriptor' is 6 "$DESFS" verify "$web/ar"
mv kept web/ar/desfs.json
t 'no archive' is 3 "$DESFS" verify "$web/none"
t 'and says so' says "$web/none: no archive"
t 'no server is no damage' is 5 "$DESFS" verify --timeout 10 http://127.0.0.1:1/ar

cat >zones <<EOT
[zones]
n_bits = 4
[store web]
url = $web/ar
[store local]
url = web/ar
[zone all]
slots = 0-15
stores = local, web
EOT
t 'verify of zones with a web server' is 0 "$DESFS" verify zone://zones
t 'says it too' says 'note: log: what it does not name is not looked for'

for cmd in rebuild 'rebuild --dry-run' publish; do
	# shellcheck disable=SC2086 # an option
	t "$cmd is refused" is 2 "$DESFS" $cmd "$web/ar"
	t 'for a reason' says "$web/ar: a web server cannot be written to"
done
for opt in --publish --dry-run --mirror; do
	t "desfs-pack $opt is refused" is 2 "$DESFS_PACK" $opt src "$web/ar"
	t 'for a reason' says "$web/ar: a web server cannot be written to"
done
t 'desfs-pack --clean is refused' is 2 "$DESFS_PACK" --clean "$web/ar"
t 'for a reason' says "$web/ar: a web server cannot be written to"
t 'nothing but GET was sent' not grep -vE '^(.* )?GET ' "$fake_log"

t 'no archive on a web server' is 3 "$DESFS" ls "$web/none"
t 'the cause is told' says "$web/none: no archive: desfs.json: not found"
t 'no archive in a directory' is 3 "$DESFS" ls src
t 'in few words' says 'src: no archive: no desfs.json there'
start_fake --bucket bkt || exit
t 'no archive in a bucket' is 3 "$DESFS" ls --endpoint "$fake_url" s3://bkt/none
t 'the cause is told' says 's3://bkt/none: no archive: desfs.json: not found'
t 'no bucket' is 3 "$DESFS" ls --endpoint "$fake_url" s3://other/a
t 'the cause is told' says 's3://other/a: no archive: '
t 'which is the bucket' says 'there is no such bucket'
t 'publish knows too' is 3 "$DESFS" publish --endpoint "$fake_url" s3://other/a
t 'and says so' says 'bucket other does not exist'
