/*
 * train_network.h
 *	  Training a relation network on encoded rows, step by step: what the
 *	  aggregate, mren.train, mren.retrain and mren.compare share.
 */
#ifndef MREN_PG_TRAIN_TRAIN_NETWORK_H
#define MREN_PG_TRAIN_TRAIN_NETWORK_H

#include "postgres.h"

#include "pg/model/network_type.h"
#include "pg/support/pg_env.h"
#include "pg/train/train_setup.h"
#include "pg/train/train_workers.h"
#include "relation/train/trainer.h"

typedef struct MrenNetworkTraining
{
	MrenEnv env;
	const MrenTrainSetup *setup;
	MrenTrainer *trainer;
	MrenTrainWorkers *workers; /* NULL: none */
	MrenVectorTable *table;	   /* NULL without embeddings */
	size_t n_vectors;		   /* rows of the table */
	uint8 embeddings[MREN_SHA256_LENGTH];
	uint8 lexicons[MREN_MAX_LEXICON_LIST][MREN_SHA256_LENGTH];
	uint8 encoder[MREN_SHA256_LENGTH];
	uint8 audio[MREN_SHA256_LENGTH];
	MrenEncoderSource text_encoder;

	/* Fusion "auto": each is trained in turn, then the best once more. */
	MrenTrainerInputs inputs;
	MrenOptions net;	 /* of the present trainer */
	const MrenNet *warm; /* to start from; NULL: none */
	bool begun;			 /* the present trainer has */
	int n_fusions;		 /* to be tried; 0: there is nothing to choose */
	int n_tried;		 /* of them */
	double loss;		 /* on validation rows, of the best so far */
	MrenFusion best;
	bool stopped;
	int64 n_bad; /* rows that were left out because of errors, for the metrics; set by the caller */
} MrenNetworkTraining;

/*
 * mren_train_network_begin
 *	  Reads the vectors of the source's words under the active snapshot and
 *	  makes a trainer.  Everything is allocated in the current context; setup
 *	  and source outlive the training.  54000 if the vectors take more than
 *	  `memory` bytes.
 */
extern void mren_train_network_begin(MrenNetworkTraining *training, const MrenTrainSetup *setup,
									 const MrenSource *source, size_t memory);

/* One step of the trainer, whose errors it raises.  Does not check for interrupts. */
extern void mren_train_network_step(MrenNetworkTraining *training, MrenProgress *progress);

/* Before the first step: starts from the weights of a network, see mren_trainer_warm. */
extern void mren_train_network_warm(MrenNetworkTraining *training, const MrenNet *net);

/* At any time: ends the training with the best epoch so far, see mren_trainer_stop. */
extern void mren_train_network_stop(MrenNetworkTraining *training);

/* The trained network with its options and metrics; the trainer is freed. */
extern void mren_train_network_end(MrenNetworkTraining *training, MrenNetwork *network,
								   MrenTrainReport *report);

/* A WARNING if the network is no better than always answering the most frequent relation. */
extern void mren_train_network_warn(const MrenTrainReport *report);

/* A NOTICE that describes the version that was saved. */
extern void mren_train_network_notice(const char *model, int32 version, const MrenNetwork *network,
									  const MrenTrainReport *report);

#endif
