/*
 * reader.c
 *	  The decoder of the recording's format, and its limits.
 */
#include "audio/reader.h"

#include <math.h>

#include "audio/flac_codec.h"
#include "audio/mp3_codec.h"
#include "audio/audio_format.h"
#include "audio/wav_samples.h"

struct MrenAudioReader
{
	const MrenEnv *env;
	MrenAudioInfo info;
	MrenAudioLimits limits;
	MrenAudioDecoder decoder;
	uint64_t n_done; /* frames */
};

static MrenStatus
check_limits(const MrenAudioInfo *info, const MrenAudioLimits *limits, MrenError *err)
{
	if (info->channels > limits->max_channels)
		return mren_fail(err, MREN_ELIMIT, "recording has %u channels, but at most %u are allowed",
						 info->channels, limits->max_channels);
	if (info->rate > limits->max_rate)
		return mren_fail(err, MREN_ELIMIT,
						 "recording has a sample rate of %u Hz, but at most %u Hz are allowed",
						 info->rate, limits->max_rate);
	return MREN_OK;
}

static MrenStatus
open_decoder(MrenAudioReader *reader, const uint8_t *bytes, size_t len, MrenError *err)
{
	const MrenEnv *env = reader->env;
	MrenWav wav;
	MrenMp3 mp3;

	MREN_TRY(mren_audio_signature(bytes, len, &reader->info.format, err));
	switch (reader->info.format)
	{
		case MREN_AUDIO_WAV:
			MREN_TRY(mren_wav_parse(bytes, len, &wav, err));
			reader->info = wav.info;
			MREN_TRY(check_limits(&reader->info, &reader->limits, err));
			return mren_wav_open(env, &wav, &reader->decoder, err);
		case MREN_AUDIO_FLAC:
			MREN_TRY(mren_flac_info(bytes, len, &reader->info, err));
			MREN_TRY(check_limits(&reader->info, &reader->limits, err));
			return mren_flac_open(env, bytes, len, &reader->info, &reader->decoder, err);
		case MREN_AUDIO_MP3:
			MREN_TRY(mren_mp3_parse(env, bytes, len, &mp3, err));
			reader->info = mp3.info;
			MREN_TRY(check_limits(&reader->info, &reader->limits, err));
			return mren_mp3_open(env, bytes, &mp3, &reader->decoder, err);
	}
	return MREN_OK;
}

MrenStatus
mren_audio_reader_open(const MrenEnv *env, const uint8_t *bytes, size_t len,
					   const MrenAudioLimits *limits, MrenAudioReader **out, MrenError *err)
{
	MrenAudioReader *reader;
	MrenStatus status;

	*out = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*reader), &reader, err));
	reader->env = env;
	reader->limits = *limits;
	status = open_decoder(reader, bytes, len, err);
	if (status == MREN_OK)
		*out = reader;
	else
		mren_release(env, reader);
	return status;
}

const MrenAudioInfo *
mren_audio_reader_info(const MrenAudioReader *reader)
{
	return &reader->info;
}

MrenStatus
mren_audio_reader_next(MrenAudioReader *reader, const float **samples, size_t *n, MrenError *err)
{
	MREN_TRY(reader->decoder.next(reader->decoder.state, samples, n, err));
	if (reader->n_done + *n > (uint64_t) reader->limits.max_seconds * reader->info.rate)
		return mren_fail(err, MREN_ELIMIT, "recording is longer than the limit of %u s",
						 reader->limits.max_seconds);
	for (size_t i = 0; i < *n; i++)
	{
		if (!isfinite((*samples)[i]))
			return mren_fail(err, MREN_ENUMERIC,
							 "sample %llu of the recording is not a finite number",
							 (unsigned long long) (reader->n_done + i));
	}
	reader->n_done += *n;
	return MREN_OK;
}

void
mren_audio_reader_close(MrenAudioReader *reader)
{
	if (reader == NULL)
		return;
	reader->decoder.close(reader->decoder.state);
	mren_release(reader->env, reader);
}
