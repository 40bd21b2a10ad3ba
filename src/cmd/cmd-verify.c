/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-verify.c - desfs verify: look for damage. */
#include "config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "cmd/entry-text.h"
#include "cmd/json-row.h"
#include "cmd/tell.h"
#include "cmd/todo.h"
#include "conf/conf-opts.h"
#include "pack/restore.h"
#include "pack/salvage.h"
#include "pack/verify.h"
#include "store/store.h"

#define JOBS_MAX 256

struct verify_cmd_options {
	bool deep;
	const char *salvage; /* directory, or NULL */
	bool json;
	unsigned int jobs; /* 0: one for each processor */
	struct conf conf;
};

static const struct opt verify_opts[] = {
	{ .name = "deep",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct verify_cmd_options, deep),
	  .help = "read all data too, check each block and file" },
	{ .name = "jobs",
	  .letter = 'j',
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = JOBS_MAX,
	  .offset = offsetof(struct verify_cmd_options, jobs),
	  .help = "check N shards at once [one a processor]" },
	{ .name = "salvage",
	  .arg = "NEWDIR",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct verify_cmd_options, salvage),
	  .help = "write what is intact of damaged shards into NEWDIR; implies --deep" },
	{ .name = "json",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct verify_cmd_options, json),
	  .help = "print one JSON object for each finding" },
	CONF_OPTS(struct verify_cmd_options, conf)
};

static const char *const kind_names[] = {
	[FINDING_DAMAGE] = "damage",
	[FINDING_LOST] = "lost",
	[FINDING_NOTE] = "note",
};

static void print_json(const struct finding *f, struct buf *b)
{
	json_row_begin(b);
	json_row_u64(b, "v", 1);
	json_row_str(b, "kind", kind_names[f->kind]);
	json_row_str(b, "key", f->key);
	if (f->off != FINDING_NO_OFFSET)
		json_row_u64(b, "offset", f->off);
	if (f->uid.p)
		json_row_bytes(b, "path", f->uid.p, f->uid.len);
	json_row_str(b, "text", f->text);
	json_row_end(b, stdout);
}

static void print_text(const struct finding *f, struct buf *b)
{
	switch (f->kind) {
	case FINDING_DAMAGE:
		buf_printf(b, "%s: ", f->key);
		if (f->off != FINDING_NO_OFFSET)
			buf_printf(b, "offset %" PRIu64 ": ", f->off);
		text_escape(b, f->text, strlen(f->text));
		break;
	case FINDING_LOST:
		buf_printf(b, "%s: costs ", f->key);
		if (f->uid.p)
			name_escape(b, f->uid.p, f->uid.len);
		else
			text_escape(b, f->text, strlen(f->text));
		break;
	case FINDING_NOTE:
		buf_printf(b, "note: %s: ", f->key);
		text_escape(b, f->text, strlen(f->text));
		break;
	}
	buf_append_str(b, "\n");
	if (buf_ok(b))
		fwrite(b->p, 1, b->len, stdout);
}

struct verify_cmd {
	const struct verify_cmd_options *o;
	struct verify_totals totals;
	/* With --salvage: */
	struct restore *to;
	char **damaged; /* keys of this archive's damaged shards */
	size_t n_damaged, cap_damaged;
	struct salvage_totals salvaged;
};

static bool is_shard(const char *key)
{
	size_t len = strlen(key);

	return len > 4 && !strcmp(key + len - 4, ".des");
}

static void note_damaged(struct verify_cmd *c, const char *key)
{
	if (!c->to || !is_shard(key))
		return;
	if (c->n_damaged && !strcmp(c->damaged[c->n_damaged - 1], key))
		return;
	c->damaged = mem_grow(c->damaged, &c->cap_damaged, c->n_damaged + 1,
			      sizeof(char *));
	c->damaged[c->n_damaged++] = xstrdup(key);
}

static void print_finding(void *arg, const struct finding *f)
{
	struct verify_cmd *c = arg;
	const struct verify_cmd_options *o = c->o;
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	if (f->kind == FINDING_DAMAGE)
		note_damaged(c, f->key);
	if (o->json)
		print_json(f, &b);
	else
		print_text(f, &b);
}

static void print_totals(const struct verify_cmd_options *o,
			 const struct verify_totals *t)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char bytes[HUMAN_MAX];

	if (!o->json) {
		printf("%" PRIu64 " shards, %" PRIu64 " entries, %" PRIu64
		       " files of %s: ",
		       t->shards, t->entries, t->files,
		       human_bytes(bytes, t->plain_bytes));
		if (t->damage)
			printf("DAMAGED: %" PRIu64 " findings, %" PRIu64
			       " entries cannot be read\n",
			       t->damage, t->lost);
		else
			printf("%s\n",
			       o->deep ? "all is well" : "no damage found");
		return;
	}
	json_row_begin(&b);
	json_row_u64(&b, "v", 1);
	json_row_str(&b, "kind", "total");
	json_row_u64(&b, "shards", t->shards);
	json_row_u64(&b, "entries", t->entries);
	json_row_u64(&b, "files", t->files);
	json_row_u64(&b, "plain_bytes", t->plain_bytes);
	json_row_u64(&b, "blocks", t->blocks);
	json_row_u64(&b, "damage", t->damage);
	json_row_u64(&b, "lost", t->lost);
	json_row_u64(&b, "notes", t->notes);
	json_row_end(&b, stdout);
}

/* --- salvage -------------------------------------------------------------- */

