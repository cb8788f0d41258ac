/*
 * trainer_linear.h
 *	  The linear branch of a run.
 */
#ifndef MREN_RELATION_TRAIN_TRAINER_LINEAR_H
#define MREN_RELATION_TRAIN_TRAINER_LINEAR_H

#include "relation/train/trainer_state.h"

/*
 * trainer_linear.c: the linear branch is trained beside the first member, by a
 * loss of its own, so that neither takes away the error that the other learns
 * from; at the end their scores are added with the shares under which the
 * validation rows are most likely.  Every function does nothing without the
 * branch.
 */
extern MrenStatus mren_trainer_linear_scan(MrenTrainer *trainer, const MrenExample *example,
										   MrenError *err);
/* After the scan: shape.hash_bits and shape.linear_rows. */
extern MrenStatus mren_trainer_linear_choose(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_linear_allocate(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_linear_free(MrenTrainer *trainer);
/* Maximum number of epochs of the branch in the fit, and in the refit. */
extern int mren_trainer_linear_fit_epochs(const MrenTrainer *trainer);
extern int mren_trainer_linear_refit_epochs(const MrenTrainer *trainer);
/* A stage of the first member begins; the branch takes no part in those of other members. */
extern void mren_trainer_linear_begin(MrenTrainer *trainer, int n_epochs);
/* As mren_trainer_end_pretraining. */
extern MrenStatus mren_trainer_linear_end_pretraining(MrenTrainer *trainer, MrenError *err);
/* with_image: the row keeps its image, so the features of its boxes are used. */
extern void mren_trainer_linear_load(MrenTrainer *trainer, const MrenExample *example, size_t row,
									 bool with_image);
/* A step on the batch, its labels and weights. */
extern MrenStatus mren_trainer_linear_train(MrenTrainer *trainer, MrenError *err);
/* Scores a batch of validation rows, the first of which is row `first`; then the pass's end. */
extern MrenStatus mren_trainer_linear_validate(MrenTrainer *trainer, size_t first, MrenError *err);
extern MrenStatus mren_trainer_linear_validated(MrenTrainer *trainer, MrenError *err);
/* Whether further epochs may still improve the branch. */
extern bool mren_trainer_linear_may_improve(const MrenTrainer *trainer);
/* All of the branch's epochs in a fold are over: it scores, but learns no more. */
extern void mren_trainer_linear_score(MrenTrainer *trainer);
/* The scores of the kept rows first .. end - 1 join those that shares are fitted on. */
extern void mren_trainer_linear_keep_scores(MrenTrainer *trainer, size_t first, size_t end);
/* Restores the best weights and fits the share; kept.best becomes the logits of the sum. */
extern MrenStatus mren_trainer_linear_join(MrenTrainer *trainer, MrenError *err);
/* Restores the best weights again after the refit was stopped. */
extern void mren_trainer_linear_restore(MrenTrainer *trainer);
/* The values of now become the best. */
extern void mren_trainer_linear_keep(MrenTrainer *trainer);
/* Number of rows of weights that are not all zero. */
extern size_t mren_trainer_linear_used(const MrenTrainer *trainer);
/* Writes these rows, multiplied by the share of the branch, into a network with that many rows. */
extern MrenStatus mren_trainer_linear_finish(const MrenTrainer *trainer, MrenNet *net,
											 MrenError *err);

#endif
