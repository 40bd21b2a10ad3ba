/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-shard.c - what the log says of one shard. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "shard/route.h"
#include "shard/shard-entry.h"
#include "volume/descriptor.h"
#include "volume/oplog-json-backend.h"

void shard_meta_release(struct shard_meta *m)
{
	free(m->key);
	free(m->first);
	free(m->last);
	*m = (struct shard_meta){ 0 };
}

int shard_meta_compare(const void *a, const void *b)
{
	const struct shard_meta *x = a;
	const struct shard_meta *y = b;

	return strcmp(x->key, y->key);
}

void shard_key(const struct shard_meta *m, char ret[SHARD_KEY_TEXT])
{
	char root[HEX_TEXT(8)], revision[16] = "";

	hex_encode(m->root, 8, root);
	if (m->revision)
		snprintf(revision, sizeof(revision), "R%03" PRIu32 "_",
			 m->revision);
	snprintf(ret, SHARD_KEY_TEXT,
		 "%08" PRIu32 "/%08" PRIu32 "_%0*" PRIX32 "_%04" PRIu32
		 "_%s%s.des",
		 m->day, m->day, (int)route_hex_width(m->n_bits), m->slot,
		 m->part, revision, root);
}

/* How many of the first bytes of text are among these. */
static size_t span(const char *text, const char *among, size_t max)
{
	size_t n = strspn(text, among);

	return n < max ? n : max;
}

#define DIGITS "0123456789"
#define ROOT_DIGITS 16u

bool shard_key_is_of(const char *key, const uint8_t root[SHARD_ROOT_LEN])
{
	char hex[HEX_TEXT(ROOT_DIGITS / 2)];
	const char *p = key;
	size_t n;

	if (span(p, DIGITS, 8) != 8 || p[8] != '/' ||
	    strncmp(p, p + 9, 8) != 0 || p[17] != '_')
		return false;
	p += 18;
	n = span(p, DIGITS "ABCDEF", 4);
	if (!n || p[n] != '_')
		return false;
	p += n + 1;
	if (span(p, DIGITS, 4) != 4 || p[4] != '_')
		return false;
	p += 5;
	if (*p == 'R') {
		if (span(p + 1, DIGITS, 3) != 3 || p[4] != '_')
			return false;
		p += 5;
	}
	hex_encode(root, ROOT_DIGITS / 2, hex);
	return !strncmp(p, hex, ROOT_DIGITS) &&
	       !strcmp(p + ROOT_DIGITS, ".des");
}

enum rc oplog_get_shard_key(const struct json_t *j, char **ret_key,
			    uint8_t ret_root[SHARD_ROOT_LEN], struct err *err)
{
	const char *key = "";

	if (json_get_str(j, "key", SHARD_KEY_TEXT - 1, &key, err) ||
	    json_get_hex(j, "root", ret_root, SHARD_ROOT_LEN, err))
		return err->rc;
	if (!shard_key_is_of(key, ret_root))
		return err_set(err, RC_CORRUPT,
			       "key %s is none of a shard with this root", key);
	*ret_key = xstrdup(key);
	return RC_OK;
}

/* All that a checkpoint keeps of a shard that is gone. */
static struct json_t *purged_to_json(const struct shard_meta *m)
{
	struct json_t *j = json_new_obj();

	json_set_str(j, "key", m->key);
	json_set_bool(j, "purged", true);
	json_set_hex(j, "root", m->root, sizeof(m->root));
	json_set_u64(j, "size", m->size);
	return j;
}

struct json_t *oplog_shard_to_json(const struct shard_meta *m)
{
	struct json_t *j;

	if (m->is_purged)
		return purged_to_json(m);
	j = json_new_obj();
	json_set_str(j, "key", m->key);
	json_set_u64(j, "size", m->size);
	json_set_hex(j, "root", m->root, sizeof(m->root));
	json_set_u64(j, "day", m->day);
	json_set_u64(j, "slot", m->slot);
	json_set_u64(j, "part", m->part);
	json_set_u64(j, "revision", m->revision);
	json_set_u64(j, "n_bits", m->n_bits);
	json_set_str(j, "route", descriptor_route_text(m->route));
	json_set_bytes(j, "first", m->first, m->first_len);
	json_set_bytes(j, "last", m->last, m->last_len);
	json_set_time(j, "created_min", m->created_min);
	json_set_time(j, "created_max", m->created_max);
	json_set_u64(j, "entries", m->n_entries);
	json_set_u64(j, "files", m->n_files);
	json_set_u64(j, "plain_bytes", m->plain_bytes);
	json_set_u64(j, "incompat", m->incompat);
	json_set_u64(j, "ro_compat", m->ro_compat);
	json_set_u64(j, "compat", m->compat);
	return j;
}

static enum rc get_u32(const struct json_t *j, const char *name, uint32_t max,
		       uint32_t *ret, struct err *err)
{
	uint64_t v = 0;

	if (json_get_u64(j, name, max, &v, err))
		return err->rc;
	*ret = (uint32_t)v;
	return RC_OK;
}

