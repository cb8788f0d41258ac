/*
 * audio_info.c
 *	  From first bytes to the format, and on to its headers.
 */
#include "audio/audio_info.h"

#include <string.h>

#include "audio/flac_codec.h"
#include "audio/mp3_frames.h"
#include "audio/audio_format.h"
#include "audio/wav.h"

MrenStatus
mren_audio_info(const MrenEnv *env, const uint8_t *bytes, size_t len, MrenAudioInfo *info,
				MrenError *err)
{
	MrenWav wav;
	MrenMp3 mp3;

	memset(info, 0, sizeof(*info));
	MREN_TRY(mren_audio_signature(bytes, len, &info->format, err));
	if (info->format == MREN_AUDIO_WAV)
	{
		MREN_TRY(mren_wav_parse(bytes, len, &wav, err));
		*info = wav.info;
	}
	else if (info->format == MREN_AUDIO_FLAC)
		MREN_TRY(mren_flac_info(bytes, len, info, err));
	else
	{
		MREN_TRY(mren_mp3_parse(env, bytes, len, &mp3, err));
		*info = mp3.info;
	}
	return MREN_OK;
}

const char *
mren_audio_format_name(MrenAudioFormat format)
{
	switch (format)
	{
		case MREN_AUDIO_WAV:
			return "wav";
		case MREN_AUDIO_FLAC:
			return "flac";
		case MREN_AUDIO_MP3:
			return "mp3";
	}
	return "unknown";
}
