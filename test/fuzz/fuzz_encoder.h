/*
 * fuzz_encoder.h
 *	  A tiny pretrained text encoder, to which the networks and taggers of the corpora fit.
 */
#ifndef MREN_TEST_FUZZ_ENCODER_H
#define MREN_TEST_FUZZ_ENCODER_H

#include "transformer/pretrained.h"

#define FUZZ_ENCODER_PIECES 16

static MrenStatus
fuzz_encoder_read(void *state, float *weights, MrenError *err)
{
	const MrenTransformerConfig *config = state;
	size_t n = mren_transformer_parameters(config);

	(void) err;
	for (size_t i = 0; i < n; i++)
		weights[i] = (float) (i % 13) / 16 - 0.375f;
	return MREN_OK;
}

static inline MrenEncoderSource
fuzz_encoder(void)
{
	static const MrenTransformerConfig config = {.architecture = MREN_TRANSFORMER_BERT,
												 .layers = 2,
												 .width = 16,
												 .heads = 2,
												 .intermediate = 32,
												 .embedding_width = 16,
												 .vocabulary = FUZZ_ENCODER_PIECES,
												 .positions = 16,
												 .token_types = 2,
												 .eps = 1e-5f,
												 .absolute_positions = true};

	return (MrenEncoderSource){config, (void *) &config, fuzz_encoder_read};
}

#endif
