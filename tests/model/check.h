/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - whether an archive shows what the model says. */
#ifndef DESFS_TESTS_CHECK_H
#define DESFS_TESTS_CHECK_H

#include <stdbool.h>

#include "world.h"

/* By the reader that knows all, looked at now. */
bool check_shows(struct world *w, const struct model_version *v);

#endif
