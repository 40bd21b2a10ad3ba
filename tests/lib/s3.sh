# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: Apache-2.0
# s3.sh - servers for shell tests.  After tap.sh:
#	. "$SRCDIR/tests/lib/s3.sh"
#
#	need_fake                 skips the file when the test server was not built
#	start_fake [options]      the test server (fake-s3 --help); sets $fake_url,
#	                          $fake_port, $fake_log, $fake_pid, also for the
#	                          calls below: set $fake_url to speak to another one
#	fake_rules [RULE]...      what goes wrong from now on, see fake-rule.h
#	fake_used N               how often the Nth rule was applied
#	fake_count KIND           requests since the last reset; TOTAL: all
#	fake_reset                counts 0, log empty, rules stay
#	at_most N KIND            that count is not larger; exactly N KIND
#	fake_killed RULE program [args]   kill the program when the server has
#	                          done a request that the rule fits; true when it
#	                          has
#	fake_clock N              its clock is N seconds ahead
#
#	need_rgw; start_rgw       Ceph RGW: sets $rgw_url, with TLS $rgw_tls_url
#	rgw_daemon kill|start NAME    NAME: rgw, osd
#	rgw_user NAME ACCESS SECRET   one more user
#	need_nginx; start_nginx DIR   DIR over $nginx_url and $nginx_tls_url;
#	                          $nginx_log: METHOD PATH RANGE STATUS BYTES
#	make_certificate          $ca_file and $ca_key for 127.0.0.1 and localhost
#
#	make_bucket URL NAME [versioned]
#	s3_curl METHOD URL [curl arguments]   signed; the query must be in order,
#	                          encoded, and its names end with =
#	s3_keys URL BUCKET [PREFIX]           all keys, one a line
#	s3_put_all DIR URL BUCKET PREFIX      files become objects
#	s3_get_versions URL BUCKET PREFIX DIR all versions become files; false
#	                          when there are unfinished uploads
#
# Credentials are in the environment.  All servers end with the test.
FAKE_S3=$BUILDDIR/tests/lib/fake-s3
PATH=$PATH:/usr/sbin:/sbin
AWS_ACCESS_KEY_ID=DESFSTESTACCESS
AWS_SECRET_ACCESS_KEY=desfs-test/secret+0123456789abcdefABCDEF
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY PATH
unset AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION
unset AWS_ENDPOINT_URL AWS_SHARED_CREDENTIALS_FILE DESFS_CONF
unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY
export HOME="$tmp/home" XDG_CACHE_HOME="$tmp/home/cache"
export XDG_CONFIG_HOME="$tmp/home/config"
mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME"
s3_pids=
s3_rgw=
s3_n=0

s3_end()
{
	s3_status=$?
	for s3_pid in $s3_pids; do
		kill "$s3_pid" 2>/dev/null
	done
	for s3_pid in $s3_pids; do
		s3_stopped "$s3_pid"
	done
	[ ! "$s3_rgw" ] ||
		"$SRCDIR/tests/lib/ceph-rgw.sh" stop "$s3_rgw" >/dev/null 2>&1
	(exit $s3_status)
	tap_end
}
trap s3_end EXIT

# At the latest after five seconds.
s3_stopped()
{
	wait_for 5 not kill -0 "$1" 2>/dev/null || kill -KILL "$1"
	wait "$1" 2>/dev/null
	:
}

# A port that was free just now, below those that the kernel gives to clients.
s3_port()
{
	"${PYTHON:-/usr/bin/python3}" -c '
import random, socket
while True:
    port = random.randrange(20000, 32000)
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break'
}

need_fake()
{
	need 'needs curl' command -v curl
	need 'needs libmicrohttpd' test -x "$FAKE_S3"
}

start_fake()
{
	s3_n=$((s3_n + 1))
	fake_log=$tmp/fake-$s3_n.log
	"$FAKE_S3" --log "$fake_log" "$@" >"$tmp/fake-$s3_n.out" \
		2>"$tmp/fake-$s3_n.err" &
	fake_pid=$!
	s3_pids="$s3_pids $fake_pid"
	wait_for 20 grep -qs '^READY' "$tmp/fake-$s3_n.out" || {
		cat "$tmp/fake-$s3_n.err"
		return 1
	}
	fake_port=$(sed 's/.*port=//' "$tmp/fake-$s3_n.out")
	fake_url=http://127.0.0.1:$fake_port
	case " $* " in
	*' --certificate'*) fake_url=https://127.0.0.1:$fake_port ;;
	esac
}

# The server is steered without proxy, certificate and signature.
fake_curl()
{
	fake_path=$1
	shift
	curl -sSf -k -m 20 "$@" "$fake_url/_fake/$fake_path"
}

fake_rules()
{
	printf '%s\n' "$@" | fake_curl rules -X PUT --data-binary @-
}

fake_used()
{
	fake_curl rules | sed -n "$1s/ .*//p"
}

