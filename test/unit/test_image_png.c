/*
 * test_image_png.c
 *	  PNG: every kind of pixel against its definition, damage, and writing.
 */
#include "image_samples.h"

#include <math.h>

#include "image/decode_work.h"

static uint8_t
over_white(double value, double alpha)
{
	return (uint8_t) floor((value * alpha + 255.0 * (255.0 - alpha)) / 255.0 + 0.5);
}

/* The sample scaled to 0..255, rounded: PNG, section 13.12. */
static double
scaled(const PngSpec *spec, uint32_t x, uint32_t y, int c)
{
	double largest = (double) ((1u << spec->depth) - 1);

	return floor(png_sample(spec, x, y, c) * 255.0 / largest + 0.5);
}

/* Whether the pixel is the one that tRNS makes transparent. */
static bool
is_key(const PngSpec *spec, uint32_t x, uint32_t y, int n_channels)
{
	for (int c = 0; c < n_channels; c++)
	{
		if (png_sample(spec, x, y, c) !=
			(uint32_t) (c + 1) % (spec->depth < 16 ? 1u << spec->depth : 65536u))
			return false;
	}
	return true;
}

static void
expected_pixel(const PngSpec *spec, uint32_t x, uint32_t y, uint8_t rgb[3])
{
	bool color = spec->color_type & PNG_COLOR_MASK_COLOR;
	int n_color = color ? 3 : 1;
	double alpha = 255;

	if (spec->color_type == PNG_COLOR_TYPE_PALETTE)
	{
		uint8_t entry[4];

		png_palette_color((int) png_sample(spec, x, y, 0), entry);
		for (int c = 0; c < 3; c++)
			rgb[c] = over_white(entry[c], spec->transparent ? entry[3] : 255);
		return;
	}
	if (spec->color_type & PNG_COLOR_MASK_ALPHA)
		alpha = scaled(spec, x, y, n_color);
	else if (spec->transparent && is_key(spec, x, y, n_color))
		alpha = 0;
	for (int c = 0; c < 3; c++)
		rgb[c] = over_white(scaled(spec, x, y, color ? c : 0), alpha);
}

static void
assert_decodes_as_defined(const PngSpec *spec)
{
	TestEnv test;
	MrenError err = {0};
	MrenBitmap bitmap;
	MrenImageInfo info;
	Bytes png = make_png(spec);
	int orientation = spec->orientation == 0 ? 1 : spec->orientation;
	bool swapped = orientation >= 5;

	test_env_init(&test);
	assert_int_equal(mren_image_info(png.data, png.len, &info, &err), MREN_OK);
	assert_int_equal(info.format, MREN_IMAGE_PNG);
	assert_int_equal(info.orientation, orientation);
	assert_int_equal(info.channels, spec->color_type == PNG_COLOR_TYPE_PALETTE
										? 3
										: png_n_channels(spec->color_type));
	if (mren_image_decode(&test.env, png.data, png.len, &wide_limits, &bitmap, &err) != MREN_OK)
		fail_msg("type %d depth %d: %s %s", spec->color_type, spec->depth, err.message, err.detail);
	assert_int_equal(bitmap.width, swapped ? spec->height : spec->width);
	assert_int_equal(bitmap.height, swapped ? spec->width : spec->height);
	assert_int_equal(info.width, bitmap.width);
	assert_int_equal(info.height, bitmap.height);
	for (uint32_t y = 0; y < bitmap.height; y++)
	{
		for (uint32_t x = 0; x < bitmap.width; x++)
		{
			const uint8_t *got = bitmap.rgb + ((size_t) y * bitmap.width + x) * 3;
			uint32_t sx, sy;
			uint8_t want[3];

			stored_place(orientation, spec->width, spec->height, x, y, &sx, &sy);
			expected_pixel(spec, sx, sy, want);
			if (memcmp(got, want, 3) != 0)
				fail_msg("type %d depth %d interlaced %d tRNS %d orientation %d: (%u,%u) is "
						 "%d,%d,%d not %d,%d,%d",
						 spec->color_type, spec->depth, spec->interlaced, spec->transparent,
						 orientation, x, y, got[0], got[1], got[2], want[0], want[1], want[2]);
		}
	}
	mren_bitmap_free(&test.env, &bitmap);
	assert_int_equal(test.n_live, 0);
	free(png.data);
}

static const int kinds[15][2] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
								 {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};

