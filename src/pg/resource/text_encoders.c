/*
 * text_encoders.c
 *	  Loaded text encoders, cached in the backend.
 *
 * The parts in the catalog are read one by one into the weights, so that a backend holds
 * an encoder only once, as floats, also while it is read.  The network is made of them in
 * place when the encoder is opened, and the tokenizer parsed, once for all calls.
 */
#include "pg/resource/text_encoders.h"

#include "utils/memutils.h"

#include "pg/resource/text_tokenizers.h"
#include "pg/support/lru_cache.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"

typedef struct TextEncoder
{
	MrenCacheEntry base;
	MrenOpenTextEncoder opened;
} TextEncoder;

static MrenCache cache = MREN_CACHE_INIT(cache, &mren_text_encoder_cache, NULL);

/* The weights as they are used in place, from now on or already. */
static MrenStatus
share_weights(const MrenEnv *env, MrenStoredEncoder *stored, MrenError *err)
{
	bool filled;

	if (mren_weights_ready(env))
		return mren_allocate_weights(env, mren_transformer_parameters(&stored->config),
									 sizeof(float), &stored->weights, &filled, err);
	if (env->weights == NULL)
		return MREN_OK;
	return mren_weights_add(env->weights, stored->weights, stored->n_weights * sizeof(float), err);
}

/* What opens an encoder, for mren_shared_open. */
static MrenStatus
open_encoder(void *state, const MrenEnv *env, void **opened, MrenError *err)
{
	MrenStoredEncoder *stored;
	MrenOpenTextEncoder *encoder;
	MrenSubwordTokenizer *tokenizer;
	MrenTransformer *transformer;

	MREN_TRY(mren_allocate(env, 1, sizeof(*stored), &stored, err));
	MREN_TRY(mren_allocate(env, 1, sizeof(*encoder), &encoder, err));
	MREN_TRY(mren_text_encoder_restore(env, state, true, stored, &tokenizer, err));
	MREN_TRY(share_weights(env, stored, err));
	MREN_TRY(
		mren_transformer_create_in_place(env, &stored->config, stored->weights, &transformer, err));
	*encoder = (MrenOpenTextEncoder){&stored->config, tokenizer, transformer};
	*opened = encoder;
	return MREN_OK;
}

static void *
read_encoder(const void *what)
{
	const MrenTextEncoderRow *row = what;
	TextEncoder *encoder = mren_cache_entry("text encoder", sizeof(TextEncoder));

	encoder->opened = *(MrenOpenTextEncoder *) mren_shared_open(
		MREN_SHARED_TEXT_ENCODER, row->sha256, encoder->base.context, open_encoder, (void *) row);
	return encoder;
}

const MrenOpenTextEncoder *
mren_text_encoder_open(const MrenTextEncoderRow *row)
{
	TextEncoder *encoder = mren_cache_open(&cache, 0, row->sha256, read_encoder, row);

	return &encoder->opened;
}
