/*
 * test_image_files.c
 *	  Decoders against image collections that others made: PngSuite as stb
 *	  keeps it with reference results, libpng's and libjpeg-turbo's test
 *	  images, Pillow's.  Skipped where the shared data are absent.
 */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

static const MrenImageLimits limits = {10000, 10000, (size_t) 1 << 28};

/* Folder or file below images/ of the shared data; ends the test where it is absent. */
static void
data_path(char *path, size_t size, const char *relative)
{
	if (test_shared_data() == NULL)
	{
		print_message("MREN_TEST_DATA is not set: skipped\n");
		skip();
	}
	snprintf(path, size, "%s/images/%s", test_shared_data(), relative);
}

static MrenStatus
decode_path(const MrenEnv *env, const char *path, MrenBitmap *out, MrenError *err)
{
	size_t len = 0;
	uint8_t *read = test_read_file(path, &len);
	uint8_t *exact;
	MrenStatus status;

	if (read == NULL)
		fail_msg("cannot read %s", path);
	/* just as large as the file, for the sanitizers */
	exact = malloc(len > 0 ? len : 1);
	memcpy(exact, read, len);
	free(read);
	status = mren_image_decode(env, exact, len, &limits, out, err);
	if (status == MREN_OK)
	{
		MrenImageInfo info;

		assert_int_equal(mren_image_info(exact, len, &info, NULL), MREN_OK);
		assert_int_equal(info.width, out->width);
		assert_int_equal(info.height, out->height);
	}
	free(exact);
	return status;
}

static MrenBitmap
decode_good(const MrenEnv *env, const char *folder, const char *name)
{
	char path[1024];
	MrenBitmap bitmap;
	MrenError err = {0};

	data_path(path, sizeof(path), folder);
	strncat(path, "/", sizeof(path) - strlen(path) - 1);
	strncat(path, name, sizeof(path) - strlen(path) - 1);
	if (decode_path(env, path, &bitmap, &err) != MREN_OK)
		fail_msg("%s: %s %s", path, err.message, err.detail);
	return bitmap;
}