static void
every_kind_of_pixel_decodes_as_defined(void **state)
{
	static const uint32_t sizes[5][2] = {{1, 1}, {3, 2}, {16, 16}, {33, 17}, {5, 49}};

	(void) state;
	for (int k = 0; k < 15; k++)
	{
		for (int flags = 0; flags < 8; flags++)
		{
			for (int s = 0; s < 5; s++)
			{
				PngSpec spec = {sizes[s][0], sizes[s][1], kinds[k][0], kinds[k][1]};

				spec.interlaced = flags & 1;
				spec.ancillary = flags & 4;
				spec.transparent = (flags & 2) && !(spec.color_type & PNG_COLOR_MASK_ALPHA);
				assert_decodes_as_defined(&spec);
			}
		}
	}
}

static void
every_orientation_is_turned_upright(void **state)
{
	static const int types[4] = {PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA,
								 PNG_COLOR_TYPE_PALETTE, PNG_COLOR_TYPE_GRAY};

	(void) state;
	for (int orientation = 1; orientation <= 8; orientation++)
	{
		for (int t = 0; t < 4; t++)
		{
			for (int interlaced = 0; interlaced < 2; interlaced++)
			{
				PngSpec spec = {21, 37, types[t], 8, interlaced};

				spec.orientation = orientation;
				assert_decodes_as_defined(&spec);
			}
		}
	}
}

static void
cut_at_any_byte_is_an_error(void **state)
{
	(void) state;
	for (int k = 0; k < 15; k++)
	{
		PngSpec spec = {9, 18, kinds[k][0], kinds[k][1], k % 2 == 0};
		Bytes png = make_png(&spec);
		MrenError err;

		for (size_t len = 0; len < png.len; len++)
		{
			assert_int_equal(decode_status(png.data, len, &err), MREN_EFORMAT);
			if (len > 0)
				assert_non_null(strstr(err.message, "PNG image is truncated after"));
		}
		assert_int_equal(decode_status(png.data, png.len, &err), MREN_OK);
		free(png.data);
	}
}

static void
bytes_after_the_end_do_not_matter(void **state)
{
	PngSpec spec = {9, 18, PNG_COLOR_TYPE_RGB, 8};
	Bytes png = make_png(&spec);
	MrenError err;

	(void) state;
	for (int i = 0; i < 5000; i++)
		bytes_add(&png, "x", 1);
	assert_int_equal(decode_status(png.data, png.len, &err), MREN_OK);
	free(png.data);
}

/*
 * The file has critical chunks only, each under a checksum, so that no flip
 * can go unnoticed.
 */
