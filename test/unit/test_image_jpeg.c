/*
 * test_image_jpeg.c
 *	  JPEG: every kind of file against libjpeg used plainly, and damage.
 */
#include "image_samples.h"

#include "image/jpeg_codec.h"
#include "image/decode_work.h"
#include "image/resize.h"

/* libjpeg as its manual has it: the samples in the requested color space. */
static uint8_t *
plain_decode(const Bytes *file, J_COLOR_SPACE space, int n_channels)
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	uint8_t *samples;

	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&jpeg);
	jpeg_mem_src(&jpeg, file->data, file->len);
	jpeg_read_header(&jpeg, TRUE);
	jpeg.out_color_space = space;
	jpeg_start_decompress(&jpeg);
	samples = malloc((size_t) jpeg.output_width * jpeg.output_height * (size_t) n_channels);
	while (jpeg.output_scanline < jpeg.output_height)
	{
		JSAMPROW row =
			samples + (size_t) jpeg.output_scanline * jpeg.output_width * (size_t) n_channels;

		jpeg_read_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_decompress(&jpeg);
	jpeg_destroy_decompress(&jpeg);
	return samples;
}

static MrenBitmap
decode_or_fail(const MrenEnv *env, const Bytes *file)
{
	MrenBitmap bitmap;
	MrenError err = {0};

	if (mren_image_decode(env, file->data, file->len, &wide_limits, &bitmap, &err) != MREN_OK)
		fail_msg("%s %s", err.message, err.detail);
	return bitmap;
}

static void
assert_decodes_like_libjpeg(const JpegSpec *spec)
{
	TestEnv test;
	Bytes file = make_jpeg(spec);
	uint8_t *want = plain_decode(&file, JCS_RGB, 3);
	int orientation = spec->orientation > 0 ? spec->orientation : 1;
	MrenBitmap bitmap;
	MrenImageInfo info;

	test_env_init(&test);
	assert_int_equal(mren_image_info(file.data, file.len, &info, NULL), MREN_OK);
	assert_int_equal(info.format, MREN_IMAGE_JPEG);
	assert_int_equal(info.orientation, orientation);
	assert_int_equal(info.channels, spec->input == JCS_GRAYSCALE ? 1 : 3);
	bitmap = decode_or_fail(&test.env, &file);
	assert_int_equal(bitmap.width, orientation >= 5 ? spec->height : spec->width);
	assert_int_equal(bitmap.width, info.width);
	assert_int_equal(bitmap.height, info.height);
	for (uint32_t y = 0; y < bitmap.height; y++)
	{
		for (uint32_t x = 0; x < bitmap.width; x++)
		{
			uint32_t sx, sy;

			stored_place(orientation, spec->width, spec->height, x, y, &sx, &sy);
			assert_memory_equal(bitmap.rgb + ((size_t) y * bitmap.width + x) * 3,
								want + ((size_t) sy * spec->width + sx) * 3, 3);
		}
	}
	mren_bitmap_free(&test.env, &bitmap);
	assert_int_equal(test.n_live, 0);
	free(want);
	free(file.data);
}

static void
every_coding_and_sampling_decodes_like_libjpeg(void **state)
{
	static const int samplings[5][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}};
	static const uint32_t sizes[4][2] = {{1, 1}, {17, 33}, {64, 48}, {100, 7}};

	(void) state;
	for (int s = 0; s < 4; s++)
	{
		for (int k = 0; k < 5; k++)
		{
			for (int coding = 0; coding < 8; coding++)
			{
				JpegSpec spec = {sizes[s][0], sizes[s][1], JCS_RGB, JCS_YCbCr};

				spec.h_samp = samplings[k][0];
				spec.v_samp = samplings[k][1];
				spec.progressive = coding & 1;
				spec.arithmetic = coding & 2;
				spec.restart = coding & 4 ? 2 : 0;
				assert_decodes_like_libjpeg(&spec);
			}
		}
	}
}

