/*
 * test_audio_signal.c
 *	  Resampling against sines, spectra against sums, windows, log-mel statistics.
 */
#include "audio_samples.h"

/* ---- resampling ---- */

/* Decibels by which a sine resampled differs from the sine sampled at the new rate. */
static double
resampled_sine(double frequency, uint32_t from, uint32_t to)
{
	uint32_t n = from * 2;
	Bytes bytes = wav_sine(frequency, from, n);
	Samples samples = read_good(&bytes, to);
	float *want = malloc(samples.n * sizeof(float));
	size_t edge = samples.n / 4;
	double decibel;

	assert_int_equal(samples.n, ((uint64_t) n * to + from - 1) / from);
	for (size_t i = 0; i < samples.n; i++)
		want[i] = (float) (0.5 * sin(2 * M_PI * frequency * (double) i / to));
	decibel = signal_to_noise(want + edge, samples.data + edge, samples.n - 2 * edge);
	free(want);
	free(samples.data);
	free(bytes.data);
	return decibel;
}

/* Rates in use, and some whose phases are too many for a table. */
static const uint32_t rates[] = {8000,	11025, 22050, 32000, 44100, 48000,
								 88200, 96000, 15999, 44101, 7919,	192000};

static void
what_passes_is_not_changed(void **state)
{
	static const double shares[] = {0.01, 0.2, 0.5, 0.8, 0.9, 0.95};

	(void) state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
	{
		double nyquist = (rates[i] < 16000 ? rates[i] : 16000) / 2.0;

		for (size_t k = 0; k < sizeof(shares) / sizeof(shares[0]); k++)
		{
			double decibel = resampled_sine(shares[k] * nyquist, rates[i], 16000);

			if (!(decibel >= 80))
				fail_msg("%g Hz from %u Hz: %.1f dB", shares[k] * nyquist, rates[i], decibel);
		}
	}
	assert_true(resampled_sine(3000, 16000, 48000) >= 80);
	assert_true(resampled_sine(3000, 16000, 16000) >= 120);
}

/* A sweep from 0 to 7.5 kHz, whose phase is pi f t / T: the same at every rate. */
static void
a_sweep_is_the_same_at_every_rate(void **state)
{
	static const uint32_t from[] = {22050, 44100, 48000, 96000, 44101, 15999};

	(void) state;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
	{
		WavForm form = {3, 1, from[i], 32, false};
		Bytes bytes = {0};
		Samples samples;
		float want[32000];
		double decibel;

		wav_begin(&bytes, &form, 8 * from[i]);
		for (uint32_t k = 0; k < 2 * from[i]; k++)
		{
			double t = (double) k / from[i];
			float value = (float) (0.5 * sin(M_PI * 7500 / 2 * t * t));
			uint32_t bits;

			memcpy(&bits, &value, sizeof(bits));
			bytes_add_le(&bytes, bits, 4);
		}
		samples = read_good(&bytes, 16000);
		assert_int_equal(samples.n, 32000);
		for (int k = 0; k < 32000; k++)
			want[k] = (float) (0.5 * sin(M_PI * 7500 / 2 * (k / 16000.0) * (k / 16000.0)));
		decibel = signal_to_noise(want + 400, samples.data + 400, 32000 - 800);
		if (!(decibel >= 80))
			fail_msg("from %u Hz: %.1f dB", from[i], decibel);
		free(samples.data);
		free(bytes.data);
	}
}

/* A sine above half the new rate must not come back as another. */
static void
what_does_not_pass_is_gone(void **state)
{
	static const double above[] = {1.0, 1.1, 1.5, 2.2};

	(void) state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
	{
		for (size_t k = 0; k < sizeof(above) / sizeof(above[0]); k++)
		{
			double frequency = above[k] * 8000 + 3;
			Bytes bytes;
			Samples samples;
			double power = 0;
			size_t edge;

			if (frequency >= rates[i] / 2.0)
				continue;
			bytes = wav_sine(frequency, rates[i], rates[i]);
			samples = read_good(&bytes, 16000);
			edge = samples.n / 4;
			for (size_t j = edge; j < samples.n - edge; j++)
				power += (double) samples.data[j] * (double) samples.data[j];
			power /= (double) (samples.n - 2 * edge);
			/* the sine's own power is 1/8 */
			if (!(10 * log10(power / 0.125 + 1e-30) <= -80))
				fail_msg("%g Hz from %u Hz is left at %.1f dB", frequency, rates[i],
						 10 * log10(power / 0.125));
			free(samples.data);
			free(bytes.data);
		}
	}
}

