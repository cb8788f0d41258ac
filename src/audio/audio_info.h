/*
 * audio_info.h
 *	  What a recording is, from its headers alone.
 *
 * Reads bytes, never decodes and never allocates.  Accepts a superset of what the
 * decoders accept.
 */
#ifndef MREN_AUDIO_AUDIO_INFO_H
#define MREN_AUDIO_AUDIO_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

/* No recording has a higher rate; a header that says so is damaged. */
#define MREN_AUDIO_HIGHEST_RATE 1000000

typedef enum MrenAudioFormat
{
	MREN_AUDIO_WAV,
	MREN_AUDIO_FLAC,
	MREN_AUDIO_MP3
} MrenAudioFormat;

/* A sample of each channel at one instant is a frame. */
typedef struct MrenAudioInfo
{
	MrenAudioFormat format;
	uint32_t rate; /* frames a second */
	uint32_t channels;
	uint64_t n_frames; /* as the headers say; 0: they do not */
} MrenAudioInfo;

/*
 * mren_audio_info
 *	  Fills *info from the headers; of an MP3 file, from those of all its frames.
 *
 * MREN_EFORMAT for bytes that are no recording, and for headers that are damaged
 * or cut short; MREN_EUNSUPPORTED, naming it, for a format or an encoding that is known
 * but not read (Ogg Vorbis, ADPCM, ...).  Success does not mean that the samples
 * can be decoded.  Limits are not checked.  Checks for interrupts: MREN_ECANCELED.
 */
extern MrenStatus mren_audio_info(const MrenEnv *env, const uint8_t *bytes, size_t len,
								  MrenAudioInfo *info, MrenError *err);

/* "wav", "flac", "mp3" */
extern const char *mren_audio_format_name(MrenAudioFormat format);

#endif
