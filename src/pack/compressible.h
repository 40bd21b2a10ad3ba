/* SPDX-License-Identifier: Apache-2.0 */
/* compressible.h - does compressing these bytes look worth while?
 *
 * A look at a sample, integers only: equal bytes give equal answers anywhere.
 * Any thread.
 */
#ifndef DESFS_PACK_COMPRESSIBLE_H
#define DESFS_PACK_COMPRESSIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False for what looks like noise: compressed already, encrypted, random.  That
 * may be wrong where noise repeats, so what is left alone for it costs bytes;
 * true costs no more than time.
 */
bool is_compressible(const uint8_t *p, size_t len);

#endif
