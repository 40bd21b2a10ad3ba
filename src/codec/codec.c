/* SPDX-License-Identifier: Apache-2.0 */
/* codec.c - the table of codecs. */
#include "config.h"

#include "codec/codec.h"

#include <lz4.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "base/compiler.h"
#include "codec/codec-backend.h"

static const struct codec *const codecs[] = {
	&codec_none,
	&codec_zstd,
	&codec_lz4,
};

const struct codec *codec_by_id(unsigned int id)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if ((unsigned int)codecs[i]->id == id)
			return codecs[i];
	return NULL;
}

const struct codec *codec_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (strcmp(codecs[i]->name, name) == 0)
			return codecs[i];
	return NULL;
}

const char *codec_libraries(void)
{
	/* Both calls give constants, so every thread writes the same bytes;
	 * a buffer per thread spares the question.
	 */
	static _Thread_local char text[64];

	snprintf(text, sizeof(text), "libzstd %s, lz4 %s", ZSTD_versionString(),
		 LZ4_versionString());
	return text;
}
