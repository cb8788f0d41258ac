/*
 * jpeg_codec.h
 *	  JPEG in, through libjpeg-turbo (the only file that includes its header).
 *
 * libjpeg allocates with malloc, within the caller's limit; all of it is freed on every way out,
 * and its jumps end in this file.
 */
#ifndef MREN_IMAGE_JPEG_CODEC_H
#define MREN_IMAGE_JPEG_CODEC_H

#include "image/bitmap.h"
#include "image/decode.h"
#include "image/probe.h"

/* A file with more scans than this is refused: each costs a full pass. */
#define MREN_JPEG_MAX_SCANS 100

/*
 * mren_jpeg_decode
 *	  Decodes into *out, which has the size info gives, orientation applied,
 *	  or that size scaled down where limits tell how much is enough.
 *	  info must come from the same bytes, and its size within the caller's
 *	  limits.
 *
 * MREN_EFORMAT for what is corrupt or cut short, up to and with the end
 * marker; MREN_ELIMIT for too many scans, or if the result and what libjpeg
 * keeps of the whole image are more than max_bytes, or if the work (decode_work.h)
 * exceeds max_work.
 */
extern MrenStatus mren_jpeg_decode(const MrenEnv *env, const uint8_t *bytes, size_t len,
								   const MrenImageInfo *info, const MrenImageLimits *limits,
								   MrenBitmap *out, MrenError *err);

#endif
