#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Many random sequences of all that is done to an archive, against a model of
# what it must show: as many as take most of an hour.  A million take the better
# part of a day on one core: MODEL_SEQUENCES=1000000, and TEST_SECONDS for make.
. "${0%/*}/../../lib/tap.sh"

run="$BUILDDIR/tests/model/model-test"
n=${MODEL_SEQUENCES:-30000}
chunk=1000

# Those from $1 on, as many as $2.
sequences()
{
	MODEL_SEED=$1 MODEL_SEQUENCES=$2 "$run"
}

at=1
while [ "$at" -le "$n" ]; do
	left=$((n - at + 1))
	[ "$left" -lt "$chunk" ] || left=$chunk
	t "sequences from $at on" sequences "$at" "$left"
	at=$((at + left))
done
