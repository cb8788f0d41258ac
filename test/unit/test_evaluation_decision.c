/*
 * test_evaluation_decision.c
 *	  Thresholds of relations, against figures worked out by hand.
 */
#include "support.h"

#include <string.h>

#include "evaluation/decision.h"

#define MAX_ROWS 400

/* Rows of k relations, the last of which is the negative one. */
typedef struct Rows
{
	float probabilities[MAX_ROWS * 3];
	int32_t labels[MAX_ROWS];
	float weights[MAX_ROWS];
	uint64_t pairs[MAX_ROWS];
	MrenScoredRows rows;
} Rows;

static void
init(Rows *r, size_t k)
{
	memset(r, 0, sizeof(*r));
	r->rows =
		(MrenScoredRows){r->probabilities, r->labels, r->weights, r->pairs, 0, k, (int32_t) k - 1};
}

/* n pairs with these probabilities and one row for each of the labels, which end in -1. */
static void
add(Rows *r, size_t n, const float *p, const int32_t *labels)
{
	for (size_t i = 0; i < n; i++)
	{
		uint64_t pair = (r->rows.n + 1) * 0x9e3779b97f4a7c15u;

		for (size_t j = 0; labels[j] >= 0; j++)
		{
			size_t row = r->rows.n++;

			assert_true(row < MAX_ROWS);
			memcpy(r->probabilities + row * r->rows.k, p, r->rows.k * sizeof(float));
			r->labels[row] = labels[j];
			r->weights[row] = 1;
			r->pairs[row] = pair;
		}
	}
}

static MrenDecisionScore
fit(const Rows *r, MrenAim aim, double precision, float *thresholds)
{
	TestEnv test;
	MrenDecisionScore score;
	MrenError err = {0};

	test_env_init(&test);
	assert_int_equal(
		mren_decision_fit(&test.env, &r->rows, aim, precision, thresholds, &score, &err), MREN_OK);
	assert_int_equal(test.n_live, 0);
	return score;
}

/*
 * Pairs with both relations at 0.4 each, others with none at 0.2: any threshold from
 * 0.201 to 0.4 predicts all that is right and nothing else; its middle is taken.  The
 * most likely relation alone would find half.
 */
static void
several_relations_of_a_pair(void **state)
{
	Rows r;
	float thresholds[3];
	MrenDecisionScore score;

	(void) state;
	init(&r, 3);
	add(&r, 20, (float[]){0.4f, 0.4f, 0.2f}, (int32_t[]){0, 1, -1});
	add(&r, 10, (float[]){0.2f, 0.2f, 0.6f}, (int32_t[]){2, -1});
	add(&r, 40, (float[]){0.1f, 0.1f, 0.8f}, (int32_t[]){2, -1});
	score = fit(&r, MREN_AIM_F1, 0, thresholds);
	assert_true(thresholds[0] == 0.3f && thresholds[1] == 0.3f);
	assert_true(thresholds[2] == MREN_NEVER);
	assert_float_equal(score.precision, 1, 1e-12);
	assert_float_equal(score.recall, 1, 1e-12);
	assert_float_equal(score.f1, 1, 1e-12);
}

/*
 * One relation: at 0.9 100 of 100 right, at 0.5 50 of 100, at 0.3 10 of 100.  F1 of a
 * threshold between 0.5 and 0.3: 2 * 150 / (200 + 160); below: 320 / 460; above 0.5:
 * 200 / 260.  The best is 300 / 360, from 0.301 to 0.5.
 * Precision is 1, 150 / 200 and 160 / 300.
 */
static void
fill_steps(Rows *r)
{
	init(r, 2);
	add(r, 100, (float[]){0.9f, 0.1f}, (int32_t[]){0, -1});
	add(r, 50, (float[]){0.5f, 0.5f}, (int32_t[]){0, -1});
	add(r, 50, (float[]){0.5f, 0.5f}, (int32_t[]){1, -1});
	add(r, 10, (float[]){0.3f, 0.7f}, (int32_t[]){0, -1});
	add(r, 90, (float[]){0.3f, 0.7f}, (int32_t[]){1, -1});
}

