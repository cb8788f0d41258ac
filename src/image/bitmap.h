/*
 * bitmap.h
 *	  A decoded image in memory, and how stored rows become displayed ones.
 *
 * Owns the layout of MrenBitmap: rows from the top, pixels from the left,
 * three bytes a pixel (red, green, blue; sRGB values as the file has them),
 * no padding.  The memory is the environment's.
 */
#ifndef MREN_IMAGE_BITMAP_H
#define MREN_IMAGE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

#define MREN_RGB 3 /* bytes a pixel */

typedef struct MrenBitmap
{
	uint32_t width, height; /* pixels */
	uint8_t *rgb;			/* (height, width, 3) */
} MrenBitmap;

/*
 * mren_bitmap_create
 *	  A bitmap with uninitialized pixels.  width, height > 0, or MREN_EPARAM;
 *	  MREN_ENOMEM, also when the size overflows.  On failure *out is empty.
 */
extern MrenStatus mren_bitmap_create(const MrenEnv *env, uint32_t width, uint32_t height,
									 MrenBitmap *out, MrenError *err);

/* Releases the pixels and empties the struct; an empty one is fine. */
extern void mren_bitmap_free(const MrenEnv *env, MrenBitmap *bitmap);

/* MREN_EPARAM unless the bitmap has pixels. */
extern MrenStatus mren_bitmap_check(const MrenBitmap *bitmap, MrenError *err);

/* EXIF 2.3, section 4.6.4: 5..8 exchange rows and columns. */
static inline bool
mren_orientation_transposes(int orientation)
{
	return orientation >= 5 && orientation <= 8;
}

/*
 * mren_bitmap_place_rows
 *	  Puts n_rows rows, as stored from row `first` on, where an EXIF
 *	  orientation (1..8) shows them.
 *
 * The bitmap has the displayed size; rows (n_rows, stored width, 3), where the
 * stored width is the bitmap's height if the orientation transposes.  The
 * rows must lie within the image.
 */
extern void mren_bitmap_place_rows(MrenBitmap *bitmap, int orientation, uint32_t first,
								   uint32_t n_rows, const uint8_t *rows);

/*
 * mren_bitmap_place_pixels
 *	  The same for n pixels of the stored row y: those of the columns x,
 *	  x + step, x + 2 * step, ...  rgb (n, 3).
 */
extern void mren_bitmap_place_pixels(MrenBitmap *bitmap, int orientation, uint32_t y, uint32_t x,
									 uint32_t step, uint32_t n, const uint8_t *rgb);

#endif
