/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-check-conf.c - desfs check-conf: the settings, and whether they work. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/opt-rows.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"
#include "conf/conf-opts.h"
#include "conf/conf-zone.h"
#include "legacy/legacy-store.h"
#include "store/store-probe.h"

struct check_options {
	bool write;
	bool json;
	struct conf conf;
};

static const struct opt check_opts[] = {
	{ .name = "write",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct check_options, write),
	  .help = "make and remove small objects too" },
	OPT_ROW_JSON(struct check_options, json,
		     "print one JSON object for each setting and check"),
	CONF_OPTS(struct check_options, conf)
};

static void print_setting(const struct check_options *o, const struct conf *c,
			  size_t row)
{
	CLEANUP_BUF struct buf value = { .max = JSON_ROW_MAX };
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	conf_value_text(c, row, &value);
	if (o->json) {
		json_row_begin(&b);
		json_row_u64(&b, "v", 1);
		json_row_str(&b, "type", "setting");
		json_row_str(&b, "key", conf_key(row));
		json_row_str(&b, "value", buf_str(&value));
		json_row_str(&b, "origin", conf_origin(c, row));
		json_row_end(&b, stdout);
		return;
	}
	buf_printf(&b, "%s = ", conf_key(row));
	name_escape(&b, value.p, value.len);
	buf_append_str(&b, "  # ");
	text_escape(&b, conf_origin(c, row), strlen(conf_origin(c, row)));
	printf("%s\n", buf_str(&b));
}

/* --- checks --------------------------------------------------------------- */

struct check {
	const struct check_options *o;
	const char *store; /* of a zone file; NULL: the only one */
};

static void print_check(void *arg, const char *step, enum probe_found found,
			const char *text)
{
	static const char *const words[] = { [PROBE_OK] = "ok",
					     [PROBE_NOTE] = "note",
					     [PROBE_FAILED] = "FAILED" };
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	const struct check *c = arg;

	if (c->o->json) {
		json_row_begin(&b);
		json_row_u64(&b, "v", 1);
		json_row_str(&b, "type", "check");
		if (c->store)
			json_row_str(&b, "store", c->store);
		json_row_str(&b, "check", step);
		json_row_bool(&b, "ok", found != PROBE_FAILED);
		if (found == PROBE_NOTE)
			json_row_bool(&b, "note", true);
		json_row_str(&b, "text", text);
		json_row_end(&b, stdout);
	} else {
		buf_printf(&b, "%s ", words[found]);
		if (c->store)
			buf_printf(&b, "%s ", c->store);
		buf_printf(&b, "%s: ", step);
		text_escape(&b, text, strlen(text));
		printf("%s\n", buf_str(&b));
	}
	/* The next one may take its time. */
	fflush(stdout);
}

static enum rc check_zones(const struct check_options *o, const char *file,
			   const struct store_settings *set)
{
	CLEANUP(conf_zones_release) struct conf_zones z = { .n_bits = 0 };
	struct check c = { .o = o };
	enum rc first = RC_OK;
	struct err err;

	if (conf_zones_load(&z, file, set, &err)) {
		print_check(&c, "zones", PROBE_FAILED, err.msg);
		return err.rc;
	}
	print_check(&c, "zones", PROBE_OK, "every slot is in one zone");
	for (size_t i = 0; i < z.n_stores; i++) {
		const struct conf_zone_store *st = &z.stores[i];
		enum rc rc;

		c.store = st->name;
		rc = store_probe(st->url, &st->set, o->write,
				 legacy_store_exists, print_check, &c);
		if (!first)
			first = rc;
	}
	return first;
}

static enum rc check_archive(const struct check_options *o, const char *archive,
			     const struct store_settings *set)
{
	struct check c = { .o = o };

	if (!strncmp(archive, "zone://", 7))
		return check_zones(o, archive + 7, set);
	return store_probe(archive, set, o->write, legacy_store_exists,
			   print_check, &c);
}

static enum rc check_run(const void *options, int argc, char **argv,
			 struct err *err)
{
	const struct check_options *o = options;
	CLEANUP(conf_release) struct conf conf = o->conf;
	enum rc rc;

	if (o->write && !argc)
		return err_set(err, RC_USAGE, "--write needs an archive");
	if (conf_fill(&conf, argc ? argv[0] : NULL, err))
		return err->rc;
	for (size_t i = 0; i < conf_n_rows(); i++)
		print_setting(o, &conf, i);
	if (!argc)
		return RC_OK;
	rc = check_archive(o, argv[0], &conf.store);
	/* It has been told. */
	return rc ? err_set(err, rc, "%s", "") : RC_OK;
}

static const struct check_options check_defaults = { .conf = CONF_INIT };

const struct cmd cmd_check_conf = {
	.name = "check-conf",
	.usage = "[OPTION]... [ARCHIVE]",
	.summary = "show the settings and prove that they work",
	.opts = check_opts,
	.n_opts = ARRAY_LEN(check_opts),
	.defaults = &check_defaults,
	.options_size = sizeof(check_defaults),
	.min_args = 0,
	.max_args = 1,
	.run = check_run,
};
