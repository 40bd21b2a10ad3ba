/* SPDX-License-Identifier: Apache-2.0 */
/* s3-xml.h - the XML an S3 server answers with; every byte of it is hostile.
 *
 * Documents are bounded in size, depth and length of text; document type
 * declarations are refused.  RC_CORRUPT: not the document that was asked for.
 * Source: Amazon S3 API Reference.  Pure; any thread.
 */
#ifndef DESFS_NET_S3_XML_H
#define DESFS_NET_S3_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define S3_XML_MAX (8u << 20) /* bytes of a document */

/* A page of ListObjectsV2, ListObjectVersions or ListMultipartUploads: which,
 * the document says.  Order is the server's.
 */
struct s3_item {
	char *key; /* decoded, see encoding-type=url */
	char *id;  /* version or upload id; NULL: none */
	uint64_t size;
	bool is_latest; /* of a version */
	bool is_marker; /* a delete marker */
	char time[40];  /* LastModified or Initiated, as given */
};
struct s3_page {
	struct s3_item *items;
	size_t n;
	bool is_truncated;
	/* Continuation token or (decoded) key marker; where the list is cut,
	 * there is one.
	 */
	char *next;
	char *next_id; /* version or upload id marker; NULL: none */
};
enum rc s3_xml_list(const void *p, size_t len, struct s3_page *ret,
		    struct err *err) MUST_CHECK;
void s3_page_release(struct s3_page *page);

/* <Error>: false when it is none.  Fields are cut to their room, and have no
 * control characters.
 */
struct s3_error {
	char code[64]; /* "NoSuchKey" */
	char message[160];
	char region[64]; /* of a PermanentRedirect or wrong region; or "" */
};
bool s3_xml_error(const void *p, size_t len, struct s3_error *ret);

/* The text of one element of a small document: UploadId of
 * InitiateMultipartUploadResult, ETag of CompleteMultipartUploadResult,
 * CopyObjectResult, CopyPartResult.  Never empty.
 */
enum rc s3_xml_text(const void *p, size_t len, const char *root,
		    const char *element, char *ret, size_t size,
		    struct err *err) MUST_CHECK;

/* Append text so that it may stand between tags; control characters, which have
 * no place in XML, become '?'.
 */
void s3_xml_escape(struct buf *out, const char *text);

#endif
