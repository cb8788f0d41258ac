/*
 * tagger_internal.h
 *	  What the files of a trained tagger share.
 */
#ifndef MREN_TAGGER_TAGGER_INTERNAL_H
#define MREN_TAGGER_TAGGER_INTERNAL_H

#include "base/names.h"
#include "nn/kernels.h"
#include "tagger/tag_encoder.h"
#include "tagger/tag_net.h"
#include "tagger/tagger.h"

/* The tensor of the text encoder's trained weights, after those of the layout. */
#define MREN_TAGGER_TUNED "encoder.tuned"

struct MrenTagger
{
	MrenEnv env;
	MrenTagShape shape;
	MrenTagLayout layout;
	MrenNames types;
	uint8_t embeddings_sha256[32];
	uint8_t lexicons_sha256[MREN_MAX_TAG_LEXICONS][32];
	uint64_t *training; /* groups of the training sentences, ascending */
	size_t n_training;
	MrenTagEncoder encoder; /* width 0: none */
	float *values;			/* (layout.table.size) */
	bool filled;			/* all numbers are those of weights.h, and read-only */
	bool set[MREN_MAX_PARAMETERS];

	/* Made by complete */
	MrenCrfRules rules;
	float *packed;
	MrenPackedDense words[2 * MREN_TAG_PAD + 1]; /* the first layer, for each place of its window */
	MrenPackedDense layers[MREN_MAX_HIDDEN + 1]; /* from the second one on */
	float *outside; /* what a word outside the sentence gives, as of word_parts.h */
};

/* A tagger of this shape, which has been checked, without values. */
extern MrenStatus mren_tagger_create(const MrenEnv *env, const MrenTagShape *shape,
									 MrenTagger **tagger, MrenError *err);

/* Says which text encoder it has, whose width is the shape's; its trained weights are unset. */
extern MrenStatus mren_tagger_set_encoder(MrenTagger *tagger, const MrenTagEncoderShape *shape,
										  const uint8_t *sha256, MrenError *err);

#endif
