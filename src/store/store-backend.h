/* SPDX-License-Identifier: Apache-2.0 */
/* store-backend.h - what a kind of store offers; private to this room.
 *
 * A backend embeds struct store as its first member.  store.c and store-write.c
 * check keys, count, and hold the tables of backends and writers; they are the
 * only callers.  Messages of backends begin with the key.
 */
#ifndef DESFS_STORE_STORE_BACKEND_H
#define DESFS_STORE_STORE_BACKEND_H

#include <string.h>

#include "conf/store-settings.h"
#include "store/store-write.h"
#include "store/store.h"

struct store_check {
	store_check_fn *fn;
	void *arg;
};

struct store_backend {
	const char *name;
	const char *const *schemes; /* "file", ..., NULL; a path is "file" */
	bool is_remote;
	const char *no_writer; /* what messages say; NULL: it has one */
	/* rest is the URL without "scheme://".  A backend may set location. */
	enum rc (*open)(struct store **ret, const char *scheme,
			const char *rest, const struct store_settings *set,
			struct err *err);
	void (*close)(struct store *st);
	/* The last max bytes, the object's size and its tag: one request, no
	 * HEAD.
	 */
	enum rc (*read_tail)(struct store *st, const char *key, size_t max,
			     struct buf *ret, struct object_info *ret_info,
			     struct err *err);
	enum rc (*read)(struct store *st, const char *key,
			const struct object_info *expect, uint64_t off,
			void *buf, size_t len, bool is_ahead, struct err *err);
	enum rc (*list)(struct store *st, const char *prefix,
			const char *start_after, store_list_fn *fn, void *arg,
			struct err *err);
	/* Add the fields from get on; NULL: there is no wire. */
	void (*count)(struct store *st, struct store_counters *ret);
	/* As above with a check, for what has mirrors; NULL: has none. */
	enum rc (*read_tail_checked)(struct store *st, const char *key,
				     size_t max, struct buf *ret,
				     struct object_info *ret_info,
				     const struct store_check *check,
				     struct err *err);
	enum rc (*read_checked)(struct store *st, const char *key,
				const struct object_info *expect, uint64_t off,
				void *buf, size_t len,
				const struct store_check *check,
				struct err *err);
	/* As store_let_go; NULL: nothing is held. */
	void (*let_go)(struct store *st, const char *key);
	/* NULL: has no zones. */
	void (*each_zone)(struct store *st, store_zone_fn *fn, void *arg);
	/* NULL: is the only place. */
	enum rc (*each_place)(struct store *st, const char *key,
			      store_place_fn *fn, void *arg, struct err *err);
};

/* Of a name in a store: a key; or below STORE_HOLDS whatever it is, since what
 * forbids removing must not be overlooked.  Folder marks of other programs are
 * none.
 */
#define STORE_HOLDS "holds/"
bool store_key_is_listed(const char *key);

/* What a tail read has put behind the first bytes of the buffer. */
enum rc store_check_tail(const struct store_check *check, const struct buf *b,
			 size_t before, const struct object_info *info,
			 struct err *err) MUST_CHECK;

