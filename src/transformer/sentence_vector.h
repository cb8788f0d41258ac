/*
 * sentence_vector.h
 *	  One vector for a sentence, from the vectors that a pretrained encoder has for its pieces.
 *
 * A sentence with more pieces than the encoder has positions is read in windows of as many
 * pieces as fit, each with the special pieces around it.  Windows begin half a window apart;
 * the last one ends with the sentence.  A piece has its vector from the window whose middle
 * is nearest, where it is furthest from an edge.  Of the special pieces, those in front of
 * the first window and after the last one count.
 */
#ifndef MREN_TRANSFORMER_SENTENCE_VECTOR_H
#define MREN_TRANSFORMER_SENTENCE_VECTOR_H

#include "transformer/encoder.h"

typedef enum MrenPooling
{
	MREN_POOLING_MEAN, /* over all pieces, special ones included; Reimers and Gurevych 2019 */
	MREN_POOLING_CLS,  /* the first piece's; Devlin et al. 2019 */
} MrenPooling;

typedef struct MrenSentencePieces
{
	const int32_t *ids; /* before, text, after */
	size_t n_before;	/* special pieces in front of the text */
	size_t n_text;
	size_t n_after; /* special pieces after it */
} MrenSentencePieces;

/*
 * mren_sentence_vector
 *	  The vector of a sentence with at least one piece, out (width), not scaled to length 1.
 *	  MREN_EDATA if it has none, or if the special pieces leave no position for text;
 *	  MREN_ENUMERIC if a number is not finite; the errors of mren_transformer_forward.
 */
extern MrenStatus mren_sentence_vector(const MrenEnv *env, const MrenTransformer *encoder,
									   const MrenSentencePieces *pieces, MrenPooling pooling,
									   float *out, MrenError *err);

#endif
