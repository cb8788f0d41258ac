/*
 * train_workers.h
 *	  Background workers that train courses of a training (training/courses.h).
 *
 * A worker is given the training's rows, word vectors and options through a queue, so it
 * reads nothing in the database and needs no transaction, whatever the session that
 * trains may see.  An error of a worker is an error of the training.  Where the server has
 * no worker left, the session trains everything itself, with the same result.
 */
#ifndef MREN_PG_TRAIN_TRAIN_WORKERS_H
#define MREN_PG_TRAIN_TRAIN_WORKERS_H

#include "postgres.h"

#include "pg/catalog/catalog.h"
#include "pg/train/train_spill.h"
#include "pg/workers/worker_pool.h"
#include "relation/train/trainer.h"
#include "storage/proc.h"
#include "storage/spin.h"

typedef struct MrenTrainWorkers MrenTrainWorkers;

/* What workers need to know; all of it outlives the call only. */
typedef struct MrenWorkersTask
{
	const MrenOptions *options;
	const MrenTrainerInputs *inputs;
	MrenVectorTable *table; /* of inputs->vectors; NULL without embeddings */
	size_t n_vectors;
	const MrenNet *warm; /* see mren_trainer_warm; NULL: none */
} MrenWorkersTask;

/*
 * mren_train_workers_start
 *	  At most max_parallel_maintenance_workers, and no more than the training has courses
 *	  for; NULL if there are none, or too few rows.  They end with mren_train_workers_stop,
 *	  with the current memory context, and with this process.
 */
extern MrenTrainWorkers *mren_train_workers_start(const MrenWorkersTask *task);
extern void mren_train_workers_stop(MrenTrainWorkers *workers);

/* For mren_trainer_lead; its functions raise the errors of workers. */
extern void mren_train_workers_courses(MrenTrainWorkers *workers, MrenCourses *courses);

/*
 * What both sides share is MrenWorkersShared.  A worker is given a MrenWorkerInputs, its strings, a
 * row a message (the record, then its vectors as in train_spill.h), the word vectors, and the bytes
 * of the network that training starts from.  It gives messages that begin with a MrenWorkerMessage.
 */
#define MREN_N_COURSES (MREN_N_COURSE_KINDS * (MREN_MAX_MEMBERS + 1))

static inline int
mren_course_number(const MrenCourse *course)
{
	return (int) course->kind * (MREN_MAX_MEMBERS + 1) + (int) course->member;
}

/*
 * Bytes of word vectors, a network or a result in one message, which must not exceed MaxAllocSize.
 */
#define MREN_WORKER_PIECE ((Size) 512 * 1024)

typedef struct MrenWorkersShared
{
	slock_t mutex;								  /* of all that follows */
	PGPROC *processes[1 + MREN_MAX_POOL_WORKERS]; /* of leader and workers; NULL: not there yet */
	bool claimed[MREN_N_COURSES];
	MrenCourseStatus status[MREN_N_COURSES]; /* of fits */
} MrenWorkersShared;

typedef struct MrenWorkerInputs
{
	MrenOptions options; /* its pointers are invalid */
	size_t n_negative;	 /* bytes of options.negative and of its end; 0: NULL */
	size_t n_rows;
	size_t image_dim;
	size_t audio_dim;
	MrenGridShape grid;
	uint8 embeddings[MREN_SHA256_LENGTH];
	uint8 encoder[MREN_SHA256_LENGTH]; /* with image_dim */
	uint8 audio[MREN_SHA256_LENGTH];   /* with audio_dim */
	size_t n_vectors;
	size_t vector_dim; /* 0 without embeddings */
	size_t memory;
	size_t n_warm; /* bytes; 0: no network */
} MrenWorkerInputs;

typedef enum MrenWorkerMessageKind
{
	MREN_WORKER_EPOCH,	/* its progress follows */
	MREN_WORKER_RESULT, /* a piece of the bytes of its result follows */
	MREN_WORKER_END,	/* the worker is about to end, since no course is left */
} MrenWorkerMessageKind;

typedef struct MrenWorkerMessage
{
	MrenWorkerMessageKind kind;
	MrenCourse course; /* of a result */
	Size size;		   /* of a result: bytes of all pieces */
	MrenProgress progress;
} MrenWorkerMessage;

/* What leader and workers share of the functions of MrenCourses. */
extern bool mren_workers_claim(MrenWorkersShared *shared, const MrenCourse *course);
extern void mren_workers_tell(MrenWorkersShared *shared, const MrenCourse *fit,
							  const MrenCourseStatus *status);
extern void mren_workers_look(MrenWorkersShared *shared, const MrenCourse *fit,
							  MrenCourseStatus *status);

/* The worker's main function, which PostgreSQL finds by its name. */
extern PGDLLEXPORT void mren_train_worker_main(Datum segment);

#endif
