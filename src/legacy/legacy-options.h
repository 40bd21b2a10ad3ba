/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-options.h - how an archive of an older program is to be shown. */
#ifndef DESFS_LEGACY_LEGACY_OPTIONS_H
#define DESFS_LEGACY_LEGACY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeros are the defaults. */
struct legacy_options {
	unsigned int n_bits; /* 4 to 16; 0: read off the names */
	/* Only the shards of a day, YYYYMMDD as written in their names; 0: all.
	 * With slot: and only those of a slot.
	 */
	uint32_t day;
	bool has_slot;
	uint32_t slot;
	const char *spool; /* a directory; NULL: the usual one */
	bool is_off;       /* do not look for such an archive */
};

#endif
