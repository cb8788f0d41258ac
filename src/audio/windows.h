/*
 * windows.h
 *	  Overlapping windows over a stream, as networks of a fixed length take them.
 *
 * Windows of `size` samples begin every `hop` samples; the last one ends with the
 * recording, so it may overlap more. A recording that is shorter than a window is
 * one window, filled up with zeros.
 */
#ifndef MREN_AUDIO_WINDOWS_H
#define MREN_AUDIO_WINDOWS_H

#include "audio/stream.h"

typedef struct MrenAudioWindows MrenAudioWindows;

/* 0 < hop <= size: MREN_EPARAM.  The stream stays the caller's. */
extern MrenStatus mren_audio_windows_open(const MrenEnv *env, MrenAudioStream *stream, size_t size,
										  size_t hop, MrenAudioWindows **windows, MrenError *err);

/*
 * mren_audio_windows_next
 *	  *window is the next one (size), valid until the next call, and *start its first sample; NULL
 *	  after the last.  There is always one.  Errors of mren_audio_stream_read.
 */
extern MrenStatus mren_audio_windows_next(MrenAudioWindows *windows, const float **window,
										  uint64_t *start, MrenError *err);

/* Samples read so far: all of them after the last window. */
extern uint64_t mren_audio_windows_length(const MrenAudioWindows *windows);

/* Takes NULL, too. */
extern void mren_audio_windows_close(MrenAudioWindows *windows);

#endif
