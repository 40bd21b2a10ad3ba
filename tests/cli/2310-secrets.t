#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The secret key goes nowhere: no message, log, argument, file or request.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
. "$SRCDIR/tests/lib/tree.sh"
need_fake

# A part that no encoding changes, and no other test has; the token is as secret.
core=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
[ ${#core} = 32 ] || exit
AWS_SECRET_ACCESS_KEY=desfs-test/$core/secret+
AWS_SESSION_TOKEN=desfs-test/token/$core/token==
export AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

mkdir out
echo "$core" >core
# All that happens is looked at: arguments of all processes, time and again.
watch_arguments()
{
	while [ ! -e watched ]; do
		cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' |
			grep -F -f core >>arguments
		echo >>looks
		sleep 0.1
	done
}

# step NAME COMMAND...: whatever its result; what it says is kept
step()
{
	step_name=$1
	shift
	timeout -k 1 30 "$@" >"out/$step_name.out" 2>"out/$step_name.err" \
		</dev/null
	echo "$step_name $?" >>out/steps
}

# Which steps have failed; none of those that were to succeed.
failed()
{
	awk '$2 != 0 { print $1 }' out/steps | grep "$1"
}

files src/d 50 2000
start_fake --bucket bkt --rules 'latency=20' || exit
: >arguments
at="--endpoint $fake_url --trace out/trace --index-cache $tmp/out/index.db"
watch_arguments &
watcher=$!

# shellcheck disable=SC2086 # words
commands()
{
	step "$1-pack" "$DESFS_PACK" --publish -vv --debug=all $at src "$2"
	step "$1-pack-again" "$DESFS_PACK" --json --debug=all $at src "$2"
	step "$1-clean" "$DESFS_PACK" --clean --debug=all $at "$2"
	step "$1-ls" "$DESFS" --debug=all ls -lR $at "$2"
	step "$1-cat" "$DESFS" --debug=all cat $at "$2" d/000001
	step "$1-stat" "$DESFS" --debug=all stat --json $at "$2" d/000001
	step "$1-extract" "$DESFS" --debug=all extract $at "$2" "out/$1-x"
	step "$1-verify" "$DESFS" --debug=all verify --deep $at "$2"
	step "$1-publish" "$DESFS" --debug=all publish $at "$2"
	step "$1-check-conf" "$DESFS" --debug=all check-conf $at "$2"
	step "$1-cache" "$DESFS" --debug=all cache $at status
}

commands env s3://bkt/a

# The same from a file.
mkdir -p "$HOME/.aws"
cat >"$HOME/.aws/credentials" <<EOT
[default]
aws_access_key_id = $AWS_ACCESS_KEY_ID
aws_secret_access_key = $AWS_SECRET_ACCESS_KEY
aws_session_token = $AWS_SESSION_TOKEN
EOT
chmod 600 "$HOME/.aws/credentials"
secret=$AWS_SECRET_ACCESS_KEY
without='env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY'
without="$without -u AWS_SESSION_TOKEN"
# shellcheck disable=SC2086 # words
step file-ls $without "$DESFS" --debug=all ls $at s3://bkt/a

all_work()
{
	failed '^[ef]' >failures || return 0
	cat failures
	while IFS= read -r f; do
		tail -n 5 "out/$f.err"
	done <failures
	return 1
}
t 'all commands work' all_work

# What fails talks most.
n=0
for rule in denied expired skewed 'status=403 code=SignatureDoesNotMatch' \
	'status=503 count=2' 'kind=LIST xml=bad' drop=garbage \
	'redirect=http://127.0.0.1:1/'; do
	n=$((n + 1))
	fake_rules "$rule"
	# shellcheck disable=SC2086 # words
	for verb in ls check-conf publish; do
		step "bad-$n-$verb" "$DESFS" --debug=all $verb --retries 1 \
			--timeout 3 $at s3://bkt/a
	done
	# shellcheck disable=SC2086 # words
	step "bad-$n-pack" "$DESFS_PACK" -vv --debug=all --retries 1 \
		--timeout 3 $at src "s3://bkt/b$n"
done
fake_rules ''
# Files that are not as they should be.
chmod 644 "$HOME/.aws/credentials"
# shellcheck disable=SC2086 # words
step bad-mode $without "$DESFS" --debug=all ls $at s3://bkt/a
chmod 600 "$HOME/.aws/credentials"
echo "aws_session_token $secret" >>"$HOME/.aws/credentials"
# shellcheck disable=SC2086 # words
step bad-line $without "$DESFS" --debug=all ls $at s3://bkt/a
printf '[default]\naws_secret_access_key = %s\n' "$secret" >secret.conf
step bad-conf env DESFS_CONF="$tmp/secret.conf" "$DESFS" --debug=all ls s3://bkt/a
t 'what is to fail does' test "$(failed '^bad-' | wc -l)" -gt 20

if sh -c ': <>/dev/fuse' 2>/dev/null; then
	mkdir -p out/m
	step mount "$MOUNT_DESFS" s3://bkt/a out/m -o \
		"endpoint=$fake_url,trace=$tmp/out/mount-trace" \
		-o "disk_cache=$tmp/out/blocks,debug=all"
	step mount-read cat out/m/d/000001 out/m/d/000002
	mkdir out/control
	for f in stats metrics requests info/d/000001; do
		cat "out/m/.des/$f" >"out/control/${f%%/*}"
	done
	step mount-top "$DESFS" top --once out/m
	fake_rules denied
	step mount-denied cat out/m/d/000049
	t 'a mount tells of itself' grep -q volume_store_get out/control/stats
	sleep 0.3
	fusermount3 -uz out/m
else
	skip_t 'a mount tells of itself' 'needs /dev/fuse'
fi

touch watched
wait $watcher
# In the place, as other programs take it; now nobody looks at arguments.
for place in "s3://$AWS_ACCESS_KEY_ID:$secret@bkt/a" "s3://a:$core@bkt/a" \
	"https://a:$core@localhost/a" "ftp://a:$core@localhost/a"; do
	n=$((n + 1))
	for verb in ls check-conf verify publish; do
		# shellcheck disable=SC2086 # words
		step "bad-$n-$verb" "$DESFS" --debug=all $verb $at "$place"
	done
	# shellcheck disable=SC2086 # words
	step "bad-$n-pack" "$DESFS_PACK" --debug=all $at src "$place"
	printf '[zones]\nn_bits = 4\n[store a]\nurl = %s\n' "$place" >secret.zones
	printf '[zone z]\nslots = all\nstores = a\n' >>secret.zones
	step "bad-$n-zones" "$DESFS" --debug=all ls "zone://$tmp/secret.zones"
done
t 'no place takes a secret' test "$(failed '^bad-' | wc -l)" -gt 44
cp "$fake_log" out/server
t 'arguments were looked at' test "$(wc -l <looks)" -gt 10
t 'no argument has the secret' test ! -s arguments
t 'the server has seen many requests' test "$(wc -l <out/server)" -gt 50
t 'none of them has the secret' not grep SecretLeaked -r out
t 'there are many traces' test "$(wc -l <out/trace)" -gt 50
secret_found()
{
	grep -raF -f core out
}
t 'no message, trace, cache or control file has the secret' not secret_found
cp core out/it
t 'and it would have been found' secret_found
