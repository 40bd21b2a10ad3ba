/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-publish.c - desfs publish: an index of the log for web servers. */
#include "config.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "conf/conf-opts.h"
#include "pack/publish.h"
#include "store/store-write.h"

struct publish_options {
	struct conf conf;
};

static const struct opt publish_opts[] = { CONF_OPTS(struct publish_options,
						     conf) };

static enum rc publish_run(const void *options, int argc, char **argv,
			   struct err *err)
{
	const struct publish_options *o = options;
	CLEANUP(conf_release) struct conf conf = o->conf;
	struct store *st = NULL;
	size_t n = 0;
	enum rc rc;

	(void)argc;
	if (store_check_writable(argv[0], err) ||
	    conf_fill(&conf, argv[0], err))
		return err->rc;
	/* Not store_create at once: that would make what is not there. */
	rc = store_open(&st, argv[0], &conf.store, err);
	store_close(st);
	st = NULL;
	if (!rc)
		rc = store_create(&st, argv[0], &conf.store, err);
	if (!rc)
		rc = publish_log(st, &n, err);
	store_close(st);
	if (!rc)
		printf("%zu log record%s published\n", n, n == 1 ? "" : "s");
	return rc;
}

static const struct publish_options publish_defaults = { .conf = CONF_INIT };

const struct cmd cmd_publish = {
	.name = "publish",
	.usage = "[OPTION]... ARCHIVE",
	.summary = "write the index of the log that web servers need",
	.opts = publish_opts,
	.n_opts = ARRAY_LEN(publish_opts),
	.defaults = &publish_defaults,
	.options_size = sizeof(publish_defaults),
	.min_args = 1,
	.max_args = 1,
	.run = publish_run,
};
