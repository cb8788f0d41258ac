/*
 * trainer_members.c
 *	  The members that a run trains one after the other, and how their logits
 *	  are joined.
 *
 * The members of an ensemble use different random seeds: for first weights,
 * order of the rows and dropout.  If rows have images or recordings, a text-only member
 * follows: a network of the text and of the mentions' boxes in the image.  All
 * members are validated on the same rows.  The mean of the logits of those that
 * read images is mixed with the text-only member's in the share under which the
 * validation rows are most likely: if images are useless, the text-only member
 * gets all the weight; if the text is useless, it gets none and is dropped.
 * The linear branch, whose result hardly depends on the seed, is trained once,
 * beside the first member.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"

#include <math.h>
#include <string.h>

#define SHARE_STEPS 20 /* candidates for a share, evenly spaced in 0 .. 1 */

/*
 * Members
 */

/* Without validation rows the weight of a text-only member could not be fitted. */
static bool
wants_text_only(const MrenTrainer *trainer)
{
	bool images = trainer->inputs.image_dim > 0 && trainer->report.n_rows_with_image > 0;

	return trainer->options.text_only_member && (images || trainer->shape.audio_dim > 0) &&
		   trainer->report.n_validation > 0;
}

static uint64_t
seed_of(const MrenTrainer *trainer, size_t i)
{
	uint64_t seed = (uint64_t) trainer->options.common.seed;
	MrenRandom fresh;

	if (i == 0)
		return seed;
	mren_random_seed(&fresh, seed,
					 MREN_STREAM_MEMBER + (i == trainer->n_image_members ? MREN_MAX_MEMBERS : i));
	return mren_random_next(&fresh);
}

static MrenStatus
plan_member(MrenTrainer *trainer, size_t i, MrenError *err)
{
	MrenMember *member = &trainer->members[i];

	member->text_only = i == trainer->n_image_members;
	member->seed = seed_of(trainer, i);
	member->shape = member->text_only ? mren_net_shape_text_only(&trainer->shape) : trainer->shape;
	member->shape.hash_bits = member->shape.linear_rows = 0;
	mren_net_layout_build(&member->shape, &member->layout);
	return mren_allocate_zero(&trainer->env, member->layout.table.trained_size, sizeof(float),
							  &member->best, err);
}

/* Copies means and deviations, which were measured into the first member's values. */
static void
copy_measured(const MrenMember *first, MrenMember *member)
{
	const MrenParameterTable *from = &first->layout.table;
	const MrenParameterTable *to = &member->layout.table;
	size_t j = from->n_trained;

	/* The tensors of both are in the same order; a text-only member lacks some. */
	for (size_t i = to->n_trained; i < to->n; i++)
	{
		while (strcmp(from->items[j].name, to->items[i].name) != 0)
			j++;
		memcpy(member->values + to->items[i].at, first->values + from->items[j].at,
			   to->items[i].cols * sizeof(float));
	}
}

static MrenStatus
allocate_member(MrenTrainer *trainer, MrenMember *member, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	const MrenParameterTable *table = &member->layout.table;
	MrenOptimizerConfig config =
		mren_options_optimizer(&trainer->options, mren_net_shape_reads(&member->shape));

	MREN_TRY(mren_batch_create(env, &member->shape, &member->layout, trainer->batch_rows,
							   &member->batch, err));
	member->batch.fine_tuned_ids = trainer->fine_tuned;
	MREN_TRY(mren_allocate_zero(env, table->size, sizeof(float), &member->values, err));
	MREN_TRY(mren_allocate_zero(env, table->trained_size, sizeof(float), &member->grads, err));
	MREN_TRY(mren_trainer_ema_allocate(trainer, member, err));
	return mren_optimizer_create(env, &config, mren_parameters_trained(table), &member->optimizer,
								 err);
}

/* The rate of the stage: gold rows that follow weak ones are learned more slowly. */
static double
stage_rate(const MrenTrainer *trainer, const MrenMember *member)
{
	double rate = trainer->options.common.learning_rate;

	return member->start != NULL ? rate * MREN_GOLD_RATE : rate;
}

static void
release_member(const MrenEnv *env, MrenMember *member)
{
	mren_batch_free(env, &member->batch);
	mren_optimizer_free(env, &member->optimizer);
	mren_release(env, member->values);
	mren_release(env, member->grads);
	mren_release(env, member->mean);
	member->values = member->grads = member->mean = NULL;
}

MrenStatus
mren_trainer_members_create(MrenTrainer *trainer, MrenError *err)
{
	trainer->n_image_members = trainer->n_members = trainer->options.ensemble;
	MREN_TRY(plan_member(trainer, 0, err));
	return allocate_member(trainer, &trainer->members[0], err);
}

