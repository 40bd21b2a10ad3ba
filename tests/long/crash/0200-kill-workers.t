#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Four workers, each killed at 20 random moments and run again.
KILLS=20 KILL_SIZE=30 exec sh "${0%/*}/../../cli/6420-kill-workers.t"
