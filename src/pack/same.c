/* SPDX-License-Identifier: Apache-2.0 */
/* same.c - the files of a shard packed of late. */
#include "config.h"

#include "pack/same.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PLACES 16384u
#define LOOKS 16u /* words looked at, spread over the file */

struct same {
	struct same_file places[PLACES];
};

struct same *same_new(void)
{
	return xcalloc(1, sizeof(struct same));
}

void same_free(struct same *s)
{
	free(s);
}

uint64_t same_memory(void)
{
	return sizeof(struct same);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t same_quick(const uint8_t *p, size_t len)
{
	uint64_t quick = len;

	for (size_t i = 0; i < LOOKS && len >= sizeof(uint64_t); i++) {
		uint64_t word;

		memcpy(&word, p + i * (len - sizeof(word)) / (LOOKS - 1),
		       sizeof(word));
		quick = mix(quick + word);
	}
	return quick ? quick : 1;
}

struct same_file *same_place(struct same *s, uint64_t quick)
{
	return &s->places[quick % PLACES];
}
