/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-rebuild.c - desfs rebuild: descriptor and log from the shards. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/opt-rows.h"
#include "cmd/cmd.h"
#include "cmd/tell.h"
#include "conf/conf-opts.h"
#include "verify/rebuild.h"

struct rebuild_cmd_options {
	bool force, drop_tombstones;
	bool dry_run;
	struct conf conf;
};

static const struct opt rebuild_opts[] = {
	{ .name = "force",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct rebuild_cmd_options, force),
	  .help = "add shards that a log without damage does not name" },
	{ .name = "drop-tombstones",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct rebuild_cmd_options, drop_tombstones),
	  .help = "do without tombstones that are lost: what they delete comes back" },
	OPT_ROW_DRY_RUN(struct rebuild_cmd_options, dry_run,
			"say what would be done, write nothing"),
	CONF_OPTS(struct rebuild_cmd_options, conf)
};

static void tell_object(void *arg, const char *key, const char *text)
{
	(void)arg;
	tell("%s: %s", key, text);
}

static enum rc rebuild_run(const void *options, int argc, char **argv,
			   struct err *err)
{
	const struct rebuild_cmd_options *o = options;
	struct conf conf = o->conf;
	const struct rebuild_options opts = { .settings = &conf.store,
					      .force = o->force,
					      .drop_tombstones =
						      o->drop_tombstones,
					      .dry_run = o->dry_run,
					      .tell = tell_object };
	struct rebuild_totals t;
	enum rc rc;

	(void)argc;
	rc = conf_fill(&conf, argv[0], err);
	if (!rc)
		rc = rebuild_archive(argv[0], &opts, &t, err);
	conf_release(&conf);
	if (rc)
		return rc;
	printf("%" PRIu64 " shards, %" PRIu64 " added to the log, %" PRIu64
	       " left out%s\n",
	       t.shards, t.added, t.damaged,
	       t.descriptor_written ? ", descriptor made anew" : "");
	if (t.missing)
		return err_set(err, RC_PARTIAL,
			       "%" PRIu64 " shards that the log names are not "
			       "there; bring them back from a backup or "
			       "another store",
			       t.missing);
	if (t.damaged)
		return err_set(err, RC_PARTIAL,
			       "%" PRIu64 " shards left out; 'desfs verify "
			       "--salvage' may bring back their files",
			       t.damaged);
	return RC_OK;
}

static const struct rebuild_cmd_options rebuild_defaults = {
	.conf = CONF_INIT
};

const struct cmd cmd_rebuild = {
	.name = "rebuild",
	.usage = "[OPTION]... ARCHIVE",
	.summary = "make descriptor and log again from the shards",
	.opts = rebuild_opts,
	.n_opts = ARRAY_LEN(rebuild_opts),
	.defaults = &rebuild_defaults,
	.options_size = sizeof(rebuild_defaults),
	.min_args = 1,
	.max_args = 1,
	.run = rebuild_run,
};
