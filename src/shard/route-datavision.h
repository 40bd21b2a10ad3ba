/* SPDX-License-Identifier: Apache-2.0 */
/* route-datavision.h - where Datavision keeps a file, by its name.
 *
 * Pure functions; any thread.  A container is YYYY-MM-DD/HEX.des, and a name
 * has its day in it: PREFIX_YYYYMMDD_(DIGITS_SUM), then perhaps an extension.
 */
#ifndef DESFS_SHARD_ROUTE_DATAVISION_H
#define DESFS_SHARD_ROUTE_DATAVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define DATAVISION_BITS_MIN 1
#define DATAVISION_BITS_MAX 32

/* The first n_bits of the SHA-256 of a name. */
uint32_t datavision_slot(const char *name, size_t len, unsigned int n_bits);

/* "YYYY-MM-DD" from the first eight digits between two '_'; false: there are
 * none, or they are no date.
 */
bool datavision_day(const char *name, size_t len, char ret[11]) MUST_CHECK;

/* Hex digits of a slot in the name of a container: n_bits / 4, rounded up. */
static inline unsigned int datavision_hex_width(unsigned int n_bits)
{
	return (n_bits + 3) / 4;
}

#endif
