/*
 * branch_conv.h
 *	  The convolutions of a mini-batch in training.
 *
 * Rows are given as words and pieces (mren_conv_load); forward builds the rows
 * of numbers in chunks, so that memory is bounded for sentences of any length,
 * convolves a chunk by one product for each width, and keeps only the largest
 * outputs and their positions.  Backward processes those windows alone.
 */
#ifndef MREN_RELATION_BRANCH_CONV_H
#define MREN_RELATION_BRANCH_CONV_H

#include "base/random.h"
#include "relation/conv_text.h"

typedef struct MrenConvSentence
{
	size_t first; /* number of its first word in MrenConvBatch.words */
	size_t n;
	MrenSpan segments[MREN_CONV_SEGMENTS];
	size_t row; /* of its first word in its chunk; set by forward */
} MrenConvSentence;

/* A word: its pieces, and its distances to head and tail. */
typedef struct MrenConvPieces
{
	size_t first;
	uint32_t n;
	uint8_t place[2];
} MrenConvPieces;

/* Sentences convolved together. */
typedef struct MrenConvChunk
{
	size_t first;
	size_t end;
	size_t n_rows;
	MrenRandom random; /* of its dropout */
} MrenConvChunk;

typedef struct MrenConvBatch
{
	MrenConvSentence *sentences; /* (capacity) */
	MrenConvChunk *chunks;		 /* (capacity) */
	size_t n_chunks;
	MrenConvPieces *words;
	size_t n_words;
	size_t words_capacity;
	int32_t *pieces;
	size_t n_pieces;
	size_t pieces_capacity;

	MrenConvText *text; /* of the sentence being read */
	float drop;			/* of the last forward, of x's numbers */
	size_t max_rows;	/* of a chunk */
	float *x;			/* (max_rows, row_dim) after dropout */
	float *mask;		/* (max_rows, row_dim) */
	float *outputs;		/* (max_rows, filters) of one width */
	float *dx;			/* (max_rows, row_dim) */
	/* (max_rows) the gradient of the word's vector is needed, not only that of its distances */
	bool *full;
	int32_t *at;		 /* (capacity, conv_dim) the window's row in its chunk; -1: none */
	float *largest;		 /* (capacity, conv_dim) activated; 0 for an empty segment */
	float *dlargest;	 /* (capacity, conv_dim) of them: backward's input */
	uint32_t *term_rows; /* windows of one filter that have a gradient, */
	float *terms;		 /* and the gradients; (3 * capacity) each */
} MrenConvBatch;

/* conv is zeroed before.  Does nothing without filters. */
extern MrenStatus mren_conv_create(const MrenEnv *env, const MrenNetShape *shape, size_t capacity,
								   MrenConvBatch *conv, MrenError *err);
extern void mren_conv_free(const MrenEnv *env, MrenConvBatch *conv);

/* Reads sentence i of the batch; i is 0 or one more than in the last call. */
extern MrenStatus mren_conv_load(const MrenEnv *env, MrenConvBatch *conv, size_t i,
								 const MrenSentence *sentence, MrenError *err);

#endif
