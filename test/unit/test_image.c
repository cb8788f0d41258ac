/*
 * test_image.c
 *	  What bytes are said to be, EXIF, and all steps together under failing
 *	  allocations and interruptions.
 */
#include "image_samples.h"

#include "image/exif.h"

typedef struct Named
{
	const char *bytes;
	size_t len;
	MrenStatus status;
	const char *message;
} Named;

#define NAMED(bytes, status, message)                                                              \
	{                                                                                              \
		bytes, sizeof(bytes) - 1, status, message                                                  \
	}

static void
what_is_no_png_or_jpeg_is_named(void **state)
{
	static const Named cases[] = {
		NAMED("GIF89a\1\0\1\0", MREN_EUNSUPPORTED, "GIF images are not supported"),
		NAMED("GIF87a", MREN_EUNSUPPORTED, "GIF images are not supported"),
		NAMED("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", MREN_EUNSUPPORTED,
			  "BMP images are not supported"),
		NAMED("RIFF\x24\0\0\0WEBPVP8 ", MREN_EUNSUPPORTED, "WebP images are not supported"),
		NAMED("II*\0\x08\0\0\0", MREN_EUNSUPPORTED, "TIFF images are not supported"),
		NAMED("MM\0*\0\0\0\x08", MREN_EUNSUPPORTED, "TIFF images are not supported"),
		NAMED("\0\0\0\x18"
			  "ftypheic\0\0\0\0",
			  MREN_EUNSUPPORTED, "HEIC images are not supported"),
		NAMED("\0\0\0\x18"
			  "ftypavif\0\0\0\0",
			  MREN_EUNSUPPORTED, "AVIF images are not supported"),
		NAMED("\xFF\x4F\xFF\x51\0\0", MREN_EUNSUPPORTED, "JPEG 2000 images are not supported"),
		NAMED("\xFF\x0A\0\0", MREN_EUNSUPPORTED, "JPEG XL images are not supported"),
		NAMED("P6\n3 2\n255\n", MREN_EUNSUPPORTED, "PNM images are not supported"),
		NAMED("%PDF-1.7\n", MREN_EUNSUPPORTED, "PDF images are not supported"),
		NAMED("<?xml version='1.0'?>\n<SVG width='1'/>", MREN_EUNSUPPORTED,
			  "SVG images are not supported"),
		NAMED("\xEF\xBB\xBF  <svg>", MREN_EUNSUPPORTED, "SVG images are not supported"),
		NAMED("\n<!DOCTYPE html><html>", MREN_EFORMAT, "not an image, but an HTML page"),
		NAMED("<error/>", MREN_EFORMAT, "not an image, but an XML document"),
		NAMED("iVBORw0KGgoAAAANSUhEUg", MREN_EFORMAT,
			  "not an image, but an image encoded as text (base64)"),
		NAMED("/9j/4AAQSkZJRg", MREN_EFORMAT,
			  "not an image, but an image encoded as text (base64)"),
		NAMED("\\x89504e470d0a1a0a", MREN_EFORMAT,
			  "not an image, but an image encoded as text (hex)"),
		NAMED("ffd8ffe0", MREN_EFORMAT, "not an image, but an image encoded as text (hex)"),
		NAMED("data:image/png;base64,", MREN_EFORMAT,
			  "not an image, but an image encoded as text (data URL)"),
		NAMED("", MREN_EFORMAT, "image is empty: it has no bytes"),
		NAMED("\x89", MREN_EFORMAT, "PNG image is truncated after 1 bytes"),
		NAMED("\x89PNG\r\n\x1A", MREN_EFORMAT, "PNG image is truncated after 7 bytes"),
		NAMED("\x89PNG\r\n\x1A\n\0\0\0\x0D", MREN_EFORMAT, "PNG image is truncated after 12 bytes"),
		NAMED("\xFF", MREN_EFORMAT, "JPEG image is truncated after 1 bytes"),
		NAMED("\xFF\xD8", MREN_EFORMAT, "JPEG image is truncated after 2 bytes"),
		NAMED("\xFF\xD8\xFF", MREN_EFORMAT, "JPEG image is truncated after 3 bytes"),
		NAMED("\x89PNG\n\x1A\n\0", MREN_EFORMAT, "PNG image has a damaged signature"),
		NAMED("hello", MREN_EFORMAT,
			  "not an image in a known format: it begins with \"\\x68656c6c6f\""),
		NAMED("/pictures/photo.png", MREN_EFORMAT,
			  "not an image, but a text: \"/pictures/photo.png\""),
		NAMED("C:\\photo.png", MREN_EFORMAT, "not an image, but a text: \"C:\\photo.png\""),
		NAMED("/a\n", MREN_EFORMAT, "not an image in a known format: it begins with \"\\x2f610a\""),
		NAMED("\0\0\0\0\0\0\0\0\0\0", MREN_EFORMAT,
			  "not an image in a known format: it begins with \"\\x0000000000000000\""),
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint8_t *copy = malloc(cases[i].len + 1);
		uint8_t *exact = realloc(copy, cases[i].len > 0 ? cases[i].len : 1);
		MrenImageInfo info;
		MrenError err;

		memcpy(exact, cases[i].bytes, cases[i].len);
		assert_int_equal(mren_image_info(exact, cases[i].len, &info, &err), cases[i].status);
		assert_string_equal(err.message, cases[i].message);
		if (cases[i].status == MREN_EUNSUPPORTED)
			assert_string_equal(err.hint, "PNG and JPEG images are supported.");
		free(exact);
	}
}