static void
assert_same_image(const MrenBitmap *a, const MrenBitmap *b, const char *name)
{
	if (a->width != b->width || a->height != b->height ||
		memcmp(a->rgb, b->rgb, (size_t) a->width * a->height * 3) != 0)
		fail_msg("%s differs from its reference", name);
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

/* Calls visit for each PNG or JPEG file of a folder; returns how many. */
static size_t
each_image(const char *folder, void (*visit)(const char *folder, const char *name))
{
	char path[1024];
	DIR *dir;
	struct dirent *entry;
	size_t n = 0;

	data_path(path, sizeof(path), folder);
	dir = opendir(path);
	if (dir == NULL)
	{
		print_message("%s is absent: skipped\n", path);
		skip();
	}
	while ((entry = readdir(dir)) != NULL)
	{
		if (!ends_with(entry->d_name, ".png") && !ends_with(entry->d_name, ".jpg"))
			continue;
		visit(folder, entry->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

/* ---- images with a reference ---- */

/* The reference of tbbn0g04 shows its transparent gray opaque, so it is left out. */
static void
compare_with_reference(const char *folder, const char *name)
{
	TestEnv test;
	MrenBitmap got, want;

	if (strcmp(name, "tbbn0g04.png") == 0)
		return;
	test_env_init(&test);
	got = decode_good(&test.env, folder, name);
	want = decode_good(&test.env, "stb/tests/pngsuite/primary_check", name);
	assert_same_image(&got, &want, name);
	mren_bitmap_free(&test.env, &got);
	mren_bitmap_free(&test.env, &want);
	assert_int_equal(test.n_live, 0);
}

static void
pngsuite_equals_its_references(void **state)
{
	(void) state;
	assert_int_equal(each_image("stb/tests/pngsuite/primary", compare_with_reference), 77);
}

/* PngSuite's interlaced images are its plain ones. */
static void
compare_interlaced(const char *folder, const char *name)
{
	char plain[64];
	TestEnv test;
	MrenBitmap a, b;

	if (strncmp(name, "basi", 4) != 0 && !(name[0] == 's' && name[3] == 'i'))
		return;
	snprintf(plain, sizeof(plain), "%s", name);
	plain[3] = 'n';
	test_env_init(&test);
	a = decode_good(&test.env, folder, name);
	b = decode_good(&test.env, folder, plain);
	assert_same_image(&a, &b, name);
	mren_bitmap_free(&test.env, &a);
	mren_bitmap_free(&test.env, &b);
}

static void
interlaced_images_equal_plain_ones(void **state)
{
	(void) state;
	each_image("stb/tests/pngsuite/primary", compare_interlaced);
	each_image("stb/tests/pngsuite/16bit", compare_interlaced);
}

/* libpng's images come with and without a gamma: it is not applied. */
static void
gamma_changes_no_pixel(void **state)
{
	static const char *const kinds[] = {"gray-1",  "gray-2",	   "gray-4",		"gray-8",
										"gray-16", "gray-alpha-8", "gray-alpha-16", "palette-1",
										"rgb-8",   "rgb-16",	   "rgb-alpha-8",	"rgb-alpha-16"};
	static const char *const gammas[] = {"-1.8", "-linear", "-sRGB"};
	const char *folder = "libpng/contrib/testpngs";
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
	{
		char name[64];
		MrenBitmap plain;

		snprintf(name, sizeof(name), "%s.png", kinds[k]);
		plain = decode_good(&test.env, folder, name);
		for (size_t g = 0; g < 3; g++)
		{
			MrenBitmap tagged;

			snprintf(name, sizeof(name), "%s%s.png", kinds[k], gammas[g]);
			tagged = decode_good(&test.env, folder, name);
			assert_same_image(&tagged, &plain, name);
			mren_bitmap_free(&test.env, &tagged);
		}
		mren_bitmap_free(&test.env, &plain);
	}
	assert_int_equal(test.n_live, 0);
}

/* A number of a PNM header, over white space and comments. */
static size_t
pnm_number(const uint8_t *pnm, size_t len, size_t *pos)
{
	size_t value = 0;

	while (*pos < len && (pnm[*pos] < '0' || pnm[*pos] > '9'))
	{
		if (pnm[*pos] == '#')
		{
			while (*pos < len && pnm[*pos] != '\n')
				(*pos)++;
		}
		else
			(*pos)++;
	}
	for (; *pos < len && pnm[*pos] >= '0' && pnm[*pos] <= '9'; (*pos)++)
		value = value * 10 + pnm[*pos] - '0';
	return value;
}

/* A raw PPM of 8 bits. */
static MrenBitmap
read_ppm(const MrenEnv *env, const char *relative)
{
	char path[1024];
	size_t len = 0, pos = 2;
	uint8_t *pnm;
	uint32_t width, height;
	MrenBitmap bitmap;

	data_path(path, sizeof(path), relative);
	pnm = test_read_file(path, &len);
	assert_non_null(pnm);
	width = (uint32_t) pnm_number(pnm, len, &pos);
	height = (uint32_t) pnm_number(pnm, len, &pos);
	assert_int_equal(pnm_number(pnm, len, &pos), 255);
	pos++;
	assert_int_equal(mren_bitmap_create(env, width, height, &bitmap, NULL), MREN_OK);
	assert_int_equal(len - pos, (size_t) width * height * 3);
	memcpy(bitmap.rgb, pnm + pos, len - pos);
	free(pnm);
	return bitmap;
}

/* The same image as a BMP: rows from the bottom, blue first, no padding at this width. */
static void
png_equals_the_same_image_as_bmp(void **state)
{
	char path[1024];
	TestEnv test;
	MrenBitmap bitmap;
	size_t len = 0;
	uint8_t *bmp;
	const uint8_t *pixels;

	(void) state;
	data_path(path, sizeof(path), "pillow/hopper.bmp");
	bmp = test_read_file(path, &len);
	assert_non_null(bmp);
	pixels = bmp + bmp[10]; /* the offset, here below 256 */
	test_env_init(&test);
	bitmap = decode_good(&test.env, "pillow", "hopper.png");
	assert_int_equal(bitmap.width, 128);
	assert_int_equal(bitmap.height, 128);
	assert_true(len >= bmp[10] + (size_t) 128 * 128 * 3);
	for (size_t i = 0; i < 128 * 128 * 3; i++)
	{
		size_t row = i / (128 * 3), column = i / 3 % 128, c = i % 3;

		assert_int_equal(bitmap.rgb[i], pixels[((127 - row) * 128 + column) * 3 + 2 - c]);
	}
	free(bmp);
	mren_bitmap_free(&test.env, &bitmap);
	assert_int_equal(test.n_live, 0);
}

/* JPEG loses, but little: the mean difference from the image it was made of. */
static void
jpeg_is_near_the_image_it_was_made_of(void **state)
{
	static const char *const pairs[4][3] = {
		{"pillow", "hopper.jpg", "pillow/hopper.ppm"},
		{"libjpeg-turbo/testimages", "testorig.jpg", "libjpeg-turbo/testimages/testorig.ppm"},
		{"libjpeg-turbo/testimages", "testimgint.jpg", "libjpeg-turbo/testimages/testorig.ppm"},
		{"libjpeg-turbo/testimages", "testimgari.jpg", "libjpeg-turbo/testimages/testorig.ppm"}};
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (int i = 0; i < 4; i++)
	{
		MrenBitmap got = decode_good(&test.env, pairs[i][0], pairs[i][1]);
		MrenBitmap want = read_ppm(&test.env, pairs[i][2]);
		size_t n = (size_t) got.width * got.height * 3;
		size_t sum = 0;

		assert_int_equal(got.width, want.width);
		assert_int_equal(got.height, want.height);
		for (size_t k = 0; k < n; k++)
			sum += (size_t) abs(got.rgb[k] - want.rgb[k]);
		/* two levels of 256; a shifted or inverted image is off by dozens */
		assert_true(sum < 2 * n);
		mren_bitmap_free(&test.env, &got);
		mren_bitmap_free(&test.env, &want);
	}
}

/* Pillow's own test knows this image: red at the upper left, black opposite. */
static void
cmyk_photograph_has_its_colors(void **state)
{
	TestEnv test;
	MrenBitmap bitmap;
	const uint8_t *last;

	(void) state;
	test_env_init(&test);
	bitmap = decode_good(&test.env, "pillow", "pil_sample_cmyk.jpg");
	last = bitmap.rgb + ((size_t) bitmap.width * bitmap.height - 1) * 3;
	assert_true(bitmap.rgb[0] > 200 && bitmap.rgb[1] < 55 && bitmap.rgb[2] < 55);
	assert_true(last[0] < 26 && last[1] < 26 && last[2] < 26);
	mren_bitmap_free(&test.env, &bitmap);
}

/* ---- broken and whole images ---- */

static void
visit_broken(const char *folder, const char *name)
{
	char path[2048], whole[1024];
	TestEnv test;
	MrenBitmap bitmap;
	MrenError err = {0};
	MrenStatus status;

	/* the one good file among libpng's crashers */
	if (strcmp(name, "empty_ancillary_chunks.png") == 0)
		return;
	data_path(whole, sizeof(whole), folder);
	snprintf(path, sizeof(path), "%s/%s", whole, name);
	test_env_init(&test);
	status = decode_path(&test.env, path, &bitmap, &err);
	if (status != MREN_EFORMAT && status != MREN_EUNSUPPORTED)
		fail_msg("%s gives status %d", path, status);
	assert_int_equal(err.status, status);
	assert_true(strlen(err.message) > 10);
	assert_int_equal(test.n_live, 0);
}

static void
broken_images_are_errors(void **state)
{
	static const char *const broken[] = {"broken.png",			"broken_data_stream.png",
										 "hopper_bad_exif.jpg", "pngtest_bad.png.bin",
										 "truncated_image.png", "truncated_end_chunk.png",
										 "truncated_jpeg.jpg",	"hopper.gif",
										 "hopper.bmp",			"hopper.webp",
										 "hopper.ppm",			"decompression_bomb.ico",
										 "sgi_crash.bin",		"16bit.cropped.jp2"};

	(void) state;
	assert_int_equal(each_image("stb/tests/pngsuite/corrupt", visit_broken), 14);
	each_image("stb/tests/pngsuite/iphone", visit_broken);
	each_image("libpng/contrib/testpngs/crashers", visit_broken);
	each_image("libpng/contrib/testpngs/badpal", visit_broken);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		visit_broken("pillow", broken[i]);
	visit_broken("libjpeg-turbo/testimages", "monkey12.jpg");
}

static void
visit_whole(const char *folder, const char *name)
{
	static const char *const broken[] = {"broken.png",			"broken_data_stream.png",
										 "hopper_bad_exif.jpg", "truncated_image.png",
										 "truncated_jpeg.jpg",	"truncated_end_chunk.png",
										 "monkey12.jpg"};
	TestEnv test;
	MrenBitmap bitmap;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
	{
		if (strcmp(name, broken[i]) == 0)
			return;
	}
	test_env_init(&test);
	bitmap = decode_good(&test.env, folder, name);
	mren_bitmap_free(&test.env, &bitmap);
	assert_int_equal(test.n_live, 0);
}

/* Odd ones among them: damaged EXIF, junk before a marker, a bad MPO header. */
static void
whole_images_decode(void **state)
{
	(void) state;
	each_image("stb/tests/pngsuite/primary", visit_whole);
	each_image("stb/tests/pngsuite/16bit", visit_whole);
	each_image("stb/tests/pngsuite/unused", visit_whole);
	each_image("libpng/contrib/pngsuite", visit_whole);
	each_image("libpng/contrib/pngsuite/interlaced", visit_whole);
	each_image("libpng/contrib/testpngs", visit_whole);
	each_image("libpng/contrib/testpngs/png-3", visit_whole);
	each_image("libjpeg-turbo/testimages", visit_whole);
	each_image("pillow", visit_whole);
	visit_whole("libpng/contrib/testpngs/crashers", "empty_ancillary_chunks.png");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pngsuite_equals_its_references),
		cmocka_unit_test(interlaced_images_equal_plain_ones),
		cmocka_unit_test(gamma_changes_no_pixel),
		cmocka_unit_test(png_equals_the_same_image_as_bmp),
		cmocka_unit_test(jpeg_is_near_the_image_it_was_made_of),
		cmocka_unit_test(cmyk_photograph_has_its_colors),
		cmocka_unit_test(broken_images_are_errors),
		cmocka_unit_test(whole_images_decode),
	};

	return cmocka_run_group_tests_name("image files", tests, NULL, NULL);
}
