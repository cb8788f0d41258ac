/*
 * audio_samples.h
 *	  Recordings that the audio tests write themselves: WAV files by hand, FLAC by libFLAC's
 *	  encoder, MP3 as frames of silence.
 *
 * Functions are static and unused ones are fine: each test program takes what it needs.
 */
#ifndef AUDIO_SAMPLES_H
#define AUDIO_SAMPLES_H

#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <FLAC/stream_encoder.h>

#include "audio/audio.h"

#define MAYBE_UNUSED __attribute__((unused))

/* Limits that no test recording meets unless it is meant to. */
static const MrenAudioLimits wide_limits MAYBE_UNUSED = {600, 64, 192000};

typedef struct Bytes
{
	uint8_t *data; /* malloc'd */
	size_t len;
	size_t capacity;
} Bytes;

static MAYBE_UNUSED void
bytes_add(Bytes *bytes, const void *data, size_t n)
{
	if (bytes->data == NULL || bytes->len + n > bytes->capacity)
	{
		bytes->capacity = 2 * (bytes->len + n) + 16;
		bytes->data = realloc(bytes->data, bytes->capacity);
		assert_non_null(bytes->data);
	}
	if (n > 0)
		memcpy(bytes->data + bytes->len, data, n);
	bytes->len += n;
}

/* n bytes of a number, the low ones first. */
static MAYBE_UNUSED void
bytes_add_le(Bytes *bytes, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		uint8_t byte = (uint8_t) (value >> (8 * i));

		bytes_add(bytes, &byte, 1);
	}
}

/* Sixteen bits, the same at each call: a multiplicative hash of the position. */
static MAYBE_UNUSED int16_t
noise16(uint32_t i)
{
	uint32_t h = (i + 1) * 0x9E3779B1u;

	h ^= h >> 15;
	h *= 0x2C1B3C6Du;
	return (int16_t) (h >> 16);
}

/* ---- WAV ---- */

typedef struct WavForm
{
	uint16_t tag;	   /* 1 PCM, 3 float, 6 A-law, 7 mu-law */
	uint16_t channels; /* 0: 1 */
	uint32_t rate;	   /* 0: 16000 */
	uint16_t bits;
	bool extensible;
} WavForm;

/* The header of a WAV file with data_bytes bytes of samples, which the caller adds. */
static MAYBE_UNUSED void
wav_begin(Bytes *bytes, const WavForm *form, uint32_t data_bytes)
{
	uint16_t channels = form->channels > 0 ? form->channels : 1;
	uint32_t rate = form->rate > 0 ? form->rate : 16000;
	uint16_t frame = (uint16_t) (channels * ((form->bits + 7) / 8));
	uint32_t size = form->extensible ? 40 : 16;

	bytes_add(bytes, "RIFF", 4);
	bytes_add_le(bytes, 20 + size + data_bytes, 4);
	bytes_add(bytes, "WAVEfmt ", 8);
	bytes_add_le(bytes, size, 4);
	bytes_add_le(bytes, form->extensible ? 0xFFFE : form->tag, 2);
	bytes_add_le(bytes, channels, 2);
	bytes_add_le(bytes, rate, 4);
	bytes_add_le(bytes, (uint64_t) rate * frame, 4);
	bytes_add_le(bytes, frame, 2);
	bytes_add_le(bytes, form->bits, 2);
	if (form->extensible)
	{
		bytes_add_le(bytes, 22, 2);
		bytes_add_le(bytes, form->bits, 2);
		bytes_add_le(bytes, 0, 4);
		bytes_add_le(bytes, form->tag, 2);
		bytes_add(bytes, "\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71", 14);
	}
	bytes_add(bytes, "data", 4);
	bytes_add_le(bytes, data_bytes, 4);
}

