/*
 * courses.h
 *	  Courses of a training: parts that can be trained at the same time, each by
 *	  a trainer of its own.
 *
 * A course is the fit or the refit of one member of a training, or of the linear branch
 * beside the first member.  They hardly depend on each other: a refit trains as many
 * epochs as its fit found best, and the fits of the first member and of the linear branch
 * end together.  So a refit follows the fit while that still runs, as far as its best
 * epoch so far and never further.  No work is done in vain, and every course gives the
 * same bits wherever and whenever it is trained.
 *
 * The one trainer that leads a training begins with the first member's fit and takes over
 * the results of the others.  The others are given the same rows and options, and train
 * whatever course nobody else has.  What connects them is a table of functions given by
 * the caller, one for each trainer.
 */
#ifndef MREN_TRAINING_COURSES_H
#define MREN_TRAINING_COURSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "training/progress.h"

typedef enum MrenCourseKind
{
	MREN_COURSE_FIT,
	MREN_COURSE_LINEAR_FIT,
	MREN_COURSE_REFIT,
	MREN_COURSE_LINEAR_REFIT,
} MrenCourseKind;

#define MREN_N_COURSE_KINDS (MREN_COURSE_LINEAR_REFIT + 1)

typedef struct MrenCourse
{
	MrenCourseKind kind;
	size_t member; /* 0 of the linear branch */
} MrenCourse;

/* How far a fit is; no number goes down. */
typedef struct MrenCourseStatus
{
	int done;	  /* epochs that have ended */
	int begun;	  /* epochs that are trained in any case */
	int best;	  /* the best of those that have ended; 0: none yet */
	bool final;	  /* the fit has ended */
	bool stopped; /* and so has the training: what follows the fit is not needed */
} MrenCourseStatus;

typedef struct MrenCourses
{
	void *state;
	/*
	 * Takes the course; false if anybody has it, or had it.  The fit of the linear branch is not
	 * the leader's if there is anybody else.
	 */
	bool (*claim)(void *state, const MrenCourse *course);
	/* The status of a fit; all 0 before the first report. */
	void (*tell)(void *state, const MrenCourse *fit, const MrenCourseStatus *status);
	void (*look)(void *state, const MrenCourse *fit, MrenCourseStatus *status);
	/* Waits a short while for anything new. */
	MrenStatus (*wait)(void *state, MrenError *err);

	/*
	 * For the trainer that leads: the result of a course, NULL until it is there, valid until the
	 * training ends; and an epoch that has ended elsewhere, false if there is none.  Both return
	 * the failure of another trainer as their own.
	 */
	MrenStatus (*collect)(void *state, const MrenCourse *course, const uint8_t **bytes, size_t *len,
						  MrenError *err);
	MrenStatus (*news)(void *state, MrenProgress *progress, bool *found, MrenError *err);

	/* For the others: hand on an epoch that has ended, and the result of a course. */
	MrenStatus (*report)(void *state, const MrenProgress *progress, MrenError *err);
	MrenStatus (*done)(void *state, const MrenCourse *course, const uint8_t *bytes, size_t len,
					   MrenError *err);
} MrenCourses;

#endif
