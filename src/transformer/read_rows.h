/*
 * read_rows.h
 *	  The tokens of a batch whose vectors a layer computes: all, or in the last one those that are
 *	  read.
 *
 * In the last layer a token that is not read gives keys and values alone; its query and all that
 * follows attention are left out.  What is computed stands in rows without gaps, in the order of
 * the tokens.
 */
#ifndef MREN_TRANSFORMER_READ_ROWS_H
#define MREN_TRANSFORMER_READ_ROWS_H

#include "transformer/encoder.h"

typedef struct MrenReadRows
{
	size_t n;		  /* rows */
	uint32_t *tokens; /* (n) of the rows; NULL: each token has its row */
	uint32_t *before; /* (n_tokens + 1) rows before each token; NULL as above */
} MrenReadRows;

/* Fills in the rows of the tokens that are read; the arrays have room for all tokens. */
extern void mren_read_rows_fill(MrenReadRows *rows, const MrenTransformerBatch *batch);

/* to (n, width) = the rows of x (n_tokens, width); to may be x. */
extern void mren_read_rows_gather(const MrenReadRows *rows, const float *x, size_t width,
								  float *to);

/* x (n_tokens, width) = its first n rows, each at its token, and zeros between them. */
extern void mren_read_rows_spread(const MrenReadRows *rows, size_t n_tokens, size_t width,
								  float *x);

/* The token of a row. */
static inline size_t
mren_read_token(const MrenReadRows *rows, size_t row)
{
	return rows->tokens == NULL ? row : rows->tokens[row];
}

/* Rows before a token. */
static inline size_t
mren_read_before(const MrenReadRows *rows, size_t token)
{
	return rows->before == NULL ? token : rows->before[token];
}

#endif
