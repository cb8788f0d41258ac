/*
 * stored_encoder.c
 *	  The canonical bytes in which an encoder is stored.
 */
#include "transformer/file/stored_encoder.h"

#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/half.h"
#include "base/hash.h"
#include "base/weights.h"
#include "transformer/file/config_json.h"
#include "transformer/file/encoder_tokenizer.h"

#define ALIGNMENT 64
#define MAX_CONFIG 4096
#define MAX_TOKENIZER ((uint64_t) 64 << 20)
/* Numbers that are read at once, and bytes that are written at once. */
#define PIECE ((size_t) 64 << 10)
#define PIECE_BYTES ((size_t) 1 << 20)

static const char magic[8] = "MRENTXT1";

static size_t
padding(size_t at)
{
	return (ALIGNMENT - at % ALIGNMENT) % ALIGNMENT;
}

static MrenStatus
put_zeros(const MrenByteSink *sink, size_t n, MrenError *err)
{
	static const uint8_t zeros[ALIGNMENT];

	return sink->put(sink->state, zeros, n, err);
}

/* The configuration and the tokenizer's file. */
static MrenStatus
put_beginning(const MrenEnv *env, const MrenTransformerConfig *config,
			  const MrenTokenizerFile *tokenizer, MrenBuffer *out, MrenError *err)
{
	MrenBuffer json = {0};
	MrenStatus status = mren_config_json_write(env, config, &json, err);

	if (status == MREN_OK)
		status = mren_buffer_reserve(env, out, 64 + json.len + tokenizer->len, err);
	if (status == MREN_OK)
	{
		bool vocab = tokenizer->source == MREN_TOKENIZER_VOCAB;

		mren_buffer_put_bytes(out, magic, sizeof(magic));
		mren_buffer_put_u32(out, (uint32_t) json.len);
		mren_buffer_put_bytes(out, json.data, json.len);
		mren_buffer_put_u8(out, (uint8_t) tokenizer->source);
		mren_buffer_put_u8(out, vocab && tokenizer->vocab->lower_case);
		mren_buffer_put_u8(out, vocab && tokenizer->vocab->chinese_characters);
		mren_buffer_put_u8(out, vocab ? (uint8_t) (tokenizer->vocab->strip_accents + 1) : 0);
		mren_buffer_put_u64(out, tokenizer->len);
		if (tokenizer->len > 0)
			mren_buffer_put_bytes(out, tokenizer->bytes, tokenizer->len);
	}
	mren_buffer_free(env, &json);
	return status;
}

/* All that is before the numbers. */
static MrenStatus
put_header(const MrenEnv *env, const MrenTransformerSource *source, MrenBuffer *header,
		   MrenError *err)
{
	MrenTokenizerFile tokenizer = {source->tokenizer, &source->vocab, source->tokenizer_file->bytes,
								   source->tokenizer_file->len};

	MREN_TRY(put_beginning(env, &source->config, &tokenizer, header, err));
	MREN_TRY(mren_buffer_reserve(env, header, 4 + source->n_tensors, err));
	mren_buffer_put_u32(header, (uint32_t) source->n_tensors);
	for (size_t i = 0; i < source->n_tensors; i++)
		mren_buffer_put_u8(header, (uint8_t) source->tensors[i]->type);
	return MREN_OK;
}

/* In pieces: a sink hashes what it gets, which takes seconds for a large embedding table. */
static MrenStatus
put_tensor(const MrenEnv *env, const MrenSafetensor *tensor, const MrenByteSink *sink,
		   MrenError *err)
{
	for (size_t at = 0; at < tensor->bytes; at += PIECE_BYTES)
	{
		size_t n = tensor->bytes - at < PIECE_BYTES ? tensor->bytes - at : PIECE_BYTES;

		MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(sink->put(sink->state, tensor->data + at, n, err));
	}
	return MREN_OK;
}

MrenStatus
mren_transformer_store(const MrenEnv *env, const MrenTransformerSource *source,
					   const MrenByteSink *sink, MrenError *err)
{
	MrenBuffer header = {0};
	MrenStatus status = put_header(env, source, &header, err);
	size_t at = header.len;

	if (status == MREN_OK)
		status = sink->put(sink->state, header.data, header.len, err);
	mren_buffer_free(env, &header);
	MREN_TRY(status);
	for (size_t i = 0; i < source->n_tensors; i++)
	{
		const MrenSafetensor *tensor = source->tensors[i];

		MREN_TRY(put_zeros(sink, padding(at), err));
		MREN_TRY(put_tensor(env, tensor, sink, err));
		at += padding(at) + tensor->bytes;
	}
	return MREN_OK;
}

/* Reading, and how many bytes have been read. */
typedef struct Restoring
{
	const MrenEnv *env;
	const MrenByteSource *source;
	size_t at;
	MrenError *err;
} Restoring;

