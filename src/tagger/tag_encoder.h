/*
 * tag_encoder.h
 *	  The pretrained text encoder of a tagger: what is stored of it, attaching it, and the
 *	  vectors of words.
 *
 * A word has the vector of its first piece (Devlin et al. 2019), or zeros without a piece.  A
 * tagger stores only what training has changed of the encoder; before it answers, the encoder
 * that it was trained from is attached to it.
 */
#ifndef MREN_TAGGER_TAG_ENCODER_H
#define MREN_TAGGER_TAG_ENCODER_H

#include "tagger/tag_input.h"
#include "transformer/encoder.h"
#include "transformer/pretrained.h"
#include "transformer/train/tuning.h"

/* Which encoder, and which part of it was trained. */
typedef struct MrenTagEncoderShape
{
	size_t width; /* 0: there is no encoder */
	MrenTuningShape tuning;
	size_t int8; /* 1: answers are computed with matrices of bytes */
} MrenTagEncoderShape;

typedef struct MrenTagEncoder
{
	MrenTagEncoderShape shape;
	uint8_t sha256[32]; /* of the pretrained encoder */
	float *tuned;		/* (shape.tuning.n) the tensors of tuning.h, one after the other */
	bool set;			/* tuned has its values */
	/* NULL until an encoder is attached: its merged weights, unless it has copied them; and it. */
	float *weights;
	MrenTransformer *encoder;
} MrenTagEncoder;

/* MREN_EFORMAT unless every field is in its range. */
extern MrenStatus mren_tag_encoder_check(const MrenTagEncoderShape *shape, MrenError *err);

extern void mren_tag_encoder_free(const MrenEnv *env, MrenTagEncoder *encoder);

/*
 * mren_tag_encoder_attach
 *	  Reads the pretrained encoder and merges what was trained.  MREN_EFORMAT if its sizes do
 *	  not fit; MREN_ENOMEM, MREN_ECANCELED, the errors of the source.
 */
extern MrenStatus mren_tag_encoder_attach(const MrenEnv *env, MrenTagEncoder *encoder,
										  const MrenEncoderSource *source, MrenError *err);

/*
 * mren_tag_encoder_vectors
 *	  The vectors of a sentence's words, out (n_words, width).  Windows without a word's first
 *	  piece are not read, and one is read at a time.  MREN_EPARAM without an attached encoder;
 *	  MREN_EDATA for a token that the encoder does not have; MREN_ENOMEM, MREN_ECANCELED.
 */
extern MrenStatus mren_tag_encoder_vectors(const MrenEnv *env, const MrenTagEncoder *encoder,
										   const MrenTagInput *input, float *out, MrenError *err);

/* The windows of several sentences as an encoder's batch.  Zero at first. */
typedef struct MrenTagTokenBatch
{
	MrenTransformerBatch batch;
	MrenTransformerSentence *windows;
	int32_t *ids;
	uint32_t *positions;
	bool *read; /* the first pieces of words */
	size_t windows_capacity, ids_capacity, positions_capacity, read_capacity;
} MrenTagTokenBatch;

extern MrenStatus mren_tag_token_batch_fill(const MrenEnv *env, MrenTagTokenBatch *batch,
											const MrenTagInput *inputs, size_t n, MrenError *err);
extern void mren_tag_token_batch_free(const MrenEnv *env, MrenTagTokenBatch *batch);

#endif
