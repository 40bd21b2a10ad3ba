/* SPDX-License-Identifier: Apache-2.0 */
/* get-report.c - what became of each pair that was asked for, as JSON lines. */
#include "config.h"

#include "cmd/get-report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sorter.h"
#include "cmd/json-row.h"
#include "cmd/out-file.h"

#define SORT_MEMORY (8u << 20)

struct get_report {
	struct out_file out;
	struct sorter *rows; /* by number */
	struct buf row;
	struct err failed;
};

enum rc get_report_open(struct get_report **ret, const char *name,
			const char *temp_dir, struct err *err)
{
	struct get_report *r = xcalloc(1, sizeof(*r));
	enum rc rc = out_file_open(&r->out, name, err);

	if (rc) {
		free(r);
		return rc;
	}
	r->rows = sorter_new(temp_dir, SORT_MEMORY, 1);
	buf_init(&r->row, JSON_ROW_MAX);
	*ret = r;
	return RC_OK;
}

void get_report_free(struct get_report *r)
{
	if (!r)
		return;
	out_file_release(&r->out);
	sorter_free(r->rows);
	buf_release(&r->row);
	free(r);
}

static void row_of(struct buf *b, const struct get_result *r)
{
	const struct get_pair *p = &r->pair;

	json_row_begin_kind(b, "get");
	json_row_u64(b, "record", p->number + 1);
	json_row_bytes(b, "uid", p->uid.p, p->uid.len);
	if (p->created_at.len)
		json_row_bytes(b, "created_at", p->created_at.p,
			       p->created_at.len);
	json_row_str(b, "status", get_status_text(r->status));
	if (r->status != GET_OK) {
		json_row_bytes(b, "reason", r->why->msg, strlen(r->why->msg));
		return;
	}
	json_row_bytes(b, "path", r->path.p, r->path.len);
	json_row_time(b, "version", r->created_at);
	json_row_u64(b, "bytes", r->size);
	json_row_hex(b, "sha256", r->sha256, SHA256_LEN);
}

void get_report_add(struct get_report *r, const struct get_result *result)
{
	uint64_t n = result->pair.number;
	char key[sizeof(n)];

	if (r->failed.rc)
		return;
	for (size_t i = sizeof(key); i-- > 0; n >>= 8)
		key[i] = (char)(n & 0xff);
	buf_clear(&r->row);
	row_of(&r->row, result);
	if (!buf_ok(&r->row))
		r->failed.rc = err_set(&r->failed, RC_NOMEM, "out of memory");
	else
		r->failed.rc = sorter_add(r->rows, 0, span_of(key, sizeof(key)),
					  span_of((char *)r->row.p, r->row.len),
					  &r->failed);
}

static enum rc write_rows(struct get_report *r, FILE *to, struct err *err)
{
	struct sorter_reader *reader = NULL;
	enum rc rc = sorter_finish(r->rows, err);
	struct span key, row;

	if (!rc)
		rc = sorter_read(r->rows, 0, &reader, err);
	while (!rc) {
		rc = sorter_next(reader, &key, &row, err);
		if (rc)
			break;
		buf_clear(&r->row);
		buf_append(&r->row, row.p, row.len);
		json_row_end(&r->row, to);
	}
	sorter_reader_free(reader);
	if (rc != RC_NOENT)
		return rc;
	if (fflush(to) || ferror(to))
		return err_set_errno(err, errno, "%s", r->out.name);
	return RC_OK;
}

enum rc get_report_commit(struct get_report *r, struct err *err)
{
	int fd = -1;
	FILE *to;
	enum rc rc;

	if (r->failed.rc) {
		*err = r->failed;
		return err->rc;
	}
	fd = dup(r->out.fd);
	to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!to) {
		rc = err_set_errno(err, errno, "report");
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rc = write_rows(r, to, err);
	if (fclose(to) && !rc)
		rc = err_set_errno(err, errno, "report");
	return rc ? rc : out_file_commit(&r->out, err);
}
