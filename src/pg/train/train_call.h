/*
 * train_call.h
 *	  What CALL mren.train and CALL mren.train_tagger have in common: arguments,
 *	  the stages of a training, and keeping the result as a version of a model.
 */
#ifndef MREN_PG_TRAIN_TRAIN_CALL_H
#define MREN_PG_TRAIN_TRAIN_CALL_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "pg/model/models.h"
#include "pg/train/job.h"
#include "training/progress.h"

struct MrenTrainKind;

/* The first field of the state of such a call, which is in the job's context. */
typedef struct MrenTrainCall
{
	MrenJob job;
	const struct MrenTrainKind *kind;
	char *name; /* of the model or tagger */
	MrenStoredQuery query;
	Jsonb *object; /* the options as given */
	bool deploy;   /* set by read */
	int64 n_rows;  /* set by read */
	int64 n_weak;  /* of them, not gold; set by read; < 0: rows are of one kind */
	int32 version; /* that was saved */
} MrenTrainCall;

typedef struct MrenTrainKind
{
	const char *procedure;	   /* "train": mren.train */
	const char *name_argument; /* "model" or "tagger" */
	MrenModelKind model;
	Size size; /* of the state */
	/* Reads the options, then runs the query once and makes a trainer. */
	void (*read)(MrenTrainCall *call);
	/* One step of the training; its state is the call. */
	void (*step)(void *call, MrenProgress *progress);
	/* Takes the network, with its options and metrics, from the trainer. */
	void (*finish)(MrenTrainCall *call, MrenNetwork *network);
	/* Records the score of the network on hold-out rows; NULL: there are none. */
	void (*score)(MrenTrainCall *call, const MrenNetwork *network);
	/* Tells the user of the version that was saved. */
	void (*notice)(const MrenTrainCall *call, const MrenNetwork *network);
} MrenTrainKind;

/*
 * mren_train_call
 *	  The body of CALL procedure(name, query, options, INOUT version).  read and
 *	  finish are pieces of the job, so what either raises is recorded.
 */
extern Datum mren_train_call(FunctionCallInfo fcinfo, const MrenTrainKind *kind);

#endif
