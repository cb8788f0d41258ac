/*
 * words.h
 *	  The used words of a set of embeddings, kept in the backend.
 *
 * A word that was looked up once has a slot, known or unknown, until the cache
 * is full and starts over; so slots hold only between two calls of
 * mren_words_begin.
 */
#ifndef MREN_PG_RESOURCE_WORDS_H
#define MREN_PG_RESOURCE_WORDS_H

#include "postgres.h"

#include "data/word_vectors.h"
#include "pg/catalog/catalog.h"
#include "text/sentence.h"

typedef struct MrenWords MrenWords;

/*
 * The cache of these embeddings; stays until the current memory context goes.
 * NULL for a dimension of 0, no embeddings: every word is unknown, and so it
 * is in the functions below that take a NULL.
 */
extern MrenWords *mren_words_open(const MrenEmbeddingRow *row);

/* Between rows: starts over if the cache is full. */
extern void mren_words_begin(MrenWords *words);

/*
 * Two ways to number the same words: by slot, for predicting (vectors by
 * slot), or by the table's number, for training rows.
 */
extern void mren_words_slots(MrenWords *words, MrenVocabulary *vocabulary,
							 MrenWordVectors *vectors);
extern void mren_words_ids(MrenWords *words, MrenVocabulary *vocabulary);

/* The table's number of a slot's word. */
extern int32 mren_words_id(const MrenWords *words, int32 slot);

/* The vector of a slot; dimension floats. */
extern const float4 *mren_words_vector(const MrenWords *words, int32 slot);

#endif
