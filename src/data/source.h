/*
 * source.h
 *	  The interface through which a trainer reads its examples: random access by
 *	  canonical index, from memory or from a file.
 *
 * Index 0 .. n - 1 is the order of mren_example_compare.  The trainer reads an
 * epoch mostly sequentially (relation/train/trainer_order.c), so that a file is
 * fast enough.
 */
#ifndef MREN_DATA_SOURCE_H
#define MREN_DATA_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "data/grid.h"

typedef struct MrenSource
{
	void *state;
	size_t n;
	/* One record, 8-byte aligned, valid until the next call of read. */
	MrenStatus (*read)(void *state, size_t index, const uint8_t **record, size_t *len,
					   MrenError *err);
	/* Copies the image_dim floats of an image that some record names. */
	MrenStatus (*image)(void *state, const MrenHash128 *hash, float *vector, MrenError *err);
	/* Copies the audio_dim floats of a recording that some record names; NULL: none does. */
	MrenStatus (*audio)(void *state, const MrenHash128 *hash, float *vector, MrenError *err);
	MrenGridShape grid_shape; /* all 0: no record has a grid */
	/* Copies the grid of an image whose record says that it has one. */
	MrenStatus (*grid)(void *state, const MrenHash128 *hash, uint16_t *grid, MrenError *err);
} MrenSource;

#endif
