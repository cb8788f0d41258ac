/*
 * fuzz_audio.h
 *	  What the fuzz targets of recordings share: reading to the end within small limits, through
 *	  the resampler into windows and log-mel statistics.
 */
#ifndef MREN_TEST_FUZZ_AUDIO_H
#define MREN_TEST_FUZZ_AUDIO_H

#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "audio/audio.h"

#define WINDOW 1600

static inline MrenStatus
fuzz_windows(const MrenEnv *env, MrenAudioStream *stream, uint64_t *n_samples, MrenError *err)
{
	MrenAudioWindows *windows = NULL;
	MrenLogmel *logmel = NULL;
	float statistics[MREN_LOGMEL_SIZE];
	const float *window = NULL;
	MrenStatus status = mren_audio_windows_open(env, stream, WINDOW, WINDOW / 2, &windows, err);

	if (status == MREN_OK)
		status = mren_logmel_create(env, &logmel, err);
	do
	{
		uint64_t start;

		if (status == MREN_OK)
			status = mren_audio_windows_next(windows, &window, &start, err);
		if (status == MREN_OK && window != NULL)
			status = mren_logmel_add(logmel, window, WINDOW, err);
	} while (status == MREN_OK && window != NULL);
	if (status == MREN_OK)
		status = mren_logmel_finish(logmel, statistics, err);
	if (status == MREN_OK)
		*n_samples = mren_audio_windows_length(windows);
	mren_logmel_free(logmel);
	mren_audio_windows_close(windows);
	return status;
}

/*
 * Any bytes as a recording.  What is decoded is of the rate and the number of channels that the
 * headers give, and of the length if they give one; a failure has a message.
 */
static inline void
fuzz_audio(const uint8_t *data, size_t size)
{
	static const MrenAudioLimits limits = {2, 8, 96000};
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, (size_t) 16 << 20);
	MrenAudioStream *stream;
	MrenAudioInfo info;
	MrenError err = {0};
	uint64_t n_samples = 0;
	MrenStatus known = mren_audio_info(env, data, size, &info, &err);
	MrenStatus status;

	if (known != MREN_OK && strlen(err.message) == 0)
		abort();
	status = mren_audio_stream_open(env, data, size, &limits, 16000, &stream, &err);
	if (status == MREN_OK)
	{
		status = fuzz_windows(env, stream, &n_samples, &err);
		mren_audio_stream_close(stream);
	}
	if (status != MREN_OK && strlen(err.message) == 0)
		abort();
	if (status == MREN_OK &&
		(known != MREN_OK || info.channels > limits.max_channels || info.rate > limits.max_rate ||
		 n_samples == 0 || n_samples > 2 * 16000 ||
		 (info.n_frames > 0 && n_samples != (info.n_frames * 16000 + info.rate - 1) / info.rate)))
		abort();
	fuzz_done(&fuzz);
}

#endif
