#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs that write to zones, killed before every change of a directory.
EVERY=1 exec sh "${0%/*}/../../cli/2420-zone-write.t"
