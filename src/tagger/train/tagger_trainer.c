/*
 * tagger_trainer.c
 *	  Training a tagger: its network, epochs, validation and the refit.
 *
 * Each purpose and phase has a random stream of the seed, so that the refit
 * depends on the validation only in its number of epochs.
 */
#include "tagger/train/tagger_trainer.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"
#include "base/sort.h"
#include "tagger/tagger_internal.h"
#include "tagger/train/tagger_trainer_internal.h"

/* Rows of the tables of feature vectors and of direct scores. */
#define BUCKETS ((size_t) 1 << 15)
#define DIRECT_BUCKETS ((size_t) 1 << 17)

MrenStatus
mren_tag_trainer_create(const MrenEnv *env, const MrenTagOptions *options,
						const MrenTagTrainerInputs *inputs, MrenTagTrainer **trainer,
						MrenError *err)
{
	MrenTagTrainer *made;
	MrenStatus status;

	if (inputs->source.n == 0)
		return mren_fail(err, MREN_EDATA, "no training rows");
	if (inputs->source.n > UINT32_MAX)
		return mren_fail(err, MREN_ELIMIT, "more than %u training rows", UINT32_MAX);
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*made), &made, err));
	made->env = *env;
	made->options = *options;
	made->options.common.epochs = mren_tag_options_epochs(options);
	mren_tag_trainer_encoder_choose(made, inputs);
	made->source = inputs->source;
	made->memory = inputs->memory;
	made->team = inputs->team;
	made->vectors = inputs->vectors;
	made->has_embeddings = inputs->embeddings_sha256 != NULL;
	if (made->has_embeddings)
		memcpy(made->embeddings_sha256, inputs->embeddings_sha256, 32);
	made->n_lexicons = inputs->n_lexicons;
	if (inputs->n_lexicons > 0)
		memcpy(made->lexicons_sha256, inputs->lexicons_sha256, 32 * inputs->n_lexicons);
	status = mren_allocate(env, inputs->source.n, sizeof(uint64_t), &made->groups, err);
	if (status == MREN_OK)
		status = mren_allocate(env, inputs->source.n, sizeof(MrenSplit), &made->splits, err);
	if (status == MREN_OK)
		status = mren_allocate(env, options->common.batch_size, sizeof(MrenTagInput), &made->inputs,
							   err);
	if (status == MREN_OK)
		status = mren_allocate(env, options->common.batch_size, sizeof(float), &made->weights, err);
	if (status == MREN_OK)
		status =
			mren_allocate(env, options->common.batch_size + 1, sizeof(size_t), &made->offsets, err);
	if (status != MREN_OK)
	{
		mren_tag_trainer_free(made);
		return status;
	}
	*trainer = made;
	return MREN_OK;
}

void
mren_tag_trainer_free(MrenTagTrainer *trainer)
{
	MrenEnv env;
	void *blocks[] = {trainer->groups, trainer->splits,	 trainer->train,	trainer->validation,
					  trainer->usable, trainer->values,	 trainer->averaged, trainer->best,
					  trainer->grads,  trainer->order,	 trainer->inputs,	trainer->weights,
					  trainer->tags,   trainer->offsets, trainer->gold,		trainer->found,
					  trainer->path};

	env = trainer->env;
	mren_names_free(&env, &trainer->types);
	mren_optimizer_free(&env, &trainer->optimizer);
	mren_tag_tables_free(&env, &trainer->tables);
	mren_tag_batch_free(&env, &trainer->batch);
	mren_tag_trainer_encoder_free(trainer);
	mren_buffer_free(&env, &trainer->bytes);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		mren_release(&env, blocks[i]);
	mren_release(&env, trainer);
}

static void
make_shape(MrenTagTrainer *trainer)
{
	const MrenTagOptions *options = &trainer->options;
	MrenTagShape *shape = &trainer->shape;

	*shape = (MrenTagShape){
		.embedding_dim = trainer->vectors.dim,
		.feature_dim = options->feature_dim,
		.n_buckets = options->feature_dim > 0 ? BUCKETS : 0,
		.n_sparse = options->direct ? DIRECT_BUCKETS : 0,
		.n_lexicons = trainer->n_lexicons,
		.encoder_dim = trainer->encoder.shape.width,
		.n_types = trainer->types.n,
		.n_hidden = options->common.n_hidden,
		.activation = options->common.activation,
	};
	for (size_t i = 0; i < shape->n_hidden; i++)
	{
		shape->hidden[i] = options->common.hidden[i];
		shape->window[i] = i == 0 ? options->window : options->context;
	}
	/*
	 * Fewer rows with many types, so that the table of direct scores is not
	 * larger than with four types.
	 */
	while (shape->n_sparse > 4096 &&
		   shape->n_sparse * mren_bilou_n_tags(shape->n_types) > DIRECT_BUCKETS * 32)
		shape->n_sparse /= 2;
}

