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
	{ "a repack stays valid when what it replaced is folded as purged",
	  "bd64a5d9adefe000 clock/0/0/0/0/0/0 pack/0/0/0/0/0/0 "
	  "recompress/0/0/0/0/0/0 recompress/1/0/0/0/0/0 "
	  "recompress/0/0/0/0/0/0" },
	{ "nothing is purged that a record not listed yet makes count",
	  "aeaf52febe706064 pack/0/ee074e28/df89835f/0/0/0 "
	  "pack/1/29e23d0c/eefd7534/0/0/0 merge/0/0/0/0/0/0 "
	  "pack/0/0/0/0/0/0 merge/0/0/0/0/0/0" },
};
const size_t n_regressions = sizeof(regressions) / sizeof(*regressions);
