/*
 * mp3_frames.h
 *	  The frames of an MP3 file.
 *
 * libmpg123 skips what it cannot read, and accepts a file that is cut short.
 * Here all frames are looked at before one is decoded, so that a file is known
 * to be whole.  Layout of headers: ISO/IEC 11172-3, section 2.4.1.3, and
 * 13818-3.
 */
#ifndef MREN_AUDIO_MP3_FRAMES_H
#define MREN_AUDIO_MP3_FRAMES_H

#include <stdbool.h>

#include "audio/decoder.h"

typedef struct MrenMp3
{
	MrenAudioInfo info; /* n_frames: without the encoder's delay and padding */
	size_t start, end;	/* bytes of the frames that hold sound */
	uint32_t n_samples; /* of a frame, each channel */
	uint64_t n_coded;	/* frames that hold sound times n_samples */
	uint64_t skip;		/* samples decoded before the first that counts */
} MrenMp3;

/*
 * mren_mp3_parse
 *	  Walks through all frames.
 *
 * Between an ID3v2 tag at the beginning and tags at the end (ID3v1, APEv2, Lyrics3, zeros)
 * there must be whole frames of one rate and number of channels, as many as a Xing or Info
 * frame says if there is one: else MREN_EFORMAT.  Such a frame is not decoded; delay and
 * padding are those of its LAME extension, if it has one.
 */
extern MrenStatus mren_mp3_parse(const MrenEnv *env, const uint8_t *bytes, size_t len, MrenMp3 *mp3,
								 MrenError *err);

/* Whether the bytes begin with the header of an MP3 frame. */
extern bool mren_mp3_begins(const uint8_t *bytes, size_t len);

/* The size in bytes of the frame that begins there; 0: there is no header of one. */
extern size_t mren_mp3_frame_size(const uint8_t *bytes, size_t len);

/* The name of the format if the bytes begin with a header of another layer, or NULL. */
extern const char *mren_mp3_other_layer(const uint8_t *bytes, size_t len);

#endif
