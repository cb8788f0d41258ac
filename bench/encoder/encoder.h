/*
 * encoder.h
 *	  Encoders for bench/encoder: their shapes, and weights at random, which do not change the work.
 *
 * A shape is minilm or base, with "-int8" behind it for an encoder of bytes.
 */
#ifndef BENCH_ENCODER_H
#define BENCH_ENCODER_H

#include "../bench.h"
#include "../encoders.h"

#include <string.h>

#include "base/random.h"

#define MAX_RUNS 4096

/* Small weights; those of layer norms about 1. */
static float *
make_weights(const MrenTransformerConfig *config)
{
	size_t n = mren_transformer_parameters(config);
	float *weights = bench_allocate(NULL, n * sizeof(float));
	MrenTransformerTensor tensor;
	float *at = weights;
	MrenRandom random;

	mren_random_seed(&random, 1, 0);
	for (size_t i = 0; mren_transformer_tensor(config, i, &tensor); i++)
	{
		bool norm = strstr(tensor.name, "norm.weight") != NULL;

		n = tensor.rows * (tensor.columns == 0 ? 1 : tensor.columns);
		for (size_t j = 0; j < n; j++)
			*at++ = (norm ? 1 : 0) + 0.1f * (mren_random_uniform(&random) - 0.5f);
	}
	return weights;
}

static const MrenTransformerConfig *
shape_config(const char *shape)
{
	return strncmp(shape, "base", 4) == 0 ? &bench_base : &bench_minilm;
}

static bool
is_int8(const char *shape)
{
	return strstr(shape, "-int8") != NULL;
}

#endif
