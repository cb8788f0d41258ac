/*
 * training.h
 *	  From encoded rows to a network: what the aggregate and CALL mren.train
 *	  share.
 */
#ifndef MREN_PG_TRAIN_TRAINING_H
#define MREN_PG_TRAIN_TRAINING_H

#include "postgres.h"

#include "relation/train/trainer.h"
#include "pg/support/pg_env.h"
#include "pg/model/network_type.h"
#include "pg/train/train_options.h"

typedef struct MrenTraining
{
	MrenEnv env;
	const MrenTrainOptions *options;
	MrenTrainer *trainer;
	MrenVectorTable *table;
	uint8 embeddings[MREN_SHA256_LENGTH];
	uint8 lexicons[MREN_MAX_LEXICON_LIST][MREN_SHA256_LENGTH];
	uint8 encoder[MREN_SHA256_LENGTH];

	/* Fusion "auto": each in turn, then the best once more. */
	MrenTrainerInputs inputs;
	MrenOptions net; /* of the present trainer */
	const MrenNet *warm;
	int n_fusions; /* to be tried; 0: there is nothing to choose */
	int n_tried;   /* of them */
	double loss;   /* on validation rows, of the best so far */
	MrenFusion best;
	bool stopped;
} MrenTraining;

/*
 * mren_training_begin
 *	  Reads the vectors of the source's words, under the active snapshot, and
 *	  makes a trainer.  Everything is allocated in the current context.  The
 *	  vectors may take up to memory bytes: 54000 beyond it.
 */
extern void mren_training_begin(MrenTraining *training, const MrenTrainOptions *options,
								const MrenSource *source, size_t memory);

/* One step; raises the core's errors.  Does not look for interrupts. */
extern void mren_training_step(MrenTraining *training, MrenProgress *progress);

/* Before the first step: see mren_trainer_warm.  At any time: mren_trainer_stop. */
extern void mren_training_warm(MrenTraining *training, const MrenNet *net);
extern void mren_training_stop(void *training);

/* The same as a step of mren_epochs_run, whose state is the MrenTraining. */
extern void mren_training_epoch_step(void *training, MrenProgress *progress);

/* The trained network with its options and figures; the trainer is freed. */
extern void mren_training_end(MrenTraining *training, MrenNetwork *network,
							  MrenTrainReport *report);

/* Tells of the version that was saved. */
extern void mren_training_notice(const char *model, int32 version, const MrenNetwork *network,
								 const MrenTrainReport *report);

/*
 * mren_training_vectors
 *	  The vectors of these words (ids ascending, distinct) of the embeddings of
 *	  that name.  54000 beyond `memory` bytes.
 */
extern MrenVectorTable *mren_training_vectors(const MrenEnv *env, const MrenEmbeddingRow *row,
											  const char *name, const int32 *ids, size_t n,
											  size_t memory);

#endif
