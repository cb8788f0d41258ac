/*
 * flac_codec.h
 *	  FLAC, through libFLAC.
 */
#ifndef MREN_AUDIO_FLAC_CODEC_H
#define MREN_AUDIO_FLAC_CODEC_H

#include "audio/decoder.h"

/*
 * mren_flac_info
 *	  Reads the STREAMINFO block.  The bytes have a FLAC file's signature, perhaps
 *	  after an ID3v2 tag.  MREN_EFORMAT.
 */
extern MrenStatus mren_flac_info(const uint8_t *bytes, size_t len, MrenAudioInfo *info,
								 MrenError *err);

/*
 * mren_flac_open
 *	  A decoder of the bytes, which must stay.  MREN_ENOMEM.
 *
 * The decoder gives a frame's samples only once its checksum is right, and ends
 * without an error only if the number of samples and their MD5 are what the file says, where it
 * says them, and nothing follows the last frame: MREN_EFORMAT.
 */
extern MrenStatus mren_flac_open(const MrenEnv *env, const uint8_t *bytes, size_t len,
								 const MrenAudioInfo *info, MrenAudioDecoder *decoder,
								 MrenError *err);

#endif
