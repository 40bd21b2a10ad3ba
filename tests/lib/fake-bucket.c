/* SPDX-License-Identifier: Apache-2.0 */
/* fake-bucket.c - see fake-bucket.h. */
#include "config.h"

#include "fake-bucket.h"

#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"

#define MAP_FROM (1 << 20) /* bytes of a file that is mapped and not read */

struct fake_blob *fake_blob_new(void *p, size_t len)
{
	struct fake_blob *b = xcalloc(1, sizeof(*b));

	b->refs = 1;
	b->p = p;
	b->len = len;
	return b;
}

struct fake_blob *fake_blob_open(const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct fake_blob *b = NULL;
	struct stat st;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	if (st.st_size >= MAP_FROM) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
			 0);
		if (p == MAP_FAILED)
			return NULL;
	} else {
		p = xcalloc(1, (size_t)st.st_size + 1);
		if (io_pread(fd, p, (size_t)st.st_size, 0) != st.st_size) {
			free(p);
			return NULL;
		}
	}
	b = fake_blob_new(p, (size_t)st.st_size);
	b->is_mapped = st.st_size >= MAP_FROM;
	return b;
}

struct fake_blob *fake_blob_ref(struct fake_blob *b)
{
	if (b)
		atomic_fetch_add(&b->refs, 1);
	return b;
}

void fake_blob_unref(struct fake_blob *b)
{
	if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	if (b->is_mapped)
		munmap(b->p, b->len);
	else
		free(b->p);
	free(b);
}

struct fake_bucket *fake_bucket_new(struct fake_bucket **all, const char *name)
{
	struct fake_bucket *b = fake_bucket_find(*all, name);

	if (b)
		return b;
	b = xcalloc(1, sizeof(*b));
	b->name = xstrdup(name);
	b->next = *all;
	*all = b;
	return b;
}

struct fake_bucket *fake_bucket_find(struct fake_bucket *all, const char *name)
{
	while (all && strcmp(all->name, name))
		all = all->next;
	return all;
}

static void version_free(struct fake_version *v)
{
	fake_blob_unref(v->blob);
	free(v);
}

void fake_buckets_free(struct fake_bucket *all)
{
	while (all) {
		struct fake_bucket *b = all;

		all = b->next;
		while (b->uploads)
			fake_upload_end(b, b->uploads);
		for (size_t i = 0; i < b->n; i++) {
			while (b->keys[i].newest) {
				struct fake_version *v = b->keys[i].newest;

				b->keys[i].newest = v->older;
				version_free(v);
			}
			free(b->keys[i].name);
		}
		free(b->keys);
		free(b->name);
		free(b);
	}
}

size_t fake_bucket_seek(const struct fake_bucket *b, const char *key,
			bool *ret_found)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(b->keys[mid].name, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_found = low < b->n && !strcmp(b->keys[low].name, key);
	return low;
}

struct fake_version *fake_bucket_get(const struct fake_bucket *b,
				     const char *key, const char *id)
{
	bool found;
	size_t i = fake_bucket_seek(b, key, &found);
	struct fake_version *v = found ? b->keys[i].newest : NULL;

	while (v && id && strcmp(v->id, id))
		v = v->older;
	return v;
}

static struct fake_key *key_of(struct fake_bucket *b, const char *key)
{
	bool found;
	size_t i = fake_bucket_seek(b, key, &found);

	if (found)
		return &b->keys[i];
	b->keys = mem_grow(b->keys, &b->cap, b->n + 1, sizeof(*b->keys));
	memmove(b->keys + i + 1, b->keys + i, (b->n - i) * sizeof(*b->keys));
	b->n++;
	b->keys[i] = (struct fake_key){ .name = xstrdup(key) };
	return &b->keys[i];
}

struct fake_version *fake_bucket_put(struct fake_bucket *b, const char *key,
				     struct fake_blob *blob, const char *etag,
				     int64_t time, uint64_t id)
{
	struct fake_version *v = xcalloc(1, sizeof(*v));
	struct fake_key *k;

	if (!b->is_versioned)
		fake_bucket_remove(b, key, "null");
	k = key_of(b, key);
	/* With characters that must be encoded in a query. */
	if (b->is_versioned)
		snprintf(v->id, sizeof(v->id), "v+%06" PRIu64 "/x=", id);
	else
		snprintf(v->id, sizeof(v->id), "null");
	snprintf(v->etag, sizeof(v->etag), "%s", etag);
	v->time = time;
	v->blob = blob;
	v->older = k->newest;
	k->newest = v;
	return v;
}

bool fake_bucket_remove(struct fake_bucket *b, const char *key, const char *id)
{
	bool found;
	size_t i = fake_bucket_seek(b, key, &found);
	struct fake_version **at, *v;

	if (!found)
		return false;
	at = &b->keys[i].newest;
	while (*at && strcmp((*at)->id, id))
		at = &(*at)->older;
	v = *at;
	if (!v)
		return false;
	*at = v->older;
	version_free(v);
	if (!b->keys[i].newest) {
		free(b->keys[i].name);
		b->n--;
		memmove(b->keys + i, b->keys + i + 1,
			(b->n - i) * sizeof(*b->keys));
	}
	return true;
}

struct fake_upload *fake_upload_find(struct fake_bucket *b, const char *key,
				     const char *id)
{
	struct fake_upload *up = b->uploads;

	while (up && (strcmp(up->id, id) || strcmp(up->key, key)))
		up = up->next;
	return up;
}

void fake_upload_end(struct fake_bucket *b, struct fake_upload *up)
{
	struct fake_upload **at = &b->uploads;

	while (*at != up)
		at = &(*at)->next;
	*at = up->next;
	for (size_t i = 0; i <= FAKE_PARTS; i++)
		fake_blob_unref(up->parts[i].blob);
	free(up->parts);
	free(up->key);
	free(up);
}

static void load_file(struct fake_bucket *b, const char *path, const char *name,
		      const char *prefix, int64_t time)
{
	CLEANUP_FREE char *key =
		xasprintf("%s%s%s", prefix, *prefix ? "/" : "", name);
	struct fake_blob *blob = fake_blob_open(path);
	char md5[33];

	if (!blob)
		return;
	fake_md5(blob->p, blob->len, md5);
	fake_bucket_put(b, key, blob, md5, time, 0);
}

bool fake_bucket_load(struct fake_bucket *b, const char *dir,
		      const char *prefix)
{
	CLEANUP_FREE char *top = xstrdup(dir);
	char *paths[] = { top, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t skip = strlen(dir) + 1;
	FTSENT *e = NULL;

	if (!fts)
		return false;
	for (;;) {
		e = fts_read(fts);
		if (!e)
			break;
		if (e->fts_info == FTS_F)
			load_file(b, e->fts_path, e->fts_path + skip, prefix,
				  e->fts_statp->st_mtime);
	}
	fts_close(fts);
	return true;
}

void fake_md5_raw(const void *p, size_t len, uint8_t ret[16])
{
	if (!EVP_Digest(p, len, ret, NULL, EVP_md5(), NULL))
		abort();
}

void fake_md5(const void *p, size_t len, char ret[33])
{
	uint8_t raw[16];

	fake_md5_raw(p, len, raw);
	hex_encode(raw, sizeof(raw), ret);
}
