/*
 * wav_samples.h
 *	  The samples of a WAV file as floats.
 */
#ifndef MREN_AUDIO_WAV_SAMPLES_H
#define MREN_AUDIO_WAV_SAMPLES_H

#include "audio/wav.h"

/*
 * mren_wav_open
 *	  A decoder of the parsed file, whose bytes must stay.  MREN_ENOMEM.
 *
 * Integers of b bits are divided by 2^(b-1); floats are as they are, finite or
 * not.  A-law and mu-law are ITU-T G.711's, their 16-bit values divided by 32768.
 */
extern MrenStatus mren_wav_open(const MrenEnv *env, const MrenWav *wav, MrenAudioDecoder *decoder,
								MrenError *err);

#endif
