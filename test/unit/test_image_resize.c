/*
 * test_image_resize.c
 *	  Resampling against exact fractions, preparation for networks, heat maps.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

static MrenBitmap
random_bitmap(const MrenEnv *env, uint32_t width, uint32_t height)
{
	MrenBitmap bitmap;
	uint32_t seed = width * 2654435761u + height;

	assert_int_equal(mren_bitmap_create(env, width, height, &bitmap, NULL), MREN_OK);
	for (size_t i = 0; i < (size_t) width * height * 3; i++)
	{
		seed = seed * 1664525u + 1013904223u;
		bitmap.rgb[i] = (uint8_t) (seed >> 24);
	}
	return bitmap;
}

/*
 * The weight of input i for output o along an axis, by the definition, over
 * the denominator: in when shrinking, 2 * out when growing, 1 otherwise.
 */
static int64_t
axis_weight(int64_t in, int64_t out, int64_t o, int64_t i)
{
	if (in == out)
		return o == i;
	if (out < in)
	{
		int64_t left = o * in > i * out ? o * in : i * out;
		int64_t right = (o + 1) * in < (i + 1) * out ? (o + 1) * in : (i + 1) * out;

		return right > left ? right - left : 0;
	}
	else
	{
		/* distance of the centres, in 1 / (2 out), clamped to the outer centres */
		int64_t center = (2 * o + 1) * in - out;
		int64_t distance;

		if (center < 0)
			center = 0;
		if (center > (in - 1) * 2 * out)
			center = (in - 1) * 2 * out;
		distance = llabs(center - i * 2 * out);
		return distance < 2 * out ? 2 * out - distance : 0;
	}
}

static int64_t
axis_denominator(int64_t in, int64_t out)
{
	return in == out ? 1 : out < in ? in : 2 * out;
}

/* Numerator of an output value over both denominators. */
static int64_t
exact_sum(const MrenBitmap *in, uint32_t width, uint32_t height, uint32_t x, uint32_t y, int c)
{
	int64_t sum = 0;

	for (uint32_t j = 0; j < in->height; j++)
	{
		int64_t wy = axis_weight(in->height, height, y, j);

		for (uint32_t i = 0; wy != 0 && i < in->width; i++)
			sum += wy * axis_weight(in->width, width, x, i) *
				   in->rgb[((size_t) j * in->width + i) * 3 + (size_t) c];
	}
	return sum;
}

static const uint32_t shapes[][4] = {
	/* from, to */
	{1, 1, 1, 1},	  {7, 5, 7, 5},		{8, 8, 4, 4},	  {7, 5, 3, 2},	   {31, 17, 10, 16},
	{64, 48, 22, 22}, {3, 2, 7, 5},		{1, 1, 5, 4},	  {2, 9, 20, 3},   {9, 2, 3, 20},
	{40, 1, 1, 3},	  {1, 40, 3, 1},	{50, 50, 49, 51}, {100, 3, 99, 2}, {5, 5, 224, 1},
	{2000, 1, 3, 1},  {1, 32768, 1, 3}, {32768, 1, 3, 2}, {2, 2, 1, 3000}, {6, 4, 6, 2},
};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void
resize_equals_exact_fractions(void **state)
{
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (size_t s = 0; s < N_SHAPES; s++)
	{
		uint32_t width = shapes[s][2], height = shapes[s][3];
		MrenBitmap in = random_bitmap(&test.env, shapes[s][0], shapes[s][1]);
		MrenBitmap out;
		int64_t denominator =
			axis_denominator(in.width, width) * axis_denominator(in.height, height);

		assert_int_equal(mren_image_resize(&test.env, &in, width, height, &out, NULL), MREN_OK);
		assert_int_equal(out.width, width);
		assert_int_equal(out.height, height);
		for (size_t i = 0; i < (size_t) width * height * 3; i++)
		{
			int64_t sum = exact_sum(&in, width, height, (uint32_t) (i / 3 % width),
									(uint32_t) (i / 3 / width), (int) (i % 3));

			assert_int_equal(out.rgb[i], (2 * sum + denominator) / (2 * denominator));
		}
		mren_bitmap_free(&test.env, &in);
		mren_bitmap_free(&test.env, &out);
	}
	assert_int_equal(test.n_live, 0);
}

static void
flat_image_stays_flat(void **state)
{
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (size_t s = 0; s < N_SHAPES; s++)
	{
		MrenBitmap in = random_bitmap(&test.env, shapes[s][0], shapes[s][1]);
		MrenBitmap out;

		memset(in.rgb, 255, (size_t) in.width * in.height * 3);
		assert_int_equal(mren_image_resize(&test.env, &in, shapes[s][2], shapes[s][3], &out, NULL),
						 MREN_OK);
		for (size_t i = 0; i < (size_t) out.width * out.height * 3; i++)
			assert_int_equal(out.rgb[i], 255);
		mren_bitmap_free(&test.env, &in);
		mren_bitmap_free(&test.env, &out);
	}
}

