/*
 * test_audio.c
 *	  Recordings that the tests write: decoding, mixing, errors, limits, interrupts.
 */
#include "audio_samples.h"

#define N 5000

static void
assert_is_noise(const Samples *samples, size_t n)
{
	assert_int_equal(samples->n, n);
	for (size_t i = 0; i < n; i++)
	{
		if (samples->data[i] != (float) noise16((uint32_t) i) / 32768)
			fail_msg("sample %zu is %g", i, (double) samples->data[i]);
	}
}

/* Every encoding that can hold 16 bits gives them back, whatever the number of channels. */
static void
every_form_gives_the_same_samples(void **state)
{
	static const WavForm forms[] = {
		{1, 1, 16000, 16, false}, {1, 1, 16000, 24, false}, {1, 1, 16000, 32, false},
		{3, 1, 16000, 32, false}, {3, 1, 16000, 64, false}, {1, 1, 16000, 16, true},
		{3, 2, 16000, 32, true},  {1, 2, 16000, 16, false}, {1, 3, 16000, 24, false},
		{1, 64, 16000, 16, true},
	};
	Samples samples;

	(void) state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
	{
		Bytes bytes = wav_noise(&forms[i], N);

		samples = read_good(&bytes, 16000);
		assert_is_noise(&samples, N);
		free(samples.data);
		free(bytes.data);
	}
	for (uint32_t channels = 1; channels <= 8; channels += 7)
	{
		for (uint32_t bits = 16; bits <= 24; bits += 4)
		{
			Bytes bytes = flac_noise(channels, bits, N);

			samples = read_good(&bytes, 16000);
			assert_is_noise(&samples, N);
			free(samples.data);
			free(bytes.data);
		}
	}
}

/* Samples of 20 bits are in the upper bits of three bytes. */
static void
odd_numbers_of_bits_are_in_the_upper_ones(void **state)
{
	WavForm form = {1, 1, 16000, 20, false};
	Bytes bytes = {0};
	Samples samples;

	(void) state;
	wav_begin(&bytes, &form, 6);
	bytes_add_le(&bytes, 0x400000, 3);
	bytes_add_le(&bytes, 0x800000, 3);
	samples = read_good(&bytes, 16000);
	assert_true(samples.n == 2 && samples.data[0] == 0.5f && samples.data[1] == -1);
	free(samples.data);
	free(bytes.data);
}

static void
channels_are_averaged(void **state)
{
	WavForm form = {1, 2, 16000, 16, false};
	Bytes bytes = {0};
	Samples samples;

	(void) state;
	wav_begin(&bytes, &form, 8);
	bytes_add_le(&bytes, 0x4000, 2);
	bytes_add_le(&bytes, 0x2000, 2);
	bytes_add_le(&bytes, 0x8000, 2);
	bytes_add_le(&bytes, 0x4000, 2);
	samples = read_good(&bytes, 16000);
	assert_true(samples.n == 2 && samples.data[0] == 0.375f && samples.data[1] == -0.25f);
	free(samples.data);
	free(bytes.data);
}

/* Values of ITU-T G.711's tables: the ends of the scale, and around zero. */
static void
companded_samples_are_g711(void **state)
{
	static const struct
	{
		uint16_t tag;
		uint8_t code;
		int value;
	} known[] = {
		{6, 0xD5, 8},	{6, 0x55, -8}, {6, 0xAA, 32256}, {6, 0x2A, -32256}, {6, 0xD4, 24},
		{6, 0xC5, 264}, {7, 0xFF, 0},  {7, 0x7F, 0},	 {7, 0x80, 32124},	{7, 0x00, -32124},
		{7, 0xFE, 8},	{7, 0x7E, -8}, {7, 0xEF, 132},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		WavForm form = {known[i].tag, 1, 16000, 8, false};
		Bytes bytes = {0};
		Samples samples;

		wav_begin(&bytes, &form, 1);
		bytes_add(&bytes, &known[i].code, 1);
		samples = read_good(&bytes, 16000);
		assert_int_equal(samples.n, 1);
		if (samples.data[0] != (float) known[i].value / 32768)
			fail_msg("code 0x%02X of encoding %u is %g instead of %d", known[i].code, known[i].tag,
					 (double) samples.data[0] * 32768, known[i].value);
		free(samples.data);
		free(bytes.data);
	}
}

