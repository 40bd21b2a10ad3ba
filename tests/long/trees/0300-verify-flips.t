#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One byte is changed in each of a thousand shards.
FLIPS=1000 exec sh "${0%/*}/../../cli/7320-verify-flips.t"
