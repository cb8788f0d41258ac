/*
 * retrain_gate.h
 *	  Champion and challenger on the rows that are held out to judge them.
 */
#ifndef MREN_PG_RETRAIN_GATE_H
#define MREN_PG_RETRAIN_GATE_H

#include "postgres.h"

#include "net/bootstrap.h"
#include "pg/options.h"
#include "pg/stored.h"

/* Fewer rows decide nothing. */
#define MREN_GATE_LEAST_ROWS 200

/* One-sided: the difference is larger than the lower bound as surely as this. */
#define MREN_GATE_CONFIDENCE 0.9
#define MREN_GATE_RESAMPLES 2000

typedef struct MrenGate
{
	const char *measure; /* "micro F1" without the negative relation, or "accuracy" */
	int64 n_rows;		 /* that both were judged on */
	int64 n_seen;		 /* left out: one of the two was trained on them */
	MrenBootstrap figures;
} MrenGate;

typedef struct MrenGateQuestion
{
	const char *model;
	const MrenStoredQuery *query;
	const MrenTrainOptions *options; /* the challenger's: gate_share, negative, seed */
	int32 champion;
	int32 challenger;
} MrenGateQuestion;

/*
 * mren_gate_judge
 *	  Runs the stored query once, as its owner, and asks both versions about the
 *	  rows that the gate holds.  The same rows, versions and seed give the same
 *	  figures, in whatever order they come.
 */
extern void mren_gate_judge(const MrenGateQuestion *question, MrenGate *gate);

#endif
