/* SPDX-License-Identifier: Apache-2.0 */
/* import-path.c - names in archives of other kinds made uids, and keys. */
#include "config.h"

#include "exchange/import-path.h"

#include <limits.h>
#include <string.h>

#include "base/wr.h"
#include "shard/shard-format.h"

/* In keys: '/' is the lowest byte that a name can have, and what is as low as
 * that or the mark has the mark before it.
 */
#define KEY_SLASH 1
#define KEY_MARK 2
#define KEY_NUMBER 8 /* bytes */

enum rc import_path(const char *raw, struct buf *ret, bool *ret_is_absolute,
		    struct err *err)
{
	*ret_is_absolute = *raw == '/';
	buf_clear(ret);
	while (*raw) {
		size_t len = strcspn(raw, "/");

		if (len == 2 && !memcmp(raw, "..", 2))
			return err_set(err, RC_ACCESS,
				       "refused: a name with '..'");
		if (len > NAME_MAX)
			return err_set(err, RC_LIMIT,
				       "a name of more than %d bytes",
				       NAME_MAX);
		if (len && !(len == 1 && *raw == '.')) {
			if (ret->len)
				buf_append_str(ret, "/");
			buf_append(ret, raw, len);
		}
		raw += len + (raw[len] == '/');
	}
	if (ret->len > UID_MAX_LEN)
		return err_set(err, RC_LIMIT, "path of more than %u bytes",
			       UID_MAX_LEN);
	if (!buf_ok(ret))
		return err_set(err, RC_NOMEM, "out of memory");
	return RC_OK;
}

void import_key(struct span path, uint64_t number, struct buf *ret)
{
	buf_clear(ret);
	for (size_t i = 0; i < path.len; i++) {
		uint8_t c = (uint8_t)path.p[i];

		if (c == KEY_SLASH || c == KEY_MARK)
			wr_u8(ret, KEY_MARK);
		wr_u8(ret, c == '/' ? KEY_SLASH : c);
	}
	wr_u8(ret, 0);
	for (unsigned int i = KEY_NUMBER; i-- > 0;)
		wr_u8(ret, (uint8_t)(number >> 8 * i));
}

bool import_key_decode(struct span key, struct buf *ret_path,
		       uint64_t *ret_number)
{
	size_t i = 0;

	buf_clear(ret_path);
	for (; i < key.len && key.p[i]; i++) {
		uint8_t c = (uint8_t)key.p[i];

		if (c == KEY_SLASH)
			c = '/';
		else if (c == KEY_MARK && ++i < key.len)
			c = (uint8_t)key.p[i];
		wr_u8(ret_path, c);
	}
	if (key.len != i + 1 + KEY_NUMBER)
		return false;
	*ret_number = 0;
	while (++i < key.len)
		*ret_number = *ret_number << 8 | (uint8_t)key.p[i];
	return buf_ok(ret_path);
}
