/*
 * tag_encoder.c
 *	  Attaching a tagger's text encoder, and reading sentences with it.
 */
#include "tagger/tag_encoder.h"

#include <string.h>

#include "base/weights.h"

static MrenStatus
fail_shape(MrenError *err, const char *what, size_t value)
{
	return mren_fail(err, MREN_EFORMAT, "invalid tagger: %s of %zu", what, value);
}

MrenStatus
mren_tag_encoder_check(const MrenTagEncoderShape *shape, MrenError *err)
{
	if (shape->width == 0 || shape->width > MREN_TRANSFORMER_MAX_WIDTH)
		return fail_shape(err, "encoder width", shape->width);
	if (shape->int8 > 1)
		return fail_shape(err, "use of int8", shape->int8);
	return mren_tuning_shape_check(&shape->tuning, "tagger", err);
}

void
mren_tag_encoder_free(const MrenEnv *env, MrenTagEncoder *encoder)
{
	mren_transformer_free(env, encoder->encoder);
	mren_release(env, encoder->weights);
	mren_release(env, encoder->tuned);
	memset(encoder, 0, sizeof(*encoder));
}

static MrenStatus
make_encoder(const MrenEnv *env, MrenTagEncoder *encoder, const MrenEncoderSource *source,
			 MrenError *err)
{
	MrenTransformerTuning tuning = mren_tuning_shape_tuning(&encoder->shape.tuning);

	MREN_TRY(mren_transformer_room(env, &source->config, encoder->shape.int8 > 0, &encoder->weights,
								   err));
	if (!mren_weights_ready(env))
		MREN_TRY(source->read(source->state, encoder->weights, err));
	MREN_TRY(mren_check_interrupts(env, err));
	if (encoder->shape.tuning.n > 0 && !mren_weights_ready(env))
		MREN_TRY(mren_transformer_tuning_merge_flat(env, &source->config, &tuning, encoder->tuned,
													encoder->shape.tuning.n, encoder->weights,
													err));
	if (encoder->shape.int8 > 0)
		return mren_transformer_create_int8(env, &source->config, encoder->weights,
											&encoder->encoder, err);
	return mren_transformer_create_in_place(env, &source->config, encoder->weights,
											&encoder->encoder, err);
}

MrenStatus
mren_tag_encoder_attach(const MrenEnv *env, MrenTagEncoder *encoder,
						const MrenEncoderSource *source, MrenError *err)
{
	MrenStatus status;

	if (source->config.width != encoder->shape.width)
		return mren_fail(err, MREN_EFORMAT,
						 "text encoder has a width of %zu, but the tagger needs %zu",
						 source->config.width, encoder->shape.width);
	status = make_encoder(env, encoder, source, err);
	if (status != MREN_OK || encoder->shape.int8 > 0)
	{
		mren_release(env, encoder->weights);
		encoder->weights = NULL;
	}
	return status;
}

/*
 * Batches
 */

static MrenStatus
reserve(const MrenEnv *env, MrenTagTokenBatch *batch, size_t windows, size_t tokens, MrenError *err)
{
	MREN_TRY(mren_grow(env, &batch->windows, &batch->windows_capacity, 0, windows + 1,
					   sizeof(*batch->windows), err));
	MREN_TRY(
		mren_grow(env, &batch->ids, &batch->ids_capacity, 0, tokens + 1, sizeof(*batch->ids), err));
	MREN_TRY(mren_grow(env, &batch->positions, &batch->positions_capacity, 0, tokens + 1,
					   sizeof(*batch->positions), err));
	return mren_grow(env, &batch->read, &batch->read_capacity, 0, tokens + 1, sizeof(*batch->read),
					 err);
}

/* Marks the first pieces of words, in read of tokens from number `begin` on. */
static void
mark_read(const uint32_t *firsts, size_t n_words, size_t begin, bool *read)
{
	for (size_t w = 0; w < n_words; w++)
	{
		if (firsts[w] != UINT32_MAX)
			read[firsts[w] - begin] = true;
	}
}

