/*
 * marker_batch.h
 *	  Rows as an encoder reads them: sentences with groups of levitated markers after them, or
 *	  with solid markers in the text, for which the sentence is read once a row.
 */
#ifndef MREN_RELATION_MARKER_MARKER_BATCH_H
#define MREN_RELATION_MARKER_MARKER_BATCH_H

#include "data/marked_tokens.h"
#include "transformer/encoder.h"
#include "transformer/train/tuning.h"

/* What a classifier is: its sizes, and which part of the encoder was trained. */
typedef struct MrenMarkerShape
{
	size_t width;			/* of the encoder; 0: there is no classifier */
	size_t embedding_width; /* of its word embeddings */
	size_t n_types;			/* of entities */
	size_t n_relations;
	MrenTuningShape tuning;
	size_t int8;  /* 1: answers are computed with matrices of bytes */
	size_t solid; /* 1: markers stand in the text, around the mentions */
} MrenMarkerShape;

/* Kinds of markers: each mark without and with each entity type. */
static inline size_t
mren_marker_kinds(const MrenMarkerShape *shape)
{
	return MREN_N_MARKS * (shape->n_types + 1);
}

/* The kind of a mark of a mention of this entity type, -1: none. */
static inline size_t
mren_marker_kind(const MrenMarkerShape *shape, size_t mark, int32_t type)
{
	return mark * (shape->n_types + 1) + (size_t) (type + 1);
}

/*
 * Tokens whose vectors are a row's vector: its markers, and then the tokens that they mark.  These
 * say what the mentions are from the first step on, before the markers have learned to look.
 */
#define MREN_MARKER_READS (2 * MREN_N_MARKS)

/* Columns of a row's vector. */
static inline size_t
mren_marker_dim(const MrenMarkerShape *shape)
{
	return MREN_MARKER_READS * shape->width;
}

/* A row to be classified; types are -1 or below n_types. */
typedef struct MrenMarkerRow
{
	const MrenMarkedTokens *tokens; /* NULL or without tokens: its vector is zero */
	int32_t types[2];				/* of head and tail */
} MrenMarkerRow;

/* Zero at first; its memory is used again by the next call. */
typedef struct MrenMarkerBatch
{
	MrenTransformerBatch batch;
	MrenTransformerSentence *sentences;
	int32_t *ids;
	uint32_t *positions;
	bool *is_read; /* (n_tokens) some row reads its vector */
	/* (n, MREN_MARKER_READS) tokens, of the batch; SIZE_MAX in a row without tokens */
	size_t *reads;
	size_t rows_capacity;
	size_t tokens_capacity;
} MrenMarkerBatch;

/*
 * mren_marker_batch_fill
 *	  The batch of n rows.  Rows of one sentence that follow each other share its tokens, with
 *	  levitated markers.
 *	  Markers are the pieces from `vocabulary` on, by their kind.  MREN_ENOMEM.
 */
extern MrenStatus mren_marker_batch_fill(const MrenEnv *env, MrenMarkerBatch *batch,
										 const MrenMarkerShape *shape, size_t vocabulary,
										 const MrenMarkerRow *rows, size_t n, MrenError *err);
extern void mren_marker_batch_free(const MrenEnv *env, MrenMarkerBatch *batch);

/* The vector of row i, out (mren_marker_dim), from those of the batch (n_tokens, width). */
extern void mren_marker_gather(const MrenMarkerBatch *batch, const MrenMarkerShape *shape, size_t i,
							   const float *vectors, float *out);

extern bool mren_marker_has_tokens(const MrenMarkerRow *row);

/* The row after the last one that shares the text that row i reads, and the tokens of them all. */
extern size_t mren_marker_text_end(const MrenMarkerShape *shape, const MrenMarkerRow *rows,
								   size_t i, size_t n, size_t *n_tokens);

/* Whether the tokens are those of one sentence; their marks may differ. */
extern bool mren_marker_same_sentence(const MrenMarkedTokens *a, const MrenMarkedTokens *b);

#endif
