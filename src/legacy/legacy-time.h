/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-time.h - created_at of a file of an older archive: what its metadata
 * say if that fits the day it was archived under, else that day.
 */
#ifndef DESFS_LEGACY_LEGACY_TIME_H
#define DESFS_LEGACY_LEGACY_TIME_H

#include <stdint.h>

#include "base/span.h"

/* 00:00 UTC of a day that exists, YYYYMMDD as a number, in microseconds. */
int64_t legacy_time_of_day(uint32_t day);

/* Of the member created_at of a JSON object, a text whose own date is the day;
 * otherwise that of the day.
 */
int64_t legacy_time_of(struct span meta, uint32_t day);

/* The UTC day of a time, YYYYMMDD as a number. */
uint32_t legacy_day_of_time(int64_t us);

#endif
