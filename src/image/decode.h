/*
 * decode.h
 *	  From an image's bytes to a bitmap.
 *
 * The one place where limits are checked: no decoder runs on an image that
 * exceeds them.
 */
#ifndef MREN_IMAGE_DECODE_H
#define MREN_IMAGE_DECODE_H

#include "image/bitmap.h"
#include "image/probe.h"

/*
 * Sizes are checked before the first pixel is decoded, the size as displayed, and
 * so is as much of the work as is known by then; the rest as the file is read.
 * max_bytes bounds what a decoder holds of the whole image: the result, and
 * the coefficients of a JPEG of several scans, two bytes for each sample.
 * Every other file is decoded row by row, PNG's interlaced ones among them;
 * tables and less than 128 rows are not counted.
 */
typedef struct MrenImageLimits
{
	uint32_t max_width, max_height; /* pixels */
	size_t max_bytes;				/* 3 * width * height, and coefficients */
	uint64_t max_work;				/* estimated nanoseconds (decode_work.h); 0: no limit */
	/*
	 * Pixels that are enough for the caller, as displayed: a decoder that can skip
	 * detail may give any smaller image that has at least these.  0: all pixels.
	 */
	uint32_t enough_width, enough_height;
} MrenImageLimits;

/*
 * mren_image_decode
 *	  Decodes the whole image, upright (EXIF orientation applied).
 *
 * Where the limits say how many pixels are enough, a JPEG image is scaled down
 * by 1/2, 1/4 or 1/8, sides rounded up, as far as at least so many are left:
 * the inverse transform of its blocks then takes fewer frequencies.  Nothing else
 * changes; the size limits are those of the image, not of what is left of it.
 *
 * Transparency is blended over white, in 8 bits and on the sRGB values as
 * stored: round((a*c + (255-a)*255) / 255), after 16-bit samples, alpha
 * included, were rounded to 8 (v/257).  Gamma, chromaticities and color
 * profiles are ignored.  CMYK is converted as (255-C)*(255-K)/255, rounded,
 * Adobe's files being stored inverted.
 *
 * Errors of mren_image_info; MREN_ELIMIT naming size and limit; MREN_EFORMAT
 * for an image that is corrupt or cut short, never a part of one;
 * MREN_ENOMEM, MREN_ECANCELED.  On failure *out is empty.
 */
extern MrenStatus mren_image_decode(const MrenEnv *env, const uint8_t *bytes, size_t len,
									const MrenImageLimits *limits, MrenBitmap *out, MrenError *err);

#endif
