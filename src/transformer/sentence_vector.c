/*
 * sentence_vector.c
 *	  Pooling over the pieces of a sentence, in windows where it is long.
 */
#include "transformer/sentence_vector.h"

#include <string.h>

#include "transformer/encoder_parts.h"

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

/* Pieces start to start + n of the text, of which those from `from` to `to` count. */
typedef struct Window
{
	size_t start;
	size_t n;
	size_t from;
	size_t to;
} Window;

static Window
first_window(const Reading *reading)
{
	size_t n = reading->pieces->n_text;

	return (Window){.n = n < reading->room ? n : reading->room};
}

static bool
is_last(const Reading *reading, const Window *window)
{
	return window->start + window->n == reading->pieces->n_text;
}

static size_t
next_start(const Reading *reading, const Window *window)
{
	size_t start = window->start + (reading->room - reading->room / 2);
	size_t last = reading->pieces->n_text - reading->room;

	return start < last ? start : last;
}

/* Where the next window's pieces begin to count: past the middle between the two middles. */
static size_t
border(const Reading *reading, const Window *window)
{
	if (is_last(reading, window))
		return reading->pieces->n_text;
	return (window->start + next_start(reading, window) + reading->room + 1) / 2;
}

static MrenStatus
run_window(Reading *reading, const Window *window, MrenError *err)
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
add_window(Reading *reading, const Window *window)
{
	const MrenSentencePieces *pieces = reading->pieces;
	size_t width = reading->encoder->config.width;
	size_t from = window->start == 0 ? 0 : pieces->n_before + window->from - window->start;
	size_t to = pieces->n_before + window->to - window->start;

	if (is_last(reading, window))
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
	Window window = first_window(reading);

	for (;;)
	{
		window.to = border(reading, &window);
		MREN_TRY(run_window(reading, &window, err));
		add_window(reading, &window);
		if (is_last(reading, &window))
			break;
		window.from = window.to;
		window.start = next_start(reading, &window);
	}
	for (size_t j = 0; j < width; j++)
		out[j] = (float) (reading->sum[j] / (double) n);
	return MREN_OK;
}

static MrenStatus
first_vector(Reading *reading, float *out, MrenError *err)
{
	Window window = first_window(reading);
	size_t n = reading->pieces->n_before + window.n + reading->pieces->n_after;

	MREN_TRY(mren_allocate_zero(reading->env, n, sizeof(bool), &reading->read, err));
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
	size_t n;

	if (special >= most)
		return mren_fail(err, MREN_EDATA, "encoder must have more than %zu positions, not %zu",
						 special, most);
	reading->room = most - special;
	n = special + first_window(reading).n;
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
	close_reading(&reading);
	return status;
}
