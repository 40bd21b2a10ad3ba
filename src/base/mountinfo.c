/* SPDX-License-Identifier: Apache-2.0 */
/* mountinfo.c - /proc/self/mountinfo, read. */
#include "config.h"

#include "base/mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define MOUNTINFO "/proc/self/mountinfo"

static void cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* A word of mountinfo against a path: \040 and the like stand for blanks. */
static bool is_escaped_path(const char *word, const char *path)
{
	while (*word && *word != ' ') {
		char c = *word++;

		if (c == '\\' && strspn(word, "01234567") >= 3) {
			c = (char)((word[0] - '0') << 6 | (word[1] - '0') << 3 |
				   (word[2] - '0'));
			word += 3;
		}
		if (c != *path++)
			return false;
	}
	return !*path;
}

/* "36 35 98:0 /root /mnt rw,... shared:1 - fuse.desfs SOURCE rw" */
static bool line_is_at(const char *line, const char *path)
{
	for (int i = 0; i < 4 && line; i++) {
		line = strchr(line, ' ');
		line = line ? line + 1 : NULL;
	}
	return line && is_escaped_path(line, path);
}

static bool line_is_desfs(const char *line)
{
	const char *type = strstr(line, " - ");

	return type && !strncmp(type + 3, "fuse.desfs ", 11);
}

enum rc mountinfo_has_desfs(const char *path, bool *ret, struct err *err)
{
	CLEANUP(cleanup_file)
	FILE *f = fopen(MOUNTINFO, "re");
	CLEANUP_FREE char *line = NULL;
	size_t cap = 0;

	*ret = false;
	if (!f)
		return err_set_errno(err, errno, MOUNTINFO);
	/* Later ones lie on top. */
	while (getline(&line, &cap, f) >= 0) {
		if (line_is_at(line, path))
			*ret = line_is_desfs(line);
	}
	return RC_OK;
}
