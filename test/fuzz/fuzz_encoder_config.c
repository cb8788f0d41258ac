/*
 * fuzz_encoder_config.c
 *	  Any bytes as the config.json of an encoder.
 *
 * What is accepted has sizes that can be used, and is the same when it is written and read
 * again.
 */
#include "fuzz.h"

#include <string.h>

#include "transformer/file/config_json.h"

static void
check(const MrenEnv *env, const MrenTransformerConfig *config)
{
	MrenTransformerConfig again;
	MrenTransformerTensor tensor;
	MrenBuffer buffer = {0};
	MrenError err = {0};

	if (config->width % config->heads != 0 || config->position_offset >= config->positions)
		abort();
	for (size_t i = 0; i < 64 && mren_transformer_tensor(config, i, &tensor); i++)
	{
		if (tensor.rows == 0)
			abort();
	}
	if (mren_config_json_write(env, config, &buffer, &err) != MREN_OK ||
		mren_config_json_read(buffer.data, buffer.len, &again, &err) != MREN_OK ||
		memcmp(&again, config, sizeof(again)) != 0)
		abort();
	mren_buffer_free(env, &buffer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 64 << 20);
	MrenTransformerConfig config;
	MrenError err = {0};

	memset(&config, 0, sizeof(config));
	if (mren_config_json_read(data, size, &config, &err) == MREN_OK)
		check(env, &config);
	else if (strlen(err.message) == 0)
		abort();
	fuzz_done(&fuzz);
	return 0;
}
