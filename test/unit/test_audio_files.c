/*
 * test_audio_files.c
 *	  Decoders against the shared collection of recordings: formats, damage, lies, length.
 *	  Each file's line in formats.jsonl says what a decoder should make of it.  Skipped where
 *	  the shared data are absent.
 */
#include "audio_samples.h"

#include <complex.h>

#include <jansson.h>

#define FOLDER "multimodal/wnsound/formats"
/* By how many samples an MP3 decoder may be late. */
#define MAX_LAG 1500

static Bytes
read_file(const char *name)
{
	char path[1024];
	Bytes bytes = {0};

	if (test_shared_data() == NULL)
	{
		print_message("MREN_TEST_DATA is not set: skipped\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/" FOLDER "/%s", test_shared_data(), name);
	bytes.data = test_read_file(path, &bytes.len);
	if (bytes.data == NULL)
	{
		print_message("%s is absent: skipped\n", path);
		skip();
	}
	return bytes;
}

/* The samples of an uncompressed file of 16 bits, as they are stored at an offset. */
static Samples
stored_samples(const char *name, size_t offset)
{
	Bytes bytes = read_file(name);
	Samples samples = {0};

	samples.n = (bytes.len - offset) / 2;
	samples.data = malloc(samples.n * sizeof(float));
	for (size_t i = 0; i < samples.n; i++)
	{
		const uint8_t *p = bytes.data + offset + 2 * i;

		samples.data[i] = (float) (int16_t) (p[0] | p[1] << 8) / 32768;
	}
	free(bytes.data);
	return samples;
}

/* Two forms of the data have a hash in the list; the samples themselves are in these files. */
static Samples
samples_of_hash(const char *hash)
{
	if (strncmp(hash, "ff12cd4f", 8) == 0)
		return stored_samples("reference.wav", 44);
	if (strncmp(hash, "a6c68c7b", 8) == 0)
		return stored_samples("streamed.wav", 44);
	fail_msg("no samples are known for the hash %s", hash);
	return (Samples){0};
}

static void
assert_exact(const char *name, const Bytes *bytes, const char *hash)
{
	Samples want = samples_of_hash(hash);
	Samples got = read_good(bytes, 16000);

	if (got.n != want.n || memcmp(got.data, want.data, want.n * sizeof(float)) != 0)
		fail_msg("%s does not hold the samples that it should", name);
	free(want.data);
	free(got.data);
}

/* ---- the reference for stereo files: an ideal resampler ---- */

static size_t
smallest_factor(size_t n)
{
	for (size_t p = 2; p * p <= n; p++)
	{
		if (n % p == 0)
			return p;
	}
	return n;
}

/* The discrete Fourier transform of in[0], in[step], ...: out (n); sign -1 forward, 1 back. */
static void
transform(const double complex *in, size_t step, size_t n, int sign, double complex *out)
{
	size_t p = smallest_factor(n);
	size_t m = n / p;
	double complex *parts;

	if (n == 1)
	{
		out[0] = in[0];
		return;
	}
	parts = malloc(n * sizeof(*parts));
	for (size_t r = 0; r < p; r++)
		transform(in + r * step, step * p, m, sign, parts + r * m);
	for (size_t k = 0; k < n; k++)
	{
		out[k] = 0;
		for (size_t r = 0; r < p; r++)
			out[k] += parts[r * m + k % m] *
					  cexp(sign * 2 * M_PI * I * (double) (r * k % n) / (double) n);
	}
	free(parts);
}

/*
 * The mean of the channels of stereo44k.wav at 16 kHz: its spectrum without what is above 8 kHz.
 * The file is one second, so both spectra have a bin a hertz.
 */
static Samples
ideal_mean(void)
{
	enum
	{
		from = 44100,
		to = 16000
	};
	Samples stereo = stored_samples("stereo44k.wav", 44);
	double complex *wave = malloc(from * sizeof(*wave));
	double complex *spectrum = malloc(from * sizeof(*wave));
	Samples samples = {malloc(to * sizeof(float)), to};

	assert_int_equal(stereo.n, 2 * from);
	for (size_t i = 0; i < from; i++)
		wave[i] = ((double) stereo.data[2 * i] + (double) stereo.data[2 * i + 1]) / 2;
	transform(wave, 1, from, -1, spectrum);
	spectrum[to / 2] = creal(spectrum[to / 2]);
	for (size_t k = 1; k < to / 2; k++)
		spectrum[to - k] = conj(spectrum[k]);
	transform(spectrum, 1, to, 1, wave);
	for (size_t i = 0; i < to; i++)
		samples.data[i] = (float) (creal(wave[i]) / from);
	free(stereo.data);
	free(wave);
	free(spectrum);
	return samples;
}

/* What a file should be close to: stereo files hold the reference and, reversed, again. */
static Samples
close_reference(const char *name)
{
	return strncmp(name, "stereo", 6) == 0 ? ideal_mean() : stored_samples("reference.wav", 44);
}

static void
assert_close(const char *name, const Bytes *bytes, double decibel)
{
	Samples want = close_reference(name);
	Samples got = read_good(bytes, 16000);
	double best = -1000;

	for (size_t lag = 0; lag < MAX_LAG && lag + 1000 < got.n; lag++)
	{
		size_t n = got.n - lag < want.n ? got.n - lag : want.n;
		double now = signal_to_noise(want.data, got.data + lag, n);

		best = now > best ? now : best;
		if (strstr(name, ".mp3") == NULL)
			break;
	}
	print_message("%s: %.1f dB\n", name, best);
	if (!(best >= decibel))
		fail_msg("%s: %.1f dB instead of %.1f", name, best, decibel);
	free(want.data);
	free(got.data);
}

/* One channel of stereo44k.wav as a file of its own. */
static Samples
one_channel(const Bytes *stereo, size_t channel)
{
	WavForm form = {1, 1, 44100, 16, false};
	Bytes bytes = {0};
	size_t n = (stereo->len - 44) / 4;
	Samples samples;

	wav_begin(&bytes, &form, (uint32_t) (2 * n));
	for (size_t i = 0; i < n; i++)
		bytes_add(&bytes, stereo->data + 44 + 4 * i + 2 * channel, 2);
	samples = read_good(&bytes, 16000);
	free(bytes.data);
	return samples;
}

/*
 * Against an ideal resampler of the same file, away from the edges (an ideal one takes the file
 * for periodic).  The first channel was made from the reference, but by a filter that damped it
 * above 7400 Hz: even the ideal resampler is only 52.1 dB close to that.
 */
static void
stereo_is_resampled_as_by_an_ideal_filter(void **state)
{
	Bytes stereo = read_file("stereo44k.wav");
	Samples got = read_good(&stereo, 16000);
	Samples want = ideal_mean();
	size_t edge = 400;
	double decibel;

	(void) state;
	assert_int_equal(got.n, want.n);
	decibel = signal_to_noise(want.data + edge, got.data + edge, want.n - 2 * edge);
	print_message("stereo44k.wav: %.1f dB\n", decibel);
	assert_true(decibel >= 80);
	free(stereo.data);
	free(got.data);
	free(want.data);
}

static void
stereo_is_the_mean_of_resampled_channels(void **state)
{
	Bytes stereo = read_file("stereo44k.wav");
	Samples both = read_good(&stereo, 16000);
	Samples first = one_channel(&stereo, 0);
	Samples second = one_channel(&stereo, 1);
	Samples want = stored_samples("reference.wav", 44);
	double decibel;

	(void) state;
	assert_true(first.n == want.n && second.n == want.n && both.n == want.n);
	decibel = signal_to_noise(want.data, first.data, want.n);
	print_message("one channel: %.1f dB\n", decibel);
	assert_true(decibel >= 52);
	for (size_t i = 0; i < want.n; i++)
		first.data[i] = (first.data[i] + second.data[i]) / 2;
	assert_true(signal_to_noise(first.data, both.data, want.n) >= 100);
	free(stereo.data);
	free(both.data);
	free(first.data);
	free(second.data);
	free(want.data);
}

static void
check_info(json_t *line, const Bytes *bytes)
{
	TestEnv test;
	MrenAudioInfo info;
	MrenError err;

	if (json_object_get(line, "rate") == NULL)
		return;
	test_env_init(&test);
	if (mren_audio_info(&test.env, bytes->data, bytes->len, &info, &err) != MREN_OK)
		fail_msg("%s", err.message);
	assert_int_equal(info.rate, json_integer_value(json_object_get(line, "rate")));
	assert_int_equal(info.channels, json_integer_value(json_object_get(line, "channels")));
	if (json_object_get(line, "seconds") != NULL)
		assert_int_equal(info.n_frames / info.rate,
						 json_integer_value(json_object_get(line, "seconds")));
}

static void
check_line(json_t *line)
{
	const char *name = json_string_value(json_object_get(line, "file"));
	const char *expect = json_string_value(json_object_get(line, "expect"));
	Bytes bytes = read_file(name);
	MrenError err;
	MrenStatus status;

	assert_int_equal(bytes.len, json_integer_value(json_object_get(line, "bytes")));
	check_info(line, &bytes);
	if (strcmp(expect, "pcm") == 0)
		assert_exact(name, &bytes, json_string_value(json_object_get(line, "pcm_sha256")));
	else if (strcmp(expect, "close") == 0)
		assert_close(name, &bytes, json_number_value(json_object_get(line, "decibel")));
	else
	{
		status = read_bad(&bytes, &wide_limits, &err);
		if (strcmp(expect, "refuse") == 0 && status != MREN_EUNSUPPORTED)
			fail_msg("%s is not refused: status %d", name, status);
		if (strcmp(expect, "damaged") == 0 && status != MREN_EFORMAT &&
			!(strcmp(name, "nan.wav") == 0 && status == MREN_ENUMERIC))
			fail_msg("%s is not found damaged: status %d", name, status);
		if (strcmp(expect, "limit") == 0 && status != MREN_ELIMIT)
			fail_msg("%s is not too long: status %d", name, status);
		if (status != MREN_OK)
			print_message("%s: %s\n", name, err.message);
	}
	free(bytes.data);
}

static void
every_file_is_as_the_list_says(void **state)
{
	Bytes list = read_file("formats.jsonl");
	const char *at = (const char *) list.data;
	const char *end = at + list.len;
	size_t n = 0;

	(void) state;
	while (at < end)
	{
		const char *newline = memchr(at, '\n', (size_t) (end - at));
		size_t len = (size_t) ((newline != NULL ? newline : end) - at);
		json_t *line = json_loadb(at, len, 0, NULL);

		assert_non_null(line);
		check_line(line);
		json_decref(line);
		at += len + 1;
		n++;
	}
	assert_int_equal(n, 56);
	free(list.data);
}

/* An hour of silence is stopped at the limit, with the memory of one block. */
static void
an_hour_takes_no_memory(void **state)
{
	Bytes bytes = read_file("hour.flac");
	TestEnv test;
	MrenAudioStream *stream;
	MrenError err;
	MrenStatus status;
	float second[16000];
	size_t n;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_audio_stream_open(&test.env, bytes.data, bytes.len, &wide_limits, 16000,
											&stream, &err),
					 MREN_OK);
	do
		status = mren_audio_stream_read(stream, second, 16000, &n, &err);
	while (status == MREN_OK && n == 16000);
	assert_int_equal(status, MREN_ELIMIT);
	mren_audio_stream_close(stream);
	assert_true(test.peak_bytes < 1 << 20);
	assert_int_equal(test.n_live, 0);
	free(bytes.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_is_as_the_list_says),
		cmocka_unit_test(stereo_is_resampled_as_by_an_ideal_filter),
		cmocka_unit_test(stereo_is_the_mean_of_resampled_channels),
		cmocka_unit_test(an_hour_takes_no_memory),
	};

	return cmocka_run_group_tests_name("audio files", tests, NULL, NULL);
}
