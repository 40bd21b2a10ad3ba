/* SPDX-License-Identifier: Apache-2.0 */
/* copy-record.h - a record of the log once more. */
#ifndef DESFS_TESTS_COPY_RECORD_H
#define DESFS_TESTS_COPY_RECORD_H

#include "volume/oplog-record.h"

/* ret is to be released like one that was decoded. */
void copy_record(const struct oplog_record *r, struct oplog_record *ret);

#endif
