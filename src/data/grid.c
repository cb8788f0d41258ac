/*
 * grid.c
 *	  Shapes of grids, and their fixed projection.
 */
#include "data/grid.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/half_array.h"
#include "nn/kernels.h"

/* Seed of the signs.  Networks with grid attention depend on it. */
#define SIGNS_SEED UINT64_C(0x6772696473)

struct MrenGridProjection
{
	MrenGridShape in;
	MrenGridShape out;
	float *packed; /* NULL: nothing is projected */
	float *bias;   /* zero */
	float *row;	   /* (out.channels) of one cell */
};

size_t
mren_grid_cells(const MrenGridShape *shape)
{
	return shape->height * shape->width;
}

size_t
mren_grid_size(const MrenGridShape *shape)
{
	return mren_grid_cells(shape) * shape->channels;
}

bool
mren_grid_equal(const MrenGridShape *a, const MrenGridShape *b)
{
	return a->height == b->height && a->width == b->width && a->channels == b->channels;
}

/* Sides are bounded first, so that no product overflows. */
static bool
within(const MrenGridShape *shape, size_t channels)
{
	return shape->height >= 1 && shape->height <= MREN_MAX_GRID_CELLS && shape->width >= 1 &&
		   shape->width <= MREN_MAX_GRID_CELLS && mren_grid_cells(shape) <= MREN_MAX_GRID_CELLS &&
		   shape->channels >= 1 && shape->channels <= channels;
}

MrenStatus
mren_grid_check(const MrenGridShape *shape, MrenError *err)
{
	const MrenGridShape none = {0};

	if (mren_grid_equal(shape, &none) || within(shape, MREN_GRID_CHANNELS))
		return MREN_OK;
	return mren_fail(err, MREN_EFORMAT, "invalid grid of %zu by %zu cells with %zu channels",
					 shape->height, shape->width, shape->channels);
}

/* Packed signs over the root of the channels: (in, out). */
static MrenStatus
make_signs(const MrenEnv *env, MrenGridProjection *p, MrenError *err)
{
	size_t n = p->in.channels * p->out.channels;
	float size = 1 / sqrtf((float) p->in.channels);
	MrenRandom random;
	uint64_t bits = 0;
	float *signs;

	MREN_TRY(mren_allocate(env, mren_dense_packed_size(p->in.channels, p->out.channels),
						   sizeof(float), &p->packed, err));
	MREN_TRY(mren_allocate(env, n, sizeof(float), &signs, err));
	mren_random_seed(&random, SIGNS_SEED, p->in.channels);
	for (size_t i = 0; i < n; i++)
	{
		if (i % 64 == 0)
			bits = mren_random_next(&random);
		signs[i] = bits >> (i % 64) & 1 ? size : -size;
	}
	mren_dense_pack(p->packed, signs, p->in.channels, p->out.channels);
	mren_release(env, signs);
	return MREN_OK;
}

MrenStatus
mren_grid_projection_create(const MrenEnv *env, const MrenGridShape *in,
							MrenGridProjection **projection, MrenError *err)
{
	MrenGridProjection *p;
	MrenStatus status;

	*projection = NULL;
	if (!within(in, MREN_MAX_GRID_CHANNELS))
		return mren_fail(err, MREN_ELIMIT,
						 "grid of %zu by %zu cells with %zu channels exceeds the limits",
						 in->height, in->width, in->channels);
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*p), &p, err));
	p->in = p->out = *in;
	if (in->channels > MREN_GRID_CHANNELS)
		p->out.channels = MREN_GRID_CHANNELS;
	status = mren_allocate_zero(env, 2 * MREN_GRID_CHANNELS, sizeof(float), &p->bias, err);
	if (status == MREN_OK && in->channels > MREN_GRID_CHANNELS)
		status = make_signs(env, p, err);
	if (status != MREN_OK)
	{
		mren_grid_projection_free(env, p);
		return status;
	}
	p->row = p->bias + MREN_GRID_CHANNELS;
	*projection = p;
	return MREN_OK;
}

void
mren_grid_projection_free(const MrenEnv *env, MrenGridProjection *projection)
{
	if (projection == NULL)
		return;
	mren_release(env, projection->packed);
	mren_release(env, projection->bias);
	mren_release(env, projection);
}

MrenGridShape
mren_grid_projection_shape(const MrenGridProjection *projection)
{
	return projection->out;
}

void
mren_grid_project(const MrenGridProjection *projection, const float *grid, uint16_t *out)
{
	size_t in = projection->in.channels;
	size_t width = projection->out.channels;
	const MrenPackedDense signs = {in, width, projection->packed, projection->bias};

	for (size_t i = 0; i < mren_grid_cells(&projection->in); i++)
	{
		if (projection->packed == NULL)
		{
			mren_half_from_floats(out + i * width, grid + i * in, width);
			continue;
		}
		mren_dense_infer(&signs, grid + i * in, in, 1, projection->row, width);
		mren_half_from_floats(out + i * width, projection->row, width);
	}
}
