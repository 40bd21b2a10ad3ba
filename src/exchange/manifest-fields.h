/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-fields.h - what the text of a record says in each field, in either
 * notation; the meaning is manifest-record.h's.
 */
#ifndef DESFS_EXCHANGE_MANIFEST_FIELDS_H
#define DESFS_EXCHANGE_MANIFEST_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-entry.h"

enum manifest_field {
	MANIFEST_UID,
	MANIFEST_CREATED_AT,
	MANIFEST_SIZE,
	MANIFEST_SOURCE,
	MANIFEST_SHA256,
	MANIFEST_META,
	MANIFEST_FIELDS
};

enum manifest_kind {
	MANIFEST_NONE, /* or null */
	MANIFEST_TEXT, /* any bytes, without escapes */
	MANIFEST_INTEGER,
	MANIFEST_OBJECT, /* as it was written */
	MANIFEST_OTHER   /* of JSON: an array, a fraction, true or false */
};

struct manifest_value {
	enum manifest_kind kind;
	struct span text;
	const char *name; /* of the field in the manifest; static */
	unsigned int rank;
};

struct manifest_fields {
	struct manifest_value v[MANIFEST_FIELDS];
};

/* The field of that name, or MANIFEST_FIELDS: unknown ones are ignored.  Of
 * names that mean the same the one of the lowest rank counts.
 */
enum manifest_field manifest_field_of(struct span name, const char **ret_name,
				      unsigned int *ret_rank);

/* Of an object, which json_check has taken.  The values are borrowed from it
 * and from bytes, which must hold as much and not be changed meanwhile.
 */
enum rc manifest_json_fields(struct span object, struct buf *bytes,
			     struct manifest_fields *ret,
			     struct err *err) MUST_CHECK;

#define MANIFEST_COLUMNS_MAX 256u

/* The columns of a TSV file: of each its field. */
struct manifest_columns {
	unsigned int n;
	struct manifest_column {
		enum manifest_field field;
		const char *name;
		unsigned int rank;
	} v[MANIFEST_COLUMNS_MAX];
};

/* From the first line.  RC_CORRUPT when one that is needed is missing. */
enum rc manifest_tsv_columns(struct span line, struct manifest_columns *ret,
			     struct err *err) MUST_CHECK;
/* Of any other line; borrowed likewise. */
enum rc manifest_tsv_fields(const struct manifest_columns *columns,
			    struct span line, struct buf *bytes,
			    struct manifest_fields *ret,
			    struct err *err) MUST_CHECK;

#endif
