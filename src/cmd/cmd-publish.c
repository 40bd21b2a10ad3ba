/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-publish.c - desfs publish: an index of the log for web servers. */
#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "pack/publish.h"
#include "store/store-write.h"

static enum rc publish_run(const void *options, int argc, char **argv,
			   struct err *err)
{
	struct store *st = NULL;
	size_t n = 0;
	enum rc rc;

	(void)options;
	(void)argc;
	/* Not store_create at once: that would make what is not there. */
	rc = store_open(&st, argv[0], NULL, err);
	store_close(st);
	st = NULL;
	if (!rc)
		rc = store_create(&st, argv[0], NULL, err);
	if (!rc)
		rc = publish_log(st, &n, err);
	store_close(st);
	if (!rc)
		printf("%zu log record%s published\n", n, n == 1 ? "" : "s");
	return rc;
}

const struct cmd cmd_publish = {
	.name = "publish",
	.usage = "[OPTION]... ARCHIVE",
	.summary = "write the index of the log that web servers need",
	.min_args = 1,
	.max_args = 1,
	.run = publish_run,
};
