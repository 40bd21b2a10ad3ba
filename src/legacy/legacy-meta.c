/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-meta.c - tombstones out of a sidecar, as they come. */
#include "config.h"

#include "legacy/legacy-meta.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json-members.h"
#include "base/mem.h"
#include "base/timestamp.h"

/* Of one name or tombstone: the longest uid takes six times its length. */
#define TEXT_MAX (1u << 20)

/* "YYYY-MM-DDTHH:MM:SSZ", and with microseconds */
#define STAMP_SHORT 20
#define STAMP_LONG 27

struct legacy_meta {
	struct json_members members;
	legacy_meta_fn *fn;
	void *arg;
	struct buf key;  /* of the tombstone at hand */
	struct buf uid;  /* of the same */
	struct buf text; /* the name of a member */
	bool has_uid;
	bool has_version;
	bool has_tombstones;
};

static enum json_member_use use_of(void *arg, unsigned int level,
				   struct json_piece name);
static enum rc take_value(void *arg, unsigned int level, struct json_piece name,
			  struct json_piece value, struct err *err);

struct legacy_meta *legacy_meta_new(legacy_meta_fn *fn, void *arg)
{
	struct legacy_meta *m = xcalloc(1, sizeof(*m));
	struct json_members_handler handler = { use_of, take_value, m };

	json_members_init(&m->members, &handler, TEXT_MAX);
	m->fn = fn;
	m->arg = arg;
	buf_init(&m->key, TEXT_MAX);
	buf_init(&m->uid, TEXT_MAX);
	buf_init(&m->text, TEXT_MAX);
	return m;
}

void legacy_meta_free(struct legacy_meta *m)
{
	if (!m)
		return;
	json_members_release(&m->members);
	buf_release(&m->key);
	buf_release(&m->uid);
	buf_release(&m->text);
	free(m);
}

/* Is that how the name is written?  Any byte of it may be an escape. */
static bool name_is(struct legacy_meta *m, struct json_piece name,
		    const char *text)
{
	buf_clear(&m->text);
	return json_unescape(name, &m->text) && m->text.len == strlen(text) &&
	       !memcmp(m->text.p, text, m->text.len);
}

static enum json_member_use use_of(void *arg, unsigned int level,
				   struct json_piece name)
{
	struct legacy_meta *m = arg;

	if (level > 1 || name_is(m, name, "version"))
		return JSON_MEMBER_TAKE;
	if (!name_is(m, name, "tombstones"))
		return JSON_MEMBER_SKIP;
	m->has_tombstones = true;
	return JSON_MEMBER_ENTER;
}

/* Of a tombstone. */
static enum json_member_use use_uid(void *arg, unsigned int level,
				    struct json_piece name)
{
	(void)level;
	return name_is(arg, name, "uid") ? JSON_MEMBER_TAKE : JSON_MEMBER_SKIP;
}

static enum rc take_uid(void *arg, unsigned int level, struct json_piece name,
			struct json_piece value, struct err *err)
{
	struct legacy_meta *m = arg;

	(void)level;
	(void)name;
	buf_clear(&m->uid);
	/* A string, without half of a surrogate pair. */
	if (value.len < 2 || value.p[0] != '"' ||
	    !json_unescape((struct json_piece){ value.p + 1, value.len - 2 },
			   &m->uid))
		return err_set(err, RC_CORRUPT,
			       "uid of a tombstone is no string");
	m->has_uid = true;
	return RC_OK;
}

static bool is_stamp(const char *p, size_t len)
{
	struct timestamp ts;
	struct err err;

	return p[len - 1] == 'Z' && !timestamp_parse_span(p, len, &ts, &err);
}

/* The uid of a key "uid:TIMESTAMP"; all of it if that is not its form. */
static struct span uid_of_key(struct span key)
{
	static const size_t lens[] = { STAMP_SHORT, STAMP_LONG };

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		size_t n = lens[i];

		if (key.len > n && key.p[key.len - n - 1] == ':' &&
		    is_stamp(key.p + key.len - n, n))
			return span_of(key.p, key.len - n - 1);
	}
	return key;
}

/* No shard has a longer one. */
static enum rc tell_one(struct legacy_meta *m, struct span uid, struct err *err)
{
	return uid.len > UID_MAX_LEN ? RC_OK : m->fn(m->arg, uid, err);
}

/* All uids that a tombstone may mean.  Key and uid of one that is right agree.
 */
static enum rc tell(struct legacy_meta *m, struct err *err)
{
	struct span key = span_of(m->key.p, m->key.len);
	struct span of_key = uid_of_key(key);
	struct span uid = span_of(m->uid.p, m->uid.len);
	enum rc rc = RC_OK;

	if (m->has_uid) {
		rc = tell_one(m, uid, err);
		if (rc || span_equal(key, uid) || span_equal(of_key, uid))
			return rc;
	}
	rc = tell_one(m, key, err);
	if (!rc && of_key.len != key.len)
		rc = tell_one(m, of_key, err);
	return rc;
}

static enum rc take_tombstone(struct legacy_meta *m, struct json_piece name,
			      struct json_piece value, struct err *err)
{
	struct json_members_handler handler = { use_uid, take_uid, m };
	struct json_members members;
	enum rc rc = RC_OK;

	m->has_uid = false;
	buf_clear(&m->key);
	if (!json_unescape(name, &m->key))
		return err_set(err, RC_CORRUPT,
			       "key of a tombstone is no "
			       "Unicode");
	/* What is no object says by its key what it deletes. */
	if (value.len && value.p[0] == '{') {
		json_members_init(&members, &handler, TEXT_MAX);
		rc = json_members_feed(&members, value.p, value.len, err);
		json_members_release(&members);
	}
	return rc ? rc : tell(m, err);
}

static enum rc take_value(void *arg, unsigned int level, struct json_piece name,
			  struct json_piece value, struct err *err)
{
	struct legacy_meta *m = arg;

	if (level > 1)
		return take_tombstone(m, name, value, err);
	if (name_is(m, name, "tombstones"))
		return err_set(err, RC_CORRUPT, "tombstones are no object");
	m->has_version = true;
	if (value.len != 1 || value.p[0] != '1')
		return err_set(err, RC_UNSUPPORTED, "version is %.*s, not 1",
			       (int)(value.len < 40 ? value.len : 40), value.p);
	return RC_OK;
}

enum rc legacy_meta_feed(struct legacy_meta *m, const void *p, size_t len,
			 struct err *err)
{
	return json_members_feed(&m->members, p, len, err);
}

enum rc legacy_meta_end(struct legacy_meta *m, struct err *err)
{
	if (json_members_end(&m->members, err))
		return err->rc;
	if (!m->has_version || !m->has_tombstones)
		return err_set(err, RC_CORRUPT, "no member %s",
			       m->has_version ? "tombstones" : "version");
	return RC_OK;
}