static void
other_forms_decode_like_libjpeg(void **state)
{
	JpegSpec separate = {37, 21, JCS_RGB, JCS_YCbCr, .separate = true};
	JpegSpec gray = {37, 21, JCS_GRAYSCALE, JCS_GRAYSCALE};
	JpegSpec rgb = {37, 21, JCS_RGB, JCS_RGB};

	(void) state;
	assert_decodes_like_libjpeg(&gray);
	gray.progressive = true;
	assert_decodes_like_libjpeg(&gray);
	assert_decodes_like_libjpeg(&rgb);
	assert_decodes_like_libjpeg(&separate);
}

static void
every_orientation_in_either_byte_order_is_turned_upright(void **state)
{
	(void) state;
	for (int orientation = 1; orientation <= 8; orientation++)
	{
		for (int big_endian = 0; big_endian < 2; big_endian++)
		{
			JpegSpec spec = {53, 38, JCS_RGB, JCS_YCbCr};

			spec.orientation = orientation;
			spec.big_endian = big_endian;
			assert_decodes_like_libjpeg(&spec);
		}
	}
}

/*
 * Inks as stored, 255 none when inverted: (255-C)(255-K)/255 for each color.
 * A flat image at quality 100 comes back within two steps, and one of them
 * passes through YCCK.
 */
static void
assert_cmyk(bool adobe, J_COLOR_SPACE stored, const uint8_t inks[4], int orientation)
{
	JpegSpec spec = {20, 33, JCS_CMYK, stored};
	TestEnv test;
	MrenBitmap bitmap;
	MrenImageInfo info;
	Bytes file;

	spec.flat = true;
	memcpy(spec.flat_value, inks, 4);
	spec.no_adobe = !adobe;
	spec.quality = 100;
	spec.orientation = orientation;
	file = make_jpeg(&spec);
	test_env_init(&test);
	assert_int_equal(mren_image_info(file.data, file.len, &info, NULL), MREN_OK);
	assert_int_equal(info.channels, 4);
	bitmap = decode_or_fail(&test.env, &file);
	assert_int_equal(bitmap.width, orientation >= 5 ? 33 : 20);
	for (size_t i = 0; i < 20 * 33 * 3; i++)
	{
		int ink = inks[i % 3], black = inks[3];
		int want = adobe ? ink * black / 255 : (255 - ink) * (255 - black) / 255;

		assert_in_range(bitmap.rgb[i] + 3, want, want + 6);
	}
	mren_bitmap_free(&test.env, &bitmap);
	assert_int_equal(test.n_live, 0);
	free(file.data);
}

static void
cmyk_is_inverted_where_adobe_says_so(void **state)
{
	static const uint8_t inks[4][4] = {
		{255, 255, 255, 255}, {0, 0, 0, 0}, {200, 100, 50, 230}, {20, 240, 120, 100}};

	(void) state;
	for (int i = 0; i < 4; i++)
	{
		assert_cmyk(true, JCS_CMYK, inks[i], 1);
		assert_cmyk(true, JCS_CMYK, inks[i], 6);
		assert_cmyk(true, JCS_YCCK, inks[i], 1);
		assert_cmyk(false, JCS_CMYK, inks[i], 3);
	}
}

/* The conversion itself, on every pixel of a image with all inks varying. */
static void
cmyk_is_converted_with_exact_rounding(void **state)
{
	(void) state;
	for (int progressive = 0; progressive < 2; progressive++)
	{
		JpegSpec spec = {61, 47, JCS_CMYK, JCS_YCCK, .progressive = progressive};
		Bytes file = make_jpeg(&spec);
		uint8_t *inks = plain_decode(&file, JCS_CMYK, 4);
		TestEnv test;
		MrenBitmap bitmap;

		test_env_init(&test);
		bitmap = decode_or_fail(&test.env, &file);
		for (size_t i = 0; i < 61 * 47; i++)
		{
			for (size_t c = 0; c < 3; c++)
				assert_int_equal(bitmap.rgb[i * 3 + c],
								 (2 * inks[i * 4 + c] * inks[i * 4 + 3] + 255) / 510);
		}
		mren_bitmap_free(&test.env, &bitmap);
		free(inks);
		free(file.data);
	}
}

