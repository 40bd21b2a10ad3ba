/* SPDX-License-Identifier: Apache-2.0 */
/* verify-legacy.c - an archive of an older program read back whole. */
#include "config.h"

#include "verify/verify-legacy.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "legacy/legacy-store.h"
#include "run/throttle.h"
#include "verify/verify-report.h"
#include "volume/volume.h"

/* Bytes read at a time: the most that is made at once. */
#define PIECE (4u << 20)

/* Files whose places are held at a time. */
#define FILES_MAX (256u << 10)

struct file;

struct reading {
	struct verify_run *r;
	struct volume *v;
	uint8_t *piece;
	char **damaged; /* keys of objects that are damaged, in no order */
	size_t n_damaged, cap_damaged;
	struct file *files; /* to be read */
	size_t n_files, cap_files;
};

enum rc verify_is_legacy(struct verify_run *r, bool *ret, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = DESCRIPTOR_MAX };
	struct err ignored;

	*ret = false;
	if (descriptor_read(r->store, &b, &ignored) != RC_NOENT)
		return RC_OK;
	return legacy_store_exists(r->store, ret, err);
}

/* --- findings ------------------------------------------------------------- */

/* The object that a message begins with; free() it. */
static char *key_of(const char *text)
{
	const char *end = strstr(text, ": ");

	return end ? xmemdup0(text, (size_t)(end - text)) : xstrdup("");
}

static const char *text_behind(const char *text)
{
	const char *end = strstr(text, ": ");

	return end ? end + 2 : text;
}

static void count_damaged(struct reading *rd, const char *key)
{
	for (size_t i = 0; i < rd->n_damaged; i++) {
		if (!strcmp(rd->damaged[i], key))
			return;
	}
	rd->damaged = mem_grow(rd->damaged, &rd->cap_damaged, rd->n_damaged + 1,
			       sizeof(*rd->damaged));
	rd->damaged[rd->n_damaged++] = xstrdup(key);
	rd->r->totals->damaged_shards++;
	if (rd->r->opts->live)
		rd->r->opts->live->damaged_shards++;
}

/* e: the entry it costs, or NULL. */
static void find(struct reading *rd, const char *text, const struct entry *e)
{
	CLEANUP_FREE char *key = key_of(text);
	struct verify_report report = { .key = key };

	count_damaged(rd, key);
	verify_damage(&report, FINDING_NO_OFFSET, "%s", text_behind(text));
	if (e)
		verify_lost(&report, FINDING_NO_OFFSET, e->parent, e->name);
	verify_report_tell(&report, rd->r->opts, rd->r->totals);
}

/* volume_text_fn */
static void find_damage(void *arg, const char *text)
{
	find(arg, text, NULL);
}

/* --- files ---------------------------------------------------------------- */

static enum rc compare(const struct entry *e, struct sha256 *h, struct err *err)
{
	uint8_t hash[SHA256_LEN];

	sha256_final(h, hash);
	if (!e->has_hash || !memcmp(hash, e->sha256, SHA256_LEN))
		return RC_OK;
	return err_set(err, RC_CORRUPT, "SHA-256 of a file is not its own");
}

static enum rc read_file(struct reading *rd, const struct volume_entry *ve,
			 struct err *err)
{
	const struct verify_options *o = rd->r->opts;
	struct sha256 h;

	sha256_init(&h);
	for (uint64_t off = 0; off < ve->e.size && !stop_requested();) {
		size_t n = 0;

		throttle_wait(o->throttle, 0,
			      ve->e.size - off < PIECE ? ve->e.size - off
						       : PIECE);
		if (volume_read(rd->v, ve, off, rd->piece, PIECE, &n, err))
			return err->rc;
		if (!n)
			return err_set(err, RC_CORRUPT,
				       "a file ends too early");
		sha256_update(&h, rd->piece, n);
		off += n;
		if (o->live)
			o->live->bytes += n;
	}
	return stop_requested() ? RC_OK : compare(&ve->e, &h, err);
}

static enum rc look_at(struct reading *rd, const struct volume_entry *ve,
		       struct err *err)
{
	enum rc rc = read_file(rd, ve, err);

	if (rd->r->opts->live)
		rd->r->opts->live->files++;
	if (rc != RC_CORRUPT)
		return rc;
	find(rd, err->msg, &ve->e);
	return RC_OK;
}

