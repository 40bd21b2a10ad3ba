/* SPDX-License-Identifier: Apache-2.0 */
/* doubles.h - in the place of threads and chance: both would make a sequence
 * another one each time it runs.
 *
 * Jobs of base/workers.h run at once, in who submits them.  Bytes of
 * base/unique.h come from a seed.
 */
#ifndef DESFS_TESTS_DOUBLES_H
#define DESFS_TESTS_DOUBLES_H

#include <stdint.h>

void doubles_seed(uint64_t seed);

#endif