static void
eight_bits_are_unsigned(void **state)
{
	WavForm form = {1, 1, 16000, 8, false};
	Bytes bytes = {0};
	Samples samples;

	(void) state;
	wav_begin(&bytes, &form, 4);
	bytes_add(&bytes, "\x80\x00\xFF\xC0", 4);
	samples = read_good(&bytes, 16000);
	assert_int_equal(samples.n, 4);
	assert_true(samples.data[0] == 0 && samples.data[1] == -1);
	assert_true(samples.data[2] == 127.0f / 128 && samples.data[3] == 0.5f);
	free(samples.data);
	free(bytes.data);
}

/* ---- MP3 ---- */

static void
mp3_frames_are_decoded(void **state)
{
	Bytes bytes = {0};
	Samples samples;

	(void) state;
	mp3_add_silence(&bytes, 10);
	samples = read_good(&bytes, 44100);
	assert_int_equal(samples.n, 10 * MP3_FRAME_SAMPLES);
	for (size_t i = 0; i < samples.n; i++)
		assert_true(samples.data[i] == 0);
	free(samples.data);
	free(bytes.data);
}

static void
mp3_delay_and_padding_do_not_count(void **state)
{
	Bytes bytes = {0};
	Samples samples;
	TestEnv test;
	MrenAudioInfo info;

	(void) state;
	bytes_add(&bytes, "ID3\4\0\0\0\0\0\3\0\0\0", 13);
	mp3_add_info(&bytes, 10, 576, 1000);
	mp3_add_silence(&bytes, 10);
	bytes_add(&bytes, "TAG of any length", 17);
	samples = read_good(&bytes, 44100);
	assert_int_equal(samples.n, 10 * MP3_FRAME_SAMPLES - 576 - 1000);
	test_env_init(&test);
	assert_int_equal(mren_audio_info(&test.env, bytes.data, bytes.len, &info, NULL), MREN_OK);
	assert_int_equal(info.n_frames, samples.n);
	assert_int_equal(info.format, MREN_AUDIO_MP3);
	assert_int_equal(info.channels, 1);
	assert_int_equal(info.rate, 44100);
	free(samples.data);
	free(bytes.data);
}

static void
mp3_that_is_not_whole_is_refused(void **state)
{
	Bytes bytes = {0};
	MrenError err;
	size_t whole;

	(void) state;
	mp3_add_info(&bytes, 10, 576, 1000);
	mp3_add_silence(&bytes, 10);
	whole = bytes.len;
	assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_OK);
	/* cut inside a frame, and between two: the tenth may be the describing one itself */
	bytes.len = whole - 1;
	assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_EFORMAT);
	assert_non_null(strstr(err.message, "truncated"));
	bytes.len = whole - 2 * MP3_FRAME_BYTES;
	assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_EFORMAT);
	assert_non_null(strstr(err.message, "8 of 10 frames"));
	bytes.len = whole;
	/* a frame that has lost its synchronization */
	bytes.data[5 * MP3_FRAME_BYTES] = 0;
	assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_EFORMAT);
	bytes.data[5 * MP3_FRAME_BYTES] = 0xFF;
	/* free format; another rate */
	bytes.data[5 * MP3_FRAME_BYTES + 2] = 0;
	assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_EUNSUPPORTED);
	bytes.data[5 * MP3_FRAME_BYTES + 2] = 0x14;
	assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_EFORMAT);
	assert_non_null(strstr(err.message, "changes"));
	free(bytes.data);
}

/* ---- damage ---- */

