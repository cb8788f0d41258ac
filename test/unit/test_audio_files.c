/*
 * test_audio_files.c
 *	  Decoders against the shared collection of recordings: formats, damage, lies, length.
 *	  Each file's line in formats.jsonl says what a decoder should make of it.  Skipped where
 *	  the shared data are absent.
 */
#include "audio_samples.h"

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

/*
 * What a file should be close to.  The second channel of stereo files is the first reversed, at
 * 44100 Hz, so their mean is known from the uncompressed one alone.
 */
static Samples
close_reference(const char *name)
{
	Bytes bytes;
	Samples samples;

	if (strncmp(name, "stereo", 6) != 0)
		return stored_samples("reference.wav", 44);
	bytes = read_file("stereo44k.wav");
	samples = read_good(&bytes, 16000);
	free(bytes.data);
	return samples;
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
 * The first channel was made from the reference, so resampled it is close to that again: not
 * closer than 52 dB, since what made it has damped frequencies above 7500 Hz.
 */
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
	assert_true(decibel >= 45);
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
		cmocka_unit_test(stereo_is_the_mean_of_resampled_channels),
		cmocka_unit_test(an_hour_takes_no_memory),
	};

	return cmocka_run_group_tests_name("audio files", tests, NULL, NULL);
}
