#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever deletes, killed before every change of a directory.
EVERY=1 exec sh "${0%/*}/../../cli/7900-erase-crash.t"
