/* SPDX-License-Identifier: Apache-2.0 */
/* conf-set.h - the rows of settings, and setting one from a line of a file. */
#ifndef DESFS_CONF_CONF_SET_H
#define DESFS_CONF_CONF_SET_H

#include "base/opt.h"
#include "conf/conf-file.h"
#include "conf/conf-strings.h"
#include "conf/conf.h"

#define CONF_URL_MAX 2048u
#define CONF_PATH_MAX 4095u
#define CONF_WORD_MAX 255u

/* As the rows of conf-opts.h name them. */
enum conf_kind {
	CONF_KIND_url,
	CONF_KIND_word,
	CONF_KIND_path,
	CONF_KIND_size,
	CONF_KIND_uint,
	CONF_KIND_choice,
};

struct conf_row {
	struct opt opt; /* of struct conf; its name is the key */
	enum conf_kind kind;
	const char *option; /* of tools; NULL: none */
	const char *deflt;
};

extern const struct conf_row conf_rows[];

/* NULL when there is none of that key. */
const struct conf_row *conf_row_named(const char *key);

/* The field is one of struct store_settings. */
bool conf_row_is_of_store(const struct conf_row *row);

/* Set a row's field from a line.  Strings are kept in s; a path begins at the
 * file's directory, or with "~/" at $HOME.
 */
enum rc conf_set(struct conf *c, struct conf_strings *s,
		 const struct conf_row *row, const struct conf_line *l,
		 struct err *err) MUST_CHECK;

/* What is wrong with a string, or NULL. */
const char *conf_fault(enum conf_kind kind, const char *value);

#endif
