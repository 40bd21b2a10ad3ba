#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A thousand times what tests/fs/4710-push-refresh.t does thirty times.
REFRESHES=1000 exec sh "${0%/*}/../../fs/4710-push-refresh.t"
