/*
 * test_nn_crf.c
 *	  The random field over BILOU tags against enumeration of all paths: the
 *	  partition, gradients, the best path, posteriors; and tags read and written.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tagger/bilou.h"

#define MAX_WORDS 5
#define MAX_TAGS 9 /* two types */

typedef struct Field
{
	TestEnv test;
	MrenCrfRules rules;
	MrenCrfWork work;
	size_t n; /* words */
	float emissions[MAX_WORDS * MAX_TAGS];
	float transitions[MAX_TAGS * MAX_TAGS];
	float start[MAX_TAGS];
	float end[MAX_TAGS];
	MrenCrf crf;
} Field;

static void
fill(float *values, size_t n, MrenRandom *random)
{
	for (size_t i = 0; i < n; i++)
		values[i] = mren_random_normal(random);
}

static void
field_init(Field *field, size_t n_types, size_t n, uint64_t seed)
{
	MrenError err = {0};
	MrenRandom random;

	memset(field, 0, sizeof(*field));
	test_env_init(&field->test);
	mren_random_seed(&random, seed, 0);
	field->n = n;
	fill(field->emissions, MAX_WORDS * MAX_TAGS, &random);
	fill(field->transitions, MAX_TAGS * MAX_TAGS, &random);
	fill(field->start, MAX_TAGS, &random);
	fill(field->end, MAX_TAGS, &random);
	field->crf = (MrenCrf){&field->rules, {field->transitions, field->start, field->end}};
	assert_int_equal(mren_bilou_rules(&field->test.env, n_types, &field->rules, &err), MREN_OK);
	assert_int_equal(mren_crf_reserve(&field->test.env, &field->work, &field->rules, n, &err),
					 MREN_OK);
}

static void
field_free(Field *field)
{
	mren_crf_rules_free(&field->test.env, &field->rules);
	mren_crf_work_free(&field->test.env, &field->work);
	assert_int_equal(field->test.n_live, 0);
}

/* The next of all tag sequences, allowed or not; false after the last. */
static bool
next_path(uint32_t *tags, size_t n, size_t n_tags)
{
	for (size_t t = 0; t < n; t++)
	{
		if (++tags[t] < n_tags)
			return true;
		tags[t] = 0;
	}
	return false;
}

/* Whether j may follow i, by the meaning of the letters. */
static bool
may_follow(uint32_t i, uint32_t j)
{
	MrenBilou a = mren_bilou_letter(i);
	MrenBilou b = mren_bilou_letter(j);
	bool inside = a == MREN_BILOU_B || a == MREN_BILOU_I;
	bool goes_on = b == MREN_BILOU_I || b == MREN_BILOU_L;

	if (inside != goes_on)
		return false;
	return !inside || mren_bilou_type(i) == mren_bilou_type(j);
}

/* The plain score of a path; -infinity for one that BILOU forbids. */
static double
plain_score(const Field *field, const uint32_t *tags)
{
	size_t k = field->rules.n_tags;
	MrenBilou first = mren_bilou_letter(tags[0]);
	MrenBilou last = mren_bilou_letter(tags[field->n - 1]);
	double score = field->start[tags[0]] + field->end[tags[field->n - 1]];

	if (first == MREN_BILOU_I || first == MREN_BILOU_L || last == MREN_BILOU_B ||
		last == MREN_BILOU_I)
		return -INFINITY;
	for (size_t t = 0; t < field->n; t++)
	{
		score += field->emissions[t * k + tags[t]];
		if (t > 0)
		{
			if (!may_follow(tags[t - 1], tags[t]))
				return -INFINITY;
			score += field->transitions[tags[t - 1] * k + tags[t]];
		}
	}
	return score;
}

static double
plain_partition(const Field *field)
{
	uint32_t tags[MAX_WORDS] = {0};
	double most = -INFINITY;
	double sum = 0;

	do
		most = fmax(most, plain_score(field, tags));
	while (next_path(tags, field->n, field->rules.n_tags));
	do
		sum += exp(plain_score(field, tags) - most);
	while (next_path(tags, field->n, field->rules.n_tags));
	return most + log(sum);
}

