/* SPDX-License-Identifier: Apache-2.0 */
/* fake-bucket.h - the test server's buckets, in memory.  The caller locks. */
#ifndef FAKE_BUCKET_H
#define FAKE_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that versions and replies share. */
struct fake_blob {
	_Atomic unsigned int refs;
	uint8_t *p;
	size_t len;
	bool is_mapped;
};
/* Takes p, which came from malloc. */
struct fake_blob *fake_blob_new(void *p, size_t len);
/* The bytes of a file; NULL when it cannot be read. */
struct fake_blob *fake_blob_open(const char *path);
struct fake_blob *fake_blob_ref(struct fake_blob *b);
void fake_blob_unref(struct fake_blob *b);

struct fake_version {
	struct fake_version *older;
	char id[40]; /* "null" without versions */
	char etag[64];
	int64_t time;
	struct fake_blob *blob; /* NULL: a delete marker */
};

struct fake_key {
	char *name;
	struct fake_version *newest;
};

struct fake_part {
	struct fake_blob *blob;
	char etag[64];
};

#define FAKE_PARTS 10000
struct fake_upload {
	struct fake_upload *next;
	char *key;
	char id[40];
	int64_t time;
	struct fake_part *parts; /* FAKE_PARTS + 1; by number */
};

struct fake_bucket {
	struct fake_bucket *next;
	char *name;
	bool is_versioned;
	struct fake_key *keys; /* in order */
	size_t n, cap;
	struct fake_upload *uploads;
};

struct fake_bucket *fake_bucket_new(struct fake_bucket **all, const char *name);
struct fake_bucket *fake_bucket_find(struct fake_bucket *all, const char *name);
void fake_buckets_free(struct fake_bucket *all);

/* Where a key is, or would be; keys before it are smaller. */
size_t fake_bucket_seek(const struct fake_bucket *b, const char *key,
			bool *ret_found);
/* id NULL: the newest.  NULL: there is none. */
struct fake_version *fake_bucket_get(const struct fake_bucket *b,
				     const char *key, const char *id);
/* Takes the reference; blob NULL makes a delete marker. */
struct fake_version *fake_bucket_put(struct fake_bucket *b, const char *key,
				     struct fake_blob *blob, const char *etag,
				     int64_t time, uint64_t id);
/* Remove a version for good; false when there is none. */
bool fake_bucket_remove(struct fake_bucket *b, const char *key, const char *id);

struct fake_upload *fake_upload_find(struct fake_bucket *b, const char *key,
				     const char *id);
void fake_upload_end(struct fake_bucket *b, struct fake_upload *up);

/* All files below dir as objects below prefix; false on failure. */
bool fake_bucket_load(struct fake_bucket *b, const char *dir,
		      const char *prefix);

/* Of len bytes, as lower-case digits. */
void fake_md5(const void *p, size_t len, char ret[33]);
void fake_md5_raw(const void *p, size_t len, uint8_t ret[16]);

#endif
