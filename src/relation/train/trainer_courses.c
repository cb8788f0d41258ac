/*
 * trainer_courses.c
 *	  Courses that are trained elsewhere, from the side of the trainer that leads,
 *	  and the form in which their results are handed over.
 *
 * A result is what its course leaves in the trainer that it would otherwise have run
 * in: weights, logits of the kept validation rows, and figures of the report.  It is
 * read by the same program on the same machine, so it has no version; but its lengths
 * are checked.
 */
#include "relation/train/trainer_stages.h"

#include <string.h>

#include "base/buffer.h"

void
mren_trainer_lead(MrenTrainer *trainer, const MrenCourses *courses)
{
	trainer->courses = *courses;
}

size_t
mren_trainer_n_courses(const MrenOptions *options, const MrenTrainerInputs *inputs)
{
	bool images = inputs->image_dim > 0 || inputs->audio_dim > 0;
	size_t fits = options->ensemble + (options->text_only_member && images);
	size_t refits = fits + (options->hash_bits > 0);

	if (!options->common.refit || options->common.validation_share == 0)
		refits = 0;
	return fits - 1 + refits;
}

bool
mren_trainer_claim(MrenTrainer *trainer, MrenCourseKind kind, size_t member)
{
	return trainer->courses.claim == NULL ||
		   trainer->courses.claim(trainer->courses.state, &(MrenCourse){kind, member});
}

/* What comes from weak rows, the linear branch and the member beside it learn together. */
bool
mren_trainer_linear_apart(const MrenTrainer *trainer)
{
	return trainer->courses.claim != NULL && trainer->shape.linear_rows > 0 &&
		   !mren_trainer_pretrains(trainer);
}

void
mren_trainer_tell(MrenTrainer *trainer, bool final)
{
	const MrenCourse fit = {MREN_COURSE_FIT, trainer->current};
	MrenCourseStatus status = {
		.best = trainer->members[trainer->current].best_epoch,
		.linear_best = trainer->linear.best_epoch,
		.final = final,
	};

	if (trainer->courses.tell != NULL && trainer->stage == MREN_STAGE_FIT)
		trainer->courses.tell(trainer->courses.state, &fit, &status);
}

void
mren_trainer_tell_stop(MrenTrainer *trainer)
{
	const MrenCourse first = {MREN_COURSE_FIT, 0};
	MrenCourseStatus status;

	if (trainer->courses.tell == NULL)
		return;
	trainer->courses.look(trainer->courses.state, &first, &status);
	status.stopped = true;
	trainer->courses.tell(trainer->courses.state, &first, &status);
}

MrenStatus
mren_trainer_news(MrenTrainer *trainer, MrenProgress *progress, bool *found, MrenError *err)
{
	*found = false;
	if (trainer->courses.news == NULL)
		return MREN_OK;
	MREN_TRY(trainer->courses.news(trainer->courses.state, progress, found, err));
	if (!*found)
		return MREN_OK;
	progress->elsewhere = true;
	/* Only here it is known that there is a text encoder, too. */
	progress->members = (int) trainer->n_members + mren_trainer_marker_wanted(trainer);
	return MREN_OK;
}

/*
 * Results
 */

static size_t
n_kept_logits(const MrenTrainer *trainer)
{
	return mren_trainer_n_kept(trainer) * trainer->shape.n_relations;
}

static size_t
n_linear(const MrenTrainer *trainer)
{
	return trainer->shape.linear_rows * trainer->shape.n_relations;
}

static size_t
n_trained(MrenTrainer *trainer)
{
	return mren_trainer_member(trainer)->layout.table.trained_size;
}

static void
put_report(const MrenTrainer *trainer, MrenBuffer *bytes)
{
	const MrenTrainReport *report = &trainer->report;

	mren_buffer_put_u32(bytes, (uint32_t) (report->epochs_run + trainer->epochs.epoch));
	mren_buffer_put_f64(bytes, report->train_loss);
	mren_buffer_put_f64(bytes, report->validation_accuracy);
	mren_buffer_put_f64(bytes, report->validation_f1);
	mren_buffer_put_u8(bytes, report->warm);
	mren_buffer_put_bytes(bytes, report->cold, sizeof(report->cold));
}

