/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-url.c - URLs: what is accepted comes back the same when it is put
 * together and taken apart again; what is encoded is an acceptable path.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "fuzz.h"
#include "net/retry.h"
#include "net/url.h"

static void same(const struct url *u, const char *text)
{
	struct url again = { 0 };
	struct err err = { 0 };

	if (url_parse(text, &again, &err) || again.is_https != u->is_https ||
	    again.port != u->port || strcmp(again.host, u->host) ||
	    strcmp(again.path, u->path))
		abort();
}

static void encode(const char *text)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct url u = { 0 };
	struct err err = { 0 };

	buf_init(&b, URL_MAX);
	buf_append_str(&b, "http://h/");
	url_encode(&b, text, true);
	/* Three for one at most, and the path has its room. */
	if (strlen(text) < sizeof(u.path) / 3 - 1 &&
	    url_parse(buf_str(&b), &u, &err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = xmemdup0(data, size);
	CLEANUP_BUF struct buf b = { 0 };
	struct url u = { 0 };
	struct err err = { 0 };

	encode(text);
	if (retry_after_parse(text, INT64_C(784111777000000000)) >
	    UINT64_C(3600000000000))
		abort();
	if (url_parse(text, &u, &err))
		return 0;
	buf_init(&b, URL_MAX);
	url_origin(&b, &u);
	buf_append_str(&b, u.path);
	same(&u, buf_str(&b));
	return 0;
}
