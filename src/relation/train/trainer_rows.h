/*
 * trainer_rows.h
 *	  The rows of a run: the first passes over them, their order in an epoch, and a row into a
 *	  mini-batch.
 */
#ifndef MREN_RELATION_TRAIN_TRAINER_ROWS_H
#define MREN_RELATION_TRAIN_TRAINER_ROWS_H

#include "relation/train/trainer_state.h"

/*
 * trainer_scan.c: a block of rows of the first passes; *done when the pass is over.  The pass
 * over groups is made if there are weak rows.
 */
extern MrenStatus mren_trainer_scan(MrenTrainer *trainer, bool *done, MrenError *err);
extern MrenStatus mren_trainer_scan_groups(MrenTrainer *trainer, bool *done, MrenError *err);
extern void mren_trainer_scan_free(MrenTrainer *trainer);
/* Reads row i of the source; MREN_EPARAM for a vector of which the training knows nothing. */
extern MrenStatus mren_trainer_read_row(MrenTrainer *trainer, size_t i, MrenExample *example,
										MrenError *err);
/* After these passes: what the row is for. */
extern MrenRole mren_trainer_role(const MrenTrainer *trainer, const MrenExample *example);

/* As soon as it is known which groups validate: the fold in which a gold row does, from 1 on. */
extern int mren_trainer_fold_of(const MrenTrainer *trainer, const MrenExample *example);

/* trainer_measure.c: a block of rows of the last pass before the first epoch. */
extern MrenStatus mren_trainer_measure_allocate(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_measure(MrenTrainer *trainer, bool *done, MrenError *err);
extern void mren_trainer_measure_free(MrenTrainer *trainer);

/* trainer_load.c: the numbers of a type, -1: none, and of a row's relation. */
extern int32_t mren_trainer_type(const MrenTrainer *trainer, MrenTextSpan type);
extern size_t mren_trainer_relation(const MrenTrainer *trainer, const MrenExample *example);
/* Its distribution into targets (n_relations); false, and nothing is written, without one. */
extern bool mren_trainer_targets(const MrenTrainer *trainer, const MrenExample *example,
								 float *targets);
/* The weight of the row's class or, of a distribution, the mean of those of its classes. */
extern float mren_trainer_class_weight(const MrenTrainer *trainer, const MrenExample *example);
/* The row's vector of that kind into raw_vector, its grid into raw_grid; MREN_ENUMERIC. */
extern MrenStatus mren_trainer_fetch_vector(MrenTrainer *trainer, const MrenExample *example,
											MrenVectorKind kind, MrenError *err);
extern MrenStatus mren_trainer_fetch_grid(MrenTrainer *trainer, const MrenExample *example,
										  MrenError *err);
/*
 * Encodes a record into row `row` of the current member's batch, its label and
 * weight beside it.  With `train`, class weights are applied and some images
 * are withheld.
 */
extern MrenStatus mren_trainer_load(MrenTrainer *trainer, const uint8_t *record, size_t len,
									size_t row, bool train, MrenError *err);

/* trainer_order.c: begins an epoch; the next training record, or NULL at its end. */
extern MrenStatus mren_trainer_pool_create(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_pool_begin(MrenTrainer *trainer);
extern MrenStatus mren_trainer_pool_next(MrenTrainer *trainer, const uint8_t **record, size_t *len,
										 MrenError *err);
extern void mren_trainer_pool_free(MrenTrainer *trainer);

#endif
