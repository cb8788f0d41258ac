/*
 * sentence.h
 *	  A sentence as the relation network reads it: numbered words and two mentions.
 *
 * A word is one or more pieces: a
 * compound such as "rib-cage" that the embeddings lack is the pieces "rib" and
 * "cage", whose vectors are averaged.  A piece is an id of the embeddings'
 * vocabulary (>= 0) or, for a word they lack, its shape s as -1 - s.
 */
#ifndef MREN_TEXT_SENTENCE_H
#define MREN_TEXT_SENTENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Half open, in words. */
typedef struct MrenSpan
{
	uint32_t first;
	uint32_t end;
} MrenSpan;

typedef struct MrenSentence
{
	uint32_t n_words;
	uint32_t n_pieces;
	const int32_t *pieces;	/* (n_pieces) */
	const uint32_t *starts; /* (n_words + 1), starts[0] = 0, increasing:
								 * word w is pieces starts[w] .. starts[w+1]-1 */
	MrenSpan head;			/* not empty, within the sentence */
	MrenSpan tail;
} MrenSentence;

/*
 * How words find their numbers.  find sets *id to the word's id, or -1 when
 * the embeddings lack it; it is called with one spelling at a time.  fetch, unless
 * it is NULL, has the memory fetched that finding a word will read: a sentence's
 * words are found one after the other, and each would wait for its own.
 */
typedef struct MrenVocabulary
{
	void *state;
	MrenStatus (*find)(void *state, const char *word, size_t len, int32_t *id, MrenError *err);
	void (*fetch)(void *state, const char *word, size_t len);
} MrenVocabulary;

#endif
