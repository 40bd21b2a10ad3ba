/* SPDX-License-Identifier: Apache-2.0 */
/* conf.c - settings for one archive: options first, then desfs.conf(5). */
#include "config.h"

#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/conf-set.h"

#define SYSTEM_FILE "/etc/desfs.conf"
#define DEFAULT_REFRESH 60u
#define DEFAULT_TOMBSTONE_MAX_AGE 86400u

static const char from_options[] = "option";
static const char from_default[] = "default";

/* Where the value of a row comes from. */
struct origin {
	size_t rank;       /* length of the section's URL and 1; [default]: 0 */
	unsigned int file; /* of the line before, from 1 */
	unsigned int line;
	bool is_set;
};

struct filling {
	struct conf *c;
	const char *archive; /* in one form, see archive_name */
	struct origin *origins;
	unsigned int file;
	/* Of the section being read: */
	size_t rank;
	bool is_for_us;
};

void conf_init(struct conf *c)
{
	*c = (struct conf)CONF_INIT;
}

void conf_release(struct conf *c)
{
	conf_strings_free(c->strings);
	free(c->origins);
	conf_init(c);
}

static size_t row_size(const struct conf_row *row)
{
	switch (row->kind) {
	case CONF_KIND_url:
	case CONF_KIND_word:
	case CONF_KIND_path: return sizeof(const char *);
	case CONF_KIND_size: return sizeof(uint64_t);
	case CONF_KIND_uint:
	case CONF_KIND_choice: break;
	}
	return sizeof(unsigned int);
}

static void *row_field(struct conf *c, const struct conf_row *row)
{
	return (char *)c + row->opt.offset;
}

static const char **row_string(struct conf *c, const struct conf_row *row)
{
	return row_field(c, row);
}

