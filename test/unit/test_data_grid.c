/*
 * test_data_grid.c
 *	  Half precision, the fixed projection of grids, and the store of a training
 *	  set's images.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "base/random.h"
#include "data/grid.h"
#include "base/half_array.h"
#include "data/image_store.h"

static void
every_finite_half_comes_back(void **state)
{
	(void) state;
	for (uint32_t h = 0; h < 0x10000; h++)
	{
		uint16_t half = (uint16_t) h;
		uint16_t back;
		float value;

		if (!mren_half_all_finite(&half, 1))
		{
			assert_int_equal(h & 0x7C00, 0x7C00);
			continue;
		}
		mren_half_to_floats(&value, &half, 1);
		/* Bits, so that the zeros' signs count. */
		assert_memory_equal(&value, &(float){mren_half_to_float(half)}, sizeof(value));
		mren_half_from_floats(&back, &value, 1);
		assert_int_equal(back, half);
	}
}

static void
halves_round_to_the_nearest_and_stay_finite(void **state)
{
	/* 1 + 2^-11 is halfway between 1 and 1 + 2^-10; 1 + 3 * 2^-11 between two others. */
	const float in[] = {1 + 0x1p-11f, 1 + 0x3p-11f, 0x1p-25f, 0x3p-25f, 65519.0f, 70000.0f, -1e30f};
	const float want[] = {1, 1 + 0x2p-10f, 0, 0x2p-24f, 65504, 65504, -65504};
	uint16_t halves[7];
	float out[7];

	(void) state;
	mren_half_from_floats(halves, in, 7);
	mren_half_to_floats(out, halves, 7);
	for (int i = 0; i < 7; i++)
		assert_true(out[i] == want[i]);
}

static void
few_channels_are_kept_as_they_are(void **state)
{
	const MrenGridShape in = {1, 2, 3};
	const float grid[6] = {0, 0.5f, -2, 1, 1024, 0.25f};
	TestEnv test;
	MrenError err = {0};
	MrenGridProjection *projection;
	MrenGridShape out;
	uint16_t halves[6];
	float back[6];

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_grid_projection_create(&test.env, &in, &projection, &err), MREN_OK);
	out = mren_grid_projection_shape(projection);
	assert_true(mren_grid_equal(&in, &out));
	mren_grid_project(projection, grid, halves);
	mren_half_to_floats(back, halves, 6);
	assert_memory_equal(back, grid, sizeof(grid));
	mren_grid_projection_free(&test.env, projection);
	assert_int_equal(test.n_live, 0);
}

/*
 * Signs over the root of the inputs: a unit vector becomes numbers of one size,
 * so its square length is out / in exactly; that of a sum of vectors differs
 * from it by the signs' chance products, of deviation sqrt(2 / out) relatively.
 */
static void
many_channels_are_projected_nearly_keeping_lengths(void **state)
{
	const MrenGridShape in = {2, 1, 1280};
	TestEnv test;
	MrenError err = {0};
	MrenGridProjection *projection;
	float *grid = calloc(2 * 1280, sizeof(float));
	uint16_t halves[2 * MREN_GRID_CHANNELS];
	float out[2 * MREN_GRID_CHANNELS];
	double length = 0;
	double projected = 0;
	MrenRandom random;

	(void) state;
	test_env_init(&test);
	mren_random_seed(&random, 3, 0);
	grid[7] = 1;
	for (size_t i = 0; i < 1280; i++)
	{
		grid[1280 + i] = mren_random_uniform(&random);
		length += (double) grid[1280 + i] * (double) grid[1280 + i];
	}
	assert_int_equal(mren_grid_projection_create(&test.env, &in, &projection, &err), MREN_OK);
	assert_int_equal(mren_grid_projection_shape(projection).channels, MREN_GRID_CHANNELS);
	mren_grid_project(projection, grid, halves);
	mren_half_to_floats(out, halves, 2 * MREN_GRID_CHANNELS);
	for (size_t i = 0; i < MREN_GRID_CHANNELS; i++)
	{
		assert_float_equal(fabsf(out[i]), 1 / sqrtf(1280), 1e-4);
		projected += (double) out[MREN_GRID_CHANNELS + i] * (double) out[MREN_GRID_CHANNELS + i];
	}
	projected *= 1280.0 / MREN_GRID_CHANNELS;
	assert_true(fabs(projected / length - 1) < 4 * sqrt(2.0 / MREN_GRID_CHANNELS));
	mren_grid_projection_free(&test.env, projection);
	free(grid);
	assert_int_equal(test.n_live, 0);
}

