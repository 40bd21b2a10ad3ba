/* SPDX-License-Identifier: Apache-2.0 */
/* convert-check.h - is all that an archive has in another one, too?
 *
 * Every entry is looked for under its name and time and compared; of a regular
 * file the bytes are read and hashed, and compared with the SHA-256 that the
 * other archive has recorded.  That the other one has the bytes of that is for
 * who verifies it (verify.h).  What cannot be read is said to be that, and
 * never to be different.
 */
#ifndef DESFS_EXCHANGE_CONVERT_CHECK_H
#define DESFS_EXCHANGE_CONVERT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "verify/verify.h"
#include "volume/volume.h"

struct shard_meta;
struct throttle;

struct convert_check {
	/* from is not refreshed meanwhile; to is, when it is repacked. */
	struct volume *from, *to;
	unsigned int jobs;         /* threads; 0: one */
	struct throttle *throttle; /* of reading from; NULL: none */
	struct verify_live *live;
	/* Leave out the entry of this number, see feed-volume.h.  Any thread.
	 */
	bool (*is_left_out)(void *arg, uint64_t number);
	/* An entry that is not in the other archive, or is another there; one
	 * at a time, any thread, as are the next two.
	 */
	void (*differs)(void *arg, const struct volume_entry *ve,
			const struct err *why);
	/* An entry whose content cannot be read again. */
	void (*unread)(void *arg, const struct volume_entry *ve,
		       const struct err *why);
	/* Entries of a shard of from that cannot be read: how many they are in
	 * all, once for each shard that has any; why one of them cannot.
	 */
	void (*lost)(void *arg, const struct shard_meta *shard, uint64_t n,
		     const struct err *why);
	void *arg;
};

/* RC_STOPPED; or whatever may pass, as of a network: it is no one's damage.
 * What cannot be read for good is told, and the rest is compared.
 */
enum rc convert_check(const struct convert_check *c, uint64_t *ret_n_equal,
		      struct err *err) MUST_CHECK;

#endif