static enum rc get_day(const struct json_t *j, uint32_t *ret, struct err *err)
{
	struct timestamp t;
	char text[16], day[TIMESTAMP_DAY_TEXT];
	struct err why;

	if (get_u32(j, "day", 99991231, ret, err))
		return err->rc;
	snprintf(text, sizeof(text), "%08" PRIu32, *ret);
	if (!timestamp_parse(text, &t, &why)) {
		timestamp_day(t.us, day);
		if (!strcmp(day, text))
			return RC_OK;
	}
	return err_set(err, RC_CORRUPT, "day is %" PRIu32 ", which is no date",
		       *ret);
}

/* What decides where the shard lies. */
static enum rc get_place(const struct json_t *j, struct shard_meta *m,
			 struct err *err)
{
	if (descriptor_get_routing(j, &m->route, &m->n_bits, err) ||
	    get_day(j, &m->day, err) ||
	    get_u32(j, "slot", (UINT32_C(1) << m->n_bits) - 1, &m->slot, err) ||
	    get_u32(j, "part", OPLOG_PART_MAX, &m->part, err) ||
	    get_u32(j, "revision", OPLOG_REVISION_MAX, &m->revision, err) ||
	    json_get_hex(j, "root", m->root, sizeof(m->root), err))
		return err->rc;
	return RC_OK;
}

static enum rc get_key(const struct json_t *j, struct shard_meta *m,
		       struct err *err)
{
	char want[SHARD_KEY_TEXT];
	const char *key = "";

	if (json_get_str(j, "key", SHARD_KEY_TEXT - 1, &key, err))
		return err->rc;
	shard_key(m, want);
	if (strcmp(key, want) != 0)
		return err_set(err, RC_CORRUPT,
			       "key is %s, the other members give %s", key,
			       want);
	m->key = xstrdup(key);
	return RC_OK;
}

static enum rc get_names(const struct json_t *j, struct shard_meta *m,
			 struct err *err)
{
	struct span parent[2], name[2];

	if (json_get_bytes(j, "first", UID_MAX_LEN, &m->first, &m->first_len,
			   err) ||
	    json_get_bytes(j, "last", UID_MAX_LEN, &m->last, &m->last_len, err))
		return err->rc;
	entry_split_uid(span_of(m->first, m->first_len), &parent[0], &name[0]);
	entry_split_uid(span_of(m->last, m->last_len), &parent[1], &name[1]);
	if (entry_key_compare(parent[0], name[0], parent[1], name[1]) > 0)
		return err_set(err, RC_CORRUPT, "first comes after last");
	return RC_OK;
}

static enum rc get_counts(const struct json_t *j, struct shard_meta *m,
			  struct err *err)
{
	if (json_get_u64(j, "size", JSON_INT_MAX, &m->size, err) ||
	    json_get_u64(j, "entries", JSON_INT_MAX, &m->n_entries, err) ||
	    json_get_u64(j, "files", JSON_INT_MAX, &m->n_files, err) ||
	    json_get_u64(j, "plain_bytes", JSON_INT_MAX, &m->plain_bytes,
			 err) ||
	    get_u32(j, "incompat", UINT32_MAX, &m->incompat, err) ||
	    get_u32(j, "ro_compat", UINT32_MAX, &m->ro_compat, err) ||
	    get_u32(j, "compat", UINT32_MAX, &m->compat, err) ||
	    json_get_time(j, "created_min", &m->created_min, err) ||
	    json_get_time(j, "created_max", &m->created_max, err))
		return err->rc;
	if (m->size < SHARD_HEADER_SIZE + SHARD_FOOTER_SIZE)
		return err_set(err, RC_CORRUPT,
			       "size is %" PRIu64 ", not at least %d", m->size,
			       SHARD_HEADER_SIZE + SHARD_FOOTER_SIZE);
	if (m->n_files > m->n_entries)
		return err_set(err, RC_CORRUPT,
			       "%" PRIu64 " files in %" PRIu64 " entries",
			       m->n_files, m->n_entries);
	if (m->created_min > m->created_max)
		return err_set(err, RC_CORRUPT,
			       "created_min comes after created_max");
	return RC_OK;
}

static enum rc get_purged(const struct json_t *j, struct shard_meta *m,
			  struct err *err)
{
	if (json_get_bool(j, "purged", &m->is_purged, err) ||
	    json_get_u64(j, "size", JSON_INT_MAX, &m->size, err) ||
	    oplog_get_shard_key(j, &m->key, m->root, err))
		return err->rc;
	if (!m->is_purged)
		return err_set(err, RC_CORRUPT, "purged is not true");
	return RC_OK;
}

enum rc oplog_shard_from_json(const struct json_t *j, bool is_kept,
			      struct shard_meta *m, struct err *err)
{
	if (is_kept && json_has(j, "purged"))
		return get_purged(j, m, err);
	if (get_place(j, m, err) || get_key(j, m, err) ||
	    get_names(j, m, err) || get_counts(j, m, err))
		return err->rc;
	return RC_OK;
}
