/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-fields.c - the names of a manifest's fields. */
#include "config.h"

#include "exchange/manifest-fields.h"

#include <string.h>

/* Those of one field in the order in which they count. */
static const struct {
	const char *name;
	enum manifest_field field;
} names[] = {
	{ "uid", MANIFEST_UID },
	{ "created_at", MANIFEST_CREATED_AT },
	{ "size_bytes", MANIFEST_SIZE },
	{ "size", MANIFEST_SIZE },
	{ "source_path", MANIFEST_SOURCE },
	{ "source", MANIFEST_SOURCE },
	{ "path", MANIFEST_SOURCE },
	{ "sha256", MANIFEST_SHA256 },
	{ "metadata", MANIFEST_META },
	{ "meta", MANIFEST_META },
};

enum manifest_field manifest_field_of(struct span name, const char **ret_name,
				      unsigned int *ret_rank)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (name.len != strlen(names[i].name) ||
		    memcmp(name.p, names[i].name, name.len) != 0)
			continue;
		*ret_name = names[i].name;
		*ret_rank = (unsigned int)i;
		return names[i].field;
	}
	return MANIFEST_FIELDS;
}
