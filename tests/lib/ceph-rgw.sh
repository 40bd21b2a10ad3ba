#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ceph-rgw.sh - a Ceph of our own: one monitor, one OSD in memory, one RGW.
#
#	ceph-rgw.sh start DIR PORT TLS_PORT MON_PORT CERTIFICATE
#		wait until S3 answers; print URL=, TLS_URL= and pids
#	ceph-rgw.sh stop DIR
#	ceph-rgw.sh kill DIR rgw|osd|mon     SIGKILL
#	ceph-rgw.sh start DIR rgw            again, after kill
#
# All of it is in DIR and listens on 127.0.0.1; any user may run it.  The S3
# user has the credentials of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.  The
# OSD keeps objects in memory: they are gone when it ends.  For Ceph 16 and on.
set -u
export LC_ALL=C
WAIT=${CEPH_RGW_WAIT:-120} # seconds for each step

die()
{
	tail -n 20 "$D/make.out" 2>/dev/null >&2
	echo "ceph-rgw.sh: $*" >&2
	exit 1
}

# A pid is ours while its command line names our configuration.
pid_of()
{
	p=$(cat "$D/$1.pid" 2>/dev/null) && [ "$p" ] &&
		tr '\0' '\n' <"/proc/$p/cmdline" 2>/dev/null |
		grep -qxF "$D/ceph.conf" && echo "$p"
}

launch()
{
	name=$1
	shift
	pid_of "$name" >/dev/null && return
	setsid "$@" -f -c "$D/ceph.conf" </dev/null >>"$D/$name.out" 2>&1 &
	echo $! >"$D/$name.pid"
}

end()
{
	p=$(pid_of "$1") || return 0
	kill "-$2" "$p"
	left=100
	while pid_of "$1" >/dev/null && [ $left -gt 0 ]; do
		left=$((left - 1))
		sleep 0.1
	done
	[ $left -gt 0 ] || kill -KILL "$p"
	rm -f "$D/$1.pid"
}

ceph_do()
{
	timeout "$WAIT" ceph -c "$D/ceph.conf" --name client.admin \
		--connect-timeout 10 "$@"
}

until_ready()
{
	name=$1
	shift
	deadline=$(($(date +%s) + WAIT))
	until "$@" >/dev/null 2>&1; do
		pid_of "$name" >/dev/null || {
			tail -n 20 "$D/$name.out" >&2
			die "$name has ended"
		}
		[ "$(date +%s)" -lt $deadline ] || die "$name is not ready"
		sleep 0.1
	done
}

osd_is_up()
{
	ceph_do osd stat -f json | grep -q '"num_up_osds":1'
}

rgw_answers()
{
	curl -fsS -o /dev/null --max-time 5 "http://127.0.0.1:$PORT/"
}

write_conf()
{
	fsid=$(cat /proc/sys/kernel/random/uuid)
	# The defaults log every request.
	quiet=$(for n in rgw ms osd mon paxos auth monc objecter objclass \
		memstore filestore journal rocksdb bdev; do
		echo "debug_$n = 0/0"
	done)
	cat >"$D/ceph.conf" <<-EOF
	[global]
	fsid = $fsid
	mon_host = [v2:127.0.0.1:$MON_PORT]
	public_addr = 127.0.0.1
	cluster_addr = 127.0.0.1
	ms_bind_msgr1 = false
	ms_bind_ipv6 = false
	auth_cluster_required = cephx
	auth_service_required = cephx
	auth_client_required = cephx
	auth_allow_insecure_global_id_reclaim = false
	keyring = $D/keyring
	run_dir = $D
	admin_socket =
	log_file = $D/\$name.log
	crash_dir = $D/crash
	heartbeat_file =
	osd_crush_chooseleaf_type = 0
	osd_pool_default_size = 1
	osd_pool_default_min_size = 1
	osd_pool_default_pg_num = 8
	osd_pool_default_pgp_num = 8
	osd_pool_default_pg_autoscale_mode = off
	mon_allow_pool_size_one = true
	mon_max_pg_per_osd = 1000
	$quiet
	[mon]
	mon_data = $D/mon
	mon_data_avail_crit = 1
	mon_data_avail_warn = 2
	mon_memory_autotune = false
	mon_cluster_log_file = $D/cluster.log
	[osd]
	osd_data = $D/osd
	osd_objectstore = memstore
	memstore_device_bytes = ${CEPH_RGW_SIZE:-8589934592}
	osd_class_update_on_start = false
	osd_crush_update_on_start = true
	osd_crush_location = root=default host=localhost
	osd_scrub_load_threshold = 0
	osd_op_num_shards = 2
	osd_op_num_threads_per_shard = 2
	[client.rgw]
	rgw_data = $D/rgw
	rgw_frontends = beast endpoint=127.0.0.1:$PORT tcp_nodelay=1 ssl_endpoint=127.0.0.1:$TLS_PORT ssl_certificate=$D/tls.pem
	rgw_thread_pool_size = 64
	rgw_enable_usage_log = false
	rgw_enable_ops_log = false
	rgw_crypt_require_ssl = false
	rgw_dynamic_resharding = false
	EOF
}

