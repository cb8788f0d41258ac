/*
 * wav_samples.c
 *	  PCM, float, A-law and mu-law samples as floats.
 */
#include "audio/wav_samples.h"

#include <string.h>

#define BLOCK_FRAMES 2048

typedef struct WavState
{
	const MrenEnv *env;
	MrenWav wav;
	const uint8_t *at;
	uint64_t n_left;  /* frames */
	float table[256]; /* of samples of one byte */
	float block[BLOCK_FRAMES];
} WavState;

/* G.711, table 1a: sign, three bits of exponent, four of mantissa; even bits inverted. */
static int
alaw_value(uint8_t code)
{
	int bits = code ^ 0x55;
	int exponent = bits >> 4 & 7;
	int mantissa = (bits & 15) << 4;
	int value = exponent == 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);

	return bits & 0x80 ? value : -value;
}

/* G.711, table 2a: as A-law, all bits inverted, with a bias of 33 (here times 4). */
static int
mulaw_value(uint8_t code)
{
	int bits = ~code & 0xFF;
	int exponent = bits >> 4 & 7;
	int value = (((bits & 15) << 3) + 0x84) << exponent;

	value -= 0x84;
	return bits & 0x80 ? -value : value;
}

/* PCM of 8 bits is unsigned, all wider PCM signed. */
static void
fill_table(WavState *state)
{
	for (int code = 0; code < 256; code++)
	{
		if (state->wav.encoding == MREN_WAV_ALAW)
			state->table[code] = (float) alaw_value((uint8_t) code) / 32768;
		else if (state->wav.encoding == MREN_WAV_MULAW)
			state->table[code] = (float) mulaw_value((uint8_t) code) / 32768;
		else
			state->table[code] = (float) (code - 128) / 128;
	}
}

/* A sample of n bytes, moved to the upper bits of 32. */
static int32_t
pcm_value(const uint8_t *p, size_t n)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++)
		bits |= (uint32_t) p[i] << (8 * (4 - n + i));
	return (int32_t) bits;
}

static double
float_value(const uint8_t *p, size_t n)
{
	uint64_t bits = 0;
	uint32_t low;
	float single;
	double value;

	for (size_t i = 0; i < n; i++)
		bits |= (uint64_t) p[i] << (8 * i);
	if (n == sizeof(value))
	{
		memcpy(&value, &bits, sizeof(value));
		return value;
	}
	low = (uint32_t) bits;
	memcpy(&single, &low, sizeof(single));
	return (double) single;
}

static double
sample_value(const WavState *state, const uint8_t *p)
{
	size_t n = state->wav.sample_bytes;

	if (n == 1)
		return (double) state->table[p[0]];
	if (state->wav.encoding == MREN_WAV_FLOAT)
		return float_value(p, n);
	return pcm_value(p, n) / 2147483648.0;
}

static MrenStatus
next_block(void *arg, const float **samples, size_t *n, MrenError *err)
{
	WavState *state = arg;
	uint32_t channels = state->wav.info.channels;
	size_t n_block = BLOCK_FRAMES / channels;

	/* A block is a fixed number of samples, so that many channels do not make it long. */
	n_block = n_block > 0 ? n_block : 1;
	MREN_TRY(mren_check_interrupts(state->env, err));
	if (n_block > state->n_left)
		n_block = (size_t) state->n_left;
	for (size_t i = 0; i < n_block; i++)
	{
		double sum = 0;

		for (uint32_t c = 0; c < channels; c++, state->at += state->wav.sample_bytes)
			sum += sample_value(state, state->at);
		state->block[i] = (float) (sum / channels);
	}
	state->n_left -= n_block;
	*samples = state->block;
	*n = n_block;
	return MREN_OK;
}

static void
close_wav(void *arg)
{
	WavState *state = arg;

	mren_release(state->env, state);
}

MrenStatus
mren_wav_open(const MrenEnv *env, const MrenWav *wav, MrenAudioDecoder *decoder, MrenError *err)
{
	WavState *state;

	MREN_TRY(mren_allocate(env, 1, sizeof(*state), &state, err));
	state->env = env;
	state->wav = *wav;
	state->at = wav->data;
	state->n_left = wav->info.n_frames;
	fill_table(state);
	*decoder = (MrenAudioDecoder){state, next_block, close_wav};
	return MREN_OK;
}