static MrenStatus
make_network(MrenTagTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	const MrenParameterTable *table = &trainer->layout.table;

	MrenOptimizerConfig config = {.kind = MREN_OPTIMIZER_ADAM,
								  .learning_rate = trainer->options.common.learning_rate,
								  .weight_decay = trainer->options.common.weight_decay};

	make_shape(trainer);
	MREN_TRY(mren_tag_shape_check(&trainer->shape, err));
	mren_tag_layout_build(&trainer->shape, &trainer->layout);
	MREN_TRY(mren_tag_trainer_encoder_open(trainer, err));
	trainer->report.n_parameters = table->n_parameters + trainer->encoder.shape.tuning.n;
	MREN_TRY(mren_allocate(env, table->size, sizeof(float), &trainer->values, err));
	MREN_TRY(mren_allocate(env, table->size, sizeof(float), &trainer->averaged, err));
	MREN_TRY(mren_allocate(env, table->size, sizeof(float), &trainer->best, err));
	MREN_TRY(mren_allocate_zero(env, table->trained_size, sizeof(float), &trainer->grads, err));
	MREN_TRY(mren_optimizer_create(env, &config, mren_parameters_trained(table),
								   &trainer->optimizer, err));
	MREN_TRY(mren_tag_tables_create(env, &trainer->layout, &trainer->tables, err));
	return mren_tag_batch_create(env, &trainer->shape, &trainer->layout, &trainer->batch, err);
}

/*
 * Epochs
 */

static void
begin_epoch(MrenTagTrainer *trainer)
{
	const uint32_t *rows = trainer->phase == 2 ? trainer->usable : trainer->train;
	MrenRandom random;

	trainer->epoch++;
	trainer->n_order = trainer->phase == 2 ? trainer->n_usable : trainer->n_train;
	memcpy(trainer->order, rows, trainer->n_order * sizeof(uint32_t));
	mren_random_seed(&random, (uint64_t) trainer->options.common.seed + (uint64_t) trainer->epoch,
					 MREN_TAG_STREAM_ORDER + (uint64_t) trainer->phase);
	mren_random_shuffle(&random, trainer->order, trainer->n_order);
	trainer->at = 0;
	trainer->loss = trainer->weight = 0;
	trainer->state = MREN_TAG_TRAIN;
}

static MrenStatus
begin_phase(MrenTagTrainer *trainer, int phase, int epochs, MrenError *err)
{
	const MrenParameterTable *table = &trainer->layout.table;
	double square = trainer->square_n > 0 ? trainer->square_sum / (double) trainer->square_n : 1;

	mren_tag_init(&trainer->shape, &trainer->layout, trainer->values,
				  (uint64_t) trainer->options.common.seed);
	*mren_parameter_at(table, trainer->values, trainer->layout.ids.scale) =
		square > 1e-12 ? (float) (1 / sqrt(square)) : 1;
	MREN_TRY(mren_tag_trainer_encoder_begin(trainer, err));
	memcpy(trainer->averaged, trainer->values, table->size * sizeof(float));
	mren_optimizer_reset(mren_parameters_trained(table), &trainer->optimizer);
	mren_tag_tables_reset(&trainer->tables);
	mren_random_seed(&trainer->drop, (uint64_t) trainer->options.common.seed,
					 MREN_TAG_STREAM_DROP + (uint64_t) phase);
	trainer->n_steps = 0;
	trainer->phase = phase;
	trainer->epoch = 0;
	trainer->epochs = epochs;
	begin_epoch(trainer);
	return MREN_OK;
}

static MrenStatus
step_scan(MrenTagTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	progress->event = MREN_TRAIN_SCAN;
	progress->rows_total = trainer->source.n;
	MREN_TRY(mren_tag_trainer_scan(trainer, err));
	progress->rows_done = trainer->next_row;
	if (trainer->next_row < trainer->source.n)
		return MREN_OK;
	MREN_TRY(make_network(trainer, err));
	return begin_phase(trainer, 1, (int) trainer->options.common.epochs, err);
}

/*
 * A batch
 */

/*
 * A step of the weights and of their moving mean, whose decay is smaller at the
 * beginning.  The tables come first in the layout.
 */
