/*
 * mp3_codec.c
 *	  MP3 through libmpg123, version 1.31 or later.
 *
 * libmpg123 is fed one frame at a time and is told neither to look for frames nor to
 * cut delay and padding: mp3_frames.c knows both.
 */
#include "audio/mp3_codec.h"

#include <mpg123.h>

#include "base/library.h"

/* What is called of libmpg123. */
#define FUNCTIONS(F)                                                                               \
	F(mpg123_delete)                                                                               \
	F(mpg123_errcode)                                                                              \
	F(mpg123_feed)                                                                                 \
	F(mpg123_format)                                                                               \
	F(mpg123_format_none)                                                                          \
	F(mpg123_new)                                                                                  \
	F(mpg123_open_feed)                                                                            \
	F(mpg123_param)                                                                                \
	F(mpg123_plain_strerror)                                                                       \
	F(mpg123_read)

MREN_LIBRARY(FUNCTIONS);

#define MAX_CHANNELS 2
#define MAX_SAMPLES 1152

typedef struct Mp3State
{
	const MrenEnv *env;
	mpg123_handle *handle;
	const uint8_t *bytes;
	MrenMp3 mp3;
	size_t pos;		 /* of the next frame */
	uint64_t n_done; /* samples decoded, of those that are skipped, too */
	float raw[MAX_SAMPLES * MAX_CHANNELS];
	float block[MAX_SAMPLES];
} Mp3State;

static MrenStatus
fail_mpg123(Mp3State *state, int status, MrenError *err)
{
	if (status == MPG123_ERR && state->handle != NULL)
		status = library.mpg123_errcode(state->handle);
	if (status == MPG123_OUT_OF_MEM)
		return mren_fail_nomem(err);
	mren_fail(err, MREN_EFORMAT, "MP3 recording is corrupt");
	mren_error_detail(err, "libmpg123 reports \"%s\".", library.mpg123_plain_strerror(status));
	return MREN_EFORMAT;
}

static MrenStatus
feed_frame(Mp3State *state, MrenError *err)
{
	size_t size = mren_mp3_frame_size(state->bytes + state->pos, state->mp3.end - state->pos);
	int status = library.mpg123_feed(state->handle, state->bytes + state->pos, size);

	if (status != MPG123_OK)
		return fail_mpg123(state, status, err);
	state->pos += size;
	return MREN_OK;
}

/* Samples of one channel from those of all; *n 0: another frame has to be fed. */
static MrenStatus
read_samples(Mp3State *state, size_t *n, MrenError *err)
{
	uint32_t channels = state->mp3.info.channels;
	size_t n_bytes = 0;
	int status;

	do
		status = library.mpg123_read(state->handle, (unsigned char *) state->raw,
									 MAX_SAMPLES * channels * sizeof(float), &n_bytes);
	while (status == MPG123_NEW_FORMAT && n_bytes == 0);
	if (status != MPG123_OK && status != MPG123_NEED_MORE && status != MPG123_NEW_FORMAT)
		return fail_mpg123(state, status, err);
	*n = n_bytes / (channels * sizeof(float));
	for (size_t i = 0; i < *n; i++)
	{
		double sum = 0;

		for (uint32_t c = 0; c < channels; c++)
			sum += (double) state->raw[i * channels + c];
		state->block[i] = (float) (sum / channels);
	}
	return MREN_OK;
}

/* The part of n samples just decoded that is not delay or padding. */
static void
cut(Mp3State *state, const float **samples, size_t *n)
{
	uint64_t first = state->n_done;
	uint64_t last = first + *n;
	uint64_t from = state->mp3.skip;
	uint64_t to = from + state->mp3.info.n_frames;

	state->n_done = last;
	from = from > first ? from : first;
	to = to < last ? to : last;
	*samples = state->block + (from < last ? from - first : 0);
	*n = from < to ? (size_t) (to - from) : 0;
}

static MrenStatus
next_block(void *arg, const float **samples, size_t *n, MrenError *err)
{
	Mp3State *state = arg;
	size_t n_read;

	*n = 0;
	while (*n == 0)
	{
		MREN_TRY(mren_check_interrupts(state->env, err));
		MREN_TRY(read_samples(state, &n_read, err));
		if (n_read == 0 && state->pos == state->mp3.end)
			break;
		if (n_read == 0)
			MREN_TRY(feed_frame(state, err));
		*n = n_read;
		cut(state, samples, n);
	}
	if (*n == 0 && state->n_done != state->mp3.n_coded)
		return mren_fail(
			err, MREN_EFORMAT, "MP3 recording is corrupt: %llu of %llu samples could be decoded",
			(unsigned long long) state->n_done, (unsigned long long) state->mp3.n_coded);
	return MREN_OK;
}

static void
close_mp3(void *arg)
{
	Mp3State *state = arg;

	if (state->handle != NULL)
		library.mpg123_delete(state->handle);
	mren_release(state->env, state);
}

static MrenStatus
start(Mp3State *state, MrenError *err)
{
	const long flags = MPG123_QUIET | MPG123_NO_RESYNC | MPG123_FORCE_FLOAT |
					   MPG123_IGNORE_INFOFRAME | MPG123_SKIP_ID3V2 | MPG123_NO_READAHEAD |
					   MPG123_IGNORE_STREAMLENGTH;
	int status;

	MREN_TRY(MREN_LIBRARY_LOAD("libmpg123.so.0", err));
	state->handle = library.mpg123_new("generic", &status);
	if (state->handle == NULL)
		return fail_mpg123(state, status, err);
	status = library.mpg123_param(state->handle, MPG123_FLAGS, flags, 0);
	if (status == MPG123_OK)
		status = library.mpg123_format_none(state->handle);
	if (status == MPG123_OK)
		status = library.mpg123_format(state->handle, (long) state->mp3.info.rate,
									   state->mp3.info.channels == 1 ? MPG123_MONO : MPG123_STEREO,
									   MPG123_ENC_FLOAT_32);
	if (status == MPG123_OK)
		status = library.mpg123_open_feed(state->handle);
	return status == MPG123_OK ? MREN_OK : fail_mpg123(state, status, err);
}

MrenStatus
mren_mp3_open(const MrenEnv *env, const uint8_t *bytes, const MrenMp3 *mp3,
			  MrenAudioDecoder *decoder, MrenError *err)
{
	Mp3State *state;
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*state), &state, err));
	state->env = env;
	state->bytes = bytes;
	state->mp3 = *mp3;
	state->pos = mp3->start;
	status = start(state, err);
	if (status == MREN_OK)
		*decoder = (MrenAudioDecoder){state, next_block, close_mp3};
	else
		close_mp3(state);
	return status;
}