MrenStatus
mren_tag_token_batch_fill(const MrenEnv *env, MrenTagTokenBatch *batch, const MrenTagInput *inputs,
						  size_t n, MrenError *err)
{
	size_t n_windows = 0;
	size_t n_tokens = 0;

	for (size_t s = 0; s < n; s++)
	{
		n_windows += inputs[s].tokens.n_windows;
		n_tokens += inputs[s].tokens.n;
	}
	MREN_TRY(reserve(env, batch, n_windows, n_tokens, err));
	memset(batch->read, 0, n_tokens * sizeof(*batch->read));
	n_windows = n_tokens = 0;
	for (size_t s = 0; s < n; s++)
	{
		const MrenTagTokens *tokens = &inputs[s].tokens;

		memcpy(batch->ids + n_tokens, tokens->ids, tokens->n * sizeof(int32_t));
		mark_read(tokens->firsts, inputs[s].n_words, 0, batch->read + n_tokens);
		for (size_t i = 0; i < tokens->n_windows; i++)
		{
			batch->windows[n_windows++] = (MrenTransformerSentence){.n_text = tokens->windows[i]};
			for (uint32_t at = 0; at < tokens->windows[i]; at++)
				batch->positions[n_tokens++] = at;
		}
	}
	batch->batch = (MrenTransformerBatch){.sentences = batch->windows,
										  .n_sentences = n_windows,
										  .ids = batch->ids,
										  .positions = batch->positions,
										  .n_tokens = n_tokens,
										  .read = batch->read};
	return MREN_OK;
}

void
mren_tag_token_batch_free(const MrenEnv *env, MrenTagTokenBatch *batch)
{
	mren_release(env, batch->windows);
	mren_release(env, batch->ids);
	mren_release(env, batch->positions);
	mren_release(env, batch->read);
	memset(batch, 0, sizeof(*batch));
}

/*
 * Vectors
 */

/* A window: its tokens, and the words that begin in it. */
typedef struct Window
{
	size_t number;
	size_t begin;
	size_t first_word;
	size_t end_word;
} Window;

/* What is read of a window, and where. */
typedef struct Reading
{
	const MrenTagEncoder *encoder;
	MrenTagTokenBatch batch;
	float *vectors;
	size_t vectors_capacity;
} Reading;

static MrenStatus
read_window(const MrenEnv *env, Reading *reading, const MrenTagTokens *tokens, const Window *window,
			MrenError *err)
{
	MrenTagInput input = {.tokens = {.n_windows = 1,
									 .windows = tokens->windows + window->number,
									 .n = tokens->windows[window->number],
									 .ids = tokens->ids + window->begin}};

	MREN_TRY(mren_tag_token_batch_fill(env, &reading->batch, &input, 1, err));
	mark_read(tokens->firsts + window->first_word, window->end_word - window->first_word,
			  window->begin, reading->batch.read);
	MREN_TRY(mren_grow(env, &reading->vectors, &reading->vectors_capacity, 0,
					   input.tokens.n * reading->encoder->shape.width, sizeof(float), err));
	return mren_transformer_forward(env, reading->encoder->encoder, &reading->batch.batch,
									reading->vectors, err);
}

/* Words' first pieces ascend, so each window has a run of words. */
static MrenStatus
read_windows(const MrenEnv *env, Reading *reading, const MrenTagInput *input, float *out,
			 MrenError *err)
{
	const MrenTagTokens *tokens = &input->tokens;
	size_t width = reading->encoder->shape.width;
	Window window = {0};

	for (; window.number < tokens->n_windows; window.number++)
	{
		size_t end = window.begin + tokens->windows[window.number];
		bool has_words = false;
		size_t w = window.first_word;

		for (; w < input->n_words && (tokens->firsts[w] == UINT32_MAX || tokens->firsts[w] < end);
			 w++)
			has_words |= tokens->firsts[w] != UINT32_MAX;
		window.end_word = w;
		if (has_words)
			MREN_TRY(read_window(env, reading, tokens, &window, err));
		for (w = window.first_word; w < window.end_word; w++)
		{
			if (tokens->firsts[w] != UINT32_MAX)
				memcpy(out + w * width,
					   reading->vectors + (tokens->firsts[w] - window.begin) * width,
					   width * sizeof(float));
		}
		window.begin = end;
		window.first_word = window.end_word;
	}
	return MREN_OK;
}

MrenStatus
mren_tag_encoder_vectors(const MrenEnv *env, const MrenTagEncoder *encoder,
						 const MrenTagInput *input, float *out, MrenError *err)
{
	Reading reading = {.encoder = encoder};
	MrenStatus status;

	if (encoder->encoder == NULL)
		return mren_fail(err, MREN_EPARAM, "the tagger's text encoder is not attached");
	memset(out, 0, input->n_words * encoder->shape.width * sizeof(float));
	status = read_windows(env, &reading, input, out, err);
	mren_release(env, reading.vectors);
	mren_tag_token_batch_free(env, &reading.batch);
	return status;
}
