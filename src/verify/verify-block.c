/* SPDX-License-Identifier: Apache-2.0 */
/* verify-block.c - what is to be checked of a block beyond its checksums. */
#include "config.h"

#include "verify/verify-block.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "shard/shard-record.h"

static enum rc check_records(const uint8_t *stored,
			     const struct block_header *h, struct err *err)
{
	CLEANUP_FREE uint8_t *raw = mem_array(h->records_len, 1);
	struct record_reader *r = NULL;
	struct record rec;
	enum rc rc;

	if (!raw)
		return err_set(err, RC_NOMEM, "no memory for records");
	rc = block_decode_records(stored, h, raw, err);
	if (!rc)
		rc = record_reader_new(raw, h->records_len, h->n_records, &r,
				       err);
	while (!rc)
		rc = record_next(r, &rec, err);
	record_reader_free(r);
	return rc == RC_NOENT ? RC_OK : rc;
}

enum rc verify_block_decode(const uint8_t *stored, const struct block_header *h,
			    uint8_t **ret, struct err *err)
{
	CLEANUP_FREE uint8_t *data = mem_array(h->data_len, 1);
	enum rc rc;

	if (!data)
		return err_set(err, RC_NOMEM, "no memory for a block");
	rc = block_decode_data(stored, h, data, err);
	if (!rc)
		rc = check_records(stored, h, err);
	if (!rc)
		*ret = STEAL_PTR(data);
	return rc;
}
