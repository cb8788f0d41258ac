/*
 * fuzz_safetensors.c
 *	  Any bytes as a safetensors file, and as the weights of an encoder.
 *
 * What is accepted must lie in the file, tensor by tensor.
 */
#include "fuzz.h"

#include <string.h>

#include "transformer/file/tensor_names.h"

/* Every byte of a tensor is read, so that a wrong place shows under the sanitizer. */
static unsigned
sum_of(const MrenSafetensors *set)
{
	unsigned sum = 0;

	for (size_t i = 0; i < set->n; i++)
	{
		const MrenSafetensor *tensor = &set->items[i];

		if (mren_safetensors_find(set, tensor->name) != tensor)
			abort();
		for (size_t k = 0; k < tensor->bytes; k++)
			sum += tensor->data[k];
	}
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const MrenTransformerConfig config = {.architecture = MREN_TRANSFORMER_BERT,
												 .layers = 1,
												 .width = 2,
												 .heads = 1,
												 .intermediate = 3,
												 .embedding_width = 2,
												 .vocabulary = 2,
												 .positions = 2,
												 .absolute_positions = true};
	const MrenSafetensor *tensors[MREN_TRANSFORMER_MAX_TENSORS];
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 64 << 20);
	MrenSafetensors set = {NULL};
	MrenError err = {0};
	MrenStatus status = mren_safetensors_add(env, &set, "fuzz", data, size, &err);

	if (status == MREN_OK)
	{
		static volatile unsigned kept;
		MrenTransformerTensor tensor;
		size_t n = 0;

		kept = sum_of(&set);
		while (mren_transformer_tensor(&config, n, &tensor))
			n++;
		status = mren_exported_tensors(env, &set, &config, tensors, n, &err);
	}
	if (status != MREN_OK && strlen(err.message) == 0)
		abort();
	mren_safetensors_close(env, &set);
	fuzz_done(&fuzz);
	return 0;
}
