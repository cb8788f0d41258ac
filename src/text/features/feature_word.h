/*
 * feature_word.h
 *	  A word as lexical features compare it.
 */
#ifndef MREN_TEXT_FEATURES_FEATURE_WORD_H
#define MREN_TEXT_FEATURES_FEATURE_WORD_H

#include <stddef.h>

#include "text/spelling.h"

typedef struct MrenFeatureText
{
	char text[3 * MREN_MAX_WORD];
	size_t len;
} MrenFeatureText;

/*
 * mren_feature_fold
 *	  NFKC_Casefold of a word (valid UTF-8); one that has none, or whose form is
 *	  too long, stays as it is.  Of a word longer than MREN_MAX_WORD bytes the
 *	  beginning, cut at a character.
 */
extern void mren_feature_fold(const char *word, size_t len, MrenFeatureText *out);

/* Bytes of the first n code points; the byte at which the last n begin. */
extern size_t mren_feature_first(const MrenFeatureText *folded, size_t n);
extern size_t mren_feature_last(const MrenFeatureText *folded, size_t n);

#endif
