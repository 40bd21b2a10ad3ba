/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-cat.c - desfs cat: the bytes of files. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "cmd/cmd.h"
#include "cmd/entry-text.h"
#include "cmd/open-archive.h"
#include "cmd/tell.h"
#include "conf/conf-opts.h"
#include "volume/volume.h"

#define PIECE (1u << 20)

struct cat_options {
	struct conf conf;
};

static const struct opt cat_opts[] = { CONF_OPTS(struct cat_options, conf) };

struct cat {
	struct volume *v;
	uint8_t *piece;
	bool output_failed;
};

static enum rc check_hash(const struct entry *e, struct sha256 *sum,
			  struct err *err)
{
	uint8_t hash[SHA256_LEN];

	sha256_final(sum, hash);
	if (e->has_hash && memcmp(hash, e->sha256, SHA256_LEN))
		return err_set(
			err, RC_CORRUPT,
			"SHA-256 of what was read is not the one packed");
	return RC_OK;
}

static enum rc copy_out(struct cat *c, const struct volume_entry *ve,
			struct err *err)
{
	struct sha256 sum;
	uint64_t off = 0;
	size_t n;
	enum rc rc;

	sha256_init(&sum);
	while (off < ve->e.size) {
		rc = volume_read(c->v, ve, off, c->piece, PIECE, &n, err);
		if (rc)
			return rc;
		if (!n)
			return err_set(err, RC_CORRUPT, "file ends too early");
		sha256_update(&sum, c->piece, n);
		if (io_write(STDOUT_FILENO, c->piece, n)) {
			c->output_failed = true;
			return err_set_errno(err, errno, "standard output");
		}
		off += n;
	}
	return check_hash(&ve->e, &sum, err);
}

static enum rc cat_path(struct cat *c, struct span path, struct err *err)
{
	struct volume_entry ve;
	enum rc rc;

	rc = volume_resolve(c->v, path, &ve, err);
	if (rc)
		return rc;
	if (ve.e.type == ENTRY_REG)
		rc = copy_out(c, &ve, err);
	else
		rc = err_set(err, RC_USAGE, "is a %s, not a file",
			     entry_type_text(ve.e.type));
	volume_entry_release(&ve);
	return rc;
}

static enum rc cat_run(const void *options, int argc, char **argv,
		       struct err *err)
{
	const struct cat_options *o = options;
	CLEANUP_FREE uint8_t *piece = xcalloc(1, PIECE);
	struct cat c = { .piece = piece };
	struct open_archive archive;
	size_t n_failed = 0;
	enum rc rc, last = RC_OK;

	rc = open_archive(&archive, argv[0], &o->conf, err);
	if (rc)
		return rc;
	c.v = archive.v;
	for (int i = 1; i < argc && !c.output_failed; i++) {
		struct span path = span_of(argv[i], strlen(argv[i]));

		rc = cat_path(&c, path, err);
		if (rc) {
			tell_failed(path, err);
			last = rc;
			n_failed++;
		}
	}
	rc = tell_result(n_failed, (size_t)argc - 1, last, err);
	rc = archive_result(&archive, rc, err);
	close_archive(&archive);
	return rc;
}

static const struct cat_options cat_defaults = { .conf = CONF_INIT };

const struct cmd cmd_cat = {
	.name = "cat",
	.usage = "[OPTION]... ARCHIVE PATH...",
	.summary = "write files to standard output",
	.opts = cat_opts,
	.n_opts = ARRAY_LEN(cat_opts),
	.defaults = &cat_defaults,
	.options_size = sizeof(cat_defaults),
	.min_args = 2,
	.max_args = CMD_ANY_ARGS,
	.run = cat_run,
};