static void tell_lost(void *arg, const struct entry *e, const struct err *err)
{
	struct span path = path_join(e->parent, e->name);

	(void)arg;
	tell_failed(path, err);
	free((void *)(uintptr_t)path.p);
}

static enum rc salvage_from(struct verify_cmd *c, struct store *st,
			    const char *key, struct err *err)
{
	const struct salvage_options opts = { .lost = tell_lost };
	struct err one;

	/* A shard that is gone costs only itself. */
	if (salvage_shard(st, key, c->to, &opts, &c->salvaged, &one)) {
		tell("%s", one.msg);
		if (one.rc == RC_NOSPACE)
			return err_set(err, RC_NOSPACE, "no space left");
	}
	return RC_OK;
}

static void forget_damaged(struct verify_cmd *c)
{
	for (size_t i = 0; i < c->n_damaged; i++)
		free(c->damaged[i]);
	c->n_damaged = 0;
}

/* The newest first: older ones do not replace what is there. */
static enum rc salvage_archive(struct verify_cmd *c, const char *url,
			       const struct store_settings *set,
			       struct err *err)
{
	struct store *st = NULL;
	enum rc rc;

	if (!c->n_damaged)
		return RC_OK;
	rc = store_open(&st, url, set, err);
	for (size_t i = c->n_damaged; i-- > 0 && !rc;)
		rc = salvage_from(c, st, c->damaged[i], err);
	store_close(st);
	return rc;
}

/* A shard that was named is salvaged whether it is damaged or not. */
static enum rc salvage_file(struct verify_cmd *c, const char *path,
			    struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *dir =
		slash ? xmemdup0(path, (size_t)(slash + 1 - path))
		      : xstrdup(".");
	struct store *st = NULL;
	enum rc rc;

	rc = store_open(&st, dir, NULL, err);
	if (!rc)
		rc = salvage_from(c, st, slash ? slash + 1 : path, err);
	store_close(st);
	return rc;
}

static void salvage_end(struct verify_cmd *c)
{
	struct err err;

	if (!c->to)
		return;
	if (restore_finish(c->to, &err))
		tell("%s", err.msg);
	restore_free(c->to);
	tell("salvaged %" PRIu64 " entries, %" PRIu64 " known to be lost",
	     c->salvaged.saved, c->salvaged.lost);
}

static enum rc salvage_begin(struct verify_cmd *c, struct err *err)
{
	const struct restore_options opts = { .owner = !geteuid() };

	if (!c->o->salvage)
		return RC_OK;
	return restore_open(&c->to, c->o->salvage, &opts, err);
}

/* --- the command ---------------------------------------------------------- */

static enum rc verify_one_archive(struct verify_cmd *c, const char *url,
				  const struct verify_options *opts,
				  struct err *err)
{
	struct verify_options with = *opts;
	struct conf conf = c->o->conf;
	enum rc rc = conf_fill(&conf, url, err);

	with.settings = &conf.store;
	if (!rc)
		rc = verify_archive(url, &with, &c->totals, err);
	if (!rc && c->to)
		rc = salvage_archive(c, url, &conf.store, err);
	conf_release(&conf);
	return rc;
}

/* A file is a shard, all else an archive. */
static enum rc verify_one(struct verify_cmd *c, const char *what,
			  const struct verify_options *opts, struct err *err)
{
	struct stat st;
	bool is_file = !stat(what, &st) && S_ISREG(st.st_mode);
	enum rc rc;

	if (is_file) {
		rc = verify_shard_file(what, opts, &c->totals, err);
		if (!rc && c->to)
			rc = salvage_file(c, what, err);
	} else {
		rc = verify_one_archive(c, what, opts, err);
	}
	forget_damaged(c);
	return rc;
}

static enum rc verify_all(struct verify_cmd *c, int argc, char **argv,
			  struct err *err)
{
	struct verify_options opts = { .deep = c->o->deep || c->to,
				       .jobs = c->o->jobs,
				       .fn = print_finding,
				       .arg = c };
	size_t n_failed = 0;
	enum rc last = RC_OK;

	if (!opts.jobs)
		opts.jobs = workers_n_cpus();
	for (int i = 0; i < argc; i++) {
		enum rc rc = verify_one(c, argv[i], &opts, err);

		if (!rc)
			continue;
		tell("%s", err->msg);
		last = rc;
		n_failed++;
	}
	if (n_failed < (size_t)argc)
		print_totals(c->o, &c->totals);
	return tell_result(n_failed, (size_t)argc, last, err);
}

static enum rc verify_run(const void *options, int argc, char **argv,
			  struct err *err)
{
	struct verify_cmd c = { .o = options };
	enum rc rc;

	rc = salvage_begin(&c, err);
	if (rc)
		return rc;
	rc = verify_all(&c, argc, argv, err);
	salvage_end(&c);
	free(c.damaged);
	if (!c.totals.damage)
		return rc;
	return err_set(err, RC_CORRUPT, "%s", "");
}

static const struct verify_cmd_options verify_defaults = { .conf = CONF_INIT };

const struct cmd cmd_verify = {
	.name = "verify",
	.usage = "[OPTION]... ARCHIVE|SHARD...",
	.summary = "look for damage in archives and shards",
	.opts = verify_opts,
	.n_opts = ARRAY_LEN(verify_opts),
	.defaults = &verify_defaults,
	.options_size = sizeof(verify_defaults),
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.run = verify_run,
};
