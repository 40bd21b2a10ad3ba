/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h - that only what may be removed was removed. */
#ifndef DESFS_TESTS_RULES_H
#define DESFS_TESTS_RULES_H

#include "world.h"

/* Of all that went since the last call. */
void rules_check(struct world *w);

#endif
