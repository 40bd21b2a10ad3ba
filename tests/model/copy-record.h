/* SPDX-License-Identifier: Apache-2.0 */
/* copy-record.h - a record of the log, or a tombstone, once more. */
#ifndef DESFS_TESTS_COPY_RECORD_H
#define DESFS_TESTS_COPY_RECORD_H

#include "erase/tombstone.h"
#include "volume/oplog-record.h"

/* Both: ret is to be released like one that was decoded. */
void copy_record(const struct oplog_record *r, struct oplog_record *ret);
void copy_tombstone(const struct tombstone *t, struct tombstone *ret);

#endif
