/*
 * flac_codec.c
 *	  FLAC through libFLAC, version 1.4.
 *
 * libFLAC reports errors by a callback, replaces what it cannot read by silence and
 * goes on.  Here the first error ends the recording: the callbacks keep it
 * in FlacState, and the one that reads then asks libFLAC to stop.
 */
#include "audio/flac_codec.h"

#include <stdio.h>
#include <string.h>

#include <FLAC/stream_decoder.h>

#include "audio/audio_format.h"
#include "base/library.h"

/* What is called of libFLAC. */
#define FUNCTIONS(F)                                                                               \
	F(FLAC__stream_decoder_delete)                                                                 \
	F(FLAC__stream_decoder_finish)                                                                 \
	F(FLAC__stream_decoder_get_decode_position)                                                    \
	F(FLAC__stream_decoder_get_state)                                                              \
	F(FLAC__stream_decoder_init_stream)                                                            \
	F(FLAC__stream_decoder_new)                                                                    \
	F(FLAC__stream_decoder_process_single)                                                         \
	F(FLAC__stream_decoder_set_md5_checking)                                                       \
	F(FLAC__stream_decoder_set_metadata_ignore_all)

MREN_LIBRARY(FUNCTIONS);

static MrenStatus
load(MrenError *err)
{
	char file[32];

	/* Since libtool, the version of a library's interface less its age names the file. */
	snprintf(file, sizeof(file), "libFLAC.so.%d", FLAC_API_VERSION_CURRENT - FLAC_API_VERSION_AGE);
	return MREN_LIBRARY_LOAD(file, err);
}

/* The signature, a metadata block's header, and a STREAMINFO block. */
#define STREAMINFO_END 42

typedef struct FlacState
{
	const MrenEnv *env;
	FLAC__StreamDecoder *decoder;
	const uint8_t *bytes;
	size_t len;
	size_t pos; /* of the next byte that libFLAC reads */
	size_t end; /* after the last complete frame */
	MrenAudioInfo info;
	uint64_t n_done; /* frames, in our sense of the word */
	float *block;
	size_t capacity;
	size_t n_block;	   /* written by the last step */
	MrenStatus status; /* the first failure; err is then filled */
	MrenError *err;	   /* of the call that is running */
	bool ended;
} FlacState;

static void
fail_corrupt(FlacState *state, const char *detail)
{
	if (state->status != MREN_OK)
		return;
	state->status = mren_fail(state->err, MREN_EFORMAT, "FLAC recording is corrupt");
	mren_error_detail(state->err, "%s", detail);
}

static FLAC__StreamDecoderReadStatus
on_read(const FLAC__StreamDecoder *decoder, FLAC__byte *buffer, size_t *n, void *arg)
{
	FlacState *state = arg;
	size_t left = state->len - state->pos;

	(void) decoder;
	if (state->status == MREN_OK)
		state->status = mren_check_interrupts(state->env, state->err);
	if (state->status != MREN_OK)
	{
		*n = 0;
		return FLAC__STREAM_DECODER_READ_STATUS_ABORT;
	}
	*n = *n < left ? *n : left;
	memcpy(buffer, state->bytes + state->pos, *n);
	state->pos += *n;
	return *n > 0 ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE
				  : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
}

/* From this, libFLAC computes where in the file its decoder is. */
static FLAC__StreamDecoderTellStatus
on_tell(const FLAC__StreamDecoder *decoder, FLAC__uint64 *offset, void *arg)
{
	FlacState *state = arg;

	(void) decoder;
	*offset = state->pos;
	return FLAC__STREAM_DECODER_TELL_STATUS_OK;
}

static FLAC__bool
on_eof(const FLAC__StreamDecoder *decoder, void *arg)
{
	FlacState *state = arg;

	(void) decoder;
	return state->pos == state->len;
}

