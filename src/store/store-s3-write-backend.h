/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-backend.h - what the files of the S3 store's writing half
 * share.
 *
 * All that a run has under way lies below STORE_TMP/RUN/, where RUN is "run-"
 * and 16 hex digits:
 *
 *	alive-TIME	its mark, made anew every ten minutes; an hour after the
 *			last one the run counts as dead.  From the second one on
 *			alive-TIME-BEGAN, by the server's clock when the first
 *			was made
 *	claim/KEY	empty; made before KEY is published
 *	N		a long upload, copied to its key when it is whole
 *
 * Memory: an upload holds one part (store_settings.part_size), and all of a
 * store three more, so that one is filled while others are under way.  After
 * each 900 parts of an upload they are twice as long, so that 10,000 are enough
 * for 5 TiB.  When all parts are sent none is held.
 */
#ifndef DESFS_STORE_STORE_S3_WRITE_BACKEND_H
#define DESFS_STORE_STORE_S3_WRITE_BACKEND_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store-s3-backend.h"

#define S3_VERSION_MAX HTTP_FIELD_MAX
#define S3_UPLOAD_ID_MAX 1024
#define S3_PARTS_MAX 10000u

/* store-s3-write-object.c: requests about one object.  A version is "" where
 * the bucket keeps none, S3_VERSION_UNKNOWN where its id did not come whole:
 * with that nothing is asked for, as it would be something else.
 */
#define S3_VERSION_UNKNOWN "\001" /* no byte of a header, nor of XML */

/* is_new: RC_EXISTS when there is one.  *ret_version has S3_VERSION_MAX. */
enum rc s3_write_put(struct s3_store *s, const char *key, const void *p,
		     size_t len, bool is_new, char *ret_version,
		     struct err *err) MUST_CHECK;
/* The version a reply tells; *ret has S3_VERSION_MAX. */
void s3_write_version(const struct http_response *r, char *ret);
/* RC_NOENT when there is none. */
enum rc s3_write_size(struct s3_store *s, const char *key, uint64_t *ret,
		      struct err *err) MUST_CHECK;
/* That there is none is no error.  "": hides all versions.  S3_VERSION_UNKNOWN:
 * all versions go when the key is below STORE_TMP; else it is RC_LIMIT, and
 * nothing is done.
 */
enum rc s3_write_delete(struct s3_store *s, const char *key,
			const char *version, struct err *err) MUST_CHECK;
/* All versions of it; RC_NOENT when there is none. */
enum rc s3_write_remove(struct store *st, const char *key,
			struct err *err) MUST_CHECK;
/* As store_purge. */
enum rc s3_write_purge(struct store *st, const char *key, enum store_gone *ret,
		       int64_t *ret_until, struct err *err) MUST_CHECK;
/* Whether a lock keeps a version, and until when, see store_purge; false when
 * that cannot be told.
 */
bool s3_write_is_locked(struct s3_store *s, const char *key, const char *id,
			int64_t *ret_until) MUST_CHECK;
/* Remove what is older than the newest version, as far as that is let. */
enum rc s3_write_drop_older(struct s3_store *s, const char *key,
			    struct err *err) MUST_CHECK;
/* A whole object under its own key, which nobody overwrites.  *ret_existed:
 * there was one of that size.
 */
enum rc s3_write_publish(struct s3_store *s, const char *key, const void *p,
			 size_t len, bool *ret_existed,
			 struct err *err) MUST_CHECK;
/* After an object was made: where the bucket keeps versions the oldest counts.
 * *ret_existed: that is not ours; and ours is taken back, unless the key
 * carries a hash of the content, so that both are the same.
 */
enum rc s3_write_settle(struct s3_store *s, const char *key,
			const char *version, uint64_t size, bool *ret_existed,
			struct err *err) MUST_CHECK;
/* Whether the bucket keeps more than one object of that key. */
enum rc s3_write_is_double(struct s3_store *s, const char *key,
			   bool *ret_existed, struct err *err) MUST_CHECK;
/* What to say of an object that was there before: RC_OK when its size fits. */
enum rc s3_write_same_size(const char *key, uint64_t there, uint64_t ours,
			   struct err *err) MUST_CHECK;

/* store-s3-write-list.c: versions of objects and unfinished uploads of keys
 * that begin with prefix, in order, versions of one key from the newest on.
 */
/* *ret_now (may be NULL): the server's clock at the beginning, us since 1970.
 */
enum rc s3_write_list_versions(struct s3_store *s, const char *prefix,
			       s3_item_fn *fn, void *arg, int64_t *ret_now,
			       struct err *err) MUST_CHECK;
enum rc s3_write_list_uploads(struct s3_store *s, const char *prefix,
			      s3_item_fn *fn, void *arg,
			      struct err *err) MUST_CHECK;

