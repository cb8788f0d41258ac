/*
 * bitmap.c
 *	  Bitmaps, and placing stored rows by EXIF orientation.
 */
#include "image/bitmap.h"

#include <string.h>

#include "base/size.h"

MrenStatus
mren_bitmap_create(const MrenEnv *env, uint32_t width, uint32_t height, MrenBitmap *out,
				   MrenError *err)
{
	size_t n_pixels;

	memset(out, 0, sizeof(*out));
	if (width == 0 || height == 0)
		return mren_fail(err, MREN_EPARAM, "image size must be positive, not %u x %u", width,
						 height);
	if (!mren_size_mul(width, height, &n_pixels))
		return mren_fail_nomem(err);
	MREN_TRY(mren_allocate(env, n_pixels, MREN_RGB, &out->rgb, err));
	out->width = width;
	out->height = height;
	return MREN_OK;
}

void
mren_bitmap_free(const MrenEnv *env, MrenBitmap *bitmap)
{
	mren_release(env, bitmap->rgb);
	memset(bitmap, 0, sizeof(*bitmap));
}

MrenStatus
mren_bitmap_check(const MrenBitmap *bitmap, MrenError *err)
{
	if (bitmap->rgb == NULL || bitmap->width == 0 || bitmap->height == 0)
		return mren_fail(err, MREN_EPARAM, "bitmap is empty");
	return MREN_OK;
}

/* Orientations 2 to 4: a stored row stays a row. */
static void
place_row(MrenBitmap *bitmap, bool mirror, uint32_t y, const uint8_t *row)
{
	uint32_t width = bitmap->width;
	uint8_t *to = bitmap->rgb + (size_t) y * width * MREN_RGB;

	if (!mirror)
	{
		memcpy(to, row, (size_t) width * MREN_RGB);
		return;
	}
	row += (size_t) width * MREN_RGB;
	for (uint32_t x = 0; x < width; x++, to += MREN_RGB)
	{
		row -= MREN_RGB;
		memcpy(to, row, MREN_RGB);
	}
}

/*
 * Orientations 5 to 8: a stored row becomes a column.  Rows come in bands
 * because each displayed row then takes several neighbouring pixels at a time.
 */
static void
place_columns(MrenBitmap *bitmap, int orientation, uint32_t first, uint32_t n_rows,
			  const uint8_t *rows)
{
	uint32_t stored_width = bitmap->height;
	size_t stride = (size_t) stored_width * MREN_RGB;
	bool from_right = orientation == 6 || orientation == 7;
	bool from_bottom = orientation == 7 || orientation == 8;
	uint32_t left = from_right ? bitmap->width - first - n_rows : first;

	for (uint32_t x = 0; x < stored_width; x++)
	{
		uint32_t y = from_bottom ? stored_width - 1 - x : x;
		uint8_t *to = bitmap->rgb + ((size_t) y * bitmap->width + left) * MREN_RGB;

		for (uint32_t i = 0; i < n_rows; i++, to += MREN_RGB)
		{
			const uint8_t *from =
				rows + (from_right ? n_rows - 1 - i : i) * stride + (size_t) x * MREN_RGB;

			memcpy(to, from, MREN_RGB);
		}
	}
}

void
mren_bitmap_place_rows(MrenBitmap *bitmap, int orientation, uint32_t first, uint32_t n_rows,
					   const uint8_t *rows)
{
	bool mirror = orientation == 2 || orientation == 3;
	bool upside_down = orientation == 3 || orientation == 4;

	if (mren_orientation_transposes(orientation))
	{
		place_columns(bitmap, orientation, first, n_rows, rows);
		return;
	}
	for (uint32_t i = 0; i < n_rows; i++)
	{
		uint32_t y = upside_down ? bitmap->height - 1 - first - i : first + i;

		place_row(bitmap, mirror, y, rows + (size_t) i * bitmap->width * MREN_RGB);
	}
}

void
mren_bitmap_place_pixels(MrenBitmap *bitmap, int orientation, uint32_t y, uint32_t x, uint32_t step,
						 uint32_t n, const uint8_t *rgb)
{
	bool transposed = mren_orientation_transposes(orientation);
	bool from_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
	bool from_bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
	size_t stride = (size_t) bitmap->width * MREN_RGB;
	size_t column = transposed ? y : x;
	size_t row = transposed ? x : y;
	ptrdiff_t move = (ptrdiff_t) step * (transposed ? (ptrdiff_t) stride : MREN_RGB);
	uint8_t *to;

	if (from_right)
		column = bitmap->width - 1 - column;
	if (from_bottom)
		row = bitmap->height - 1 - row;
	if (transposed ? from_bottom : from_right)
		move = -move;
	to = bitmap->rgb + row * stride + column * MREN_RGB;
	for (uint32_t i = 0; i < n; i++)
		memcpy(to + (ptrdiff_t) i * move, rgb + (size_t) i * MREN_RGB, MREN_RGB);
}
