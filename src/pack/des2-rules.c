/* SPDX-License-Identifier: Apache-2.0 */
/* des2-rules.c - the rules of the format DES2 for who writes it. */
#include "config.h"

#include "pack/des2-rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"
#include "base/json-members.h"

/* Digits of the longest number of a shard. */
#define NUMBER_DIGITS 9

/* Of texts of times of others. */
#define CREATED_MAX 64

#define SHARD "des"
#define SIDECAR "meta"

/* --- what is not compressed -------------------------------------------------
 */

/* The suffix of its last part: from the last point on, unless that is the first
 * or the last of its bytes.
 */
static struct span suffix_of(struct span uid)
{
	const char *p = uid.p, *name, *dot;
	size_t len = uid.len;

	while (len && p[len - 1] == '/')
		len--;
	name = len ? memrchr(p, '/', len) : NULL;
	if (name) {
		len -= (size_t)(name + 1 - p);
		p = name + 1;
	}
	dot = len ? memrchr(p, '.', len) : NULL;
	if (!dot || dot == p || dot == p + len - 1)
		return span_of("", 0);
	return span_of(dot, len - (size_t)(dot - p));
}

bool des2_stays_plain(struct span uid)
{
	static const char *const suffixes[] = {
		".jpg", ".jpeg", ".png", ".gif", ".gz", ".zip", ".bz2", ".xz"
	};
	struct span s = suffix_of(uid);

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (s.len == strlen(suffixes[i]) &&
		    !strncasecmp(s.p, suffixes[i], s.len))
			return true;
	return false;
}

/* --- shards -----------------------------------------------------------------
 */

bool des2_fill_is_full(const struct des2_fill *f, uint64_t size)
{
	if (!f->n)
		return false;
	return f->n >= DES2_SHARD_FILES || f->bytes > f->max ||
	       size > f->max - f->bytes;
}

void des2_fill_add(struct des2_fill *f, uint64_t size)
{
	f->bytes += size;
	f->n++;
}

static void name_key(const char *day, const char *hex, uint32_t number,
		     const char *suffix, char ret[DES2_KEY_TEXT])
{
	snprintf(ret, DES2_KEY_TEXT, "%.15s_%.7s_%04" PRIu32 ".%s", day, hex,
		 number, suffix);
}

void des2_shard_key(const char *day, const char *hex, uint32_t number,
		    char ret[DES2_KEY_TEXT])
{
	name_key(day, hex, number, SHARD, ret);
}

void des2_sidecar_key(const struct des2_name *n, char ret[DES2_KEY_TEXT])
{
	name_key(n->day, n->hex, n->number, SIDECAR, ret);
}

/* Copy what is in set, up to and without end, which is skipped. */
static bool take_part(const char **p, const char *set, char end, char *ret,
		      size_t cap)
{
	size_t n = strspn(*p, set);

	if (!n || n >= cap || (*p)[n] != end)
		return false;
	memcpy(ret, *p, n);
	ret[n] = '\0';
	*p += n + 1;
	return true;
}

static bool parse(const char *key, const char *suffix, struct des2_name *ret)
{
	char number[NUMBER_DIGITS + 1], again[DES2_KEY_TEXT];
	struct des2_name n = { .number = 0 };
	const char *p = key;

	if (!take_part(&p, "0123456789", '_', n.day, sizeof(n.day)) ||
	    !take_part(&p, "0123456789ABCDEF", '_', n.hex, sizeof(n.hex)) ||
	    !take_part(&p, "0123456789", '.', number, sizeof(number)))
		return false;
	for (const char *d = number; *d; d++)
		n.number = n.number * 10 + (uint32_t)(*d - '0');
	name_key(n.day, n.hex, n.number, suffix, again);
	if (strcmp(key, again) != 0)
		return false;
	*ret = n;
	return true;
}

bool des2_parse_key(const char *key, struct des2_name *ret)
{
	return parse(key, SHARD, ret);
}

bool des2_parse_sidecar(const char *key, struct des2_name *ret)
{
	return parse(key, SIDECAR, ret);
}

bool des2_is_big_key(const char *key)
{
	size_t n = strlen(DES2_BIG_DIR "/");

	return !strncmp(key, DES2_BIG_DIR "/", n) &&
	       strspn(key + n, "0123456789abcdef") == 64 && !key[n + 64];
}

/* --- entries ----------------------------------------------------------------
 */

/* Members of others while they are copied. */
struct copy {
	const struct des2_meta *m;
	struct buf *out;
	const char *comma;
	bool leaves_created; /* for ours */
};

static void put_comma(struct copy *c)
{
	buf_append_str(c->out, c->comma);
	c->comma = ",";
}

static void put_ours(struct copy *c)
{
	char created[TIMESTAMP_ZONED_TEXT], mtime[TIMESTAMP_NS_TEXT];

	if (c->leaves_created) {
		timestamp_format_zoned(&c->m->created, created);
		put_comma(c);
		buf_printf(c->out, "\"created_at\":\"%s\"", created);
	}
	if (c->m->has_mtime) {
		timestamp_format_ns(c->m->mtime_s, c->m->mtime_ns, mtime);
		put_comma(c);
		buf_printf(c->out, "\"mtime\":\"%s\"", mtime);
	}
}

static enum json_member_use use_copied(void *arg, unsigned int level,
				       struct json_piece name)
{
	const struct copy *c = arg;

	(void)level;
	if (c->leaves_created && json_string_is(name, "created_at"))
		return JSON_MEMBER_SKIP;
	if (c->m->has_mtime && json_string_is(name, "mtime"))
		return JSON_MEMBER_SKIP;
	return JSON_MEMBER_TAKE;
}

static enum rc copy_member(void *arg, unsigned int level,
			   struct json_piece name, struct json_piece value,
			   struct err *err)
{
	struct copy *c = arg;

	(void)level;
	(void)err;
	put_comma(c);
	buf_append_str(c->out, "\"");
	buf_append(c->out, name.p, name.len);
	buf_append_str(c->out, "\":");
	buf_append(c->out, value.p, value.len);
	return RC_OK;
}

static void put_more(struct copy *c)
{
	const struct json_members_handler handler = { use_copied, copy_member,
						      c };
	struct span more = c->m->more;
	struct json_members m;
	struct err ignored;

	json_members_init(&m, &handler, more.len);
	/* Who gave it has checked it. */
	(void)!json_members_feed(&m, more.p, more.len, &ignored);
	json_members_release(&m);
}

/* Does it say the same as ours, in other words perhaps? */
static bool has_our_created(const struct des2_meta *m)
{
	struct json_piece doc = { m->more.p, m->more.len };
	char text[CREATED_MAX + 1];
	struct timestamp ts;
	struct err ignored;

	return doc.len &&
	       json_members_text(doc, "created_at", text, sizeof(text)) &&
	       !timestamp_parse(text, &ts, &ignored) &&
	       ts.us == m->created.us && ts.wall_year == m->created.wall_year &&
	       ts.wall_month == m->created.wall_month &&
	       ts.wall_day == m->created.wall_day;
}

void des2_meta_write(const struct des2_meta *m, struct buf *out)
{
	struct copy c = { m, out, "", !has_our_created(m) };

	buf_append_str(out, "{");
	put_ours(&c);
	if (m->more.len)
		put_more(&c);
	buf_append_str(out, "}");
}
