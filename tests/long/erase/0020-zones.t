#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Reaping zones, killed before every change of a store.
EVERY=1 exec sh "${0%/*}/../../cli/7930-erase-zones.t"