/* The bound on libjpeg's memory leaves room for all coefficients of four components. */
static void
large_progressive_cmyk_decodes(void **state)
{
	JpegSpec spec = {1500, 1000, JCS_CMYK, JCS_CMYK, .progressive = true};
	Bytes file = make_jpeg(&spec);
	TestEnv test;
	MrenBitmap bitmap;

	(void) state;
	test_env_init(&test);
	bitmap = decode_or_fail(&test.env, &file);
	mren_bitmap_free(&test.env, &bitmap);
	free(file.data);
}

static void
longest_sides_decode_like_libjpeg(void **state)
{
	JpegSpec wide = {65500, 1, JCS_RGB, JCS_YCbCr, 4, 1, .progressive = true};
	JpegSpec high = {1, 65500, JCS_RGB, JCS_YCbCr, 1, 4, .progressive = true};

	(void) state;
	assert_decodes_like_libjpeg(&wide);
	assert_decodes_like_libjpeg(&high);
}

/* ---- limits ---- */

/* The bytes of 8x8 blocks of coefficients, two bytes each. */
#define BLOCKS(n) ((n) *64 * 2)

/*
 * What is counted besides the result: nothing for a file in one scan, else the
 * coefficients of whole MCUs.  17x33 with the luminance doubled in both
 * directions has 2x3 MCUs of 4 + 1 + 1 blocks; 17x33 without has 3x5 MCUs.
 */
static void
memory_of_all_coefficients_is_limited(void **state)
{
	static const struct
	{
		JpegSpec spec;
		size_t bytes;
	} cases[] = {
		{{17, 33, JCS_RGB, JCS_YCbCr, 2, 2}, 17 * 33 * 3},
		{{17, 33, JCS_CMYK, JCS_CMYK}, 17 * 33 * 3},
		{{17, 33, JCS_RGB, JCS_YCbCr, 1, 1, .progressive = true}, 17 * 33 * 3 + BLOCKS(45)},
		{{17, 33, JCS_RGB, JCS_YCbCr, 2, 2, .progressive = true}, 17 * 33 * 3 + BLOCKS(36)},
		{{17, 33, JCS_RGB, JCS_YCbCr, 1, 1, .separate = true}, 17 * 33 * 3 + BLOCKS(45)},
		{{17, 33, JCS_GRAYSCALE, JCS_GRAYSCALE, .progressive = true}, 17 * 33 * 3 + BLOCKS(15)},
		{{17, 33, JCS_CMYK, JCS_CMYK, 1, 1, .progressive = true}, 17 * 33 * 3 + BLOCKS(60)},
		{{17, 33, JCS_CMYK, JCS_CMYK, 1, 1, .progressive = true, .orientation = 6},
		 17 * 33 * 3 + BLOCKS(60)},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		MrenImageLimits limits = {100, 100, cases[i].bytes};
		Bytes file = make_jpeg(&cases[i].spec);
		TestEnv test;
		MrenBitmap bitmap;
		MrenError err = {0};

		test_env_init(&test);
		if (mren_image_decode(&test.env, file.data, file.len, &limits, &bitmap, &err) != MREN_OK)
			fail_msg("case %zu: %s %s", i, err.message, err.detail);
		mren_bitmap_free(&test.env, &bitmap);
		limits.max_bytes--;
		test_env_init(&test);
		assert_int_equal(mren_image_decode(&test.env, file.data, file.len, &limits, &bitmap, &err),
						 MREN_ELIMIT);
		assert_null(bitmap.rgb);
		assert_int_equal(test.n_allocations, 0);
		free(file.data);
	}
}