static MrenStatus
get(Restoring *restoring, void *bytes, size_t n)
{
	restoring->at += n;
	return restoring->source->get(restoring->source->state, bytes, n, restoring->err);
}

static MrenStatus
get_number(Restoring *restoring, size_t n_bytes, uint64_t *out)
{
	uint8_t bytes[8];

	MREN_TRY(get(restoring, bytes, n_bytes));
	*out = 0;
	for (size_t i = 0; i < n_bytes; i++)
		*out |= (uint64_t) bytes[i] << (8 * i);
	return MREN_OK;
}

static MrenStatus
fail_stored(Restoring *restoring, const char *what)
{
	return mren_fail(restoring->err, MREN_EFORMAT, "stored text encoder has %s", what);
}

static MrenStatus
get_config(Restoring *restoring, MrenTransformerConfig *config)
{
	uint8_t bytes[MAX_CONFIG];
	char begin[sizeof(magic)];
	uint64_t n;

	MREN_TRY(get(restoring, begin, sizeof(begin)));
	if (memcmp(begin, magic, sizeof(magic)) != 0)
		return fail_stored(restoring, "an unknown format");
	MREN_TRY(get_number(restoring, 4, &n));
	if (n > MAX_CONFIG)
		return fail_stored(restoring, "an impossible configuration");
	MREN_TRY(get(restoring, bytes, (size_t) n));
	return mren_config_json_read(bytes, (size_t) n, config, restoring->err);
}

static MrenStatus
get_tokenizer(Restoring *restoring, MrenStoredEncoder *encoder)
{
	uint64_t kind[4];
	uint64_t n;

	for (int i = 0; i < 4; i++)
		MREN_TRY(get_number(restoring, 1, &kind[i]));
	MREN_TRY(get_number(restoring, 8, &n));
	if (kind[0] > MREN_TOKENIZER_VOCAB || kind[1] > 1 || kind[2] > 1 || kind[3] > 2 ||
		n > MAX_TOKENIZER)
		return fail_stored(restoring, "an impossible tokenizer");
	encoder->tokenizer = (MrenTokenizerSource) kind[0];
	encoder->vocab = (MrenVocabOptions){kind[1] == 1, (int) kind[3] - 1, kind[2] == 1};
	encoder->n_tokenizer = (size_t) n;
	MREN_TRY(
		mren_allocate(restoring->env, (size_t) n, 1, &encoder->tokenizer_bytes, restoring->err));
	return get(restoring, encoder->tokenizer_bytes, (size_t) n);
}

/* n numbers, at most PIECE, at `raw` to floats; false if one is not finite. */
static bool
to_floats(const uint8_t *raw, size_t n, MrenNumberType type, float *out)
{
	bool finite = true;

	for (size_t i = 0; i < n; i++)
	{
		const uint8_t *at = raw + i * (type == MREN_NUMBER_F32 ? 4 : 2);
		uint32_t bits = (uint32_t) at[0] | (uint32_t) at[1] << 8;

		if (type == MREN_NUMBER_F32)
			bits |= (uint32_t) at[2] << 16 | (uint32_t) at[3] << 24;
		else if (type == MREN_NUMBER_BF16)
			bits <<= 16;
		if (type == MREN_NUMBER_F16)
			out[i] = mren_half_to_float((uint16_t) bits);
		else
			memcpy(&out[i], &bits, sizeof(bits));
		finite &= isfinite(out[i]) != 0;
	}
	return finite;
}

static MrenStatus
get_tensor(Restoring *restoring, size_t n, MrenNumberType type, uint8_t *raw, float *out)
{
	uint8_t zeros[ALIGNMENT];
	size_t size = type == MREN_NUMBER_F32 ? 4 : 2;

	MREN_TRY(get(restoring, zeros, padding(restoring->at)));
	for (size_t at = 0; at < n; at += PIECE)
	{
		size_t m = n - at < PIECE ? n - at : PIECE;

		MREN_TRY(mren_check_interrupts(restoring->env, restoring->err));
		MREN_TRY(get(restoring, raw, m * size));
		if (!to_floats(raw, m, type, out + at))
			return mren_fail(restoring->err, MREN_ENUMERIC,
							 "stored text encoder contains NaN or infinity");
	}
	return MREN_OK;
}

static MrenStatus
get_tensors(Restoring *restoring, const uint8_t *types, size_t n_tensors, uint8_t *raw,
			MrenStoredEncoder *encoder)
{
	MrenTransformerTensor tensor;
	size_t at = 0;

	for (size_t i = 0; i < n_tensors && mren_transformer_tensor(&encoder->config, i, &tensor); i++)
	{
		size_t n = tensor.rows * (tensor.columns == 0 ? 1 : tensor.columns);

		MREN_TRY(get_tensor(restoring, n, (MrenNumberType) types[i], raw, encoder->weights + at));
		at += n;
	}
	return MREN_OK;
}

