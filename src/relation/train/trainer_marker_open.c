/*
 * trainer_marker_open.c
 *	  What the training of a marker classifier works on: the encoder with its markers, the output
 *	  layer, and their optimizers.
 */
#include "relation/train/trainer_state.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

#define DEFAULT_SHARE 0.5 /* without validation rows */

/* The best of a few that were tried. */
static const MrenTuningRates default_rates = {.all = 2e-4, .adapters = 1e-3};

bool
mren_trainer_marker_wanted(const MrenTrainer *trainer)
{
	return trainer->marker.shape.width > 0;
}

MrenStatus
mren_trainer_marker_choose(MrenTrainer *trainer, MrenError *err)
{
	const MrenOptions *options = &trainer->options;
	const MrenTransformerConfig *config;
	MrenMarkerTraining *marker = &trainer->marker;

	if (trainer->inputs.encoder == NULL)
		return MREN_OK;
	config = &trainer->inputs.encoder->config;
	marker->shape = (MrenMarkerShape){
		.width = config->width,
		.embedding_width = config->embedding_width,
		.n_types = trainer->shape.n_types,
		.n_relations = trainer->shape.n_relations,
		.tuning = mren_tuning_shape_make(config, (MrenTransformerTuningKind) options->fine_tuning,
										 options->fine_tuned_layers, options->adapter_rank),
		.int8 = options->encoder_int8,
		.solid = options->markers == MREN_MARKERS_SOLID};
	return mren_allocate_zero(&trainer->env, trainer->inputs.source.n, sizeof(uint64_t),
							  &marker->sentences, err);
}

void
mren_trainer_marker_measure(MrenTrainer *trainer, size_t i, const MrenExample *example)
{
	if (!mren_trainer_marker_wanted(trainer))
		return;
	trainer->marker.sentences[i] =
		mren_hash64(example->tokens.ids, example->tokens.n * sizeof(int32_t), 0);
	trainer->report.n_windowed += example->tokens.windowed;
}

/*
 * Opening
 */

/* Drawn with the deviation of the encoder's word embeddings, which stand first in its weights. */
static MrenStatus
draw_embeddings(MrenTrainer *trainer, float **embeddings, MrenError *err)
{
	const MrenMarkerShape *shape = &trainer->marker.shape;
	size_t n = mren_marker_kinds(shape) * shape->embedding_width;
	MrenRandom random;

	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(float), embeddings, err));
	mren_random_seed(&random, (uint64_t) trainer->options.common.seed, MREN_STREAM_MARKER);
	for (size_t i = 0; i < n; i++)
		(*embeddings)[i] = mren_random_normal(&random);
	return MREN_OK;
}

static float
word_deviation(const MrenTransformerConfig *config, const float *weights)
{
	size_t n = config->vocabulary * config->embedding_width;

	return sqrtf((float) (mren_square_sum(weights, n) / (double) n));
}

/* The pretrained weights with the markers' embeddings; allocated. */
static MrenStatus
read_weights(MrenTrainer *trainer, float **weights, MrenError *err)
{
	const MrenMarkerShape *shape = &trainer->marker.shape;
	const MrenTransformerConfig *config = &trainer->inputs.encoder->config;
	size_t words = config->vocabulary * config->embedding_width;
	float *embeddings;
	MrenStatus status;

	MREN_TRY(draw_embeddings(trainer, &embeddings, err));
	status = mren_marker_weights(&trainer->env, shape, trainer->inputs.encoder, embeddings, weights,
								 err);
	mren_release(&trainer->env, embeddings);
	if (status != MREN_OK)
		return status;
	mren_scale(*weights + words, word_deviation(config, *weights),
			   mren_marker_kinds(shape) * config->embedding_width);
	return MREN_OK;
}

static MrenStatus
open_head(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenMarkerTraining *marker = &trainer->marker;
	MrenParameterTable *table = &marker->head;
	MrenOptimizerConfig config = {.kind = MREN_OPTIMIZER_ADAM,
								  .weight_decay = MREN_ENCODER_TUNING_DECAY};
	MrenParameterList list;

	mren_parameters_add(table, "weight", mren_marker_dim(&marker->shape), marker->shape.n_relations,
						true);
	mren_parameters_add(table, "bias", 1, marker->shape.n_relations, false);
	mren_parameters_end_trained(table);
	MREN_TRY(mren_allocate_zero(env, table->size, sizeof(float), &marker->head_values, err));
	MREN_TRY(mren_allocate_zero(env, table->size, sizeof(float), &marker->head_grads, err));
	MREN_TRY(mren_allocate_zero(env, table->size, sizeof(float), &marker->best_head, err));
	list = mren_parameters_trained(table);
	return mren_optimizer_create(env, &config, list, &marker->head_optimizer, err);
}

static MrenStatus
open_encoder(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	const MrenOptions *options = &trainer->options;
	MrenEncoderTuning *fine_tuning = &marker->fine_tuning;
	MrenTransformerTuning tuning = mren_tuning_shape_tuning(&marker->shape.tuning);
	MrenTransformerConfig config =
		mren_marker_config(&marker->shape, &trainer->inputs.encoder->config);
	float *weights;

	tuning.seed = (uint64_t) options->common.seed;
	MREN_TRY(mren_transformer_tuning_plan(&trainer->env, fine_tuning, &config, &tuning,
										  trainer->inputs.memory, err));
	MREN_TRY(read_weights(trainer, &weights, err));
	MREN_TRY(mren_transformer_tuning_open(fine_tuning, weights, err));
	if (trainer->inputs.team != NULL)
		mren_transformer_tuning_lead(fine_tuning, trainer->inputs.team);
	fine_tuning->rate =
		options->encoder_rate > 0
			? options->encoder_rate
			: mren_transformer_tuning_rate(&default_rates, tuning.kind, config.width);
	marker->shape.tuning.n = fine_tuning->n_tuned;
	mren_trainer_marker_warm(trainer);
	return MREN_OK;
}

MrenStatus
mren_trainer_marker_open(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	size_t kept = trainer->kept.capacity * trainer->shape.n_relations;

	if (!mren_trainer_marker_wanted(trainer))
		return MREN_OK;
	marker->share = DEFAULT_SHARE;
	MREN_TRY(mren_marker_rows_create(trainer, err));
	MREN_TRY(open_head(trainer, err));
	MREN_TRY(open_encoder(trainer, err));
	MREN_TRY(mren_allocate_zero(&trainer->env, kept, sizeof(float), &marker->kept_scores, err));
	return mren_allocate_zero(&trainer->env, kept, sizeof(float), &marker->best_scores, err);
}

void
mren_trainer_marker_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenMarkerTraining *marker = &trainer->marker;

	mren_marker_rows_free(trainer);
	mren_transformer_tuning_free(&marker->fine_tuning);
	mren_optimizer_free(env, &marker->head_optimizer);
	mren_release(env, marker->sentences);
	mren_release(env, marker->head_values);
	mren_release(env, marker->head_grads);
	mren_release(env, marker->best_head);
	mren_release(env, marker->start_head);
	mren_release(env, marker->start_tuned);
	mren_release(env, marker->kept_scores);
	mren_release(env, marker->best_scores);
}
