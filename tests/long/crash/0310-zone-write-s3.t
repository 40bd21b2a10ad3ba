#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs that write to zones in buckets, killed after every request that changes
# something.
EVERY=1 exec sh "${0%/*}/../../s3/2220-zone-write.t"
