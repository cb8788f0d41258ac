/*
 * encoder_tuning.c
 *	  The course of a fine-tuning.
 */
#include "transformer/train/encoder_tuning.h"

#include <math.h>
#include <string.h>

#define WARM_UP 0.1 /* share of the training */
#define MAX_NORM 1.0
#define START_EPOCHS 5 /* one epoch for so many, where training starts from trained values */
#define LEAST_ROWS_TO_JUDGE 30
#define SMALL_WIDTH 384.0

double
mren_transformer_tuning_rate(const MrenTuningRates *rates, MrenTransformerTuningKind kind,
							 size_t width)
{
	double narrow = SMALL_WIDTH / (double) width;

	return kind == MREN_TUNING_ADAPTERS ? rates->adapters * narrow : rates->all * pow(narrow, 2.3);
}

static MrenTuningShardsInputs
shards_inputs(MrenEncoderTuning *f)
{
	return (MrenTuningShardsInputs){.config = &f->config,
									.tuning = &f->tuning,
									.weights = f->weights,
									.values = f->team.n > 0 ? f->team.values : f->owned};
}

/* With their first values. */
static MrenStatus
create_shards(MrenEncoderTuning *f, MrenError *err)
{
	MrenTuningShardsInputs inputs = shards_inputs(f);

	MREN_TRY(mren_tuning_shards_create(&f->env, &inputs, &f->shards, err));
	f->trainer = f->shards.items[0].trainer;
	f->fresh = true;
	return MREN_OK;
}

MrenStatus
mren_transformer_tuning_reserve(MrenEncoderTuning *f, size_t bytes, MrenError *err)
{
	f->fixed += bytes;
	if (f->memory == 0)
		return MREN_OK;
	if (f->fixed >= f->memory)
	{
		mren_fail(err, MREN_ELIMIT,
				  "fine-tuning the text encoder takes %zu kB without any row, but training may "
				  "take %zu kB",
				  f->fixed / 1024, f->memory / 1024);
		return mren_transformer_tuning_hint(err);
	}
	/* The output of frozen layers shares what is left with the activations of the others. */
	f->tuning.activations = (f->memory - f->fixed) / (f->frozen_layers > 0 ? 2 : 1);
	f->shards.memory = f->tuning.activations;
	return MREN_OK;
}

/* Weights, values, the gradients of each shard, the optimizer's two means and the best values. */
static MrenStatus
reserve_all(MrenEncoderTuning *f, MrenError *err)
{
	size_t trained = mren_transformer_trainer_memory(&f->config, &f->tuning);
	size_t weights = mren_transformer_parameters(&f->config) * sizeof(float);
	size_t others = mren_tuning_most_shards(f->tuning.kind) - 1;

	return mren_transformer_tuning_reserve(f, weights + trained + trained / 2 * (3 + others), err);
}

static MrenStatus
open_frozen(MrenEncoderTuning *f, MrenError *err)
{
	size_t most = f->memory == 0 ? SIZE_MAX : f->memory - f->fixed - f->tuning.activations;

	if (f->frozen_layers == 0)
		return MREN_OK;
	return mren_frozen_create(&f->env, &f->config, f->frozen_layers, f->weights, most, &f->frozen,
							  err);
}

static void
count_tuned(MrenEncoderTuning *f, MrenParameterList list)
{
	for (size_t i = 0; i < list.n; i++)
		f->n_tuned += list.items[i].rows * list.items[i].cols;
}

MrenStatus
mren_transformer_tuning_plan(const MrenEnv *env, MrenEncoderTuning *f,
							 const MrenTransformerConfig *config,
							 const MrenTransformerTuning *tuning, size_t memory, MrenError *err)
{
	MrenTransformerTuning defaults;

	f->env = *env;
	f->config = *config;
	f->tuning = *tuning;
	f->memory = memory;
	mren_transformer_tuning_init(config, &defaults);
	f->tuning.hidden_dropout = defaults.hidden_dropout;
	f->tuning.attention_dropout = defaults.attention_dropout;
	MREN_TRY(mren_transformer_tuning_check(config, &f->tuning, err));
	f->frozen_layers = mren_transformer_tuning_first_layer(config, &f->tuning);
	return reserve_all(f, err);
}

