/* SPDX-License-Identifier: Apache-2.0 */
/* ticker.h - progress told by a thread of its own, while another works. */
#ifndef DESFS_CMD_TICKER_H
#define DESFS_CMD_TICKER_H

#include "base/progress.h"

/* How far it is; called on the ticker's thread. */
typedef void ticker_fn(void *arg, struct progress_counters *ret);

struct ticker;

/* NULL, which ticker_free takes, if there is no thread to be had. */
struct ticker *ticker_new(enum progress_mode mode, ticker_fn *fn, void *arg);
/* The last word, then it is gone. */
void ticker_free(struct ticker *t);

#endif