static void
pieces_do_not_matter(void **state)
{
	static const size_t pieces[] = {1, 7, 160, 1000, 100000};
	static const uint32_t from[] = {16000, 44100, 44101};

	(void) state;
	for (size_t k = 0; k < 3; k++)
	{
		WavForm form = {1, 1, from[k], 16, false};
		Bytes bytes = wav_noise(&form, 9000);
		Samples want = read_good(&bytes, 16000);

		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		{
			TestEnv test;
			MrenError err;
			Samples got;

			test_env_init(&test);
			assert_int_equal(read_all(&test.env, bytes.data, bytes.len, &wide_limits, 16000,
									  pieces[i], &got, &err),
							 MREN_OK);
			assert_int_equal(got.n, want.n);
			assert_memory_equal(got.data, want.data, want.n * sizeof(float));
			free(got.data);
		}
		free(want.data);
		free(bytes.data);
	}
}

static void
a_part_can_be_muted(void **state)
{
	WavForm form = {1, 1, 16000, 16, false};
	Bytes bytes = wav_noise(&form, 1000);
	TestEnv test;
	MrenError err;
	MrenAudioStream *stream;
	float got[1000];
	size_t n;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_audio_stream_open(&test.env, bytes.data, bytes.len, &wide_limits, 16000,
											&stream, &err),
					 MREN_OK);
	mren_audio_stream_mute(stream, 150, 620);
	for (size_t at = 0; at < 1000; at += 100)
		assert_int_equal(mren_audio_stream_read(stream, got + at, 100, &n, &err), MREN_OK);
	/* 160 samples on each side are quieter the nearer they are: half of the way, half as loud. */
	for (uint32_t i = 0; i < 1000; i++)
	{
		float sample = (float) noise16(i) / 32768;
		uint32_t distance = i < 150 ? 150 - i : i < 620 ? 0 : i - 619;
		double gain = distance > 160 ? 1 : pow(sin(M_PI_2 * distance / 161), 2);

		assert_float_equal(got[i], sample * gain, 1e-6);
		if (gain == 0 || gain == 1)
			assert_true(got[i] == sample * gain);
	}
	mren_audio_stream_close(stream);
	assert_int_equal(test.n_live, 0);
	free(bytes.data);
}

static void
one_sample_is_enough(void **state)
{
	WavForm form = {1, 1, 44100, 16, false};
	Bytes bytes = wav_noise(&form, 1);
	Samples samples = read_good(&bytes, 16000);

	(void) state;
	assert_int_equal(samples.n, 1);
	free(samples.data);
	free(bytes.data);
	form.rate = 1;
	bytes = wav_noise(&form, 2);
	samples = read_good(&bytes, 16000);
	assert_int_equal(samples.n, 32000);
	free(samples.data);
	free(bytes.data);
}

/* ---- windows ---- */

/* Starts of the windows over n samples; each holds what the recording holds there. */
static size_t
window_starts(uint32_t n, size_t size, size_t hop, uint64_t *starts, size_t capacity)
{
	WavForm form = {1, 1, 16000, 16, false};
	Bytes bytes = wav_noise(&form, n);
	TestEnv test;
	MrenError err;
	MrenAudioStream *stream;
	MrenAudioWindows *windows;
	const float *window;
	size_t n_windows = 0;

	test_env_init(&test);
	assert_int_equal(mren_audio_stream_open(&test.env, bytes.data, bytes.len, &wide_limits, 16000,
											&stream, &err),
					 MREN_OK);
	assert_int_equal(mren_audio_windows_open(&test.env, stream, size, hop, &windows, &err),
					 MREN_OK);
	for (;;)
	{
		uint64_t start;

		assert_int_equal(mren_audio_windows_next(windows, &window, &start, &err), MREN_OK);
		if (window == NULL)
			break;
		assert_true(n_windows < capacity);
		starts[n_windows++] = start;
		for (size_t i = 0; i < size; i++)
			assert_true(window[i] ==
						(start + i < n ? (float) noise16((uint32_t) (start + i)) / 32768 : 0));
	}
	assert_int_equal(mren_audio_windows_length(windows), n);
	mren_audio_windows_close(windows);
	mren_audio_stream_close(stream);
	assert_int_equal(test.n_live, 0);
	free(bytes.data);
	return n_windows;
}

