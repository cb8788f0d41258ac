/*
 * trainer_serve.c
 *	  A trainer that serves: it reads the rows as the one that leads does, and then
 *	  trains courses that nobody else has.
 *
 * Fits come first, since the rest of the training waits for them.  A refit follows its
 * fit.  The order of the rows and the images that are withheld are drawn from streams of
 * random numbers that begin anew with a member's fit and refit, so that the linear branch
 * alone draws what it would beside the first member.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"
#include "relation/train/trainer_stages.h"

/* Trains what has been begun, until it ends; reports its epochs, of n_epochs so far, unless 0. */
static MrenStatus
run(MrenTrainer *trainer, int n_epochs, MrenError *err)
{
	const MrenCourses *courses = &trainer->courses;
	MrenProgress progress;

	while (trainer->stage != MREN_STAGE_COURSES)
	{
		MREN_TRY(mren_trainer_step(trainer, &progress, err));
		if (n_epochs == 0 || progress.event != MREN_TRAIN_EPOCH)
			continue;
		progress.epochs = n_epochs;
		MREN_TRY(courses->report(courses->state, &progress, err));
	}
	return MREN_OK;
}

static MrenStatus
serve_fit(MrenTrainer *trainer, const MrenCourse *course, MrenError *err)
{
	bool linear = course->kind == MREN_COURSE_LINEAR_FIT;

	MREN_TRY(linear ? mren_trainer_begin_linear_fit(trainer, err)
					: mren_trainer_begin_fit(trainer, course->member, err));
	return run(trainer, linear ? 0 : trainer->epochs.n_epochs, err);
}

/*
 * Waits until the epoch can be trained: *best is the fit's best epoch, below it if it is not
 * wanted.
 */
static MrenStatus
follow(MrenTrainer *trainer, const MrenCourse *fit, int epoch, int *best, MrenError *err)
{
	const MrenCourses *courses = &trainer->courses;
	MrenCourseStatus status;

	for (;;)
	{
		MREN_TRY(mren_check_interrupts(&trainer->env, err));
		courses->look(courses->state, fit, &status);
		*best = status.stopped ? 0 : status.best;
		if (*best >= epoch || status.final || status.stopped)
			return MREN_OK;
		MREN_TRY(courses->wait(courses->state, err));
	}
}

static MrenStatus
serve_refit(MrenTrainer *trainer, const MrenCourse *course, MrenError *err)
{
	bool linear = course->kind == MREN_COURSE_LINEAR_REFIT;
	const MrenCourse fit = {linear ? MREN_COURSE_LINEAR_FIT : MREN_COURSE_FIT, course->member};
	int best;

	MREN_TRY(mren_trainer_open_refit(trainer, course->member, linear, err));
	mren_trainer_linear_begin(trainer, linear ? mren_trainer_linear_fit_epochs(trainer) : 0);
	for (int epoch = 1;; epoch++)
	{
		MREN_TRY(follow(trainer, &fit, epoch, &best, err));
		if (best < epoch)
			return MREN_OK;
		trainer->stage = MREN_STAGE_REFIT;
		trainer->epochs.epoch = epoch - 1;
		trainer->epochs.n_epochs = epoch;
		trainer->epochs.member_epochs = linear ? 0 : epoch;
		mren_trainer_begin_epoch(trainer);
		MREN_TRY(run(trainer, linear ? 0 : best, err));
	}
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

/* Of refits the linear branch's comes first, which is the shorter if its fit is at its end. */
static MrenStatus
serve_all(MrenTrainer *trainer, MrenBuffer *bytes, MrenError *err)
{
	bool apart = trainer->linear.apart;

	if (apart)
		MREN_TRY(serve(trainer, &(MrenCourse){MREN_COURSE_LINEAR_FIT, 0}, bytes, err));
	for (size_t i = 1; i < trainer->n_members; i++)
		MREN_TRY(serve(trainer, &(MrenCourse){MREN_COURSE_FIT, i}, bytes, err));
	if (!mren_trainer_refits_early(trainer))
		return MREN_OK;
	mren_trainer_release_validation(trainer);
	if (apart)
		MREN_TRY(serve(trainer, &(MrenCourse){MREN_COURSE_LINEAR_REFIT, 0}, bytes, err));
	for (size_t i = 0; i < trainer->n_members; i++)
		MREN_TRY(serve(trainer, &(MrenCourse){MREN_COURSE_REFIT, i}, bytes, err));
	return MREN_OK;
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
	trainer->linear.apart = mren_trainer_linear_apart(trainer);
	status = serve_all(trainer, &bytes, err);
	mren_buffer_free(&trainer->env, &bytes);
	return status;
}
