/* SPDX-License-Identifier: Apache-2.0 */
/* conf-strings.c - strings that live as long as the settings they are in. */
#include "config.h"

#include "conf/conf-strings.h"

#include <stdlib.h>

#include "base/mem.h"

struct conf_strings *conf_strings_new(void)
{
	return xcalloc(1, sizeof(struct conf_strings));
}

void conf_strings_free(struct conf_strings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->p[i]);
	free(s->p);
	free(s);
}

const char *conf_strings_take(struct conf_strings *s, char *string)
{
	s->p = mem_grow(s->p, &s->cap, s->n + 1, sizeof(*s->p));
	s->p[s->n++] = string;
	return string;
}

const char *conf_strings_below(struct conf_strings *s, const char *dir,
			       const char *path)
{
	if (*path == '/')
		return conf_strings_take(s, xstrdup(path));
	return conf_strings_take(s, xasprintf("%s/%s", dir, path));
}
