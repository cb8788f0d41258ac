/*
 * resample.h
 *	  From one sample rate to another, by a polyphase windowed-sinc filter.
 *
 * Smith and Gossett, A flexible sampling-rate conversion method, 1984; Kaiser's window.
 * The filter is as long as 128 periods of the lower rate on each side. Frequencies up to
 * 0.955 of half the lower rate pass within 0.001 dB, those from half of it on are
 * attenuated by more than 80 dB. Sample k of the result is at the time of sample k * in_rate /
 * out_rate, so there is no delay.
 */
#ifndef MREN_AUDIO_RESAMPLE_H
#define MREN_AUDIO_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

typedef struct MrenAudioFilter MrenAudioFilter;

/*
 * Rates in Hz, both positive, in_rate at most 1000 times out_rate: MREN_EPARAM.  MREN_ENOMEM,
 * MREN_ECANCELED.
 */
extern MrenStatus mren_audio_filter_create(const MrenEnv *env, uint32_t in_rate, uint32_t out_rate,
										   MrenAudioFilter **filter, MrenError *err);
extern void mren_audio_filter_free(MrenAudioFilter *filter);

/*
 * Samples that the filter needs around one instant: the input must begin with `before` zeros
 * and end with `after` of them.
 */
extern size_t mren_audio_filter_before(const MrenAudioFilter *filter);
extern size_t mren_audio_filter_after(const MrenAudioFilter *filter);

/* The samples of one call. */
typedef struct MrenAudioBlock
{
	const float *in; /* (n_in) */
	size_t n_in;
	float *out; /* (capacity) */
	size_t capacity;
	size_t n_used; /* set: samples of the input that are not needed any more */
	size_t n_out;  /* set: samples written */
} MrenAudioBlock;

/*
 * mren_audio_filter_run
 *	  Filters in into out, as far as both reach.  The next call's input begins after the
 *	  n_used samples.  Checks for interrupts.
 */
extern MrenStatus mren_audio_filter_run(MrenAudioFilter *filter, MrenAudioBlock *block,
										MrenError *err);

#endif
