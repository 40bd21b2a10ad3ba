/* SPDX-License-Identifier: Apache-2.0 */
/* des2-outcome.c - what became of the files of a shard, kept until the shard
 * itself is safe.
 */
#include "config.h"

#include "pack/des2-outcome.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pack/feed.h"
#include "pack/pack.h"

#define MEMORY (256u << 10)

/* Before the uid and the text of a failure. */
struct outcome {
	uint64_t number, size;
	uint32_t uid_len, text_len;
	uint8_t result, rc, has_sha256;
	uint8_t sha256[SHA256_LEN];
};

void des2_outcome_init(struct des2_outcome *o, const char *spool_dir)
{
	spool_init(&o->spool, spool_dir, MEMORY);
}

void des2_outcome_release(struct des2_outcome *o)
{
	spool_release(&o->spool);
}

enum rc des2_outcome_add(struct des2_outcome *o, const struct des2_record *r,
			 const struct des2_told *told, struct err *err)
{
	const char *text = told->text ? told->text : "";
	struct outcome out;
	enum rc rc;

	memset(&out, 0, sizeof(out));
	out.number = r->it.number;
	out.size = r->it.size;
	out.uid_len = (uint32_t)r->uid.len;
	out.text_len = (uint32_t)strlen(text);
	out.result = (uint8_t)told->result;
	out.rc = (uint8_t)told->code;
	if (told->sha256) {
		out.has_sha256 = true;
		memcpy(out.sha256, told->sha256, SHA256_LEN);
	}
	rc = spool_append(&o->spool, &out, sizeof(out), err);
	if (!rc)
		rc = spool_append(&o->spool, r->uid.p, r->uid.len, err);
	if (!rc)
		rc = spool_append(&o->spool, text, out.text_len, err);
	return rc;
}

static void tell_feed(const struct pack *p, const struct outcome *out,
		      const char *key, const struct err *why)
{
	static const enum feed_status status[] = {
		[DES2_PACKED] = FEED_ARCHIVED, [DES2_THERE] = FEED_THERE,
		[DES2_FAILED] = FEED_FAILED,   [DES2_AGAIN] = FEED_DUPLICATE,
		[DES2_ERASED] = FEED_ERASED,
	};
	const struct feed *f = p->opts->feed;
	struct feed_result r = { .number = out->number,
				 .status = status[out->result],
				 .why = why,
				 .shard = key,
				 .has_sha256 = out->has_sha256 };

	if (!f || !f->result)
		return;
	memcpy(r.sha256, out->sha256, sizeof(r.sha256));
	f->result(f->arg, &r);
}

static void tell(struct pack *p, const struct outcome *out, struct span uid,
		 const char *text, const char *key)
{
	struct err why;

	switch ((enum des2_result)out->result) {
	case DES2_PACKED:
		report_packed(p->report, uid, ENTRY_REG, out->size);
		tell_feed(p, out, *key ? key : NULL, NULL);
		break;
	case DES2_THERE:
		report_unchanged(p->report, 1, out->size);
		tell_feed(p, out, text, NULL);
		break;
	case DES2_ERASED:
		report_erased(p->report, uid, ENTRY_REG, out->size);
		tell_feed(p, out, NULL, NULL);
		break;
	case DES2_FAILED:
	case DES2_AGAIN:
		err_set(&why, (enum rc)out->rc, "%s", text);
		report_given_up(p->report, uid, out->size, &why);
		tell_feed(p, out, NULL, &why);
		break;
	}
}

static bool is_failure(const struct outcome *out)
{
	return out->result == DES2_FAILED || out->result == DES2_AGAIN;
}

enum rc des2_outcome_tell(struct des2_outcome *o, struct pack *p,
			  const char *key, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = 1u << 20 };
	uint64_t len = spool_len(&o->spool);
	struct outcome out;
	enum rc rc = RC_OK;

	for (uint64_t at = 0; at < len && !rc;) {
		size_t n;
		uint8_t *to;

		rc = spool_read(&o->spool, at, &out, sizeof(out), err);
		if (rc)
			break;
		n = (size_t)out.uid_len + out.text_len;
		buf_clear(&text);
		to = buf_reserve(&text, n + 1);
		if (!to)
			return err_set(err, RC_NOMEM, "no memory for a name");
		rc = spool_read(&o->spool, at + sizeof(out), to, n, err);
		to[n] = '\0';
		if (!rc && (key || is_failure(&out)))
			tell(p, &out, span_of(to, out.uid_len),
			     (const char *)to + out.uid_len, key);
		at += sizeof(out) + n;
	}
	return rc ? rc : des2_outcome_forget(o, err);
}

enum rc des2_outcome_forget(struct des2_outcome *o, struct err *err)
{
	return spool_clear(&o->spool, err);
}
