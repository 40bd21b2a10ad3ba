/* SPDX-License-Identifier: Apache-2.0 */
/* repack-options.c - arguments of options that are about shards made again. */
#include "config.h"

#include "cmd/repack-options.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/opt.h"
#include "volume/oplog.h"

enum rc parse_percent(void *field, const char *arg, struct err *err)
{
	size_t len = strlen(arg);
	CLEANUP_FREE char *digits = xstrdup(arg);
	struct percent *p = field;
	int64_t n;

	if (len && digits[len - 1] == '%')
		digits[len - 1] = '\0';
	if (opt_number(digits, 10, 0, 100, &n, err))
		return err_set(err, RC_USAGE,
			       "'%s' is no percentage from 0 to 100", arg);
	*p = (struct percent){ .is_set = true, .value = (unsigned int)n };
	return RC_OK;
}

enum rc parse_recompress(void *field, const char *arg, struct err *err)
{
	const char *colon = strchr(arg, ':');
	CLEANUP_FREE char *name =
		colon ? xmemdup0(arg, (size_t)(colon - arg)) : xstrdup(arg);
	const struct codec *c = codec_by_name(name);
	struct recompress *r = field;
	int64_t level;

	if (!c)
		return err_set(err, RC_USAGE,
			       "'%s' is no codec: zstd, lz4 or none", name);
	level = c->level_default;
	if (colon &&
	    opt_number(colon + 1, 10, c->level_min, c->level_max, &level, err))
		return err_set(err, RC_USAGE,
			       "'%s' is no level of %s, which has %d to %d",
			       colon + 1, c->name, c->level_min, c->level_max);
	*r = (struct recompress){ .is_set = true,
				  .codec = c->id,
				  .level = (int)level };
	return RC_OK;
}

enum rc parse_grace(void *field, const char *arg, struct err *err)
{
	return opt_seconds(arg, OPLOG_GRACE_MAX, field, err);
}