static MrenStatus
take_step(MrenTagTrainer *trainer, MrenError *err)
{
	const MrenParameterTable *table = &trainer->layout.table;
	size_t at = table->items[trainer->layout.ids.weight[0]].at;
	size_t n = table->trained_size - at;
	double step = (double) ++trainer->n_steps;
	double keep = fmin(trainer->options.common.weight_ema, (step + 1) / (step + 10));
	double done = ((double) trainer->epoch - 1 +
				   (double) (trainer->at - trainer->n_sentences) / (double) trainer->n_order) /
				  (double) trainer->options.common.epochs;
	double part = (double) trainer->n_sentences /
				  ((double) trainer->n_order * (double) trainer->options.common.epochs);

	trainer->optimizer.config.learning_rate =
		trainer->options.common.learning_rate * (1 - done * (1 - trainer->options.anneal));
	MREN_TRY(mren_optimizer_step(&trainer->env, mren_parameters_trained(table), &trainer->optimizer,
								 trainer->values, trainer->grads, err));
	mren_scale(trainer->averaged + at, (float) keep, n);
	mren_axpy(trainer->averaged + at, trainer->values + at, (float) (1 - keep), n);
	mren_tag_tables_step(&trainer->tables, &trainer->batch, &trainer->optimizer, keep,
						 trainer->values, trainer->averaged, trainer->grads);
	return mren_tag_trainer_encoder_step(trainer, done + part / 2, keep, err);
}

static MrenStatus
train_batch(MrenTagTrainer *trainer, MrenError *err)
{
	MrenTagDropout drop = {.word = (float) trainer->options.common.word_dropout,
						   .input = (float) trainer->options.common.dropout,
						   .hidden = (float) trainer->options.common.hidden_dropout,
						   .sparse = (float) trainer->options.direct_dropout,
						   .random = trainer->drop};
	double loss;

	MREN_TRY(mren_tag_trainer_fill(trainer, trainer->order, trainer->n_order, err));
	MREN_TRY(mren_tag_trainer_encoder_forward(trainer, true, err));
	MREN_TRY(mren_tag_forward(&trainer->batch, trainer->values, &trainer->vectors, trainer->inputs,
							  trainer->n_sentences, &drop, err));
	trainer->drop = drop.random;
	MREN_TRY(mren_tag_loss(&trainer->batch, trainer->values, trainer->tags, trainer->weights,
						   1.0 / (double) trainer->n_sentences, &loss, err));
	if (!isfinite(loss))
	{
		mren_fail(err, MREN_ENUMERIC, "the training's loss is no longer finite in epoch %d",
				  trainer->epoch);
		mren_error_hint(err, trainer->encoder.fine_tuning.rate > 0
								 ? "Lower \"learning_rate\" or \"encoder_learning_rate\"."
								 : "Lower \"learning_rate\".");
		return MREN_ENUMERIC;
	}
	trainer->loss += loss;
	for (size_t s = 0; s < trainer->n_sentences; s++)
		trainer->weight += trainer->weights[s];
	MREN_TRY(mren_tag_backward(&trainer->batch, trainer->values, trainer->grads, err));
	return take_step(trainer, err);
}

/*
 * Validation
 */

static void
count_mentions(MrenTagTrainer *trainer, const MrenTagSpan *found, size_t n_found,
			   const MrenTagSpan *gold, size_t n_gold)
{
	size_t g = 0;

	trainer->n_gold += n_gold;
	trainer->n_found += n_found;
	for (size_t f = 0; f < n_found; f++)
	{
		while (g < n_gold && gold[g].first < found[f].first)
			g++;
		if (g < n_gold && gold[g].first == found[f].first && gold[g].end == found[f].end &&
			gold[g].type == found[f].type)
			trainer->n_correct++;
	}
}

/* Compares the best path of each sentence of the batch with its tags. */
static MrenStatus
decode_batch(MrenTagTrainer *trainer, MrenError *err)
{
	MrenTagBatch *batch = &trainer->batch;
	const MrenCrf crf = mren_tag_crf(&trainer->layout, &batch->rules, trainer->averaged);
	size_t k = batch->rules.n_tags;

	for (size_t s = 0; s < trainer->n_sentences; s++)
	{
		size_t first = batch->first_word[s];
		size_t n = batch->first_word[s + 1] - first;
		size_t n_found;
		size_t n_gold;

		MREN_TRY(mren_grow(&trainer->env, &trainer->path, &trainer->path_capacity, 0, n,
						   sizeof(uint32_t), err));
		MREN_TRY(mren_grow(&trainer->env, &trainer->gold, &trainer->spans_capacity, 0, n,
						   sizeof(MrenTagSpan), err));
		MREN_TRY(mren_grow(&trainer->env, &trainer->found, &trainer->found_capacity, 0, n,
						   sizeof(MrenTagSpan), err));
		MREN_TRY(mren_crf_decode(&trainer->env, &crf, batch->emissions + first * k, n, &batch->crf,
								 trainer->path, err));
		n_found = mren_bilou_read(trainer->path, n, trainer->found);
		n_gold = mren_bilou_read(trainer->tags + first, n, trainer->gold);
		count_mentions(trainer, trainer->found, n_found, trainer->gold, n_gold);
	}
	return MREN_OK;
}

