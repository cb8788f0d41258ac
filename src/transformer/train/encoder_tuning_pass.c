/*
 * encoder_tuning_pass.c
 *	  A batch forward and backward, in bounded memory.
 *
 * A batch is divided into parts of whole sentences, which are run one after the other; backward
 * runs all but the last one forward again.  How it is divided depends on the sentences alone, so
 * that the memory at hand does not change a bit.
 */
#include "transformer/train/encoder_tuning.h"

/* Of a part; a longer sentence is a part of its own. */
#define PART_TOKENS 2048

typedef struct Part
{
	MrenTransformerBatch batch;
	size_t number; /* from 1 */
	size_t first;  /* token of the batch */
} Part;

static size_t
count_tokens(const MrenTransformerSentence *sentence)
{
	return sentence->n_text + sentence->n_groups * sentence->group_size;
}

/* Makes part the one that follows it; false behind the last. */
static bool
next_part(const MrenTransformerBatch *batch, Part *part)
{
	const MrenTransformerSentence *first = part->batch.sentences + part->batch.n_sentences;
	const MrenTransformerSentence *end = batch->sentences + batch->n_sentences;
	size_t at = part->first + part->batch.n_tokens;
	size_t n = 0;

	if (first == end)
		return false;
	part->number++;
	part->first = at;
	part->batch = *batch;
	part->batch.sentences = first;
	part->batch.n_sentences = 0;
	while (first != end && (n == 0 || n + count_tokens(first) <= PART_TOKENS))
	{
		n += count_tokens(first++);
		part->batch.n_sentences++;
	}
	part->batch.n_tokens = n;
	part->batch.ids += at;
	part->batch.positions += at;
	if (batch->types != NULL)
		part->batch.types += at;
	if (batch->read != NULL)
		part->batch.read += at;
	return true;
}

/* In front of the first part. */
static Part
before_parts(const MrenTransformerBatch *batch)
{
	return (Part){.batch = {.sentences = batch->sentences}};
}

static MrenStatus
check_memory(const MrenEncoderTuning *f, const Part *part, MrenError *err)
{
	size_t needed;

	if (f->memory == 0)
		return MREN_OK;
	needed = mren_transformer_trainer_batch_memory(&f->config, &f->tuning, part->batch.sentences,
												   part->batch.n_sentences, true);
	if (needed <= f->tuning.activations)
		return MREN_OK;
	mren_fail(err, MREN_ELIMIT,
			  "fine-tuning a text encoder on %zu tokens takes %zu kB, but %zu kB are left for it",
			  part->batch.n_tokens, needed / 1024, f->tuning.activations / 1024);
	return mren_transformer_tuning_hint(err);
}

static MrenStatus
run_part(MrenEncoderTuning *f, const Part *part, float *out, MrenError *err)
{
	MrenTransformerStep step = {.dropout = f->dropout, .seed = f->seed + part->number - 1};

	if (f->frozen != NULL)
		step.frozen = f->rows + part->first * f->config.width;
	MREN_TRY(check_memory(f, part, err));
	return mren_transformer_trainer_forward(f->trainer, &part->batch, &step, out, err);
}

MrenStatus
mren_transformer_tuning_forward(MrenEncoderTuning *f, const MrenTransformerBatch *batch,
								const uint64_t *dropout_seed, float *out, MrenError *err)
{
	Part part = before_parts(batch);

	f->batch = *batch;
	f->dropout = dropout_seed != NULL;
	f->seed = dropout_seed != NULL ? *dropout_seed : 0;
	if (f->tuning.kind == MREN_TUNING_FROZEN)
		return mren_frozen_read(f->frozen, batch, out, err);
	if (f->frozen != NULL)
	{
		MREN_TRY(mren_grow(&f->env, &f->rows, &f->rows_capacity, 0,
						   batch->n_tokens * f->config.width, sizeof(float), err));
		MREN_TRY(mren_frozen_read(f->frozen, batch, f->rows, err));
	}
	while (next_part(batch, &part))
		MREN_TRY(run_part(f, &part, out + part.first * f->config.width, err));
	return MREN_OK;
}

/* The gradients of one part; only of the last one are the activations still there. */
static MrenStatus
backward_part(MrenEncoderTuning *f, const Part *part, bool last, const float *dout, MrenError *err)
{
	size_t width = f->config.width;

	if (!last)
	{
		MREN_TRY(mren_grow(&f->env, &f->again, &f->again_capacity, 0, part->batch.n_tokens * width,
						   sizeof(float), err));
		MREN_TRY(run_part(f, part, f->again, err));
	}
	return mren_transformer_trainer_backward(f->trainer, dout + part->first * width, err);
}

MrenStatus
mren_transformer_tuning_backward(MrenEncoderTuning *f, const float *dout, MrenError *err)
{
	Part last = before_parts(&f->batch);
	Part part = last;

	MREN_TRY(mren_transformer_trainer_clear(f->trainer, err));
	if (f->tuning.kind == MREN_TUNING_FROZEN || f->batch.n_sentences == 0)
		return MREN_OK;
	while (next_part(&f->batch, &last))
		;
	MREN_TRY(backward_part(f, &last, true, dout, err));
	while (next_part(&f->batch, &part) && part.number < last.number)
		MREN_TRY(backward_part(f, &part, false, dout, err));
	return MREN_OK;
}
