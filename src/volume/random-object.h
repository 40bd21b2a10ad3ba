/* SPDX-License-Identifier: Apache-2.0 */
/* random-object.h - objects of 32 random bytes, made by who needs them first.
 *
 * salts/ID ties a receipt to its uid; salts/suppression is the key of the list
 * of deleted names for archives whose operator keeps none elsewhere.
 */
#ifndef DESFS_VOLUME_RANDOM_OBJECT_H
#define DESFS_VOLUME_RANDOM_OBJECT_H

#include <stdint.h>

#include "base/err.h"

struct store;

#define RANDOM_OBJECT_LEN 32u
#define SUPPRESSION_KEY_OBJECT "salts/suppression"

/* RC_NOENT: there is none, or not any more. */
enum rc random_object_read(struct store *st, const char *key,
			   uint8_t ret[RANDOM_OBJECT_LEN],
			   struct err *err) MUST_CHECK;
/* Put it into each store of zones that has none: a run may have died between
 * two of them.  No request where there are no zones.
 */
enum rc random_object_complete(struct store *st, const char *key,
			       const uint8_t bytes[RANDOM_OBJECT_LEN],
			       struct err *err) MUST_CHECK;
/* The one there is, else a fresh one, in all stores of zones; who comes second
 * gets the first one's.
 */
enum rc random_object_make(struct store *st, const char *key,
			   uint8_t ret[RANDOM_OBJECT_LEN],
			   struct err *err) MUST_CHECK;

#endif