/* The writing half, which store-write.c attaches to stores it opens. */
struct store_writer {
	const struct store_backend *backend;
	/* Make the place itself; there already is as good. */
	enum rc (*create)(const char *rest, const struct store_settings *set,
			  struct err *err);
	/* What else is to be opened for writing; NULL: nothing. */
	enum rc (*attach)(struct store *st, struct err *err);
	/* As store_put; NULL: by an upload. */
	enum rc (*put)(struct store *st, const char *key, const void *p,
		       size_t len, bool *ret_existed, struct err *err);
	/* Put a small object in the place of any other of that key. */
	enum rc (*replace)(struct store *st, const char *key, const void *p,
			   size_t len, struct err *err);
	/* NULL: next to none. */
	uint64_t (*upload_memory)(const char *rest,
				  const struct store_settings *set,
				  unsigned int n_uploads);
	enum rc (*upload_new)(struct store *st, struct store_upload **ret,
			      struct err *err);
	/* NULL: it does not matter. */
	void (*upload_set_slot)(struct store_upload *up, uint32_t slot);
	enum rc (*upload_write)(struct store_upload *up, const void *p,
				size_t len, struct err *err);
	/* NULL: nothing can be read before it is published. */
	enum rc (*upload_read)(struct store_upload *up, uint64_t off, void *buf,
			       size_t len, struct err *err);
	enum rc (*upload_commit)(struct store_upload *up, const char *key,
				 bool *ret_existed, struct err *err);
	void (*upload_free)(struct store_upload *up);
	/* As store_sync; NULL: what can be seen is durable. */
	enum rc (*sync)(struct store *st, const char *key, struct err *err);
	enum rc (*remove)(struct store *st, const char *key, struct err *err);
	/* As store_purge. */
	enum rc (*purge)(struct store *st, const char *key,
			 enum store_gone *ret, int64_t *ret_until,
			 struct err *err);
	/* NULL: the kernel keeps nothing. */
	void (*forget)(struct store *st, const char *key);
	enum rc (*run_begin)(struct store *st, enum store_run_kind kind,
			     struct store_run **ret, struct err *err);
	void (*run_end)(struct store_run *run, bool is_committed);
	enum rc (*runs_alive)(struct store *st, const struct store_run *own,
			      unsigned int *ret, struct err *err);
	enum rc (*runs_oldest)(struct store *st, unsigned int kinds,
			       const struct store_run *own, int64_t *ret_us,
			       struct err *err);
	/* NULL: nothing can keep a run from beginning. */
	enum rc (*idle_begin)(struct store *st, struct store_idle **ret,
			      struct err *err);
	void (*idle_end)(struct store_idle *idle);
	enum rc (*claims)(struct store *st, store_claim_fn *fn, void *arg,
			  struct err *err);
	enum rc (*leftovers)(struct store *st, bool remove, store_goes_fn *goes,
			     store_leftover_fn *fn, void *arg, struct err *err);
	enum rc (*strays)(struct store *st, bool remove, int64_t min_age,
			  store_stray_fn *fn, void *arg, struct err *err);
	/* As store_has_tmp; NULL: it may. */
	enum rc (*has_tmp)(struct store *st, bool *ret, struct err *err);
	/* NULL: replace, read and remove are all that it takes. */
	void (*try_write)(struct store *st, store_step_fn *fn, void *arg);
};

struct store {
	const struct store_backend *ops;
	const struct store_writer *writer; /* NULL: opened for reading */
	char *url;
	char *location;      /* NULL: the URL */
	bool is_remote;      /* set by a backend that is not always so */
	bool lists_lag;      /* no built-in one's do */
	unsigned int n_bits; /* 0: any */
	_Atomic uint64_t reads, bytes_read, lists;
};

/* Uploads and runs of a writer begin with these. */
struct store_upload {
	struct store *st;
};

struct store_run {
	struct store *st;
};

struct store_idle {
	struct store *st;
};

/* Salts come by the million, and one that no receipt has is found without. */
#define STORE_UNCLAIMED "salts/"

/* Whether a run writes down that it is about to publish key. */
static inline bool store_key_is_claimed(const char *key)
{
	return strncmp(key, STORE_UNCLAIMED, strlen(STORE_UNCLAIMED)) != 0;
}

extern const struct store_backend store_backend_local;
extern const struct store_backend store_backend_s3;
extern const struct store_backend store_backend_http;
extern const struct store_backend store_backend_zone;
extern const struct store_writer store_writer_local;
extern const struct store_writer store_writer_s3;
extern const struct store_writer store_writer_zone;

/* The backend for a URL, and what follows the scheme; RC_USAGE for none. */
enum rc store_find_backend(const char *url, const struct store_backend **ret,
			   const char **ret_rest, struct err *err) MUST_CHECK;
extern const struct store_settings store_settings_default;

#endif
