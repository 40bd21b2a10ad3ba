/* SPDX-License-Identifier: Apache-2.0 */
/* top-json.h - counters as an object for programs. */
#ifndef DESFS_CMD_TOP_JSON_H
#define DESFS_CMD_TOP_JSON_H

#include <stdio.h>

#include "cmd/top-view.h"

/* All counters by their names, and what desfs top makes of them; see
 * desfs-top(1).
 */
void top_json(const struct top_view *v, FILE *to);

#endif
