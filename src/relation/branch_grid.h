/*
 * branch_grid.h
 *	  Grid attention and boxes of a mini-batch in training.
 *
 * Grid attention: a query computed from the columns of the text attends to the
 * cells and to one learned cell more (attention.h); the result, attended, gives
 * units = act(attended W + b) and a product with the text, as the image's
 * vector does in parallel fusion.  Boxes: their geometry (boxes.h),
 * standardized, and with grids the units of the two regions, whose weights both
 * mentions share.
 */
#ifndef MREN_RELATION_BRANCH_GRID_H
#define MREN_RELATION_BRANCH_GRID_H

#include "relation/layout.h"

/* One row as it is loaded; what it does not have is NULL. */
typedef struct MrenGridBranchInput
{
	const uint16_t *grid;
	const float *head_box;
	const float *tail_box;
} MrenGridBranchInput;

typedef struct MrenGridBranchBatch
{
	size_t n_cells;
	size_t channels;

	/* Inputs */
	bool *has_grid;	 /* (capacity) */
	bool *has_box;	 /* (capacity) at least one of the two */
	float *cells;	 /* (n, n_cells, channels) standardized */
	float *geometry; /* (n, MREN_BOX_GEOMETRY) standardized; zero without boxes */
	float *regions;	 /* (n, 2, channels) of head and tail; zero without one */

	/* Made by forward */
	float *query;			/* (n, channels) */
	float *weights;			/* (n, n_cells + 1) */
	float *attended;		/* (n, channels) */
	float *attended_in;		/* (n, channels) after dropout */
	float *attended_mask;	/* (n, channels) */
	float *units;			/* (n, MREN_IMAGE_UNITS) */
	float *factor_text;		/* (n, product) */
	float *factor_attended; /* (n, product) */
	float *geometry_in;		/* (n, MREN_BOX_GEOMETRY) after dropout */
	float *geometry_mask;
	float *regions_in;	 /* (n, 2, channels) after dropout */
	float *regions_mask; /* (n, 2, channels) */
	float *region_units; /* (n, 2, MREN_REGION_UNITS) */

	/* Backward */
	float *dquery;			 /* (n, channels) */
	float *dattended;		 /* (n, channels) */
	float *dother;			 /* (n, channels) */
	float *dunits;			 /* (n, MREN_IMAGE_UNITS) */
	float *dfactor_text;	 /* (n, product) before the tanh */
	float *dfactor_attended; /* (n, product) */
	float *dregion_units;	 /* (n, 2, MREN_REGION_UNITS) */
	float *scores;			 /* (n_cells + 1) */

	/* Used for all rows */
	float *grid_inverse;	 /* (channels) 1 / grid.std */
	float *geometry_inverse; /* (MREN_BOX_GEOMETRY) 1 / box.std */
	float *raw;				 /* (n_cells, channels) of one row */
	float *overlap;			 /* (n_cells) of one box */

	float *memory; /* all of the above matrices */
	bool *flags;
} MrenGridBranchBatch;

/* Does nothing for a shape with neither grid attention nor boxes. */
extern MrenStatus mren_grid_branch_create(const MrenEnv *env, const MrenNetShape *shape,
										  size_t capacity, MrenGridBranchBatch *grid_branch,
										  MrenError *err);
extern void mren_grid_branch_free(const MrenEnv *env, MrenGridBranchBatch *grid_branch);

/* Computes the inverse deviations from these values; to be called once they are measured. */
extern void mren_grid_branch_scale(MrenGridBranchBatch *grid_branch, const MrenNetShape *shape,
								   const MrenNetLayout *layout, const float *values);

/* Loads row i; values holds the means. */
extern void mren_grid_branch_load(MrenGridBranchBatch *grid_branch, const MrenNetShape *shape,
								  const MrenNetLayout *layout, const float *values, size_t i,
								  const MrenGridBranchInput *input);

/* One row's cells, standardized; and the mean of those under a box (zero without). */
extern void mren_grid_branch_cells(float *cells, const uint16_t *grid, const MrenGridShape *shape,
								   const float *mean, const float *inverse);
extern void mren_grid_branch_region(float *region, const float *cells, const MrenGridShape *shape,
									const float *box, float *overlap);

#endif
