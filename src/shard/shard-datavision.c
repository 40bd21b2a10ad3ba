/* SPDX-License-Identifier: Apache-2.0 */
/* shard-datavision.c - reading of Datavision's container. */
#include "config.h"

#include "shard/shard-datavision.h"

#include <inttypes.h>

#include "base/json-members.h"
#include "base/json.h"
#include "base/rd.h"
#include "shard/legacy-backend.h"

/* Metadata that have a longer name, or size, are not searched for the size. */
#define MEMBER_MAX (64u << 10)

struct section {
	const char *name;
	uint64_t off, len;
};

/* Header and footer begin alike: magic, version, 7 zeros. */
static enum rc check_begin(const char *what, uint64_t off, const uint8_t *p,
			   const char *magic, struct err *err)
{
	static const uint8_t rest[8] = { DATAVISION_VERSION };
	enum rc rc = legacy_magic(what, off, p, magic, err);

	if (rc)
		return rc;
	if (p[8] != DATAVISION_VERSION)
		return err_set(err, RC_CORRUPT,
			       "version at byte %" PRIu64 " is %u, not %d",
			       off + 8, p[8], DATAVISION_VERSION);
	if (memcmp(p + 8, rest, sizeof(rest)))
		return err_set(err, RC_CORRUPT,
			       "%s at byte %" PRIu64 " has more than zeros",
			       what, off + 9);
	return RC_OK;
}

/* Each section begins where the one before it ends, up to the footer. */
static enum rc check_sections(const struct section *s, size_t n, uint64_t end,
			      struct err *err)
{
	uint64_t next = DATAVISION_HEADER_SIZE;

	for (size_t i = 0; i < n; i++) {
		if (s[i].off != next || s[i].len > end - next)
			return err_set(
				err, RC_CORRUPT,
				"%s of %" PRIu64 " bytes at byte %" PRIu64
				", which should begin at %" PRIu64
				" and end by %" PRIu64,
				s[i].name, s[i].len, s[i].off, next, end);
		next += s[i].len;
	}
	if (next != end)
		return err_set(err, RC_CORRUPT,
			       "index ends at byte %" PRIu64
			       ", the footer is at %" PRIu64,
			       next, end);
	return RC_OK;
}

static enum rc datavision_locate(const struct legacy_ends *ends,
				 struct legacy_index *ret, struct err *err)
{
	const uint64_t least = DATAVISION_HEADER_SIZE + DATAVISION_FOOTER_SIZE;
	const uint64_t footer_off = ends->size - DATAVISION_FOOTER_SIZE;
	const uint8_t *footer;
	struct section s[] = { { .name = "data" },
			       { .name = "metadata" },
			       { .name = "index" } };
	struct rd r;
	enum rc rc;

	if (ends->size < least)
		return err_set(err, RC_CORRUPT,
			       "%" PRIu64 " bytes, a container of Datavision "
			       "has at least %" PRIu64,
			       ends->size, least);
	footer = ends->tail + ends->tail_len - DATAVISION_FOOTER_SIZE;
	rc = check_begin("header", 0, ends->head, DATAVISION_MAGIC, err);
	if (!rc)
		rc = check_begin("footer", footer_off, footer,
				 DATAVISION_FOOTER_MAGIC, err);
	if (rc)
		return rc;
	r = (struct rd){ .p = footer + 16,
			 .left = DATAVISION_FOOTER_SIZE - 16 };
	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		s[i].off = rd_u64(&r);
		s[i].len = rd_u64(&r);
	}
	ret->count = rd_u64(&r);
	rc = check_sections(s, ARRAY_LEN(s), footer_off, err);
	if (rc)
		return rc;
	ret->data_off = s[0].off;
	ret->data_end = ret->meta_off = s[1].off;
	ret->meta_end = ret->off = s[2].off;
	ret->len = s[2].len;
	if (ret->count > ret->len / DATAVISION_ENTRY_SIZE)
		return err_set(err, RC_CORRUPT,
			       "number of files at byte %" PRIu64 " is %" PRIu64
			       ", the index of %" PRIu64
			       " bytes has not so many",
			       footer_off + 64, ret->count, ret->len);
	return RC_OK;
}

static enum rc datavision_begin(struct legacy_cursor *c, struct err *err)
{
	(void)c;
	(void)err;
	return RC_OK;
}

/* The original looks at the index alone, not at the number in the footer. */
static bool datavision_has_more(const struct legacy_cursor *c)
{
	return legacy_left(&c->index) > 0;
}