static void
windows_cover_a_recording(void **state)
{
	uint64_t starts[8];
	TestEnv test;
	MrenAudioWindows *windows;
	MrenError err;

	(void) state;
	assert_int_equal(window_starts(1, 100, 50, starts, 8), 1);
	assert_int_equal(window_starts(99, 100, 50, starts, 8), 1);
	assert_int_equal(window_starts(100, 100, 50, starts, 8), 1);
	assert_int_equal(starts[0], 0);
	/* the last is flush with the end */
	assert_int_equal(window_starts(101, 100, 50, starts, 8), 2);
	assert_int_equal(starts[1], 1);
	assert_int_equal(window_starts(150, 100, 50, starts, 8), 2);
	assert_int_equal(starts[1], 50);
	assert_int_equal(window_starts(260, 100, 50, starts, 8), 5);
	assert_int_equal(starts[3], 150);
	assert_int_equal(starts[4], 160);
	assert_int_equal(window_starts(260, 100, 100, starts, 8), 3);
	assert_int_equal(starts[2], 160);
	assert_int_equal(window_starts(5, 1, 1, starts, 8), 5);
	test_env_init(&test);
	assert_int_equal(mren_audio_windows_open(&test.env, NULL, 100, 101, &windows, &err),
					 MREN_EPARAM);
	assert_int_equal(mren_audio_windows_open(&test.env, NULL, 100, 0, &windows, &err), MREN_EPARAM);
}

/* ---- spectra ---- */

static void
spectrum_equals_the_sum(void **state)
{
	MrenFft fft;
	double x[MREN_FFT_SIZE];
	double got[MREN_FFT_BINS];

	(void) state;
	mren_fft_init(&fft);
	for (uint32_t i = 0; i < MREN_FFT_SIZE; i++)
		x[i] = noise16(i) / 32768.0;
	mren_fft_magnitudes(&fft, x, got);
	for (int k = 0; k < MREN_FFT_BINS; k++)
	{
		double re = 0;
		double im = 0;

		for (int i = 0; i < MREN_FFT_SIZE; i++)
		{
			re += x[i] * cos(2 * M_PI * k * i / MREN_FFT_SIZE);
			im += x[i] * sin(2 * M_PI * k * i / MREN_FFT_SIZE);
		}
		if (fabs(got[k] - hypot(re, im)) > 1e-9)
			fail_msg("bin %d is %g instead of %g", k, got[k], hypot(re, im));
	}
}

static void
mel_bands_are_triangles(void **state)
{
	MrenMel mel;
	double flat[MREN_FFT_BINS];
	double bands[MREN_MEL_BANDS];

	(void) state;
	mren_mel_init(&mel);
	for (int i = 0; i < MREN_FFT_BINS; i++)
		flat[i] = 1;
	mren_mel_bands(&mel, flat, bands);
	for (int b = 0; b < MREN_MEL_BANDS; b++)
	{
		assert_true(mel.n[b] > 0);
		/* 125 Hz and 7500 Hz are bins 4 and 240 */
		assert_true(mel.first[b] >= 4 && mel.first[b] + mel.n[b] <= 241);
		assert_true(b == 0 || mel.first[b] >= mel.first[b - 1]);
		assert_true(bands[b] > 0);
	}
	/* between two peaks, the falling and the rising side add up to 1 */
	for (size_t bin = 6; bin < 230; bin++)
	{
		double sum = 0;

		for (int b = 0; b < MREN_MEL_BANDS; b++)
		{
			if (bin >= mel.first[b] && bin < mel.first[b] + mel.n[b])
				sum += mel.weights[b][bin - mel.first[b]];
		}
		if (fabs(sum - 1) > 1e-9)
			fail_msg("weights of bin %zu add up to %g", bin, sum);
	}
}

/* ---- log-mel statistics ---- */

static void
logmel_of(const float *samples, size_t n, size_t piece, float *out)
{
	TestEnv test;
	MrenLogmel *logmel;
	MrenError err;

	test_env_init(&test);
	assert_int_equal(mren_logmel_create(&test.env, &logmel, &err), MREN_OK);
	for (size_t i = 0; i < n; i += piece)
		assert_int_equal(mren_logmel_add(logmel, samples + i, n - i < piece ? n - i : piece, &err),
						 MREN_OK);
	assert_int_equal(mren_logmel_finish(logmel, out, &err), MREN_OK);
	mren_logmel_free(logmel);
	assert_int_equal(test.n_live, 0);
}

