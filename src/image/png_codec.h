/*
 * png_codec.h
 *	  PNG in and out, through libpng (the only file that includes its header).
 *
 * libpng allocates through the environment, and its jumps end in this file.
 */
#ifndef MREN_IMAGE_PNG_CODEC_H
#define MREN_IMAGE_PNG_CODEC_H

#include "image/bitmap.h"
#include "image/probe.h"

/*
 * mren_png_decode
 *	  Decodes into *out, which has the size info gives.  info must come from the same bytes, and its
 *	  size within the caller's limits.  MREN_ELIMIT if the work (decode_work.h) exceeds max_work.
 *
 * MREN_EFORMAT for what is corrupt or cut short: a wrong checksum of a
 * critical chunk or of the pixel data, a palette index without a color,
 * anything missing up to IEND.  Bytes after IEND are ignored, and so is
 * trouble in ancillary chunks.
 */
extern MrenStatus mren_png_decode(const MrenEnv *env, const uint8_t *bytes, size_t len,
								  const MrenImageInfo *info, uint64_t max_work, MrenBitmap *out,
								  MrenError *err);

/*
 * mren_png_encode
 *	  An 8-bit RGB file, not interlaced, tagged sRGB.  *bytes is the
 *	  environment's; NULL on failure (MREN_EPARAM for an empty bitmap,
 *	  MREN_ENOMEM, MREN_ECANCELED).
 */
extern MrenStatus mren_png_encode(const MrenEnv *env, const MrenBitmap *in, uint8_t **bytes,
								  size_t *len, MrenError *err);

#endif
