/*
 * stream.h
 *	  A recording as samples of one channel at a rate of the caller's.
 *
 * Samples of a recording that has that rate are not changed.
 */
#ifndef MREN_AUDIO_STREAM_H
#define MREN_AUDIO_STREAM_H

#include "audio/reader.h"

typedef struct MrenAudioStream MrenAudioStream;

/*
 * Errors of mren_audio_reader_open and mren_audio_filter_create; what reader.h says of jumps holds.
 */
extern MrenStatus mren_audio_stream_open(const MrenEnv *env, const uint8_t *bytes, size_t len,
										 const MrenAudioLimits *limits, uint32_t rate,
										 MrenAudioStream **stream, MrenError *err);

/*
 * mren_audio_stream_read
 *	  The next samples into out (capacity, positive); *n is less than capacity only at the
 *	  end.  The recording has ceil(frames * rate / its rate) samples.  Errors of
 *	  mren_audio_reader_next.
 *
 * A capacity of a second or so keeps a call within a few milliseconds.
 */
extern MrenStatus mren_audio_stream_read(MrenAudioStream *stream, float *out, size_t capacity,
										 size_t *n, MrenError *err);

/*
 * mren_audio_stream_mute
 *	  Samples from .. to - 1 that are still to be read are silence.  Beside them the sound fades
 *	  in a hundredth of a second, because a sound that is cut off clicks.
 */
#define MREN_AUDIO_FADES_SECOND 100
extern void mren_audio_stream_mute(MrenAudioStream *stream, uint64_t from, uint64_t to);

/* Takes NULL, too. */
extern void mren_audio_stream_close(MrenAudioStream *stream);

#endif
