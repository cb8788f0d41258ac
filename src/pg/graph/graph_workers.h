/*
 * graph_workers.h
 *	  Background workers that read documents for a refresh.
 *
 * A worker reads one batch at a time in a read-only transaction of its own, as
 * the graph's owner, and sends back what it read.  It writes nothing: the
 * refresh places the rows, in any order of batches, since what is derived does
 * not depend on it.  Whatever a worker cannot do, the refresh does itself: a
 * batch that it failed at, or that it took with it when it ended.
 *
 * A worker sees what is committed.  So workers are only for a refresh that
 * commits.
 */
#ifndef MREN_PG_GRAPH_GRAPH_WORKERS_H
#define MREN_PG_GRAPH_GRAPH_WORKERS_H

#include "pg/graph/graph_base.h"

typedef struct MrenGraphWorkers MrenGraphWorkers;

/* A batch that a worker has; everything in a memory context of its own. */
typedef struct MrenGraphTask
{
	MemoryContext context;
	MrenGraphBatch batch;
	double seconds; /* of processor time that reading took; 0: nothing was read */
} MrenGraphTask;

/*
 * mren_graph_workers_start
 *	  Up to n workers; NULL if the server has none left.
 *	  They end with mren_graph_workers_stop, and with this process.
 */
extern MrenGraphWorkers *mren_graph_workers_start(const MrenGraph *graph,
												  const MrenPipeline *pipeline, int n);
/* Ends their tasks, too. */
extern void mren_graph_workers_stop(MrenGraphWorkers *workers);
extern void mren_graph_task_end(MrenGraphTask *task);

/* Those that can take a task, and all that live. */
extern int mren_graph_workers_idle(const MrenGraphWorkers *workers);
extern int mren_graph_workers_alive(const MrenGraphWorkers *workers);

/* Gives a task to an idle worker. */
extern void mren_graph_workers_send(MrenGraphWorkers *workers, MrenGraphTask *task);

/* Waits until a worker has done its task; NULL if none has one. */
extern MrenGraphTask *mren_graph_workers_wait(MrenGraphWorkers *workers);

/*
 * The two ends of a worker share a segment of dynamic shared memory: a job, then a
 * queue of batches and one of answers.  A batch is a message of its arrays, each at
 * a multiple of MAXIMUM_ALIGNOF; an answer is a MrenGraphAnswer and a message for
 * each row.
 */
typedef struct MrenGraphJob
{
	Oid database;
	int32 version;
	int32 tagger_version;
	bool rules;
	Size batches; /* places in the segment */
	Size answers;
	char strings[FLEXIBLE_ARRAY_MEMBER]; /* the graph, then names and values of settings, "" */
} MrenGraphJob;

typedef struct MrenGraphAnswer
{
	int64 n_rows;
	int64 skipped_pairs;
	double seconds;
	int failed; /* as in MrenReading */
} MrenGraphAnswer;

/* The worker's main function, which PostgreSQL finds by its name. */
extern PGDLLEXPORT void mren_graph_worker_main(Datum segment);

#endif
