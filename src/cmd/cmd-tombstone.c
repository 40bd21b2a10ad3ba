/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-tombstone.c - desfs tombstone: ask for deletions, look at them, take them
 * back.
 */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/opt-rows.h"
#include "base/stop.h"
#include "cmd/cmd.h"
#include "cmd/tombstone.h"
#include "conf/conf-opts.h"
#include "conf/erasure-key.h"
#include "erase/erasure-words.h"

/* In the order of enum erasure_reason. */
static const char *const reasons[] = { "gdpr", "retention", "user", NULL };

#define AT(member) .offset = offsetof(struct tombstone_options, member)

static const struct opt tombstone_opts[] = {
	{ .name = "created-at",
	  .arg = "T",
	  .kind = OPT_STRING,
	  AT(created_at),
	  .help = "add: only versions created at T; without a fraction, in "
		  "that second" },
	{ .name = "reason",
	  .arg = "gdpr|retention|user",
	  .kind = OPT_CHOICE,
	  AT(reason),
	  .choices = reasons,
	  .help = "add: why they are deleted [user]" },
	{ .name = "by",
	  .arg = "WHO",
	  .kind = OPT_STRING,
	  AT(by),
	  .help = "add: who asks for it; it is kept for good" },
	{ .name = "ticket",
	  .arg = "ID",
	  .kind = OPT_STRING,
	  AT(ticket),
	  .help = "add: what it is asked in; it is kept for good" },
	{ .name = "from",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  AT(from),
	  .help = "add: names from FILE, one a line, each may be followed by "
		  "a tab and T; -: standard input" },
	{ .name = "null",
	  .letter = '0',
	  .kind = OPT_FLAG,
	  AT(is_null),
	  .help = "add: names in FILE end with a NUL byte, and nothing "
		  "follows them" },
	{ .name = "recursive",
	  .letter = 'r',
	  .kind = OPT_FLAG,
	  AT(recursive),
	  .help = "add: and all names that are or ever were below them" },
	{ .name = "force",
	  .kind = OPT_FLAG,
	  AT(force),
	  .help = "add: also names and versions that the archive does not "
		  "have, or cannot read; remove: although runs write" },
	{ .name = "no-copies",
	  .kind = OPT_FLAG,
	  AT(no_copies),
	  .help = "add: do not look for other names with the same bytes" },
	{ .name = "spool",
	  .arg = "DIR",
	  .kind = OPT_STRING,
	  AT(spool),
	  .help = "add: where temporary files go [$TMPDIR or /var/tmp]" },
	{ .name = "day",
	  .arg = "D",
	  .kind = OPT_STRING,
	  AT(day),
	  .help = "aggregate: only this UTC day, as in 2026-11-21" },
	OPT_ROW_DRY_RUN(struct tombstone_options, dry_run,
			"add, remove: say what would be done, write nothing"),
	OPT_ROW_JSON(struct tombstone_options, json,
		     "print one JSON object a line"),
	{ .name = "verbose",
	  .letter = 'v',
	  .kind = OPT_COUNT,
	  AT(verbose),
	  .help = "name each file" },
	CONF_OPTS(struct tombstone_options, conf)
};

/* The first word of the command. */
struct word {
	const char *name;
	bool for_writing;
	bool takes_names;
	enum rc (*run)(const struct tombstone_options *o, struct open_log *l,
		       char **args, struct err *err);
};

static const struct word words[] = {
	{ "add", true, true, tombstone_cmd_add },
	{ "list", false, false, tombstone_cmd_list },
	{ "show", false, true, tombstone_cmd_show },
	{ "aggregate", true, false, tombstone_cmd_aggregate },
	{ "remove", true, true, tombstone_cmd_remove },
};

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(words[i].name, name))
			return &words[i];
	}
	return NULL;
}

/* What only adding knows of is no use, and no harm, elsewhere: but whoever
 * gives it means something else.
 */
static enum rc check_options(const struct tombstone_options *o,
			     const struct word *w, char **args, struct err *err)
{
	bool is_add = w->run == tombstone_cmd_add;

	if (!is_add && (o->created_at || o->by || o->ticket || o->from ||
			o->is_null || o->recursive || o->no_copies || o->spool))
		return err_set(err, RC_USAGE,
			       "tombstone %s takes none of the options of "
			       "tombstone add",
			       w->name);
	if (o->force && !(w->for_writing && w->takes_names))
		return err_set(err, RC_USAGE,
			       "--force is for tombstone add and remove only");
	if (o->day && w->run != tombstone_cmd_aggregate)
		return err_set(err, RC_USAGE,
			       "--day is for tombstone aggregate only");
	if (o->dry_run && !(w->for_writing && w->takes_names))
		return err_set(err, RC_USAGE,
			       "--dry-run is for tombstone add and remove "
			       "only");
	if (o->is_null && !o->from)
		return err_set(err, RC_USAGE, "--null is for --from only");
	if (*args && !w->takes_names)
		return err_set(err, RC_USAGE, "tombstone %s takes no names",
			       w->name);
	if (!*args && w->takes_names && !o->from)
		return err_set(err, RC_USAGE, "tombstone %s needs names%s",
			       w->name, is_add ? " or --from" : "");
	return RC_OK;
}

static enum rc make_key(char **args, struct err *err)
{
	if (!args[0] || args[1])
		return err_set(err, RC_USAGE, "want: tombstone key FILE");
	if (erasure_key_make(args[0], err))
		return err->rc;
	printf("%s: name it with 'erasure_key =' in desfs.conf(5), and keep a "
	       "copy elsewhere\n",
	       args[0]);
	return RC_OK;
}

static enum rc tombstone_run(const void *options, int argc, char **argv,
			     struct err *err)
{
	const struct tombstone_options *o = options;
	const struct word *w = find_word(argv[0]);
	struct open_log l;
	enum rc rc;

	if (!strcmp(argv[0], "key"))
		return make_key(argv + 1, err);
	if (!w)
		return err_set(err, RC_USAGE,
			       "%s: not add, list, show, aggregate, remove or "
			       "key",
			       argv[0]);
	if (argc < 2)
		return err_set(err, RC_USAGE, "tombstone %s needs an archive",
			       w->name);
	if (check_options(o, w, argv + 2, err) ||
	    stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err))
		return err->rc;
	rc = open_log(&l, argv[1], &o->conf, w->for_writing && !o->dry_run,
		      err);
	if (!rc) {
		rc = w->run(o, &l, argv + 2, err);
		close_log(&l);
	}
	stop_release();
	return rc;
}

static const struct tombstone_options tombstone_defaults = {
	.reason = ERASURE_USER,
	.conf = CONF_INIT,
};

const struct cmd cmd_tombstone = {
	.name = "tombstone",
	.usage = "[OPTION]... add|list|show|aggregate|remove|key "
		 "ARCHIVE [NAME]...",
	.summary =
		"delete files for good, see what was asked for, take it back",
	.opts = tombstone_opts,
	.n_opts = ARRAY_LEN(tombstone_opts),
	.defaults = &tombstone_defaults,
	.options_size = sizeof(tombstone_defaults),
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.run = tombstone_run,
};