static void
memory_beyond_the_limit_is_told(void **state)
{
	JpegSpec spec = {17, 33, JCS_RGB, JCS_YCbCr, 1, 1, .progressive = true, .orientation = 6};
	MrenImageLimits limits = {100, 100, 17 * 33 * 3};
	Bytes file = make_jpeg(&spec);
	TestEnv test;
	MrenBitmap bitmap;
	MrenError err;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_image_decode(&test.env, file.data, file.len, &limits, &bitmap, &err),
					 MREN_ELIMIT);
	assert_string_equal(err.message,
						"decoding the image of 33 x 17 pixels takes 7443 bytes, but at "
						"most 1683 are allowed");
	assert_string_equal(err.detail, "A JPEG image of several scans is held as coefficients of two "
									"bytes for each sample until its last scan is read.");
	free(file.data);
}

/* A row of MCUs is at most 32 pixels high, and each scan reads all of them. */
static void
each_row_of_blocks_checks_for_interrupts(void **state)
{
	(void) state;
	for (int progressive = 0; progressive < 2; progressive++)
	{
		JpegSpec spec = {16, 1600, JCS_RGB, JCS_YCbCr, 2, 2, .progressive = progressive};
		Bytes file = make_jpeg(&spec);
		TestEnv test;
		MrenBitmap bitmap;

		test_env_init(&test);
		bitmap = decode_or_fail(&test.env, &file);
		assert_true(test.n_checks >= 100);
		mren_bitmap_free(&test.env, &bitmap);
		free(file.data);
	}
}

/* ---- damage ---- */

static void
cut_at_any_byte_is_an_error(void **state)
{
	(void) state;
	for (int coding = 0; coding < 8; coding++)
	{
		JpegSpec spec = {40, 33, JCS_RGB, JCS_YCbCr};
		Bytes file;
		MrenError err;

		spec.progressive = coding & 1;
		spec.arithmetic = coding & 2;
		spec.restart = coding & 4 ? 1 : 0;
		spec.orientation = coding;
		file = make_jpeg(&spec);
		for (size_t len = 0; len < file.len; len++)
		{
			assert_int_equal(decode_status(file.data, len, &err), MREN_EFORMAT);
			if (len > 0)
				assert_non_null(strstr(err.message, "JPEG image is truncated after"));
		}
		assert_int_equal(decode_status(file.data, file.len, &err), MREN_OK);
		bytes_add(&file, "trailing", 8);
		assert_int_equal(decode_status(file.data, file.len, &err), MREN_OK);
		free(file.data);
	}
}

/* Where the entropy-coded data of the first scan begin. */
static size_t
data_start(const Bytes *file)
{
	for (size_t i = 2; i + 4 < file->len;)
	{
		size_t size = (size_t) file->data[i + 2] << 8 | file->data[i + 3];

		assert_int_equal(file->data[i], 0xFF);
		if (file->data[i + 1] == 0xDA)
			return i + 2 + size;
		i += 2 + size;
	}
	fail_msg("no scan");
	return 0;
}

