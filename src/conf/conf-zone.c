/* SPDX-License-Identifier: Apache-2.0 */
/* conf-zone.c - which stores hold which slots, as a zone file says it. */
#include "config.h"

#include "conf/conf-zone.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/conf-set.h"
#include "conf/conf-zone-check.h"

enum section { IN_NONE, IN_ZONES, IN_ZONE, IN_STORE };

struct reading {
	struct conf_zones *z;
	struct zones_draft draft;
	enum section section;
	bool is_zones_seen;
	bool is_bits_set;
	size_t cap_zones, cap_stores, cap_draft_zones, cap_draft_stores;
};

static const struct conf_zone_limits limits_unset = { LIMIT_UNSET, LIMIT_UNSET,
						      LIMIT_UNSET,
						      LIMIT_UNSET };

#define LIMIT(n, lo, hi)                                                     \
	{                                                                    \
		.name = #n, .kind = OPT_UINT,                                \
		.offset = offsetof(struct conf_zone_limits, n), .min = (lo), \
		.max = (hi)                                                  \
	}

static const struct opt limit_rows[] = {
	LIMIT(failures, 1, 1000),
	LIMIT(recover, 1, 86400),
	LIMIT(rate, 0, 1000000),
	LIMIT(burst, 1, 1000000),
};

/* --- sections ------------------------------------------------------------- */

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n && !s[n] && n <= CONF_ZONE_NAME_MAX;
}

static enum rc begin_zone(struct reading *r, const struct conf_line *l,
			  const char *name, struct err *err)
{
	struct conf_zones *z = r->z;

	for (size_t i = 0; i < z->n_zones; i++) {
		if (!strcmp(z->zones[i].name, name))
			return conf_line_error(l, RC_USAGE, err,
					       "zone %s has been in line %u",
					       name, r->draft.zones[i].line);
	}
	if (z->n_zones == CONF_ZONES_MAX)
		return conf_line_error(l, RC_USAGE, err, "more than %u zones",
				       CONF_ZONES_MAX);
	z->zones = mem_grow(z->zones, &r->cap_zones, z->n_zones + 1,
			    sizeof(*z->zones));
	r->draft.zones = mem_grow(r->draft.zones, &r->cap_draft_zones,
				  z->n_zones + 1, sizeof(*r->draft.zones));
	z->zones[z->n_zones] = (struct conf_zone){
		.name = conf_strings_take(z->strings, xstrdup(name)),
		.limits = limits_unset,
	};
	r->draft.zones[z->n_zones++] = (struct draft_zone){ .line = l->number };
	r->section = IN_ZONE;
	return RC_OK;
}

static enum rc begin_store(struct reading *r, const struct conf_line *l,
			   const char *name, struct err *err)
{
	struct conf_zones *z = r->z;

	for (size_t i = 0; i < z->n_stores; i++) {
		if (!strcmp(z->stores[i].name, name))
			return conf_line_error(l, RC_USAGE, err,
					       "store %s has been in line %u",
					       name, r->draft.stores[i].line);
	}
	if (z->n_stores == CONF_ZONE_STORES_MAX)
		return conf_line_error(l, RC_USAGE, err, "more than %u stores",
				       CONF_ZONE_STORES_MAX);
	z->stores = mem_grow(z->stores, &r->cap_stores, z->n_stores + 1,
			     sizeof(*z->stores));
	r->draft.stores = mem_grow(r->draft.stores, &r->cap_draft_stores,
				   z->n_stores + 1, sizeof(*r->draft.stores));
	z->stores[z->n_stores] = (struct conf_zone_store){
		.name = conf_strings_take(z->strings, xstrdup(name)),
	};
	r->draft.stores[z->n_stores++] = (struct draft_store){
		.line = l->number,
		.set_in = xcalloc(conf_n_rows(), sizeof(unsigned int)),
	};
	r->section = IN_STORE;
	return RC_OK;
}

/* The name after the word, or NULL when the section begins otherwise. */
static const char *name_after(const char *section, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(section, word, len) || !section[len] ||
	    !strchr(" \t", section[len]))
		return NULL;
	section += len;
	return section + strspn(section, " \t");
}