fake_count()
{
	fake_curl count | sed -n "s/^$1 //p"
}

fake_reset()
{
	fake_curl reset -X PUT
}

fake_clock()
{
	fake_curl "clock/$1" -X PUT
}

# Met, or the command has ended without.
fake_met()
{
	[ "$(fake_used 1)" -gt 0 ] || ! kill -0 "$met_pid" 2>/dev/null
}
fake_killed()
{
	fake_rules "$1 latency=600000" || return 1
	shift
	ASAN_OPTIONS=$no_leaks "$@" &
	met_pid=$!
	wait_for 60 fake_met
	kill -KILL $met_pid 2>/dev/null
	wait $met_pid
	met_status=$?
	fake_rules
	[ $met_status = 137 ]
}

at_most()
{
	at_most_n=$(fake_count "$2") && [ "$at_most_n" -le "$1" ] && return
	echo "$2: $at_most_n requests, not at most $1"
	tail -n 30 "$fake_log"
	return 1
}

exactly()
{
	exactly_n=$(fake_count "$2") && [ "$exactly_n" = "$1" ] && return
	echo "$2: $exactly_n requests, not $1"
	tail -n 30 "$fake_log"
	return 1
}

make_certificate()
{
	ca_file=$tmp/ca.pem
	ca_key=$tmp/ca.key
	[ -e "$ca_file" ] ||
		openssl req -x509 -newkey ec -pkeyopt \
			ec_paramgen_curve:prime256v1 -nodes -days 2 \
			-subj /CN=localhost -keyout "$ca_key" -out "$ca_file" \
			-addext subjectAltName=IP:127.0.0.1,DNS:localhost \
			2>"$tmp/openssl.err" || {
		cat "$tmp/openssl.err"
		return 1
	}
}

need_nginx()
{
	need 'needs nginx' command -v nginx
	need 'needs openssl' command -v openssl
}

nginx_conf()
{
	cat <<-EOF
	daemon off;
	$([ "$(id -u)" != 0 ] || echo 'user root root;')
	worker_processes 2;
	pid $1/pid;
	error_log $1/error.log;
	events { worker_connections 256; }
	http {
		log_format short
			'\$request_method \$uri \$http_range \$status \$body_bytes_sent';
		access_log $1/access.log short;
		client_body_temp_path $1/body;
		proxy_temp_path $1/proxy;
		fastcgi_temp_path $1/fastcgi;
		uwsgi_temp_path $1/uwsgi;
		scgi_temp_path $1/scgi;
		default_type application/octet-stream;
		keepalive_requests 100000;
		sendfile on;
		server {
			listen 127.0.0.1:$2;
			listen 127.0.0.1:$3 ssl http2;
			ssl_certificate $ca_file;
			ssl_certificate_key $ca_key;
			root "$4";
		}
	}
	EOF
}

nginx_answers()
{
	curl -s -o /dev/null -m 5 "$nginx_url/" || ! kill -0 "$nginx_pid"
}

start_nginx()
{
	make_certificate || return 1
	for s3_try in 1 2 3 4 5; do
		s3_n=$((s3_n + 1))
		nginx_dir=$tmp/nginx-$s3_n
		nginx_log=$nginx_dir/access.log
		mkdir "$nginx_dir" || return 1
		s3_plain=$(s3_port) && s3_tls=$(s3_port) || return 1
		nginx_url=http://127.0.0.1:$s3_plain
		nginx_tls_url=https://127.0.0.1:$s3_tls
		nginx_conf "$nginx_dir" "$s3_plain" "$s3_tls" "$1" \
			>"$nginx_dir/conf"
		nginx -p "$nginx_dir" -c "$nginx_dir/conf" \
			-e "$nginx_dir/error.log" >"$nginx_dir/out" 2>&1 &
		nginx_pid=$!
		wait_for 10 nginx_answers
		if kill -0 $nginx_pid 2>/dev/null; then
			s3_pids="$s3_pids $nginx_pid"
			return 0
		fi
		echo "nginx has ended, try $s3_try"
	done
	cat "$nginx_dir/error.log"
	return 1
}

need_rgw()
{
	need 'needs ceph-mon, ceph-osd and radosgw' sh -c \
		'command -v ceph-mon && command -v ceph-osd &&
		command -v radosgw && command -v radosgw-admin &&
		command -v ceph && command -v curl'
}

start_rgw()
{
	s3_rgw=$tmp/rgw
	rgw_port=$(s3_port) && make_certificate || return 1
	cat "$ca_key" "$ca_file" >"$tmp/rgw.pem" || return 1
	"$SRCDIR/tests/lib/ceph-rgw.sh" start "$s3_rgw" "$rgw_port" \
		"$(s3_port)" "$(s3_port)" "$tmp/rgw.pem" >"$tmp/rgw.out" 2>&1 || {
		tail -n 30 "$tmp/rgw.out"
		return 1
	}
	rgw_url=$(sed -n 's/^URL=//p' "$tmp/rgw.out")
	rgw_tls_url=$(sed -n 's/^TLS_URL=//p' "$tmp/rgw.out")
}