static void
test_partition_and_loss(void **state)
{
	(void) state;
	for (size_t n = 1; n <= 4; n++)
	{
		Field field;
		MrenError err = {0};
		uint32_t tags[MAX_WORDS] = {0};
		size_t n_allowed = 0;

		field_init(&field, 2, n, n);
		do
		{
			double plain = plain_score(&field, tags);
			double loss;
			float d[MAX_WORDS * MAX_TAGS];
			double dweights[MAX_TAGS * (MAX_TAGS + 2)] = {0};
			MrenStatus status = mren_crf_loss(
				&field.test.env, &field.crf, &(MrenCrfSentence){field.emissions, tags, n},
				&field.work, &(MrenCrfGradient){1, d, dweights}, &loss, &err);

			if (plain == -INFINITY)
			{
				assert_int_equal(status, MREN_EDATA);
				continue;
			}
			n_allowed++;
			assert_int_equal(status, MREN_OK);
			assert_true(fabs(loss - (plain_partition(&field) - plain)) < 1e-5);
			if (n == 4 && n_allowed > 20)
				break;
		} while (next_path(tags, n, field.rules.n_tags));
		/* One word: O, and U of either type; two: those squared, and B L of either. */
		if (n == 1)
			assert_int_equal(n_allowed, 3);
		if (n == 2)
			assert_int_equal(n_allowed, 3 * 3 + 2);
		field_free(&field);
	}
}

static void
scale_all(float *values, size_t n, float factor)
{
	for (size_t i = 0; i < n; i++)
		values[i] *= factor;
}

/* Scores whose exponentials are too small or too large for a double. */
static void
test_wide_scores(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 300; seed++)
	{
		Field field;
		MrenError err = {0};
		double partition;
		double first = 0;

		field_init(&field, 2, 3, seed);
		scale_all(field.emissions, MAX_WORDS * MAX_TAGS, 300);
		scale_all(field.transitions, MAX_TAGS * MAX_TAGS, 300);
		partition = plain_partition(&field);
		assert_int_equal(mren_crf_forward(&field.test.env, &field.crf, field.emissions, field.n,
										  &field.work, &err),
						 MREN_OK);
		assert_true(fabs(field.work.partition - partition) < 1e-6);
		assert_int_equal(mren_crf_backward(&field.test.env, &field.crf, field.emissions, field.n,
										   &field.work, &err),
						 MREN_OK);
		for (uint32_t i = 0; i < field.rules.n_tags; i++)
			first += mren_crf_posterior(&field.crf, field.emissions, &i, 0, 1, &field.work);
		assert_true(fabs(first - 1) < 1e-6);
		field_free(&field);
	}
}

/* The loss at the field's present numbers. */
static double
loss_of(Field *field, const uint32_t *tags)
{
	return plain_partition(field) - plain_score(field, tags);
}

static void
check_gradient(Field *field, const uint32_t *tags, float *values, size_t n, const double *gradient)
{
	for (size_t i = 0; i < n; i++)
	{
		float kept = values[i];
		double up;
		double down;

		values[i] = kept + 0.01f;
		up = loss_of(field, tags);
		values[i] = kept - 0.01f;
		down = loss_of(field, tags);
		values[i] = kept;
		assert_true(fabs((up - down) / 0.02 - gradient[i]) < 2e-3);
	}
}

static void
test_gradients(void **state)
{
	/* O B-1 I-1 L-1 */
	const uint32_t tags[4] = {0, 5, 6, 7};
	Field field;
	MrenError err = {0};
	size_t k;
	double loss;
	double sum = 0;
	float demissions[MAX_WORDS * MAX_TAGS];
	double linear[MAX_WORDS * MAX_TAGS];
	double dweights[MAX_TAGS * (MAX_TAGS + 2)] = {0};

	(void) state;
	field_init(&field, 2, 4, 7);
	k = field.rules.n_tags;
	assert_int_equal(mren_crf_loss(&field.test.env, &field.crf,
								   &(MrenCrfSentence){field.emissions, tags, 4}, &field.work,
								   &(MrenCrfGradient){1, demissions, dweights}, &loss, &err),
					 MREN_OK);
	for (size_t i = 0; i < 4 * k; i++)
	{
		linear[i] = demissions[i];
		sum += fabs(linear[i]);
	}
	assert_true(sum > 1);
	check_gradient(&field, tags, field.emissions, 4 * k, linear);
	check_gradient(&field, tags, field.transitions, k * k, dweights);
	check_gradient(&field, tags, field.start, k, dweights + k * k);
	check_gradient(&field, tags, field.end, k, dweights + k * k + k);
	field_free(&field);
}

