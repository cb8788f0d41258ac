/*
 * tagger_trainer_encoder.c
 *	  The text encoder of a tagger, fine-tuned in the steps of the tagger's training.
 *
 * All sentences of a batch are read in one pass.  The encoder has a learning rate of its own,
 * which rises linearly over the first tenth of the training and then falls linearly to 0, and
 * its gradients are clipped (Pascanu et al. 2013).  Like the tagger's weights, those that are
 * validated and kept are a moving mean.  A training that finds no mention at all, which happens
 * when the rate is too high, is begun anew at a third of it (Mosbach et al. 2021).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/kernels.h"
#include "tagger/tagger_internal.h"
#include "tagger/train/tagger_trainer_internal.h"

#define WARM_UP 0.1
#define MAX_NORM 1.0
#define WEIGHT_DECAY 0.01
#define SMALL_WIDTH 384.0
#define ADAPTERS_RATE 5e-4 /* of an encoder of that width */
#define ALL_RATE 1.5e-4	   /* the same */
#define ADAPTER_ALPHA 2.0  /* times the rank */
#define MAX_ATTEMPTS 3
#define LEAST_ROWS_TO_JUDGE 30

static double
default_rate(const MrenTagTrainer *trainer)
{
	double narrow = SMALL_WIDTH / (double) trainer->encoder.shape.width;

	if (trainer->options.encoder_rate > 0)
		return trainer->options.encoder_rate;
	if (trainer->options.fine_tuning == MREN_TUNING_ADAPTERS)
		return ADAPTERS_RATE * narrow;
	return ALL_RATE * pow(narrow, 2.3);
}

static size_t
at_most(size_t value, size_t most)
{
	return value < most ? value : most;
}

void
mren_tag_trainer_encoder_choose(MrenTagTrainer *trainer, const MrenTagTrainerInputs *inputs)
{
	const MrenTagOptions *options = &trainer->options;
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenTagEncoderShape *shape = &encoder->shape;
	const MrenTransformerConfig *config;

	if (inputs->encoder == NULL)
		return;
	config = &inputs->encoder->config;
	encoder->source = inputs->encoder;
	memcpy(encoder->sha256, inputs->text_encoder_sha256, sizeof(encoder->sha256));
	*shape = (MrenTagEncoderShape){.width = config->width, .tuning = options->fine_tuning};
	if (options->fine_tuning == MREN_TUNING_LAST)
		shape->layers = at_most(options->fine_tuned_layers, config->layers);
	if (options->fine_tuning == MREN_TUNING_ADAPTERS)
	{
		shape->rank = at_most(options->adapter_rank, config->width);
		shape->alpha = ADAPTER_ALPHA * (double) shape->rank;
	}
	encoder->rate = default_rate(trainer);
}

/*
 * Opening
 */

static MrenStatus
create_trainer(MrenTagTrainer *trainer, MrenError *err)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenTransformerTuning chosen = mren_tag_encoder_tuning(&encoder->shape);
	MrenTransformerTuning tuning;

	mren_transformer_tuning_init(&encoder->source->config, &tuning);
	tuning.kind = chosen.kind;
	tuning.last_layers = chosen.last_layers;
	tuning.rank = chosen.rank;
	tuning.alpha = chosen.alpha;
	tuning.seed = (uint64_t) trainer->options.common.seed;
	mren_transformer_trainer_free(encoder->trainer);
	encoder->trainer = NULL;
	return mren_transformer_trainer_create(&trainer->env, &encoder->source->config, &tuning,
										   encoder->weights, &encoder->trainer, err);
}

MrenStatus
mren_tag_trainer_encoder_open(MrenTagTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenOptimizerConfig config = {.kind = MREN_OPTIMIZER_ADAM, .weight_decay = WEIGHT_DECAY};
	MrenParameterList list;

	if (encoder->source == NULL)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, mren_transformer_parameters(&encoder->source->config),
						   sizeof(float), &encoder->weights, err));
	MREN_TRY(encoder->source->read(encoder->source->state, encoder->weights, err));
	MREN_TRY(create_trainer(trainer, err));
	list = mren_transformer_trainer_parameters(encoder->trainer);
	encoder->shape.n_tuned = 0;
	for (size_t i = 0; i < list.n; i++)
		encoder->shape.n_tuned += list.items[i].rows * list.items[i].cols;
	MREN_TRY(mren_allocate(env, list.size, sizeof(float), &encoder->averaged, err));
	MREN_TRY(mren_allocate(env, list.size, sizeof(float), &encoder->best, err));
	return mren_optimizer_create(env, &config, list, &encoder->optimizer, err);
}

