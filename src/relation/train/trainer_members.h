/*
 * trainer_members.h
 *	  The members of a run: their weights, the validation of their epochs, their shares and
 *	  thresholds.
 */
#ifndef MREN_RELATION_TRAIN_TRAINER_MEMBERS_H
#define MREN_RELATION_TRAIN_TRAINER_MEMBERS_H

#include "relation/train/trainer_state.h"

/*
 * trainer_validate.c: a batch of validation rows, *done when there are no more; then the pass's
 * figures, and the member's best epoch so far is kept.
 */
extern MrenStatus mren_trainer_kept_allocate(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_kept_free(MrenTrainer *trainer);
extern MrenStatus mren_trainer_validate(MrenTrainer *trainer, bool *done, MrenError *err);
extern MrenStatus mren_trainer_validated(MrenTrainer *trainer, MrenProgress *progress,
										 MrenError *err);
/* The kept rows with these logits, as input of the calibration. */
extern MrenLogits mren_trainer_kept_rows(const MrenTrainer *trainer, const float *logits,
										 int32_t negative);
/* Accuracy and F1 of kept.best go into the report, if all validation rows are kept. */
extern void mren_trainer_report_kept(MrenTrainer *trainer);

/*
 * trainer_decide.c: the thresholds of the option "decide"; nothing with argmax.  MREN_EDATA if
 * there are no validation rows; the pair of a kept row; fitting, after the calibration.
 */
extern MrenStatus mren_trainer_decide_allocate(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_decide_check(const MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_decide_row(MrenTrainer *trainer, size_t row, const uint8_t *record,
										  size_t len, MrenError *err);
extern MrenStatus mren_trainer_decide(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_decide_finish(const MrenTrainer *trainer, MrenNet *net,
											 MrenError *err);

/*
 * trainer_members.c: the members that the options ask for.  Once the shape is known the first
 * one is opened; once the rows are measured the others are planned.
 */
extern MrenStatus mren_trainer_members_create(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_members_plan(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_members_free(MrenTrainer *trainer);
/* Opens member i and makes it the current one; closes it, unless it is the first. */
extern MrenStatus mren_trainer_open_member(MrenTrainer *trainer, size_t i, MrenError *err);
extern void mren_trainer_close_member(MrenTrainer *trainer);
/* First weights of the current member in the stage that trainer->epochs describes. */
extern MrenStatus mren_trainer_begin_member(MrenTrainer *trainer, MrenError *err);
/* Weak rows have been learned: what is best is where the gold rows begin. */
extern MrenStatus mren_trainer_end_pretraining(MrenTrainer *trainer, MrenError *err);
/* The current weights of the member become its best. */
extern void mren_trainer_keep_values(MrenTrainer *trainer);
/* The member's weights after its first stage, if no epoch was validated. */
extern void mren_trainer_settle_member(MrenTrainer *trainer);
/*
 * Ends the first stage of the current member: adds its epochs to the report and
 * its logits to the sum.
 */
extern void mren_trainer_end_member(MrenTrainer *trainer);
/*
 * After the first stage of all members: joins their logits in kept.best, and
 * completes the report.
 */
extern MrenStatus mren_trainer_join_members(MrenTrainer *trainer, MrenError *err);

/*
 * sum = (1 - share) * first + share * second, of the kept rows' logits; and the
 * share under which these rows are most likely after calibration. scratch has
 * the length of the logits.
 */
extern void mren_trainer_mix(const MrenTrainer *trainer, const float *first, const float *second,
							 double share, float *sum);
extern MrenStatus mren_trainer_fit_share(MrenTrainer *trainer, const float *first,
										 const float *second, float *scratch, double *share,
										 MrenError *err);

/*
 * trainer_ema.c: the moving mean of the current member's weights, if one is taken: begun from
 * its first weights, moved by a step that the optimizer has taken.
 */
extern MrenStatus mren_trainer_ema_allocate(MrenTrainer *trainer, MrenMember *member,
											MrenError *err);
extern void mren_trainer_ema_begin(MrenTrainer *trainer);
extern MrenStatus mren_trainer_ema_step(MrenTrainer *trainer, MrenError *err);
/* The weights that are validated and kept: the moving mean, or those of the last step. */
extern float *mren_trainer_evaluation_weights(MrenTrainer *trainer);

/* trainer_warm.c: the current member takes over the weights that mren_trainer_warm named. */
extern void mren_trainer_take_warm(MrenTrainer *trainer);

#endif