static void
damaged_png_headers_say_what_is_wrong(void **state)
{
	static const struct
	{
		uint32_t width, height;
		int depth, color_type;
		const char *message;
	} cases[] = {
		{0, 5, 8, 2, "PNG image has an invalid size of 0 x 5"},
		{5, 0x80000000u, 8, 2, "PNG image has an invalid size of 5 x 2147483648"},
		{5, 5, 8, 1, "PNG image has color type 1 with bit depth 8, which is invalid"},
		{5, 5, 16, 3, "PNG image has color type 3 with bit depth 16, which is invalid"},
		{5, 5, 4, 6, "PNG image has color type 6 with bit depth 4, which is invalid"},
		{5, 5, 3, 0, "PNG image has color type 0 with bit depth 3, which is invalid"},
	};
	MrenImageInfo info;
	MrenError err;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Bytes png =
			make_png_header(cases[i].width, cases[i].height, cases[i].depth, cases[i].color_type);

		assert_int_equal(mren_image_info(png.data, png.len, &info, &err), MREN_EFORMAT);
		assert_string_equal(err.message, cases[i].message);
		png.data[20] ^= 1;
		assert_int_equal(mren_image_info(png.data, png.len, &info, &err), MREN_EFORMAT);
		assert_string_equal(err.message, "PNG image header has a wrong checksum");
		free(png.data);
	}
}

static void
apples_variant_of_png_is_named(void **state)
{
	Bytes png = {0};
	MrenImageInfo info;
	MrenError err;

	(void) state;
	bytes_add(&png, "\x89PNG\r\n\x1A\n", 8);
	add_chunk(&png, "CgBI", "\x50\0\x20\x02", 4);
	add_chunk(&png, "IHDR", "\0\0\0\1\0\0\0\1\x08\x06\0\0\0", 13);
	assert_int_equal(mren_image_info(png.data, png.len, &info, &err), MREN_EUNSUPPORTED);
	assert_string_equal(err.message, "PNG images in Apple's CgBI variant are not supported");
	free(png.data);
}

