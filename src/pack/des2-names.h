/* SPDX-License-Identifier: Apache-2.0 */
/* des2-names.h - which shards and big files an archive of the format DES2 has,
 * as listed when a run begins.
 *
 * Immutable, for any thread.
 */
#ifndef DESFS_PACK_DES2_NAMES_H
#define DESFS_PACK_DES2_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/des2-rules.h"

struct des2_names;
struct store;

/* st may be NULL: nothing is there yet.  RC_EXISTS: an archive of format 3, or
 * what is no archive at all; RC_USAGE: slots of another n_bits.
 */
enum rc des2_names_read(struct store *st, unsigned int n_bits,
			struct des2_names **ret, struct err *err) MUST_CHECK;
void des2_names_free(struct des2_names *n);

/* All of them, by day, slot and number. */
const struct des2_name *des2_names_all(const struct des2_names *n,
				       size_t *ret_n);

/* Those of a day and slot, by number. */
const struct des2_name *des2_names_find(const struct des2_names *n,
					const char *day, const char *hex,
					size_t *ret_n);

/* Is there a big file of that size? */
bool des2_names_has_size(const struct des2_names *n, uint64_t size);

/* The same list anew, of one day and slot; *ret is to be freed. */
enum rc des2_names_list(struct store *st, const char *day, const char *hex,
			struct des2_name **ret, size_t *ret_n,
			struct err *err) MUST_CHECK;

#endif
