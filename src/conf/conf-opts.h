/* SPDX-License-Identifier: Apache-2.0 */
/* conf-opts.h - the settings, one row each, and option tables made of them.
 *
 * Rows are X(type, member, key, option, field, argument, kind, default, help,
 * ...): the key in desfs.conf(5) and for mount -o, the option of tools, the
 * field of struct conf, what the help calls the argument, one of url, word,
 * path, size, uint and choice, the default in words, half a sentence, and what
 * else goes into struct opt.
 *
 *	static const struct opt ls_opts[] = {
 *		{ .name = "long", ... },
 *		CONF_OPTS(struct ls_options, conf)
 *	};
 *
 * The struct conf of the defaults is CONF_INIT.
 */
#ifndef DESFS_CONF_CONF_OPTS_H
#define DESFS_CONF_CONF_OPTS_H

#include <stddef.h>

#include "base/opt.h"
#include "conf/conf.h"

#define CONF_SECONDS_MAX (366 * 86400)
#define CONF_SIZE_MIN (INT64_C(1) << 20)
#define CONF_SIZE_MAX (INT64_C(1) << 50)

/* "auto" and "default" are as good as nothing said. */
extern const char *const conf_path_styles[];
extern const char *const conf_stales[];

/* clang-format off */

/* For whatever opens an archive. */
#define CONF_ROWS_ALL(X, t, m)                                                 \
	X(t, m, "endpoint", "endpoint", store.endpoint, "URL", url,            \
	  "of the environment, or AWS",                                        \
	  "S3 server; for this and the next see desfs.conf(5)", .max = 0)      \
	X(t, m, "region", "region", store.region, "NAME", word,                \
	  "of the environment or profile, or us-east-1", "S3 region",          \
	  .max = 0)                                                            \
	X(t, m, "profile", "aws-profile", store.profile, "NAME", word,             \
	  "of the environment, or default",                                    \
	  "profile in ~/.aws/credentials", .max = 0)                           \
	X(t, m, "path_style", "path-style", store.path_style, "yes|no",        \
	  choice, "yes with an endpoint", "bucket in the path of S3 URLs",     \
	  .choices = conf_path_styles)                                         \
	X(t, m, "credentials", "credentials", store.credentials, "FILE", path, \
	  "the environment or ~/.aws/credentials",                             \
	  "file with the S3 access key", .max = 0)                             \
	X(t, m, "ca_file", "ca-file", store.ca_file, "FILE", path,             \
	  "of the system", "certificates to trust (PEM)", .max = 0)            \
	X(t, m, "proxy", "proxy", store.proxy, "URL", url,                     \
	  "of the environment", "proxy for all requests", .max = 0)            \
	X(t, m, "timeout", "timeout", store.timeout, "S", uint, "20",          \
	  "seconds for one call with its retries [20]",                        \
	  .min = 1, .max = 86400)                                              \
	X(t, m, "retries", "retries", store.retries, "N", uint, "5",           \
	  "retries of one call [5]", .min = 1, .max = 100)                     \
	X(t, m, "connections", "connections", store.connections, "N", uint,    \
	  "16", "connections at a time [16]", .min = 1, .max = 1024)           \
	X(t, m, "trace", "trace", store.trace, "FILE", path, "none",           \
	  "append a line for each request; -: to stderr", .max = 0)            \
	X(t, m, "index_cache", "index-cache", index_cache, "FILE", path,       \
	  "in the user's cache directory", "cache of indexes, empty: none", .max = 0)  \
	X(t, m, "index_cache_size", "index-cache-size", index_cache_size,      \
	  "SIZE", size, "1G", "limit of the index cache [1G]",                 \
	  .min = CONF_SIZE_MIN, .max = CONF_SIZE_MAX)

/* For mounts besides. */
#define CONF_ROWS_MOUNT(X, t, m)                                               \
	X(t, m, "disk_cache", NULL, disk_cache, "DIR", path, "none",           \
	  "cache blocks in this directory", .max = 0)                          \
	X(t, m, "disk_cache_size", NULL, disk_cache_size, "SIZE", size,        \
	  "10G", "limit of the disk cache [10G]",                              \
	  .min = CONF_SIZE_MIN, .max = CONF_SIZE_MAX)                          \
	X(t, m, "disk_cache_free", NULL, disk_cache_free, "SIZE", size,        \
	  "a tenth of the disk", "leave this much of its disk free",           \
	  .min = CONF_SIZE_MIN, .max = CONF_SIZE_MAX)                          \
	X(t, m, "refresh", NULL, refresh, "SECONDS", uint, "60",               \
	  "look for new shards this often, 0: never [60]",                     \
	  .max = CONF_SECONDS_MAX)                                             \
	X(t, m, "tombstone_max_age", NULL, tombstone_max_age, "SECONDS", uint, \
	  "86400", "serve this long without news of deletions [86400]",        \
	  .min = 1, .max = CONF_SECONDS_MAX)                                   \
	X(t, m, "stale", NULL, stale, "error|ok", choice, "error",             \
	  "what reads get after that", .choices = conf_stales)

/* For files alone. */
#define CONF_ROWS_FILE(X, t, m)                                                \
	X(t, m, "part_size", NULL, store.part_size, "SIZE", size, "5M",        \
	  "size of the parts of uploads", .min = 5 << 20,                      \
	  .max = INT64_C(5) << 30)                                             \
	X(t, m, "erasure_key", NULL, erasure_key, "FILE", path, "none",        \
	  "keys of the list of deleted names", .max = 0)

/* clang-format on */

#define CONF_OPT_url OPT_STRING
#define CONF_OPT_word OPT_STRING
#define CONF_OPT_path OPT_STRING
#define CONF_OPT_size OPT_SIZE
#define CONF_OPT_uint OPT_UINT
#define CONF_OPT_choice OPT_CHOICE

#define CONF_ROW_TOOL(t, m, k, o, f, a, kd, d, h, ...) \
	{ .name = (o),                                 \
	  .arg = (a),                                  \
	  .help = (h),                                 \
	  .kind = CONF_OPT_##kd,                       \
	  .offset = offsetof(t, m.f),                  \
	  __VA_ARGS__ },
#define CONF_ROW_MOUNT(t, m, k, o, f, a, kd, d, h, ...) \
	{ .name = (k),                                  \
	  .arg = (a),                                   \
	  .help = (h),                                  \
	  .kind = CONF_OPT_##kd,                        \
	  .offset = offsetof(t, m.f),                   \
	  __VA_ARGS__ },

/* Rows of struct opt for tools and for mounts: member is a struct conf in the
 * struct type that opt_parse or opt_parse_list fills.  No comma follows.
 */
#define CONF_OPTS(type, member) CONF_ROWS_ALL(CONF_ROW_TOOL, type, member)
#define CONF_MOUNT_OPTS(type, member)               \
	CONF_ROWS_ALL(CONF_ROW_MOUNT, type, member) \
	CONF_ROWS_MOUNT(CONF_ROW_MOUNT, type, member)

#endif