static void
test_best_path(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 20; seed++)
	{
		Field field;
		MrenError err = {0};
		uint32_t tags[MAX_WORDS] = {0};
		uint32_t best[MAX_WORDS] = {0};
		uint32_t found[MAX_WORDS];
		double most = -INFINITY;
		size_t n = 1 + seed % 4;

		field_init(&field, 2, n, seed);
		do
		{
			double score = plain_score(&field, tags);

			if (score > most)
			{
				most = score;
				memcpy(best, tags, sizeof(best));
			}
		} while (next_path(tags, n, field.rules.n_tags));
		assert_int_equal(mren_crf_decode(&field.test.env, &field.crf, field.emissions, n,
										 &field.work, found, &err),
						 MREN_OK);
		assert_memory_equal(found, best, n * sizeof(uint32_t));
		field_free(&field);
	}
}

/* Whatever the scores, a path that BILOU forbids is not decoded. */
static void
test_never_invalid(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 200; seed++)
	{
		Field field;
		MrenError err = {0};
		uint32_t found[MAX_WORDS];

		field_init(&field, 2, MAX_WORDS, seed);
		for (size_t i = 0; i < MAX_WORDS * MAX_TAGS; i++)
			field.emissions[i] *= 50;
		assert_int_equal(mren_crf_decode(&field.test.env, &field.crf, field.emissions, MAX_WORDS,
										 &field.work, found, &err),
						 MREN_OK);
		assert_true(plain_score(&field, found) > -INFINITY);
		field_free(&field);
	}
}

/* The probability that words 1 and 2 are B-0 L-0: over all paths that say so. */
static void
test_posterior(void **state)
{
	const uint32_t piece[2] = {1, 3};
	Field field;
	MrenError err = {0};
	uint32_t tags[MAX_WORDS] = {0};
	double sum = 0;
	double found;

	(void) state;
	field_init(&field, 2, 4, 11);
	do
	{
		if (tags[1] == piece[0] && tags[2] == piece[1])
			sum += exp(plain_score(&field, tags));
	} while (next_path(tags, 4, field.rules.n_tags));
	assert_int_equal(
		mren_crf_forward(&field.test.env, &field.crf, field.emissions, 4, &field.work, &err),
		MREN_OK);
	assert_int_equal(
		mren_crf_backward(&field.test.env, &field.crf, field.emissions, 4, &field.work, &err),
		MREN_OK);
	found = mren_crf_posterior(&field.crf, field.emissions, piece, 1, 3, &field.work);
	assert_true(fabs(found - sum / exp(plain_partition(&field))) < 1e-6);
	assert_true(found > 0 && found < 1);
	field_free(&field);
}

/*
 * Tags
 */

static void
test_write_and_read(void **state)
{
	const MrenTagSpan spans[] = {{0, 1, 1}, {2, 5, 0}, {5, 7, 1}};
	const uint32_t expected[8] = {8, 0, 1, 2, 3, 5, 7, 0};
	uint32_t tags[8];
	MrenTagSpan found[8];

	(void) state;
	mren_bilou_write(spans, 3, tags, 8);
	assert_memory_equal(tags, expected, sizeof(tags));
	assert_int_equal(mren_bilou_read(tags, 8, found), 3);
	assert_memory_equal(found, spans, sizeof(spans));
}

/*
 * Failures
 */

static MrenStatus
use_all(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenCrfRules rules;
	MrenCrfWork work = {0};
	float *emissions = arg;
	const MrenCrf crf = {&rules, {emissions, emissions, emissions}};
	MrenStatus status = mren_bilou_rules(env, 256, &rules, err);

	if (status != MREN_OK)
		return status;
	status = mren_crf_reserve(env, &work, &rules, 6, err);
	if (status == MREN_OK)
		status = mren_crf_forward(env, &crf, emissions, 6, &work, err);
	if (status == MREN_OK)
		status = mren_crf_backward(env, &crf, emissions, 6, &work, err);
	mren_crf_work_free(env, &work);
	mren_crf_rules_free(env, &rules);
	return status;
}

static void
test_sweeps(void **state)
{
	float *zeros = calloc(1025 * 1025, sizeof(float));

	(void) state;
	assert_non_null(zeros);
	test_allocation_sweep(use_all, zeros);
	test_interrupt_sweep(use_all, zeros);
	free(zeros);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partition_and_loss), cmocka_unit_test(test_wide_scores),
		cmocka_unit_test(test_gradients),		   cmocka_unit_test(test_best_path),
		cmocka_unit_test(test_never_invalid),	   cmocka_unit_test(test_posterior),
		cmocka_unit_test(test_write_and_read),	   cmocka_unit_test(test_sweeps),
	};

	return cmocka_run_group_tests_name("nn_crf", tests, NULL, NULL);
}
