#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same in Ceph RGW: five minutes.
DRILL=300s exec sh "${0%/*}/../../s3/7910-erase-together.t"