static void
any_flipped_bit_is_an_error(void **state)
{
	PngSpec spec = {6, 5, PNG_COLOR_TYPE_PALETTE, 4, true};
	Bytes png = make_png(&spec);

	(void) state;
	for (size_t bit = 0; bit < png.len * 8; bit++)
	{
		MrenError err;

		png.data[bit / 8] ^= (uint8_t) (1 << bit % 8);
		if (decode_status(png.data, png.len, &err) == MREN_OK)
			fail_msg("bit %zu of byte %zu can be flipped", bit % 8, bit / 8);
		png.data[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	free(png.data);
}

/* A zlib stream with one stored block (RFC 1950, 1951), and its checksum. */
static Bytes
make_stored_stream(const uint8_t *data, size_t n, uint32_t checksum_error)
{
	uint8_t head[7] = {
		0x78, 0x01, 0x01, (uint8_t) n, (uint8_t) (n >> 8), (uint8_t) ~n, (uint8_t) (~n >> 8)};
	Bytes stream = {0};
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < n; i++)
	{
		a = (a + data[i]) % 65521;
		b = (b + a) % 65521;
	}
	bytes_add(&stream, head, 7);
	bytes_add(&stream, data, n);
	bytes_add_be32(&stream, (b << 16 | a) ^ checksum_error);
	return stream;
}

/*
 * A gray 2 x 2 image whose pixel data are the given bytes.  Their checksum,
 * the last four bytes of the stream, comes in a chunk of its own: the decoder
 * then has all pixels before it sees it.
 */
static MrenStatus
decode_gray_2x2(const uint8_t *data, size_t n, uint32_t checksum_error, MrenError *err)
{
	Bytes png = make_png_header(2, 2, 8, 0);
	Bytes stream = make_stored_stream(data, n, checksum_error);
	MrenStatus status;

	add_chunk(&png, "IDAT", stream.data, stream.len - 4);
	add_chunk(&png, "IDAT", stream.data + stream.len - 4, 4);
	add_chunk(&png, "IEND", "", 0);
	status = decode_status(png.data, png.len, err);
	free(stream.data);
	free(png.data);
	return status;
}

static void
pixel_data_must_be_whole_and_match_their_checksum(void **state)
{
	static const uint8_t rows[8] = {0, 10, 20, 0, 30, 40, 0, 0};
	static const uint8_t bad_filter[6] = {0, 10, 20, 9, 30, 40};
	MrenError err;

	(void) state;
	assert_int_equal(decode_gray_2x2(rows, 6, 0, &err), MREN_OK);
	/* more than the image needs is harmless */
	assert_int_equal(decode_gray_2x2(rows, 8, 0, &err), MREN_OK);
	assert_int_equal(decode_gray_2x2(rows, 5, 0, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "PNG image is corrupt");
	assert_non_null(strstr(err.detail, "Not enough image data"));
	assert_int_equal(decode_gray_2x2(rows, 6, 1, &err), MREN_EFORMAT);
	assert_string_equal(err.detail, "libpng reports \"IDAT: incorrect data check\".");
	assert_int_equal(decode_gray_2x2(bad_filter, 6, 0, &err), MREN_EFORMAT);
	assert_string_equal(err.detail, "libpng reports \"bad adaptive filter value\".");
}

/* Inserts a chunk after the header; the image itself is fine. */
static MrenStatus
decode_with_chunk(const char *type, const void *data, size_t n, bool break_checksum, MrenError *err)
{
	PngSpec spec = {4, 4, PNG_COLOR_TYPE_RGB, 8};
	Bytes plain = make_png(&spec);
	Bytes png = {0};
	MrenStatus status;

	bytes_add(&png, plain.data, 33);
	add_chunk(&png, type, data, n);
	if (break_checksum)
		png.data[png.len - 1] ^= 1;
	bytes_add(&png, plain.data + 33, plain.len - 33);
	status = decode_status(png.data, png.len, err);
	free(plain.data);
	free(png.data);
	return status;
}

static void
trouble_in_ancillary_chunks_is_ignored(void **state)
{
	static const char *const types[] = {"gAMA", "cHRM", "sRGB", "iCCP", "tEXt", "zTXt", "iTXt",
										"bKGD", "pHYs", "sBIT", "sPLT", "hIST", "tIME", "eXIf",
										"oFFs", "pCAL", "sCAL", "acTL", "xxXx"};
	MrenError err;

	(void) state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		assert_int_equal(decode_with_chunk(types[i], "", 0, false, &err), MREN_OK);
		assert_int_equal(decode_with_chunk(types[i], "\xFF\xFF\xFF\xFFrubbish", 11, false, &err),
						 MREN_OK);
		assert_int_equal(decode_with_chunk(types[i], "rubbish", 7, true, &err), MREN_OK);
	}
	assert_int_equal(decode_with_chunk("XXXX", "", 0, false, &err), MREN_EFORMAT);
	assert_string_equal(err.detail, "libpng reports \"XXXX: unhandled critical chunk\".");
}

/* With a wrong checksum, the orientation in an eXIf chunk does not count. */
static void
orientation_under_a_wrong_checksum_is_ignored(void **state)
{
	PngSpec spec = {4, 2, PNG_COLOR_TYPE_RGB, 8, .orientation = 6};
	Bytes png = make_png(&spec);
	MrenImageInfo info;

	(void) state;
	assert_int_equal(mren_image_info(png.data, png.len, &info, NULL), MREN_OK);
	assert_int_equal(info.orientation, 6);
	assert_int_equal(info.width, 2);
	for (size_t i = 33; i + 4 < png.len; i++)
	{
		if (memcmp(png.data + i, "eXIf", 4) == 0)
			png.data[i + 4 + 18] ^= 1;
	}
	assert_int_equal(mren_image_info(png.data, png.len, &info, NULL), MREN_OK);
	assert_int_equal(info.orientation, 1);
	assert_int_equal(info.width, 4);
	free(png.data);
}

static void
palette_index_without_a_color_is_an_error(void **state)
{
	PngSpec spec = {16, 16, PNG_COLOR_TYPE_PALETTE, 4, .n_colors = 11};
	Bytes png = make_png(&spec);
	Bytes broken = {0};
	uint8_t colors[10 * 3] = {0};
	MrenError err;
	size_t behind;

	(void) state;
	assert_int_equal(decode_status(png.data, png.len, &err), MREN_OK);
	/* the same pixels under a palette one color shorter */
	behind = 33 + 12 + 11 * 3;
	assert_memory_equal(png.data + 33 + 4, "PLTE", 4);
	bytes_add(&broken, png.data, 33);
	add_chunk(&broken, "PLTE", colors, sizeof(colors));
	bytes_add(&broken, png.data + behind, png.len - behind);
	assert_int_equal(decode_status(broken.data, broken.len, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "PNG image uses color 10, but its palette has only 10");
	free(png.data);
	free(broken.data);
}

static void
palette_must_come_before_the_pixels(void **state)
{
	Bytes png = make_png_header(2, 2, 8, 3);
	static const uint8_t rows[6] = {0};
	Bytes stream = make_stored_stream(rows, 6, 0);
	MrenError err;

	(void) state;
	add_chunk(&png, "IDAT", stream.data, stream.len);
	add_chunk(&png, "IEND", "", 0);
	assert_int_equal(decode_status(png.data, png.len, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "PNG image is corrupt");
	free(stream.data);
	free(png.data);
}

/* 300 KB that claim 2.5 billion pixels: nothing may be allocated for them. */
static void
size_is_checked_before_decoding(void **state)
{
	Bytes png = make_png_header(50000, 50000, 8, 2);
	uint8_t *idat = calloc(1, 300000);
	MrenImageLimits limits = {8192, 8192, (size_t) 100 << 20};
	TestEnv test;
	MrenBitmap bitmap;
	MrenError err;

	(void) state;
	add_chunk(&png, "IDAT", idat, 300000);
	add_chunk(&png, "IEND", "", 0);
	test_env_init(&test);
	assert_int_equal(mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, &err),
					 MREN_ELIMIT);
	assert_string_equal(err.message,
						"image is 50000 x 50000 pixels, but at most 8192 x 8192 are allowed");
	limits.max_width = limits.max_height = 60000;
	assert_int_equal(mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, &err),
					 MREN_ELIMIT);
	assert_string_equal(err.message,
						"image of 50000 x 50000 pixels is more than 104857600 bytes when decoded");
	assert_null(bitmap.rgb);
	assert_int_equal(test.n_allocations, 0);
	free(idat);
	free(png.data);
}

static void
limits_are_inclusive_and_hold_for_the_image_as_displayed(void **state)
{
	PngSpec spec = {8, 4, PNG_COLOR_TYPE_RGB, 8, .orientation = 6};
	Bytes png = make_png(&spec);
	MrenImageLimits limits = {4, 8, 96};
	TestEnv test;
	MrenBitmap bitmap;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, NULL),
					 MREN_OK);
	mren_bitmap_free(&test.env, &bitmap);
	limits.max_bytes = 95;
	assert_int_equal(mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, NULL),
					 MREN_ELIMIT);
	limits = (MrenImageLimits){3, 8, 96};
	assert_int_equal(mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, NULL),
					 MREN_ELIMIT);
	limits = (MrenImageLimits){4, 7, 96};
	assert_int_equal(mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, NULL),
					 MREN_ELIMIT);
	free(png.data);
}

