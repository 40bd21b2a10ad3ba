/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-cache.c - desfs cache: look at, check, fill and empty the caches. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/opt-rows.h"
#include "base/timestamp.h"
#include "cache/disk-cache.h"
#include "catalog/catalog.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"
#include "cmd/open-archive.h"
#include "conf/conf-opts.h"
#include "store/store.h"
#include "volume/volume.h"

struct cache_options {
	bool json;
	struct conf conf;
};

static const struct opt cache_opts[] = {
	OPT_ROW_JSON(struct cache_options, json,
		     "print one JSON object a line"),
	{ .name = "disk-cache",
	  .arg = "DIR",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct cache_options, conf.disk_cache),
	  .help = "clear, verify or forget in this cache of blocks too" },
	CONF_OPTS(struct cache_options, conf)
};

struct cache_cmd {
	const struct cache_options *o;
	struct conf conf;    /* filled in */
	char *path;          /* of the index cache */
	const char *archive; /* NULL: all */
	struct buf line;
};

/* Nothing is made where there is no cache yet. */
static bool has_index(const struct cache_cmd *c)
{
	return !access(c->path, F_OK);
}

static enum rc index_open(const struct cache_cmd *c, struct catalog **ret,
			  struct err *err)
{
	return catalog_open(ret, c->path, c->conf.index_cache_size, err);
}

/* It need not be there yet. */
static bool has_disk(const struct cache_cmd *c)
{
	return c->conf.disk_cache && *c->conf.disk_cache &&
	       !access(c->conf.disk_cache, F_OK);
}

/* --- status --------------------------------------------------------------- */

static void print_index(struct cache_cmd *c, const struct catalog_stats *s)
{
	char bytes[HUMAN_MAX], max[HUMAN_MAX];

	if (!c->o->json) {
		buf_append_str(&c->line, "index cache: ");
		name_escape(&c->line, c->path, strlen(c->path));
		buf_printf(&c->line,
			   "\n  %s of %s: %" PRIu64 " archives, %" PRIu64
			   " documents, %" PRIu64 " shards, %" PRIu64
			   " pieces of them\n",
			   human_bytes(bytes, s->bytes),
			   human_bytes(max, s->max_bytes), s->n_archives,
			   s->n_documents, s->n_shards, s->n_ranges);
		fputs(buf_str(&c->line), stdout);
		buf_clear(&c->line);
		return;
	}
	json_row_begin_kind(&c->line, "index_cache");
	json_row_str(&c->line, "path", c->path);
	json_row_u64(&c->line, "bytes", s->bytes);
	json_row_u64(&c->line, "max_bytes", s->max_bytes);
	json_row_u64(&c->line, "archives", s->n_archives);
	json_row_u64(&c->line, "documents", s->n_documents);
	json_row_u64(&c->line, "shards", s->n_shards);
	json_row_u64(&c->line, "ranges", s->n_ranges);
	json_row_end(&c->line, stdout);
}

static bool print_archive(void *arg, const char *location, uint64_t n_shards,
			  uint64_t bytes, int64_t last_used)
{
	char stamp[TIMESTAMP_TEXT], size[HUMAN_MAX];
	struct cache_cmd *c = arg;

	timestamp_format(last_used * 1000000, stamp);
	if (c->o->json) {
		json_row_begin_kind(&c->line, "archive");
		json_row_str(&c->line, "location", location);
		json_row_u64(&c->line, "shards", n_shards);
		json_row_u64(&c->line, "bytes", bytes);
		json_row_str(&c->line, "last_used", stamp);
		json_row_end(&c->line, stdout);
		return true;
	}
	buf_append_str(&c->line, "  ");
	name_escape(&c->line, location, strlen(location));
	buf_printf(&c->line, ": %" PRIu64 " shards, %s, last used %s\n",
		   n_shards, human_bytes(size, bytes), stamp);
	fputs(buf_str(&c->line), stdout);
	buf_clear(&c->line);
	return true;
}

static enum rc cache_status(struct cache_cmd *c, struct err *err)
{
	struct catalog_stats s = { .max_bytes =
					   c->conf.index_cache_size
						   ? c->conf.index_cache_size
						   : CATALOG_SIZE_DEFAULT };
	struct catalog *index = NULL;
	enum rc rc = RC_OK;

