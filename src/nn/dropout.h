/*
 * dropout.h
 *	  Inverted dropout (Srivastava et al. 2014).
 */
#ifndef MREN_NN_DROPOUT_H
#define MREN_NN_DROPOUT_H

#include "base/random.h"

/*
 * mren_dropout
 *	  mask (n) gets 0 with probability p (to 1/65536), otherwise 1/(1-p);
 *	  y = x * mask.  y may be x.
 */
extern void mren_dropout(MrenRandom *random, float p, const float *x, float *y, float *mask,
						 size_t n);

#endif
