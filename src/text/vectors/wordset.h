/*
 * wordset.h
 *	  Which words have occurred, by a 64-bit hash each.
 *
 * Eight bytes a word, at most 3/4 full.  Two of n different words collide with
 * probability n^2 / 2^65: for three million words 2.4e-7.
 */
#ifndef MREN_TEXT_VECTORS_WORDSET_H
#define MREN_TEXT_VECTORS_WORDSET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"

/* Zero-initialized. */
typedef struct MrenWordSet
{
	uint64_t *slots; /* 0: free */
	size_t n_slots;	 /* a power of two, or 0 */
	size_t n;
} MrenWordSet;

/* *added is false when the word was there. */
extern MrenStatus mren_wordset_add(const MrenEnv *env, MrenWordSet *set, const char *word,
								   size_t len, bool *added, MrenError *err);

extern void mren_wordset_free(const MrenEnv *env, MrenWordSet *set);

#endif
