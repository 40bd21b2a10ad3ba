#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A thousand times what tests/fs/7030-delete-rounds.t does thirty times.
DELETIONS=1000 exec sh "${0%/*}/../../fs/7030-delete-rounds.t"
