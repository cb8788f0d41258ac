/*
 * heatmap.h
 *	  Showing on an image which of its parts contributed for or against an answer.
 */
#ifndef MREN_IMAGE_HEATMAP_H
#define MREN_IMAGE_HEATMAP_H

#include "image/bitmap.h"

/*
 * mren_image_heatmap
 *	  Blends a map over the whole image, in place: negative values blue,
 *	  positive ones red, up to three fifths of the color at the largest
 *	  magnitude; a map of zeros leaves the image as it is.
 *
 * heat (rows, cols) row-major; between the cells' centres bilinear.
 * MREN_EPARAM for an empty map or image, MREN_ENUMERIC naming the cell for a
 * value that is not finite; the image is then untouched.  After MREN_ENOMEM
 * too; after MREN_ECANCELED it is partly blended.
 */
extern MrenStatus mren_image_heatmap(const MrenEnv *env, MrenBitmap *image, const float *heat,
									 uint32_t rows, uint32_t cols, MrenError *err);

#endif
