/* SPDX-License-Identifier: Apache-2.0 */
/* conf-set.c - the rows of settings, and setting one from a line of a file. */
#include "config.h"

#include "conf/conf-set.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/conf-opts.h"

const char *const conf_path_styles[] = { "auto", "yes", "no", NULL };
const char *const conf_stales[] = { "default", "error", "ok", NULL };

/* So that offsetof has a member to name. */
struct self {
	struct conf c;
};

#define ROW(t, m, k, o, f, a, kd, d, h, ...)   \
	{ .opt = { .name = (k),                \
		   .arg = (a),                 \
		   .help = (h),                \
		   .kind = CONF_OPT_##kd,      \
		   .offset = offsetof(t, m.f), \
		   __VA_ARGS__ },              \
	  .kind = CONF_KIND_##kd,              \
	  .option = (o),                       \
	  .deflt = (d) },

/* clang-format off */
const struct conf_row conf_rows[] = {
	CONF_ROWS_ALL(ROW, struct self, c)
	CONF_ROWS_MOUNT(ROW, struct self, c)
	CONF_ROWS_FILE(ROW, struct self, c)
};
/* clang-format on */

size_t conf_n_rows(void)
{
	return ARRAY_LEN(conf_rows);
}

const char *conf_key(size_t row)
{
	return conf_rows[row].opt.name;
}

const struct conf_row *conf_row_named(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(conf_rows); i++) {
		if (!strcmp(conf_rows[i].opt.name, key))
			return &conf_rows[i];
	}
	return NULL;
}

bool conf_row_is_of_store(const struct conf_row *row)
{
	size_t first = offsetof(struct conf, store);

	return row->opt.offset >= first &&
	       row->opt.offset < first + sizeof(struct store_settings);
}

static bool is_graphic(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

static const char *url_fault(const char *url)
{
	static const char *const schemes[] = { "http://", "https://",
					       "socks5://", "socks5h://" };
	const char *host = NULL;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (!strncmp(url, schemes[i], n))
			host = url + n;
	}
	if (strlen(url) > CONF_URL_MAX || !is_graphic(url))
		return "no URL: too long, or with characters no URL has";
	if (!host || !*host || *host == '/')
		return "want http://HOST... or https://HOST...";
	if (memchr(host, '@', strcspn(host, "/?#")))
		return "a URL with a user name or password is not taken";
	return NULL;
}

const char *conf_fault(enum conf_kind kind, const char *value)
{
	switch (kind) {
	case CONF_KIND_url: return url_fault(value);
	case CONF_KIND_word:
		if (strlen(value) > CONF_WORD_MAX || !is_graphic(value))
			return "no name: too long, or with blanks";
		return NULL;
	case CONF_KIND_path:
		return strlen(value) > CONF_PATH_MAX ? "the path is too long"
						     : NULL;
	case CONF_KIND_size:
	case CONF_KIND_uint:
	case CONF_KIND_choice: break;
	}
	return NULL;
}

static enum rc set_path(const char **field, struct conf_strings *s,
			const struct conf_line *l, struct err *err)
{
	const char *slash = strrchr(l->path, '/');
	CLEANUP_FREE char *dir =
		slash ? xmemdup0(l->path, (size_t)(slash - l->path))
		      : xstrdup(".");
	const char *home = getenv("HOME");

	if (!strcmp(l->value, "-")) {
		*field = "-";
		return RC_OK;
	}
	if (strncmp(l->value, "~/", 2)) {
		*field = conf_strings_below(s, dir, l->value);
		return RC_OK;
	}
	if (!home || *home != '/')
		return conf_line_error(l, RC_USAGE, err,
				       "~ is not known: HOME is not set");
	*field = conf_strings_below(s, home, l->value + 2);
	return RC_OK;
}

static enum rc set_string(struct conf *c, struct conf_strings *s,
			  const struct conf_row *row, const struct conf_line *l,
			  struct err *err)
{
	const char **field =
		(const char **)(void *)((char *)c + row->opt.offset);
	const char *fault = *l->value ? conf_fault(row->kind, l->value) : NULL;

	if (fault)
		return conf_line_error(l, RC_USAGE, err, "%s: %s", l->key,
				       fault);
	/* Nothing after '=' takes back what was said before. */
	if (!*l->value) {
		*field = "";
		return RC_OK;
	}
	if (row->kind == CONF_KIND_path)
		return set_path(field, s, l, err);
	*field = conf_strings_take(s, xstrdup(l->value));
	return RC_OK;
}

enum rc conf_set(struct conf *c, struct conf_strings *s,
		 const struct conf_row *row, const struct conf_line *l,
		 struct err *err)
{
	if (row->opt.kind == OPT_STRING)
		return set_string(c, s, row, l, err);
	if (opt_set(&row->opt, c, l->value, err))
		return err_prefix(err, "%s:%u: %s", l->path, l->number, l->key);
	return RC_OK;
}
