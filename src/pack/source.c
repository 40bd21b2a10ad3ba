/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - what is to be packed, as the command line names it. */
#include "config.h"

#include "pack/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

bool sources_have_names(const struct sources *s)
{
	return s->n != 1 || !s->v[0].is_dir;
}

static size_t trimmed_len(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return len;
}

/* The last part of a path; NULL when it has none that names the thing. */
static char *last_name(const char *path)
{
	size_t len = trimmed_len(path), start = len;
	char *name;

	while (start && path[start - 1] != '/')
		start--;
	name = xmemdup0(path + start, len - start);
	if (*name && strcmp(name, "/") && strcmp(name, ".") &&
	    strcmp(name, ".."))
		return name;
	free(name);
	return NULL;
}

/* The name a source has in the archive beside others. */
static enum rc own_name(const char *path, char **ret, struct err *err)
{
	CLEANUP_FREE char *real = NULL;

	*ret = last_name(path);
	if (*ret)
		return RC_OK;
	real = realpath(path, NULL);
	if (!real)
		return err_set_errno(err, errno, "%s", path);
	*ret = last_name(real);
	if (!*ret)
		return err_set(err, RC_USAGE,
			       "%s: has no name to be packed under", path);
	return RC_OK;
}

static enum rc open_file_source(struct source *s, struct err *err)
{
	size_t len = trimmed_len(s->path);
	CLEANUP_FREE char *dir = NULL;
	struct stat st;

	if (!s->name[0]) {
		free(s->name);
		s->name = NULL;
		if (own_name(s->path, &s->name, err))
			return err->rc;
		s->name_len = strlen(s->name);
	}
	while (len && s->path[len - 1] != '/')
		len--;
	dir = len ? xmemdup0(s->path, len) : xstrdup(".");
	s->base = xstrdup(s->path + len);
	s->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 || fstatat(s->fd, s->base, &st, AT_SYMLINK_NOFOLLOW))
		return err_set_errno(err, errno, "%s", s->path);
	return RC_OK;
}

static enum rc source_open(struct source *s, const char *path, bool has_name,
			   struct err *err)
{
	*s = (struct source){ .path = path, .fd = -1, .name = NULL };
	if (has_name) {
		enum rc rc = own_name(path, &s->name, err);

		if (rc)
			return rc;
	} else {
		s->name = xstrdup("");
	}
	s->name_len = strlen(s->name);
	/* A symbolic link to a directory means the directory. */
	s->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd >= 0) {
		s->is_dir = true;
		return RC_OK;
	}
	if (errno == ENOTDIR || errno == ENOENT || errno == ELOOP)
		return open_file_source(s, err);
	return err_set_errno(err, errno, "%s", path);
}

static enum rc check_doubles(const struct sources *s, struct err *err)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(s->v[i].name, s->v[k].name))
				return err_set(
					err, RC_USAGE,
					"%s and %s would both be packed as %s",
					s->v[k].path, s->v[i].path,
					s->v[i].name);
	return RC_OK;
}

enum rc sources_open(struct sources *ret, char **paths, size_t n,
		     struct err *err)
{
	struct sources s = { .v = xcalloc(n, sizeof(*s.v)) };
	enum rc rc = RC_OK;

	while (s.n < n && !rc) {
		rc = source_open(&s.v[s.n], paths[s.n], n > 1, err);
		s.n++;
	}
	if (!rc)
		rc = check_doubles(&s, err);
	if (rc) {
		sources_close(&s);
		return rc;
	}
	*ret = s;
	return RC_OK;
}

void sources_close(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].fd >= 0)
			close(s->v[i].fd);
		free(s->v[i].name);
		free(s->v[i].base);
	}
	free(s->v);
	*s = (struct sources){ 0 };
}

struct span source_relative(const struct source *s, struct span uid)
{
	if (!s->is_dir)
		return span_of(s->base, strlen(s->base));
	if (!s->name_len)
		return uid;
	if (uid.len <= s->name_len)
		return span_of("", 0);
	return span_of(uid.p + s->name_len + 1, uid.len - s->name_len - 1);
}