/* The last one counts, as in Python. */
struct meta_size {
	uint64_t size;
	bool is_known;
};

static enum json_member_use use_size(void *arg, unsigned int level,
				     struct json_piece name)
{
	(void)arg;
	(void)level;
	return json_string_is(name, "size") ? JSON_MEMBER_TAKE
					    : JSON_MEMBER_SKIP;
}

static enum rc take_size(void *arg, unsigned int level, struct json_piece name,
			 struct json_piece value, struct err *err)
{
	struct meta_size *ms = arg;

	(void)level;
	(void)name;
	(void)err;
	*ms = (struct meta_size){ .is_known = value.len };
	for (size_t i = 0; i < value.len && ms->is_known; i++) {
		unsigned int digit = (unsigned char)value.p[i] - '0';

		ms->is_known =
			digit <= 9 && ms->size <= (JSON_INT_MAX - digit) / 10;
		ms->size = ms->size * 10 + digit;
	}
	return RC_OK;
}

/* Lengths of contents stand only once in the index, but the writer puts them
 * into the metadata too.
 */
static void check_size(struct legacy_cursor *c, const struct legacy_entry *e)
{
	struct meta_size ms = { .is_known = false };
	const struct json_members_handler handler = { use_size, take_size,
						      &ms };
	struct json_members m;
	struct err none;
	bool is_json;

	json_members_init(&m, &handler, MEMBER_MAX);
	is_json = !json_members_feed(&m, e->meta.p, e->meta.len, &none) &&
		  !json_members_end(&m, &none);
	json_members_release(&m);
	if (is_json && ms.is_known && ms.size != e->plain_len)
		legacy_damage(c,
			      "file has %" PRIu64 " bytes, its metadata at "
			      "byte %" PRIu64 " say %" PRIu64,
			      e->plain_len, e->meta_off, ms.size);
}

static enum rc take_meta(struct legacy_cursor *c, struct legacy_entry *e,
			 struct err *err)
{
	enum rc rc;

	legacy_seek(&c->metas, e->meta_off);
	rc = legacy_take_meta(c, &c->metas, e, err);
	if (!rc && !c->damage.rc)
		check_size(c, e);
	return rc;
}

static enum rc datavision_next(struct legacy_cursor *c, struct legacy_entry *e,
			       struct err *err)
{
	const size_t len = DATAVISION_ENTRY_SIZE - 2;
	const uint8_t *p = NULL;
	uint64_t at;
	struct rd r;
	enum rc rc = legacy_take_uid(c, e, err);

	if (rc)
		return rc;
	at = c->index.off;
	rc = legacy_take(c, &c->index, len, "place of a file", &p, err);
	if (rc)
		return rc;
	r = (struct rd){ .p = p, .left = len };
	e->off = rd_u64(&r);
	e->stored_len = e->plain_len = rd_u64(&r);
	e->meta_off = rd_u64(&r);
	e->meta_len = rd_u64(&r);
	e->is_external = rd_u32(&r) & DATAVISION_FLAG_EXTERNAL;
	if (!e->is_external)
		legacy_run_add(c, &c->data, e->off, e->stored_len,
			       e->stored_len);
	else if (e->off || e->plain_len > INT64_MAX)
		legacy_damage(c,
			      "external file at byte %" PRIu64 " has %" PRIu64
			      " bytes at %" PRIu64 ", not at 0",
			      at, e->plain_len, e->off);
	legacy_run_add(c, &c->meta, e->meta_off, e->meta_len, e->meta_len);
	/* Before anything is read there, so that it is read in order. */
	rc = legacy_run_settle(c, &c->data, err);
	if (!rc)
		rc = legacy_run_settle(c, &c->meta, err);
	if (rc || c->damage.rc || c->is_scout)
		return rc;
	return take_meta(c, e, err);
}

static enum rc datavision_end(struct legacy_cursor *c, struct err *err)
{
	if (c->n != c->ix.count)
		return err_set(err, RC_CORRUPT,
			       "index has %" PRIu64 " entries, number of files "
			       "at byte %" PRIu64 " is %" PRIu64,
			       c->n, c->ix.size - 8, c->ix.count);
	return RC_OK;
}

const struct legacy_format legacy_datavision = {
	.locate = datavision_locate,
	.begin = datavision_begin,
	.has_more = datavision_has_more,
	.next = datavision_next,
	.end = datavision_end,
};
