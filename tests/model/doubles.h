/* SPDX-License-Identifier: Apache-2.0 */
/* doubles.h - in the place of threads and chance, as both would make a sequence
 * another one each time it runs, and of mappings, which take time.
 *
 * Jobs of base/workers.h run at once, in who submits them.  Bytes of
 * base/unique.h come from a seed.  Memory of cache/block-pool.h is malloc's.
 */
#ifndef DESFS_TESTS_DOUBLES_H
#define DESFS_TESTS_DOUBLES_H

#include <stdint.h>

void doubles_seed(uint64_t seed);

#endif
