/* SPDX-License-Identifier: Apache-2.0 */
/* volume-source.c - the bytes of a file of a volume. */
#include "config.h"

#include "restore/volume-source.h"

static enum rc source_read(void *arg, uint64_t off, void *buf, size_t len,
			   size_t *ret_len, struct err *err)
{
	struct volume_source *s = arg;

	return volume_read(s->v, s->ve, off, buf, len, ret_len, err);
}

static enum rc source_data(void *arg, uint64_t off, uint64_t *ret,
			   struct err *err)
{
	struct volume_source *s = arg;
	enum rc rc = volume_seek(s->v, s->ve, off, true, ret, err);

	if (rc != RC_LIMIT)
		return rc;
	*ret = s->ve->e.size;
	return RC_OK;
}

static enum rc source_hole(void *arg, uint64_t off, uint64_t *ret,
			   struct err *err)
{
	struct volume_source *s = arg;

	return volume_seek(s->v, s->ve, off, false, ret, err);
}

struct restore_source volume_source(struct volume_source *s, struct volume *v,
				    const struct volume_entry *ve)
{
	*s = (struct volume_source){ .v = v, .ve = ve };
	return (struct restore_source){ .read = source_read,
					.next_data = source_data,
					.next_hole = source_hole,
					.arg = s };
}