/* A sample of 16 bits in another form, exactly. */
static MAYBE_UNUSED void
wav_add_sample(Bytes *bytes, const WavForm *form, int16_t value)
{
	float single = (float) value / 32768;
	double wide = value / 32768.0;
	uint64_t bits = 0;

	if (form->tag == 3 && form->bits == 32)
	{
		uint32_t low;

		memcpy(&low, &single, sizeof(low));
		bits = low;
	}
	else if (form->tag == 3)
		memcpy(&bits, &wide, sizeof(bits));
	else
		bits = (uint64_t) ((int64_t) value * ((int64_t) 1 << (form->bits - 16)));
	bytes_add_le(bytes, bits, (form->bits + 7u) / 8);
}

/* n frames of noise; the same in every form, and in every channel. */
static MAYBE_UNUSED Bytes
wav_noise(const WavForm *form, uint32_t n)
{
	Bytes bytes = {0};
	uint32_t channels = form->channels > 0 ? form->channels : 1;

	wav_begin(&bytes, form, n * channels * ((form->bits + 7u) / 8));
	for (uint32_t i = 0; i < n; i++)
	{
		for (uint32_t c = 0; c < channels; c++)
			wav_add_sample(&bytes, form, noise16(i));
	}
	return bytes;
}

/* A sine of half the full scale, as 32-bit floats; frequency and rate in Hz. */
static MAYBE_UNUSED Bytes
wav_sine(double frequency, uint32_t rate, uint32_t n)
{
	WavForm form = {.tag = 3, .rate = rate, .bits = 32};
	Bytes bytes = {0};

	wav_begin(&bytes, &form, 4 * n);
	for (uint32_t i = 0; i < n; i++)
	{
		float value = (float) (0.5 * sin(2 * M_PI * frequency * i / rate));
		uint32_t bits;

		memcpy(&bits, &value, sizeof(bits));
		bytes_add_le(&bytes, bits, 4);
	}
	return bytes;
}

/* ---- FLAC ---- */

static MAYBE_UNUSED FLAC__StreamEncoderWriteStatus
flac_write(const FLAC__StreamEncoder *encoder, const FLAC__byte *buffer, size_t n, uint32_t samples,
		   uint32_t frame, void *arg)
{
	(void) encoder;
	(void) samples;
	(void) frame;
	bytes_add(arg, buffer, n);
	return FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
}

/*
 * n frames of noise, as wav_noise has them.  libFLAC cannot go back and write the number of
 * samples and their MD5 into the header, so neither is known.
 */
static MAYBE_UNUSED Bytes
flac_noise(uint32_t channels, uint32_t bits, uint32_t n)
{
	FLAC__StreamEncoder *encoder = FLAC__stream_encoder_new();
	Bytes bytes = {0};

	assert_non_null(encoder);
	FLAC__stream_encoder_set_channels(encoder, channels);
	FLAC__stream_encoder_set_bits_per_sample(encoder, bits);
	FLAC__stream_encoder_set_sample_rate(encoder, 16000);
	FLAC__stream_encoder_set_blocksize(encoder, 1024);
	assert_int_equal(
		FLAC__stream_encoder_init_stream(encoder, flac_write, NULL, NULL, NULL, &bytes),
		FLAC__STREAM_ENCODER_INIT_STATUS_OK);
	for (uint32_t i = 0; i < n; i++)
	{
		FLAC__int32 frame[8];

		for (uint32_t c = 0; c < channels; c++)
			frame[c] = noise16(i) * (1 << (bits - 16));
		assert_true(FLAC__stream_encoder_process_interleaved(encoder, frame, 1));
	}
	assert_true(FLAC__stream_encoder_finish(encoder));
	FLAC__stream_encoder_delete(encoder);
	return bytes;
}

/* ---- MP3 ---- */

/* Bytes of a frame of MPEG 1, layer III, 32 kbit/s, 44100 Hz, one channel. */
#define MP3_FRAME_BYTES 104
#define MP3_FRAME_SAMPLES 1152

/* Frames without side information are silence. */
static MAYBE_UNUSED void
mp3_add_silence(Bytes *bytes, uint32_t n)
{
	uint8_t frame[MP3_FRAME_BYTES] = {0xFF, 0xFB, 0x10, 0xC0};

	for (uint32_t i = 0; i < n; i++)
		bytes_add(bytes, frame, sizeof(frame));
}

