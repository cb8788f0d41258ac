/*
 * spelling.h
 *	  A word's number in the embeddings, over the spellings they may use.
 *
 * Tried in turn, each only if it differs from those before: as written; in
 * Unicode's composed form (NFC) with plain apostrophes and hyphens; in lower
 * case; with each digit as "0", then as "#" (what published vectors do).
 */
#ifndef MREN_TEXT_SPELLING_H
#define MREN_TEXT_SPELLING_H

#include "text/sentence.h"

/* Longer words are not in any embeddings (the vector reader refuses them). */
#define MREN_MAX_WORD 1000

typedef enum MrenSpelling
{
	MREN_SPELLING_NONE, /* not in the vocabulary */
	MREN_SPELLING_EXACT,
	MREN_SPELLING_FALLBACK,
} MrenSpelling;

/*
 * mren_vocabulary_lookup
 *	  *id of the word (valid UTF-8), -1 if no spelling is known; *how (may be
 *	  NULL) says which kind matched.  Errors are find's own.
 */
extern MrenStatus mren_vocabulary_lookup(const MrenVocabulary *vocabulary, const char *word,
										 size_t len, int32_t *id, MrenSpelling *how,
										 MrenError *err);

#endif