/* Worked by hand: 0 and 10 and 20 and 31 average to 15.25; 0, 100 grow to 0 25 75 100. */
static void
small_cases_worked_by_hand(void **state)
{
	uint8_t four[12] = {0, 0, 0, 10, 10, 10, 20, 20, 20, 31, 33, 35};
	uint8_t two[6] = {0, 0, 0, 100, 100, 100};
	MrenBitmap square = {2, 2, four}, pair = {2, 1, two}, out;
	TestEnv test;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_image_resize(&test.env, &square, 1, 1, &out, NULL), MREN_OK);
	assert_int_equal(out.rgb[0], 15);
	assert_int_equal(out.rgb[1], 16); /* 15.75 */
	assert_int_equal(out.rgb[2], 16); /* 16.25 */
	mren_bitmap_free(&test.env, &out);
	assert_int_equal(mren_image_resize(&test.env, &pair, 4, 1, &out, NULL), MREN_OK);
	assert_memory_equal(out.rgb, ((uint8_t[12]){0, 0, 0, 25, 25, 25, 75, 75, 75, 100, 100, 100}),
						12);
	mren_bitmap_free(&test.env, &out);
	assert_int_equal(test.n_live, 0);
}

static void
impossible_sizes_are_refused(void **state)
{
	TestEnv test;
	MrenBitmap in, out, empty = {0};
	MrenError err;

	(void) state;
	test_env_init(&test);
	in = random_bitmap(&test.env, 3, 3);
	assert_int_equal(mren_image_resize(&test.env, &in, 0, 3, &out, &err), MREN_EPARAM);
	assert_string_equal(err.message, "image size must be positive, not 0 x 3");
	assert_int_equal(mren_image_resize(&test.env, &in, 3, 0, &out, &err), MREN_EPARAM);
	assert_int_equal(mren_image_resize(&test.env, &empty, 3, 3, &out, &err), MREN_EPARAM);
	assert_string_equal(err.message, "bitmap is empty");
	assert_int_equal(mren_image_resize(&test.env, &in, UINT32_MAX, UINT32_MAX, &out, &err),
					 MREN_ENOMEM);
	assert_null(out.rgb);
	mren_bitmap_free(&test.env, &in);
	assert_int_equal(test.n_live, 0);
}

/* ---- preparation ---- */

static void
assert_prepared(const MrenBitmap *in, const MrenImagePrep *prep, const MrenEnv *env)
{
	size_t plane = (size_t) prep->width * prep->height;
	float *out = malloc(plane * 3 * sizeof(float));
	double denominator = (double) (axis_denominator(in->width, prep->width) *
								   axis_denominator(in->height, prep->height));

	assert_int_equal(mren_image_prepare(env, in, prep, out, NULL), MREN_OK);
	for (size_t p = 0; p < plane; p++)
	{
		for (size_t c = 0; c < 3; c++)
		{
			int channel = (int) (prep->bgr ? 2 - c : c);
			double value =
				(double) exact_sum(in, prep->width, prep->height, (uint32_t) (p % prep->width),
								   (uint32_t) (p / prep->width), channel) /
				denominator;
			double want = (value - (double) prep->mean[c]) / (double) prep->std[c];
			float got = out[prep->layout == MREN_LAYOUT_NCHW ? c * plane + p : p * 3 + c];

			/* half a unit in the last place of a float, and rounding of the doubles */
			assert_true(fabs(got - want) <= ldexp(fabs(want), -24) + 1e-13);
		}
	}
	free(out);
}

static void
prepared_tensor_equals_its_definition(void **state)
{
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (size_t s = 0; s < N_SHAPES; s++)
	{
		MrenBitmap in = random_bitmap(&test.env, shapes[s][0], shapes[s][1]);
		/* ImageNet's, in pixel units: 255 times 0.485 ... and 0.229 ... */
		MrenImagePrep prep = {
			shapes[s][2], shapes[s][3],	   {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f},
			false,		  MREN_LAYOUT_NCHW};

		assert_prepared(&in, &prep, &test.env);
		prep.layout = MREN_LAYOUT_NHWC;
		assert_prepared(&in, &prep, &test.env);
		prep.bgr = true;
		assert_prepared(&in, &prep, &test.env);
		prep.layout = MREN_LAYOUT_NCHW;
		assert_prepared(&in, &prep, &test.env);
		mren_bitmap_free(&test.env, &in);
	}
	assert_int_equal(test.n_live, 0);
}

