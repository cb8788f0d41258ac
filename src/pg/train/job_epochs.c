/*
 * job_epochs.c
 *	  Running the steps of a training as pieces of a job.
 */
#include "pg/train/job_epochs.h"

#include <math.h>

#include "miscadmin.h"

#include "pg/support/pg_env.h"

/* Duration of a piece, after which the progress is committed. */
#define PIECE_SECONDS 1.0

static double
rows_per_second(const MrenJobEpochs *epochs)
{
	double seconds = mren_seconds_since(epochs->epoch_started);

	return seconds > 0 ? epochs->progress.rows_done / seconds : 0;
}

/*
 * For all that remains, refit included, at the pace of this epoch; it may well stop earlier.
 * Negative if it is not known.
 */
static double
seconds_left(const MrenJobEpochs *epochs)
{
	double pace = rows_per_second(epochs);
	const MrenProgress *progress = &epochs->progress;
	double left = Max(epochs->budget - mren_job_seconds(epochs->job), 0);
	double rows;
	double seconds;

	if (isinf(progress->rows_later))
		return epochs->budget > 0 ? left : -1;
	if (pace <= 0 || progress->epoch == 0)
		return -1;
	rows = (double) (progress->epochs - progress->epoch) * progress->rows_total +
		   (progress->rows_total - progress->rows_done) + progress->rows_later;
	seconds = rows / pace;
	if (epochs->budget > 0)
		seconds = Min(seconds, left);
	return seconds;
}

static void
report_epoch(MrenJobEpochs *epochs, const MrenProgress *progress)
{
	double seconds =
		progress->elsewhere ? progress->seconds : mren_seconds_since(epochs->epoch_started);
	char validation[128] = "";
	char member[32] = "";
	char loss[64] = "only the linear branch";
	char left[64] = "";

	if (progress->validated)
		snprintf(validation, sizeof(validation), ", validation loss %.4f, F1 %.4f%s",
				 progress->validation_loss, progress->validation_f1,
				 progress->improved ? " (best)" : "");
	if (progress->members > 1)
		snprintf(member, sizeof(member), "member %d of %d, ", progress->member, progress->members);
	if (!isnan(progress->loss))
		snprintf(loss, sizeof(loss), "loss %.4f", progress->loss);
	if (!progress->elsewhere && !isinf(progress->rows_later))
		snprintf(left, sizeof(left), ", at most %.0f s left", Max(seconds_left(epochs), 0));
	ereport(NOTICE,
			(errmsg_internal("%s%s epoch %d of %d: %s%s, %.0f rows/s%s", member,
							 progress->phase == 2 ? "refit" : "training", progress->epoch,
							 progress->epochs, loss, validation,
							 seconds > 0 ? (double) progress->rows_done / seconds : 0, left)));
	if (progress->restarted)
		ereport(NOTICE,
				(errmsg("the text encoder has learned nothing: its training begins again"),
				 errdetail("Its answers are no better than the most frequent one, which happens "
						   "when the learning rate is too high. It is lowered.")));
	mren_run_log(&epochs->job->run, progress, seconds);
	if (!progress->elsewhere)
		INSTR_TIME_SET_CURRENT(epochs->epoch_started);
}

static void
check_budget(MrenJobEpochs *epochs)
{
	if (epochs->budget <= 0 || epochs->stopped || mren_job_seconds(epochs->job) < epochs->budget)
		return;
	epochs->stop(epochs->state);
	epochs->stopped = true;
	ereport(NOTICE,
			(errmsg_internal("the time budget of %g s is used up: keeping the best epoch so far",
							 epochs->budget)));
}

/* One step; what is shown as the progress is that of the trainer that leads. */
static void
step(MrenJobEpochs *epochs)
{
	MrenProgress progress;

	epochs->step(epochs->state, &progress);
	if (!progress.elsewhere)
		epochs->progress = progress;
	if (!progress.elsewhere && progress.event != MREN_TRAIN_EPOCH)
		return;
	epochs->epoch = progress;
	report_epoch(epochs, &progress);
}

/* One piece. */
static void
step_a_while(MrenJob *job)
{
	MrenJobEpochs *epochs = job->epochs;
	instr_time start;

	INSTR_TIME_SET_CURRENT(start);
	do
	{
		/* A termination is left to the step, whose error is caught and recorded. */
		if (!ProcDiePending)
			CHECK_FOR_INTERRUPTS();
		check_budget(epochs);
		step(epochs);
	} while (epochs->progress.event != MREN_TRAIN_DONE &&
			 mren_seconds_since(start) < PIECE_SECONDS);
}

/*
 * During an epoch, the latest validation is that of the epoch before.  A trainer that waits for
 * workers, or has ended so, shows the epoch that ended last.
 */
static void
write_progress(MrenJob *job)
{
	MrenJobEpochs *epochs = job->epochs;
	MrenRunProgress progress = {
		.phase = epochs->progress.event == MREN_TRAIN_SCAN ? "reading"
				 : epochs->progress.phase == 2			   ? "refitting"
														   : "training",
		.rows = epochs->rows,
		.weak_rows = epochs->weak_rows,
		.epoch = epochs->progress,
		.rows_per_second = rows_per_second(epochs),
		.seconds_left = seconds_left(epochs),
	};

	if (progress.epoch.epoch == 0 && epochs->epoch.epoch > 0)
		progress.epoch = epochs->epoch;
	if (!progress.epoch.validated && epochs->epoch.validated &&
		epochs->epoch.phase == epochs->progress.phase)
	{
		progress.epoch.validated = true;
		progress.epoch.validation_loss = epochs->epoch.validation_loss;
		progress.epoch.validation_f1 = epochs->epoch.validation_f1;
	}
	mren_run_update(&job->run, &progress);
}

void
mren_job_epochs_run(MrenJobEpochs *epochs)
{
	MrenJob *job = epochs->job;

	job->epochs = epochs;
	memset(&epochs->progress, 0, sizeof(epochs->progress));
	memset(&epochs->epoch, 0, sizeof(epochs->epoch));
	INSTR_TIME_SET_CURRENT(epochs->epoch_started);
	do
	{
		mren_job_piece(job, step_a_while);
		if (job->run.id != 0 && !job->atomic)
		{
			/* A piece of its own, so that a cancel during it is recorded. */
			mren_job_piece(job, write_progress);
			/* A termination waits for the next step, which records it. */
			HOLD_INTERRUPTS();
			mren_job_commit(job);
			RESUME_INTERRUPTS();
		}
	} while (epochs->progress.event != MREN_TRAIN_DONE);
}