static void
info_needs_the_header_only(void **state)
{
	PngSpec png_spec = {30, 20, PNG_COLOR_TYPE_GRAY_ALPHA, 16};
	JpegSpec jpeg_spec = {30, 20, JCS_RGB, JCS_YCbCr, .orientation = 8};
	Bytes png = make_png(&png_spec);
	Bytes jpeg = make_jpeg(&jpeg_spec);
	MrenImageInfo info;
	size_t len = 3;

	(void) state;
	assert_int_equal(mren_image_info(png.data, 33, &info, NULL), MREN_OK);
	assert_int_equal(info.width, 30);
	assert_int_equal(info.height, 20);
	assert_int_equal(info.channels, 2);
	while (len <= jpeg.len && mren_image_info(jpeg.data, len, &info, NULL) != MREN_OK)
		len++;
	/* enough: what comes before the frame header, and it; tables and data follow */
	assert_true(len < jpeg.len - 400);
	assert_int_equal(info.width, 20);
	assert_int_equal(info.height, 30);
	assert_int_equal(info.orientation, 8);
	assert_string_equal(mren_image_format_name(info.format), "jpeg");
	free(png.data);
	free(jpeg.data);
}

/* ---- EXIF ---- */

static void
exif_orientation_is_read_in_either_byte_order(void **state)
{
	(void) state;
	for (int big_endian = 0; big_endian < 2; big_endian++)
	{
		for (int value = 0; value < 256; value++)
		{
			Bytes exif = make_exif(value, big_endian);

			assert_int_equal(mren_exif_orientation(exif.data, exif.len),
							 value >= 1 && value <= 8 ? value : 1);
			free(exif.data);
		}
	}
}

/* Cut anywhere, in an allocation of just that size: the sanitizers watch. */
static void
cut_exif_gives_the_orientation_or_none(void **state)
{
	(void) state;
	for (int big_endian = 0; big_endian < 2; big_endian++)
	{
		Bytes exif = make_exif(6, big_endian);

		for (size_t len = 0; len <= exif.len; len++)
		{
			uint8_t *cut = malloc(len > 0 ? len : 1);

			memcpy(cut, exif.data, len);
			/* the second entry ends at byte 8 + 2 + 2 * 12 */
			assert_int_equal(mren_exif_orientation(cut, len), len >= 34 ? 6 : 1);
			free(cut);
		}
		free(exif.data);
	}
}