static void
read_report(MrenTrainer *trainer, MrenCourseKind kind, MrenCursor *cursor)
{
	MrenTrainReport *report = &trainer->report;
	const uint8_t *cold;
	double accuracy;
	double f1;

	trainer->epochs.epoch = (int) mren_cursor_u32(cursor);
	report->train_loss = mren_cursor_f64(cursor);
	accuracy = mren_cursor_f64(cursor);
	f1 = mren_cursor_f64(cursor);
	if (kind == MREN_COURSE_FIT)
	{
		report->validation_accuracy = accuracy;
		report->validation_f1 = f1;
	}
	report->warm = mren_cursor_u8(cursor) != 0;
	cold = mren_cursor_bytes(cursor, sizeof(report->cold));
	if (cold != NULL)
		memcpy(report->cold, cold, sizeof(report->cold));
}

static void
put_fit(const MrenTrainer *trainer, const MrenMember *member, MrenBuffer *bytes)
{
	mren_buffer_put_u8(bytes, member->validated);
	mren_buffer_put_u32(bytes, (uint32_t) member->best_epoch);
	mren_buffer_put_f64(bytes, member->validation_loss);
	mren_buffer_put_floats(bytes, trainer->kept.best, n_kept_logits(trainer));
	mren_buffer_put_u8(bytes, member->start != NULL);
	if (member->start != NULL)
		mren_buffer_put_floats(bytes, member->start, member->layout.table.trained_size);
}

static MrenStatus
read_fit(MrenTrainer *trainer, MrenMember *member, MrenCursor *cursor, MrenError *err)
{
	member->validated = mren_cursor_u8(cursor) != 0;
	member->best_epoch = (int) mren_cursor_u32(cursor);
	member->validation_loss = mren_cursor_f64(cursor);
	mren_cursor_floats(cursor, trainer->kept.best, n_kept_logits(trainer));
	if (mren_cursor_u8(cursor) == 0)
		return MREN_OK;
	MREN_TRY(mren_allocate(&trainer->env, n_trained(trainer), sizeof(float), &member->start, err));
	mren_cursor_floats(cursor, member->start, n_trained(trainer));
	return MREN_OK;
}

MrenStatus
mren_trainer_course_bytes(MrenTrainer *trainer, MrenCourseKind kind, MrenBuffer *bytes,
						  MrenError *err)
{
	const MrenMember *member = mren_trainer_member(trainer);
	bool linear = kind == MREN_COURSE_LINEAR_REFIT;
	size_t n_floats =
		n_kept_logits(trainer) + 2 * (linear ? n_linear(trainer) : n_trained(trainer));

	bytes->len = 0;
	MREN_TRY(mren_buffer_reserve(&trainer->env, bytes,
								 n_floats * sizeof(float) + sizeof(MrenTrainReport), err));
	if (!linear)
	{
		put_report(trainer, bytes);
		mren_buffer_put_floats(bytes, member->best, n_trained(trainer));
	}
	if (kind == MREN_COURSE_FIT)
		put_fit(trainer, member, bytes);
	else if (linear)
		mren_buffer_put_floats(bytes, trainer->linear.best, n_linear(trainer));
	return MREN_OK;
}

/* Takes a result over as if its course had been trained here. */
static MrenStatus
take(MrenTrainer *trainer, const MrenCourse *course, MrenCursor cursor, MrenError *err)
{
	MrenMember *member = &trainer->members[course->member];

	if (course->kind == MREN_COURSE_LINEAR_REFIT)
		mren_cursor_floats(&cursor, trainer->linear.values, n_linear(trainer));
	else
	{
		read_report(trainer, course->kind, &cursor);
		mren_cursor_floats(&cursor, member->best, n_trained(trainer));
	}
	if (course->kind == MREN_COURSE_FIT)
		MREN_TRY(read_fit(trainer, member, &cursor, err));
	if (cursor.failed || mren_cursor_left(&cursor) > 0)
		return mren_fail(err, MREN_EFORMAT, "the result of a course of training is damaged");
	return MREN_OK;
}

MrenStatus
mren_trainer_collect(MrenTrainer *trainer, bool *taken, MrenError *err)
{
	const MrenCourses *courses = &trainer->courses;
	const uint8_t *bytes = NULL;
	size_t len = 0;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	MREN_TRY(courses->collect(courses->state, &trainer->awaited, &bytes, &len, err));
	*taken = bytes != NULL;
	if (!*taken)
		return courses->wait(courses->state, err);
	return take(trainer, &trainer->awaited, (MrenCursor){bytes, bytes + len, false}, err);
}
