/*
 * train_embeddings.c
 *	  The embeddings of pieces, positions and token types, and DeBERTa's relative embeddings,
 *	  forward and backward.
 *
 * DeBERTa projects narrow embeddings before their norm, ELECTRA after it.
 */
#include "transformer/train/train_parts.h"

#include <string.h>

#include "nn/kernels.h"

static bool
norm_first(const MrenTransformerTrainer *trainer)
{
	return trainer->config.architecture != MREN_TRANSFORMER_DEBERTA;
}

static bool
has_project(const MrenTransformerTrainer *trainer)
{
	return trainer->project.weight.value != NULL;
}

static size_t
type_of(const MrenTransformerTrainer *trainer, size_t i)
{
	return trainer->batch.types == NULL ? 0 : trainer->batch.types[i];
}

static size_t
position_of(const MrenTransformerTrainer *trainer, size_t i)
{
	return trainer->batch.positions[i] + trainer->config.position_offset;
}

/* rows (n, embedding_width) = the sums of embeddings. */
static void
gather(MrenTransformerTrainer *trainer, float *rows)
{
	size_t m = trainer->config.embedding_width;

	for (size_t i = 0; i < trainer->sizes.n && !trainer->work.stopped; i++)
	{
		float *row = rows + i * m;

		memcpy(row, trainer->word.value + (size_t) trainer->batch.ids[i] * m, m * sizeof(float));
		if (trainer->position.value != NULL)
			mren_axpy(row, trainer->position.value + position_of(trainer, i) * m, 1, m);
		if (trainer->token_type.value != NULL)
			mren_axpy(row, trainer->token_type.value + type_of(trainer, i) * m, 1, m);
		mren_work_add(&trainer->work, 3 * MREN_LOOP_WORK * m);
	}
}

void
mren_tuned_embed(MrenTransformerTrainer *trainer, float *x)
{
	MrenTunedMemory *memory = &trainer->memory;
	const MrenTunedNorm *norm = &trainer->embedding_norm;
	bool project = has_project(trainer);
	size_t n = trainer->sizes.n;
	size_t width = trainer->config.width;
	float *rows = project ? memory->embedded : x;

	gather(trainer, rows);
	if (norm_first(trainer))
		mren_tuned_norm(trainer, norm, rows, n, trainer->config.embedding_width,
						&memory->embedding_norm, rows);
	if (project)
		mren_tuned_dense(trainer, &trainer->project, rows, n, x);
	if (!norm_first(trainer) && !trainer->work.stopped)
		mren_tuned_norm(trainer, norm, x, n, width, &memory->embedding_norm, x);
}

void
mren_tuned_embed_relative(MrenTransformerTrainer *trainer)
{
	MrenTunedMemory *memory = &trainer->memory;
	size_t n = trainer->near_max - trainer->near_min + 1;
	size_t width = trainer->config.width;

	if (trainer->relative.value == NULL)
		return;
	memcpy(memory->relative, trainer->relative.value + trainer->near_min * width,
		   n * width * sizeof(float));
	if (trainer->relative_norm.weight.value != NULL)
		mren_tuned_norm(trainer, &trainer->relative_norm, memory->relative, n, width,
						&memory->relative_norm, memory->relative);
}

/* Adds each row of drows (n, embedding_width) to the gradients of its embeddings, in order. */
static void
scatter(MrenTransformerTrainer *trainer, const float *drows)
{
	size_t m = trainer->config.embedding_width;

	for (size_t i = 0; i < trainer->sizes.n && !trainer->work.stopped; i++)
	{
		const float *row = drows + i * m;

		mren_axpy(trainer->word.gradient + (size_t) trainer->batch.ids[i] * m, row, 1, m);
		if (trainer->position.gradient != NULL)
			mren_axpy(trainer->position.gradient + position_of(trainer, i) * m, row, 1, m);
		if (trainer->token_type.gradient != NULL)
			mren_axpy(trainer->token_type.gradient + type_of(trainer, i) * m, row, 1, m);
		mren_work_add(&trainer->work, 3 * MREN_LOOP_WORK * m);
	}
}

/* From the gradient of the projection's output to that of its input, both (n, …). */
static void
project_backward(MrenTransformerTrainer *trainer, const float *dout, float *din)
{
	size_t n = trainer->sizes.n;
	float *rows = trainer->memory.embedded;

	if (norm_first(trainer))
		mren_tuned_norm_again(&trainer->embedding_norm, &trainer->memory.embedding_norm, n,
							  trainer->config.embedding_width, rows);
	else
		gather(trainer, rows);
	mren_tuned_dense_weight(trainer, &trainer->project, rows, dout, n);
	mren_tuned_dense_input(trainer, &trainer->project, dout, n, false, din);
}

void
mren_tuned_embed_backward(MrenTransformerTrainer *trainer, float *dx)
{
	const MrenTunedNorm *norm = &trainer->embedding_norm;
	const MrenKeptNorm *kept = &trainer->memory.embedding_norm;
	size_t n = trainer->sizes.n;
	float *from = dx;
	float *to = trainer->memory.sum;

	if (trainer->word.gradient == NULL)
		return;
	for (int step = 0; step < 2; step++)
	{
		bool norm_now = (step == 0) != norm_first(trainer);
		float *other = from;

		if (trainer->work.stopped || (!norm_now && !has_project(trainer)))
			continue;
		if (norm_now)
			mren_tuned_norm_backward(
				trainer, norm, kept, from, n,
				norm_first(trainer) ? trainer->config.embedding_width : trainer->config.width, to);
		else
			project_backward(trainer, from, to);
		from = to;
		to = other;
	}
	scatter(trainer, from);
}

void
mren_tuned_embed_relative_backward(MrenTransformerTrainer *trainer)
{
	MrenTunedMemory *memory = &trainer->memory;
	size_t n = trainer->near_max - trainer->near_min + 1;
	size_t width = trainer->config.width;
	const float *drows = memory->drelative_sum;

	if (trainer->relative.gradient == NULL)
		return;
	if (trainer->relative_norm.weight.value != NULL)
	{
		mren_tuned_norm_backward(trainer, &trainer->relative_norm, &memory->relative_norm,
								 memory->drelative_sum, n, width, memory->drelative);
		drows = memory->drelative;
	}
	mren_axpy(trainer->relative.gradient + trainer->near_min * width, drows, 1, n * width);
}
