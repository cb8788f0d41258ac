/*
 * attention.h
 *	  One row looks at the cells of its image's grid.
 *
 * Beside the cells there is one more, "none", learned: what a row sees that has
 * no grid, and what one may look at whose image says nothing.  Training and
 * prediction run the same loops, row by row.
 */
#ifndef MREN_NN_ATTENTION_H
#define MREN_NN_ATTENTION_H

#include <stddef.h>

/* Sizes of one row's matrices. */
typedef struct MrenAttention
{
	size_t n_cells;		/* 0: a row without a grid */
	size_t dim;			/* of a cell */
	const float *cells; /* (n_cells, dim) */
	const float *none;	/* (dim) */
} MrenAttention;

/* scores (n_cells + 1): the dot products of a vector (dim) with every cell, none's last. */
extern void mren_attention_scores(const MrenAttention *attention, const float *vector,
								  float *scores);

/*
 * mren_attend
 *	  weights (n_cells + 1) = softmax of query (dim) with every cell over the root
 *	  of dim, none's last; seen (dim) = the cells' sum under these weights.
 *	  Scaled dot products: Vaswani et al. 2017, section 3.2.1.
 */
extern void mren_attend(const MrenAttention *attention, const float *query, float *weights,
						float *seen);

/*
 * mren_attend_backward
 *	  From dseen (dim) to dquery (dim), and adds to dnone (dim).  weights are
 *	  forward's; scores (n_cells + 1) is room.
 */
extern void mren_attend_backward(const MrenAttention *attention, const float *query,
								 const float *weights, const float *dseen, float *dquery,
								 float *dnone, float *scores);

#endif
