/*
 * sentence_vector.c
 *	  Pooling over the pieces of a sentence, in windows where it is long.
 */
#include "transformer/sentence_vector.h"

#include <math.h>
#include <string.h>

#include "transformer/encoder_parts.h"
#include "transformer/piece_windows.h"

typedef struct Reading
{
	const MrenEnv *env;
	const MrenTransformer *encoder;
	const MrenSentencePieces *pieces;
	size_t room; /* pieces of text in a window */
	int32_t *ids;
	uint32_t *positions;
	bool *read;		/* NULL: all tokens */
	float *vectors; /* of a window's tokens */
	double *sum;	/* (width) */
} Reading;

static MrenStatus
run_window(Reading *reading, const MrenWindow *window, MrenError *err)
{
	const MrenSentencePieces *pieces = reading->pieces;
	size_t n = pieces->n_before + window->n + pieces->n_after;
	MrenTransformerSentence sentence = {.n_text = n};
	MrenTransformerBatch batch = {.sentences = &sentence,
								  .n_sentences = 1,
								  .ids = reading->ids,
								  .positions = reading->positions,
								  .n_tokens = n,
								  .read = reading->read};
	int32_t *ids = reading->ids;

	memcpy(ids, pieces->ids, pieces->n_before * sizeof(int32_t));
	ids += pieces->n_before;
	memcpy(ids, pieces->ids + pieces->n_before + window->start, window->n * sizeof(int32_t));
	ids += window->n;
	memcpy(ids, pieces->ids + pieces->n_before + pieces->n_text, pieces->n_after * sizeof(int32_t));
	return mren_transformer_forward(reading->env, reading->encoder, &batch, reading->vectors, err);
}

/* Adds the vectors of the window that count. */
static void
add_window(Reading *reading, const MrenWindow *window)
{
	const MrenSentencePieces *pieces = reading->pieces;
	size_t width = reading->encoder->config.width;
	size_t from = window->start == 0 ? 0 : pieces->n_before + window->from - window->start;
	size_t to = pieces->n_before + window->to - window->start;

	if (window->start + window->n == pieces->n_text)
		to += pieces->n_after;
	for (size_t i = from; i < to; i++)
	{
		for (size_t j = 0; j < width; j++)
			reading->sum[j] += (double) reading->vectors[i * width + j];
	}
}

static MrenStatus
mean(Reading *reading, float *out, MrenError *err)
{
	const MrenSentencePieces *pieces = reading->pieces;
	size_t width = reading->encoder->config.width;
	size_t n = pieces->n_before + pieces->n_text + pieces->n_after;
	MrenWindow window = {0};

	while (mren_next_window(&window, pieces->n_text, reading->room))
	{
		MREN_TRY(run_window(reading, &window, err));
		add_window(reading, &window);
	}
	for (size_t j = 0; j < width; j++)
		out[j] = (float) (reading->sum[j] / (double) n);
	return MREN_OK;
}

static MrenStatus
first_vector(Reading *reading, float *out, MrenError *err)
{
	const MrenSentencePieces *pieces = reading->pieces;
	MrenWindow window = {0};

	mren_next_window(&window, pieces->n_text, reading->room);
	MREN_TRY(mren_allocate_zero(reading->env, pieces->n_before + window.n + pieces->n_after,
								sizeof(bool), &reading->read, err));
	reading->read[0] = true;
	MREN_TRY(run_window(reading, &window, err));
	memcpy(out, reading->vectors, reading->encoder->config.width * sizeof(float));
	return MREN_OK;
}

static void
close_reading(Reading *reading)
{
	mren_release(reading->env, reading->ids);
	mren_release(reading->env, reading->positions);
	mren_release(reading->env, reading->read);
	mren_release(reading->env, reading->vectors);
	mren_release(reading->env, reading->sum);
}

/* Memory for the longest window; on failure the caller closes. */
static MrenStatus
open_reading(Reading *reading, MrenError *err)
{
	const MrenEnv *env = reading->env;
	size_t width = reading->encoder->config.width;
	size_t special = reading->pieces->n_before + reading->pieces->n_after;
	size_t most = mren_transformer_max_tokens(&reading->encoder->config);
	MrenWindow longest = {0};
	size_t n;

	if (special >= most)
		return mren_fail(err, MREN_EDATA, "encoder must have more than %zu positions, not %zu",
						 special, most);
	reading->room = most - special;
	mren_next_window(&longest, reading->pieces->n_text, reading->room);
	n = special + longest.n;
	if (n == 0)
		return mren_fail(err, MREN_EDATA, "sentence must have at least one piece");
	if (n > SIZE_MAX / MREN_TRANSFORMER_MAX_WIDTH)
		return mren_fail_nomem(err);
	MREN_TRY(mren_allocate(env, n, sizeof(int32_t), &reading->ids, err));
	MREN_TRY(mren_allocate(env, n, sizeof(uint32_t), &reading->positions, err));
	MREN_TRY(mren_allocate(env, n * width, sizeof(float), &reading->vectors, err));
	MREN_TRY(mren_allocate_zero(env, width, sizeof(double), &reading->sum, err));
	for (size_t i = 0; i < n; i++)
		reading->positions[i] = (uint32_t) i;
	return MREN_OK;
}

MrenStatus
mren_sentence_vector(const MrenEnv *env, const MrenTransformer *encoder,
					 const MrenSentencePieces *pieces, MrenPooling pooling, float *out,
					 MrenError *err)
{
	Reading reading = {.env = env, .encoder = encoder, .pieces = pieces};
	MrenStatus status = open_reading(&reading, err);

	if (status == MREN_OK)
		status = pooling == MREN_POOLING_CLS ? first_vector(&reading, out, err)
											 : mean(&reading, out, err);
	for (size_t j = 0; status == MREN_OK && j < encoder->config.width; j++)
	{
		if (!isfinite(out[j]))
			status =
				mren_fail(err, MREN_ENUMERIC, "the encoder's vector of the sentence is not finite");
	}
	close_reading(&reading);
	return status;
}