/* A frame that says how many follow, and how many samples do not count. */
static MAYBE_UNUSED void
mp3_add_info(Bytes *bytes, uint32_t n_frames, uint32_t delay, uint32_t padding)
{
	uint8_t frame[MP3_FRAME_BYTES] = {0xFF, 0xFB, 0x10, 0xC0};
	uint8_t *p = frame + 4 + 17;

	memcpy(p, "Info\0\0\0\1", 8);
	p[10] = (uint8_t) (n_frames >> 8);
	p[11] = (uint8_t) n_frames;
	p += 12;
	memcpy(p, "LAME3.100", 9);
	p[21] = (uint8_t) (delay >> 4);
	p[22] = (uint8_t) ((delay & 15) << 4 | padding >> 8);
	p[23] = (uint8_t) padding;
	bytes_add(bytes, frame, sizeof(frame));
}

/* ---- reading ---- */

typedef struct Samples
{
	float *data; /* malloc'd */
	size_t n;
} Samples;

/* All of a recording at a rate, read in pieces of `piece` samples. */
static MAYBE_UNUSED MrenStatus
read_all(const MrenEnv *env, const uint8_t *bytes, size_t len, const MrenAudioLimits *limits,
		 uint32_t rate, size_t piece, Samples *out, MrenError *err)
{
	MrenAudioStream *stream;
	size_t n = piece;
	size_t capacity = 0;
	MrenStatus status;

	memset(out, 0, sizeof(*out));
	MREN_TRY(mren_audio_stream_open(env, bytes, len, limits, rate, &stream, err));
	do
	{
		if (capacity < out->n + piece)
		{
			capacity = 2 * (out->n + piece);
			out->data = realloc(out->data, capacity * sizeof(float));
			assert_non_null(out->data);
		}
		status = mren_audio_stream_read(stream, out->data + out->n, piece, &n, err);
		if (status == MREN_OK)
			out->n += n;
	} while (status == MREN_OK && n == piece);
	mren_audio_stream_close(stream);
	if (status != MREN_OK)
	{
		free(out->data);
		memset(out, 0, sizeof(*out));
	}
	return status;
}

/* The same where it must succeed; a copy just as long as the file, for the sanitizers. */
static MAYBE_UNUSED Samples
read_good(const Bytes *bytes, uint32_t rate)
{
	TestEnv test;
	MrenError err = {0};
	Samples samples;
	uint8_t *exact = malloc(bytes->len > 0 ? bytes->len : 1);

	test_env_init(&test);
	memcpy(exact, bytes->data, bytes->len);
	if (read_all(&test.env, exact, bytes->len, &wide_limits, rate, 4000, &samples, &err) != MREN_OK)
		fail_msg("%s %s", err.message, err.detail);
	assert_int_equal(test.n_live, 0);
	free(exact);
	return samples;
}

static MAYBE_UNUSED MrenStatus
read_bad(const Bytes *bytes, const MrenAudioLimits *limits, MrenError *err)
{
	TestEnv test;
	Samples samples;
	uint8_t *exact = malloc(bytes->len > 0 ? bytes->len : 1);
	MrenStatus status;

	test_env_init(&test);
	memset(err, 0, sizeof(*err));
	memcpy(exact, bytes->data, bytes->len);
	status = read_all(&test.env, exact, bytes->len, limits, 16000, 4000, &samples, err);
	assert_int_equal(test.n_live, 0);
	if (status == MREN_OK)
		free(samples.data);
	else
		assert_true(strlen(err->message) > 0);
	free(exact);
	return status;
}

/* Decibels of a signal over its difference from another. */
static MAYBE_UNUSED double
signal_to_noise(const float *want, const float *got, size_t n)
{
	double signal = 0;
	double noise = 1e-30;

	for (size_t i = 0; i < n; i++)
	{
		double difference = (double) got[i] - (double) want[i];

		signal += (double) want[i] * (double) want[i];
		noise += difference * difference;
	}
	return 10 * log10(signal / noise);
}

#endif
