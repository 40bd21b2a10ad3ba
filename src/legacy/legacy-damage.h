/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-damage.h - what of an older archive could not be read: objects and
 * parts of them, each with a text that begins with the object's key.
 *
 * One thread adds; others look when it is done.
 */
#ifndef DESFS_LEGACY_LEGACY_DAMAGE_H
#define DESFS_LEGACY_LEGACY_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* So many texts are kept; of more there is but the number. */
#define LEGACY_DAMAGE_MAX 1000u

struct legacy_damage {
	char **texts;
	size_t n, cap;
	uint64_t n_all;
};

/* What says something of the object, and not of the way to it. */
bool legacy_is_damage(enum rc rc);

void legacy_damage_release(struct legacy_damage *d);
void legacy_damage_add(struct legacy_damage *d, const char *text);

#endif
