/* SPDX-License-Identifier: Apache-2.0 */
/* compare-file.h - is one file what the archive has of it? */
#ifndef DESFS_PACK_COMPARE_FILE_H
#define DESFS_PACK_COMPARE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "pack/item.h"

struct pack;
struct tree;

enum compare_result {
	COMPARE_SAME,
	COMPARE_DIFFERS,
	COMPARE_FAILED, /* could not be read, which was reported */
};

/* All attributes, and with --checksum the content. */
enum compare_result compare_file(struct pack *p, struct tree *tree,
				 const struct item *it, const struct entry *e);

/* All attributes, links among them. */
bool compare_attributes(const struct item *it, const struct entry *e);

/* Modification time as created_at. */
int64_t compare_mtime_us(const struct item *it);

#endif
