/*
 * stream.c
 *	  Reader and resampler.
 */
#include "audio/stream.h"

#include <math.h>
#include <string.h>

#include "audio/resample.h"

struct MrenAudioStream
{
	const MrenEnv *env;
	MrenAudioReader *reader;
	MrenAudioFilter *filter; /* NULL: the recording has the wanted rate */
	bool ended;				 /* the reader has nothing more */
	float *in;				 /* decoded samples; before the filter, with zeros around them */
	size_t capacity;
	size_t n_in;
	size_t n_used;				 /* of them */
	uint64_t n_read;			 /* given to the caller */
	uint64_t mute_from, mute_to; /* samples that are silence */
	uint64_t fade;				 /* samples over which the sound fades beside them */
};

/* Room for n samples after the unused ones, which move to the front. */
static MrenStatus
make_room(MrenAudioStream *stream, size_t n, MrenError *err)
{
	stream->n_in -= stream->n_used;
	if (stream->n_in > 0 && stream->n_used > 0)
		memmove(stream->in, stream->in + stream->n_used, stream->n_in * sizeof(float));
	stream->n_used = 0;
	return mren_grow(stream->env, &stream->in, &stream->capacity, stream->n_in, stream->n_in + n,
					 sizeof(float), err);
}

static MrenStatus
add_zeros(MrenAudioStream *stream, size_t n, MrenError *err)
{
	MREN_TRY(make_room(stream, n, err));
	memset(stream->in + stream->n_in, 0, n * sizeof(float));
	stream->n_in += n;
	return MREN_OK;
}

static MrenStatus
decode_more(MrenAudioStream *stream, MrenError *err)
{
	const float *samples;
	size_t n;

	MREN_TRY(mren_audio_reader_next(stream->reader, &samples, &n, err));
	if (n == 0)
	{
		stream->ended = true;
		return stream->filter == NULL
				   ? MREN_OK
				   : add_zeros(stream, mren_audio_filter_after(stream->filter), err);
	}
	MREN_TRY(make_room(stream, n, err));
	memcpy(stream->in + stream->n_in, samples, n * sizeof(float));
	stream->n_in += n;
	return MREN_OK;
}

static MrenStatus
open_filter(MrenAudioStream *stream, uint32_t rate, MrenError *err)
{
	uint32_t in_rate = mren_audio_reader_info(stream->reader)->rate;

	if (in_rate == rate)
		return MREN_OK;
	MREN_TRY(mren_audio_filter_create(stream->env, in_rate, rate, &stream->filter, err));
	return add_zeros(stream, mren_audio_filter_before(stream->filter), err);
}

MrenStatus
mren_audio_stream_open(const MrenEnv *env, const uint8_t *bytes, size_t len,
					   const MrenAudioLimits *limits, uint32_t rate, MrenAudioStream **out,
					   MrenError *err)
{
	MrenAudioStream *stream;
	MrenStatus status;

	*out = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*stream), &stream, err));
	stream->env = env;
	stream->fade = rate / MREN_AUDIO_FADES_SECOND;
	status = mren_audio_reader_open(env, bytes, len, limits, &stream->reader, err);
	if (status == MREN_OK)
		status = open_filter(stream, rate, err);
	if (status == MREN_OK)
		*out = stream;
	else
		mren_audio_stream_close(stream);
	return status;
}

/* What there is, without decoding more. */
static MrenStatus
take(MrenAudioStream *stream, float *out, size_t capacity, size_t *n, MrenError *err)
{
	size_t n_in = stream->n_in - stream->n_used;

	if (stream->filter != NULL)
	{
		MrenAudioBlock block = {stream->in + stream->n_used, n_in, out, capacity, 0, 0};

		MREN_TRY(mren_audio_filter_run(stream->filter, &block, err));
		stream->n_used += block.n_used;
		*n = block.n_out;
		return MREN_OK;
	}
	*n = n_in < capacity ? n_in : capacity;
	if (*n > 0)
		memcpy(out, stream->in + stream->n_used, *n * sizeof(float));
	stream->n_used += *n;
	return MREN_OK;
}

void
mren_audio_stream_mute(MrenAudioStream *stream, uint64_t from, uint64_t to)
{
	stream->mute_from = from;
	stream->mute_to = to;
}

/* What is left of a sample: nothing where it is silent, all of it away from there. */
static double
gain_at(const MrenAudioStream *stream, uint64_t at)
{
	uint64_t distance = at < stream->mute_from ? stream->mute_from - at
						: at < stream->mute_to ? 0
											   : at - stream->mute_to + 1;

	return distance > stream->fade
			   ? 1
			   : 0.5 - 0.5 * cos(M_PI * (double) distance / (double) (stream->fade + 1));
}

/* n samples that have been read fade and become silence as far as they are to, and count. */
static void
finish_read(MrenAudioStream *stream, float *out, size_t n)
{
	uint64_t before = stream->mute_from > stream->fade ? stream->mute_from - stream->fade : 0;
	uint64_t behind = stream->mute_to + stream->fade;
	uint64_t end = stream->n_read + n;
	uint64_t from = before > stream->n_read ? before : stream->n_read;
	uint64_t to = behind < end ? behind : end;

	if (stream->mute_from < stream->mute_to)
		for (uint64_t at = from; at < to; at++)
			out[at - stream->n_read] *= (float) gain_at(stream, at);
	stream->n_read = end;
}

MrenStatus
mren_audio_stream_read(MrenAudioStream *stream, float *out, size_t capacity, size_t *n,
					   MrenError *err)
{
	size_t n_taken;

	*n = 0;
	for (;;)
	{
		MREN_TRY(take(stream, out + *n, capacity - *n, &n_taken, err));
		*n += n_taken;
		if (*n == capacity || stream->ended)
			break;
		MREN_TRY(decode_more(stream, err));
	}
	finish_read(stream, out, *n);
	return MREN_OK;
}

void
mren_audio_stream_close(MrenAudioStream *stream)
{
	if (stream == NULL)
		return;
	mren_audio_reader_close(stream->reader);
	mren_audio_filter_free(stream->filter);
	mren_release(stream->env, stream->in);
	mren_release(stream->env, stream);
}