	if (has_index(c)) {
		if (index_open(c, &index, err))
			return err->rc;
		catalog_stats(index, &s);
	}
	print_index(c, &s);
	if (index)
		rc = catalog_each_archive(index, print_archive, c, err);
	catalog_close(index);
	return rc;
}

/* --- clear ---------------------------------------------------------------- */

struct wanted {
	const char *location;
	bool is_there;
};

static bool is_wanted(void *arg, const char *location, uint64_t n_shards,
		      uint64_t bytes, int64_t last_used)
{
	struct wanted *w = arg;

	(void)n_shards;
	(void)bytes;
	(void)last_used;
	w->is_there = !strcmp(location, w->location);
	return !w->is_there;
}

/* An archive as "status" names it, or as it is named elsewhere. */
static enum rc clear_archive(struct cache_cmd *c, struct catalog *index,
			     struct err *err)
{
	struct wanted w = { .location = c->archive };
	struct store *st = NULL;

	if (catalog_each_archive(index, is_wanted, &w, err))
		return err->rc;
	if (!w.is_there) {
		if (store_open(&st, c->archive, &c->conf.store, err))
			return err->rc;
		w.location = store_location(st);
	}
	catalog_drop(index, w.location);
	store_close(st);
	return RC_OK;
}

static enum rc clear_index(struct cache_cmd *c, struct err *err)
{
	struct catalog *index = NULL;
	enum rc rc;

	if (!has_index(c))
		return RC_OK;
	if (index_open(c, &index, err))
		return err->rc;
	rc = c->archive ? clear_archive(c, index, err)
			: catalog_clear(index, err);
	catalog_close(index);
	return rc;
}

/* A block says nothing of the archive it is from. */
static enum rc cache_clear(struct cache_cmd *c, struct err *err)
{
	enum rc rc = clear_index(c, err);

	if (rc || c->archive || !has_disk(c))
		return rc;
	return disk_cache_clear(c->conf.disk_cache, err);
}

/* --- verify --------------------------------------------------------------- */

static void print_verified(struct cache_cmd *c, const char *kind,
			   uint64_t checked, uint64_t damaged)
{
	if (!c->o->json) {
		printf("%s cache: %" PRIu64 " pieces checked, %" PRIu64
		       " damaged and removed\n",
		       kind, checked, damaged);
		return;
	}
	json_row_begin_kind(&c->line, kind);
	json_row_u64(&c->line, "checked", checked);
	json_row_u64(&c->line, "damaged", damaged);
	json_row_end(&c->line, stdout);
}

static enum rc verify_index(struct cache_cmd *c, uint64_t *ret_damaged,
			    struct err *err)
{
	uint64_t checked = 0, damaged = 0;
	struct catalog *index = NULL;
	struct catalog_stats s = { 0 };
	enum rc rc = RC_OK;

	if (has_index(c)) {
		rc = index_open(c, &index, err);
		if (!rc)
			rc = catalog_verify(index, &checked, &damaged, err);
		if (!rc)
			catalog_stats(index, &s);
		catalog_close(index);
	}
	if (rc)
		return rc;
	/* Put aside already when it was opened: */
	if (!damaged)
		damaged = s.rebuilds;
	print_verified(c, "index", checked, damaged);
	*ret_damaged += damaged;
	return RC_OK;
}

static enum rc cache_verify(struct cache_cmd *c, struct err *err)
{
	uint64_t all = 0, files = 0, damaged = 0;

	if (verify_index(c, &all, err))
		return err->rc;
	if (has_disk(c)) {
		if (disk_cache_verify(c->conf.disk_cache, &files, &damaged,
				      err))
			return err->rc;
		print_verified(c, "disk", files, damaged);
		all += damaged;
	}
	if (all)
		return err_set(err, RC_CORRUPT, "%s", "");
	return RC_OK;
}

/* --- warm ----------------------------------------------------------------- */

static enum rc cache_warm(struct cache_cmd *c, struct err *err)
{
	uint64_t max = c->conf.index_cache_size ? c->conf.index_cache_size
						: CATALOG_SIZE_DEFAULT;
	struct open_archive a = { 0 };
	struct volume_warm w = { 0 };
	char bytes[HUMAN_MAX];
	enum rc rc;