rgw_daemon()
{
	"$SRCDIR/tests/lib/ceph-rgw.sh" "$1" "$s3_rgw" "$2"
}

rgw_user()
{
	CEPH_ARGS="--secret-key=$3" timeout 60 radosgw-admin \
		-c "$s3_rgw/ceph.conf" --name client.rgw user create \
		--uid "$1" --display-name "$1" --access-key "$2"
}

# The secret goes through standard input, not through arguments; a body comes
# from a file (-T).
s3_curl()
{
	s3_method=$1 s3_url=$2
	shift 2
	curl -sS -f -k -m 60 -X "$s3_method" --aws-sigv4 aws:amz:us-east-1:s3 \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -K - "$@" \
		"$s3_url" <<-EOF
	user = "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"
	EOF
}

make_bucket()
{
	s3_curl PUT "$1/$2" || return 1
	[ "${3:-}" = versioned ] || return 0
	echo '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>' \
		>"$tmp/versioning.xml"
	s3_curl PUT "$1/$2?versioning=" -T "$tmp/versioning.xml"
}

# Up to a thousand for each page, from the last key on.
s3_keys()
{
	s3_after=
	s3_prefix=$(echo "${3:-}" | sed 's,/,%2F,g')
	while :; do
		s3_curl GET "$1/$2?list-type=2&prefix=$s3_prefix&start-after=$s3_after" \
			>"$tmp/s3_keys.xml" || return 1
		{ sed 's/<Key>/\n&/g' "$tmp/s3_keys.xml" && echo; } |
			sed -n 's/^<Key>\([^<]*\).*/\1/p' >"$tmp/s3_keys.txt"
		cat "$tmp/s3_keys.txt"
		grep -q '<IsTruncated>true' "$tmp/s3_keys.xml" || return 0
		s3_after=$(tail -n 1 "$tmp/s3_keys.txt" | sed 's,/,%2F,g')
	done
}

# s3_put_all DIR URL BUCKET PREFIX: its files become objects; one curl puts them
# all.  Their names need no quotes.
s3_put_all()
{
	(cd "$1" && find . -type f | sed 's|^\./||' | sort) |
		sed "s|.*|upload-file = \"$1/&\"\nurl = \"$2/$3/$4/&\"|" \
			>"$tmp/s3_put.txt"
	echo "user = \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\"" |
		cat - "$tmp/s3_put.txt" | curl -sS -f --fail-early -k -m 60 \
		--aws-sigv4 aws:amz:us-east-1:s3 \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -K -
}

s3_encode()
{
	sed 's,%,%25,g; s,/,%2F,g; s,+,%2B,g; s,=,%3D,g'
}

# s3_get_versions URL BUCKET PREFIX DIR: all versions of all its objects as
# files of DIR; true only when it has no unfinished upload.
s3_get_versions()
{
	rm -rf "$4" && mkdir "$4" || return 1
	: >"$tmp/s3_versions.txt"
	s3_marker='' s3_id_marker=''
	while :; do
		s3_curl GET "$1/$2?${s3_marker}prefix=$(echo "$3/" |
			sed 's,/,%2F,g')&${s3_id_marker}versions=" \
			>"$tmp/s3_versions.xml" || return 1
		{ sed 's/<Version>/\n&/g; s/<DeleteMarker>/\n&/g' \
			"$tmp/s3_versions.xml" && echo; } |
		sed -n 's;^<Version>.*<Key>\([^<]*\)</Key>.*<VersionId>\([^<]*\).*;\1 \2;p' \
			>>"$tmp/s3_versions.txt"
		grep -q '<IsTruncated>true' "$tmp/s3_versions.xml" || break
		s3_marker=key-marker=$(sed -n 's;.*<NextKeyMarker>\([^<]*\).*;\1;p' \
			"$tmp/s3_versions.xml" | s3_encode)'&'
		s3_id_marker=version-id-marker=$(sed -n \
			's;.*<NextVersionIdMarker>\([^<]*\).*;\1;p' \
			"$tmp/s3_versions.xml" | s3_encode)'&'
	done
	s3_i=0
	while read -r s3_key s3_id; do
		s3_i=$((s3_i + 1))
		s3_curl GET "$1/$2/$s3_key?versionId=$(echo "$s3_id" |
			s3_encode)" -o "$4/$s3_i.$(echo "$s3_key" | tr / .)" \
			</dev/null || return 1
	done <"$tmp/s3_versions.txt"
	s3_curl GET "$1/$2?uploads=" >"$tmp/s3_uploads.xml" || return 1
	! grep -o "<Key>$3/[^<]*" "$tmp/s3_uploads.xml"
}
