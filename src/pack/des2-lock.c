/* SPDX-License-Identifier: Apache-2.0 */
/* des2-lock.c - one run at a time gives a name to a shard of the format DES2 in
 * a bucket.
 *
 * Names of this format carry no hash of what is in the shard, and servers make
 * a large object of its parts, or a copy, without looking whether somebody else
 * has just made one under that name.  So who is about to do that first makes a
 * small object, which If-None-Match lets only one run have; where a bucket
 * keeps versions and forgets it, the oldest version is the one that counts.
 */
#include "config.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/unique.h"
#include "pack/des2-backend.h"
#include "store/store-write.h"

#define LOCK_MAX 64u
#define UNIQUE_BYTES 16
#define LOOK_NS (2 * CLOCK_NS_PER_SEC)
#define LOOKS_MAX 60u /* so often: two minutes */

static char *lock_key(const char *key)
{
	return xasprintf(STORE_LOCKS "/%s", key);
}

/* RC_EXISTS: another run has it. */
static enum rc make(struct des2 *d, const char *lock, struct err *err)
{
	char text[2 * UNIQUE_BYTES + 1];
	bool existed = false;

	if (unique_text(text, UNIQUE_BYTES, err))
		return err->rc;
	return store_put(d->p->store, lock, text, sizeof(text) - 1, &existed,
			 err);
}

static enum rc is_there(struct des2 *d, const char *key, bool *ret,
			struct err *err)
{
	CLEANUP_BUF struct buf tail = { .max = 1 };
	struct object_info info;
	enum rc rc = store_read_tail(d->p->store, key, 1, &tail, &info, err);

	*ret = !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

/* Another run has the lock: is the shard there now, or did that run die?  *ret:
 * it may be tried again.
 */
static enum rc look(struct des2 *d, const char *key, const char *lock,
		    bool *ret, struct err *err)
{
	unsigned int alive = 0;
	bool there = false;
	enum rc rc = is_there(d, key, &there, err);

	*ret = false;
	if (rc)
		return rc;
	if (there)
		return err_set(err, RC_EXISTS, "%s: another run has it", key);
	rc = is_there(d, lock, &there, err);
	if (!rc && there)
		rc = store_runs_alive(d->p->store, d->p->run, &alive, err);
	*ret = !rc && !(there && alive);
	if (rc || !there || alive)
		return rc;
	rc = store_remove(d->p->store, lock, err);
	return rc == RC_NOENT ? RC_OK : rc;
}

enum rc des2_lock(struct des2 *d, const char *key, struct err *err)
{
	CLEANUP_FREE char *lock = lock_key(key);

	for (unsigned int i = 0; i < LOOKS_MAX; i++) {
		bool is_free = false;
		enum rc rc = make(d, lock, err);

		/* It may go while it is looked at. */
		if (rc != RC_EXISTS && rc != RC_NOENT)
			return rc;
		if (look(d, key, lock, &is_free, err))
			return err->rc;
		if (!is_free)
			(void)stop_sleep(LOOK_NS);
		if (pack_is_ending(d->p, err))
			return err->rc;
	}
	return err_set(err, RC_TIMEOUT,
		       "%s: a run has that name and does not make the shard; "
		       "if it was killed, run again when it has been dead for "
		       "an hour",
		       lock);
}

void des2_unlock(struct des2 *d, const char *key)
{
	CLEANUP_FREE char *lock = lock_key(key);
	struct err failure;

	if (store_remove(d->p->store, lock, &failure))
		log_warn("%s", failure.msg);
}