static MrenStatus
validate_batch(MrenTagTrainer *trainer, MrenError *err)
{
	double loss;

	MREN_TRY(mren_tag_trainer_fill(trainer, trainer->validation, trainer->n_validation, err));
	MREN_TRY(mren_tag_trainer_encoder_forward(trainer, false, err));
	MREN_TRY(mren_tag_forward(&trainer->batch, trainer->averaged, &trainer->vectors,
							  trainer->inputs, trainer->n_sentences, NULL, err));
	MREN_TRY(mren_tag_loss(&trainer->batch, trainer->averaged, trainer->tags, trainer->weights, 1,
						   &loss, err));
	trainer->validation_loss += loss;
	for (size_t s = 0; s < trainer->n_sentences; s++)
		trainer->weight += trainer->weights[s];
	return decode_batch(trainer, err);
}

static MrenStatus
begin_validation(MrenTagTrainer *trainer, MrenError *err)
{
	trainer->state = MREN_TAG_VALIDATE;
	trainer->at = 0;
	trainer->weight = 0;
	trainer->validation_loss = 0;
	trainer->n_gold = trainer->n_found = trainer->n_correct = 0;
	return mren_tag_trainer_encoder_swap(trainer, err);
}

static void
keep_best(MrenTagTrainer *trainer)
{
	memcpy(trainer->best, trainer->averaged, trainer->layout.table.size * sizeof(float));
	mren_tag_trainer_encoder_keep(trainer);
}

/* The better epoch has the higher F1, or the same F1 and a lower loss. */
static void
judge(MrenTagTrainer *trainer, MrenProgress *progress)
{
	MrenTagReport *report = &trainer->report;
	double sum = (double) (trainer->n_gold + trainer->n_found);

	progress->validated = true;
	progress->validation_loss = trainer->validation_loss / trainer->weight;
	progress->validation_f1 = sum > 0 ? 2 * (double) trainer->n_correct / sum : 0;
	progress->improved = report->best_epoch == 0 ||
						 progress->validation_f1 > report->validation_f1 ||
						 (progress->validation_f1 == report->validation_f1 &&
						  progress->validation_loss < report->validation_loss);
	trainer->since_best++;
	if (!progress->improved)
		return;
	trainer->since_best = 0;
	report->validated = true;
	report->best_epoch = trainer->epoch;
	report->validation_f1 = progress->validation_f1;
	report->validation_loss = progress->validation_loss;
	keep_best(trainer);
}

/* The first phase once more, as if it had not been. */
static MrenStatus
begin_again(MrenTagTrainer *trainer, MrenError *err)
{
	trainer->report.best_epoch = 0;
	trainer->report.validated = false;
	trainer->since_best = 0;
	return begin_phase(trainer, 1, trainer->epochs, err);
}

/* Begins what follows an epoch. */
static MrenStatus
go_on(MrenTagTrainer *trainer, MrenError *err)
{
	const MrenCommonOptions *options = &trainer->options.common;
	bool over = trainer->epoch >= trainer->epochs ||
				(trainer->phase == 1 && trainer->n_validation > 0 && options->patience > 0 &&
				 (size_t) trainer->since_best >= options->patience);

	if (!over)
		begin_epoch(trainer);
	else if (trainer->phase == 1 && mren_tag_trainer_encoder_again(trainer))
		return begin_again(trainer, err);
	else if (trainer->phase == 1 && trainer->n_validation > 0 && options->refit)
		return begin_phase(trainer, 2, trainer->report.best_epoch, err);
	else
		trainer->state = MREN_TAG_DONE;
	return MREN_OK;
}

static MrenStatus
end_epoch(MrenTagTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	MrenTagReport *report = &trainer->report;
	int restarts = report->encoder_restarts;

	progress->event = MREN_TRAIN_EPOCH;
	if (trainer->phase == 1)
		report->epochs_run = trainer->epoch;
	else
		report->refit_epochs = trainer->epoch;
	if (trainer->state == MREN_TAG_VALIDATE)
		MREN_TRY(mren_tag_trainer_encoder_swap(trainer, err));
	if (trainer->phase == 1 && trainer->n_validation > 0)
		judge(trainer, progress);
	else
		keep_best(trainer);
	MREN_TRY(go_on(trainer, err));
	progress->restarted = report->encoder_restarts > restarts;
	return MREN_OK;
}

