/* SPDX-License-Identifier: Apache-2.0 */
/* des2.h - one run of desfs-pack that writes the format DES2, for the program
 * before this one.
 */
#ifndef DESFS_PACK_DES2_H
#define DESFS_PACK_DES2_H

#include <stdint.h>

#include "base/err.h"

struct pack_options;
struct report;

/* As pack_run, of options that des2_check has passed.  Each shard counts from
 * the moment it has its name.
 */
enum rc des2_run(const struct pack_options *opts, struct report *report,
		 struct err *err) MUST_CHECK;

/* Bytes of memory a run with these options is bounded by. */
uint64_t des2_memory(const struct pack_options *opts);

#endif
