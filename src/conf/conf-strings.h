/* SPDX-License-Identifier: Apache-2.0 */
/* conf-strings.h - strings that live as long as the settings they are in. */
#ifndef DESFS_CONF_CONF_STRINGS_H
#define DESFS_CONF_CONF_STRINGS_H

#include <stddef.h>

#include "base/compiler.h"

struct conf_strings {
	char **p;
	size_t n, cap;
};

struct conf_strings *conf_strings_new(void) MUST_CHECK;
void conf_strings_free(struct conf_strings *s);

/* Keep an allocated string; returns it. */
const char *conf_strings_take(struct conf_strings *s, char *string);

/* A path made absolute below dir, which is absolute; an absolute one as it is.
 */
const char *conf_strings_below(struct conf_strings *s, const char *dir,
			       const char *path);

#endif
