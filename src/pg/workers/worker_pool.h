/*
 * worker_pool.h
 *	  Background workers that train for this session, each with a queue of what it is given and
 *	  one of what it gives.
 *
 * A worker reads nothing in the database and needs no transaction, whatever the session that
 * trains may see.  Its error is raised where its next message is waited for.  The workers end with
 * mren_worker_pool_stop, with the memory context in which they were started, and with this
 * process, however that ends.
 */
#ifndef MREN_PG_WORKERS_WORKER_POOL_H
#define MREN_PG_WORKERS_WORKER_POOL_H

#include "postgres.h"

#include "base/env.h"
#include "storage/shm_mq.h"

#define MREN_MAX_POOL_WORKERS 64

typedef struct MrenWorkerPool MrenWorkerPool;

typedef struct MrenWorkerPoolKind
{
	const char *function; /* the worker's main function, which PostgreSQL finds by its name */
	Size queue;			  /* bytes of each queue */
	Size body;			  /* of memory that all share, cleared and aligned as by MrenEnv */
} MrenWorkerPoolKind;

/*
 * mren_worker_pool_start
 *	  At most n workers; NULL if the server has none left, or no memory that they could share.
 */
extern MrenWorkerPool *mren_worker_pool_start(const MrenWorkerPoolKind *kind, int n);

/*
 * mren_worker_pool_stop
 *	  Waits for the workers' ends, so that the next pool has as many.  Those that still compute after
 *	  a moment are terminated.
 */
extern void mren_worker_pool_stop(MrenWorkerPool *pool);

extern void *mren_worker_pool_body(MrenWorkerPool *pool);

/* The workers that were started, numbered from 0. */
extern int mren_worker_pool_n(const MrenWorkerPool *pool);

/* False if the worker is not there. */
extern bool mren_worker_pool_send(MrenWorkerPool *pool, int worker, const void *data, Size size);
extern bool mren_worker_pool_sendv(MrenWorkerPool *pool, int worker, shm_mq_iovec *parts, int n);

/*
 * mren_worker_pool_receive
 *	  A message of a worker, valid until the next one; false if there is none yet.  Raises the
 *	  error of the worker, or that it is lost.
 */
extern bool mren_worker_pool_receive(MrenWorkerPool *pool, int worker, void **data, Size *size);

/* Of a worker that was not there: raises its error if it has left one. */
extern void mren_worker_pool_failure(MrenWorkerPool *pool, int worker);

/* Waits a short while for anything new. */
extern void mren_worker_pool_wait(void);

/*
 * The worker's side
 */

typedef struct MrenPoolWorker
{
	int number;
	void *body;
	MemoryContext context;
	MrenEnv env; /* in that context */
	shm_mq_handle *inputs;
	shm_mq_handle *answers;
} MrenPoolWorker;

/* A worker's process: runs work, and gives its error to the session. */
extern void mren_pool_worker_main(Datum segment, void (*work)(MrenPoolWorker *worker));

/* The next message; without a session that could give one, the process ends.  So do the others. */
extern void *mren_pool_worker_receive(MrenPoolWorker *worker, Size *size);
extern void mren_pool_worker_give(MrenPoolWorker *worker, const void *data, Size size,
								  const void *more, Size more_size);

/*
 * What both sides know of the segment of dynamic shared memory: it begins with this, and then has
 * the queues of each worker, inputs and answers, and the body.  An answer begins with a
 * MrenPoolAnswer; that of an error goes on with its message, detail and hint, "" for none.
 */
typedef struct MrenPoolShared
{
	Oid database;
	int temp_file_limit;
	Size queues; /* the first one's place in the segment */
	Size queue;	 /* bytes of each */
	Size body;	 /* its place */
} MrenPoolShared;

typedef struct MrenPoolAnswer
{
	int failed;
	int sqlstate; /* of the error */
} MrenPoolAnswer;

#endif
