/*
 * resize.h
 *	  Exact, deterministic resampling of a bitmap.
 *
 * Each axis by itself: area averaging (box filter) where it shrinks, bilinear
 * between pixel centres, edges repeated, where it grows, unchanged where it
 * stays.  Aspect ratio is not kept: the whole image is squashed.
 *
 * All weights are integers over one denominator, and sums are exact while
 * neither side exceeds 32768 pixels, so results do not depend on order of
 * summation, CPU or compiler.
 */
#ifndef MREN_IMAGE_RESIZE_H
#define MREN_IMAGE_RESIZE_H

#include "image/bitmap.h"

/*
 * mren_image_resize
 *	  A new bitmap of width x height, each value rounded to the nearest, halves
 *	  up.  MREN_EPARAM for a size of zero; MREN_ENOMEM, MREN_ECANCELED.  On
 *	  failure *out is empty.
 */
extern MrenStatus mren_image_resize(const MrenEnv *env, const MrenBitmap *in, uint32_t width,
									uint32_t height, MrenBitmap *out, MrenError *err);

/* The resampler row by row, for callers that do not want a bitmap. */
typedef struct MrenResampler MrenResampler;

extern MrenStatus mren_resampler_create(const MrenEnv *env, const MrenBitmap *in, uint32_t width,
										uint32_t height, MrenResampler **out, MrenError *err);
extern void mren_resampler_free(const MrenEnv *env, MrenResampler *resampler);

/*
 * Output row y (< height) into row (width, 3): sums of weighted pixels, which
 * divided by the denominator (the same for all) are values of 0..255.  The
 * bitmap given at creation must still be there.  MREN_ECANCELED.
 */
extern MrenStatus mren_resampler_row(const MrenEnv *env, MrenResampler *resampler, uint32_t y,
									 double *row, MrenError *err);
extern double mren_resampler_denominator(const MrenResampler *resampler);

#endif