/* A FLAC file that does not say its length is checked by its frames alone. */
static void
flac_that_is_not_whole_is_refused(void **state)
{
	Bytes bytes = flac_noise(1, 16, N);
	MrenError err;
	size_t whole = bytes.len;

	(void) state;
	for (size_t len = 4; len < whole; len += 97)
	{
		bytes.len = len;
		/* a cut between two frames is a whole file of fewer samples */
		if (read_bad(&bytes, &wide_limits, &err) != MREN_EFORMAT)
			fail_msg("%zu of %zu bytes were accepted", len, whole);
	}
	bytes.len = whole - 1;
	assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_EFORMAT);
	bytes.len = whole;
	bytes_add(&bytes, "more", 4);
	assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_EFORMAT);
	bytes.len = whole;
	for (size_t at = 0; at < whole; at += 61)
	{
		uint8_t byte = bytes.data[at];

		/* a metadata block that nobody reads may say anything */
		if (at >= 42 && at < 100)
			continue;
		bytes.data[at] ^= 0x10;
		if (at >= 100 && read_bad(&bytes, &wide_limits, &err) != MREN_EFORMAT)
			fail_msg("a wrong byte %zu of %zu was accepted", at, whole);
		bytes.data[at] = byte;
	}
	free(bytes.data);
}

/* A 16-byte format chunk of the given fields, and two bytes of samples. */
static MrenStatus
try_format(uint16_t tag, uint16_t channels, uint32_t rate, uint16_t frame, uint16_t bits)
{
	Bytes bytes = {0};
	MrenError err;
	MrenStatus status;

	bytes_add(&bytes, "RIFF\0\0\0\0WAVEfmt \x10\0\0\0", 20);
	bytes_add_le(&bytes, tag, 2);
	bytes_add_le(&bytes, channels, 2);
	bytes_add_le(&bytes, rate, 4);
	bytes_add_le(&bytes, 0, 4);
	bytes_add_le(&bytes, frame, 2);
	bytes_add_le(&bytes, bits, 2);
	bytes_add(&bytes, "data\2\0\0\0\0\0", 10);
	status = read_bad(&bytes, &wide_limits, &err);
	free(bytes.data);
	return status;
}

static void
impossible_formats_are_refused(void **state)
{
	(void) state;
	assert_int_equal(try_format(1, 1, 16000, 2, 16), MREN_OK);
	assert_int_equal(try_format(1, 0, 16000, 2, 16), MREN_EFORMAT);
	assert_int_equal(try_format(1, 65535, 16000, 65534, 16), MREN_EFORMAT);
	assert_int_equal(try_format(1, 1, 0, 2, 16), MREN_EFORMAT);
	assert_int_equal(try_format(1, 1, 0x7FFFFFFF, 2, 16), MREN_EFORMAT);
	assert_int_equal(try_format(1, 1, 16000, 2, 0), MREN_EFORMAT);
	assert_int_equal(try_format(1, 1, 16000, 1, 7), MREN_EFORMAT);
	assert_int_equal(try_format(1, 1, 16000, 5, 33), MREN_EFORMAT);
	assert_int_equal(try_format(1, 1, 16000, 3, 16), MREN_EFORMAT);
	assert_int_equal(try_format(1, 1, 16000, 0, 16), MREN_EFORMAT);
	assert_int_equal(try_format(3, 1, 16000, 2, 16), MREN_EFORMAT);
	assert_int_equal(try_format(6, 1, 16000, 2, 16), MREN_EFORMAT);
	/* half a frame of samples */
	assert_int_equal(try_format(1, 1, 16000, 3, 24), MREN_EFORMAT);
	assert_int_equal(try_format(0x11, 1, 16000, 2, 4), MREN_EUNSUPPORTED);
	assert_int_equal(try_format(0x55, 1, 16000, 1, 0), MREN_EUNSUPPORTED);
	assert_int_equal(try_format(0x1234, 1, 16000, 2, 16), MREN_EUNSUPPORTED);
}

