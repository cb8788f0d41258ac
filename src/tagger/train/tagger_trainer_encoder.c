/*
 * tagger_trainer_encoder.c
 *	  The text encoder of a tagger, fine-tuned in the steps of the tagger's training.
 *
 * All sentences of a batch are read in one pass.  Rate, schedule and restarts are those of
 * transformer/train/encoder_tuning; at chance is a training that finds no mention at all.  Like the
 * tagger's weights, those that are validated and kept are a moving mean.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/kernels.h"
#include "tagger/tagger_internal.h"
#include "tagger/train/tagger_trainer_internal.h"

static const MrenTuningRates default_rates = {.all = 1.5e-4, .adapters = 5e-4};

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
	*shape = (MrenTagEncoderShape){.width = config->width,
								   .tuning = mren_tuning_shape_make(config, options->fine_tuning,
																	options->fine_tuned_layers,
																	options->adapter_rank),
								   .int8 = options->encoder_int8};
}

/*
 * Opening
 */

MrenStatus
mren_tag_trainer_encoder_open(MrenTagTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenEncoderTuning *fine_tuning = &encoder->fine_tuning;
	MrenTransformerTuning tuning = mren_tuning_shape_tuning(&encoder->shape.tuning);
	MrenStatus status;
	float *weights;
	size_t n;

	if (encoder->source == NULL)
		return MREN_OK;
	tuning.seed = (uint64_t) trainer->options.common.seed;
	MREN_TRY(mren_transformer_tuning_plan(env, fine_tuning, &encoder->source->config, &tuning,
										  trainer->memory, err));
	n = mren_transformer_trainer_size(&encoder->source->config, &tuning);
	MREN_TRY(mren_transformer_tuning_reserve(fine_tuning, n * sizeof(float), err));
	MREN_TRY(mren_allocate(env, mren_transformer_parameters(&encoder->source->config),
						   sizeof(float), &weights, err));
	status = encoder->source->read(encoder->source->state, weights, err);
	if (status != MREN_OK)
	{
		mren_release(env, weights);
		return status;
	}
	MREN_TRY(mren_transformer_tuning_open(fine_tuning, weights, err));
	if (trainer->team != NULL)
		mren_transformer_tuning_lead(fine_tuning, trainer->team);
	fine_tuning->rate =
		trainer->options.encoder_rate > 0
			? trainer->options.encoder_rate
			: mren_transformer_tuning_rate(&default_rates, tuning.kind, encoder->shape.width);
	encoder->shape.tuning.n = fine_tuning->n_tuned;
	return mren_allocate(env, n, sizeof(float), &encoder->averaged, err);
}

void
mren_tag_trainer_encoder_free(MrenTagTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	float *blocks[] = {encoder->averaged, encoder->vectors, encoder->dvectors, encoder->encoded,
					   encoder->dencoded};

	mren_transformer_tuning_free(&encoder->fine_tuning);
	mren_tag_token_batch_free(env, &encoder->batch);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		mren_release(env, blocks[i]);
}

/*
 * The factor that gives its vectors a variance of about 1: they leave the last layer's norm,
 * whose input is standardized.
 */
static float
vector_scale(const MrenTagEncoderTraining *encoder)
{
	const MrenTransformerConfig *config = &encoder->source->config;
	const float *weights = encoder->fine_tuning.weights;
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
	MREN_TRY(mren_transformer_tuning_begin(&encoder->fine_tuning, err));
	list = mren_transformer_trainer_parameters(encoder->fine_tuning.trainer);
	if (list.size > 0)
		memcpy(encoder->averaged, mren_transformer_trainer_values(encoder->fine_tuning.trainer),
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
	uint64_t seed;
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
	seed = mren_random_next(&random);
	MREN_TRY(mren_transformer_tuning_forward(&encoder->fine_tuning, &encoder->batch.batch,
											 train ? &seed : NULL, encoder->vectors, err));
	gather(trainer);
	trainer->batch.dencoded = train && encoder->shape.tuning.n > 0 ? encoder->dencoded : NULL;
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

MrenStatus
mren_tag_trainer_encoder_step(MrenTagTrainer *trainer, double done, double keep, MrenError *err)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;
	MrenParameterList list;
	float *values;

	if (encoder->shape.tuning.n == 0)
		return MREN_OK;
	list = mren_transformer_trainer_parameters(encoder->fine_tuning.trainer);
	values = mren_transformer_trainer_values(encoder->fine_tuning.trainer);
	scatter(trainer);
	MREN_TRY(mren_transformer_tuning_backward(&encoder->fine_tuning, encoder->dvectors, err));
	MREN_TRY(mren_transformer_tuning_clip(&encoder->fine_tuning, &(MrenClippedBeside){0}, err));
	MREN_TRY(mren_transformer_tuning_step(&encoder->fine_tuning,
										  mren_transformer_tuning_share(done), err));
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

	if (encoder->shape.tuning.n == 0)
		return MREN_OK;
	n = mren_transformer_trainer_parameters(encoder->fine_tuning.trainer).size;
	values = mren_transformer_trainer_values(encoder->fine_tuning.trainer);
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

	if (encoder->shape.tuning.n > 0)
		mren_transformer_tuning_keep(&encoder->fine_tuning, encoder->averaged);
}

bool
mren_tag_trainer_encoder_again(MrenTagTrainer *trainer)
{
	MrenTagEncoderTraining *encoder = &trainer->encoder;

	if (encoder->shape.tuning.n == 0 ||
		!mren_transformer_tuning_again(&encoder->fine_tuning, trainer->n_validation,
									   !(trainer->report.validation_f1 > 0)))
		return false;
	trainer->report.encoder_restarts++;
	return true;
}

/*
 * Finishing
 */

MrenStatus
mren_tag_trainer_encoder_finish(MrenTagTrainer *trainer, MrenTagger *tagger, MrenError *err)
{
	const MrenTagEncoderTraining *encoder = &trainer->encoder;

	if (encoder->source == NULL)
		return MREN_OK;
	MREN_TRY(mren_tagger_set_encoder(tagger, &encoder->shape, encoder->sha256, err));
	mren_transformer_tuning_copy_best(&encoder->fine_tuning, tagger->encoder.tuned);
	tagger->encoder.set = true;
	return mren_check_interrupts(&trainer->env, err);
}
