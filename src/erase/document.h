/* SPDX-License-Identifier: Apache-2.0 */
/* document.h - JSON documents that are one long array and a few members.
 *
 * Elements are read and written one by one: as values all at once they would
 * take many times the room of their text.
 */
#ifndef DESFS_ERASE_DOCUMENT_H
#define DESFS_ERASE_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json-elements.h"
#include "shard/shard-format.h"

struct json_t;

/* What the members beside the array may have, in bytes. */
#define DOCUMENT_REST_MAX (64u << 10)

/* What a document of one kind looks like. */
struct document_form {
	const char *kind, *array; /* words in the document */
	const char *element;      /* for messages: "erasure" */
	size_t max;               /* bytes of the document */
	size_t element_max;       /* and of one element */
	size_t n_max;             /* elements */
};

/* One that is being read. */
struct document {
	const struct document_form *form;
	struct json_t *j; /* with an array of no elements */
	uint8_t archive_id[SHARD_ID_LEN];
	int64_t time;
	struct json_elements elements;
};

/* Borrows p until the last element was read.  RC_LIMIT: too long; RC_CORRUPT:
 * not JSON, or not as it should be; RC_UNSUPPORTED: of another kind, or newer.
 */
enum rc document_open(struct document *ret, const struct document_form *form,
		      const void *p, size_t len, struct err *err) MUST_CHECK;
void document_release(struct document *d);

/* Hand each element to fn, until it fails.  Messages, of fn too, begin with
 * "erasure 17: ".
 */
typedef enum rc document_fn(void *arg, const struct json_t *element,
			    struct err *err);
enum rc document_each(struct document *d, document_fn *fn, void *arg,
		      struct err *err) MUST_CHECK;

/* One that is being written: an object with all members but the array, then
 * the elements, then the end.
 */
struct document_writer {
	struct buf *out;
	struct buf after;
	size_t n;
};

/* The members that all kinds have; to be freed. */
struct json_t *document_new(const struct document_form *form,
			    const uint8_t archive_id[SHARD_ID_LEN],
			    int64_t time) MUST_CHECK;
void document_begin(struct document_writer *w, const struct document_form *form,
		    const struct json_t *j, struct buf *out);
void document_text(struct document_writer *w, const struct json_t *element);
/* RC_LIMIT: it has become too long. */
enum rc document_end(struct document_writer *w,
		     const struct document_form *form,
		     struct err *err) MUST_CHECK;

#endif
