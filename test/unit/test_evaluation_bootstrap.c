/*
 * test_evaluation_bootstrap.c
 *	  The paired bootstrap: scores, bounds, and that they do not depend on the
 *	  order of rows.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "evaluation/bootstrap.h"

#define N 600
#define RESAMPLES 2000

static MrenBootstrap
bootstrap(const MrenPairedCounts *rows, size_t n, uint64_t seed)
{
	TestEnv test;
	MrenBootstrap result;
	MrenError err;

	test_env_init(&test);
	assert_int_equal(mren_bootstrap_paired(&test.env, rows, n,
										   &(MrenResampling){seed, RESAMPLES, 0.9}, &result, &err),
					 MREN_OK);
	assert_int_equal(test.n_live, 0);
	return result;
}

/* n rows, each its own group, of which model m is right on the first right[m]. */
static void
make_rows(MrenPairedCounts *rows, size_t n, size_t right0, size_t right1)
{
	for (size_t i = 0; i < n; i++)
		rows[i] = (MrenPairedCounts){.key = i * UINT64_C(0x9E3779B97F4A7C15),
									 .actual = 1,
									 .predicted = {1, 1},
									 .hits = {i < right0, i < right1}};
}

static void
scores_are_accuracy_where_every_row_counts(void **state)
{
	MrenPairedCounts rows[N];
	MrenBootstrap result;

	(void) state;
	make_rows(rows, N, 300, 450);
	result = bootstrap(rows, N, 1);
	assert_int_equal(result.n_groups, N);
	assert_true(fabs(result.score[0] - 0.5) < 1e-12);
	assert_true(fabs(result.score[1] - 0.75) < 1e-12);
	assert_true(fabs(result.difference - 0.25) < 1e-12);
}

/* Three rows of a relation, one of none: model 0 answers two, one rightly; so
 * F1 = 2 * 1 / (3 + 2).  Model 1 answers all four, three rightly: 6 / 7. */
static void
scores_are_micro_f1_where_the_negative_is_left_out(void **state)
{
	const MrenPairedCounts rows[] = {{1, 1, {1, 1}, {1, 1}},
									 {2, 1, {1, 1}, {0, 1}},
									 {3, 1, {0, 1}, {0, 1}},
									 {4, 0, {0, 1}, {0, 0}}};
	MrenBootstrap result;

	(void) state;
	result = bootstrap(rows, 4, 1);
	assert_true(fabs(result.score[0] - 0.4) < 1e-12);
	assert_true(fabs(result.score[1] - 6.0 / 7) < 1e-12);
}

/*
 * The rows on which only model 1 is right are binomial in a resample:
 * n p = 600 * 0.25, so the difference has the deviation
 * sqrt(p (1 - p) / n) = 0.01768 and its 10th percentile is near
 * 0.25 - 1.2816 * 0.01768 = 0.2273.  The percentile of 2000 resamples has a
 * standard error of about sqrt(0.1 * 0.9 / 2000) / 0.1755 deviations = 0.0007.
 */
static void
the_bound_is_the_tenth_percentile(void **state)
{
	MrenPairedCounts rows[N];
	MrenBootstrap result;

	(void) state;
	make_rows(rows, N, 300, 450);
	result = bootstrap(rows, N, 1);
	assert_true(fabs(result.lower_bound - 0.2273) < 0.004);
	assert_true(result.lower_bound != bootstrap(rows, N, 2).lower_bound);
}

/* Ten rows a group that agree with each other: as sure as of a tenth of the rows. */
static void
groups_are_resampled_whole(void **state)
{
	MrenPairedCounts rows[N];
	MrenBootstrap result;

	(void) state;
	make_rows(rows, N, 300, 450);
	for (size_t i = 0; i < N; i++)
		rows[i].key = i / 10;
	result = bootstrap(rows, N, 1);
	assert_int_equal(result.n_groups, N / 10);
	/* 0.25 - 1.2816 * sqrt(0.25 * 0.75 / 60) = 0.1784 */
	assert_true(fabs(result.lower_bound - 0.1784) < 0.012);
}

static void
equal_models_do_not_differ(void **state)
{
	MrenPairedCounts rows[N];
	MrenBootstrap result;

	(void) state;
	make_rows(rows, N, 400, 400);
	result = bootstrap(rows, N, 7);
	assert_true(result.difference == 0 && result.lower_bound == 0);
}

