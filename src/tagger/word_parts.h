/*
 * word_parts.h
 *	  What a tagger's scores take from each word alone, kept from sentence to sentence.
 *
 * The first layer's output at a word is a sum over the words of its window, and each adds a part
 * that depends on the word and its place in the window alone; so does what its own direct features
 * add to the scores of tags.  The few thousand words that most of a text consists of are computed
 * once.  All parts are added in one order, so a sentence's result does not depend on what was kept.
 */
#ifndef MREN_TAGGER_WORD_PARTS_H
#define MREN_TAGGER_WORD_PARTS_H

#include "tagger/tagger_internal.h"

/* Places of the first layer's window. */
extern size_t mren_tag_n_places(const MrenTagShape *shape);

/*
 * Floats of a word: its part at each place of a window (places, hidden), then of the tags' scores.
 */
extern size_t mren_tag_parts_size(const MrenTagger *tagger);

/* Fills tagger->outside. */
extern MrenStatus mren_tag_parts_outside(MrenTagger *tagger, MrenError *err);

/* Those of a sentence's words. */
typedef struct MrenTagParts
{
	const float **of; /* (n_words) */
	float *made;	  /* the ones that were not kept; also memory of the caller's to free */
} MrenTagParts;

/* Valid until the cache is used again. */
extern MrenStatus mren_tag_parts_read(const MrenTagger *tagger, const MrenEnv *env,
									  const MrenWordVectors *vectors, const MrenTagInput *input,
									  MrenTagParts *parts, MrenError *err);
extern void mren_tag_parts_free(const MrenEnv *env, MrenTagParts *parts);

/* The outputs (n_words, hidden) of the first layer, before its activation. */
extern void mren_tag_parts_sum(const MrenTagger *tagger, const MrenTagParts *parts, size_t n_words,
							   float *out);

#endif