MrenStatus
mren_transformer_tuning_open(MrenEncoderTuning *f, float *weights, MrenError *err)
{
	const MrenEnv *env = &f->env;
	MrenOptimizerConfig optimizer = {.kind = MREN_OPTIMIZER_ADAM,
									 .weight_decay = MREN_ENCODER_TUNING_DECAY};
	MrenParameterList list;

	f->weights = weights;
	MREN_TRY(mren_allocate(env, mren_tuning_shards_size(&f->config, &f->tuning), sizeof(float),
						   &f->owned, err));
	MREN_TRY(create_shards(f, err));
	list = mren_transformer_trainer_parameters(f->trainer);
	count_tuned(f, list);
	MREN_TRY(mren_allocate(env, list.size, sizeof(float), &f->best, err));
	MREN_TRY(mren_optimizer_create(env, &optimizer, list, &f->optimizer, err));
	return open_frozen(f, err);
}

void
mren_transformer_tuning_free(MrenEncoderTuning *f)
{
	if (f->weights == NULL)
		return;
	mren_tuning_shards_free(&f->shards);
	mren_tuning_dismiss(&f->env, &f->team);
	mren_frozen_free(f->frozen);
	mren_release(&f->env, f->owned);
	mren_optimizer_free(&f->env, &f->optimizer);
	mren_release(&f->env, f->best);
	mren_release(&f->env, f->rows);
	mren_release(&f->env, f->weights);
}

void
mren_transformer_tuning_lead(MrenEncoderTuning *f, const MrenTuningTeam *team)
{
	f->team.team = *team;
}

void
mren_transformer_tuning_start(MrenEncoderTuning *f, const float *start)
{
	f->start = start;
}

int
mren_transformer_tuning_epochs(const MrenEncoderTuning *f, size_t epochs)
{
	if (f->start == NULL)
		return (int) epochs;
	return (int) ((epochs + START_EPOCHS - 1) / START_EPOCHS);
}

double
mren_transformer_tuning_greatest_rate(const MrenEncoderTuning *f)
{
	return f->start != NULL ? f->rate * MREN_ENCODER_TUNING_START_RATE : f->rate;
}

/* Puts what training starts with in the place of what was pretrained. */
static void
take_start(MrenEncoderTuning *f)
{
	MrenParameterList list = mren_transformer_trainer_parameters(f->trainer);
	float *values = mren_transformer_trainer_values(f->trainer);
	const float *from = f->start;

	for (size_t i = 0; i < list.n && from != NULL; i++)
	{
		size_t n = list.items[i].rows * list.items[i].cols;

		memcpy(values + list.items[i].at, from, n * sizeof(float));
		from += n;
	}
}

/* From now on, what is trained is where the team sees it, if it has helpers. */
static MrenStatus
engage(MrenEncoderTuning *f, MrenError *err)
{
	MrenTuningShardsInputs inputs = shards_inputs(f);

	if (f->team.n > 0)
		return MREN_OK;
	MREN_TRY(mren_tuning_engage(&f->team, &inputs, err));
	if (f->team.n == 0)
		return MREN_OK;
	f->fresh = false;
	mren_tuning_shards_free(&f->shards);
	f->trainer = NULL;
	mren_release(&f->env, f->owned);
	f->owned = NULL;
	return MREN_OK;
}

MrenStatus
mren_transformer_tuning_begin(MrenEncoderTuning *f, MrenError *err)
{
	f->attempts++;
	MREN_TRY(engage(f, err));
	if (!f->fresh)
		MREN_TRY(create_shards(f, err));
	f->fresh = false;
	take_start(f);
	mren_optimizer_reset(mren_transformer_trainer_parameters(f->trainer), &f->optimizer);
	return MREN_OK;
}