static void
impossible_grids_are_refused(void **state)
{
	const MrenGridShape none = {0};
	const MrenGridShape halfway = {7, 0, 16};
	const MrenGridShape linear = {1, SIZE_MAX / 2, 4};
	const MrenGridShape deep = {7, 7, MREN_GRID_CHANNELS + 1};
	TestEnv test;
	MrenError err = {0};
	MrenGridProjection *projection;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_grid_check(&none, &err), MREN_OK);
	assert_int_equal(mren_grid_check(&halfway, &err), MREN_EFORMAT);
	assert_int_equal(mren_grid_check(&linear, &err), MREN_EFORMAT);
	assert_int_equal(mren_grid_check(&deep, &err), MREN_EFORMAT);
	assert_int_equal(mren_grid_projection_create(&test.env, &linear, &projection, &err),
					 MREN_ELIMIT);
	assert_null(projection);
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
create_projection(const MrenEnv *env, MrenError *err, void *state)
{
	MrenGridProjection *projection;

	MREN_TRY(mren_grid_projection_create(env, state, &projection, err));
	mren_grid_projection_free(env, projection);
	return MREN_OK;
}

static void
a_projection_survives_failed_allocations(void **state)
{
	MrenGridShape in = {2, 2, MREN_GRID_CHANNELS + 1};

	(void) state;
	test_allocation_sweep(create_projection, &in);
}

static void
images_are_found_and_written_in_order(void **state)
{
	TestEnv test;
	MrenError err = {0};
	MrenImageStore images = {.size = 4};
	MrenImageStore parsed = {.size = 4};
	uint8_t bytes[300 * 20];
	MrenBuffer out = {bytes, 0, sizeof(bytes)};
	MrenCursor cursor = {bytes, bytes + sizeof(bytes), false};

	(void) state;
	test_env_init(&test);
	for (uint32_t i = 0; i < 300; i++)
	{
		MrenHash128 hash = mren_hash128(&i, sizeof(i));

		assert_null(mren_image_store_find(&images, &hash));
		assert_int_equal(mren_image_store_reserve(&test.env, &images, &err), MREN_OK);
		mren_image_store_add(&images, &hash, &i);
	}
	mren_image_store_put(&images, &out);
	assert_int_equal(out.len, sizeof(bytes));
	assert_int_equal(mren_image_store_parse(&test.env, &parsed, &cursor, 300, &err), MREN_OK);
	for (uint32_t i = 0; i < 300; i++)
	{
		MrenHash128 hash = mren_hash128(&i, sizeof(i));

		assert_memory_equal(mren_image_store_find(&parsed, &hash), &i, sizeof(i));
	}
	mren_image_store_free(&test.env, &parsed);
	/* Out of order, and cut short. */
	memmove(bytes, bytes + 20, sizeof(bytes) - 20);
	cursor = (MrenCursor){bytes, bytes + sizeof(bytes), false};
	parsed.size = 4;
	assert_int_equal(mren_image_store_parse(&test.env, &parsed, &cursor, 300, &err), MREN_EFORMAT);
	mren_image_store_free(&test.env, &parsed);
	parsed.size = 4;
	cursor = (MrenCursor){bytes, bytes + 39, false};
	assert_int_equal(mren_image_store_parse(&test.env, &parsed, &cursor, 2, &err), MREN_EFORMAT);
	mren_image_store_free(&test.env, &parsed);
	mren_image_store_free(&test.env, &images);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_finite_half_comes_back),
		cmocka_unit_test(halves_round_to_the_nearest_and_stay_finite),
		cmocka_unit_test(few_channels_are_kept_as_they_are),
		cmocka_unit_test(many_channels_are_projected_nearly_keeping_lengths),
		cmocka_unit_test(impossible_grids_are_refused),
		cmocka_unit_test(a_projection_survives_failed_allocations),
		cmocka_unit_test(images_are_found_and_written_in_order),
	};

	return cmocka_run_group_tests_name("data grid", tests, NULL, NULL);
}