static enum rc begin_section(struct reading *r, const struct conf_line *l,
			     struct err *err)
{
	const char *zone = name_after(l->section, "zone");
	const char *store = name_after(l->section, "store");

	if (zone && is_name(zone))
		return begin_zone(r, l, zone, err);
	if (store && is_name(store))
		return begin_store(r, l, store, err);
	if (strcmp(l->section, "zones") != 0)
		return conf_line_error(l, RC_USAGE, err,
				       "want [zones], [zone NAME] or [store "
				       "NAME], a name of letters, digits, "
				       "'.', '_' and '-'");
	if (r->is_zones_seen)
		return conf_line_error(l, RC_USAGE, err, "a second [zones]");
	r->is_zones_seen = true;
	r->section = IN_ZONES;
	return RC_OK;
}

/* --- settings ------------------------------------------------------------- */

static enum rc twice(const struct conf_line *l, struct err *err)
{
	return conf_line_error(l, RC_USAGE, err, "%s is set a second time",
			       l->key);
}

/* *ret_known: the key is one of these. */
static enum rc set_limit(struct conf_zone_limits *limits,
			 const struct conf_line *l, bool *ret_known,
			 struct err *err)
{
	*ret_known = false;
	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++) {
		const struct opt *row = &limit_rows[i];
		const unsigned int *field =
			(const void *)((const char *)limits + row->offset);

		if (strcmp(row->name, l->key) != 0)
			continue;
		*ret_known = true;
		if (*field != LIMIT_UNSET)
			return twice(l, err);
		if (opt_set(row, limits, l->value, err))
			return err_prefix(err, "%s:%u: %s", l->path, l->number,
					  l->key);
	}
	return RC_OK;
}

static enum rc unknown(const struct conf_line *l, struct err *err)
{
	return conf_line_error(l, RC_USAGE, err,
			       "unknown setting %s, see desfs-zones(5)",
			       l->key);
}

static enum rc in_zones(struct reading *r, const struct conf_line *l,
			struct err *err)
{
	bool is_known = false;
	int64_t bits = 0;

	if (set_limit(&r->draft.limits, l, &is_known, err))
		return err->rc;
	if (is_known)
		return RC_OK;
	if (strcmp(l->key, "n_bits") != 0)
		return unknown(l, err);
	if (r->is_bits_set)
		return twice(l, err);
	if (opt_number(l->value, 10, ZONE_BITS_MIN, ZONE_BITS_MAX, &bits, err))
		return err_prefix(err, "%s:%u: n_bits", l->path, l->number);
	r->z->n_bits = (unsigned int)bits;
	r->is_bits_set = true;
	return RC_OK;
}

/* The word up to the next comma, without blanks; NULL at the end. */
static char *next_word(char **list)
{
	char *s = *list;
	char *comma;
	size_t n;

	if (!s)
		return NULL;
	comma = strchr(s, ',');
	*list = comma ? comma + 1 : NULL;
	if (comma)
		*comma = '\0';
	s += strspn(s, " \t");
	n = strlen(s);
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
	return s;
}

