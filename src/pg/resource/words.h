/*
 * words.h
 *	  The used words of a set of embeddings, kept in the backend.
 *
 * A known word has a slot from its first look-up until the cache is full and is
 * emptied; so slots are valid only until the next call of mren_words_begin.
 */
#ifndef MREN_PG_RESOURCE_WORDS_H
#define MREN_PG_RESOURCE_WORDS_H

#include "postgres.h"

#include "data/word_vectors.h"
#include "pg/catalog/catalog.h"
#include "text/sentence.h"

typedef struct MrenWords MrenWords;

/*
 * The cache of these embeddings, valid until the current memory context is reset.
 * NULL for a row of dimension 0, which stands for no embeddings: every word is
 * unknown to the functions below that take NULL.
 */
extern MrenWords *mren_words_open(const MrenEmbeddingRow *row);

/* Called between rows: empties the cache if it is full. */
extern void mren_words_begin(MrenWords *words);

/*
 * The two ways in which words are numbered: by slot, with vectors by slot, for
 * predicting; by their numbers in mren.embedding_word, for training rows.
 */
extern void mren_words_slots(MrenWords *words, MrenVocabulary *vocabulary,
							 MrenWordVectors *vectors);
extern void mren_words_ids(MrenWords *words, MrenVocabulary *vocabulary);

/* The number in mren.embedding_word of a slot's word. */
extern int32 mren_words_id(const MrenWords *words, int32 slot);

/* Removes what backends share of embeddings that are dropped, when the transaction commits. */
extern void mren_words_dropped(const MrenEmbeddingRow *row);

/* The vector of a slot; dimension floats. */
extern const float4 *mren_words_vector(const MrenWords *words, int32 slot);

#endif