/* store-s3-write-multipart.c: objects of many parts, request by request. */
enum rc s3_multipart_create(struct s3_store *s, const char *key,
			    char ret_id[S3_UPLOAD_ID_MAX],
			    struct err *err) MUST_CHECK;
/* number from 1; *ret_etag has HTTP_FIELD_MAX. */
enum rc s3_multipart_part(struct s3_store *s, const char *key, const char *id,
			  unsigned int number, const void *p, size_t len,
			  char *ret_etag, struct err *err) MUST_CHECK;
enum rc s3_multipart_complete(struct s3_store *s, const char *key,
			      const char *id, char *const *etags, size_t n,
			      uint64_t size, char *ret_version,
			      struct err *err) MUST_CHECK;
enum rc s3_multipart_abort(struct s3_store *s, const char *key, const char *id,
			   struct err *err) MUST_CHECK;
/* Copy inside the store to a key where there is none. */
enum rc s3_write_copy(struct s3_store *s, const char *from,
		      const char *from_version, const char *to, uint64_t size,
		      char *ret_version, struct err *err) MUST_CHECK;

/* store-s3-write-upload.c */
uint64_t s3_upload_memory(const char *rest, const struct store_settings *set,
			  unsigned int n_uploads);
enum rc s3_upload_new(struct store *st, struct store_upload **ret,
		      struct err *err) MUST_CHECK;
enum rc s3_upload_write(struct store_upload *up, const void *p, size_t len,
			struct err *err) MUST_CHECK;
enum rc s3_upload_commit(struct store_upload *up, const char *key,
			 bool *ret_existed, struct err *err) MUST_CHECK;
void s3_upload_free(struct store_upload *up);

/* store-s3-write-run.c */
#define S3_RUN_TEXT 21 /* with its NUL */
#define S3_MARK_PERIOD (600 * CLOCK_NS_PER_SEC)
#define S3_RUN_LIFE_US (INT64_C(3600) * 1000000)

struct s3_made {
	char *key;
	char version[S3_VERSION_MAX];
};

struct s3_run {
	struct store_run base;
	char name[S3_RUN_TEXT];
	_Atomic bool is_versioned; /* the bucket keeps versions */
	enum store_run_kind kind;
	uint64_t retries;       /* of the store when the run began */
	struct workers *marker; /* NULL: a run for one upload */
	pthread_mutex_t lock;   /* guards what follows; not held during I/O */
	pthread_cond_t ending;  /* is_ending, with cond.h */
	bool is_ending;
	struct workers *pool; /* NULL before the first long upload */
	uint64_t marked_at;   /* of clock_mono_ns */
	bool is_marking;
	struct s3_made mark;
	int64_t began; /* of the first mark, us; INT64_MIN before */
	struct s3_made *claims;
	size_t n_claims, cap_claims;
	unsigned int n_uploads;
};

/* A run for one upload, which is not the store's and marked by its parts alone.
 */
enum rc s3_run_new(struct store *st, enum store_run_kind kind,
		   struct store_run **ret, struct err *err) MUST_CHECK;
enum rc s3_run_begin(struct store *st, enum store_run_kind kind,
		     struct store_run **ret, struct err *err) MUST_CHECK;
void s3_run_end(struct store_run *run, bool is_committed);
/* Make the mark anew when it is time. */
enum rc s3_run_mark(struct s3_run *run, struct err *err) MUST_CHECK;
/* Write down that the run is about to publish key. */
enum rc s3_run_claim(struct s3_run *run, const char *key,
		     struct err *err) MUST_CHECK;
/* A key for an upload; free() it. */
char *s3_run_upload_key(struct s3_run *run) MUST_CHECK;
/* The threads that send parts; they live as long as the run. */
enum rc s3_run_pool(struct s3_run *run, struct workers **ret,
		    struct err *err) MUST_CHECK;

/* store-s3-write-leftover.c */
enum rc s3_write_claims(struct store *st, store_claim_fn *fn, void *arg,
			struct err *err) MUST_CHECK;
enum rc s3_write_runs_alive(struct store *st, const struct store_run *own,
			    unsigned int *ret, struct err *err) MUST_CHECK;
enum rc s3_write_runs_oldest(struct store *st, unsigned int kinds,
			     const struct store_run *own, int64_t *ret_us,
			     struct err *err) MUST_CHECK;
enum rc s3_write_strays(struct store *st, bool remove, int64_t min_age,
			store_stray_fn *fn, void *arg,
			struct err *err) MUST_CHECK;
enum rc s3_write_has_tmp(struct store *st, bool *ret,
			 struct err *err) MUST_CHECK;
enum rc s3_write_leftovers(struct store *st, bool remove, store_goes_fn *goes,
			   store_leftover_fn *fn, void *arg,
			   struct err *err) MUST_CHECK;

/* store-s3-write-try.c */
void s3_write_try(struct store *st, store_step_fn *fn, void *arg);

#endif
