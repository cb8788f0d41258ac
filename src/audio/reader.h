/*
 * reader.h
 *	  From a recording's bytes to its samples, within limits.
 *
 * The one place where limits are checked.  Libraries behind a reader allocate by malloc:
 * it must be closed on every path, jumps of the caller's among them.
 */
#ifndef MREN_AUDIO_READER_H
#define MREN_AUDIO_READER_H

#include "audio/audio_info.h"

/*
 * Channels and rate are checked before the first sample is decoded.  Seconds are
 * counted as they are decoded, whatever the header says.
 */
typedef struct MrenAudioLimits
{
	uint32_t max_seconds;
	uint32_t max_channels;
	uint32_t max_rate; /* Hz */
} MrenAudioLimits;

typedef struct MrenAudioReader MrenAudioReader;

/*
 * mren_audio_reader_open
 *	  Errors of mren_audio_info; MREN_ELIMIT naming value and limit; MREN_ENOMEM.  The
 *	  bytes must stay until the reader is closed.
 */
extern MrenStatus mren_audio_reader_open(const MrenEnv *env, const uint8_t *bytes, size_t len,
										 const MrenAudioLimits *limits, MrenAudioReader **reader,
										 MrenError *err);

extern const MrenAudioInfo *mren_audio_reader_info(const MrenAudioReader *reader);

/*
 * mren_audio_reader_next
 *	  The next samples at the recording's rate, one a frame: the mean of its channels, where 1
 *	  is full scale.  Valid until the next call; *n = 0 at the end.
 *
 * MREN_EFORMAT for a recording that is corrupt or cut short; MREN_ELIMIT once it is too
 * long; MREN_ENUMERIC for a sample that is not finite; MREN_ENOMEM, MREN_ECANCELED.  After
 * an error the reader can only be closed.
 */
extern MrenStatus mren_audio_reader_next(MrenAudioReader *reader, const float **samples, size_t *n,
										 MrenError *err);

/* Takes NULL, too. */
extern void mren_audio_reader_close(MrenAudioReader *reader);

#endif
