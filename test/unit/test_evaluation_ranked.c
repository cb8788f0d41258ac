/*
 * test_evaluation_ranked.c
 *	  Ranked predictions: the precision-recall curve, precision at N, and
 *	  reliability, against figures worked out by hand.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "evaluation/ranked.h"

/* Confidences with + for right and - for wrong, in any order. */
static MrenStatus
fill(const MrenEnv *env, MrenRanked *ranked, const double *signs, size_t n, MrenError *err)
{
	*ranked = (MrenRanked){.env = env};
	for (size_t i = 0; i < n; i++)
		MREN_TRY(mren_ranked_add(ranked, fabs(signs[i]), signs[i] > 0, err));
	return mren_ranked_sort(ranked, err);
}

/*
 * 0.9 right; 0.8 one right, one wrong; 0.7 wrong; 0.6 right.  Of 3 right ones:
 * P 1, R 1/3; P 2/3, R 2/3; P 2/4; P 3/5, R 1.
 * Average precision: (1 + 2/3 + 3/5) / 3 = 34/45.
 */
static const double curve[] = {-0.7, 0.8, 0.6, -0.8, 0.9};

static void
curve_by_hand(void **state)
{
	static const double want[4][3] = {
		{0.9, 1, 1.0 / 3}, {0.8, 2.0 / 3, 2.0 / 3}, {0.7, 0.5, 2.0 / 3}, {0.6, 0.6, 1}};
	TestEnv test;
	MrenRanked ranked;
	MrenRankedPoint point = {0};
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	assert_int_equal(fill(&test.env, &ranked, curve, 5, &err), MREN_OK);
	for (int i = 0; i < 4; i++)
	{
		assert_true(mren_ranked_next(&ranked, 3, &point));
		assert_true(point.confidence == want[i][0]);
		assert_float_equal(point.precision, want[i][1], 1e-12);
		assert_float_equal(point.recall, want[i][2], 1e-12);
	}
	assert_float_equal(point.average_precision, 34.0 / 45, 1e-12);
	assert_int_equal(point.n, 5);
	assert_false(mren_ranked_next(&ranked, 3, &point));
	/* Six to be found: recall and average precision are halved. */
	point = (MrenRankedPoint){0};
	while (mren_ranked_next(&ranked, 6, &point))
		;
	assert_float_equal(point.recall, 0.5, 1e-12);
	assert_float_equal(point.average_precision, 17.0 / 45, 1e-12);
	/* Of the two at 0.8, one right: the second place is half right. */
	assert_float_equal(mren_ranked_precision_at(&ranked, 1), 1, 1e-12);
	assert_float_equal(mren_ranked_precision_at(&ranked, 2), 0.75, 1e-12);
	assert_float_equal(mren_ranked_precision_at(&ranked, 3), 2.0 / 3, 1e-12);
	assert_float_equal(mren_ranked_precision_at(&ranked, 5), 0.6, 1e-12);
	assert_true(isnan(mren_ranked_precision_at(&ranked, 6)));
	mren_ranked_free(&ranked);
	assert_int_equal(test.n_live, 0);
}

static void
any_number_has_its_place(void **state)
{
	static const double values[] = {-INFINITY, -2, -1e-300, 0, 1e-300, 0.5, 2, INFINITY};
	TestEnv test;
	MrenRanked ranked = {0};
	MrenRankedPoint point = {0};
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	ranked.env = &test.env;
	for (int i = 7; i >= 0; i--)
		assert_int_equal(mren_ranked_add(&ranked, values[i], false, &err), MREN_OK);
	assert_int_equal(mren_ranked_add(&ranked, -0.0, true, &err), MREN_OK);
	assert_int_equal(mren_ranked_add(&ranked, NAN, true, &err), MREN_EPARAM);
	assert_int_equal(mren_ranked_sort(&ranked, &err), MREN_OK);
	for (int i = 7; i >= 0; i--)
	{
		assert_true(mren_ranked_next(&ranked, 0, &point));
		assert_true(point.confidence == values[i]);
		assert_true(isnan(point.recall));
	}
	/* -0 is 0: one point, of two. */
	assert_false(mren_ranked_next(&ranked, 0, &point));
	mren_ranked_free(&ranked);
}

/*
 * Two bins of two: 0.1 right, 0.3 right: confidence 0.2, accuracy 1; 0.6 right and 0.8
 * right: 0.7 and 1.  Errors 0.8 and 0.3, on average 0.55.
 */
