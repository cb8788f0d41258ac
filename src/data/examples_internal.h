/*
 * examples_internal.h
 *	  The layout of MrenExamples, for examples.c and examples_flat.c.
 *
 * Records lie one after the other in one buffer, with an index of (hash, offset);
 * the vectors and grids of images are kept once for each image (image_store.h).
 */
#ifndef MREN_DATA_EXAMPLES_INTERNAL_H
#define MREN_DATA_EXAMPLES_INTERNAL_H

#include "base/sort.h"
#include "data/examples.h"
#include "data/image_store.h"

struct MrenExamples
{
	MrenEnv env;
	MrenExamplesHead head; /* options points to our copy */
	char *options;

	MrenBuffer records;
	MrenKeyed *index; /* (n) hash and offset */
	size_t index_capacity;
	size_t n;
	bool sorted;

	MrenImageStore vectors;	   /* (image_dim) floats each */
	MrenImageStore grids;	   /* halves, as grid.h says */
	MrenImageStore recordings; /* (audio_dim) floats each, by recording */
};

/* MREN_ENUMERIC unless vector (dim) is finite; `what` ("image", "audio") is for the message. */
extern MrenStatus mren_examples_check_finite(const float *vector, size_t dim, const char *what,
											 MrenError *err);

/* Puts the index into canonical order. */
extern void mren_examples_sort(MrenExamples *set);

#endif