static void
silence_is_the_floor(void **state)
{
	float silence[1000] = {0};
	float out[MREN_LOGMEL_SIZE];

	(void) state;
	for (size_t n = 0; n <= 1000; n += 250)
	{
		logmel_of(silence, n, 100, out);
		for (int b = 0; b < MREN_MEL_BANDS; b++)
		{
			assert_true(out[b] == (float) log(0.001));
			assert_true(out[MREN_MEL_BANDS + b] == 0);
			assert_true(out[2 * MREN_MEL_BANDS + b] == (float) log(0.001));
			assert_true(out[3 * MREN_MEL_BANDS + b] == 0);
		}
	}
}

/* Statistics over frames that are computed here from their definition. */
static void
statistics_are_as_defined(void **state)
{
	enum
	{
		n = 400 + 9 * 160 + 50,
		n_frames = 10
	};
	float samples[n];
	float got[MREN_LOGMEL_SIZE];
	float pieces[MREN_LOGMEL_SIZE];
	double values[n_frames][MREN_MEL_BANDS];
	static MrenFft fft;
	static MrenMel mel;

	(void) state;
	for (uint32_t i = 0; i < n; i++)
		samples[i] = (float) noise16(i) / 32768 * (float) i / n;
	mren_fft_init(&fft);
	mren_mel_init(&mel);
	for (int f = 0; f < n_frames; f++)
	{
		double x[MREN_FFT_SIZE] = {0};
		double magnitudes[MREN_FFT_BINS];

		for (int i = 0; i < 400; i++)
			x[i] = (double) samples[f * 160 + i] * (0.5 - 0.5 * cos(2 * M_PI * i / 400));
		mren_fft_magnitudes(&fft, x, magnitudes);
		mren_mel_bands(&mel, magnitudes, values[f]);
	}
	logmel_of(samples, n, n, got);
	logmel_of(samples, n, 13, pieces);
	assert_memory_equal(got, pieces, sizeof(got));
	for (int b = 0; b < MREN_MEL_BANDS; b++)
	{
		double sum = 0, squares = 0, largest = -INFINITY, steps = 0, step_squares = 0;

		for (int f = 0; f < n_frames; f++)
		{
			double value = log(values[f][b] + 0.001);
			double step = f > 0 ? value - log(values[f - 1][b] + 0.001) : 0;

			sum += value;
			squares += value * value;
			largest = value > largest ? value : largest;
			steps += step;
			step_squares += step * step;
		}
		sum /= n_frames;
		steps /= n_frames - 1;
		assert_float_equal(got[b], sum, 1e-5);
		assert_float_equal(got[64 + b], sqrt(squares / n_frames - sum * sum), 1e-5);
		assert_float_equal(got[128 + b], largest, 1e-5);
		assert_float_equal(got[192 + b], sqrt(step_squares / (n_frames - 1) - steps * steps), 1e-5);
	}
}

/* The loudest samples that a float can hold stay numbers. */
static void
loud_recordings_have_numbers(void **state)
{
	float samples[1000];
	float out[MREN_LOGMEL_SIZE];

	(void) state;
	for (uint32_t i = 0; i < 1000; i++)
		samples[i] = (float) noise16(i) * 1e34f;
	logmel_of(samples, 1000, 1000, out);
	for (int i = 0; i < MREN_LOGMEL_SIZE; i++)
		assert_true(isfinite(out[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes_is_not_changed),
		cmocka_unit_test(a_sweep_is_the_same_at_every_rate),
		cmocka_unit_test(what_does_not_pass_is_gone),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(a_part_can_be_muted),
		cmocka_unit_test(one_sample_is_enough),
		cmocka_unit_test(windows_cover_a_recording),
		cmocka_unit_test(spectrum_equals_the_sum),
		cmocka_unit_test(mel_bands_are_triangles),
		cmocka_unit_test(silence_is_the_floor),
		cmocka_unit_test(statistics_are_as_defined),
		cmocka_unit_test(loud_recordings_have_numbers),
	};

	return cmocka_run_group_tests_name("audio signal", tests, NULL, NULL);
}
