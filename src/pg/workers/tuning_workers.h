/*
 * tuning_workers.h
 *	  Background workers that compute shards of a fine-tuning's batches, in memory that they share
 *	  with the session.
 */
#ifndef MREN_PG_WORKERS_TUNING_WORKERS_H
#define MREN_PG_WORKERS_TUNING_WORKERS_H

#include "postgres.h"

#include "transformer/train/tuning_team.h"

/*
 * mren_pool_tuning_team
 *	  A team whose helpers are at most max_parallel_maintenance_workers background workers.  They
 *	  are engaged, and end, in the context, which must outlive the training.  Its functions raise
 *	  errors, also those of workers.
 */
extern const MrenTuningTeam *mren_pool_tuning_team(MemoryContext context);

/* The worker's main function, which PostgreSQL finds by its name. */
extern PGDLLEXPORT void mren_pool_tuning_main(Datum segment);

#endif
