/*
 * windows.c
 *	  Overlapping windows over a stream.
 */
#include "audio/windows.h"

#include <string.h>

struct MrenAudioWindows
{
	const MrenEnv *env;
	MrenAudioStream *stream;
	size_t size;
	size_t hop;
	float *samples;	  /* (size + hop): the window, and room for what follows it */
	uint64_t n_total; /* read */
	bool ended;
};

MrenStatus
mren_audio_windows_open(const MrenEnv *env, MrenAudioStream *stream, size_t size, size_t hop,
						MrenAudioWindows **out, MrenError *err)
{
	MrenAudioWindows *windows;
	MrenStatus status;

	*out = NULL;
	if (hop == 0 || hop > size)
		return mren_fail(err, MREN_EPARAM,
						 "hop of %zu samples must be between 1 and the window's %zu", hop, size);
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*windows), &windows, err));
	*windows = (MrenAudioWindows){.env = env, .stream = stream, .size = size, .hop = hop};
	status = mren_allocate_zero(env, size + hop, sizeof(float), &windows->samples, err);
	if (status == MREN_OK)
		*out = windows;
	else
		mren_release(env, windows);
	return status;
}

static MrenStatus
first_window(MrenAudioWindows *windows, MrenError *err)
{
	size_t n;

	MREN_TRY(mren_audio_stream_read(windows->stream, windows->samples, windows->size, &n, err));
	windows->ended = n < windows->size;
	memset(windows->samples + n, 0, (windows->size - n) * sizeof(float));
	windows->n_total = n;
	return MREN_OK;
}

MrenStatus
mren_audio_windows_next(MrenAudioWindows *windows, const float **window, uint64_t *start,
						MrenError *err)
{
	size_t n;

	*window = NULL;
	*start = 0;
	if (windows->n_total == 0 && !windows->ended)
	{
		MREN_TRY(first_window(windows, err));
		*window = windows->samples;
		return MREN_OK;
	}
	if (windows->ended)
		return MREN_OK;
	MREN_TRY(mren_audio_stream_read(windows->stream, windows->samples + windows->size, windows->hop,
									&n, err));
	windows->ended = n < windows->hop;
	if (n == 0)
		return MREN_OK;
	memmove(windows->samples, windows->samples + n, windows->size * sizeof(float));
	windows->n_total += n;
	*start = windows->n_total - windows->size;
	*window = windows->samples;
	return MREN_OK;
}

uint64_t
mren_audio_windows_length(const MrenAudioWindows *windows)
{
	return windows->n_total;
}

void
mren_audio_windows_close(MrenAudioWindows *windows)
{
	if (windows == NULL)
		return;
	mren_release(windows->env, windows->samples);
	mren_release(windows->env, windows);
}
