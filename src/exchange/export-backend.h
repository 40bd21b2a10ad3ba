/* SPDX-License-Identifier: Apache-2.0 */
/* export-backend.h - what the files of export share; for export*.c only. */
#ifndef DESFS_EXCHANGE_EXPORT_BACKEND_H
#define DESFS_EXCHANGE_EXPORT_BACKEND_H

#include "base/sha256.h"
#include "exchange/archive-library.h"
#include "exchange/export.h"

/* Bytes for the names of files that have more of them to come. */
#define EXPORT_LINKS_MEMORY (48u << 20)
/* Pieces of data of one file; what comes after them has no holes. */
#define EXPORT_PIECES_MAX 65536u

struct export_link;

/* Data between holes, ascending. */
struct export_piece {
	uint64_t off, end;
};

struct export
{
	struct export_options opts;
	struct archive *archive;
	struct archive_entry *entry; /* cleared for each */
	/* Why writing failed, of which libarchive is not told: it would not
	 * free all of its memory then.  0: it has not.
	 */
	int out_errno;
	uint64_t left; /* bytes of content that the header has promised */
	bool is_open, is_broken;
	uint8_t *ahead; /* EXPORT_AHEAD bytes */
	uint8_t *zeros; /* EXPORT_ZEROS bytes of no memory */
	struct export_piece *pieces;
	size_t n_pieces, cap_pieces;
	struct export_link *links;
	uint64_t links_memory;
	struct export_totals totals;
};

/* Something libarchive said of the stream: it is broken now. */
enum rc export_failed(struct export *x, struct err *err);

/* --- export-content.c ----------------------------------------------------- */

enum rc export_content_init(struct export *x, struct err *err);
void export_content_release(struct export *x);

/* The content of a regular file: begin reads what is read before the header and
 * puts what is known of holes into x->entry; data writes what the header
 * promised.
 */
struct export_content {
	const struct entry *e;
	const struct restore_source *src;
	uint64_t have; /* bytes in x->ahead */
	struct sha256 sum;
};
enum rc export_content_begin(struct export *x, struct export_content *c,
			     struct err *err);
enum rc export_content_data(struct export *x, struct export_content *c,
			    struct err *err);

/* --- export-link.c -------------------------------------------------------- */

/* The path under which the file of e, which is called path now, is in the
 * stream already; NULL: it is not.  Borrowed until the next call.
 */
const char *export_link_find(struct export *x, struct span path,
			     const struct entry *e);
/* Remember that it was written, if it has other names. */
void export_link_note(struct export *x, struct span path,
		      const struct entry *e);
void export_link_release(struct export *x);

#endif