/* --- the order ------------------------------------------------------------ */

/* Files are read as they lie in the older shards, which takes fewer requests.
 */
struct file {
	struct volume_node node;
	uint64_t off;
};

static int by_place(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->node.shard != y->node.shard)
		return x->node.shard < y->node.shard ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

static enum rc read_files(struct reading *rd, struct err *err)
{
	enum rc rc = RC_OK;

	if (rd->n_files)
		qsort(rd->files, rd->n_files, sizeof(*rd->files), by_place);
	for (size_t i = 0; i < rd->n_files && !rc && !stop_requested(); i++) {
		struct volume_entry ve;

		rc = volume_get(rd->v, rd->files[i].node, &ve, err);
		if (rc)
			break;
		rc = look_at(rd, &ve, err);
		volume_entry_release(&ve);
	}
	rd->n_files = 0;
	return rc;
}

static enum rc note_file(struct reading *rd, const struct volume_entry *ve,
			 struct err *err)
{
	struct verify_totals *t = rd->r->totals;
	const struct block_ref *blocks = ve->e.content.blocks;

	t->entries++;
	if (ve->e.type != ENTRY_REG)
		return RC_OK;
	t->files++;
	t->plain_bytes += ve->e.size;
	rd->files = mem_grow(rd->files, &rd->cap_files, rd->n_files + 1,
			     sizeof(*rd->files));
	rd->files[rd->n_files++] =
		(struct file){ .node = ve->node,
			       .off = blocks ? blocks[0].off : 0 };
	return rd->n_files < FILES_MAX ? RC_OK : read_files(rd, err);
}

static enum rc read_slot(struct reading *rd, uint32_t slot, struct err *err)
{
	struct volume_scan *scan = NULL;
	enum rc rc = volume_scan_slot(rd->v, slot, &scan, err);

	while (!rc && !stop_requested()) {
		struct volume_entry ve;

		rc = volume_scan_next(scan, &ve, err);
		if (rc)
			break;
		rc = note_file(rd, &ve, err);
		volume_entry_release(&ve);
	}
	volume_scan_free(scan);
	return rc == RC_NOENT ? RC_OK : rc;
}

static void announce(struct reading *rd)
{
	struct verify_live *live = rd->r->opts->live;
	struct volume_stats vs;

	volume_stats(rd->v, &vs);
	rd->r->totals->shards += volume_legacy_shards(rd->v);
	if (!live)
		return;
	live->shards_total += volume_legacy_shards(rd->v);
	live->files_total += vs.n_files;
	live->bytes_total += vs.plain_bytes;
}

static enum rc read_all(struct reading *rd, struct err *err)
{
	uint32_t n_slots = UINT32_C(1) << volume_descriptor(rd->v)->n_bits;
	enum rc rc = RC_OK;

	announce(rd);
	volume_legacy_damage(rd->v, find_damage, rd);
	for (uint32_t i = 0; i < n_slots && !rc; i++)
		rc = read_slot(rd, i, err);
	if (!rc)
		rc = read_files(rd, err);
	if (!rc && stop_requested())
		rc = err_set(err, RC_STOPPED, "stopped by a signal");
	return rc;
}

static enum rc check_options(const struct verify_options *o, struct err *err)
{
	if (!o->n_keys && !o->has_since && !(o->sample > 0))
		return RC_OK;
	return err_set(err, RC_USAGE,
		       "an archive of an older program can only be verified as "
		       "a whole");
}

enum rc verify_legacy(struct verify_run *r, struct err *err)
{
	struct volume_options vo = { .store = r->store };
	struct reading rd = { .r = r };
	enum rc rc = check_options(r->opts, err);

	if (!rc)
		rc = volume_open(&rd.v, r->url, &vo, err);
	if (rc)
		return rc;
	rd.piece = mem_array(PIECE, 1);
	rc = rd.piece ? read_all(&rd, err)
		      : err_set(err, RC_NOMEM, "no memory to read with");
	free(rd.piece);
	free(rd.files);
	for (size_t i = 0; i < rd.n_damaged; i++)
		free(rd.damaged[i]);
	free(rd.damaged);
	volume_close(rd.v);
	return rc;
}
