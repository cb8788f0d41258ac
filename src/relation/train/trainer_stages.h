/*
 * trainer_stages.h
 *	  What follows what in a run: stages, folds, refits, and the courses that are trained elsewhere.
 */
#ifndef MREN_RELATION_TRAIN_TRAINER_STAGES_H
#define MREN_RELATION_TRAIN_TRAINER_STAGES_H

#include "relation/train/trainer_state.h"

/*
 * trainer_stages.c: begins what follows the stage, or the member's part of it, that has just
 * ended; after an epoch and its validation, the next one or the end of the member's stage; what
 * follows once the training is to stop, before each step.
 */
extern MrenStatus mren_trainer_next_stage(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_end_epoch(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_stop_early(MrenTrainer *trainer, MrenError *err);
/* Waits for a course that somebody else has. */
extern void mren_trainer_await_course(MrenTrainer *trainer, MrenCourseKind kind, size_t member);
/* The rows of the epochs, but for validation rows. */
extern size_t mren_trainer_epoch_rows(const MrenTrainer *trainer, const MrenEpochs *epochs);
/* What follows the members' refit, or the fit if they have none. */
extern MrenStatus mren_trainer_end_refits(MrenTrainer *trainer, MrenError *err);
/* A look at whether the awaited course is done. */
extern MrenStatus mren_trainer_await(MrenTrainer *trainer, MrenError *err);

/* trainer_stages.c, for trainer_serve.c: begins the fit of a member. */
extern MrenStatus mren_trainer_begin_fit(MrenTrainer *trainer, size_t member, MrenError *err);
extern void mren_trainer_begin_epoch(MrenTrainer *trainer);

/*
 * trainer_refit.c: begins a refit that is left, or what follows the last one; the refit of the
 * current member, or that of the linear branch, has ended, here or elsewhere; or all end early.
 */
extern MrenStatus mren_trainer_next_refit(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_end_refit(MrenTrainer *trainer, MrenCourseKind kind, MrenError *err);
extern void mren_trainer_stop_refit(MrenTrainer *trainer);
/* Opens a refit of a member or, `alone`, of the linear branch, before its first epoch. */
extern MrenStatus mren_trainer_open_refit(MrenTrainer *trainer, size_t member, bool alone,
										  MrenError *err);
/* The validation rows train from now on. */
extern void mren_trainer_release_validation(MrenTrainer *trainer);
extern void mren_trainer_report_refits(MrenTrainer *trainer);
/* Whether the members will be trained again, if they are validated. */
extern bool mren_trainer_refits(const MrenTrainer *trainer);
/* Whether a refit may be trained while members are still fitted. */
extern bool mren_trainer_refits_early(const MrenTrainer *trainer);

/*
 * trainer_courses.c: whether this trainer is to train the course itself; the status of the fit
 * that it trains, for those who follow it.
 */
extern bool mren_trainer_claim(MrenTrainer *trainer, MrenCourseKind kind, size_t member);
extern void mren_trainer_tell(MrenTrainer *trainer, bool final);
/* The training stops, so nothing needs to follow. */
extern void mren_trainer_tell_stop(MrenTrainer *trainer);
/* Whether the linear branch's refit is a course of its own, not beside the first member's. */
extern bool mren_trainer_linear_apart(const MrenTrainer *trainer);
/* A look for the result of the awaited course, which is in place once *taken. */
extern MrenStatus mren_trainer_collect(MrenTrainer *trainer, bool *taken, MrenError *err);
/* An epoch that has ended elsewhere. */
extern MrenStatus mren_trainer_news(MrenTrainer *trainer, MrenProgress *progress, bool *found,
									MrenError *err);
/* The result of a course that has just ended, as bytes. */
extern MrenStatus mren_trainer_course_bytes(MrenTrainer *trainer, MrenCourseKind kind,
											MrenBuffer *bytes, MrenError *err);

/*
 * trainer_folds.c: after the fit the gold rows of each further fold, up to scan.n_folds, validate
 * the networks that are trained on the others, as long as the fit was; so that the shares of
 * network and linear branch and the calibration rest on all of them.
 */
extern MrenStatus mren_trainer_fold_begin(MrenTrainer *trainer, int fold, MrenError *err);
/* Its epochs are over: what follows validates. */
extern void mren_trainer_fold_validate(MrenTrainer *trainer);
/* All its rows are validated: their logits are kept.  Returns whether there is a next fold. */
extern bool mren_trainer_fold_end(MrenTrainer *trainer);
/*
 * After the last fold, or the last one that came to its end: all rows that validated are validation
 * rows.
 */
extern void mren_trainer_folds_end(MrenTrainer *trainer);

#endif