static MrenStatus
step_epoch(MrenTagTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	progress->event = MREN_TRAIN_STEP;
	progress->phase = trainer->phase;
	progress->epoch = trainer->epoch;
	progress->epochs = trainer->epochs;
	progress->rows_total = trainer->n_order;
	progress->rows_done = trainer->n_order;
	if (trainer->phase == 1 && trainer->n_validation > 0 && trainer->options.common.refit)
		progress->rows_later =
			(double) trainer->epochs * (double) (trainer->n_order + trainer->n_validation);
	if (trainer->state == MREN_TAG_VALIDATE)
	{
		MREN_TRY(validate_batch(trainer, err));
		progress->loss = trainer->report.train_loss;
		if (trainer->at == trainer->n_validation)
			return end_epoch(trainer, progress, err);
		return MREN_OK;
	}
	MREN_TRY(train_batch(trainer, err));
	progress->rows_done = trainer->at;
	progress->loss = trainer->report.train_loss = trainer->loss / trainer->weight;
	if (trainer->at < trainer->n_order)
		return MREN_OK;
	mren_tag_tables_settle(&trainer->tables, trainer->values, trainer->averaged);
	if (trainer->phase == 1 && trainer->n_validation > 0)
		return begin_validation(trainer, err);
	return end_epoch(trainer, progress, err);
}

MrenStatus
mren_tag_trainer_step(MrenTagTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	memset(progress, 0, sizeof(*progress));
	if (trainer->state == MREN_TAG_DONE)
	{
		progress->event = MREN_TRAIN_DONE;
		progress->phase = trainer->phase;
		progress->epoch = trainer->epoch;
		progress->epochs = trainer->epochs;
		progress->rows_done = progress->rows_total = trainer->n_order;
		progress->loss = trainer->report.train_loss;
		return MREN_OK;
	}
	if (trainer->state == MREN_TAG_SCAN)
		return step_scan(trainer, progress, err);
	return step_epoch(trainer, progress, err);
}

/*
 * The end
 */

/* The groups of all rows trained or validated on, ascending, each once. */
static MrenStatus
gather_groups(MrenTagTrainer *trainer, MrenTagger *tagger, MrenError *err)
{
	MREN_TRY(
		mren_allocate(&tagger->env, trainer->n_usable, sizeof(uint64_t), &tagger->training, err));
	for (size_t i = 0; i < trainer->n_usable; i++)
	{
		MrenTagExample example;

		MREN_TRY(mren_tag_trainer_read(trainer, trainer->usable[i], &example, err));
		tagger->training[i] = example.group;
	}
	tagger->n_training = trainer->n_usable;
	mren_sort_u64(tagger->training, tagger->n_training);
	return MREN_OK;
}

static MrenStatus
fill_tagger(MrenTagTrainer *trainer, MrenTagger *tagger, MrenError *err)
{
	const MrenParameterTable *table = &trainer->layout.table;
	uint32_t number;

	memcpy(tagger->embeddings_sha256, trainer->embeddings_sha256, 32);
	memcpy(tagger->lexicons_sha256, trainer->lexicons_sha256, sizeof(tagger->lexicons_sha256));
	for (size_t i = 0; i < trainer->types.n; i++)
		MREN_TRY(mren_names_intern(&tagger->env, &tagger->types, mren_names_get(&trainer->types, i),
								   &number, err));
	for (size_t i = 0; i < table->n; i++)
		MREN_TRY(mren_tagger_set_tensor(tagger, table->items[i].name, table->items[i].rows,
										table->items[i].cols, trainer->best + table->items[i].at,
										err));
	MREN_TRY(mren_tag_trainer_encoder_finish(trainer, tagger, err));
	MREN_TRY(gather_groups(trainer, tagger, err));
	return mren_tagger_complete(tagger, err);
}

MrenStatus
mren_tag_trainer_finish(MrenTagTrainer *trainer, MrenTagger **tagger, MrenError *err)
{
	MrenTagger *made;
	MrenStatus status;

	MREN_TRY(mren_tagger_create(&trainer->env, &trainer->shape, &made, err));
	status = fill_tagger(trainer, made, err);
	if (status != MREN_OK)
	{
		mren_tagger_free(&trainer->env, made);
		return status;
	}
	*tagger = made;
	return MREN_OK;
}

void
mren_tag_trainer_report(const MrenTagTrainer *trainer, MrenTagReport *report)
{
	*report = trainer->report;
}
