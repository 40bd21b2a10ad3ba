#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Many random sequences of all that is done to an archive, against a model of
# what it must show: a million, or as many as can be run in 25 minutes on all
# processors; it says how many these are.  Others than in make check.
. "${0%/*}/../../lib/tap.sh"

run="$BUILDDIR/tests/model/model-test"

MODEL_SEED=${MODEL_SEED:-1000001}
MODEL_SEQUENCES=${MODEL_SEQUENCES:-1000000}
MODEL_SECONDS=${MODEL_SECONDS:-1500}
export MODEL_SEED MODEL_SEQUENCES MODEL_SECONDS

sequences()
{
	"$run" >"$tmp/out"
	status=$?
	cat "$tmp/out"
	return $status
}

t 'sequences show what the model says' sequences
sed -n 's/^ok .* - \([0-9]* sequences\)/# \1/p' "$tmp/out"