MrenStatus
mren_trainer_members_plan(MrenTrainer *trainer, MrenError *err)
{
	trainer->n_members += wants_text_only(trainer);
	for (size_t i = 1; i < trainer->n_members; i++)
		MREN_TRY(plan_member(trainer, i, err));
	if (trainer->n_members == 1)
		return MREN_OK;
	return mren_allocate_zero(&trainer->env, trainer->kept.capacity * trainer->shape.n_relations,
							  sizeof(float), &trainer->kept.sum, err);
}

void
mren_trainer_members_free(MrenTrainer *trainer)
{
	for (size_t i = 0; i < sizeof(trainer->members) / sizeof(trainer->members[0]); i++)
	{
		release_member(&trainer->env, &trainer->members[i]);
		mren_release(&trainer->env, trainer->members[i].best);
		mren_release(&trainer->env, trainer->members[i].start);
	}
}

MrenStatus
mren_trainer_open_member(MrenTrainer *trainer, size_t i, MrenError *err)
{
	MrenMember *member = &trainer->members[i];

	trainer->current = i;
	if (i == 0)
		return MREN_OK;
	MREN_TRY(allocate_member(trainer, member, err));
	copy_measured(&trainer->members[0], member);
	mren_batch_scale(&member->batch, member->values);
	mren_batch_words(&member->batch, &trainer->inputs.vectors, trainer->scale);
	return MREN_OK;
}

void
mren_trainer_close_member(MrenTrainer *trainer)
{
	if (trainer->current > 0)
		release_member(&trainer->env, mren_trainer_member(trainer));
}

MrenStatus
mren_trainer_begin_member(MrenTrainer *trainer, MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);
	const MrenCommonOptions *options = &trainer->options.common;
	uint64_t phase = (uint64_t) trainer->epochs.phase;
	MrenRandom fresh;

	trainer->drop.input = (float) options->dropout;
	trainer->drop.hidden = (float) options->hidden_dropout;
	trainer->drop.word = (float) options->word_dropout;
	mren_random_seed(&trainer->drop.random, member->seed, MREN_STREAM_DROPOUT + phase);
	mren_random_seed(&trainer->withhold, member->seed, MREN_STREAM_WITHHOLD + phase);
	mren_random_seed(&fresh, member->seed, MREN_STREAM_REFIT);
	if (member->start != NULL)
		memcpy(member->values, member->start, member->layout.table.trained_size * sizeof(float));
	else
	{
		MREN_TRY(mren_batch_init_weights(
			&trainer->env, &member->shape, &member->layout, member->values,
			phase == MREN_PHASE_REFIT ? mren_random_next(&fresh) : member->seed, err));
		mren_trainer_take_warm(trainer);
	}
	mren_batch_fix_relation(&member->shape, &member->layout, member->values,
							trainer->objective.fixed);
	mren_trainer_ema_begin(trainer);
	member->optimizer.config.learning_rate = stage_rate(trainer, member);
	mren_optimizer_reset(mren_parameters_trained(&member->layout.table), &member->optimizer);
	return MREN_OK;
}

void
mren_trainer_keep_values(MrenTrainer *trainer)
{
	MrenMember *member = mren_trainer_member(trainer);

	memcpy(member->best, mren_trainer_evaluation_weights(trainer),
		   member->layout.table.trained_size * sizeof(float));
}

/* The best epoch of the gold rows may be none: then these weights remain the best. */
MrenStatus
mren_trainer_end_pretraining(MrenTrainer *trainer, MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);
	size_t n = member->layout.table.trained_size;

	trainer->report.epochs_run += trainer->epochs.epoch;
	if (!member->validated)
		mren_trainer_keep_values(trainer);
	member->best_epoch = 0;
	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(float), &member->start, err));
	memcpy(member->start, member->best, n * sizeof(float));
	return mren_trainer_linear_end_pretraining(trainer, err);
}

void
mren_trainer_settle_member(MrenTrainer *trainer)
{
	MrenMember *member = mren_trainer_member(trainer);

	if (member->validated)
		return;
	member->best_epoch = trainer->epochs.epoch;
	mren_trainer_keep_values(trainer);
}

