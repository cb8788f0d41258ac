/*
 * branch_linear.h
 *	  The linear branch: a linear model over a row's hashed lexical features,
 *	  whose scores are added at the logits.
 *
 * A feature's slot is the lowest bits of its number.  Only slots that training
 * chose have a row of weights; an index finds it.  A row's scores are a sum in
 * ascending order of its features, one addition after the other, so they have
 * the same bits alone and in any batch.  Cheng et al., Wide & Deep Learning for
 * Recommender Systems, 2016.
 */
#ifndef MREN_RELATION_BRANCH_LINEAR_H
#define MREN_RELATION_BRANCH_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

#define MREN_MAX_HASH_BITS 22
#define MREN_MAX_LINEAR_WEIGHTS ((size_t) 1 << 28) /* rows times relations */
#define MREN_MAX_NET_LEXICONS 16
#define MREN_NO_ROW UINT32_MAX

/*
 * From slots to rows: a bit for each slot, and for each word of bits the number
 * of rows before it.
 */
typedef struct MrenLinearIndex
{
	unsigned bits;	/* slots are 0 .. 2^bits - 1; 1 .. MREN_MAX_HASH_BITS */
	size_t n;		/* rows */
	uint64_t *has;	/* (2^bits / 64, at least 1); weights as in weights.h */
	uint32_t *rank; /* (2^bits / 64, at least 1); the same */
} MrenLinearIndex;

/*
 * mren_linear_index_create
 *	  Row i is that of slots[i]: n distinct slots below 2^bits in ascending
 *	  order, bits 1 ..  MREN_MAX_HASH_BITS.  MREN_EFORMAT for anything else.
 */
extern MrenStatus mren_linear_index_create(const MrenEnv *env, unsigned bits, const uint32_t *slots,
										   size_t n, MrenLinearIndex *index, MrenError *err);
extern void mren_linear_index_free(const MrenEnv *env, MrenLinearIndex *index);

/* Bytes held. */
extern size_t mren_linear_index_bytes(const MrenLinearIndex *index);

/* The row of a feature, or MREN_NO_ROW. */
static inline uint32_t
mren_linear_row(const MrenLinearIndex *index, uint32_t feature)
{
	uint32_t slot = feature & (((uint32_t) 1 << index->bits) - 1);
	uint64_t word = index->has[slot / 64];
	uint64_t bit = (uint64_t) 1 << (slot % 64);
	uint32_t row;

	if ((word & bit) == 0)
		return MREN_NO_ROW;
	row = index->rank[slot / 64] + (uint32_t) __builtin_popcountll(word & (bit - 1));
	/* A file of weights may be damaged. */
	return row < index->n ? row : MREN_NO_ROW;
}

/* The rows of n features, in their order; returns how many have one. */
extern size_t mren_linear_rows(const MrenLinearIndex *index, const uint32_t *features, size_t n,
							   uint32_t *rows);

/* scores (k) += the sum of these n rows of weights (index.n, k). */
extern void mren_linear_add(const float *weights, size_t k, const uint32_t *rows, size_t n,
							float *scores);

/*
 * mren_linear_step
 *	  One step of AdaGrad on the n rows of weights that a training row has, along
 *	  the gradient (k) of its scores: for each weight w with sum of squares q,
 *	  q += g*g; w -= rate * g / sqrt(q).  squares (as weights) begin at a positive
 *	  number.  A gradient of 0 leaves a weight as it is.
 *	  Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and
 *	  Stochastic Optimization, JMLR 2011, with a diagonal matrix.
 */
extern void mren_linear_step(float rate, float *weights, float *squares, size_t k,
							 const uint32_t *rows, size_t n, const float *gradient);

#endif
