/*
 * train_vectors.h
 *	  The vectors of the words that occur in training rows, read into memory.
 */
#ifndef MREN_PG_TRAIN_TRAIN_VECTORS_H
#define MREN_PG_TRAIN_TRAIN_VECTORS_H

#include "postgres.h"

#include "data/word_vectors.h"
#include "pg/catalog/catalog.h"

/*
 * mren_train_vectors
 *	  The vectors of n words (ids ascending, distinct) of the embeddings `row`;
 *	  name is for messages.  54000 beyond `memory` bytes.
 */
extern MrenVectorTable *mren_train_vectors(const MrenEnv *env, const MrenEmbeddingRow *row,
										   const char *name, const int32 *ids, size_t n,
										   size_t memory);

#endif
