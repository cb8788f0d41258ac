/*
 * text_pool.h
 *	  The text branch: word vectors pooled over the parts of a sentence around
 *	  its two mentions, and counts.
 *
 * Parts, each a vector of the embeddings' dimension, in this order: head mean,
 * head last word, tail mean, tail last word, between mean, the first and
 * last words between (three each, from either mention inwards), then `window`
 * words left of the first mention outwards and `window` right of the second.
 * A part without words is zero.  A word is the mean of its pieces: known ones
 * scaled to unit root mean square, unknown ones the learned vector of their
 * shape.
 *
 * Training reads the sentence only once, so the unknown words of a row are kept
 * as weights: part p = known(p) + sum over s of unknown(p, s) * shapes(s).
 */
#ifndef MREN_RELATION_TEXT_POOL_H
#define MREN_RELATION_TEXT_POOL_H

#include "relation/layout.h"
#include "data/word_vectors.h"
#include "text/sentence.h"

#define MREN_EDGE_WORDS 3 /* words between the mentions, at each end */
#define MREN_FIXED_PARTS (5 + 2 * MREN_EDGE_WORDS)
#define MREN_MAX_WINDOW 64
#define MREN_MAX_PARTS (MREN_FIXED_PARTS + 2 * MREN_MAX_WINDOW)
#define MREN_N_SCALARS 19

/* What the text branch reads of a row; a type is -1 or below n_types. */
typedef struct MrenTextInput
{
	const MrenSentence *sentence;
	int32_t head_type;
	int32_t tail_type;
} MrenTextInput;

/* The words of each part (n_parts); a part without words is empty. */
extern void mren_text_part_spans(const MrenNetShape *shape, const MrenSentence *sentence,
								 MrenSpan *parts);

/* What follows the parts in the raw text vector: counts, then types. */
extern void mren_text_counts(const MrenNetShape *shape, const MrenTextInput *input, float *out);

/*
 * mren_text_pool
 *	  The raw text vector of one row: out (pool_dim) without the unknown words'
 *	  part, whose weights go to unknown (n_parts, MREN_MAX_SHAPES).  Returns
 *	  true if the row has an unknown word in some part.
 */
extern bool mren_text_pool(const MrenNetShape *shape, const MrenWordVectors *vectors, float scale,
						   const MrenTextInput *input, float *out, float *unknown);

/* Adds the learned vectors: out += unknown * shapes, shapes (MREN_MAX_SHAPES, embedding_dim). */
extern void mren_text_add_unknown(const MrenNetShape *shape, const float *shapes,
								  const float *unknown, float *out);

/*
 * mren_text_unknown_backward
 *	  Adds the gradient of one row to dshapes: dout (pool_dim) is the gradient
 *	  of the raw text vector.
 */
extern void mren_text_unknown_backward(const MrenNetShape *shape, const float *unknown,
									   const float *dout, float *dshapes);

#endif
