/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.c - desfs.json, read and written. */
#include "config.h"

#include "volume/descriptor.h"

#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"
#include "shard/route.h"
#include "store/store.h"

#define FEATURES_MAX 64

static const char *const route_texts[] = {
	[ROUTE_UID] = "uid",
	[ROUTE_PARENT] = "parent",
};

enum rc descriptor_read(struct store *st, struct buf *ret, struct err *err)
{
	enum rc rc =
		store_read_all(st, DESCRIPTOR_KEY, DESCRIPTOR_MAX, ret, err);

	if (rc != RC_NOENT)
		return rc;
	/* Of a directory there is no more to be said. */
	if (store_is_remote(st))
		return err_prefix(err, "%s: no archive", store_url(st));
	return err_set(err, RC_NOENT, "%s: no archive: no %s there",
		       store_url(st), DESCRIPTOR_KEY);
}

const char *descriptor_route_text(unsigned int route)
{
	return route < ARRAY_LEN(route_texts) ? route_texts[route] : "?";
}

static bool parse_route(const char *text, unsigned int *ret)
{
	for (unsigned int i = 0; i < ARRAY_LEN(route_texts); i++) {
		if (strcmp(text, route_texts[i]) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* All members but the id. */
static struct json_t *to_json(const struct descriptor *d)
{
	struct json_t *j = json_new_obj();
	struct json_t *features = json_new_obj();

	json_set(features, "compat", json_new_array());
	json_set(features, "incompat", json_new_array());
	json_set(features, "ro_compat", json_new_array());
	json_set_time(j, "created_at", d->created_at);
	json_set(j, "features", features);
	json_set_u64(j, "format", d->format);
	json_set_u64(j, "n_bits", d->n_bits);
	json_set_str(j, "route", descriptor_route_text(d->route));
	return j;
}

/* The id of what has all members but the id. */
static void id_of(const struct json_t *j, uint8_t id[SHARD_ID_LEN])
{
	CLEANUP_BUF struct buf b = { 0 };
	uint8_t digest[SHA256_LEN];

	/* Escapes make a document longer, six bytes for one at most. */
	buf_init(&b, 6 * DESCRIPTOR_MAX);
	json_write(j, &b);
	sha256_of(b.p, b.len, digest);
	memcpy(id, digest, SHARD_ID_LEN);
}

void descriptor_set_id(struct descriptor *d)
{
	CLEANUP_JSON struct json_t *j = to_json(d);

	id_of(j, d->archive_id);
}

void descriptor_encode(const struct descriptor *d, struct buf *out)
{
	CLEANUP_JSON struct json_t *j = to_json(d);

	json_set_hex(j, "archive_id", d->archive_id, SHARD_ID_LEN);
	json_write(j, out);
	buf_append_str(out, "\n");
}

static enum rc check_format(const struct json_t *j, struct descriptor *d,
			    struct err *err)
{
	uint64_t format = 0;

	if (json_get_u64(j, "format", JSON_INT_MAX, &format, err))
		return err->rc;
	if (format != SHARD_VERSION)
		return err_set(err, RC_UNSUPPORTED,
			       "archive has format %" PRIu64
			       ", this program reads %d",
			       format, SHARD_VERSION);
	d->format = SHARD_VERSION;
	return RC_OK;
}

/* The first feature of a set, all of which are unknown here; NULL: none. */
static enum rc first_feature(const struct json_t *features, const char *set,
			     const char **ret, struct err *err)
{
	struct json_t *names = NULL;
	const char *first = NULL;
	size_t n = 0;

	if (json_get_array(features, set, FEATURES_MAX, &names, &n, err))
		return err->rc;
	for (size_t i = 0; i < n; i++) {
		const char *name = json_text(json_at(names, i));

		if (!name)
			return err_set(err, RC_CORRUPT,
				       "%s holds what is not a string", set);
		if (!first)
			first = name;
	}
	*ret = first;
	return RC_OK;
}

static enum rc check_features(const struct json_t *j, struct descriptor *d,
			      struct err *err)
{
	struct json_t *features = NULL;
	const char *incompat = NULL;
	const char *ro_compat = NULL;
	const char *compat = NULL;

	if (json_get_obj(j, "features", &features, err) ||
	    first_feature(features, "incompat", &incompat, err) ||
	    first_feature(features, "ro_compat", &ro_compat, err) ||
	    first_feature(features, "compat", &compat, err))
		return err->rc;
	if (incompat)
		return err_set(err, RC_UNSUPPORTED,
			       "archive has feature %.64s, not known here",
			       incompat);
	d->is_read_only = ro_compat;
	return RC_OK;
}

static enum rc check_id(struct json_t *j, struct descriptor *d, struct err *err)
{
	uint8_t id[SHARD_ID_LEN];
	char hex[HEX_TEXT(SHARD_ID_LEN)];

	if (json_get_hex(j, "archive_id", d->archive_id, SHARD_ID_LEN, err))
		return err->rc;
	json_unset(j, "archive_id");
	id_of(j, id);
	if (!memcmp(id, d->archive_id, SHARD_ID_LEN))
		return RC_OK;
	hex_encode(id, SHARD_ID_LEN, hex);
	return err_set(err, RC_CORRUPT,
		       "archive_id does not fit the other members, which give "
		       "%s",
		       hex);
}

enum rc descriptor_get_routing(const struct json_t *j, unsigned int *ret_route,
			       unsigned int *ret_n_bits, struct err *err)
{
	const char *route = "";
	int64_t n_bits = 0;

	if (json_get_i64(j, "n_bits", ROUTE_BITS_MIN, ROUTE_BITS_MAX, &n_bits,
			 err) ||
	    json_get_str(j, "route", 64, &route, err))
		return err->rc;
	if (!parse_route(route, ret_route))
		return err_set(err, RC_UNSUPPORTED,
			       "route %s is not known here", route);
	*ret_n_bits = (unsigned int)n_bits;
	return RC_OK;
}

enum rc descriptor_decode(const void *p, size_t len, struct descriptor *ret,
			  struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	struct descriptor d = { 0 };

	if (json_parse(p, len, DESCRIPTOR_MAX, &j, err))
		return err->rc == RC_LIMIT
			       ? err_set(err, RC_CORRUPT,
					 "%zu bytes, not at most %u", len,
					 DESCRIPTOR_MAX)
			       : err->rc;
	if (!json_is_obj(j))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (check_format(j, &d, err) || check_features(j, &d, err) ||
	    check_id(j, &d, err) ||
	    descriptor_get_routing(j, &d.route, &d.n_bits, err) ||
	    json_get_time(j, "created_at", &d.created_at, err))
		return err->rc;
	*ret = d;
	return RC_OK;
}
