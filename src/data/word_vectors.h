/*
 * word_vectors.h
 *	  Word vectors by piece id, the interface through which networks read them;
 *	  and a table of those that one training needs.
 */
#ifndef MREN_DATA_WORD_VECTORS_H
#define MREN_DATA_WORD_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "data/source.h"

#define MREN_MAX_DIM 16384 /* of a word's or an image's vector */

typedef struct MrenWordVectors
{
	void *state;
	size_t dim;
	/*
	 * dim floats, valid at least until the call of the network returns; never
	 * NULL for an id (>= 0) that encoding a sentence has given.
	 */
	const float *(*get)(void *state, int32_t id);
	/* The word's number in the embeddings, if ids are not these numbers; else NULL. */
	int32_t (*id)(void *state, int32_t id);
} MrenWordVectors;

/* Rows of vectors for a sorted list of distinct ids. */
typedef struct MrenVectorTable MrenVectorTable;

/* The rows are zero until filled. */
extern MrenStatus mren_vector_table_create(const MrenEnv *env, const int32_t *ids, size_t n,
										   size_t dim, MrenVectorTable **table, MrenError *err);
/* The row of ids[i], to write or to read; dim floats. */
extern float *mren_vector_table_row(MrenVectorTable *table, size_t i);
extern void mren_vector_table_vectors(const MrenVectorTable *table, MrenWordVectors *vectors);
extern void mren_vector_table_free(const MrenEnv *env, MrenVectorTable *table);

/*
 * mren_source_words
 *	  The distinct piece ids >= 0 of all examples, ascending; *ids is allocated.
 *	  Reads the source once; memory is in proportion to the distinct ids.
 */
extern MrenStatus mren_source_words(const MrenEnv *env, const MrenSource *source, int32_t **ids,
									size_t *n, MrenError *err);

#endif
