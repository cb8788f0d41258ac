/*
 * trainer_decide.c
 *	  The thresholds of relations, for the option "decide".
 *
 * Fitted after the calibration, on the probabilities that the joined members
 * give the kept validation rows.  A refit trains on these rows, too, and keeps
 * the thresholds, as it keeps the temperature.
 */
#include "relation/train/trainer_members.h"

#include <math.h>

#include "relation/net_internal.h"

MrenStatus
mren_trainer_decide_allocate(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;

	if (trainer->options.decide.word == MREN_AIM_ARGMAX)
		return MREN_OK;
	MREN_TRY(
		mren_allocate(env, trainer->shape.n_relations, sizeof(float), &trainer->thresholds, err));
	return mren_allocate(env, trainer->kept.capacity, sizeof(uint64_t), &trainer->kept.pairs, err);
}

MrenStatus
mren_trainer_decide_check(const MrenTrainer *trainer, MrenError *err)
{
	if (trainer->options.decide.word == MREN_AIM_ARGMAX || trainer->report.n_validation > 0)
		return MREN_OK;
	mren_fail(err, MREN_EDATA,
			  "there are no validation rows to fit the thresholds of relations on");
	mren_error_hint(err, "Option \"decide\" needs a \"validation_share\" above 0, or rows whose "
						 "split is validation.");
	return MREN_EDATA;
}

MrenStatus
mren_trainer_decide_row(MrenTrainer *trainer, size_t row, const uint8_t *record, size_t len,
						MrenError *err)
{
	MrenExample example;

	if (trainer->kept.pairs == NULL || row >= trainer->kept.capacity)
		return MREN_OK;
	MREN_TRY(mren_example_read(record, len, &example, &len, err));
	trainer->kept.pairs[row] = mren_example_pair(&example);
	return MREN_OK;
}

MrenStatus
mren_trainer_decide(MrenTrainer *trainer, MrenError *err)
{
	const MrenAimOption *decide = &trainer->options.decide;
	const MrenKeptRows *kept = &trainer->kept;
	size_t n = mren_trainer_n_kept(trainer);
	size_t k = trainer->shape.n_relations;
	float *probabilities;
	MrenStatus status;

	if (decide->word == MREN_AIM_ARGMAX)
		return MREN_OK;
	MREN_TRY(mren_allocate(&trainer->env, n * k, sizeof(float), &probabilities, err));
	for (size_t i = 0; i < n; i++)
		mren_calibration_apply(&trainer->report.calibration, kept->best + i * k, k,
							   trainer->negative, probabilities + i * k);
	status = mren_decision_fit(&trainer->env,
							   &(MrenScoredRows){probabilities, kept->labels, kept->weights,
												 kept->pairs, n, k, trainer->negative},
							   (MrenAim) decide->word, decide->number, trainer->thresholds,
							   &trainer->report.decision, err);
	trainer->report.decided = status == MREN_OK;
	mren_release(&trainer->env, probabilities);
	return status;
}

MrenStatus
mren_trainer_decide_finish(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	size_t k = trainer->shape.n_relations;

	if (!trainer->report.decided)
		return MREN_OK;
	MREN_TRY(mren_buffer_reserve(&trainer->env, &net->thresholds, 4 * k, err));
	mren_buffer_put_floats(&net->thresholds, trainer->thresholds, k);
	return MREN_OK;
}
