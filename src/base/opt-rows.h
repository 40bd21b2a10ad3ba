/* SPDX-License-Identifier: Apache-2.0 */
/* opt-rows.h - rows of options that many tools have: the same name, letter and
 * limits with each.
 *
 *	static const struct opt ls_opts[] = {
 *		OPT_ROW_JOBS(struct ls_options, jobs, "read with N threads"),
 *	};
 *
 * type is the struct that opt_parse fills, field its member, text the help.
 */
#ifndef DESFS_BASE_OPT_ROWS_H
#define DESFS_BASE_OPT_ROWS_H

#include <stddef.h>

#include "base/opt.h"
#include "base/progress.h"

#define OPT_JOBS_MAX 256

/* unsigned int */
#define OPT_ROW_JOBS(type, field, text)                                      \
	{                                                                    \
		.name = "jobs", .letter = 'j', .arg = "N", .kind = OPT_UINT, \
		.offset = offsetof(type, field), .min = 1,                   \
		.max = OPT_JOBS_MAX, .help = (text)                          \
	}

/* bool */
#define OPT_ROW_DRY_RUN(type, field, text)                          \
	{                                                           \
		.name = "dry-run", .letter = 'n', .kind = OPT_FLAG, \
		.offset = offsetof(type, field), .help = (text)     \
	}

/* bool */
#define OPT_ROW_JSON(type, field, text)                         \
	{                                                       \
		.name = "json", .kind = OPT_FLAG,               \
		.offset = offsetof(type, field), .help = (text) \
	}

/* enum progress_mode */
#define OPT_ROW_PROGRESS(type, field, text)                          \
	{                                                            \
		.name = "progress", .arg = "auto|always|never|json", \
		.kind = OPT_CHOICE, .offset = offsetof(type, field), \
		.choices = progress_mode_names, .help = (text)       \
	}

/* const char * */
#define OPT_ROW_STATS_FILE(type, field, text)                            \
	{                                                                \
		.name = "stats-file", .arg = "FILE", .kind = OPT_STRING, \
		.offset = offsetof(type, field), .help = (text)          \
	}

#endif