static void
hostile_exif_is_harmless(void **state)
{
	Bytes exif = make_exif(6, true);
	uint8_t *copy = malloc(exif.len);
	/* where, what: magic, offsets of IFD 0, its size, the entry's type and count */
	static const struct
	{
		size_t at;
		uint8_t bytes[4];
		size_t n;
		int want;
	} changes[] = {
		{0, {'X'}, 1, 1},
		{0, {'M', 'I'}, 2, 1},
		{2, {0, 43}, 2, 1},
		{4, {0xFF, 0xFF, 0xFF, 0xFF}, 4, 1},
		{4, {0x7F, 0xFF, 0xFF, 0xFF}, 4, 1},
		{4, {0, 0, 0, 48}, 4, 1},
		{4, {0, 0, 0, 49}, 4, 1},
		{4, {0, 0, 0, 50}, 4, 1},
		{4, {0, 0, 0, 0}, 4, 1},
		{8, {0xFF, 0xFF}, 2, 6},
		{8, {0, 0}, 2, 1},
		{8, {0, 1}, 2, 1},
		{24, {0, 4}, 2, 1},
		{26, {0, 0, 0, 2}, 4, 1},
		{26, {0, 0, 0, 0}, 4, 1},
		{30, {1, 6}, 2, 1},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
	{
		memcpy(copy, exif.data, exif.len);
		memcpy(copy + changes[i].at, changes[i].bytes, changes[i].n);
		if (mren_exif_orientation(copy, exif.len) != changes[i].want)
			fail_msg("change %zu gives %d", i, mren_exif_orientation(copy, exif.len));
	}
	free(copy);
	free(exif.data);
}

/* ---- all steps together ---- */

/* Decode, resize, prepare, heat map, encode; everything is released on the way. */
static MrenStatus
all_steps(const MrenEnv *env, MrenError *err, void *arg)
{
	const Bytes *file = arg;
	MrenImagePrep prep = {5, 6, {1, 2, 3}, {4, 5, 6}, false, MREN_LAYOUT_NCHW};
	static const float heat[4] = {1, -1, 0.5f, 0};
	float out[3 * 5 * 6];
	MrenBitmap bitmap = {0}, small = {0};
	uint8_t *bytes = NULL;
	size_t len;
	MrenStatus status;

	status = mren_image_decode(env, file->data, file->len, &wide_limits, &bitmap, err);
	if (status == MREN_OK)
		status = mren_image_resize(env, &bitmap, 12, 40, &small, err);
	if (status == MREN_OK)
		status = mren_image_prepare(env, &small, &prep, out, err);
	if (status == MREN_OK)
		status = mren_image_heatmap(env, &small, heat, 2, 2, err);
	if (status == MREN_OK)
		status = mren_png_encode(env, &small, &bytes, &len, err);
	else
		assert_null(bytes);
	mren_release(env, bytes);
	mren_bitmap_free(env, &small);
	mren_bitmap_free(env, &bitmap);
	return status;
}

static void
sweep_all_steps(void (*sweep)(TestCall, void *))
{
	PngSpec pngs[3] = {{20, 35, PNG_COLOR_TYPE_RGB, 8},
					   {20, 35, PNG_COLOR_TYPE_RGB_ALPHA, 16, true, .orientation = 7},
					   {20, 35, PNG_COLOR_TYPE_PALETTE, 4, .transparent = true, .orientation = 6}};
	JpegSpec jpegs[3] = {{20, 35, JCS_RGB, JCS_YCbCr},
						 {20, 35, JCS_RGB, JCS_YCbCr, .progressive = true, .orientation = 5},
						 {20, 35, JCS_CMYK, JCS_YCCK, .orientation = 3}};

	for (int i = 0; i < 6; i++)
	{
		Bytes file = i < 3 ? make_png(&pngs[i]) : make_jpeg(&jpegs[i - 3]);

		sweep(all_steps, &file);
		free(file.data);
	}
}

static void
no_failed_allocation_leaks(void **state)
{
	(void) state;
	sweep_all_steps(test_allocation_sweep);
}

static void
every_step_can_be_interrupted(void **state)
{
	(void) state;
	sweep_all_steps(test_interrupt_sweep);
}

/* A large image is checked for interrupts far more often than every few milliseconds. */
static void
large_images_check_for_interrupts(void **state)
{
	TestEnv test;
	PngSpec png_spec = {600, 800, PNG_COLOR_TYPE_RGB, 8};
	JpegSpec jpeg_spec = {600, 800, JCS_RGB, JCS_YCbCr, .progressive = true};
	Bytes files[2] = {make_png(&png_spec), make_jpeg(&jpeg_spec)};

	(void) state;
	for (int i = 0; i < 2; i++)
	{
		MrenBitmap bitmap, small;

		test_env_init(&test);
		assert_int_equal(
			mren_image_decode(&test.env, files[i].data, files[i].len, &wide_limits, &bitmap, NULL),
			MREN_OK);
		assert_true(test.n_checks >= 800 / 16);
		test.n_checks = 0;
		assert_int_equal(mren_image_resize(&test.env, &bitmap, 30, 100, &small, NULL), MREN_OK);
		assert_true(test.n_checks >= 100);
		mren_bitmap_free(&test.env, &small);
		test.n_checks = 0;
		/* one row that covers 1.4 million values */
		assert_int_equal(mren_image_resize(&test.env, &bitmap, 1, 1, &small, NULL), MREN_OK);
		assert_true(test.n_checks >= 2);
		mren_bitmap_free(&test.env, &bitmap);
		mren_bitmap_free(&test.env, &small);
		assert_int_equal(test.n_live, 0);
		free(files[i].data);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_png_or_jpeg_is_named),
		cmocka_unit_test(damaged_png_headers_say_what_is_wrong),
		cmocka_unit_test(apples_variant_of_png_is_named),
		cmocka_unit_test(info_needs_the_header_only),
		cmocka_unit_test(exif_orientation_is_read_in_either_byte_order),
		cmocka_unit_test(cut_exif_gives_the_orientation_or_none),
		cmocka_unit_test(hostile_exif_is_harmless),
		cmocka_unit_test(no_failed_allocation_leaks),
		cmocka_unit_test(every_step_can_be_interrupted),
		cmocka_unit_test(large_images_check_for_interrupts),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
