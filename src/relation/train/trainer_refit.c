/*
 * trainer_refit.c
 *	  The refits: after all is fitted, members and linear branch are trained again on all rows.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"
#include "relation/train/trainer_stages.h"

/* Gold rows that only judge are not trained on. */
bool
mren_trainer_refits(const MrenTrainer *trainer)
{
	bool judges = trainer->options.weak == MREN_WEAK_ONLY && trainer->report.n_weak > 0;

	return trainer->options.common.refit && !judges && !trainer->stopping;
}

/* A refit after weak rows begins with what the fit has learned from them. */
bool
mren_trainer_refits_early(const MrenTrainer *trainer)
{
	return mren_trainer_refits(trainer) && trainer->report.n_validation > 0 &&
		   !mren_trainer_pretrains(trainer);
}

void
mren_trainer_release_validation(MrenTrainer *trainer)
{
	uint8_t *roles = trainer->measured.roles;

	for (size_t i = 0; i < trainer->inputs.source.n; i++)
	{
		if (roles[i] == MREN_ROLE_VALIDATION)
			roles[i] = MREN_ROLE_TRAIN;
	}
}

static int
refit_epochs(const MrenTrainer *trainer, size_t member)
{
	int linear = member == 0 ? mren_trainer_linear_refit_epochs(trainer) : 0;
	int epochs = trainer->members[member].best_epoch;

	return epochs > linear ? epochs : linear;
}

/* The linear branch is trained beside the first member, unless it is apart. */
MrenStatus
mren_trainer_open_refit(MrenTrainer *trainer, size_t member, bool alone, MrenError *err)
{
	bool beside = member == 0 && !mren_trainer_linear_apart(trainer);
	int member_epochs = alone ? 0 : trainer->members[member].best_epoch;
	int linear_epochs = alone || beside ? mren_trainer_linear_refit_epochs(trainer) : 0;

	MREN_TRY(mren_trainer_open_member(trainer, member, err));
	trainer->stage = MREN_STAGE_REFIT;
	trainer->epochs =
		(MrenEpochs){.phase = MREN_PHASE_REFIT,
					 .weak = !mren_trainer_pretrains(trainer),
					 .gold = true,
					 .n_epochs = member_epochs > linear_epochs ? member_epochs : linear_epochs,
					 .member_epochs = member_epochs};
	trainer->epochs.n_rows =
		mren_trainer_epoch_rows(trainer, &trainer->epochs) + trainer->report.n_validation;
	MREN_TRY(mren_trainer_begin_member(trainer, err));
	mren_trainer_linear_begin(trainer, linear_epochs);
	return MREN_OK;
}

/* Whether the refit is wanted, and has not been trained yet. */
static bool
refit_left(const MrenTrainer *trainer, const MrenCourse *refit)
{
	if (refit->kind == MREN_COURSE_LINEAR_REFIT)
		return mren_trainer_linear_apart(trainer) && !trainer->linear.refitted &&
			   mren_trainer_linear_refit_epochs(trainer) > 0;
	return !trainer->members[refit->member].refitted && refit_epochs(trainer, refit->member) > 0;
}

/* The refits of all members, then that of the linear branch; false after the last. */
static bool
refit_at(const MrenTrainer *trainer, size_t i, MrenCourse *refit)
{
	bool linear = i == trainer->n_members;

	*refit =
		linear ? (MrenCourse){MREN_COURSE_LINEAR_REFIT, 0} : (MrenCourse){MREN_COURSE_REFIT, i};
	return i <= trainer->n_members;
}

/*
 * A member is trained again for its best number of epochs, the linear branch for its own;
 * members that learned nothing from gold rows stay what they are.  Refits that nobody has begun
 * come first.
 */
MrenStatus
mren_trainer_next_refit(MrenTrainer *trainer, MrenError *err)
{
	MrenCourse refit;

	for (size_t i = 0; refit_at(trainer, i, &refit); i++)
	{
		if (!refit_left(trainer, &refit) || !mren_trainer_claim(trainer, refit.kind, refit.member))
			continue;
		MREN_TRY(mren_trainer_open_refit(trainer, refit.member,
										 refit.kind == MREN_COURSE_LINEAR_REFIT, err));
		mren_trainer_begin_epoch(trainer);
		return MREN_OK;
	}
	for (size_t i = 0; refit_at(trainer, i, &refit); i++)
	{
		if (!refit_left(trainer, &refit))
			continue;
		trainer->current = refit.member;
		mren_trainer_await_course(trainer, refit.kind, refit.member);
		return MREN_OK;
	}
	return mren_trainer_end_refits(trainer, err);
}

/* In whatever order they were trained, the loss is that of the last member. */
void
mren_trainer_report_refits(MrenTrainer *trainer)
{
	trainer->report.refit_epochs = 0;
	for (size_t i = 0; i < trainer->n_members; i++)
	{
		if (!trainer->members[i].refitted)
			continue;
		trainer->report.refit_epochs += refit_epochs(trainer, i);
		if (trainer->members[i].best_epoch > 0)
			trainer->report.train_loss = trainer->members[i].refit_loss;
	}
}

/* The current member, or the linear branch alone, has been trained again, here or elsewhere. */
MrenStatus
mren_trainer_end_refit(MrenTrainer *trainer, MrenCourseKind kind, MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);

	if (kind == MREN_COURSE_LINEAR_REFIT)
		trainer->linear.refitted = true;
	else
	{
		member->refitted = true;
		member->refit_loss = trainer->report.train_loss;
	}
	mren_trainer_close_member(trainer);
	return mren_trainer_next_refit(trainer, err);
}

/* Members that have not been trained again keep the weights of their fit. */
void
mren_trainer_stop_refit(MrenTrainer *trainer)
{
	if (trainer->current == 0 && !trainer->linear.refitted)
		mren_trainer_linear_restore(trainer);
	mren_trainer_close_member(trainer);
	mren_trainer_report_refits(trainer);
	trainer->stage = MREN_STAGE_DONE;
}
