/*
 * trainer_marker_open.c
 *	  What the training of a marker classifier works on: the encoder with its markers, the output
 *	  layer, and their optimisers.
 */
#include "relation/train/trainer_internal.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

#define WEIGHT_DECAY 0.01
#define SMALL_WIDTH 384.0
/* For encoders of that width: good ones among a few that were tried on development rows. */
#define ADAPTERS_RATE 5e-4
#define ALL_RATE 2e-4
#define ADAPTER_ALPHA 2.0 /* times the rank */
#define DEFAULT_SHARE 0.5 /* without validation rows */

static double
default_rate(const MrenTrainer *trainer)
{
	double narrow = SMALL_WIDTH / (double) trainer->marker.shape.width;

	if (trainer->options.encoder_rate > 0)
		return trainer->options.encoder_rate;
	if (trainer->options.fine_tuning == MREN_FINE_TUNING_ADAPTERS)
		return ADAPTERS_RATE * narrow;
	return ALL_RATE * pow(narrow, 2.3);
}

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
	marker->shape = (MrenMarkerShape){.width = config->width,
									  .embedding_width = config->embedding_width,
									  .n_types = trainer->shape.n_types,
									  .n_relations = trainer->shape.n_relations,
									  .tuning = (size_t) options->fine_tuning,
									  .int8 = options->encoder_int8};
	if (options->fine_tuning == MREN_FINE_TUNING_LAST_LAYERS)
		marker->shape.layers = options->fine_tuned_layers < config->layers
								   ? options->fine_tuned_layers
								   : config->layers;
	if (options->fine_tuning == MREN_FINE_TUNING_ADAPTERS)
	{
		marker->shape.rank =
			options->adapter_rank < config->width ? options->adapter_rank : config->width;
		marker->shape.alpha = ADAPTER_ALPHA * (double) marker->shape.rank;
	}
	marker->config = mren_marker_config(&marker->shape, config);
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

static MrenStatus
open_weights(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	const MrenTransformerConfig *config = &trainer->inputs.encoder->config;
	size_t words = config->vocabulary * config->embedding_width;
	float *embeddings;
	MrenStatus status;

	MREN_TRY(draw_embeddings(trainer, &embeddings, err));
	status = mren_marker_weights(&trainer->env, &marker->shape, trainer->inputs.encoder, embeddings,
								 &marker->weights, err);
	mren_release(&trainer->env, embeddings);
	if (status != MREN_OK)
		return status;
	mren_scale(marker->weights + words, word_deviation(config, marker->weights),
			   mren_marker_kinds(&marker->shape) * config->embedding_width);
	return MREN_OK;
}

static MrenStatus
open_head(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenMarkerTraining *marker = &trainer->marker;
	MrenParameterTable *table = &marker->head;
	MrenOptimizerConfig config = {.kind = MREN_OPTIMIZER_ADAM, .weight_decay = WEIGHT_DECAY};
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

static MrenTransformerTuning
tuning_of(const MrenTrainer *trainer)
{
	const MrenMarkerTraining *marker = &trainer->marker;
	MrenTransformerTuning chosen = mren_marker_tuning(&marker->shape);
	MrenTransformerTuning tuning;

	mren_transformer_tuning_init(&marker->config, &tuning);
	tuning.kind = chosen.kind;
	tuning.last_layers = chosen.last_layers;
	tuning.rank = chosen.rank;
	tuning.alpha = chosen.alpha;
	tuning.seed = (uint64_t) trainer->options.common.seed;
	return tuning;
}

static MrenStatus
open_encoder(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenMarkerTraining *marker = &trainer->marker;
	MrenTransformerTuning tuning = tuning_of(trainer);
	MrenOptimizerConfig config = {.kind = MREN_OPTIMIZER_ADAM, .weight_decay = WEIGHT_DECAY};
	MrenParameterList list;

	MREN_TRY(mren_transformer_trainer_create(env, &marker->config, &tuning, marker->weights,
											 &marker->encoder, err));
	list = mren_transformer_trainer_parameters(marker->encoder);
	marker->shape.n_tuned = 0;
	for (size_t i = 0; i < list.n; i++)
		marker->shape.n_tuned += list.items[i].rows * list.items[i].cols;
	MREN_TRY(mren_allocate(env, list.size, sizeof(float), &marker->best_tuned, err));
	return mren_optimizer_create(env, &config, list, &marker->encoder_optimizer, err);
}

MrenStatus
mren_trainer_marker_open(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	size_t kept = trainer->kept.capacity * trainer->shape.n_relations;

	if (!mren_trainer_marker_wanted(trainer))
		return MREN_OK;
	marker->share = DEFAULT_SHARE;
	marker->rate = default_rate(trainer);
	MREN_TRY(mren_marker_rows_create(trainer, err));
	MREN_TRY(open_weights(trainer, err));
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
	mren_transformer_trainer_free(marker->encoder);
	mren_optimizer_free(env, &marker->encoder_optimizer);
	mren_optimizer_free(env, &marker->head_optimizer);
	mren_release(env, marker->weights);
	mren_release(env, marker->sentences);
	mren_release(env, marker->head_values);
	mren_release(env, marker->head_grads);
	mren_release(env, marker->best_head);
	mren_release(env, marker->best_tuned);
	mren_release(env, marker->start_head);
	mren_release(env, marker->start_tuned);
	mren_release(env, marker->kept_scores);
	mren_release(env, marker->best_scores);
}

MrenStatus
mren_trainer_marker_renew(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenTransformerTuning tuning = tuning_of(trainer);

	mren_transformer_trainer_free(marker->encoder);
	marker->encoder = NULL;
	return mren_transformer_trainer_create(&trainer->env, &marker->config, &tuning, marker->weights,
										   &marker->encoder, err);
}