MrenStatus
mren_transformer_tuning_forward(MrenEncoderTuning *f, const MrenTransformerBatch *batch,
								const uint64_t *dropout_seed, float *out, MrenError *err)
{
	MrenTransformerStep step = {.dropout = dropout_seed != NULL,
								.seed = dropout_seed != NULL ? *dropout_seed : 0};

	if (f->tuning.kind == MREN_TUNING_FROZEN)
		return mren_frozen_read(f->frozen, batch, out, err);
	if (f->frozen != NULL)
	{
		MREN_TRY(mren_grow(&f->env, &f->rows, &f->rows_capacity, 0,
						   batch->n_tokens * f->config.width, sizeof(float), err));
		MREN_TRY(mren_frozen_read(f->frozen, batch, f->rows, err));
		step.frozen = f->rows;
	}
	f->run = (MrenShardRun){.batch = *batch, .step = step};
	mren_tuning_cut(&f->run, f->shards.n);
	return mren_tuning_team_forward(&f->team, &f->shards, &f->run, out, err);
}

MrenStatus
mren_transformer_tuning_backward(MrenEncoderTuning *f, const float *dout, MrenError *err)
{
	if (f->tuning.kind == MREN_TUNING_FROZEN)
		return mren_transformer_trainer_clear(f->trainer, err);
	return mren_tuning_team_backward(&f->team, &f->shards, &f->run, dout, err);
}

double
mren_transformer_tuning_share(double done)
{
	return done < WARM_UP ? done / WARM_UP : fmax(0, (1 - done) / (1 - WARM_UP));
}

MrenStatus
mren_transformer_tuning_clip(MrenEncoderTuning *f, const MrenClippedBeside *beside, MrenError *err)
{
	MrenParameterList list = mren_transformer_trainer_parameters(f->trainer);
	float *grads = mren_transformer_trainer_gradients(f->trainer);
	double square = 0;
	float factor;

	if (beside->grads != NULL)
		MREN_TRY(mren_gradients_square_sum(&f->env, beside->list, beside->grads, &square, err));
	MREN_TRY(mren_gradients_square_sum(&f->env, list, grads, &square, err));
	if (!(square > MAX_NORM * MAX_NORM))
		return MREN_OK;
	factor = (float) (MAX_NORM / sqrt(square));
	if (beside->grads != NULL)
		MREN_TRY(mren_gradients_scale(&f->env, beside->list, beside->grads, factor, err));
	return mren_gradients_scale(&f->env, list, grads, factor, err);
}

MrenStatus
mren_transformer_tuning_step(MrenEncoderTuning *f, double share, MrenError *err)
{
	f->optimizer.config.learning_rate = share * mren_transformer_tuning_greatest_rate(f);
	return mren_optimizer_step(&f->env, mren_transformer_trainer_parameters(f->trainer),
							   &f->optimizer, mren_transformer_trainer_values(f->trainer),
							   mren_transformer_trainer_gradients(f->trainer), err);
}

void
mren_transformer_tuning_keep(MrenEncoderTuning *f, const float *values)
{
	size_t n = mren_transformer_trainer_parameters(f->trainer).size;

	if (n > 0)
		memcpy(f->best, values, n * sizeof(float));
}

bool
mren_transformer_tuning_again(MrenEncoderTuning *f, size_t n, bool at_chance)
{
	if (n < LEAST_ROWS_TO_JUDGE || !at_chance || f->attempts >= MREN_ENCODER_TUNING_ATTEMPTS)
		return false;
	if (f->start == NULL)
		f->rate /= 3;
	f->start = NULL;
	return true;
}

void
mren_transformer_tuning_copy_best(const MrenEncoderTuning *f, float *to)
{
	MrenParameterList list = mren_transformer_trainer_parameters(f->trainer);

	for (size_t i = 0; i < list.n; i++)
	{
		size_t n = list.items[i].rows * list.items[i].cols;

		memcpy(to, f->best + list.items[i].at, n * sizeof(float));
		to += n;
	}
}
