/*
 * encoder.h
 *	  A pretrained encoder of text as prediction runs it: numbers of pieces to vectors.
 *
 * A batch is ragged: the tokens of all its sentences stand one after the other, and nothing
 * is computed for padding.  After the text of a sentence may stand groups of levitated
 * markers (Zhong and Chen 2021; Ye et al. 2022): a marker has the position of the token that
 * it marks, attends to the text and to its own group, and nothing else attends to it.
 *
 * The vector of a token has the same bits whatever else is in the batch: every sum adds its
 * terms in a fixed order (see mren_dense_infer and mren_int8_infer).
 */
#ifndef MREN_TRANSFORMER_ENCODER_H
#define MREN_TRANSFORMER_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/work.h"
#include "transformer/config.h"

typedef struct MrenTransformer MrenTransformer;

/* n_text tokens of text, and then n_groups times group_size markers. */
typedef struct MrenTransformerSentence
{
	size_t n_text;
	size_t n_groups;
	size_t group_size;
} MrenTransformerSentence;

typedef struct MrenTransformerBatch
{
	const MrenTransformerSentence *sentences;
	size_t n_sentences;
	const int32_t *ids;		   /* of all tokens, special ones included */
	const uint32_t *positions; /* of all tokens, from 0 in each sentence */
	const uint8_t *types;	   /* NULL: 0 for each */
	size_t n_tokens;
	/*
	 * Whether the vector of each token in the last layer is read, which is then computed for these
	 * alone; those of all others become zero.  NULL: all are.
	 */
	const bool *read;
} MrenTransformerBatch;

/*
 * mren_transformer_create
 *	  The encoder of a checked configuration.  The weights are those of all tensors, one
 *	  after the other in the order of mren_transformer_tensor; embeddings and vectors are used
 *	  in place and must outlive the encoder, matrices are copied in another order.
 *	  MREN_ENOMEM, MREN_ECANCELED.
 */
extern MrenStatus mren_transformer_create(const MrenEnv *env, const MrenTransformerConfig *config,
										  const float *weights, MrenTransformer **encoder,
										  MrenError *err);

/*
 * mren_transformer_room
 *	  Room for the weights of an encoder that is created in place or, with int8, from bytes.  The
 *	  caller reads them, unless the environment's weights are ready: they are then those of
 *	  weights.h or, with int8, NULL.  Those of int8 are no weights in that sense, and may be
 *	  released once the encoder is created.  MREN_ENOMEM, MREN_EFORMAT.
 */
extern MrenStatus mren_transformer_room(const MrenEnv *env, const MrenTransformerConfig *config,
										bool int8, float **weights, MrenError *err);

/*
 * mren_transformer_create_in_place
 *	  The same encoder without a copy: matrices are brought into another order where they are
 *	  (those whose rows are not a multiple of 16 excepted).  The weights must outlive the
 *	  encoder, and no longer hold the tensors, also on failure.  Where the environment's weights
 *	  are ready (weights.h), those given are of that order already, and are not written to.
 */
extern MrenStatus mren_transformer_create_in_place(const MrenEnv *env,
												   const MrenTransformerConfig *config,
												   float *weights, MrenTransformer **encoder,
												   MrenError *err);

/*
 * mren_transformer_create_int8
 *	  An encoder whose matrices are bytes (see nn/int8.h), a quarter of their size, which is
 *	  faster and less exact: its vectors differ by about a hundredth.  Attention's scores,
 *	  norms and embeddings are floats.  Everything is copied; the weights may be released.
 *	  Where the environment's weights are ready (weights.h), they may be NULL.
 */
extern MrenStatus mren_transformer_create_int8(const MrenEnv *env,
											   const MrenTransformerConfig *config,
											   const float *weights, MrenTransformer **encoder,
											   MrenError *err);

/* Releases an encoder; NULL is allowed. */
extern void mren_transformer_free(const MrenEnv *env, MrenTransformer *encoder);

/*
 * mren_transformer_forward
 *	  The vectors of the last layer, out (n_tokens, width).  Takes memory for about
 *	  4 n_tokens * width floats meanwhile, and for 48 rows of the widest matrix.  MREN_EDATA for a piece, position
 *	  or token type that the encoder does not have, and for sizes that do not add up;
 *	  MREN_ENOMEM, MREN_ECANCELED.
 */
extern MrenStatus mren_transformer_forward(const MrenEnv *env, const MrenTransformer *encoder,
										   const MrenTransformerBatch *batch, float *out,
										   MrenError *err);

/* The text of a sentence: its keys and values in all layers, and what the last layer reads. */
typedef struct MrenTransformerMemory MrenTransformerMemory;

/*
 * mren_transformer_remember
 *	  As mren_transformer_forward, and remembers the text of the batch's last sentence.  The memory
 *	  takes (2 layers + 1) * n_text * width floats.
 */
extern MrenStatus mren_transformer_remember(const MrenEnv *env, const MrenTransformer *encoder,
											const MrenTransformerBatch *batch, float *out,
											MrenTransformerMemory **memory, MrenError *err);

/* Releases a memory; NULL is allowed. */
extern void mren_transformer_forget(const MrenEnv *env, MrenTransformerMemory *memory);

/*
 * mren_transformer_markers
 *	  As mren_transformer_forward of the batch's only sentence, whose text is remembered, with the
 *	  same bits: only its markers are computed and, in the last layer, what is read of the text.
 */
extern MrenStatus mren_transformer_markers(const MrenEnv *env, const MrenTransformer *encoder,
										   const MrenTransformerBatch *batch,
										   const MrenTransformerMemory *memory, float *out,
										   MrenError *err);

#endif