bool conf_is_url(const char *archive)
{
	size_t n = strspn(archive, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

	return n && !strncmp(archive + n, "://", 3);
}

/* --- archives and sections ------------------------------------------------ */

static char *absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/' || !getcwd(cwd, sizeof(cwd)))
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

static char *without_slashes(char *s)
{
	size_t n = strlen(s);

	while (n && s[n - 1] == '/')
		s[--n] = '\0';
	return s;
}

/* One name for the ways an archive can be called; free() it. */
static char *archive_name(const char *archive)
{
	char *real;

	if (!strncmp(archive, "file://", 7))
		archive += 7;
	if (conf_is_url(archive))
		return without_slashes(xstrdup(archive));
	real = realpath(archive, NULL);
	return without_slashes(real ? real : absolute(archive));
}

/* url is the archive's or one above. */
static bool is_at_or_below(const char *archive, const char *url, size_t len)
{
	return !strncmp(archive, url, len) &&
	       (!archive[len] || archive[len] == '/');
}

static enum rc begin_section(struct filling *f, const struct conf_line *l,
			     struct err *err)
{
	static const char word[] = "archive";
	CLEANUP_FREE char *url = NULL;
	const char *s = l->section;
	size_t len;

	f->rank = 0;
	f->is_for_us = true;
	if (!strcmp(s, "default"))
		return RC_OK;
	len = strcspn(s, " \t");
	if (len != sizeof(word) - 1 || strncmp(s, word, len))
		return conf_line_error(l, RC_USAGE, err,
				       "unknown section [%s]: want [default] "
				       "or [archive URL]",
				       s);
	s += len;
	s += strspn(s, " \t");
	if (!*s)
		return conf_line_error(l, RC_USAGE, err,
				       "want [archive URL] or [archive PATH]");
	if (!strncmp(s, "file://", 7))
		s += 7;
	if (*s != '/' && !conf_is_url(s))
		return conf_line_error(l, RC_USAGE, err,
				       "'%s' is neither a URL nor an absolute "
				       "path",
				       s);
	url = without_slashes(xstrdup(s));
	f->rank = strlen(url) + 1;
	f->is_for_us = is_at_or_below(f->archive, url, f->rank - 1);
	return RC_OK;
}

/* --- files ---------------------------------------------------------------- */

static enum rc unknown_key(const struct conf_line *l, struct err *err)
{
	if (strstr(l->key, "access_key") || strstr(l->key, "secret") ||
	    strstr(l->key, "token") || strstr(l->key, "password"))
		return conf_line_error(l, RC_USAGE, err,
				       "secrets do not belong here: put them "
				       "into a file of mode 600 and name it "
				       "with 'credentials ='");
	return conf_line_error(l, RC_USAGE, err,
			       "unknown setting %s, see desfs.conf(5)", l->key);
}

static enum rc take_line(void *arg, struct conf_line *l, struct err *err)
{
	struct filling *f = arg;
	const struct conf_row *row;
	struct conf checked = CONF_INIT;
	struct origin *o;

	if (!l->key)
		return begin_section(f, l, err);
	if (!*l->section)
		return conf_line_error(l, RC_USAGE, err,
				       "want [default] or [archive URL] before "
				       "the first setting");
	row = conf_row_named(l->key);
	if (!row)
		return unknown_key(l, err);
	o = &f->origins[row - conf_rows];
	/* What is for others, or overruled, must be right too. */
	if (!f->is_for_us || o->rank > f->rank)
		return conf_set(&checked, f->c->strings, row, l, err);
	if (o->is_set && o->rank == f->rank && o->file == f->file)
		return conf_line_error(l, RC_USAGE, err,
				       "%s was set in line %u already", l->key,
				       o->line);
	*o = (struct origin){ .rank = f->rank,
			      .file = f->file,
			      .line = l->number,
			      .is_set = true };
	if (conf_set(f->c, f->c->strings, row, l, err))
		return err->rc;
	f->c->origins[row - conf_rows] = conf_strings_take(
		f->c->strings, xasprintf("%s:%u", l->path, l->number));
	return RC_OK;
}

static enum rc read_file(struct filling *f, const char *path, bool must_exist,
			 struct err *err)
{
	CLEANUP_CONF_TEXT struct conf_text t = { .p = NULL };
	enum rc rc = conf_text_read(&t, path, false, err);

	if (!must_exist && (rc == RC_NOENT || rc == RC_NOTDIR))
		return RC_OK;
	f->file++;
	f->is_for_us = false;
	return rc ? rc : conf_text_parse(&t, path, take_line, f, err);
}

static enum rc read_user_file(struct filling *f, struct err *err)
{
	const char *dir = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	CLEANUP_FREE char *path = NULL;

	/* The specification wants paths that are not absolute ignored. */
	if (dir && *dir == '/')
		path = xasprintf("%s/desfs/desfs.conf", dir);
	else if (home && *home == '/')
		path = xasprintf("%s/.config/desfs/desfs.conf", home);
	else
		return RC_OK;
	/* Somebody else's home, as su(1) leaves it, says nothing to us. */
	if (access(path, F_OK) && errno == EACCES)
		return RC_OK;
	return read_file(f, path, false, err);
}

static enum rc read_files(struct filling *f, struct err *err)
{
	const char *only = getenv("DESFS_CONF");
	CLEANUP_FREE char *path = NULL;

	if (!only) {
		if (read_file(f, SYSTEM_FILE, false, err))
			return err->rc;
		return read_user_file(f, err);
	}
	if (!*only)
		return RC_OK;
	path = absolute(only);
	if (read_file(f, path, true, err))
		return err->rc == RC_NOENT ? err_prefix(err, "DESFS_CONF")
					   : err->rc;
	return RC_OK;
}

/* --- options and defaults ------------------------------------------------- */

static enum rc check_option(struct conf *c, const struct conf_row *row,
			    struct err *err)
{
	const char **s = row_string(c, row);
	const char *fault = **s ? conf_fault(row->kind, *s) : NULL;

	if (fault)
		return err_set(err, RC_USAGE, "%s: %s", row->opt.name, fault);
	if (row->kind == CONF_KIND_path && **s && strcmp(*s, "-") != 0)
		*s = conf_strings_take(c->strings, absolute(*s));
	return RC_OK;
}

/* What differs from before was set by options, which are over all. */
static enum rc keep_options(struct filling *f, struct conf *from,
			    struct err *err)
{
	struct conf unset = CONF_INIT;

	for (size_t i = 0; i < conf_n_rows(); i++) {
		const struct conf_row *row = &conf_rows[i];

		f->c->origins[i] = from_default;
		if (!memcmp(row_field(from, row), row_field(&unset, row),
			    row_size(row)))
			continue;
		f->origins[i] =
			(struct origin){ .rank = SIZE_MAX, .is_set = true };
		f->c->origins[i] = from_options;
		if (row->opt.kind == OPT_STRING && check_option(f->c, row, err))
			return err->rc;
	}
	return RC_OK;
}

/* Strings taken back are as if never said, but for those where "" is none. */
static void finish(struct conf *c)
{
	for (size_t i = 0; i < conf_n_rows(); i++) {
		const char **s;

		if (conf_rows[i].opt.kind != OPT_STRING)
			continue;
		s = row_string(c, &conf_rows[i]);
		if (s != &c->index_cache && *s && !**s)
			*s = NULL;
	}
	if (c->refresh == CONF_UNSET)
		c->refresh = DEFAULT_REFRESH;
	if (c->tombstone_max_age == CONF_UNSET)
		c->tombstone_max_age = DEFAULT_TOMBSTONE_MAX_AGE;
	if (c->stale == STALE_UNSET)
		c->stale = STALE_ERROR;
}

enum rc conf_fill(struct conf *c, const char *archive, struct err *err)
{
	CLEANUP_FREE char *name = archive ? archive_name(archive) : xstrdup("");
	CLEANUP_FREE struct origin *origins =
		xcalloc(conf_n_rows(), sizeof(*origins));
	struct filling f = { .c = c, .archive = name, .origins = origins };

	c->strings = conf_strings_new();
	c->origins = xcalloc(conf_n_rows(), sizeof(*c->origins));
	if (keep_options(&f, c, err) || read_files(&f, err))
		return err->rc;
	finish(c);
	return RC_OK;
}

/* --- showing -------------------------------------------------------------- */

const char *conf_origin(const struct conf *c, size_t row)
{
	return c->origins[row];
}

void conf_value_text(const struct conf *c, size_t row, struct buf *ret)
{
	const struct conf_row *r = &conf_rows[row];
	const void *field = (const char *)c + r->opt.offset;
	uint64_t size;
	unsigned int n;

	switch (r->kind) {
	case CONF_KIND_url:
	case CONF_KIND_word:
	case CONF_KIND_path: {
		const char *s = *(const char *const *)field;

		buf_append_str(ret, !s ? r->deflt : *s ? s : "none");
		return;
	}
	case CONF_KIND_size:
		size = *(const uint64_t *)field;
		if (size)
			buf_printf(ret, "%" PRIu64, size);
		else
			buf_append_str(ret, r->deflt);
		return;
	case CONF_KIND_uint:
		n = *(const unsigned int *)field;
		if (n || !strcmp(r->opt.name, "refresh"))
			buf_printf(ret, "%u", n);
		else
			buf_append_str(ret, r->deflt);
		return;
	case CONF_KIND_choice:
		n = *(const unsigned int *)field;
		buf_append_str(ret, n ? r->opt.choices[n] : r->deflt);
		return;
	}
}
