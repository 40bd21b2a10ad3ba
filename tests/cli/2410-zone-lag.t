#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A mirror whose log lags behind takes nothing away from who knows more.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/s3.sh"
need_fake

mkdir -p src/d
echo one >src/d/one
"$DESFS_PACK" -q src ar && cp -a ar old || exit 1
echo two >src/d/two
"$DESFS_PACK" -q src ar || exit 1

t 'a store that is behind' start_fake --load bkt/ar=old
lag=$fake_url
t 'and one that is not' start_fake --load bkt/ar=ar
cat >zones <<EOF
[zones]
n_bits = 4
[store new]
url = s3://bkt/ar
endpoint = $fake_url
[store lag]
url = s3://bkt/ar
endpoint = $lag
[zone all]
slots = all
stores = new, lag
EOF
desfs()
{
	command=$1
	shift
	"$DESFS" "$command" --timeout=3 --retries=1 --index-cache=index "$@"
}
names()
{
	[ "$(desfs ls zone://zones d | tr '\n' ' ')" = "$*" ]
}

t 'the first store shows all' names one two ''
t 'it dies' kill "$fake_pid"
t 'its mirror does not hide what is known' names one two ''
t 'nor the next time' names one two ''
reads()
{
	[ "$(desfs cat zone://zones "d/$1")" = "$2" ]
}
t 'what the mirror has is read' reads one one
t 'what it has not is an error' not desfs cat zone://zones d/two

# Not another archive, though.
sed -i "s,$fake_url,http://127.0.0.1:1," zones
touch src/d/three
rm src/d/one
"$DESFS_PACK" -q src third || exit 1
t 'another archive' start_fake --load bkt/ar=third
sed -i "s,$lag,$fake_url," zones
t 'is shown as what it is' names three two ''
