/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - what a fuzz target offers.
 *
 * It must take any bytes, check what it can by itself with abort(), leak
 * nothing, and be quick.  It returns 0.
 */
#ifndef DESFS_TESTS_FUZZ_FUZZ_H
#define DESFS_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
