/*
 * attention.h
 *	  Scaled dot-product attention of one row over the cells of its image's
 *	  grid.
 *
 * The cells are joined by one learned vector, "none", which a row without a
 * grid attends to, and to which a row can give its weight if the image is of no
 * use.  Training and prediction run the same loops, row by row.
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

/*
 * mren_attend
 *	  weights (n_cells + 1) = softmax of the dot products of query (dim) with
 *	  every cell, divided by the square root of dim; that of "none" is last.
 *	  attended (dim) = the sum of the cells with these weights.  Vaswani et al.,
 *	  Attention Is All You Need, 2017, section 3.2.1.
 */
extern void mren_attend(const MrenAttention *attention, const float *query, float *weights,
						float *attended);

/*
 * mren_attend_backward
 *	  From dattended (dim) to dquery (dim), and adds to dnone (dim). weights are
 *	  those of mren_attend; scores (n_cells + 1) is workspace.
 */
extern void mren_attend_backward(const MrenAttention *attention, const float *query,
								 const float *weights, const float *dattended, float *dquery,
								 float *dnone, float *scores);

#endif