static void
other_formats_are_named(void **state)
{
	static const struct
	{
		const char *bytes;
		size_t len;
		MrenStatus status;
		const char *part;
	} cases[] = {
#define CASE(bytes, status, part) {bytes, sizeof(bytes) - 1, status, part}
		CASE("OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x1e\1vorbis", MREN_EUNSUPPORTED,
			 "Ogg Vorbis recordings"),
		CASE("FORM\0\0\0\0AIFFCOMM", MREN_EUNSUPPORTED, "AIFF recordings"),
		CASE("\0\0\0\x20"
			 "ftypM4A ",
			 MREN_EUNSUPPORTED, "MPEG-4 recordings"),
		CASE("\xFF\xF1\x50\x80\x00\x1F\xFC", MREN_EUNSUPPORTED, "AAC recordings"),
		CASE("\xFF\xFD\x80\x00", MREN_EUNSUPPORTED, "MPEG audio layer II recordings"),
		CASE("\xFF\xFEh\0i\0", MREN_EFORMAT, "not a recording"),
		CASE("UklGRiQAAABXQVZFZm10", MREN_EFORMAT, "base64"),
		CASE("RIFF\0\0\0\0WEBPVP8 ", MREN_EFORMAT, "another RIFF file"),
		CASE("\x89PNG\r\n\x1A\n", MREN_EFORMAT, "begins with \"\\x89504e470d0a1a0a\""),
		CASE("RI", MREN_EFORMAT, "truncated"),
		CASE("RIFF\0\0\0\0WA", MREN_EFORMAT, "truncated"),
		CASE("", MREN_EFORMAT, "empty"),
		CASE("ID3\4\0\0\0\0\0\2\0\0\0", MREN_EFORMAT, "no frame"),
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Bytes bytes = {0};
		MrenError err;

		bytes_add(&bytes, cases[i].bytes, cases[i].len);
		assert_int_equal(read_bad(&bytes, &wide_limits, &err), cases[i].status);
		if (strstr(err.message, cases[i].part) == NULL)
			fail_msg("\"%s\" does not hold \"%s\"", err.message, cases[i].part);
		free(bytes.data);
	}
}

static void
samples_must_be_finite(void **state)
{
	static const uint64_t singles[] = {0x7FC00000, 0x7F800000, 0xFF800000};
	/* NaN, infinity, and a number too large for a float */
	static const uint64_t doubles[] = {0x7FF8000000000000, 0xFFF0000000000000, 0x7FE0000000000000};
	MrenError err;

	(void) state;
	for (size_t i = 0; i < 6; i++)
	{
		WavForm form = {3, 1, 16000, i < 3 ? 32 : 64, false};
		Bytes bytes = {0};

		wav_begin(&bytes, &form, 2 * (uint32_t) form.bits / 8);
		bytes_add_le(&bytes, 0, form.bits / 8);
		bytes_add_le(&bytes, i < 3 ? singles[i] : doubles[i - 3], form.bits / 8);
		assert_int_equal(read_bad(&bytes, &wide_limits, &err), MREN_ENUMERIC);
		assert_non_null(strstr(err.message, "sample 1 "));
		free(bytes.data);
	}
}

/* ---- limits ---- */

static void
limits_are_kept(void **state)
{
	WavForm stereo = {1, 2, 16000, 16, false};
	Bytes wav = wav_noise(&stereo, 2 * 16000 + 1);
	Bytes flac = flac_noise(1, 16, 2 * 16000 + 1);
	Bytes mp3 = {0};
	MrenAudioLimits limits = {2, 1, 16000};
	MrenError err;

	(void) state;
	mp3_add_silence(&mp3, 39);
	assert_int_equal(read_bad(&wav, &limits, &err), MREN_ELIMIT);
	assert_non_null(strstr(err.message, "2 channels, but at most 1"));
	limits.max_channels = 2;
	limits.max_rate = 15999;
	assert_int_equal(read_bad(&wav, &limits, &err), MREN_ELIMIT);
	assert_non_null(strstr(err.message, "16000 Hz"));
	limits.max_rate = 44100;
	/* one frame more than two seconds */
	assert_int_equal(read_bad(&wav, &limits, &err), MREN_ELIMIT);
	assert_non_null(strstr(err.message, "longer than the limit of 2 s"));
	assert_int_equal(read_bad(&flac, &limits, &err), MREN_ELIMIT);
	/* 39 * 1152 = 44928 */
	limits.max_seconds = 1;
	assert_int_equal(read_bad(&mp3, &limits, &err), MREN_ELIMIT);
	limits.max_seconds = 3;
	assert_int_equal(read_bad(&wav, &limits, &err), MREN_OK);
	assert_int_equal(read_bad(&flac, &limits, &err), MREN_OK);
	assert_int_equal(read_bad(&mp3, &limits, &err), MREN_OK);
	free(wav.data);
	free(flac.data);
	free(mp3.data);
}

