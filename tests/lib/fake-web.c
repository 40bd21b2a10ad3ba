/* SPDX-License-Identifier: Apache-2.0 */
/* fake-web.c - the test server as a plain web server over a directory. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "fake-s3.h"

static bool climbs(const char *path)
{
	for (const char *at = strstr(path, ".."); at; at = strstr(at + 1, ".."))
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	return false;
}

void fake_web(struct fake_request *rq)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", rq->fake->web, rq->key);
	struct fake_blob *blob = NULL;
	struct stat st;
	char etag[64];

	if (strcmp(rq->method, "GET") && strcmp(rq->method, "HEAD")) {
		fake_reply_text(rq->reply, 405, "text/html",
				"<html>Not allowed</html>");
		return;
	}
	if (!climbs(rq->key) && !stat(path, &st))
		blob = fake_blob_open(path);
	if (!blob) {
		fake_reply_text(rq->reply, 404, "text/html",
				"<html>Not found</html>");
		return;
	}
	snprintf(etag, sizeof(etag), "%" PRIx64 "-%" PRIx64,
		 (uint64_t)st.st_mtim.tv_sec * 1000000 +
			 (uint64_t)st.st_mtim.tv_nsec / 1000,
		 (uint64_t)st.st_size);
	fake_reply_blob(rq, blob, etag, st.st_mtime);
	fake_reply_header(rq->reply, "Content-Type",
			  "application/octet-stream");
	fake_blob_unref(blob);
}
