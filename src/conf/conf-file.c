/* SPDX-License-Identifier: Apache-2.0 */
/* conf-file.c - files of sections with lines "key = value". */
#include "config.h"

#include "conf/conf-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"

static enum rc check_secret(const struct stat *st, const char *path,
			    struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, RC_ACCESS,
			       "%s is not a file: credentials are not read "
			       "from it",
			       path);
	if (st->st_uid && st->st_uid != geteuid())
		return err_set(err, RC_ACCESS,
			       "%s belongs to another user: credentials are "
			       "not read from it",
			       path);
	if (st->st_mode & 077)
		return err_set(err, RC_ACCESS,
			       "%s may be read by others: credentials are not "
			       "read from it before: chmod 600 %s",
			       path, path);
	return RC_OK;
}

/* Of the descriptor: the name could lead elsewhere by now. */
static enum rc check_file(int fd, const char *path, bool is_secret,
			  struct err *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_set_errno(err, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return err_set_errno(err, EISDIR, "%s", path);
	return is_secret ? check_secret(&st, path, err) : RC_OK;
}

enum rc conf_text_read(struct conf_text *ret, const char *path, bool is_secret,
		       struct err *err)
{
	/* A FIFO must not hold us up. */
	CLEANUP_FD int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEANUP_CONF_TEXT struct conf_text t = { .p = NULL };
	ssize_t n;

	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	if (check_file(fd, path, is_secret, err))
		return err->rc;
	/* In one piece: growing would leave copies of secrets behind. */
	t.p = xcalloc(1, CONF_FILE_MAX + 2);
	n = io_read(fd, t.p, CONF_FILE_MAX + 1);
	if (n < 0)
		return err_set_errno(err, errno, "%s", path);
	t.len = (size_t)n;
	if (t.len > CONF_FILE_MAX)
		return err_set(err, RC_USAGE, "%s has more than %u bytes", path,
			       CONF_FILE_MAX);
	*ret = t;
	t.p = NULL;
	return RC_OK;
}

void conf_text_release(struct conf_text *t)
{
	if (t->p)
		explicit_bzero(t->p, t->len);
	free(t->p);
	*t = (struct conf_text){ .p = NULL };
}

enum rc conf_line_error(const struct conf_line *l, enum rc rc, struct err *err,
			const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, rc, "%s:%u: %s", l->path, l->number, text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cut blanks off the end of the string and skip those before it. */
static char *trim(char *s)
{
	size_t n = strlen(s);

	while (n && is_blank(s[n - 1]))
		s[--n] = '\0';
	while (is_blank(*s))
		s++;
	return s;
}

static bool is_comment(char c)
{
	return c == '#' || c == ';';
}

static void cut_comment(char *s)
{
	for (size_t i = 0; s[i]; i++) {
		if (is_comment(s[i]) && (!i || is_blank(s[i - 1]))) {
			s[i] = '\0';
			return;
		}
	}
}

static enum rc check_bytes(const struct conf_line *l, const char *s, size_t len,
			   struct err *err)
{
	if (len > CONF_LINE_MAX)
		return conf_line_error(l, RC_USAGE, err,
				       "a line of more than %u bytes",
				       CONF_LINE_MAX);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return conf_line_error(l, RC_USAGE, err,
					       "a control character");
	}
	return RC_OK;
}

/* s, ended by ']', is what follows '['. */
static enum rc begin_section(struct conf_line *l, char *s, struct err *err)
{
	size_t n = strlen(s);

	if (!n || s[n - 1] != ']')
		return conf_line_error(l, RC_USAGE, err, "']' is missing");
	s[n - 1] = '\0';
	l->section = trim(s);
	l->key = l->value = NULL;
	if (!*l->section)
		return conf_line_error(l, RC_USAGE, err,
				       "a section without a name");
	return RC_OK;
}

/* *ret_says: the line is not empty. */
static enum rc take_line(struct conf_line *l, char *s, bool *ret_says,
			 struct err *err)
{
	char *equals;

	l->is_indented = is_blank(*s);
	cut_comment(s);
	s = trim(s);
	*ret_says = *s;
	if (!*s)
		return RC_OK;
	if (*s == '[')
		return begin_section(l, s + 1, err);
	equals = strchr(s, '=');
	if (!equals || equals == s)
		return conf_line_error(l, RC_USAGE, err,
				       "want [SECTION] or KEY = VALUE");
	*equals = '\0';
	l->key = trim(s);
	l->value = trim(equals + 1);
	return RC_OK;
}

enum rc conf_text_parse(struct conf_text *t, const char *path, conf_line_fn *fn,
			void *arg, struct err *err)
{
	struct conf_line l = { .path = path, .section = "" };
	char *end = t->p + t->len;
	char *next;

	for (char *s = t->p; s < end; s = next) {
		char *newline = memchr(s, '\n', (size_t)(end - s));
		char *stop = newline ? newline : end;
		bool says = false;

		next = newline ? newline + 1 : end;
		l.number++;
		if (stop > s && stop[-1] == '\r')
			stop--;
		*stop = '\0';
		if (check_bytes(&l, s, (size_t)(stop - s), err) ||
		    take_line(&l, s, &says, err))
			return err->rc;
		if (says && fn(arg, &l, err))
			return err->rc;
	}
	return RC_OK;
}
