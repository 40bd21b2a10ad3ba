/* SPDX-License-Identifier: Apache-2.0 */
/* convert-place.c - where an archive that is made of another may be. */
#include "config.h"

#include "cmd/convert-place.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/mem.h"

#define FILE_URL "file://"

static const char *local_path(const char *place)
{
	if (!strncmp(place, FILE_URL, strlen(FILE_URL)))
		return place + strlen(FILE_URL);
	return strstr(place, "://") ? NULL : place;
}

/* Without slashes at its end, but for one alone. */
static char *trim(const char *place)
{
	size_t len = strlen(place);

	while (len > 1 && place[len - 1] == '/')
		len--;
	return xmemdup0(place, len);
}

/* Where what is before the path's last name ends, without the slash. */
static size_t cut_name(const char *path, size_t len)
{
	while (len && path[len - 1] != '/')
		len--;
	while (len > 1 && path[len - 1] == '/')
		len--;
	return len;
}

/* The path from the root on; of what is not there that of what it is going to
 * be in, and the rest as it is.
 */
static char *real_path(const char *path)
{
	CLEANUP_FREE char *all = trim(path);
	CLEANUP_FREE char *real = realpath(all, NULL);
	size_t len = strlen(all);
	const char *rest;

	while (!real && len > 1) {
		CLEANUP_FREE char *above = NULL;

		len = cut_name(all, len);
		above = len ? xmemdup0(all, len) : xstrdup(".");
		real = realpath(above, NULL);
	}
	if (!real)
		return STEAL_PTR(all);
	rest = all + len;
	while (*rest == '/')
		rest++;
	if (!*rest)
		return STEAL_PTR(real);
	return xasprintf("%s/%s", strcmp(real, "/") ? real : "", rest);
}

static bool is_in(const char *in, const char *place)
{
	size_t len = strlen(place);

	if (strncmp(in, place, len) != 0)
		return false;
	return !in[len] || in[len] == '/' || place[len - 1] == '/';
}

/* By whatever path: a second mount, a link. */
static bool is_same_directory(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

enum rc convert_check_places(const char *from, const char *to, struct err *err)
{
	const char *from_path = local_path(from), *to_path = local_path(to);
	CLEANUP_FREE char *a = from_path ? real_path(from_path) : trim(from);
	CLEANUP_FREE char *b = to_path ? real_path(to_path) : trim(to);

	if (!strcmp(a, b) || (from_path && to_path && is_same_directory(a, b)))
		return err_set(err, RC_USAGE,
			       "%s: is the archive to be converted; the new "
			       "one needs a place of its own",
			       to);
	if (is_in(b, a) || is_in(a, b))
		return err_set(err, RC_USAGE,
			       "%s, %s: neither archive may be in the other",
			       from, to);
	return RC_OK;
}
