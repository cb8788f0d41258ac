/*
 * tiny_encoder.h
 *	  A text encoder of two layers with random weights, in place of a pretrained one.
 *
 * The including test defines TINY_VOCABULARY, TINY_POSITIONS, and the deviation of the weights,
 * TINY_DEVIATION.
 */
#ifndef MREN_TEST_TINY_ENCODER_H
#define MREN_TEST_TINY_ENCODER_H

#include <stdbool.h>
#include <string.h>

#include "base/random.h"
#include "transformer/pretrained.h"

#define WIDTH 16

static const MrenTransformerConfig tiny = {.architecture = MREN_TRANSFORMER_BERT,
										   .layers = 2,
										   .width = WIDTH,
										   .heads = 2,
										   .intermediate = 32,
										   .embedding_width = WIDTH,
										   .vocabulary = TINY_VOCABULARY,
										   .positions = TINY_POSITIONS,
										   .token_types = 2,
										   .eps = 1e-5f,
										   .absolute_positions = true};

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name);

	return n >= strlen(suffix) && strcmp(name + n - strlen(suffix), suffix) == 0;
}

/* Norms begin as those of a fresh encoder. */
static MrenStatus
read_tiny(void *state, float *weights, MrenError *err)
{
	MrenTransformerTensor tensor;
	MrenRandom random;

	(void) err;
	mren_random_seed(&random, 11, 0);
	for (size_t i = 0; mren_transformer_tensor(state, i, &tensor); i++)
	{
		size_t n = tensor.rows * (tensor.columns == 0 ? 1 : tensor.columns);

		for (size_t j = 0; j < n; j++)
		{
			if (ends_with(tensor.name, "norm.weight"))
				*weights++ = 1;
			else if (ends_with(tensor.name, "bias"))
				*weights++ = 0;
			else
				*weights++ = TINY_DEVIATION * mren_random_normal(&random);
		}
	}
	return MREN_OK;
}

static MrenEncoderSource
source_of(const MrenTransformerConfig *config)
{
	return (MrenEncoderSource){*config, (void *) config, read_tiny};
}

static MrenStatus
read_never(void *state, float *weights, MrenError *err)
{
	(void) state;
	(void) weights;
	(void) err;
	fail_msg("weights are read");
	return MREN_OK;
}

/* The same, whose weights must not be read. */
static MrenEncoderSource
unread_source_of(const MrenTransformerConfig *config)
{
	return (MrenEncoderSource){*config, (void *) config, read_never};
}

#endif
