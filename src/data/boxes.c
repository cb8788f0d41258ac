/*
 * boxes.c
 *	  The geometry of a pair of boxes.
 */
#include "data/boxes.h"

#include <math.h>

/* Sides count as at least this long, so that ratios stay bounded. */
#define LEAST 1e-3f
#define BOUND 5.0f

static double
clip(double x, double size)
{
	return (x < 0 ? 0 : x > size ? size : x) / size;
}

MrenStatus
mren_box_clip(const char *name, const double corners[4], double width, double height, float box[4],
			  MrenError *err)
{
	double x0 = fmin(corners[0], corners[2]);
	double y0 = fmin(corners[1], corners[3]);
	double x1 = fmax(corners[0], corners[2]);
	double y1 = fmax(corners[1], corners[3]);

	for (int i = 0; i < 4; i++)
	{
		if (!isfinite(corners[i]))
			return mren_fail(err, MREN_EDATA, "%s (%g,%g),(%g,%g) is not finite", name, corners[0],
							 corners[1], corners[2], corners[3]);
	}
	box[0] = (float) clip(x0, width);
	box[1] = (float) clip(y0, height);
	box[2] = (float) clip(x1, width);
	box[3] = (float) clip(y1, height);
	if (box[0] < box[2] && box[1] < box[3])
		return MREN_OK;
	mren_fail(err, MREN_EDATA, "%s (%g,%g),(%g,%g) covers nothing of the image, which is %g by %g",
			  name, x0, y0, x1, y1, width, height);
	return MREN_EDATA;
}

static float
bounded(float x)
{
	return x < -BOUND ? -BOUND : x > BOUND ? BOUND : x;
}

static float
signed_root(float x)
{
	return x < 0 ? -sqrtf(-x) : sqrtf(x);
}

/* The length by which two intervals overlap. */
static float
overlap(float a0, float a1, float b0, float b1)
{
	float length = fminf(a1, b1) - fmaxf(a0, b0);

	return length > 0 ? length : 0;
}

static float
side(const float *box, int dimension)
{
	return fmaxf(box[dimension + 2] - box[dimension], LEAST);
}

static float *
put_alone(const float *box, float *out)
{
	if (box == NULL)
	{
		for (int i = 0; i < MREN_BOX_ALONE; i++)
			out[i] = 0;
		return out + MREN_BOX_ALONE;
	}
	*out++ = 1;
	*out++ = (box[0] + box[2]) / 2;
	*out++ = (box[1] + box[3]) / 2;
	*out++ = side(box, 0);
	*out++ = side(box, 1);
	*out++ = bounded(logf(side(box, 0) * side(box, 1)));
	*out++ = bounded(logf(side(box, 0) / side(box, 1)));
	return out;
}

/* The numbers of both boxes in one dimension, 0 or 1. */
static float *
put_dimension(const float *a, const float *b, int d, float *out)
{
	float offset = (b[d] + b[d + 2]) / 2 - (a[d] + a[d + 2]) / 2;
	float size_a = side(a, d);
	float size_b = side(b, d);

	*out++ = offset;
	*out++ = bounded(offset / size_a);
	*out++ = bounded(-offset / size_b);
	*out++ = signed_root(offset);
	*out++ = bounded(logf(size_b / size_a));
	*out++ = overlap(a[d], a[d + 2], b[d], b[d + 2]) / fminf(size_a, size_b);
	*out++ = b[d] - a[d];
	*out++ = b[d + 2] - a[d + 2];
	*out++ = a[d + 2] - b[d];
	*out++ = b[d + 2] - a[d];
	return out;
}

static void
put_areas(const float *a, const float *b, float *out)
{
	float both = overlap(a[0], a[2], b[0], b[2]) * overlap(a[1], a[3], b[1], b[3]);
	float area_a = side(a, 0) * side(a, 1);
	float area_b = side(b, 0) * side(b, 1);

	*out++ = both / (area_a + area_b - both);
	*out++ = both / area_a;
	*out++ = both / area_b;
	*out++ = bounded(logf(area_a / area_b));
}

void
mren_box_geometry(const float *head, const float *tail, float *out)
{
	out = put_alone(head, out);
	out = put_alone(tail, out);
	if (head == NULL || tail == NULL)
	{
		for (int i = 0; i < MREN_BOX_GEOMETRY - 2 * MREN_BOX_ALONE; i++)
			out[i] = 0;
		return;
	}
	out = put_dimension(head, tail, 0, out);
	out = put_dimension(head, tail, 1, out);
	put_areas(head, tail, out);
}

void
mren_box_region(const float *box, const MrenGridShape *shape, float *weights)
{
	float height = (float) shape->height;
	float width = (float) shape->width;
	float area = 0;

	for (size_t r = 0; r < shape->height; r++)
	{
		float y = overlap(box[1] * height, box[3] * height, (float) r, (float) r + 1);

		for (size_t c = 0; c < shape->width; c++)
		{
			float x = overlap(box[0] * width, box[2] * width, (float) c, (float) c + 1);

			weights[r * shape->width + c] = y * x;
			area += y * x;
		}
	}
	/* The areas of a very thin box may all round to 0: then the cell of its centre counts. */
	if (area > 0)
	{
		for (size_t i = 0; i < mren_grid_cells(shape); i++)
			weights[i] /= area;
		return;
	}
	weights[(size_t) fminf((box[1] + box[3]) / 2 * height, height - 1) * shape->width +
			(size_t) fminf((box[0] + box[2]) / 2 * width, width - 1)] = 1;
}
