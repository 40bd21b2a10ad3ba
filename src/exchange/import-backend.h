/* SPDX-License-Identifier: Apache-2.0 */
/* import-backend.h - what the files of import share; for import*.c only. */
#ifndef DESFS_EXCHANGE_IMPORT_BACKEND_H
#define DESFS_EXCHANGE_IMPORT_BACKEND_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/sorter.h"
#include "exchange/archive-library.h"
#include "exchange/import.h"
#include "pack/item.h"

/* --- import-input.c: the bytes of the backup ------------------------------ */

struct import_input {
	const char *name;
	int fd;
	bool is_own;      /* to be closed */
	bool is_seekable; /* reads are at base + off */
	/* Names are text in its format, and bytes in others.  libarchive makes
	 * a composed form of UTF-8 of text, so names of a tar, which it takes
	 * for text in UTF-8 too, must meet a locale that has none: what it
	 * cannot translate it leaves as it is.
	 */
	bool has_text_names;
	bool is_broken; /* failure says why it cannot be read */
	uint64_t base, off, size;
	uint8_t *buf;
	size_t len; /* bytes in buf, read and not taken */
	struct err failure;
};

/* --- import-spool.c: contents --------------------------------------------- */

struct import_spool {
	const char *dir;
	uint64_t limit, bytes; /* written at most, and so far */
	uint64_t excluded;     /* bytes of files that links alone may need */
	int fd;                /* of most files */
	uint64_t end;          /* in that */
	struct buf mem;        /* to be written there, at mem_off */
	uint64_t mem_off;
	uint64_t holes; /* bytes of large sparse files in it */
	int *own;       /* of large sparse files, each alone */
	size_t n_own, cap_own;
};

/* The content of one file while it is written. */
struct import_content {
	uint64_t place; /* for import_spool_get */
	uint64_t base;  /* in fd */
	int fd;
	uint64_t end; /* of what was written */
};

void import_spool_init(struct import_spool *sp, const char *dir,
		       uint64_t limit);
void import_spool_release(struct import_spool *sp);
/* size: as far as it is known.  RC_LIMIT, also of write and end: this content
 * cannot be kept, others can.
 */
enum rc import_spool_begin(struct import_spool *sp, uint64_t size,
			   bool is_sparse, struct import_content *c,
			   struct err *err) MUST_CHECK;
/* Whether size bytes more are kept of what was excluded. */
bool import_spool_takes_excluded(struct import_spool *sp, uint64_t size);
/* off is not below c->end. */
enum rc import_spool_write(struct import_spool *sp, struct import_content *c,
			   uint64_t off, const void *p, size_t len,
			   struct err *err) MUST_CHECK;
/* size is at least c->end; what was not written is zeros. */
enum rc import_spool_end(struct import_spool *sp, struct import_content *c,
			 uint64_t size, struct err *err) MUST_CHECK;
/* No more is written. */
enum rc import_spool_finish(struct import_spool *sp,
			    struct err *err) MUST_CHECK;
/* As open in struct feed. */
enum rc import_spool_get(const struct import_spool *sp, uint64_t place,
			 int *ret_fd, uint64_t *ret_base,
			 struct err *err) MUST_CHECK;

/* --- import-record.c: what is known of an entry --------------------------- */

struct import_record {
	struct item it; /* without parent and name */
	uint64_t place;
	bool has_content; /* place is set */
	/* It was excluded: only links to it may come, and ask for its content,
	 * which is lost if there was no room for it.
	 */
	bool is_excluded, is_lost;
	struct span
		link; /* path of the file it is another name of; empty: none */
};

/* What an entry lost on its way; empty: nothing. */
struct import_loss {
	char text[200];
};

void import_record_encode(const struct import_record *r, struct buf *out);
/* Borrowed from value. */
enum rc import_record_decode(struct span value, struct import_record *ret,
			     struct err *err) MUST_CHECK;

/* What libarchive says of it, but for its content and name; xattrs is room for
 * what it borrows.
 */
enum rc import_record_read(struct archive_entry *e, bool is_tar,
			   struct import_record *ret, struct buf *xattrs,
			   struct import_loss *ret_loss,
			   struct err *err) MUST_CHECK;

/* import-acl.c: append an access list of an entry, or the default one of a
 * directory, as the value of an extended attribute; nothing: it has none.
 * *ret_mask: permissions of its mask, 8 without one, also on failure.
 * RC_UNSUPPORTED and others say why it cannot be one.
 */
enum rc import_acl(struct archive_entry *e, bool is_default, struct buf *ret,
		   unsigned int *ret_mask, struct err *err) MUST_CHECK;

/* --- the whole ------------------------------------------------------------ */

struct import {
	struct import_options opts;
	struct feed feed;
	char *identity; /* of the feed */
	struct import_input in;
	struct archive *archive;
	struct import_spool contents;
	struct sorter *entries; /* key of path and number: record */
	struct sorter *links;   /* see import-link.c */
	uint64_t n_links;
	uint64_t number; /* of the next entry, from 0 */
	bool has_told_absolute;
	struct buf path, other_path, key, value, xattrs;
};

enum rc import_input_open(struct import *im, struct err *err);
/* Lets libarchive read it. */
enum rc import_input_start(struct import *im, struct err *err);
void import_input_close(struct import *im);

/* import-read.c: all entries into im->entries, all links into im->links too. */
enum rc import_read(struct import *im, struct err *err);
/* An entry is left out. */
void import_left_out(struct import *im, struct span path,
		     const struct err *err);

/* import-link.c: what links stand for, by the keys of entries that are links or
 * have some; NULL: there are none.
 */
enum rc import_links_resolve(struct import *im, struct sorter **ret,
			     struct err *err);

/* import-link.c: a link, for later. */
enum rc import_links_add(struct import *im, struct span key,
			 const struct import_record *r, struct err *err);

enum rc import_add(struct sorter *to, const struct buf *key,
		   const struct buf *value, struct err *err);

#endif
