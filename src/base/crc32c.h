/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.h - the checksum of RFC 3720, appendix B.4 (Castagnoli). */
#ifndef DESFS_BASE_CRC32C_H
#define DESFS_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *p, size_t len);

/* The checksum of what crc is the checksum of, followed by p; crc is 0 at the
 * beginning.
 */
uint32_t crc32c_more(uint32_t crc, const void *p, size_t len);

/* The same without the processor's instruction, for comparison. */
uint32_t crc32c_by_table(uint32_t crc, const void *p, size_t len);

#endif
