/*
 * work.h
 *	  The work area of long computations: it counts work done and checks for interrupts.
 *
 * Once the environment is interrupted, `stopped` is set, further products do nothing, and
 * results are not valid.  The owner clears `stopped` before it begins anew.
 */
#ifndef MREN_NN_WORK_H
#define MREN_NN_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/blas.h"
#include "base/env.h"

typedef struct MrenWork
{
	const MrenEnv *env;
	size_t unchecked; /* work since the last check for interrupts */
	bool stopped;
} MrenWork;

/* Cost of one float in a loop of kernels.h, which is bound by memory, in multiply-adds. */
#define MREN_LOOP_WORK ((size_t) 32)

/* Counts work, in multiply-adds at the pace of BLAS; checks for interrupts after some 20 ms. */
extern void mren_work_add(MrenWork *work, size_t amount);

/*
 * mren_work_multiply
 *	  The product by BLAS, in pieces of about 20 ms (rows of c), which count as
 *	  work.  The pieces depend on the sizes alone, so results are reproducible.
 */
extern void mren_work_multiply(MrenWork *work, const MrenProduct *product);

#endif