static void
end_marker_in_the_middle_of_the_data_is_an_error(void **state)
{
	JpegSpec spec = {64, 64, JCS_RGB, JCS_YCbCr};
	Bytes file = make_jpeg(&spec);
	size_t middle = (data_start(&file) + file.len) / 2;
	MrenError err;

	(void) state;
	file.data[middle] = 0xFF;
	file.data[middle + 1] = 0xD9;
	assert_int_equal(decode_status(file.data, file.len, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "JPEG image is corrupt");
	assert_non_null(strstr(err.detail, "premature end of data segment"));
	free(file.data);
}

static void
wrong_restart_marker_is_an_error(void **state)
{
	JpegSpec spec = {64, 64, JCS_RGB, JCS_YCbCr, .restart = 1};
	Bytes file = make_jpeg(&spec);
	MrenError err;
	int n_found = 0;

	(void) state;
	for (size_t i = data_start(&file); i + 1 < file.len; i++)
	{
		if (file.data[i] == 0xFF && file.data[i + 1] == 0xD3)
		{
			file.data[i + 1] = 0xD6;
			n_found++;
			break;
		}
	}
	assert_int_equal(n_found, 1);
	assert_int_equal(decode_status(file.data, file.len, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "JPEG image is corrupt");
	free(file.data);
}

/* Every byte of a small file changed in turn: errors or images, never a crash. */
static void
changed_bytes_crash_nothing(void **state)
{
	static const uint8_t values[5] = {0x00, 0xFF, 0x7F, 0xD9, 0x01};
	JpegSpec spec = {24, 24, JCS_RGB, JCS_YCbCr, .orientation = 6};
	size_t n_refused = 0;

	(void) state;
	for (int progressive = 0; progressive < 2; progressive++)
	{
		Bytes file;

		spec.progressive = progressive;
		file = make_jpeg(&spec);
		for (size_t i = 0; i < file.len; i++)
		{
			uint8_t kept = file.data[i];

			for (int v = 0; v < 5; v++)
			{
				MrenError err;

				file.data[i] = values[v];
				n_refused += decode_status(file.data, file.len, &err) != MREN_OK;
			}
			file.data[i] = kept;
		}
		free(file.data);
	}
	assert_true(n_refused > 500);
}

static void
oddities_that_cost_no_pixel_are_accepted(void **state)
{
	JpegSpec spec = {24, 24, JCS_RGB, JCS_YCbCr};
	Bytes file = make_jpeg(&spec);
	Bytes odd = {0};
	MrenError err;

	(void) state;
	/* junk and a stuffed byte in front of the first segment, as cameras leave */
	bytes_add(&odd, file.data, 2);
	bytes_add(&odd, "\xFF\0junk\xFF\xFF", 8);
	bytes_add(&odd, file.data + 2, file.len - 2);
	assert_int_equal(decode_status(odd.data, odd.len, &err), MREN_OK);
	/* padding between the data and the end marker */
	odd.len = 0;
	bytes_add(&odd, file.data, file.len - 2);
	for (int i = 0; i < 32; i++)
		bytes_add(&odd, "", 1);
	bytes_add(&odd, "\xFF\xD9", 2);
	assert_int_equal(decode_status(odd.data, odd.len, &err), MREN_OK);
	/* but the marker must be there */
	assert_int_equal(decode_status(odd.data, odd.len - 2, &err), MREN_EFORMAT);
	assert_non_null(strstr(err.message, "truncated"));
	/* a JFIF version of the future */
	assert_memory_equal(file.data + 6, "JFIF", 4);
	file.data[11] = 9;
	assert_int_equal(decode_status(file.data, file.len, &err), MREN_OK);
	free(odd.data);
	free(file.data);
}

/* A file whose last scan is there again and again: well-formed, and costly. */
static void
scans_are_limited(void **state)
{
	JpegSpec spec = {16, 16, JCS_RGB, JCS_YCbCr, .separate = true};
	Bytes file = make_jpeg(&spec);
	Bytes many = {0};
	size_t scan = file.len - 2;
	MrenError err;

	(void) state;
	while (file.data[scan] != 0xFF || file.data[scan + 1] != 0xDA)
		scan--;
	bytes_add(&many, file.data, file.len - 2);
	for (int n = 3; n < MREN_JPEG_MAX_SCANS; n++)
		bytes_add(&many, file.data + scan, file.len - 2 - scan);
	bytes_add(&many, "\xFF\xD9", 2);
	assert_int_equal(decode_status(many.data, many.len, &err), MREN_OK);
	many.len -= 2;
	bytes_add(&many, file.data + scan, file.len - scan);
	assert_int_equal(decode_status(many.data, many.len, &err), MREN_ELIMIT);
	assert_string_equal(err.message, "JPEG image has more than 100 scans");
	free(many.data);
	free(file.data);
}

/* 16x16 has 4 blocks of each component; a file of one window is read before its kind is known. */
static void
work_is_limited(void **state)
{
	static const JpegSpec single = {16, 16, JCS_RGB, JCS_YCbCr, 1, 1};
	static const JpegSpec three = {16, 16, JCS_RGB, JCS_YCbCr, 1, 1, .separate = true};

	(void) state;
	for (int separate = 0; separate < 2; separate++)
	{
		Bytes file = make_jpeg(separate ? &three : &single);
		uint64_t work = file.len * MREN_WORK_JPEG_FILE +
						12 * (separate ? 64 * MREN_WORK_JPEG_SAMPLE_SCANS + MREN_WORK_JPEG_BLOCK
									   : 64 * MREN_WORK_JPEG_SAMPLE);
		MrenImageLimits limits = {100, 100, 100000, work};
		TestEnv test;
		MrenBitmap bitmap;
		MrenError err = {0};

		test_env_init(&test);
		if (mren_image_decode(&test.env, file.data, file.len, &limits, &bitmap, &err) != MREN_OK)
			fail_msg("%s %s", err.message, err.detail);
		mren_bitmap_free(&test.env, &bitmap);
		limits.max_work--;
		assert_int_equal(mren_image_decode(&test.env, file.data, file.len, &limits, &bitmap, &err),
						 MREN_ELIMIT);
		assert_non_null(strstr(err.message, "decoding the image of 16 x 16 pixels is more work "
											"than the limit of "));
		assert_null(bitmap.rgb);
		free(file.data);
	}
}

static void
component_without_data_is_an_error(void **state)
{
	JpegSpec spec = {16, 16, JCS_RGB, JCS_YCbCr, .separate = true};
	Bytes file = make_jpeg(&spec);
	size_t scan = file.len - 2;
	MrenError err;

	(void) state;
	for (int lost = 3; lost >= 2; lost--)
	{
		char want[100];

		do
			scan--;
		while (file.data[scan] != 0xFF || file.data[scan + 1] != 0xDA);
		memcpy(file.data + scan, "\xFF\xD9", 2);
		snprintf(want, sizeof(want), "JPEG image ends without the data of component %d of 3", lost);
		assert_int_equal(decode_status(file.data, scan + 2, &err), MREN_EFORMAT);
		assert_string_equal(err.message, want);
	}
	free(file.data);
}

/* Two frame headers: the second would overrun buffers made for the first. */
static void
second_frame_header_is_an_error(void **state)
{
	JpegSpec small = {8, 8, JCS_RGB, JCS_YCbCr};
	JpegSpec large = {400, 400, JCS_RGB, JCS_YCbCr};
	Bytes a = make_jpeg(&small), b = make_jpeg(&large);
	Bytes both = {0};
	size_t frame = 2;
	MrenError err;

	(void) state;
	while (a.data[frame + 1] != 0xC0)
		frame += 2 + ((size_t) a.data[frame + 2] << 8 | a.data[frame + 3]);
	bytes_add(&both, a.data, frame + 19);
	bytes_add(&both, b.data + 2, b.len - 2);
	assert_int_equal(decode_status(both.data, both.len, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "JPEG image is corrupt");
	free(a.data);
	free(b.data);
	free(both.data);
}

/* The bytes of a frame header: 8 bits, 16 x 16, one component. */
static MrenStatus
info_of_frame(uint8_t marker, uint8_t precision, uint16_t height, uint16_t width, uint8_t n,
			  MrenError *err)
{
	Bytes file = {0};
	MrenImageInfo info;
	MrenStatus status;
	uint8_t head[12] = {0xFF,
						0xD8,
						0xFF,
						marker,
						0,
						(uint8_t) (8 + 3 * n),
						precision,
						(uint8_t) (height >> 8),
						(uint8_t) height,
						(uint8_t) (width >> 8),
						(uint8_t) width,
						n};

	bytes_add(&file, head, sizeof(head));
	for (int i = 0; i < n; i++)
		bytes_add(&file, "\x01\x11\x00", 3);
	status = mren_image_info(file.data, file.len, &info, err);
	free(file.data);
	return status;
}

static void
kinds_that_are_not_read_are_named(void **state)
{
	MrenError err;

	(void) state;
	assert_int_equal(info_of_frame(0xC0, 8, 16, 16, 1, &err), MREN_OK);
	assert_int_equal(info_of_frame(0xC0, 12, 16, 16, 1, &err), MREN_EUNSUPPORTED);
	assert_string_equal(err.message, "JPEG images with 12 bits a sample are not supported, only 8");
	assert_int_equal(info_of_frame(0xC3, 8, 16, 16, 1, &err), MREN_EUNSUPPORTED);
	assert_string_equal(err.message,
						"lossless and hierarchical JPEG images are not supported (frame type 3)");
	assert_int_equal(info_of_frame(0xC0, 8, 16, 16, 2, &err), MREN_EUNSUPPORTED);
	assert_string_equal(err.message,
						"JPEG images with 2 components are not supported, only 1, 3 or 4");
	assert_int_equal(info_of_frame(0xC0, 8, 0, 16, 1, &err), MREN_EUNSUPPORTED);
	assert_string_equal(err.message,
						"JPEG images whose header leaves the height open are not supported");
	assert_int_equal(info_of_frame(0xC0, 8, 16, 0, 1, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "JPEG image has an invalid size of 0 x 16");
	assert_int_equal(info_of_frame(0xD9, 8, 16, 16, 1, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "JPEG image has no frame header before its end");
	assert_int_equal(info_of_frame(0xD8, 8, 16, 16, 1, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "JPEG image has a second start marker");
	assert_int_equal(info_of_frame(0xF7, 8, 16, 16, 1, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "JPEG image has an unknown marker 0xf7 in its header");
}

/* Header walks stay bounded: no frame within the allowed junk and segments. */
static void
header_without_end_is_an_error(void **state)
{
	Bytes file = {0};
	MrenImageInfo info;
	MrenError err;

	(void) state;
	bytes_add(&file, "\xFF\xD8\xFF", 3);
	for (int i = 0; i < 100000; i++)
		bytes_add(&file, "\0", 1);
	assert_int_equal(mren_image_info(file.data, file.len, &info, &err), MREN_EFORMAT);
	assert_string_equal(err.message,
						"JPEG image has more than 65536 bytes between the segments of its header");
	file.len = 2;
	for (int i = 0; i < 5000; i++)
		bytes_add(&file, "\xFF\xFE\0\x02", 4);
	assert_int_equal(mren_image_info(file.data, file.len, &info, &err), MREN_ELIMIT);
	assert_string_equal(err.message, "JPEG image has more than 4096 segments before its frame");
	free(file.data);
}

/* Mean difference to the exact means of the image decoded whole, in levels of 255. */
static double
difference_to_means(const TestEnv *test, const Bytes *file, const MrenBitmap *scaled)
{
	MrenBitmap whole = decode_or_fail(&test->env, file);
	MrenBitmap means;
	size_t n = (size_t) scaled->width * scaled->height * MREN_RGB;
	double sum = 0;

	assert_int_equal(
		mren_image_resize(&test->env, &whole, scaled->width, scaled->height, &means, NULL),
		MREN_OK);
	for (size_t i = 0; i < n; i++)
		sum += abs(means.rgb[i] - scaled->rgb[i]);
	mren_bitmap_free(&test->env, &whole);
	mren_bitmap_free(&test->env, &means);
	return sum / (double) n;
}

/* 640x480 as stored; 100x90 are enough of it as displayed: a quarter of each side. */
static void
no_more_pixels_than_needed_are_decoded(void **state)
{
	(void) state;
	for (int orientation = 1; orientation <= 8; orientation++)
	{
		for (int kind = 0; kind < 3; kind++)
		{
			JpegSpec spec = {640,
							 480,
							 kind == 2 ? JCS_CMYK : JCS_RGB,
							 kind == 2 ? JCS_CMYK : JCS_YCbCr,
							 .orientation = orientation,
							 .progressive = kind == 1};
			bool transposed = orientation >= 5;
			Bytes file = make_jpeg(&spec);
			MrenImageLimits limits = wide_limits;
			TestEnv test;
			MrenBitmap bitmap;
			MrenError err = {0};

			test_env_init(&test);
			limits.enough_width = transposed ? 90 : 100;
			limits.enough_height = transposed ? 100 : 90;
			if (mren_image_decode(&test.env, file.data, file.len, &limits, &bitmap, &err) !=
				MREN_OK)
				fail_msg("%s %s", err.message, err.detail);
			assert_int_equal(bitmap.width, transposed ? 120 : 160);
			assert_int_equal(bitmap.height, transposed ? 160 : 120);
			assert_true(difference_to_means(&test, &file, &bitmap) < 1.5);
			mren_bitmap_free(&test.env, &bitmap);
			assert_int_equal(test.n_live, 0);
			free(file.data);
		}
	}
}

/* One pixel less than twice the size is not scaled; an eighth is the least; odd sides round up. */
static void
scaling_never_leaves_too_few_pixels(void **state)
{
	static const struct
	{
		uint32_t width, height, enough_width, enough_height, want_width, want_height;
	} cases[] = {
		{63, 64, 32, 32, 63, 64}, {64, 64, 32, 32, 32, 32}, {65, 64, 32, 32, 33, 32},
		{400, 400, 3, 3, 50, 50}, {401, 399, 3, 3, 51, 50}, {64, 64, 0, 8, 64, 64},
		{64, 64, 8, 0, 64, 64},	  {64, 64, 100, 1, 64, 64}, {1000, 30, 10, 20, 1000, 30},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		JpegSpec spec = {cases[i].width, cases[i].height, JCS_RGB, JCS_YCbCr};
		Bytes file = make_jpeg(&spec);
		MrenImageLimits limits = wide_limits;
		TestEnv test;
		MrenBitmap bitmap;

		test_env_init(&test);
		limits.enough_width = cases[i].enough_width;
		limits.enough_height = cases[i].enough_height;
		assert_int_equal(mren_image_decode(&test.env, file.data, file.len, &limits, &bitmap, NULL),
						 MREN_OK);
		assert_int_equal(bitmap.width, cases[i].want_width);
		assert_int_equal(bitmap.height, cases[i].want_height);
		mren_bitmap_free(&test.env, &bitmap);
		file.len -= file.len / 3;
		assert_int_equal(mren_image_decode(&test.env, file.data, file.len, &limits, &bitmap, NULL),
						 MREN_EFORMAT);
		free(file.data);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_coding_and_sampling_decodes_like_libjpeg),
		cmocka_unit_test(other_forms_decode_like_libjpeg),
		cmocka_unit_test(every_orientation_in_either_byte_order_is_turned_upright),
		cmocka_unit_test(cmyk_is_inverted_where_adobe_says_so),
		cmocka_unit_test(cmyk_is_converted_with_exact_rounding),
		cmocka_unit_test(large_progressive_cmyk_decodes),
		cmocka_unit_test(longest_sides_decode_like_libjpeg),
		cmocka_unit_test(memory_of_all_coefficients_is_limited),
		cmocka_unit_test(memory_beyond_the_limit_is_told),
		cmocka_unit_test(each_row_of_blocks_checks_for_interrupts),
		cmocka_unit_test(cut_at_any_byte_is_an_error),
		cmocka_unit_test(end_marker_in_the_middle_of_the_data_is_an_error),
		cmocka_unit_test(wrong_restart_marker_is_an_error),
		cmocka_unit_test(changed_bytes_crash_nothing),
		cmocka_unit_test(oddities_that_cost_no_pixel_are_accepted),
		cmocka_unit_test(scans_are_limited),
		cmocka_unit_test(work_is_limited),
		cmocka_unit_test(component_without_data_is_an_error),
		cmocka_unit_test(second_frame_header_is_an_error),
		cmocka_unit_test(kinds_that_are_not_read_are_named),
		cmocka_unit_test(header_without_end_is_an_error),
		cmocka_unit_test(no_more_pixels_than_needed_are_decoded),
		cmocka_unit_test(scaling_never_leaves_too_few_pixels),
	};

	return cmocka_run_group_tests_name("image jpeg", tests, NULL, NULL);
}
