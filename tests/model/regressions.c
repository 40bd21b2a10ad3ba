/* SPDX-License-Identifier: Apache-2.0 */
/* regressions.c - sequences that have found something once.
 *
 * They are as the shrinker printed them.  What an operation makes of its
 * numbers may change, and then they are sequences like others.
 */
#include "config.h"

#include "regressions.h"

const struct regression regressions[] = {
	{ "a block with records only is copied by repack",
	  "910a2dec89025cc1 pack/1/0/0/0/0/0 recompress/0/0/8/0/0/0 "
	  "merge/0/0/0/0/0/0" },
};
const size_t n_regressions = sizeof(regressions) / sizeof(*regressions);