void
mren_trainer_end_member(MrenTrainer *trainer)
{
	const MrenMember *member = mren_trainer_member(trainer);
	size_t n = mren_trainer_n_kept(trainer) * trainer->shape.n_relations;

	trainer->report.epochs_run += trainer->epochs.epoch;
	if (member->text_only || trainer->kept.sum == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		trainer->kept.sum[i] += trainer->kept.best[i];
}

/*
 * Joining the members
 */

void
mren_trainer_mix(const MrenTrainer *trainer, const float *first, const float *second, double share,
				 float *sum)
{
	size_t n = mren_trainer_n_kept(trainer) * trainer->shape.n_relations;

	for (size_t i = 0; i < n; i++)
		sum[i] = (float) ((1 - share) * (double) first[i] + share * (double) second[i]);
}

MrenStatus
mren_trainer_fit_share(MrenTrainer *trainer, const float *first, const float *second,
					   float *scratch, double *share, MrenError *err)
{
	MrenLogits rows = mren_trainer_kept_rows(trainer, scratch, trainer->objective.fixed);
	double least = INFINITY;

	for (int i = 0; i <= SHARE_STEPS; i++)
	{
		MrenCalibration fit;
		double loss;

		MREN_TRY(mren_check_interrupts(&trainer->env, err));
		mren_trainer_mix(trainer, first, second, (double) i / SHARE_STEPS, scratch);
		MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
		loss = mren_calibration_loss(&rows, &fit);
		if (loss < least)
		{
			least = loss;
			*share = (double) i / SHARE_STEPS;
		}
	}
	return MREN_OK;
}

/* The text-only member's logits are kept.best, since it was the last to be trained. */
static MrenStatus
join_text_only(MrenTrainer *trainer, MrenError *err)
{
	MrenKeptRows *kept = &trainer->kept;
	double share;

	MREN_TRY(mren_trainer_fit_share(trainer, kept->sum, kept->best, kept->logits, &share, err));
	trainer->text_only_share = share;
	trainer->report.has_text_only = true;
	trainer->report.multimodal_share = 1 - share;
	if (share == 0)
		trainer->n_members--;
	mren_trainer_mix(trainer, kept->sum, kept->best, share, kept->best);
	return MREN_OK;
}

/* The mean of the members' logits, mixed with those of the text-only member. */
static MrenStatus
join_logits(MrenTrainer *trainer, MrenError *err)
{
	size_t n = mren_trainer_n_kept(trainer) * trainer->shape.n_relations;

	for (size_t i = 0; i < n; i++)
		trainer->kept.sum[i] /= (float) trainer->n_image_members;
	if (trainer->n_members > trainer->n_image_members)
		MREN_TRY(join_text_only(trainer, err));
	else
		memcpy(trainer->kept.best, trainer->kept.sum, n * sizeof(float));
	mren_trainer_report_kept(trainer);
	return MREN_OK;
}

static double
mean_loss(const MrenTrainer *trainer)
{
	double sum = 0;

	for (size_t i = 0; i < trainer->n_image_members; i++)
		sum += trainer->members[i].validation_loss;
	return sum / (double) trainer->n_image_members;
}

static void
report_sizes(MrenTrainer *trainer)
{
	MrenTrainReport *report = &trainer->report;

	report->n_members = trainer->n_members;
	report->n_parameters = trainer->shape.linear_rows * trainer->shape.n_relations;
	report->features_dim = trainer->shape.hash_bits > 0 ? trainer->shape.n_relations : 0;
	for (size_t i = 0; i < trainer->n_members; i++)
	{
		report->n_parameters += trainer->members[i].layout.table.n_parameters;
		report->features_dim += mren_net_shape_features_dim(&trainer->members[i].shape);
	}
}

/* What a network that knows nothing would reach. */
static MrenStatus
report_baselines(MrenTrainer *trainer, MrenError *err)
{
	size_t k = trainer->shape.n_relations;
	size_t n = mren_trainer_n_kept(trainer);
	int32_t label = trainer->objective.fixed == 0 ? 1 : 0;
	float weight = 1;
	float *logits;
	size_t *counts;
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(&trainer->env, 2 * k, sizeof(float), &logits, err));
	trainer->report.blank_loss = mren_loss(
		&trainer->objective, &(MrenLabelledRows){logits, &label, &weight, 1, k}, 1, logits + k);
	mren_release(&trainer->env, logits);
	if (n == 0 || !trainer->report.validated)
		return MREN_OK;
	status = mren_allocate_zero(&trainer->env, k, sizeof(size_t), &counts, err);
	if (status != MREN_OK)
		return status;
	for (size_t i = 0; i < n; i++)
		counts[trainer->kept.labels[i]]++;
	for (size_t i = 0; i < k; i++)
	{
		double share = (double) counts[i] / (double) n;

		if (share > trainer->report.validation_majority)
			trainer->report.validation_majority = share;
		if (share > 0)
			trainer->report.validation_entropy -= share * log(share);
	}
	mren_release(&trainer->env, counts);
	return MREN_OK;
}

MrenStatus
mren_trainer_join_members(MrenTrainer *trainer, MrenError *err)
{
	MrenTrainReport *report = &trainer->report;

	trainer->n_members = trainer->current + 1;
	if (trainer->n_image_members > trainer->n_members)
		trainer->n_image_members = trainer->n_members;
	report->best_epoch = trainer->members[0].best_epoch;
	report->validated = report->n_validation > 0;
	report->validation_loss = mean_loss(trainer);
	if (trainer->kept.sum != NULL && report->validated)
		MREN_TRY(join_logits(trainer, err));
	MREN_TRY(report_baselines(trainer, err));
	report_sizes(trainer);
	return MREN_OK;
}