static void
aims_by_hand(void **state)
{
	Rows r;
	float thresholds[2];
	MrenDecisionScore score;

	(void) state;
	fill_steps(&r);
	score = fit(&r, MREN_AIM_F1, 0, thresholds);
	assert_true(thresholds[0] == 0.4f);
	assert_float_equal(score.f1, 300.0 / 360, 1e-12);
	score = fit(&r, MREN_AIM_PRECISION, 0.9, thresholds);
	assert_true(thresholds[0] == 0.501f);
	assert_float_equal(score.precision, 1, 1e-12);
	assert_float_equal(score.recall, 100.0 / 160, 1e-12);
	score = fit(&r, MREN_AIM_PRECISION, 0.7, thresholds);
	assert_true(thresholds[0] == 0.301f);
	assert_float_equal(score.precision, 0.75, 1e-12);
	score = fit(&r, MREN_AIM_PRECISION, 0.01, thresholds);
	assert_true(thresholds[0] == 0.001f);
	assert_float_equal(score.recall, 1, 1e-12);
}

/* What is never precise enough is never predicted; the negative relation is not asked. */
static void
nothing_is_precise(void **state)
{
	Rows r;
	float thresholds[2];
	MrenDecisionScore score;

	(void) state;
	init(&r, 2);
	add(&r, 20, (float[]){0.5f, 0.5f}, (int32_t[]){0, -1});
	add(&r, 20, (float[]){0.5f, 0.5f}, (int32_t[]){1, -1});
	score = fit(&r, MREN_AIM_PRECISION, 0.9, thresholds);
	assert_true(thresholds[0] == MREN_NEVER);
	assert_true(score.precision == 0 && score.recall == 0 && score.f1 == 0);
	/* Without a negative relation both are decided. */
	r.rows.negative = -1;
	score = fit(&r, MREN_AIM_PRECISION, 0.4, thresholds);
	assert_true(thresholds[0] <= 0.5f && thresholds[1] <= 0.5f);
	assert_float_equal(score.recall, 1, 1e-12);
}

/*
 * A relation with one row, right at 0.05, and another with a hundred, wrong below 0.5:
 * the one does not make the threshold of the first 0.05 or less.
 */
static void
few_rows_follow_the_others(void **state)
{
	Rows r;
	float thresholds[3];

	(void) state;
	init(&r, 3);
	add(&r, 100, (float[]){0.05f, 0.7f, 0.25f}, (int32_t[]){1, -1});
	add(&r, 100, (float[]){0.05f, 0.4f, 0.55f}, (int32_t[]){2, -1});
	add(&r, 1, (float[]){0.06f, 0.04f, 0.9f}, (int32_t[]){0, -1});
	fit(&r, MREN_AIM_F1, 0, thresholds);
	assert_true(thresholds[0] > 0.4f && thresholds[0] <= 0.7f);
	assert_true(thresholds[1] > 0.4f && thresholds[1] <= 0.7f);
}

/*
 * That four of six pairs at 0.2 are right does not make it a good threshold, as long as rows are
 * few; of many rows, so many at 0.2 are no luck.
 */
static void
luck_is_not_believed(void **state)
{
	Rows r;
	float thresholds[2];

	(void) state;
	init(&r, 2);
	add(&r, 60, (float[]){0.9f, 0.1f}, (int32_t[]){0, -1});
	add(&r, 4, (float[]){0.2f, 0.8f}, (int32_t[]){0, -1});
	add(&r, 2, (float[]){0.2f, 0.8f}, (int32_t[]){1, -1});
	fit(&r, MREN_AIM_F1, 0, thresholds);
	assert_true(thresholds[0] > 0.2f && thresholds[0] <= 0.9f);
	for (size_t i = 0; i < r.rows.n; i++)
		r.weights[i] = 100;
	fit(&r, MREN_AIM_F1, 0, thresholds);
	assert_true(thresholds[0] <= 0.2f);
}

static MrenStatus
fit_once(const MrenEnv *env, MrenError *err, void *arg)
{
	Rows *r = arg;
	float thresholds[2];
	MrenDecisionScore score;

	return mren_decision_fit(env, &r->rows, MREN_AIM_F1, 0, thresholds, &score, err);
}

static void
failed_allocations_and_interrupts(void **state)
{
	Rows r;

	(void) state;
	fill_steps(&r);
	test_allocation_sweep(fit_once, &r);
	test_interrupt_sweep(fit_once, &r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_relations_of_a_pair),
		cmocka_unit_test(aims_by_hand),
		cmocka_unit_test(nothing_is_precise),
		cmocka_unit_test(few_rows_follow_the_others),
		cmocka_unit_test(luck_is_not_believed),
		cmocka_unit_test(failed_allocations_and_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
