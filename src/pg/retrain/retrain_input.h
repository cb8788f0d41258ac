/*
 * retrain_input.h
 *	  What the verdict of a retraining depends on, as one hash, by which a night
 *	  is recognized that would train and judge the same challenger again.
 */
#ifndef MREN_PG_TRAIN_RETRAIN_INPUT_H
#define MREN_PG_TRAIN_RETRAIN_INPUT_H

#include "postgres.h"

#include "pg/catalog/catalog.h"
#include "pg/retrain/retrain_args.h"
#include "pg/train/retrain_score.h"
#include "pg/train/train_rows.h"
#include "pg/train/train_setup.h"

typedef struct MrenRetrainInput
{
	const MrenTrainSetup *setup;
	const MrenTrainRows *rows; /* that were read, with their sum */
	const MrenVersionRow *champion;
	MrenHoldoutScore recorded; /* the champion's */
	const MrenRetrainArgs *args;
} MrenRetrainInput;

/*
 * mren_retrain_input_hash
 *	  The SHA-256 hash of the rows (trained on, held out and of split "test"), the
 *	  options in effect, the content that they name, the champion with its
 *	  recorded score, the model's deployments, the arguments, and the versions of
 *	  mren and ICU.  palloc'd.  Runs inside an SPI connection and a snapshot.
 */
extern bytea *mren_retrain_input_hash(const MrenRetrainInput *input);

typedef struct MrenJudgedRun
{
	int64 run;
	int32 version;
	const char *verdict; /* palloc'd */
} MrenJudgedRun;

/*
 * mren_retrain_input_judged
 *	  The last run of a model (by id) on this input whose challenger was not
 *	  promoted; false if there is none.  kept: only if its version still exists.
 *	  Runs inside an SPI connection and a snapshot of the caller's.
 */
extern bool mren_retrain_input_judged(int64 model, const bytea *hash, bool kept,
									  MrenJudgedRun *run);

#endif
