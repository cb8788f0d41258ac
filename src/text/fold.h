/*
 * fold.h
 *	  The words of a text as a lexicon compares them.
 *
 * A word is a token of mren_tokenize, with two refinements, so that a phrase
 * and a text that contains it are always cut alike: an apostrophe and its ending
 * are words of their own ("Cosby" + "'" + "s"; "do" + "n't"), and so is each
 * character of a script that is written without spaces, whose segmentation
 * depends on the context.
 *
 * Folded means the form of casefold.h, in which names are compared too.  Blanks
 * between words do not count: "AT & T" has the words of "AT&T".
 */
#ifndef MREN_TEXT_FOLD_H
#define MREN_TEXT_FOLD_H

#include "text/tokens.h"

/* Longer words are kept, but are equal to none: they have no bytes. */
#define MREN_MAX_FOLDED_WORD 1000

/* Zero-initialized before its first use, then reused from text to text. */
typedef struct MrenFolded
{
	size_t n;
	MrenToken *words;  /* (n): where each stands in the text, in order */
	uint32_t *starts;  /* (n + 1): folded word i is bytes[starts[i]] .. bytes[starts[i+1]-1] */
	uint64_t *hashes;  /* (n): mren_hash64 of its bytes */
	char *bytes;	   /* UTF-8 */
	MrenTokens tokens; /* buffers, owned */
	size_t words_capacity, starts_capacity, hashes_capacity, bytes_capacity;
} MrenFolded;

/*
 * mren_fold
 *	  The tokenizer's errors.  Linear in len, interruptible.
 */
extern MrenStatus mren_fold(MrenTokenizer *tokenizer, const MrenEnv *env, const char *text,
							size_t len, MrenFolded *folded, MrenError *err);

/*
 * mren_folded_within
 *	  The words wholly inside the text's bytes start .. end-1: first .. end_word-1;
 *	  *first == *end_word if there are none.
 */
extern void mren_folded_within(const MrenFolded *folded, size_t start, size_t end, size_t *first,
							   size_t *end_word);

extern void mren_folded_free(const MrenEnv *env, MrenFolded *folded);

#endif