/* Decimal, or hexadecimal after 0x; *s moves behind it. */
static bool take_slot(const char **s, uint32_t *ret)
{
	bool is_hex = !strncmp(*s, "0x", 2) || !strncmp(*s, "0X", 2);
	const char *digits = is_hex ? *s + 2 : *s;
	size_t n = strspn(digits,
			  is_hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (!n || n > 6)
		return false;
	*ret = (uint32_t)strtoul(digits, NULL, is_hex ? 16 : 10);
	*s = digits + n;
	return *ret <= ZONE_SLOT_MAX;
}

static bool take_range(const char *s, struct conf_zone_range *ret)
{
	if (!take_slot(&s, &ret->first))
		return false;
	ret->last = ret->first;
	s += strspn(s, " \t");
	if (*s == '-') {
		s++;
		s += strspn(s, " \t");
		if (!take_slot(&s, &ret->last))
			return false;
	}
	return !*s && ret->first <= ret->last;
}

static enum rc add_slots(struct reading *r, const struct conf_line *l,
			 struct err *err)
{
	struct conf_zone *zone = &r->z->zones[r->z->n_zones - 1];
	struct draft_zone *draft = &r->draft.zones[r->z->n_zones - 1];
	char *list = l->value;
	char *word;

	for (word = next_word(&list); word; word = next_word(&list)) {
		struct conf_zone_range range;

		if (!strcmp(word, "all")) {
			draft->has_all = true;
			continue;
		}
		if (!take_range(word, &range))
			return conf_line_error(l, RC_USAGE, err,
					       "'%s' is no range of slots: "
					       "want 7, 0-7, 0x00-0x7f or all, "
					       "up to %u",
					       word, ZONE_SLOT_MAX);
		if (zone->n_ranges > ZONE_SLOT_MAX)
			return conf_line_error(l, RC_USAGE, err,
					       "too many ranges");
		zone->ranges =
			mem_grow(zone->ranges, &draft->cap_ranges,
				 zone->n_ranges + 1, sizeof(*zone->ranges));
		zone->ranges[zone->n_ranges++] = range;
	}
	return RC_OK;
}

static enum rc add_stores(struct reading *r, const struct conf_line *l,
			  struct err *err)
{
	struct draft_zone *draft = &r->draft.zones[r->z->n_zones - 1];
	char *list = l->value;
	char *word;

	for (word = next_word(&list); word; word = next_word(&list)) {
		if (!is_name(word))
			return conf_line_error(l, RC_USAGE, err,
					       "'%s' is no name of a store",
					       word);
		for (size_t i = 0; i < draft->n_names; i++) {
			if (!strcmp(draft->names[i], word))
				return conf_line_error(l, RC_USAGE, err,
						       "store %s is named "
						       "twice",
						       word);
		}
		if (draft->n_names == CONF_ZONE_STORES_MAX)
			return conf_line_error(l, RC_USAGE, err,
					       "too many stores");
		draft->names =
			mem_grow(draft->names, &draft->cap_names,
				 draft->n_names + 1, sizeof(*draft->names));
		draft->names[draft->n_names++] = xstrdup(word);
	}
	return RC_OK;
}

static enum rc in_zone(struct reading *r, const struct conf_line *l,
		       struct err *err)
{
	bool is_known = false;

	if (!strcmp(l->key, "slots"))
		return add_slots(r, l, err);
	if (!strcmp(l->key, "stores"))
		return add_stores(r, l, err);
	if (set_limit(&r->z->zones[r->z->n_zones - 1].limits, l, &is_known,
		      err))
		return err->rc;
	return is_known ? RC_OK : unknown(l, err);
}

static enum rc set_url(struct reading *r, struct conf_zone_store *store,
		       const struct conf_line *l, struct err *err)
{
	const char *slash = strrchr(r->draft.path, '/');
	CLEANUP_FREE char *dir = xmemdup0(
		r->draft.path, slash ? (size_t)(slash - r->draft.path) : 0);
	const char *url = l->value;

	if (store->url)
		return twice(l, err);
	if (!*url || strlen(url) > CONF_URL_MAX)
		return conf_line_error(l, RC_USAGE, err,
				       "want url = URL of at most %u bytes",
				       CONF_URL_MAX);
	if (!strncmp(url, "zone://", 7))
		return conf_line_error(l, RC_USAGE, err,
				       "a store of a zone cannot be zones");
	if (!strncmp(url, "file://", 7))
		url += 7;
	store->url = conf_is_url(url)
			     ? conf_strings_take(r->z->strings, xstrdup(url))
			     : conf_strings_below(r->z->strings, dir, url);
	return RC_OK;
}

static enum rc in_store(struct reading *r, const struct conf_line *l,
			struct err *err)
{
	struct conf_zone_store *store = &r->z->stores[r->z->n_stores - 1];
	struct draft_store *draft = &r->draft.stores[r->z->n_stores - 1];
	const struct conf_row *row = conf_row_named(l->key);
	struct conf c = CONF_INIT;

	if (!strcmp(l->key, "url"))
		return set_url(r, store, l, err);
	if (!row || !conf_row_is_of_store(row))
		return unknown(l, err);
	if (draft->set_in[row - conf_rows])
		return twice(l, err);
	draft->set_in[row - conf_rows] = l->number;
	c.store = store->set;
	if (conf_set(&c, r->z->strings, row, l, err))
		return err->rc;
	store->set = c.store;
	return RC_OK;
}

static enum rc take_line(void *arg, struct conf_line *l, struct err *err)
{
	struct reading *r = arg;

	if (!l->key)
		return begin_section(r, l, err);
	switch (r->section) {
	case IN_ZONES: return in_zones(r, l, err);
	case IN_ZONE: return in_zone(r, l, err);
	case IN_STORE: return in_store(r, l, err);
	case IN_NONE: break;
	}
	return conf_line_error(l, RC_USAGE, err,
			       "want [zones], [zone NAME] or [store NAME] "
			       "first");
}

/* --- files ---------------------------------------------------------------- */

static void release_draft(struct reading *r)
{
	for (size_t i = 0; i < r->z->n_zones; i++) {
		struct draft_zone *zone = &r->draft.zones[i];

		for (size_t k = 0; k < zone->n_names; k++)
			free(zone->names[k]);
		free(zone->names);
	}
	for (size_t i = 0; i < r->z->n_stores; i++)
		free(r->draft.stores[i].set_in);
	free(r->draft.zones);
	free(r->draft.stores);
}

static enum rc read_text(struct conf_zones *z, const char *path,
			 struct conf_text *t, const struct store_settings *set,
			 struct err *err)
{
	struct reading r = {
		.z = z,
		.draft = { .path = path, .limits = limits_unset },
	};
	enum rc rc;

	rc = conf_text_parse(t, path, take_line, &r, err);
	if (!rc)
		rc = zones_finish(z, &r.draft, set, err);
	release_draft(&r);
	return rc;
}

static char *absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/' || !getcwd(cwd, sizeof(cwd)))
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

static enum rc parse(struct conf_zones *ret, const char *path,
		     struct conf_text *t, const struct store_settings *set,
		     struct err *err)
{
	CLEANUP(conf_zones_release) struct conf_zones z = { .n_bits = 0 };

	z.strings = conf_strings_new();
	if (read_text(&z, path, t, set, err))
		return err->rc;
	*ret = z;
	z = (struct conf_zones){ .n_bits = 0 };
	return RC_OK;
}

enum rc conf_zones_load(struct conf_zones *ret, const char *path,
			const struct store_settings *set, struct err *err)
{
	CLEANUP_CONF_TEXT struct conf_text t = { .p = NULL };
	CLEANUP_FREE char *whole = absolute(path);
	enum rc rc = conf_text_read(&t, whole, false, err);

	return rc ? rc : parse(ret, whole, &t, set, err);
}

enum rc conf_zones_parse(struct conf_zones *ret, const char *path,
			 const void *p, size_t len,
			 const struct store_settings *set, struct err *err)
{
	CLEANUP_CONF_TEXT struct conf_text t = { .len = len };

	if (len > CONF_FILE_MAX)
		return err_set(err, RC_USAGE, "%s has more than %u bytes", path,
			       CONF_FILE_MAX);
	t.p = xmemdup0(p, len);
	return parse(ret, path, &t, set, err);
}

void conf_zones_release(struct conf_zones *z)
{
	for (size_t i = 0; i < z->n_zones; i++) {
		free(z->zones[i].ranges);
		free(z->zones[i].stores);
	}
	free(z->zones);
	free(z->stores);
	conf_strings_free(z->strings);
	*z = (struct conf_zones){ .n_bits = 0 };
}

size_t conf_zones_find(const struct conf_zones *z, uint32_t slot)
{
	for (size_t i = 0; i < z->n_zones; i++) {
		const struct conf_zone *zone = &z->zones[i];

		for (size_t k = 0; k < zone->n_ranges; k++) {
			if (slot >= zone->ranges[k].first &&
			    slot <= zone->ranges[k].last)
				return i;
		}
	}
	assert(!"no zone has the slot");
	return 0;
}
