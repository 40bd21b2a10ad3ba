/* SPDX-License-Identifier: Apache-2.0 */
/* repack-options.h - arguments of options that are about shards made again. */
#ifndef DESFS_CMD_REPACK_OPTIONS_H
#define DESFS_CMD_REPACK_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "codec/codec.h"

struct percent {
	bool is_set;
	unsigned int value; /* 0 ... 100 */
};

struct recompress {
	bool is_set;
	enum codec_id codec;
	int level;
};

/* For OPT_CALLBACK.  "20" or "20%" into a struct percent. */
enum rc parse_percent(void *field, const char *arg, struct err *err);
/* "zstd:19", "lz4", "none" into a struct recompress. */
enum rc parse_recompress(void *field, const char *arg, struct err *err);
/* "90", "90s", "15m", "24h", "2d" into an int64_t of seconds. */
enum rc parse_grace(void *field, const char *arg, struct err *err);

#endif