static void
impossible_normalizations_are_refused(void **state)
{
	uint8_t pixel[3] = {1, 2, 3};
	MrenBitmap in = {1, 1, pixel};
	const MrenImagePrep good = {1, 1, {0, 0, 0}, {1, 1, 1}, false, MREN_LAYOUT_NCHW};
	MrenImagePrep prep = good;
	float out[3];
	TestEnv test;
	MrenError err;

	(void) state;
	test_env_init(&test);
	prep.std[1] = 0;
	assert_int_equal(mren_image_prepare(&test.env, &in, &prep, out, &err), MREN_EPARAM);
	assert_string_equal(err.message,
						"standard deviation of image channel 1 must be positive, not 0");
	prep.std[1] = NAN;
	assert_int_equal(mren_image_prepare(&test.env, &in, &prep, out, &err), MREN_EPARAM);
	prep = good;
	prep.mean[2] = INFINITY;
	assert_int_equal(mren_image_prepare(&test.env, &in, &prep, out, &err), MREN_EPARAM);
	assert_string_equal(err.message, "mean of image channel 2 must be finite, not inf");
	prep = good;
	prep.layout = (MrenImageLayout) 7;
	assert_int_equal(mren_image_prepare(&test.env, &in, &prep, out, &err), MREN_EPARAM);
	prep = good;
	prep.width = 0;
	assert_int_equal(mren_image_prepare(&test.env, &in, &prep, out, &err), MREN_EPARAM);
	assert_int_equal(mren_image_prepare(&test.env, &in, &good, out, &err), MREN_OK);
	assert_true(out[0] == 1 && out[1] == 2 && out[2] == 3);
	assert_int_equal(test.n_live, 0);
}

/* ---- heat map ---- */

static void
heat_is_red_for_and_blue_against(void **state)
{
	uint8_t pixels[9] = {100, 100, 100, 100, 100, 100, 100, 100, 100};
	MrenBitmap image = {3, 1, pixels};
	static const float heat[3] = {2, 0, -1};
	TestEnv test;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_image_heatmap(&test.env, &image, heat, 1, 3, NULL), MREN_OK);
	/* opacity 0.6 at the largest, 0.3 at half of it: 100 + 0.6 * 155, 100 * 0.4, ... */
	assert_memory_equal(pixels, ((uint8_t[9]){193, 40, 40, 100, 100, 100, 70, 70, 147}), 9);
	assert_int_equal(test.n_live, 0);
}

/* Two cells over four pixels: their centres lie at a quarter and three quarters. */
static void
heat_is_interpolated_between_cells(void **state)
{
	uint8_t pixels[12] = {0};
	MrenBitmap image = {1, 4, pixels};
	static const float heat[2] = {1, 0};
	TestEnv test;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_image_heatmap(&test.env, &image, heat, 2, 1, NULL), MREN_OK);
	/* shares 1, 3/4, 1/4, 0 of 0.6 * 255 = 153 */
	assert_int_equal(pixels[0], 153);
	assert_int_equal(pixels[3], 115); /* 114.75 */
	assert_int_equal(pixels[6], 38);  /* 38.25 */
	assert_int_equal(pixels[9], 0);
}

static void
heat_of_zeros_changes_nothing_and_bad_heat_is_refused(void **state)
{
	TestEnv test;
	MrenBitmap image, kept;
	float heat[6] = {0};
	MrenError err;
	size_t n = 5 * 4 * 3;

	(void) state;
	test_env_init(&test);
	image = random_bitmap(&test.env, 5, 4);
	kept = random_bitmap(&test.env, 5, 4);
	assert_int_equal(mren_image_heatmap(&test.env, &image, heat, 2, 3, &err), MREN_OK);
	assert_memory_equal(image.rgb, kept.rgb, n);
	heat[0] = 1;
	heat[4] = NAN;
	assert_int_equal(mren_image_heatmap(&test.env, &image, heat, 2, 3, &err), MREN_ENUMERIC);
	assert_string_equal(err.message, "heat map value in row 1, column 1 is not finite");
	assert_int_equal(mren_image_heatmap(&test.env, &image, heat, 0, 3, &err), MREN_EPARAM);
	assert_string_equal(err.message, "heat map is empty: 0 x 3");
	assert_memory_equal(image.rgb, kept.rgb, n);
	/* larger than the image, and values at the end of the range */
	for (int i = 0; i < 6; i++)
		heat[i] = i % 2 ? 3e38f : -3e38f;
	assert_int_equal(mren_image_heatmap(&test.env, &image, heat, 1, 6, &err), MREN_OK);
	assert_memory_not_equal(image.rgb, kept.rgb, n);
	mren_bitmap_free(&test.env, &image);
	mren_bitmap_free(&test.env, &kept);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resize_equals_exact_fractions),
		cmocka_unit_test(flat_image_stays_flat),
		cmocka_unit_test(small_cases_worked_by_hand),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(prepared_tensor_equals_its_definition),
		cmocka_unit_test(impossible_normalizations_are_refused),
		cmocka_unit_test(heat_is_red_for_and_blue_against),
		cmocka_unit_test(heat_is_interpolated_between_cells),
		cmocka_unit_test(heat_of_zeros_changes_nothing_and_bad_heat_is_refused),
	};

	return cmocka_run_group_tests_name("image resize", tests, NULL, NULL);
}
