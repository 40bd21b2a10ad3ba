/* SPDX-License-Identifier: Apache-2.0 */
/* receipt-read.c - what proves that a deletion was done: read. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "erase/receipt-backend.h"

static enum rc get_to(const struct json_t *j, struct receipt_replaced *x,
		      struct err *err)
{
	struct json_t *to = NULL;
	size_t n = 0;

	if (json_get_array(j, "to", RECEIPT_ITEMS_MAX, &to, &n, err))
		return err->rc;
	x->to = xcalloc(n ? n : 1, sizeof(*x->to));
	for (; x->n_to < n; x->n_to++) {
		struct receipt_root *at = &x->to[x->n_to];
		const char *text = json_text(json_at(to, x->n_to));

		if (!text ||
		    !hex_decode(text, strlen(text), at->b, sizeof(at->b)))
			return err_set(err, RC_CORRUPT,
				       "to %zu is not %zu hex digits", x->n_to,
				       2 * sizeof(at->b));
		if (x->n_to && receipt_compare_roots(at - 1, at) >= 0)
			return err_set(err, RC_CORRUPT,
				       "to %zu is not in order", x->n_to);
	}
	return RC_OK;
}

static enum rc get_replaced(const struct json_t *j, struct receipt *r,
			    struct err *err)
{
	struct json_t *all = NULL;
	size_t n = 0;

	if (json_get_array(j, "replaced", RECEIPT_ITEMS_MAX, &all, &n, err))
		return err->rc;
	r->replaced = receipt_array(n, sizeof(*r->replaced));
	while (r->n_replaced < n) {
		size_t i = r->n_replaced++;
		struct receipt_replaced *x = &r->replaced[i];
		const struct json_t *at = json_at(all, i);

		if (json_get_hex(at, "from", x->from.b, sizeof(x->from.b),
				 err) ||
		    json_get_time(at, "time", &x->time, err) ||
		    get_to(at, x, err))
			return err_prefix(err, "replaced %zu", i);
		if (i && receipt_compare_replaced(x - 1, x) >= 0)
			return err_set(err, RC_CORRUPT,
				       "replaced %zu: from is not in order", i);
	}
	return RC_OK;
}

static enum rc get_how(const struct json_t *j, struct receipt_purged *x,
		       struct err *err)
{
	const char *how = "";

	x->until = RECEIPT_UNKNOWN;
	if (json_get_str(j, "how", 64, &how, err))
		return err->rc;
	if (!receipt_how_parse(how, &x->how))
		return err_set(err, RC_UNSUPPORTED, "how %s is not known here",
			       how);
	if (!json_has(j, "until"))
		return RC_OK;
	if (x->how != RECEIPT_PENDING)
		return err_set(err, RC_CORRUPT, "%s has an until", how);
	return json_get_time(j, "until", &x->until, err);
}

static enum rc get_zone(const struct json_t *j, struct receipt_purged *x,
			struct err *err)
{
	const char *zone = "";

	if (!json_has(j, "zone"))
		return RC_OK;
	if (json_get_str(j, "zone", ERASURE_WORD_MAX, &zone, err) ||
	    erasure_word_check(RC_CORRUPT, "zone", zone, err))
		return err->rc;
	x->zone = xstrdup(zone);
	return RC_OK;
}

static enum rc get_purged(const struct json_t *j, struct receipt *r,
			  struct err *err)
{
	struct json_t *all = NULL;
	size_t n = 0;

	if (json_get_array(j, "purged", RECEIPT_ITEMS_MAX, &all, &n, err))
		return err->rc;
	r->purged = receipt_array(n, sizeof(*r->purged));
	while (r->n_purged < n) {
		size_t i = r->n_purged++;
		struct receipt_purged *x = &r->purged[i];
		const struct json_t *at = json_at(all, i);

		if (json_get_hex(at, "root", x->root.b, sizeof(x->root.b),
				 err) ||
		    json_get_time(at, "time", &x->time, err) ||
		    get_how(at, x, err) || get_zone(at, x, err))
			return err_prefix(err, "purged %zu", i);
		if (i && receipt_compare_purged(x - 1, x) >= 0)
			return err_set(err, RC_CORRUPT,
				       "purged %zu is not in order", i);
	}
	return RC_OK;
}

static enum rc get_all(const struct json_t *j, struct receipt *r,
		       struct err *err)
{
	if (!json_is_obj(j))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (json_get_hex(j, "id", r->id, sizeof(r->id), err) ||
	    json_get_hex(j, "subject", r->subject, sizeof(r->subject), err) ||
	    json_get_time(j, "asked", &r->asked, err) ||
	    json_get_time(j, "hidden", &r->hidden, err) ||
	    erasure_words_get(j, &r->words, err) || get_replaced(j, r, err))
		return err->rc;
	return get_purged(j, r, err);
}

enum rc receipt_from_json(const struct json_t *j, struct receipt *ret,
			  struct err *err)
{
	struct receipt r = { 0 };

	if (get_all(j, &r, err)) {
		receipt_release(&r);
		return err->rc;
	}
	*ret = r;
	return RC_OK;
}

enum rc receipt_decode(const void *p, size_t len, struct receipt *ret,
		       struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;

	if (json_parse(p, len, RECEIPT_MAX, &j, err))
		return err->rc;
	return receipt_from_json(j, ret, err);
}
