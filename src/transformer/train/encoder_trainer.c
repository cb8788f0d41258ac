/*
 * encoder_trainer.c
 *	  Forward and backward through the whole encoder, and access to what is trained.
 */
#include "transformer/train/train_parts.h"

#include <string.h>

/* Numbers cleared or copied between two checks for interrupts. */
#define PIECE ((size_t) 1 << 20)

MrenParameterList
mren_transformer_trainer_parameters(const MrenTransformerTrainer *trainer)
{
	return (MrenParameterList){trainer->items, trainer->n_items, trainer->size};
}

float *
mren_transformer_trainer_values(MrenTransformerTrainer *trainer)
{
	return trainer->values;
}

float *
mren_transformer_trainer_gradients(MrenTransformerTrainer *trainer)
{
	return trainer->gradients;
}

bool
mren_transformer_trainer_tensor(const MrenTransformerTrainer *trainer, size_t i,
								MrenTensorView *tensor)
{
	const MrenParameter *item = &trainer->items[i];

	if (i >= trainer->n_items)
		return false;
	*tensor = (MrenTensorView){item->name, item->rows, item->cols, trainer->values + item->at};
	return true;
}

MrenStatus
mren_transformer_trainer_set(MrenTransformerTrainer *trainer, const MrenTensorView *tensor,
							 MrenError *err)
{
	for (size_t i = 0; i < trainer->n_items; i++)
	{
		const MrenParameter *item = &trainer->items[i];
		size_t size = item->rows * item->cols;

		if (strcmp(item->name, tensor->name) != 0 || item->rows != tensor->rows ||
			item->cols != tensor->cols)
			continue;
		for (size_t at = 0; at < size; at += PIECE)
		{
			memcpy(trainer->values + item->at + at, tensor->data + at,
				   (size - at < PIECE ? size - at : PIECE) * sizeof(float));
			MREN_TRY(mren_check_interrupts(&trainer->env, err));
		}
		return MREN_OK;
	}
	return mren_fail(err, MREN_EFORMAT, "no tensor \"%s\" (%zu, %zu) is trained", tensor->name,
					 tensor->rows, tensor->cols);
}

MrenStatus
mren_tuned_clear(const MrenEnv *env, float *values, size_t n, MrenError *err)
{
	for (size_t at = 0; at < n; at += PIECE)
	{
		memset(values + at, 0, (n - at < PIECE ? n - at : PIECE) * sizeof(float));
		MREN_TRY(mren_check_interrupts(env, err));
	}
	return MREN_OK;
}

MrenStatus
mren_transformer_trainer_clear(MrenTransformerTrainer *trainer, MrenError *err)
{
	return mren_tuned_clear(&trainer->env, trainer->gradients, trainer->size, err);
}

bool
mren_transformer_trainer_ready(const MrenTransformerTrainer *trainer)
{
	return trainer->ready;
}

void
mren_transformer_trainer_forget(MrenTransformerTrainer *trainer)
{
	mren_release(&trainer->env, trainer->memory.block);
	trainer->memory = (MrenTunedMemory){0};
	trainer->ready = false;
}

static MrenStatus
end_of(const MrenTransformerTrainer *trainer, MrenError *err)
{
	return trainer->work.stopped ? mren_fail_canceled(err) : MREN_OK;
}

/* x (n, width) = what enters the first trained layer, without dropout. */
static void
run_frozen(MrenTransformerTrainer *trainer, float *x)
{
	mren_tuned_embed(trainer, x);
	for (size_t l = 0; l < trainer->first && !trainer->work.stopped; l++)
		mren_tuned_layer(trainer, l, x, x);
}

MrenStatus
mren_transformer_trainer_frozen(MrenTransformerTrainer *trainer, const MrenTransformerBatch *batch,
								float *out, MrenError *err)
{
	trainer->step = (MrenTransformerStep){0};
	MREN_TRY(mren_tuned_prepare(trainer, batch, err));
	mren_tuned_embed_relative(trainer);
	run_frozen(trainer, out);
	return end_of(trainer, err);
}

/* x (n, width) = the input of the first trained layer. */
static void
begin(MrenTransformerTrainer *trainer, float *x)
{
	size_t size = trainer->sizes.n * trainer->config.width;
	bool dropout = trainer->step.dropout;
	MrenDropoutStream stream;

	trainer->step.dropout = false;
	if (trainer->step.frozen != NULL)
		memcpy(x, trainer->step.frozen, size * sizeof(float));
	else
		run_frozen(trainer, x);
	trainer->step.dropout = dropout;
	stream = mren_tuned_stream(trainer, 0, MREN_DROPOUT_EMBEDDINGS);
	if (trainer->first == 0 && stream.rate > 0 && !trainer->work.stopped)
		mren_tuned_dropout(&stream, x, x, size);
}

MrenStatus
mren_transformer_trainer_forward(MrenTransformerTrainer *trainer, const MrenTransformerBatch *batch,
								 const MrenTransformerStep *step, float *out, MrenError *err)
{
	size_t layers = trainer->config.layers;

	if (step->frozen != NULL && trainer->word.gradient != NULL)
		return mren_fail(err, MREN_EPARAM, "no part of the encoder is frozen");
	trainer->step = *step;
	MREN_TRY(mren_tuned_prepare(trainer, batch, err));
	mren_tuned_embed_relative(trainer);
	begin(trainer, trainer->first == layers ? out : trainer->inputs[trainer->first]);
	for (size_t l = trainer->first; l < layers && !trainer->work.stopped; l++)
		mren_tuned_layer(trainer, l, trainer->inputs[l],
						 l + 1 == layers ? out : trainer->inputs[l + 1]);
	trainer->ready = !trainer->work.stopped;
	return end_of(trainer, err);
}

static void
backward_layers(MrenTransformerTrainer *trainer)
{
	for (size_t l = trainer->config.layers; l-- > trainer->first && !trainer->work.stopped;)
	{
		if (trainer->sizes.recompute)
			mren_tuned_layer(trainer, l, trainer->inputs[l], trainer->memory.again);
		if (!trainer->work.stopped)
			mren_tuned_layer_backward(trainer, l);
	}
}

MrenStatus
mren_transformer_trainer_backward(MrenTransformerTrainer *trainer, const float *dout,
								  MrenError *err)
{
	MrenTunedMemory *memory = &trainer->memory;
	size_t size = trainer->sizes.n * trainer->config.width;
	MrenDropoutStream stream = mren_tuned_stream(trainer, 0, MREN_DROPOUT_EMBEDDINGS);

	if (!trainer->ready)
		return mren_fail(err, MREN_EPARAM, "backward must follow forward");
	trainer->ready = false;
	memcpy(memory->dx, dout, size * sizeof(float));
	if (trainer->relative.value != NULL)
		memset(memory->drelative_sum, 0,
			   (trainer->near_max - trainer->near_min + 1) * trainer->config.width * sizeof(float));
	backward_layers(trainer);
	if (trainer->work.stopped)
		return end_of(trainer, err);
	mren_tuned_embed_relative_backward(trainer);
	if (stream.rate > 0 && trainer->word.gradient != NULL)
		mren_tuned_dropout(&stream, memory->dx, memory->dx, size);
	mren_tuned_embed_backward(trainer, memory->dx);
	return end_of(trainer, err);
}
