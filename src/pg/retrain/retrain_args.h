/*
 * retrain_args.h
 *	  The arguments of CALL mren.retrain.
 */
#ifndef MREN_PG_TRAIN_RETRAIN_ARGS_H
#define MREN_PG_TRAIN_RETRAIN_ARGS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

typedef enum MrenPromote
{
	MREN_PROMOTE_BETTER,
	MREN_PROMOTE_ALWAYS,
	MREN_PROMOTE_NEVER,
} MrenPromote;

typedef struct MrenRetrainArgs
{
	char *model;
	int64 min_new_rows;
	double budget; /* seconds; 0: none */
	MrenPromote promote;
	double margin;
	bool warm;
	int keep; /* versions; 0: all */
	Jsonb *overrides;
} MrenRetrainArgs;

/* Reads them, detoasted, into the current context; 22004 and 22023. */
extern void mren_retrain_args(FunctionCallInfo fcinfo, MrenRetrainArgs *args);

/* The argument "margin", a difference of scores; 22023 beyond -1 to 1, 22004 if it is NULL. */
extern double mren_retrain_margin(FunctionCallInfo fcinfo, int arg);

#endif
