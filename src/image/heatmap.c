/*
 * heatmap.c
 *	  Blending red for, blue against, over the image.
 */
#include "image/heatmap.h"

#include <math.h>

/* The share of the color where the map is strongest: the image must stay visible. */
#define MAX_OPACITY 0.6

static MrenStatus
largest_magnitude(const MrenEnv *env, const float *heat, uint32_t rows, uint32_t cols, double *out,
				  MrenError *err)
{
	*out = 0;
	for (uint32_t y = 0; y < rows; y++)
	{
		MREN_TRY(mren_check_interrupts(env, err));
		for (uint32_t x = 0; x < cols; x++)
		{
			double value = fabs((double) heat[(size_t) y * cols + x]);

			if (!isfinite(value))
				return mren_fail(err, MREN_ENUMERIC,
								 "heat map value in row %u, column %u is not finite", y, x);
			if (value > *out)
				*out = value;
		}
	}
	return MREN_OK;
}

/* Where pixel i of n lies among m cells: between *cell and *next, at a share of the way. */
static double
place_in_map(uint32_t i, uint32_t n, uint32_t m, uint32_t *cell, uint32_t *next)
{
	double place = ((double) i + 0.5) * m / n - 0.5;

	if (place < 0)
		place = 0;
	if (place > m - 1)
		place = m - 1;
	*cell = (uint32_t) place;
	*next = *cell + 1 < m ? *cell + 1 : *cell;
	return place - *cell;
}

/* value in -1..1 */
static void
blend_pixel(uint8_t *pixel, double value)
{
	double opacity = MAX_OPACITY * fabs(value);

	for (int c = 0; c < MREN_RGB; c++)
	{
		double color = c == (value > 0 ? 0 : 2) ? 255 : 0;

		pixel[c] = (uint8_t) (pixel[c] + opacity * (color - pixel[c]) + 0.5);
	}
}

static void
blend_row(MrenBitmap *image, uint32_t y, const double *line, uint32_t cols)
{
	uint8_t *pixel = image->rgb + (size_t) y * image->width * MREN_RGB;

	for (uint32_t x = 0; x < image->width; x++, pixel += MREN_RGB)
	{
		uint32_t left, right;
		double share = place_in_map(x, image->width, cols, &left, &right);

		blend_pixel(pixel, line[left] + share * (line[right] - line[left]));
	}
}

MrenStatus
mren_image_heatmap(const MrenEnv *env, MrenBitmap *image, const float *heat, uint32_t rows,
				   uint32_t cols, MrenError *err)
{
	double largest;
	double *line; /* the map at one image row, scaled to -1..1 */
	MrenStatus status = MREN_OK;

	MREN_TRY(mren_bitmap_check(image, err));
	if (rows == 0 || cols == 0)
		return mren_fail(err, MREN_EPARAM, "heat map is empty: %u x %u", rows, cols);
	MREN_TRY(largest_magnitude(env, heat, rows, cols, &largest, err));
	if (largest == 0)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, cols, sizeof(*line), &line, err));
	for (uint32_t y = 0; y < image->height && status == MREN_OK; y++)
	{
		uint32_t above, below;
		double share = place_in_map(y, image->height, rows, &above, &below);

		for (uint32_t x = 0; x < cols; x++)
		{
			double top = (double) heat[(size_t) above * cols + x] / largest;
			double bottom = (double) heat[(size_t) below * cols + x] / largest;

			line[x] = top + share * (bottom - top);
		}
		blend_row(image, y, line, cols);
		status = mren_check_interrupts(env, err);
	}
	mren_release(env, line);
	return status;
}
