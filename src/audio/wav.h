/*
 * wav.h
 *	  WAV: its chunks.
 *
 * The format is that of the RIFF specification (Microsoft and IBM 1991) with
 * WAVE_FORMAT_EXTENSIBLE.
 */
#ifndef MREN_AUDIO_WAV_H
#define MREN_AUDIO_WAV_H

#include "audio/decoder.h"

typedef enum MrenWavEncoding
{
	MREN_WAV_PCM,
	MREN_WAV_FLOAT,
	MREN_WAV_ALAW,
	MREN_WAV_MULAW
} MrenWavEncoding;

typedef struct MrenWav
{
	MrenAudioInfo info;
	MrenWavEncoding encoding;
	size_t sample_bytes; /* of one channel */
	const uint8_t *data; /* info.n_frames frames */
} MrenWav;

/*
 * mren_wav_parse
 *	  Finds format and samples.  The bytes have a WAV file's signature.
 *
 * A data chunk of size 0xFFFFFFFF, as programs write it that cannot seek, extends
 * to the end.  MREN_EFORMAT, MREN_EUNSUPPORTED as mren_audio_info; *wav points into
 * bytes.
 */
extern MrenStatus mren_wav_parse(const uint8_t *bytes, size_t len, MrenWav *wav, MrenError *err);

#endif
