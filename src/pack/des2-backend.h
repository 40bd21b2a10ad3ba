/* SPDX-License-Identifier: Apache-2.0 */
/* des2-backend.h - a run that writes the format DES2, and each of its threads;
 * for des2*.c only.
 */
#ifndef DESFS_PACK_DES2_BACKEND_H
#define DESFS_PACK_DES2_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "base/spool.h"
#include "pack/des2-record.h"
#include "pack/pack.h"

struct des2_big;
struct des2_entry;
struct des2_names;
struct tree;

struct des2 {
	struct pack *p; /* store, sources, report, items, throttle, failure */
	const struct des2_names *names;
	struct des2_big *big;
};

/* One of the threads that pack slots. */
struct des2_thread {
	struct des2 *d;
	struct tree *tree;
	struct spool stored; /* of the file at hand */
};

/* --- des2-file.c ------------------------------------------------------------
 */

typedef enum rc des2_write_fn(void *arg, const void *p, size_t len,
			      struct err *err);

/* Read the file, which is as the walk saw it, or an error: *ret_own tells
 * whether that is the file's, which is left out then.  What was compressed goes
 * to write, which may be NULL; *ret_stored is how many bytes that are.
 */
enum rc des2_file_read(struct des2_thread *t, const struct des2_record *r,
		       enum codec_id codec, des2_write_fn *write, void *arg,
		       uint64_t *ret_stored, uint8_t ret_sha256[SHA256_LEN],
		       bool *ret_own, struct err *err) MUST_CHECK;

/* --- des2-big.c -------------------------------------------------------------
 */

struct des2_big *des2_big_new(const struct des2_names *names) MUST_CHECK;
void des2_big_free(struct des2_big *b);

/* See to it that the content of the file is a big file of the archive. */
enum rc des2_big_put(struct des2_thread *t, const struct des2_record *r,
		     uint8_t ret_sha256[SHA256_LEN], bool *ret_own,
		     struct err *err) MUST_CHECK;

/* Is the big file of that hash there, with its content?  RC_NOENT: it is not.
 */
enum rc des2_big_check(struct des2 *d, const uint8_t sha256[SHA256_LEN],
		       uint64_t size, bool *ret_own,
		       struct err *err) MUST_CHECK;

/* The same without reading more of it than its size. */
enum rc des2_big_find(struct des2 *d, const uint8_t sha256[SHA256_LEN],
		      uint64_t size, bool *ret_own, struct err *err) MUST_CHECK;

/* --- des2-lock.c ------------------------------------------------------------
 */

/* For remote stores: nobody else gives this name to a shard until des2_unlock.
 * RC_EXISTS: there is one now.
 */
enum rc des2_lock(struct des2 *d, const char *key, struct err *err) MUST_CHECK;
void des2_unlock(struct des2 *d, const char *key);

/* --- des2-compare.c ---------------------------------------------------------
 */

/* The file against what is there of its day. */
struct des2_compared {
	bool is_own; /* what went wrong is the file's own */
	bool has_sha256;
	uint8_t sha256[SHA256_LEN]; /* of what is there */
};

/* RC_OK: it is the same. */
enum rc des2_compare(struct des2_thread *t, const struct des2_record *r,
		     const struct des2_entry *e, struct des2_compared *c,
		     struct err *err) MUST_CHECK;

/* --- des2-slot.c ------------------------------------------------------------
 */

/* Pack all there is of a slot. */
enum rc des2_pack_slot(struct des2_thread *t, uint32_t slot,
		       struct err *err) MUST_CHECK;

#endif
