/*
 * audio_format.h
 *	  Telling audio formats by their first bytes, unsupported ones included, so that
 *	  an error can name them.
 */
#ifndef MREN_AUDIO_AUDIO_FORMAT_H
#define MREN_AUDIO_AUDIO_FORMAT_H

#include <stdbool.h>

#include "audio/audio_info.h"

/*
 * mren_audio_signature
 *	  The format that the bytes begin as.
 *
 * MREN_EUNSUPPORTED for another known format, naming it; MREN_EFORMAT for anything
 * else, with a hint.
 */
extern MrenStatus mren_audio_signature(const uint8_t *bytes, size_t len, MrenAudioFormat *format,
									   MrenError *err);

/* The first byte after an ID3v2 tag at the beginning; 0 if there is none. */
extern size_t mren_audio_skip_id3(const uint8_t *bytes, size_t len);

#endif
