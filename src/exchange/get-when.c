/* SPDX-License-Identifier: Apache-2.0 */
/* get-when.c - the time that somebody knows a file by, as a volume wants it. */
#include "config.h"

#include "exchange/get-when.h"

#include "base/timestamp.h"

enum rc get_when(const char *text, struct volume_when *ret, struct err *err)
{
	struct timestamp ts;

	*ret = (struct volume_when){ .has_time = false };
	if (!text || !*text)
		return RC_OK;
	if (timestamp_parse(text, &ts, err))
		return err->rc;
	ret->has_time = true;
	ret->exact = ret->first = ts.us;
	ret->last = ts.us + ts.span_us - 1;
	return RC_OK;
}

enum rc get_when_day(const char *text, uint32_t *ret, struct err *err)
{
	struct timestamp ts;

	*ret = 0;
	if (!text || !*text)
		return RC_OK;
	if (timestamp_parse(text, &ts, err))
		return err->rc;
	*ret = timestamp_wall_day(&ts);
	return RC_OK;
}