static void
on_error(const FLAC__StreamDecoder *decoder, FLAC__StreamDecoderErrorStatus error, void *arg)
{
	FlacState *state = arg;

	(void) decoder;
	switch (error)
	{
		case FLAC__STREAM_DECODER_ERROR_STATUS_LOST_SYNC:
			fail_corrupt(state, "No frame begins where one should.");
			break;
		case FLAC__STREAM_DECODER_ERROR_STATUS_BAD_HEADER:
			fail_corrupt(state, "The header of a frame is damaged.");
			break;
		case FLAC__STREAM_DECODER_ERROR_STATUS_FRAME_CRC_MISMATCH:
			fail_corrupt(state, "A frame differs from its checksum.");
			break;
		default:
			fail_corrupt(state, "A part of it cannot be read.");
	}
}

static void
mix(const FLAC__int32 *const *channels, uint32_t n_channels, size_t n, double scale, float *out)
{
	for (size_t i = 0; i < n; i++)
	{
		double sum = 0;

		for (uint32_t c = 0; c < n_channels; c++)
			sum += channels[c][i];
		out[i] = (float) (sum * scale / n_channels);
	}
}

/* A second frame in one step is silence that libFLAC puts in a missing one's place. */
static FLAC__StreamDecoderWriteStatus
on_write(const FLAC__StreamDecoder *decoder, const FLAC__Frame *frame,
		 const FLAC__int32 *const *channels, void *arg)
{
	FlacState *state = arg;
	const FLAC__FrameHeader *header = &frame->header;

	(void) decoder;
	if (header->sample_rate != state->info.rate || header->channels != state->info.channels)
		fail_corrupt(state, "Its sample rate or number of channels changes.");
	else if (header->bits_per_sample < 4 || header->bits_per_sample > 32)
		fail_corrupt(state, "Its number of bits per sample is impossible.");
	else if (state->n_block > 0)
		fail_corrupt(state, "Frames are missing.");
	if (state->status == MREN_OK)
		state->status = mren_grow(state->env, &state->block, &state->capacity, 0, header->blocksize,
								  sizeof(float), state->err);
	if (state->status != MREN_OK)
		return FLAC__STREAM_DECODER_WRITE_STATUS_ABORT;
	mix(channels, header->channels, header->blocksize,
		1.0 / (double) ((uint64_t) 1 << (header->bits_per_sample - 1)), state->block);
	state->n_block = header->blocksize;
	state->n_done += header->blocksize;
	return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}

/* The end is there: is it that of a whole recording? */
static MrenStatus
check_end(FlacState *state)
{
	bool md5_is_right;

	if (state->info.n_frames > 0 && state->n_done != state->info.n_frames)
		return mren_fail(state->err, MREN_EFORMAT,
						 "FLAC recording is truncated or damaged: %llu of %llu samples",
						 (unsigned long long) state->n_done,
						 (unsigned long long) state->info.n_frames);
	if (state->n_done == 0)
		return mren_fail(state->err, MREN_EFORMAT, "FLAC recording has no samples");
	if (state->end != state->len)
		return mren_fail(state->err, MREN_EFORMAT,
						 "FLAC recording is truncated or damaged: no complete frame at byte %zu",
						 state->end);
	md5_is_right = library.FLAC__stream_decoder_finish(state->decoder);
	if (!md5_is_right)
		return mren_fail(state->err, MREN_EFORMAT,
						 "FLAC recording is corrupt: its samples differ from their MD5");
	return MREN_OK;
}

/* One frame, or metadata, at each step. */
static MrenStatus
step(FlacState *state)
{
	FLAC__uint64 end;
	bool went_on;
	FLAC__StreamDecoderState now;

	state->n_block = 0;
	went_on = library.FLAC__stream_decoder_process_single(state->decoder);
	if (state->status != MREN_OK)
		return state->status;
	now = library.FLAC__stream_decoder_get_state(state->decoder);
	if (now == FLAC__STREAM_DECODER_MEMORY_ALLOCATION_ERROR)
		return state->status = mren_fail_nomem(state->err);
	if (!went_on)
	{
		fail_corrupt(state, "libFLAC cannot go on.");
		return state->status;
	}
	if (state->n_block > 0 &&
		library.FLAC__stream_decoder_get_decode_position(state->decoder, &end))
		state->end = (size_t) end;
	if (now == FLAC__STREAM_DECODER_END_OF_STREAM)
	{
		state->ended = true;
		state->status = check_end(state);
	}
	return state->status;
}