# One keyring for all: the monitor takes in every entity it holds.
write_keyring()
{
	(umask 077
	ceph-authtool --create-keyring "$D/keyring" --gen-key -n mon. \
		--cap mon 'allow *' &&
	ceph-authtool "$D/keyring" --gen-key -n client.admin \
		--cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' &&
	ceph-authtool "$D/keyring" --gen-key -n osd.0 \
		--cap mon 'allow profile osd' --cap osd 'allow *' &&
	ceph-authtool "$D/keyring" --gen-key -n client.rgw \
		--cap mon 'allow rw' --cap osd 'allow rwx')
}

make_monitor()
{
	monmaptool --create --clobber --fsid "$fsid" \
		--addv a "[v2:127.0.0.1:$MON_PORT]" "$D/monmap" &&
	ceph-mon -c "$D/ceph.conf" -i a --mkfs --monmap "$D/monmap" \
		--keyring "$D/keyring"
}

make_osd()
{
	id=$(cat /proc/sys/kernel/random/uuid)
	ceph_do osd new "$id" && ceph-osd -c "$D/ceph.conf" -i 0 --mkfs \
		--osd-uuid "$id"
}

# The secret goes through the environment: arguments can be seen by all.
make_user()
{
	CEPH_ARGS="--secret-key=$AWS_SECRET_ACCESS_KEY" timeout "$WAIT" \
		radosgw-admin -c "$D/ceph.conf" --name client.rgw user create \
		--uid desfs --display-name desfs \
		--access-key "$AWS_ACCESS_KEY_ID"
}

start_all()
{
	for b in ceph-mon ceph-osd radosgw radosgw-admin monmaptool ceph curl; do
		command -v $b >/dev/null || die "$b is not installed"
	done
	[ ! -e "$D" ] || [ ! "$(ls -A "$D")" ] || die "$D is not empty"
	mkdir -p "$D/mon" "$D/osd" "$D/rgw" "$D/crash" || exit 1
	install -m 600 "$1" "$D/tls.pem" || exit 1
	write_conf
	write_keyring >"$D/make.out" 2>&1 || die 'no keyring'
	make_monitor >>"$D/make.out" 2>&1 || die 'no monitor'
	launch mon ceph-mon -i a
	until_ready mon ceph_do quorum_status
	make_osd >>"$D/make.out" 2>&1 || die 'no OSD'
	launch osd ceph-osd -i 0
	until_ready osd osd_is_up
	make_user >>"$D/make.out" 2>&1 || die 'no user'
}

start_rgw()
{
	launch rgw radosgw -n client.rgw
	until_ready rgw rgw_answers
	echo "URL=http://127.0.0.1:$PORT"
	echo "TLS_URL=https://127.0.0.1:$TLS_PORT"
	for name in mon osd rgw; do
		p=$(pid_of $name) && echo "PID_$name=$p"
	done
}

D=/nonexistent
[ $# -ge 2 ] || die 'start, stop or kill, and a directory'
verb=$1 D=$2
case $D in
/*) ;;
*) D=$PWD/$D ;;
esac
case $verb-$# in
start-6)
	PORT=$3 TLS_PORT=$4 MON_PORT=$5
	start_all "$6"
	start_rgw ;;
start-3)
	PORT=$(sed -n 's/^rgw_frontends.* endpoint=[^ ]*:\([0-9]*\) .*/\1/p' \
		"$D/ceph.conf")
	TLS_PORT=$(sed -n 's/.* ssl_endpoint=[^ ]*:\([0-9]*\) .*/\1/p' \
		"$D/ceph.conf")
	start_rgw ;;
kill-3) end "$3" KILL ;;
stop-2)
	end rgw KILL
	end osd KILL
	end mon TERM ;;
*) die "$verb with $# arguments: see this file" ;;
esac