	rc = open_archive(&a, c->archive, &c->o->conf, err);
	if (rc)
		return rc;
	/* Less than all of it, so that it does not push itself out. */
	rc = volume_warm(a.v, max / 4 * 3, &w, err);
	close_archive(&a);
	if (rc)
		return err_prefix(err, "%s", c->archive);
	if (!c->o->json) {
		printf("%" PRIu64 " shards, %s read%s\n", w.shards,
		       human_bytes(bytes, w.bytes),
		       w.is_complete ? "" : "; the cache is full");
		return RC_OK;
	}
	json_row_begin_kind(&c->line, "warm");
	json_row_u64(&c->line, "shards", w.shards);
	json_row_u64(&c->line, "bytes", w.bytes);
	json_row_bool(&c->line, "complete", w.is_complete);
	json_row_end(&c->line, stdout);
	return RC_OK;
}

/* --- forget --------------------------------------------------------------- */

static enum rc cache_forget(struct cache_cmd *c, struct err *err)
{
	const struct volume_options how = {
		.settings = &c->conf.store,
		.index_cache = c->path,
		.index_cache_size = c->conf.index_cache_size,
		.disk_cache = has_disk(c) ? c->conf.disk_cache : NULL,
		.disk_cache_size = c->conf.disk_cache_size,
		.disk_cache_free = c->conf.disk_cache_free,
	};
	struct volume *v = NULL;
	enum rc rc = volume_open(&v, c->archive, &how, err);

	if (rc)
		return rc;
	rc = volume_forget_all(v, err);
	volume_close(v);
	return rc ? err_prefix(err, "%s", c->archive) : RC_OK;
}

/* --- the command ---------------------------------------------------------- */

struct action {
	const char *name;
	bool may_have_archive, must_have_archive;
	enum rc (*run)(struct cache_cmd *c, struct err *err);
};

static const struct action actions[] = {
	{ "status", false, false, cache_status },
	{ "clear", true, false, cache_clear },
	{ "verify", false, false, cache_verify },
	{ "warm", true, true, cache_warm },
	{ "forget", true, true, cache_forget },
};

static enum rc choose(int argc, char **argv, const struct action **ret,
		      struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		const struct action *a = &actions[i];

		if (strcmp(a->name, argv[0]) != 0)
			continue;
		if (argc > 1 && !a->may_have_archive)
			return err_set(err, RC_USAGE,
				       "cache %s is for all archives", a->name);
		if (argc < 2 && a->must_have_archive)
			return err_set(err, RC_USAGE,
				       "cache %s needs an archive", a->name);
		*ret = a;
		return RC_OK;
	}
	return err_set(err, RC_USAGE,
		       "%s: not status, clear, verify, warm or "
		       "forget",
		       argv[0]);
}

static enum rc cache_run(const void *options, int argc, char **argv,
			 struct err *err)
{
	const struct cache_options *o = options;
	struct cache_cmd c = { .o = o,
			       .conf = o->conf,
			       .archive = argc > 1 ? argv[1] : NULL,
			       .line = { .max = JSON_ROW_MAX } };
	const struct action *action = NULL;
	enum rc rc;

	if (choose(argc, argv, &action, err))
		return err->rc;
	rc = conf_fill(&c.conf, c.archive ? c.archive : "", err);
	if (!rc && c.conf.index_cache && !*c.conf.index_cache)
		rc = err_set(err, RC_USAGE, "no index cache is to be used");
	if (!rc) {
		c.path = c.conf.index_cache ? xstrdup(c.conf.index_cache)
					    : catalog_default_path();
		rc = action->run(&c, err);
	}
	free(c.path);
	buf_release(&c.line);
	conf_release(&c.conf);
	return rc;
}

static const struct cache_options cache_defaults = { .conf = CONF_INIT };

const struct cmd cmd_cache = {
	.name = "cache",
	.usage = "[OPTION]... status|clear|verify|warm|forget [ARCHIVE]",
	.summary = "look at, check, fill and empty the caches",
	.opts = cache_opts,
	.n_opts = ARRAY_LEN(cache_opts),
	.defaults = &cache_defaults,
	.options_size = sizeof(cache_defaults),
	.min_args = 1,
	.max_args = 2,
	.run = cache_run,
};
