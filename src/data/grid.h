/*
 * grid.h
 *	  The spatial grid of an image as the network reads it: half-precision
 *	  floats, cells row by row, the channels of a cell next to each other.
 *
 * A grid of many channels is projected to MREN_GRID_CHANNELS by a fixed matrix
 * of signs, which approximately preserves distances and angles (Achlioptas
 * 2003) and needs no training, so the grid of an image is the same in every
 * training.  Networks depend on the matrix, so it never changes.
 */
#ifndef MREN_DATA_GRID_H
#define MREN_DATA_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

#define MREN_GRID_CHANNELS 256
#define MREN_MAX_GRID_CELLS 1024
#define MREN_MAX_GRID_CHANNELS 65536 /* before projection */

/* All fields 0: no grid. */
typedef struct MrenGridShape
{
	size_t height;
	size_t width;
	size_t channels;
} MrenGridShape;

/* MREN_EFORMAT unless all fields are 0 or the (projected) grid is within the limits. */
extern MrenStatus mren_grid_check(const MrenGridShape *shape, MrenError *err);
extern bool mren_grid_equal(const MrenGridShape *a, const MrenGridShape *b);

/* Number of cells, and of floats; 0 without a grid. */
extern size_t mren_grid_cells(const MrenGridShape *shape);
extern size_t mren_grid_size(const MrenGridShape *shape);

typedef struct MrenGridProjection MrenGridProjection;

/*
 * mren_grid_projection_create
 *	  From grids of `in`, as an encoder gives them, to those of `out`.  MREN_ELIMIT
 *	  beyond the limits above.
 */
extern MrenStatus mren_grid_projection_create(const MrenEnv *env, const MrenGridShape *in,
											  MrenGridProjection **projection, MrenError *err);
extern void mren_grid_projection_free(const MrenEnv *env, MrenGridProjection *projection);
extern MrenGridShape mren_grid_projection_shape(const MrenGridProjection *projection);

/*
 * mren_grid_project
 *	  grid (cells, channels of `in`), finite, to out (cells, channels of `out`),
 *	  rounded to half precision: signed sums divided by the square root of the
 *	  number of channels of `in`, or the numbers themselves if `in` has at most
 *	  MREN_GRID_CHANNELS.
 */
extern void mren_grid_project(const MrenGridProjection *projection, const float *grid,
							  uint16_t *out);

#endif
