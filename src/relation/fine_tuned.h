/*
 * fine_tuned.h
 *	  The words whose vectors are fine-tuned with the network: counting words,
 *	  choosing, finding.
 *
 * The network learns the difference from the vector of the embeddings, in
 * scaled units: weight decay then pulls towards the embeddings, and a model
 * stores only the differences.  A word is identified by its number in the
 * embeddings, and the model names the embeddings by the hash of their content.
 */
#ifndef MREN_RELATION_FINE_TUNED_H
#define MREN_RELATION_FINE_TUNED_H

#include "data/word_vectors.h"

#define MREN_FINE_TUNED_MIN_COUNT 3 /* occurrences that a word needs */
#define MREN_FINE_TUNED_RATE 0.3f	/* factor of the learning rate */
#define MREN_MAX_FINE_TUNED 32768	/* words; the most frequent are chosen */

/* Zeroed before its first use. */
typedef struct MrenWordCounts
{
	int32_t *ids; /* open addressing; -1: empty */
	uint32_t *counts;
	size_t n_slots; /* a power of two, or 0 */
	size_t n;
} MrenWordCounts;

/* Counts a word, id >= 0. */
extern MrenStatus mren_word_counts_add(const MrenEnv *env, MrenWordCounts *counts, int32_t id,
									   MrenError *err);
extern void mren_word_counts_free(const MrenEnv *env, MrenWordCounts *counts);

/*
 * mren_fine_tuned_choose
 *	  The ids of words counted often enough, ascending; *ids is allocated.
 */
extern MrenStatus mren_fine_tuned_choose(const MrenEnv *env, const MrenWordCounts *counts,
										 int32_t **ids, size_t *n, MrenError *err);

/* The fine-tuned words, ready to be looked up. */
typedef struct MrenFineTuned
{
	const int32_t *ids; /* (n) ascending */
	size_t n;
	const float *rows; /* (n, embedding_dim) */
} MrenFineTuned;

/* The row of a piece >= 0, or -1. */
extern int32_t mren_fine_tuned_find(const int32_t *ids, size_t n, const MrenWordVectors *vectors,
									int32_t piece);

#endif
