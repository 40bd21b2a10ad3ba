/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-objects.h - objects of an older archive by number, each as it was seen
 * at one time.
 *
 * An object that changes gets a new number; the old one stays good for messages
 * and finds that the bytes are not there any more.  Any thread.
 */
#ifndef DESFS_LEGACY_LEGACY_OBJECTS_H
#define DESFS_LEGACY_LEGACY_OBJECTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct legacy_object {
	char *key;
	struct object_info info;
	atomic_bool is_changed; /* it was found to be another by now */
};

struct legacy_objects;
struct legacy_objects *legacy_objects_new(void) MUST_CHECK;
void legacy_objects_free(struct legacy_objects *o);

/* Copies both; its number. */
uint32_t legacy_objects_add(struct legacy_objects *o, const char *key,
			    const struct object_info *info);
/* Borrowed for as long as all of them. */
struct legacy_object *legacy_objects_get(struct legacy_objects *o,
					 uint32_t number);
bool legacy_objects_is_changed(struct legacy_objects *o, uint32_t number);

#endif