void
mren_tag_trainer_encoder_free(MrenTagTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	float *blocks[] = {encoder->weights,  encoder->averaged, encoder->best,	   encoder->vectors,
					   encoder->dvectors, encoder->encoded,	 encoder->dencoded};

	mren_transformer_trainer_free(encoder->trainer);
	mren_optimizer_free(env, &encoder->optimizer);
	mren_tag_token_batch_free(env, &encoder->batch);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		mren_release(env, blocks[i]);
}

/*
 * The factor that gives its vectors a variance of about 1: they leave the last layer's norm,
 * whose input is standardised.
 */
static float
vector_scale(const MrenTagEncoderTraining *encoder)
{
	const MrenTransformerConfig *config = &encoder->source->config;
	const float *weights = encoder->weights;
	MrenTransformerTensor tensor;
	char prefix[MREN_TRANSFORMER_NAME_SIZE];
	double square = 0;

	snprintf(prefix, sizeof(prefix), "layer.%zu.norm.", config->layers - 1);
	for (size_t i = 0; mren_transformer_tensor(config, i, &tensor); i++)
	{
		size_t n = tensor.rows * (tensor.columns == 0 ? 1 : tensor.columns);

		if (strncmp(tensor.name, prefix, strlen(prefix)) == 0)
			square += (double) mren_square_sum(weights, n) / (double) n;
		weights += n;
	}
	return square > 1e-12 ? (float) (1 / sqrt(square)) : 1;
}

MrenStatus
mren_tag_trainer_encoder_begin(MrenTagTrainer *trainer, MrenError *err)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenParameterList list;

	if (encoder->source == NULL)
		return MREN_OK;
	*mren_parameter_at(&trainer->layout.table, trainer->values, trainer->layout.ids.encoder_scale) =
		vector_scale(encoder);
	if (encoder->attempts++ > 0)
		MREN_TRY(create_trainer(trainer, err));
	list = mren_transformer_trainer_parameters(encoder->trainer);
	mren_optimizer_reset(list, &encoder->optimizer);
	if (list.size > 0)
		memcpy(encoder->averaged, mren_transformer_trainer_values(encoder->trainer),
			   list.size * sizeof(float));
	return MREN_OK;
}

/*
 * Forward
 */

static MrenStatus
reserve(MrenTagTrainer *trainer, size_t words, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	size_t width = encoder->shape.width;
	size_t n = encoder->batch.batch.n_tokens * width;
	size_t capacity = encoder->tokens_capacity;

	MREN_TRY(mren_grow(env, &encoder->vectors, &capacity, 0, n + 1, sizeof(float), err));
	MREN_TRY(mren_grow(env, &encoder->dvectors, &encoder->tokens_capacity, 0, n + 1, sizeof(float),
					   err));
	n = words * width;
	capacity = encoder->words_capacity;
	MREN_TRY(mren_grow(env, &encoder->encoded, &capacity, 0, n + 1, sizeof(float), err));
	return mren_grow(env, &encoder->dencoded, &encoder->words_capacity, 0, n + 1, sizeof(float),
					 err);
}

/* Gives each sentence the vectors of its words. */
static void
gather(MrenTagTrainer *trainer)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	size_t width = encoder->shape.width;
	const float *vectors = encoder->vectors;
	float *out = encoder->encoded;

	for (size_t s = 0; s < trainer->n_sentences; s++)
	{
		MrenTagInput *input = &trainer->inputs[s];

		input->encoded = out;
		for (size_t w = 0; w < input->n_words; w++, out += width)
		{
			if (input->tokens.firsts[w] == UINT32_MAX)
				memset(out, 0, width * sizeof(float));
			else
				memcpy(out, vectors + input->tokens.firsts[w] * width, width * sizeof(float));
		}
		vectors += input->tokens.n * width;
	}
}

MrenStatus
mren_tag_trainer_encoder_forward(MrenTagTrainer *trainer, bool train, MrenError *err)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenTransformerStep how = {.dropout = train};
	MrenRandom random;
	size_t words = 0;

	if (encoder->source == NULL)
		return MREN_OK;
	for (size_t s = 0; s < trainer->n_sentences; s++)
		words += trainer->inputs[s].n_words;
	MREN_TRY(mren_tag_token_batch_fill(&trainer->env, &encoder->batch, trainer->inputs,
									   trainer->n_sentences, err));
	MREN_TRY(reserve(trainer, words, err));
	mren_random_seed(&random, (uint64_t) trainer->options.common.seed,
					 (uint64_t) (MREN_TAG_STREAM_ENCODER + trainer->phase) << 32 |
						 trainer->n_steps);
	how.seed = mren_random_next(&random);
	if (encoder->batch.batch.n_tokens > 0)
		MREN_TRY(mren_transformer_trainer_forward(encoder->trainer, &encoder->batch.batch, &how,
												  encoder->vectors, err));
	gather(trainer);
	trainer->batch.dencoded = train && encoder->shape.n_tuned > 0 ? encoder->dencoded : NULL;
	return MREN_OK;
}

