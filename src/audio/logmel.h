/*
 * logmel.h
 *	  Log-mel statistics: a recording as 256 numbers, without a network.
 *
 * Of ln(mel band + 0.001) over frames of 25 ms every 10 ms (a Hann window): the mean of each
 * band, its standard deviation, its largest value, and the standard deviation of its
 * differences from frame to frame.
 */
#ifndef MREN_AUDIO_LOGMEL_H
#define MREN_AUDIO_LOGMEL_H

#include <stdint.h>

#include "audio/mel.h"
#include "base/env.h"

#define MREN_LOGMEL_SIZE (4 * MREN_MEL_BANDS)

/* What stands for these statistics where an encoder is named by a hash (32 bytes). */
extern const uint8_t mren_logmel_identity[32];

typedef struct MrenLogmel MrenLogmel;

/* MREN_ENOMEM. */
extern MrenStatus mren_logmel_create(const MrenEnv *env, MrenLogmel **logmel, MrenError *err);
extern void mren_logmel_free(MrenLogmel *logmel);

/* For another recording. */
extern void mren_logmel_restart(MrenLogmel *logmel);

/*
 * mren_logmel_add
 *	  The next n samples, of MREN_MEL_RATE.  The result does not depend on how a recording is
 *	  cut into calls.  MREN_ECANCELED.
 */
extern MrenStatus mren_logmel_add(MrenLogmel *logmel, const float *samples, size_t n,
								  MrenError *err);

/*
 * mren_logmel_finish
 *	  out (MREN_LOGMEL_SIZE), by statistic, in the order given above.  A recording shorter than a
 *	  frame is filled up with zeros; what follows the last whole frame, less than 10 ms, does not
 *	  count.  MREN_ENUMERIC if the samples are too large.
 */
extern MrenStatus mren_logmel_finish(MrenLogmel *logmel, float *out, MrenError *err);

#endif
