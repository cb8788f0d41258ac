/*
 * decoder.h
 *	  What the decoders of all formats have in common: they give a recording block by
 *	  block, as samples of one channel.
 */
#ifndef MREN_AUDIO_DECODER_H
#define MREN_AUDIO_DECODER_H

#include "audio/audio_info.h"

typedef struct MrenAudioDecoder
{
	void *state;
	/*
	 * The next samples, one a frame (the mean of its channels), 1 being full scale; they stay
	 * valid until the next call.  *n = 0 once the recording has ended, complete.
	 */
	MrenStatus (*next)(void *state, const float **samples, size_t *n, MrenError *err);
	void (*close)(void *state);
} MrenAudioDecoder;

#endif