/*
 * Steps
 */

/* Several words may begin in one piece. */
static void
scatter(MrenTagTrainer *trainer)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	size_t width = encoder->shape.width;
	const float *in = encoder->dencoded;
	float *dvectors = encoder->dvectors;

	memset(dvectors, 0, encoder->batch.batch.n_tokens * width * sizeof(float));
	for (size_t s = 0; s < trainer->n_sentences; s++)
	{
		const MrenTagInput *input = &trainer->inputs[s];

		for (size_t w = 0; w < input->n_words; w++, in += width)
		{
			if (input->tokens.firsts[w] != UINT32_MAX)
				mren_axpy(dvectors + input->tokens.firsts[w] * width, in, 1, width);
		}
		dvectors += input->tokens.n * width;
	}
}

static MrenStatus
clip_gradients(MrenTagTrainer *trainer, MrenParameterList list, MrenError *err)
{
	float *grads = mren_transformer_trainer_gradients(trainer->encoder.trainer);
	double square = 0;
	double norm;

	MREN_TRY(mren_gradients_square_sum(&trainer->env, list, grads, &square, err));
	norm = sqrt(square);
	if (!(norm > MAX_NORM))
		return MREN_OK;
	return mren_gradients_scale(&trainer->env, list, grads, (float) (MAX_NORM / norm), err);
}

MrenStatus
mren_tag_trainer_encoder_step(MrenTagTrainer *trainer, double done, double keep, MrenError *err)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenParameterList list;
	float *values;

	if (encoder->shape.n_tuned == 0)
		return MREN_OK;
	list = mren_transformer_trainer_parameters(encoder->trainer);
	values = mren_transformer_trainer_values(encoder->trainer);
	scatter(trainer);
	MREN_TRY(mren_transformer_trainer_clear(encoder->trainer, err));
	if (encoder->batch.batch.n_tokens > 0)
		MREN_TRY(mren_transformer_trainer_backward(encoder->trainer, encoder->dvectors, err));
	MREN_TRY(clip_gradients(trainer, list, err));
	encoder->optimizer.config.learning_rate =
		encoder->rate *
		(done < WARM_UP ? (done + 1e-3) / (WARM_UP + 1e-3) : fmax(0, (1 - done) / (1 - WARM_UP)));
	MREN_TRY(mren_optimizer_step(&trainer->env, list, &encoder->optimizer, values,
								 mren_transformer_trainer_gradients(encoder->trainer), err));
	mren_scale(encoder->averaged, (float) keep, list.size);
	mren_axpy(encoder->averaged, values, (float) (1 - keep), list.size);
	return MREN_OK;
}

MrenStatus
mren_tag_trainer_encoder_swap(MrenTagTrainer *trainer, MrenError *err)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	size_t n;
	float *values;

	if (encoder->shape.n_tuned == 0)
		return MREN_OK;
	n = mren_transformer_trainer_parameters(encoder->trainer).size;
	values = mren_transformer_trainer_values(encoder->trainer);
	for (size_t i = 0; i < n; i++)
	{
		float kept = values[i];

		values[i] = encoder->averaged[i];
		encoder->averaged[i] = kept;
	}
	return mren_check_interrupts(&trainer->env, err);
}

void
mren_tag_trainer_encoder_keep(MrenTagTrainer *trainer)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;

	if (encoder->shape.n_tuned > 0)
		memcpy(encoder->best, encoder->averaged,
			   mren_transformer_trainer_parameters(encoder->trainer).size * sizeof(float));
}

bool
mren_tag_trainer_encoder_again(MrenTagTrainer *trainer)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;

	if (encoder->shape.n_tuned == 0 || trainer->n_validation < LEAST_ROWS_TO_JUDGE ||
		trainer->report.validation_f1 > 0 || encoder->attempts >= MAX_ATTEMPTS)
		return false;
	encoder->rate /= 3;
	trainer->report.encoder_restarts++;
	return true;
}

/*
 * Finishing
 */

MrenStatus
mren_tag_trainer_encoder_finish(MrenTagTrainer *trainer, MrenTagger *tagger, MrenError *err)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenParameterList list;
	float *to;

	if (encoder->source == NULL)
		return MREN_OK;
	MREN_TRY(mren_tagger_set_encoder(tagger, &encoder->shape, encoder->sha256, err));
	list = mren_transformer_trainer_parameters(encoder->trainer);
	to = tagger->encoder.tuned;
	for (size_t i = 0; i < list.n; i++)
	{
		size_t n = list.items[i].rows * list.items[i].cols;

		memcpy(to, encoder->best + list.items[i].at, n * sizeof(float));
		to += n;
	}
	tagger->encoder.set = true;
	return mren_check_interrupts(&trainer->env, err);
}
