#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Settings: where they come from, what is refused, and whether they work.
. "${0%/*}/../lib/tap.sh"

unset AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL \
	AWS_ENDPOINT_URL_S3 http_proxy https_proxy
HOME=$tmp/home XDG_CONFIG_HOME=$tmp/xdg
export HOME XDG_CONFIG_HOME
mkdir -p src home xdg/desfs
echo 1 >src/file
"$DESFS_PACK" -q src ar

# says PATTERN COMMAND...: the output has a line of that pattern.
says()
{
	pattern=$1
	shift
	"$@" >out 2>&1
	grep -qE -e "$pattern" out || { cat out; return 1; }
}

status_is()
{
	want=$1
	shift
	"$@" >out 2>&1
	is=$?
	[ $is = "$want" ] || { cat out; echo "status $is"; return 1; }
}

cat >a.conf <<END
[default]
refresh = 7
ca_file = ca.pem
[archive $tmp/ar]
refresh = 8
END

t 'defaults are shown' says '^refresh = 60  # default$' "$DESFS" check-conf
DESFS_CONF=$tmp/a.conf
t 'a file is read' says "^refresh = 7  # $tmp/a.conf:2\$" "$DESFS" check-conf
t 'the section of an archive goes before' \
	says "^refresh = 8  # $tmp/a.conf:5\$" "$DESFS" check-conf ar
t 'paths begin at the file' says "^ca_file = $tmp/ca.pem  #" "$DESFS" check-conf
t 'options go before files' says "^ca_file = $tmp/other.pem  # option\$" \
	"$DESFS" check-conf --ca-file=other.pem
unset DESFS_CONF
echo '[default]
timeout = 9' >xdg/desfs/desfs.conf
t "the user's file is read" \
	says "^timeout = 9  # $tmp/xdg/desfs/desfs.conf:2\$" "$DESFS" check-conf
t 'JSON' says '^\{"v":1,"type":"setting","key":"timeout","value":"9",' \
	"$DESFS" check-conf --json
rm xdg/desfs/desfs.conf
DESFS_CONF=
export DESFS_CONF

# Every program reads it, and refuses what is wrong.
echo '[default]
colour = red' >bad.conf
for c in 'ls ar' 'cat ar file' 'stat ar' 'extract ar new' 'verify ar' \
	'rebuild ar' check-conf; do
	# shellcheck disable=SC2086
	t "desfs $c refuses an unknown setting" says \
		"^desfs: $tmp/bad.conf:2: unknown setting colour" \
		env DESFS_CONF=bad.conf "$DESFS" $c
done
t 'desfs-pack refuses it' says "bad.conf:2: unknown setting colour" \
	env DESFS_CONF=bad.conf "$DESFS_PACK" src ar
mkdir mnt
t 'mount.desfs refuses it' says "bad.conf:2: unknown setting colour" \
	env DESFS_CONF=bad.conf "$MOUNT_DESFS" ar mnt
t 'with status 2' status_is 2 env DESFS_CONF=bad.conf "$DESFS" ls ar
t 'a file that is named must exist' says 'DESFS_CONF: .*/none: No such file' \
	env DESFS_CONF=none "$DESFS" ls ar
echo '[default]
aws_secret_access_key = SEKRIT' >bad.conf
t 'secrets are refused' says 'bad.conf:2: secrets do not belong here' \
	env DESFS_CONF=bad.conf "$DESFS" ls ar
t 'and not shown' not grep -q SEKRIT out
t 'URLs with passwords are refused' says 'user name or password is not taken' \
	"$DESFS" ls --proxy=http://me:SEKRIT@host ar
t 'and these not shown' not grep -q SEKRIT out

# Directories.
t 'a directory is well' status_is 0 "$DESFS" check-conf --write ar
t 'it can be written to' grep -qx 'ok write: .*' out
t 'nothing is left there' not sh -c 'find ar/tmp -type f | grep .'
t 'one that is missing is not' status_is 3 "$DESFS" check-conf none
t 'as is told' grep -q '^FAILED open: none: No such file' out
mkdir empty
t 'one without an archive is not' status_is 3 "$DESFS" check-conf empty
t 'which is told' grep -q '^FAILED read: no archive is there' out
t "an older program's archive is one" \
	says "^ok read: an older program's archive is there" "$DESFS" \
	check-conf "$SRCDIR/tests/fixtures/legacy/des-v2/packed-n8"
