/*
 * test_data_boxes.c
 *	  Boxes: clipping, geometry and regions, by numbers worked out by hand.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "data/boxes.h"

static void
corners_come_in_any_order_and_are_cut_at_the_border(void **state)
{
	const double corners[4] = {150, 40, -50, 20};
	const float want[4] = {0, 0.2f, 0.75f, 0.4f};
	MrenError err = {0};
	float box[4];

	(void) state;
	assert_int_equal(mren_box_clip("head_box", corners, 200, 100, box, &err), MREN_OK);
	for (int i = 0; i < 4; i++)
		assert_float_equal(box[i], want[i], 1e-6);
}

static void
a_box_of_nothing_is_an_error(void **state)
{
	static const double wrong[][4] = {
		{10, 10, 10, 20}, {10, 20, 30, 20}, {200, 0, 300, 50}, {-5, 0, 0, 50}, {5, 200, 50, 101},
	};
	const double infinite[4] = {0, 0, INFINITY, 1};
	const double none[4] = {0, NAN, 1, 1};
	MrenError err = {0};
	float box[4];

	(void) state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(mren_box_clip("head_box", wrong[i], 200, 100, box, &err), MREN_EDATA);
	assert_int_equal(mren_box_clip("tail_box", wrong[2], 200, 100, box, &err), MREN_EDATA);
	assert_string_equal(err.message, "tail_box (200,0),(300,50) covers nothing of the image, "
									 "which is 200 by 100");
	assert_int_equal(mren_box_clip("tail_box", infinite, 200, 100, box, &err), MREN_EDATA);
	assert_string_equal(err.message, "tail_box (0,0),(inf,1) is not finite");
	assert_int_equal(mren_box_clip("tail_box", none, 200, 100, box, &err), MREN_EDATA);
}

/*
 * Head: x 0.1 .. 0.5, y 0.2 .. 0.4; tail: x 0.3 .. 0.5, y 0.3 .. 0.8.  They share
 * x 0.3 .. 0.5 and y 0.3 .. 0.4: area 0.02, of 0.08 and 0.1.
 */
static void
geometry_of_two_boxes(void **state)
{
	const float head[4] = {0.1f, 0.2f, 0.5f, 0.4f};
	const float tail[4] = {0.3f, 0.3f, 0.5f, 0.8f};
	const double want[MREN_BOX_GEOMETRY] = {/* head */ 1,
											0.3,
											0.3,
											0.4,
											0.2,
											log(0.08),
											log(2),
											/* tail */ 1,
											0.4,
											0.55,
											0.2,
											0.5,
											log(0.1),
											log(0.4),
											/* x */ 0.1,
											0.25,
											-0.5,
											sqrt(0.1),
											log(0.5),
											1,
											0.2,
											0,
											0.2,
											0.4,
											/* y */ 0.25,
											1.25,
											-0.5,
											0.5,
											log(2.5),
											0.5,
											0.1,
											0.4,
											0.1,
											0.6,
											/* areas */ 0.02 / 0.16,
											0.25,
											0.2,
											log(0.8)};
	float out[MREN_BOX_GEOMETRY];

	(void) state;
	mren_box_geometry(head, tail, out);
	for (int i = 0; i < MREN_BOX_GEOMETRY; i++)
		assert_float_equal(out[i], want[i], 1e-5);
}

static void
geometry_of_one_box_leaves_the_rest_zero(void **state)
{
	const float box[4] = {0, 0, 1, 0.5f};
	float out[MREN_BOX_GEOMETRY];

	(void) state;
	mren_box_geometry(NULL, box, out);
	for (int i = 0; i < MREN_BOX_GEOMETRY; i++)
	{
		if (i < MREN_BOX_ALONE || i >= 2 * MREN_BOX_ALONE)
			assert_true(out[i] == 0);
	}
	assert_true(out[MREN_BOX_ALONE] == 1);
	assert_float_equal(out[MREN_BOX_ALONE + 2], 0.25, 1e-6);
}

/* A very thin box beside the whole image: every ratio stays within its bound. */
static void
extreme_boxes_give_bounded_numbers(void **state)
{
	const float sliver[4] = {0, 0, 1e-7f, 1e-7f};
	const float whole[4] = {0, 0, 1, 1};
	float out[MREN_BOX_GEOMETRY];

	(void) state;
	mren_box_geometry(sliver, whole, out);
	for (int i = 0; i < MREN_BOX_GEOMETRY; i++)
		assert_true(fabsf(out[i]) <= 5);
}

/* Half of the upper left cell of 2 by 2, and a quarter of the one beside it. */
static void
a_region_is_weighted_by_overlap(void **state)
{
	const MrenGridShape shape = {2, 2, 1};
	const float box[4] = {0, 0.25f, 0.75f, 0.5f};
	const float sliver[4] = {0.75f, 0.75f, 0.7500001f, 0.7500001f};
	float weights[4];

	(void) state;
	mren_box_region(box, &shape, weights);
	assert_float_equal(weights[0], 2.0 / 3, 1e-6);
	assert_float_equal(weights[1], 1.0 / 3, 1e-6);
	assert_true(weights[2] == 0 && weights[3] == 0);
	mren_box_region(sliver, &shape, weights);
	assert_float_equal(weights[3], 1, 1e-6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(corners_come_in_any_order_and_are_cut_at_the_border),
		cmocka_unit_test(a_box_of_nothing_is_an_error),
		cmocka_unit_test(geometry_of_two_boxes),
		cmocka_unit_test(geometry_of_one_box_leaves_the_rest_zero),
		cmocka_unit_test(extreme_boxes_give_bounded_numbers),
		cmocka_unit_test(a_region_is_weighted_by_overlap),
	};

	return cmocka_run_group_tests_name("data boxes", tests, NULL, NULL);
}
