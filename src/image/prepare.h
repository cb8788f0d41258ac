/*
 * prepare.h
 *	  From a bitmap to the tensor an image network reads.
 */
#ifndef MREN_IMAGE_PREPARE_H
#define MREN_IMAGE_PREPARE_H

#include "image/bitmap.h"

typedef enum MrenImageLayout
{
	MREN_LAYOUT_NCHW,
	MREN_LAYOUT_NHWC
} MrenImageLayout;

/*
 * mean and std are in pixel units 0..255 and go with the tensor's channels in
 * the tensor's order: with bgr set, mean[0] is the blue one.
 */
typedef struct MrenImagePrep
{
	uint32_t width, height;
	float mean[MREN_RGB], std[MREN_RGB];
	bool bgr;
	MrenImageLayout layout;
} MrenImagePrep;

/*
 * mren_image_prepare
 *	  Resizes (see resize.h, but without rounding to 8 bits) and normalizes,
 *	  (x - mean[c]) / std[c], into out: (3,height,width) or (height,width,3),
 *	  3 * height * width floats of the caller's.
 *
 * MREN_EPARAM for a size of zero, a mean or std that is not finite, or a std
 * of zero or less; MREN_ENOMEM, MREN_ECANCELED; out is then unspecified.
 */
extern MrenStatus mren_image_prepare(const MrenEnv *env, const MrenBitmap *in,
									 const MrenImagePrep *prep, float *out, MrenError *err);

#endif
