/* SPDX-License-Identifier: Apache-2.0 */
/* s3-xml-backend.h - expat's events as elements and their texts; private to
 * this room.
 *
 * Names come without their prefix, whatever namespace they are in: servers do
 * not agree on one.  Any function that says false makes the document
 * RC_CORRUPT.
 */
#ifndef DESFS_NET_S3_XML_BACKEND_H
#define DESFS_NET_S3_XML_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct s3_xml_reader {
	void *arg;
	unsigned int depth; /* 1: the root */
};

struct s3_xml_ops {
	bool (*root)(struct s3_xml_reader *r, const char *name);
	/* Of all others; may be NULL. */
	bool (*open)(struct s3_xml_reader *r, const char *name);
	/* The end of an element; text is all that was in it, "" when it had
	 * elements in it.
	 */
	bool (*close)(struct s3_xml_reader *r, const char *name,
		      const char *text);
};

enum rc s3_xml_read(const void *p, size_t len, const struct s3_xml_ops *ops,
		    void *arg, struct err *err) MUST_CHECK;

#endif
