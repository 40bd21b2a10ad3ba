#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two that reap, one that packs, one that deletes, 16 that read: five minutes.
DRILL=300s exec sh "${0%/*}/../../cli/7910-erase-together.t"
