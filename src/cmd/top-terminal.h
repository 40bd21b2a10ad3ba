/* SPDX-License-Identifier: Apache-2.0 */
/* top-terminal.h - a screen that is redrawn, and keys without Enter.
 *
 * Between begin and end the terminal shows another screen than before, and
 * keys are not echoed; end puts all back.  One at a time.
 */
#ifndef DESFS_CMD_TOP_TERMINAL_H
#define DESFS_CMD_TOP_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

void terminal_begin(void);
void terminal_end(void);

/* Columns and rows; ones that are wide and high enough for all when standard
 * output is no terminal.
 */
void terminal_size(unsigned int *ret_columns, unsigned int *ret_rows);

/* Show these lines in place of what there is, cut where the screen ends. */
void terminal_show(const struct buf *text);

/* The key that was pressed; 0: none, or no terminal to press it on. */
char terminal_key(void);

#endif