static void
bins_by_hand(void **state)
{
	static const double signs[] = {0.8, 0.1, 0.6, 0.3};
	/* Equals share a bin: three bins of 2 would part the four 0.5. */
	static const double ties[] = {0.5, -0.5, 0.9, 0.5, -0.5, 0.2};
	TestEnv test;
	MrenRanked ranked;
	MrenReliabilityBin bins[3];
	MrenReliabilityBin all;
	MrenError err = {0};
	size_t n;

	(void) state;
	test_env_init(&test);
	fill(&test.env, &ranked, signs, 4, &err);
	assert_int_equal(mren_ranked_reliability(&ranked, 2, bins, &n, &all, &err), MREN_OK);
	assert_int_equal(n, 2);
	assert_float_equal(bins[0].confidence, 0.2, 1e-12);
	assert_float_equal(bins[0].error, 0.8, 1e-12);
	assert_float_equal(bins[1].error, 0.3, 1e-12);
	assert_true(bins[0].lower == 0.1 && bins[0].upper == 0.3 && bins[1].lower == 0.6);
	assert_float_equal(all.error, 0.55, 1e-12);
	assert_float_equal(bins[0].coverage, 1, 1e-12);
	assert_float_equal(bins[1].coverage, 0.5, 1e-12);
	mren_ranked_free(&ranked);

	fill(&test.env, &ranked, ties, 6, &err);
	assert_int_equal(mren_ranked_reliability(&ranked, 3, bins, &n, &all, &err), MREN_OK);
	assert_int_equal(n, 2);
	assert_int_equal(bins[0].n, 5);
	assert_int_equal(bins[1].n, 1);
	assert_float_equal(bins[0].confidence, 0.44, 1e-12);
	assert_float_equal(bins[0].accuracy, 0.6, 1e-12);
	assert_float_equal(bins[0].accuracy_above, 4.0 / 6, 1e-12);
	assert_float_equal(bins[1].accuracy_above, 1, 1e-12);
	mren_ranked_free(&ranked);
	fill(&test.env, &ranked, ties, 0, &err);
	assert_int_equal(mren_ranked_reliability(&ranked, 3, bins, &n, &all, &err), MREN_OK);
	assert_int_equal(n, 0);
	mren_ranked_free(&ranked);
	assert_int_equal(test.n_live, 0);
}

/*
 * One row of confidence 1/2 shows an error of 1/2 whatever happens; n rows of one
 * confidence p in one bin, E|mean error| = sqrt(2 p (1 - p) / (pi n)) for large n.
 */
static void
chance_alone_has_a_known_error(void **state)
{
	const size_t n_rows = 2500;
	TestEnv test;
	MrenRanked ranked = {0};
	MrenReliabilityBin bin;
	MrenReliabilityBin all;
	MrenError err = {0};
	double want = sqrt(2 * 0.3 * 0.7 / (3.14159265358979 * 2500));
	size_t n;

	(void) state;
	test_env_init(&test);
	ranked.env = &test.env;
	mren_ranked_add(&ranked, 0.5, true, &err);
	mren_ranked_sort(&ranked, &err);
	assert_int_equal(mren_ranked_reliability(&ranked, 1, &bin, &n, &all, &err), MREN_OK);
	assert_float_equal(all.error, 0.5, 1e-12);
	assert_float_equal(all.expected_error, 0.5, 1e-9);
	ranked.n = 0;
	for (size_t i = 0; i < n_rows; i++)
		mren_ranked_add(&ranked, 0.3, i % 10 < 3, &err);
	mren_ranked_sort(&ranked, &err);
	assert_int_equal(mren_ranked_reliability(&ranked, 1, &bin, &n, &all, &err), MREN_OK);
	assert_float_equal(all.error, 0, 1e-9);
	/* The mean of 200 half-normal values scatters by 0.756 / sqrt(200) of it; four times that. */
	assert_float_equal(all.expected_error, want, 0.22 * want);
	mren_ranked_free(&ranked);
}

/*
 * Rows that are right with the probability they say: the error is that expected
 * by chance.  Over-confident ones, that say sqrt(p), are off by the mean of
 * sqrt(p) - p over 0 .. 1, which is 2/3 - 1/2.
 */
static void
only_what_is_above_chance_is_the_models(void **state)
{
	TestEnv test;
	MrenRandom random;
	MrenRanked honest = {0};
	MrenRanked boastful = {0};
	MrenReliabilityBin bins[15];
	MrenReliabilityBin all;
	MrenError err = {0};
	size_t n;

	(void) state;
	test_env_init(&test);
	honest.env = boastful.env = &test.env;
	mren_random_seed(&random, 77, 0);
	for (int i = 0; i < 4000; i++)
	{
		double p = (double) mren_random_uniform(&random);
		bool right = (double) mren_random_uniform(&random) < p;

		mren_ranked_add(&honest, p, right, &err);
		mren_ranked_add(&boastful, sqrt(p), right, &err);
	}
	mren_ranked_sort(&honest, &err);
	mren_ranked_sort(&boastful, &err);
	mren_ranked_reliability(&honest, 15, bins, &n, &all, &err);
	assert_int_equal(n, 15);
	assert_true(all.expected_error > 0.01 && all.expected_error < 0.03);
	assert_true(fabs(all.error - all.expected_error) < 0.01);
	mren_ranked_reliability(&boastful, 15, bins, &n, &all, &err);
	assert_float_equal(all.error, 1.0 / 6, 0.02);
	mren_ranked_free(&honest);
	mren_ranked_free(&boastful);
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
everything(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenRanked ranked;
	MrenReliabilityBin bins[3];
	MrenReliabilityBin all;
	size_t n;
	MrenStatus status = fill(env, &ranked, arg, 5, err);

	if (status == MREN_OK)
		status = mren_ranked_reliability(&ranked, 3, bins, &n, &all, err);
	mren_ranked_free(&ranked);
	return status;
}

static void
failures_release_everything(void **state)
{
	double signs[5];

	(void) state;
	memcpy(signs, curve, sizeof(signs));
	test_allocation_sweep(everything, signs);
	test_interrupt_sweep(everything, signs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curve_by_hand),
		cmocka_unit_test(any_number_has_its_place),
		cmocka_unit_test(bins_by_hand),
		cmocka_unit_test(chance_alone_has_a_known_error),
		cmocka_unit_test(only_what_is_above_chance_is_the_models),
		cmocka_unit_test(failures_release_everything),
	};

	return cmocka_run_group_tests_name("ranked", tests, NULL, NULL);
}