static MrenStatus
next_block(void *arg, const float **samples, size_t *n, MrenError *err)
{
	FlacState *state = arg;

	state->err = err;
	state->n_block = 0;
	while (state->n_block == 0 && !state->ended)
		MREN_TRY(step(state));
	*samples = state->block;
	*n = state->n_block;
	return MREN_OK;
}

static void
close_flac(void *arg)
{
	FlacState *state = arg;

	if (state->decoder != NULL)
		library.FLAC__stream_decoder_delete(state->decoder);
	mren_release(state->env, state->block);
	mren_release(state->env, state);
}

static MrenStatus
start(FlacState *state, MrenError *err)
{
	FLAC__StreamDecoderInitStatus status;

	MREN_TRY(load(err));
	state->decoder = library.FLAC__stream_decoder_new();
	if (state->decoder == NULL)
		return mren_fail_nomem(err);
	state->err = err;
	library.FLAC__stream_decoder_set_md5_checking(state->decoder, true);
	library.FLAC__stream_decoder_set_metadata_ignore_all(state->decoder);
	status = library.FLAC__stream_decoder_init_stream(state->decoder, on_read, NULL, on_tell, NULL,
													  on_eof, on_write, NULL, on_error, state);
	if (status == FLAC__STREAM_DECODER_INIT_STATUS_OK)
		return MREN_OK;
	if (status == FLAC__STREAM_DECODER_INIT_STATUS_MEMORY_ALLOCATION_ERROR)
		return mren_fail_nomem(err);
	return mren_fail(err, MREN_EFORMAT, "FLAC recording cannot be opened: status %d of libFLAC",
					 (int) status);
}

MrenStatus
mren_flac_open(const MrenEnv *env, const uint8_t *bytes, size_t len, const MrenAudioInfo *info,
			   MrenAudioDecoder *decoder, MrenError *err)
{
	FlacState *state;
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*state), &state, err));
	state->env = env;
	state->bytes = bytes;
	state->len = len;
	state->pos = mren_audio_skip_id3(bytes, len);
	state->info = *info;
	status = start(state, err);
	if (status == MREN_OK)
		*decoder = (MrenAudioDecoder){state, next_block, close_flac};
	else
		close_flac(state);
	return status;
}

/* The block's fields: RFC 9639, section 8.2. */
MrenStatus
mren_flac_info(const uint8_t *bytes, size_t len, MrenAudioInfo *info, MrenError *err)
{
	size_t start_at = mren_audio_skip_id3(bytes, len);
	const uint8_t *p = bytes + start_at;

	if (len - start_at < STREAMINFO_END)
		return mren_fail(err, MREN_EFORMAT, "FLAC recording is truncated after %zu bytes", len);
	if ((p[4] & 0x7F) != 0 || p[5] != 0 || p[6] != 0 || p[7] != 34)
		return mren_fail(err, MREN_EFORMAT, "FLAC recording does not begin with its properties");
	p += 8;
	info->format = MREN_AUDIO_FLAC;
	info->rate = (uint32_t) p[10] << 12 | (uint32_t) p[11] << 4 | p[12] >> 4;
	info->channels = (p[12] >> 1 & 7) + 1u;
	info->n_frames = (uint64_t) (p[13] & 15) << 32 | (uint64_t) p[14] << 24 |
					 (uint64_t) p[15] << 16 | (uint64_t) p[16] << 8 | p[17];
	if (info->rate == 0 || info->rate > MREN_AUDIO_HIGHEST_RATE)
		return mren_fail(err, MREN_EFORMAT, "FLAC recording has a sample rate of %u Hz",
						 info->rate);
	return MREN_OK;
}
