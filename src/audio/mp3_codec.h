/*
 * mp3_codec.h
 *	  MP3, through libmpg123.
 */
#ifndef MREN_AUDIO_MP3_CODEC_H
#define MREN_AUDIO_MP3_CODEC_H

#include "audio/mp3_frames.h"

/*
 * mren_mp3_open
 *	  A decoder of the parsed file, whose bytes must stay.  MREN_ENOMEM.
 *
 * Gives mp3->info.n_frames samples; a frame that libmpg123 cannot decode is an
 * error (MREN_EFORMAT).  Its portable decoder is used, so that a file has the same
 * samples on every machine.
 */
extern MrenStatus mren_mp3_open(const MrenEnv *env, const uint8_t *bytes, const MrenMp3 *mp3,
								MrenAudioDecoder *decoder, MrenError *err);

#endif
