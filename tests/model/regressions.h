/* SPDX-License-Identifier: Apache-2.0 */
/* regressions.h - sequences that have found something once. */
#ifndef DESFS_TESTS_REGRESSIONS_H
#define DESFS_TESTS_REGRESSIONS_H

#include <stddef.h>

struct regression {
	const char *name; /* what holds now */
	const char *text; /* see sequence_parse */
};

extern const struct regression regressions[];
extern const size_t n_regressions;

#endif
