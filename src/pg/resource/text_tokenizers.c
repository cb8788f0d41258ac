/*
 * text_tokenizers.c
 *	  The tokenizers of loaded text encoders, and the encoders' weights.
 */
#include "pg/resource/text_tokenizers.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/support/lru_cache.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/support/shared_files.h"
#include "transformer/file/encoder_tokenizer.h"

typedef struct TokenizerEntry
{
	MrenCacheEntry base;
	MrenOpenTokenizer opened;
} TokenizerEntry;

static MrenCache cache = MREN_CACHE_INIT(cache, &mren_text_encoder_cache, NULL);

static MrenStatus
get_bytes(void *state, void *bytes, size_t n, MrenError *err)
{
	CHECK_FOR_INTERRUPTS();
	if (mren_catalog_text_encoder_read(state, bytes, n) < n)
		return mren_fail(err, MREN_EFORMAT, "stored text encoder ends early");
	return MREN_OK;
}

/* Nothing may be stored after the encoder. */
static bool
at_end(MrenTextEncoderReader *reader)
{
	uint8 byte;

	return mren_catalog_text_encoder_read(reader, &byte, 1) == 0;
}

/* Reads what is in the catalog. */
static void
restore(const MrenEnv *env, const MrenTextEncoderRow *row, bool weights, MrenStoredEncoder *stored)
{
	MrenTextEncoderReader *reader = mren_catalog_text_encoder_begin(row);
	MrenByteSource source = {reader, get_bytes};
	MrenError err;
	MrenStatus status = mren_transformer_restore(env, &source, weights, stored, &err);

	if (status == MREN_ECANCELED || status == MREN_ENOMEM)
		mren_pg_raise(&err);
	if (status != MREN_OK || (weights && !at_end(reader)) ||
		stored->config.width != (size_t) row->width)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("what is stored as text encoder %lld cannot be used", (long long) row->id),
				 status != MREN_OK ? errdetail_internal("%s", err.message) : 0));
	mren_catalog_text_encoder_end(reader);
}

MrenStatus
mren_text_encoder_restore(const MrenEnv *env, const MrenTextEncoderRow *row, bool weights,
						  MrenStoredEncoder *stored, MrenSubwordTokenizer **tokenizer,
						  MrenError *err)
{
	MrenTokenizerFile file;

	if (mren_weights_ready(env))
		MREN_TRY(mren_transformer_restore(env, NULL, weights, stored, err));
	else
		restore(env, row, weights, stored);
	file = (MrenTokenizerFile){stored->tokenizer, &stored->vocab, stored->tokenizer_bytes,
							   stored->n_tokenizer};
	MREN_TRY(mren_transformer_tokenizer(env, &file, &stored->config, tokenizer, err));
	mren_transformer_stored_tokenizer_close(env, stored);
	return MREN_OK;
}

/* What the exporters of these architectures call the mask, or else the unknown piece. */
static int32
mask_of(const MrenSubwordTokenizer *tokenizer)
{
	static const char *const names[] = {"[MASK]", "<mask>", "[UNK]", "<unk>"};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		uint32 id = mren_subword_lookup(tokenizer, names[i], strlen(names[i]));

		if (id != MREN_NO_PIECE)
			return (int32) id;
	}
	return 0;
}

typedef struct Opening
{
	MrenStoredEncoder stored;
	MrenSubwordTokenizer *tokenizer;
} Opening;

/* What opens a tokenizer, for mren_shared_open. */
static MrenStatus
open_tokenizer(void *state, const MrenEnv *env, void **opened, MrenError *err)
{
	Opening *opening;

	MREN_TRY(mren_allocate(env, 1, sizeof(*opening), &opening, err));
	*opened = opening;
	return mren_text_encoder_restore(env, state, false, &opening->stored, &opening->tokenizer, err);
}

static void *
read_tokenizer(const void *what)
{
	const MrenTextEncoderRow *row = what;
	TokenizerEntry *entry = mren_cache_entry("tokenizer", sizeof(TokenizerEntry));
	static uint64 opened = 0;
	Opening *opening;

	opening = mren_shared_open(MREN_SHARED_TOKENIZER, row->sha256, entry->base.context,
							   open_tokenizer, (void *) row);
	entry->opened = (MrenOpenTokenizer){opening->stored.config, opening->tokenizer,
										mask_of(opening->tokenizer), ++opened};
	return entry;
}

const MrenOpenTokenizer *
mren_text_encoder_open_tokenizer(const MrenTextEncoderRow *row)
{
	TokenizerEntry *entry = mren_cache_open(&cache, 0, row->sha256, read_tokenizer, row);

	return &entry->opened;
}

void
mren_text_encoder_need(const uint8 *sha256, const char *model, MrenTextEncoderRow *row)
{
	if (!mren_catalog_text_encoder_by_hash(sha256, row, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the text encoder of model \"%s\" is not loaded", model),
				 errhint("Load the same encoder with mren.load_text_encoder, under any name.")));
}

const MrenOpenTokenizer *
mren_text_encoder_open_tokenizer_by_hash(const uint8 *sha256, const char *model)
{
	MrenTextEncoderRow row;

	mren_text_encoder_need(sha256, model, &row);
	return mren_text_encoder_open_tokenizer(&row);
}

/* Reads into memory of its own first, since what is stored may be of another type. */
static MrenStatus
read_weights(void *state, float *weights, MrenError *err)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenStoredEncoder stored;

	(void) err;
	restore(&env, state, true, &stored);
	memcpy(weights, stored.weights, stored.n_weights * sizeof(float));
	mren_transformer_stored_close(&env, &stored);
	return MREN_OK;
}

void
mren_text_encoder_source(const MrenTextEncoderRow *row, MrenEncoderSource *source)
{
	const MrenOpenTokenizer *tokenizer = mren_text_encoder_open_tokenizer(row);

	*source = (MrenEncoderSource){tokenizer->config, (void *) row, read_weights};
}
