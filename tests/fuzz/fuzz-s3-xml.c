/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-s3-xml.c - lists, errors and single texts of an S3 server. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net/s3-xml.h"

static void check_page(const struct s3_page *page)
{
	if (page->is_truncated && !page->next)
		abort();
	for (size_t i = 0; i < page->n; i++) {
		const struct s3_item *it = &page->items[i];

		if (!it->key || strlen(it->time) >= sizeof(it->time) ||
		    (it->id && strlen(it->id) > S3_XML_MAX))
			abort();
	}
}

static void check_shown(const char *s, size_t size)
{
	if (strlen(s) >= size)
		abort();
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct s3_page page = { 0 };
	struct s3_error e;
	struct err err;
	char text[32];

	if (!s3_xml_list(data, size, &page, &err))
		check_page(&page);
	s3_page_release(&page);
	if (s3_xml_error(data, size, &e)) {
		check_shown(e.code, sizeof(e.code));
		check_shown(e.message, sizeof(e.message));
		check_shown(e.region, sizeof(e.region));
	}
	if (!s3_xml_text(data, size, "InitiateMultipartUploadResult",
			 "UploadId", text, sizeof(text), &err) &&
	    (!*text || strlen(text) >= sizeof(text)))
		abort();
	return 0;
}
