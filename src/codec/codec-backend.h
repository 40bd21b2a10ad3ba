/* SPDX-License-Identifier: Apache-2.0 */
/* codec-backend.h - the codecs, for codec.c only. */
#ifndef DESFS_CODEC_CODEC_BACKEND_H
#define DESFS_CODEC_CODEC_BACKEND_H

#include "codec/codec.h"

extern const struct codec codec_none;
extern const struct codec codec_zstd;
extern const struct codec codec_lz4;

#endif