/* 8x4 pixels of 16 bits have rows of 48 bytes. */
static void
work_is_limited(void **state)
{
	(void) state;
	for (int interlaced = 0; interlaced < 2; interlaced++)
	{
		PngSpec spec = {8, 4, PNG_COLOR_TYPE_RGB, 16, interlaced};
		Bytes png = make_png(&spec);
		uint64_t work =
			png.len * MREN_WORK_PNG_FILE +
			(interlaced ? 192 * MREN_WORK_PNG_ROW_INTERLACED + 32 * MREN_WORK_PNG_PIXEL_INTERLACED
						: 192 * MREN_WORK_PNG_ROW + 32 * MREN_WORK_PNG_PIXEL);
		MrenImageLimits limits = {8, 8, 96, work};
		TestEnv test;
		MrenBitmap bitmap;
		MrenError err = {0};

		test_env_init(&test);
		if (mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, &err) != MREN_OK)
			fail_msg("%s %s", err.message, err.detail);
		mren_bitmap_free(&test.env, &bitmap);
		limits.max_work--;
		assert_int_equal(mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, &err),
						 MREN_ELIMIT);
		assert_non_null(strstr(err.message, "decoding the image of 8 x 4 pixels is more work than "
											"the limit of "));
		assert_null(bitmap.rgb);
		free(png.data);
	}
}