/* ---- allocation and interruption ---- */

static MrenStatus
read_at_8000(const MrenEnv *env, MrenError *err, void *arg)
{
	const Bytes *bytes = arg;
	Samples samples;

	MREN_TRY(read_all(env, bytes->data, bytes->len, &wide_limits, 8000, 500, &samples, err));
	free(samples.data);
	return MREN_OK;
}

static MrenStatus
compute_logmel(const MrenEnv *env, MrenError *err, void *arg)
{
	const Bytes *bytes = arg;
	MrenAudioStream *stream = NULL;
	MrenAudioWindows *windows = NULL;
	MrenLogmel *logmel = NULL;
	const float *window = NULL;
	float out[MREN_LOGMEL_SIZE];
	uint64_t start;
	MrenStatus status;

	status =
		mren_audio_stream_open(env, bytes->data, bytes->len, &wide_limits, 16000, &stream, err);
	if (status == MREN_OK)
		status = mren_audio_windows_open(env, stream, 1000, 500, &windows, err);
	if (status == MREN_OK)
		status = mren_logmel_create(env, &logmel, err);
	do
	{
		if (status == MREN_OK)
			status = mren_audio_windows_next(windows, &window, &start, err);
		if (status == MREN_OK && window != NULL)
			status = mren_logmel_add(logmel, window, 1000, err);
	} while (status == MREN_OK && window != NULL);
	if (status == MREN_OK)
		status = mren_logmel_finish(logmel, out, err);
	mren_logmel_free(logmel);
	mren_audio_windows_close(windows);
	mren_audio_stream_close(stream);
	return status;
}

static void
failures_leave_nothing(void **state)
{
	WavForm form = {1, 1, 16000, 16, false};
	Bytes files[3] = {wav_noise(&form, N), flac_noise(2, 16, N), {0}};

	(void) state;
	mp3_add_silence(&files[2], 5);
	for (int i = 0; i < 3; i++)
	{
		test_allocation_sweep(read_at_8000, &files[i]);
		test_interrupt_sweep(read_at_8000, &files[i]);
		test_allocation_sweep(compute_logmel, &files[i]);
		test_interrupt_sweep(compute_logmel, &files[i]);
		free(files[i].data);
	}
}

/* The memory of a reader does not grow with the recording. */
static void
memory_is_bounded(void **state)
{
	Bytes flac = flac_noise(1, 16, 20000);
	size_t peaks[2];

	(void) state;
	for (int i = 0; i < 2; i++)
	{
		TestEnv test;
		MrenError err;

		test_env_init(&test);
		assert_int_equal(read_at_8000(&test.env, &err, &flac), MREN_OK);
		peaks[i] = test.peak_bytes;
		free(flac.data);
		flac = flac_noise(1, 16, 200000);
	}
	free(flac.data);
	assert_int_equal(peaks[0], peaks[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_gives_the_same_samples),
		cmocka_unit_test(odd_numbers_of_bits_are_in_the_upper_ones),
		cmocka_unit_test(channels_are_averaged),
		cmocka_unit_test(companded_samples_are_g711),
		cmocka_unit_test(eight_bits_are_unsigned),
		cmocka_unit_test(mp3_frames_are_decoded),
		cmocka_unit_test(mp3_delay_and_padding_do_not_count),
		cmocka_unit_test(mp3_that_is_not_whole_is_refused),
		cmocka_unit_test(flac_that_is_not_whole_is_refused),
		cmocka_unit_test(impossible_formats_are_refused),
		cmocka_unit_test(other_formats_are_named),
		cmocka_unit_test(samples_must_be_finite),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(failures_leave_nothing),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests_name("audio", tests, NULL, NULL);
}