static MrenStatus
get_weights(Restoring *restoring, MrenStoredEncoder *encoder)
{
	uint8_t types[MREN_TRANSFORMER_MAX_TENSORS];
	MrenTransformerTensor tensor;
	uint64_t n;
	size_t expected = 0;
	uint8_t *raw;
	MrenStatus status;

	while (mren_transformer_tensor(&encoder->config, expected, &tensor))
		expected++;
	MREN_TRY(get_number(restoring, 4, &n));
	if (n != expected || n > sizeof(types))
		return fail_stored(restoring, "another number of tensors than its configuration");
	MREN_TRY(get(restoring, types, (size_t) n));
	for (size_t i = 0; i < n; i++)
	{
		if (types[i] > MREN_NUMBER_BF16)
			return fail_stored(restoring, "numbers of an unknown type");
	}
	encoder->n_weights = mren_transformer_parameters(&encoder->config);
	MREN_TRY(mren_allocate(restoring->env, PIECE, 4, &raw, restoring->err));
	status = mren_allocate(restoring->env, encoder->n_weights, sizeof(float), &encoder->weights,
						   restoring->err);
	if (status == MREN_OK)
		status = get_tensors(restoring, types, (size_t) n, raw, encoder);
	mren_release(restoring->env, raw);
	return status;
}

/* Gives the bytes of a block. */
static MrenStatus
get_of_block(void *state, void *bytes, size_t n, MrenError *err)
{
	MrenWeightsBlock *block = state;

	if (n > block->len)
		return mren_fail(err, MREN_EFORMAT, "invalid file of a text encoder: it ends early");
	memcpy(bytes, block->data, n);
	block->data = (const uint8_t *) block->data + n;
	block->len -= n;
	return MREN_OK;
}

/* The configuration and the kind of tokenizer as a block, and a checksum of it. */
static MrenStatus
record_beginning(const MrenEnv *env, MrenStoredEncoder *encoder, MrenError *err)
{
	MrenTokenizerFile tokenizer = {encoder->tokenizer, &encoder->vocab, NULL, 0};

	MREN_TRY(put_beginning(env, &encoder->config, &tokenizer, &encoder->beginning, err));
	MREN_TRY(mren_buffer_reserve(env, &encoder->beginning, sizeof(uint64_t), err));
	mren_buffer_put_u64(&encoder->beginning,
						mren_hash64(encoder->beginning.data, encoder->beginning.len, 0));
	return mren_weights_add(env->weights, encoder->beginning.data, encoder->beginning.len, err);
}

/* That block, unless it is damaged: whoever has the encoder relies on its sizes. */
static MrenStatus
take_beginning(const MrenEnv *env, MrenWeightsBlock *block, MrenError *err)
{
	MREN_TRY(mren_weights_next(env, block, err));
	if (block->len >= sizeof(uint64_t))
	{
		MrenCursor cursor = {.at = (const uint8_t *) block->data + block->len - sizeof(uint64_t),
							 .end = (const uint8_t *) block->data + block->len};

		block->len -= sizeof(uint64_t);
		if (mren_cursor_u64(&cursor) == mren_hash64(block->data, block->len, 0))
			return MREN_OK;
	}
	return mren_fail(err, MREN_EFORMAT, "invalid file of a text encoder: its checksum differs");
}

MrenStatus
mren_transformer_restore(const MrenEnv *env, const MrenByteSource *source, bool with_weights,
						 MrenStoredEncoder *encoder, MrenError *err)
{
	bool ready = mren_weights_ready(env);
	MrenWeightsBlock block = {0};
	MrenByteSource shared = {&block, get_of_block};
	Restoring restoring = {env, ready ? &shared : source, 0, err};
	MrenStatus status;

	memset(encoder, 0, sizeof(*encoder));
	if (ready)
		MREN_TRY(take_beginning(env, &block, err));
	status = get_config(&restoring, &encoder->config);
	if (status == MREN_OK)
		status = get_tokenizer(&restoring, encoder);
	if (status == MREN_OK && with_weights && !ready)
		status = get_weights(&restoring, encoder);
	if (status == MREN_OK && env->weights != NULL && !ready)
		status = record_beginning(env, encoder, err);
	if (status != MREN_OK)
		mren_transformer_stored_close(env, encoder);
	return status;
}

void
mren_transformer_stored_tokenizer_close(const MrenEnv *env, MrenStoredEncoder *encoder)
{
	mren_release(env, encoder->tokenizer_bytes);
	encoder->tokenizer_bytes = NULL;
	encoder->n_tokenizer = 0;
}

void
mren_transformer_stored_close(const MrenEnv *env, MrenStoredEncoder *encoder)
{
	mren_transformer_stored_tokenizer_close(env, encoder);
	mren_release(env, encoder->weights);
	mren_buffer_free(env, &encoder->beginning);
	encoder->weights = NULL;
}
