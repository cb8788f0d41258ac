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
#include "transformer/file/encoder_tokenizer.h"
#include "transformer/file/stored_encoder.h"

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

/* Reads what is stored, into the context of env. */
static void
restore(const MrenEnv *env, const MrenTextEncoderRow *row, bool weights, MrenStoredEncoder *stored)
{
	MrenTextEncoderReader *reader = mren_catalog_text_encoder_begin(row);
	MrenByteSource source = {reader, get_bytes};
	MrenError err;
	MrenStatus status = mren_transformer_restore(env, &source, weights, stored, &err);

	if (status == MREN_ECANCELED || status == MREN_ENOMEM)
		mren_pg_raise(&err);
	if (status != MREN_OK)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("what is stored as text encoder %lld cannot be used", (long long) row->id),
				 errdetail_internal("%s", err.message)));
	mren_catalog_text_encoder_end(reader);
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

static TokenizerEntry *
read_tokenizer(const MrenTextEncoderRow *row, const MrenCacheKey *key)
{
	MemoryContext context = mren_cache_context("tokenizer");
	TokenizerEntry *entry = MemoryContextAllocZero(context, sizeof(TokenizerEntry));
	MrenEnv env = mren_pg_env(context);
	static uint64 opened = 0;
	MrenStoredEncoder stored;
	MrenTokenizerFile file;
	MrenSubwordTokenizer *tokenizer;
	MrenError err;

	entry->base.context = context;
	entry->base.key = *key;
	restore(&env, row, false, &stored);
	file = (MrenTokenizerFile){stored.tokenizer, &stored.vocab, stored.tokenizer_bytes,
							   stored.n_tokenizer};
	MREN_PG_CALL(err, mren_transformer_tokenizer(&env, &file, &stored.config, &tokenizer, &err));
	mren_transformer_stored_close(&env, &stored);
	entry->opened = (MrenOpenTokenizer){stored.config, tokenizer, mask_of(tokenizer), ++opened};
	entry->base.bytes = MemoryContextMemAllocated(context, true);
	return entry;
}

const MrenOpenTokenizer *
mren_encoder_open_tokenizer(const MrenTextEncoderRow *row)
{
	MrenCacheKey key = {.id = 0};
	TokenizerEntry *entry;

	memcpy(key.content, row->sha256, MREN_SHA256_LENGTH);
	entry = (TokenizerEntry *) mren_cache_find(&cache, &key);
	if (entry == NULL)
	{
		entry = read_tokenizer(row, &key);
		mren_cache_insert(&cache, &entry->base);
	}
	mren_cache_pin(&entry->base, CurrentMemoryContext);
	return &entry->opened;
}

void
mren_encoder_need_text(const uint8 *sha256, const char *model, MrenTextEncoderRow *row)
{
	if (!mren_catalog_text_encoder_by_hash(sha256, row, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the text encoder of model \"%s\" is not loaded", model),
				 errhint("Load the same encoder with mren.load_text_encoder, under any name.")));
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
mren_encoder_text_source(const MrenTextEncoderRow *row, MrenEncoderSource *source)
{
	const MrenOpenTokenizer *tokenizer = mren_encoder_open_tokenizer(row);

	*source = (MrenEncoderSource){tokenizer->config, (void *) row, read_weights};
}
