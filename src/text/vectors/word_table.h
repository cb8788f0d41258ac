/*
 * word_table.h
 *	  All words of a set of embeddings with their vectors, as a hash table with open addressing
 *	  whose arrays are weights (base/weights.h), so that many processes can map it.
 *
 * A damaged file gives other words or none, but no access outside of it.
 */
#ifndef MREN_TEXT_VECTORS_WORD_TABLE_H
#define MREN_TEXT_VECTORS_WORD_TABLE_H

#include <stdint.h>

#include "base/weights.h"

#define MREN_WORD_BEGIN 11

/* A place for a word.  Most words are short, and are known without looking anywhere else. */
typedef struct MrenWordSlot
{
	uint32_t row;				 /* + 1; 0: free */
	uint8_t len;				 /* of the word; UINT8_MAX: that or more */
	char begin[MREN_WORD_BEGIN]; /* of the word, then zeros */
} MrenWordSlot;

typedef struct MrenWordTable
{
	size_t n;				   /* words */
	size_t dim;				   /* of a vector */
	size_t n_slots;			   /* a power of two, at least twice n */
	size_t n_bytes;			   /* of all words */
	const MrenWordSlot *slots; /* (n_slots) */
	const uint32_t *offsets;   /* (n + 1) of the words in bytes */
	const int32_t *ids;		   /* (n) as they were added */
	const char *bytes;		   /* (n_bytes) */
	const float *vectors;	   /* (n, dim) */
} MrenWordTable;

/* What mren_word_table_add fills; all of it is allocated by the environment. */
typedef struct MrenWordTableBuilder
{
	size_t dim;
	size_t n;
	MrenBuffer bytes;
	uint32_t *offsets;
	int32_t *ids;
	float *vectors;
	size_t offsets_capacity;
	size_t ids_capacity;
	size_t vectors_capacity;
} MrenWordTableBuilder;

/*
 * mren_word_table_add
 *	  Appends a word, which no other has been, with its vector (dim) and a number to find again.
 *	  MREN_ELIMIT beyond 2^30 words or 4 GB of them; MREN_ENOMEM.
 */
extern MrenStatus mren_word_table_add(const MrenEnv *env, MrenWordTableBuilder *builder,
									  const char *word, size_t len, int32_t id, const float *vector,
									  MrenError *err);

/* The table of what was added, whose arrays are recorded by env's weights. */
extern MrenStatus mren_word_table_finish(const MrenEnv *env, MrenWordTableBuilder *builder,
										 MrenWordTable *table, MrenError *err);

/*
 * The table of env's weights, which are ready; MREN_EFORMAT if they are not one of this dimension.
 */
extern MrenStatus mren_word_table_attach(const MrenEnv *env, size_t dim, MrenWordTable *table,
										 MrenError *err);

/* The row of a word; -1: there is none. */
extern int32_t mren_word_table_find(const MrenWordTable *table, const char *word, size_t len);

/* Has the memory fetched where a word is looked for first. */
extern void mren_word_table_fetch(const MrenWordTable *table, const char *word, size_t len);

/* The vector of a row that was found. */
static inline const float *
mren_word_table_vector(const MrenWordTable *table, int32_t row)
{
	return table->vectors + (size_t) row * table->dim;
}

#endif