static void
the_order_of_rows_does_not_matter(void **state)
{
	MrenPairedCounts rows[N];
	MrenPairedCounts turned[N];
	MrenBootstrap a;
	MrenBootstrap b;

	(void) state;
	make_rows(rows, N, 250, 350);
	for (size_t i = 0; i < N; i++)
		rows[i].key = i % 97;
	for (size_t i = 0; i < N; i++)
		turned[i] = rows[(i * 371 + 5) % N]; /* 371 and 600 share no divisor */
	a = bootstrap(rows, N, 3);
	b = bootstrap(turned, N, 3);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void
nothing_and_nonsense(void **state)
{
	const MrenPairedCounts none = {.key = 1};
	TestEnv test;
	MrenBootstrap result;
	MrenError err;

	(void) state;
	assert_int_equal(bootstrap(NULL, 0, 1).n_groups, 0);
	assert_true(bootstrap(&none, 1, 1).score[0] == 0);
	test_env_init(&test);
	assert_int_equal(
		mren_bootstrap_paired(&test.env, &none, 1, &(MrenResampling){1, 99, 0.9}, &result, &err),
		MREN_EPARAM);
	assert_int_equal(
		mren_bootstrap_paired(&test.env, &none, 1, &(MrenResampling){1, 100, 1}, &result, &err),
		MREN_EPARAM);
	assert_int_equal(
		mren_bootstrap_paired(&test.env, &none, 1, &(MrenResampling){1, 100, NAN}, &result, &err),
		MREN_EPARAM);
}

static MrenStatus
settle_once(const MrenEnv *env, MrenError *err, void *arg)
{
	return mren_paired_settle(env, arg, 50, err);
}

static MrenStatus
run_once(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenBootstrap result;

	return mren_bootstrap_paired(env, arg, 50, &(MrenResampling){1, 100, 0.9}, &result, err);
}

static void
survives_failed_allocations_and_interruptions(void **state)
{
	MrenPairedCounts rows[50];

	(void) state;
	make_rows(rows, 50, 20, 30);
	test_allocation_sweep(run_once, rows);
	test_allocation_sweep(settle_once, rows);
	test_interrupt_sweep(run_once, rows);
}

/*
 * Pair 7 has relations 1 and 2, of which all models say three in each row; pair 8 has
 * relation 1 in three rows, and 2 in one; pair 9 has one row.
 */
static void
test_rows_of_one_pair_are_asked_once(void **state)
{
	MrenPairedCounts rows[] = {
		{1, 1, {3, 3}, {1, 0}, 7, 2}, {1, 1, {1, 2}, {1, 1}, 8, 1}, {1, 1, {3, 3}, {1, 1}, 7, 1},
		{1, 1, {1, 2}, {0, 1}, 8, 2}, {1, 1, {1, 2}, {1, 1}, 8, 1}, {1, 1, {4, 0}, {1, 0}, 9, 1},
		{1, 1, {1, 2}, {1, 1}, 8, 1},
	};
	const uint32_t sums[2] = {3 + 3 * 1 + 4, 3 + 3 * 2};
	uint32_t predicted[2] = {0, 0};
	TestEnv test;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_paired_settle(&test.env, rows, 7, &err), MREN_OK);
	for (int i = 0; i < 7; i++)
	{
		predicted[0] += rows[i].predicted[0];
		predicted[1] += rows[i].predicted[1];
	}
	assert_int_equal(predicted[0], sums[0]);
	assert_int_equal(predicted[1], sums[1]);
	assert_int_equal(mren_paired_settle(&test.env, rows, 0, &err), MREN_OK);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scores_are_accuracy_where_every_row_counts),
		cmocka_unit_test(scores_are_micro_f1_where_the_negative_is_left_out),
		cmocka_unit_test(the_bound_is_the_tenth_percentile),
		cmocka_unit_test(groups_are_resampled_whole),
		cmocka_unit_test(equal_models_do_not_differ),
		cmocka_unit_test(the_order_of_rows_does_not_matter),
		cmocka_unit_test(nothing_and_nonsense),
		cmocka_unit_test(test_rows_of_one_pair_are_asked_once),
		cmocka_unit_test(survives_failed_allocations_and_interruptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