t 'and no failure' status_is 0 "$DESFS" check-conf \
	"$SRCDIR/tests/fixtures/legacy/des-v2/packed-n8"
t 'before the first pack it is well' status_is 0 \
	"$DESFS" check-conf --write empty
t 'something to write to is needed' status_is 2 "$DESFS" check-conf --write

# Zones.
cat >zones <<'END'
[store one]
url = ar
[store two]
url = none
[zone all]
slots = all
stores = one, two
END
t 'a store of a zone that is missing is told' \
	status_is 3 "$DESFS" check-conf zone://zones
t 'by its name' grep -q "^FAILED two open: $tmp/none: No such" out
t 'and the others too' grep -qx 'ok one read: .*' out
sed 's/= all/= 0-3/' zones >gap
t 'a zone file with gaps is refused' says \
	'^FAILED zones: .*/gap: no zone has slots 4-15' \
	"$DESFS" check-conf zone://gap

# Servers and credentials.
AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=SEKRIT
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
# Nobody listens on port 1.
t 'a server that is not there is told' says \
	'^FAILED server: .*127.0.0.1:1: Connection refused' \
	"$DESFS" check-conf --endpoint=http://127.0.0.1:1 s3://bucket/a
t 'credentials are found all the same' grep -qx \
	'ok credentials: access key AKIDEXAMPLE from environment' out
t 'the secret is not shown' not grep -q SEKRIT out
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
t 'missing credentials are told' says \
	'^FAILED credentials: no credentials: set AWS_ACCESS_KEY_ID' \
	"$DESFS" check-conf --endpoint=http://127.0.0.1:1 s3://bucket/a
printf 'aws_access_key_id = AK\naws_secret_access_key = SEKRIT\n' >key
chmod 644 key
t 'a file others may read is refused' says \
	"^FAILED credentials: $tmp/key may be read by others" \
	"$DESFS" check-conf --endpoint=http://127.0.0.1:1 --credentials=key \
	s3://bucket/a
chmod 600 key
t 'one they may not is taken' says \
	"^ok credentials: access key AK from $tmp/key" \
	"$DESFS" check-conf --endpoint=http://127.0.0.1:1 --credentials=key \
	s3://bucket/a

if command -v python3 >/dev/null; then
	cat >server.py <<'END'
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(403)
        self.end_headers()
    def date_time_string(self, timestamp=None):
        return "Sat, 01 Jan 2022 00:00:00 GMT"
    def log_message(self, *args):
        pass
s = http.server.HTTPServer(("127.0.0.1", 0), H)
print(s.server_port, flush=True)
s.serve_forever()
END
	python3 -B server.py >port &
	server=$!
	wait_for 10 test -s port
	t 'a server is found' says "^ok server: http://127.0.0.1:[0-9]*/x " \
		"$DESFS" check-conf "http://127.0.0.1:$(cat port)/x"
	t 'a clock that is wrong is told' grep -qE \
		"^FAILED clock: this machine's clock is [0-9]* s ahead of" out
	kill $server
else
	skip_t 'a server is found' 'needs python3'
fi

# The examples.
t 'the example of desfs.conf is taken' status_is 0 \
	env "DESFS_CONF=$SRCDIR/contrib/desfs.conf" "$DESFS" check-conf
fstab_taken()
{
	grep -v '^#' "$SRCDIR/contrib/fstab" >lines
	while read -r what _ type options _; do
		[ "$what" ] || continue
		[ "$type" = desfs ] || return 1
		# With right options the first thing that is wrong is this.
		says '^mount.desfs: mount point .*/none: No such file' \
			"$MOUNT_DESFS" "$what" "$tmp/none" -o "$options" || return
	done <lines
}
t 'the lines for fstab are' fstab_taken
sed -n '/^\.Bd/,/^\.Ed/p' "$SRCDIR/man/desfs-zones.5" | grep -v '^\.' >z
t 'the zone file of desfs-zones(5) is' says '^ok zones: ' \
	"$DESFS" check-conf --timeout=1 --proxy=http://127.0.0.1:1 zone://z
