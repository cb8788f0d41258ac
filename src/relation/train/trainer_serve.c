/*
 * trainer_serve.c
 *	  A trainer that serves: it reads the rows as the one that leads does, and then
 *	  trains courses that nobody else has.
 *
 * Fits come first, since the rest of the training waits for them.  A refit follows its
 * fit: it is one epoch ahead of the fit's best, and that epoch is only kept if it turns out to be
 * better still.  The order of the rows and the images that are withheld are drawn from streams of
 * random numbers that begin anew with a member's fit and refit, so that the linear branch
 * alone draws what it would beside the first member.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"
#include "relation/train/trainer_stages.h"

static MrenStatus
serve_fit(MrenTrainer *trainer, const MrenCourse *course, MrenError *err)
{
	const MrenCourses *courses = &trainer->courses;
	MrenProgress progress;

	MREN_TRY(mren_trainer_begin_fit(trainer, course->member, err));
	while (trainer->stage != MREN_STAGE_COURSES)
	{
		MREN_TRY(mren_trainer_step(trainer, &progress, err));
		if (progress.event == MREN_TRAIN_EPOCH)
			MREN_TRY(courses->report(courses->state, &progress, err));
	}
	return MREN_OK;
}

/*
 * Waits until it is known whether the fit's best epoch is this one or a later one: below it, *best
 * if not.  *ended says whether there is no better one.
 */
static MrenStatus
follow(MrenTrainer *trainer, const MrenCourse *refit, int epoch, int *best, bool *ended,
	   MrenError *err)
{
	const MrenCourses *courses = &trainer->courses;
	const MrenCourse fit = {MREN_COURSE_FIT, refit->member};
	MrenCourseStatus status;

	for (;;)
	{
		MREN_TRY(mren_check_interrupts(&trainer->env, err));
		courses->look(courses->state, &fit, &status);
		*best = refit->kind == MREN_COURSE_LINEAR_REFIT ? status.linear_best : status.best;
		*ended = status.final || status.stopped;
		if (*best >= epoch || *ended)
			return MREN_OK;
		MREN_TRY(courses->wait(courses->state, err));
	}
}

/* Trains an epoch of the refit that has been opened. */
static MrenStatus
refit_epoch(MrenTrainer *trainer, int epoch, bool linear, MrenProgress *progress, MrenError *err)
{
	trainer->stage = MREN_STAGE_REFIT;
	trainer->epochs.epoch = epoch - 1;
	trainer->epochs.n_epochs = epoch;
	trainer->epochs.member_epochs = linear ? 0 : epoch;
	mren_trainer_begin_epoch(trainer);
	while (trainer->stage != MREN_STAGE_COURSES)
		MREN_TRY(mren_trainer_step(trainer, progress, err));
	return MREN_OK;
}

/* Keeps what the refit has learned so far. */
static MrenStatus
keep_epoch(MrenTrainer *trainer, bool linear, MrenProgress *progress, MrenError *err)
{
	if (linear)
	{
		mren_trainer_linear_keep(trainer);
		return MREN_OK;
	}
	mren_trainer_keep_values(trainer);
	mren_trainer_member(trainer)->refit_loss = trainer->report.train_loss;
	return trainer->courses.report(trainer->courses.state, progress, err);
}

static MrenStatus
serve_refit(MrenTrainer *trainer, const MrenCourse *course, MrenError *err)
{
	bool linear = course->kind == MREN_COURSE_LINEAR_REFIT;
	MrenProgress progress;
	bool ended = false;
	int best = 1;

	MREN_TRY(mren_trainer_open_refit(trainer, course->member, linear, err));
	mren_trainer_linear_begin(trainer, linear ? mren_trainer_linear_fit_epochs(trainer) : 0);
	for (int epoch = 1; epoch <= best || !ended; epoch++)
	{
		MREN_TRY(refit_epoch(trainer, epoch, linear, &progress, err));
		MREN_TRY(follow(trainer, course, epoch, &best, &ended, err));
		progress.epochs = best;
		if (epoch <= best)
			MREN_TRY(keep_epoch(trainer, linear, &progress, err));
	}
	trainer->report.train_loss = mren_trainer_member(trainer)->refit_loss;
	return MREN_OK;
}

static MrenStatus
serve(MrenTrainer *trainer, const MrenCourse *course, MrenBuffer *bytes, MrenError *err)
{
	const MrenCourses *courses = &trainer->courses;
	bool refit = course->kind == MREN_COURSE_REFIT || course->kind == MREN_COURSE_LINEAR_REFIT;

	if (!mren_trainer_claim(trainer, course->kind, course->member))
		return MREN_OK;
	trainer->report.epochs_run = 0;
	MREN_TRY(refit ? serve_refit(trainer, course, err) : serve_fit(trainer, course, err));
	MREN_TRY(mren_trainer_course_bytes(trainer, course->kind, bytes, err));
	mren_trainer_close_member(trainer);
	return courses->done(courses->state, course, bytes->data, bytes->len, err);
}

static MrenStatus
serve_all(MrenTrainer *trainer, MrenBuffer *bytes, MrenError *err)
{
	for (size_t i = 1; i < trainer->n_members; i++)
		MREN_TRY(serve(trainer, &(MrenCourse){MREN_COURSE_FIT, i}, bytes, err));
	if (!mren_trainer_refits_early(trainer))
		return MREN_OK;
	mren_trainer_release_validation(trainer);
	for (size_t i = 0; i < trainer->n_members; i++)
		MREN_TRY(serve(trainer, &(MrenCourse){MREN_COURSE_REFIT, i}, bytes, err));
	if (!mren_trainer_linear_apart(trainer))
		return MREN_OK;
	return serve(trainer, &(MrenCourse){MREN_COURSE_LINEAR_REFIT, 0}, bytes, err);
}

MrenStatus
mren_trainer_serve(MrenTrainer *trainer, const MrenCourses *courses, MrenError *err)
{
	MrenBuffer bytes = {0};
	MrenProgress progress;
	MrenStatus status;

	trainer->courses = *courses;
	trainer->serves = true;
	while (trainer->stage != MREN_STAGE_COURSES)
		MREN_TRY(mren_trainer_step(trainer, &progress, err));
	status = serve_all(trainer, &bytes, err);
	mren_buffer_free(&trainer->env, &bytes);
	return status;
}
