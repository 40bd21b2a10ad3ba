#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever deletes, killed after every request that changes something in a bucket.
EVERY=1 exec sh "${0%/*}/../../s3/7900-erase-crash.t"