/* Only the result is held whole: all else is less than 128 rows, of 8 bytes a pixel at most. */
static void
no_kind_of_file_takes_more_than_rows_beside_the_result(void **state)
{
	static const int types[] = {PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_PALETTE,
								PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};

	(void) state;
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
	{
		for (int flags = 0; flags < 4; flags++)
		{
			PngSpec spec = {64, 4000, types[t], 16, flags & 1, .orientation = flags & 2 ? 6 : 0};
			MrenImageLimits limits = {4000, 4000, 64 * 4000 * 3};
			Bytes png;
			TestEnv test;
			MrenBitmap bitmap;
			MrenError err;

			if (types[t] == PNG_COLOR_TYPE_PALETTE)
				spec.depth = 8;
			png = make_png(&spec);
			test_env_init(&test);
			if (mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, &err) != MREN_OK)
				fail_msg("%s %s", err.message, err.detail);
			assert_true(test.peak_bytes >= limits.max_bytes);
			assert_true(test.peak_bytes < limits.max_bytes + 128 * 64 * 8);
			assert_true(test.n_checks >= 4000);
			mren_bitmap_free(&test.env, &bitmap);
			limits.max_bytes--;
			assert_int_equal(
				mren_image_decode(&test.env, png.data, png.len, &limits, &bitmap, &err),
				MREN_ELIMIT);
			free(png.data);
		}
	}
}

static void
written_image_reads_back_the_same(void **state)
{
	static const uint32_t sizes[4][2] = {{1, 1}, {17, 3}, {200, 150}, {3, 400}};
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (int s = 0; s < 4; s++)
	{
		MrenBitmap bitmap = noise_bitmap(&test.env, sizes[s][0], sizes[s][1]);
		MrenBitmap back;
		MrenImageInfo info;
		uint8_t *bytes;
		size_t len;

		assert_int_equal(mren_png_encode(&test.env, &bitmap, &bytes, &len, NULL), MREN_OK);
		assert_int_equal(mren_image_info(bytes, len, &info, NULL), MREN_OK);
		assert_int_equal(info.width, sizes[s][0]);
		assert_int_equal(info.channels, 3);
		assert_int_equal(mren_image_decode(&test.env, bytes, len, &wide_limits, &back, NULL),
						 MREN_OK);
		assert_int_equal(back.height, bitmap.height);
		assert_memory_equal(back.rgb, bitmap.rgb, (size_t) sizes[s][0] * sizes[s][1] * 3);
		mren_release(&test.env, bytes);
		mren_bitmap_free(&test.env, &back);
		mren_bitmap_free(&test.env, &bitmap);
	}
	assert_int_equal(test.n_live, 0);
}

static void
empty_bitmap_is_not_written(void **state)
{
	MrenBitmap bitmap = {0};
	uint8_t *bytes;
	size_t len;
	TestEnv test;
	MrenError err;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_png_encode(&test.env, &bitmap, &bytes, &len, &err), MREN_EPARAM);
	assert_string_equal(err.message, "bitmap is empty");
	assert_null(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_pixel_decodes_as_defined),
		cmocka_unit_test(every_orientation_is_turned_upright),
		cmocka_unit_test(cut_at_any_byte_is_an_error),
		cmocka_unit_test(bytes_after_the_end_do_not_matter),
		cmocka_unit_test(any_flipped_bit_is_an_error),
		cmocka_unit_test(pixel_data_must_be_whole_and_match_their_checksum),
		cmocka_unit_test(trouble_in_ancillary_chunks_is_ignored),
		cmocka_unit_test(orientation_under_a_wrong_checksum_is_ignored),
		cmocka_unit_test(palette_index_without_a_color_is_an_error),
		cmocka_unit_test(palette_must_come_before_the_pixels),
		cmocka_unit_test(size_is_checked_before_decoding),
		cmocka_unit_test(limits_are_inclusive_and_hold_for_the_image_as_displayed),
		cmocka_unit_test(work_is_limited),
		cmocka_unit_test(no_kind_of_file_takes_more_than_rows_beside_the_result),
		cmocka_unit_test(written_image_reads_back_the_same),
		cmocka_unit_test(empty_bitmap_is_not_written),
	};

	return cmocka_run_group_tests_name("image png", tests, NULL, NULL);
}
