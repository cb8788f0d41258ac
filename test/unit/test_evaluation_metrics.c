/*
 * test_evaluation_metrics.c
 *	  Metrics against figures worked out by hand and against SemEval's own
 *	  scorer; calibration.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "evaluation/calibration.h"
#include "evaluation/metrics.h"
#include "evaluation/labelled_pairs.h"

static MrenTextSpan
text(const char *name)
{
	return (MrenTextSpan){name, name != NULL ? (uint32_t) strlen(name) : 0};
}

static void
add(MrenConfusion *confusion, const char *actual, const char *predicted, uint64_t n)
{
	MrenError err = {0};

	assert_int_equal(mren_confusion_add(confusion, text(actual), text(predicted), n, &err),
					 MREN_OK);
}

/*
 * Three labels, 20 rows, one abstained:
 *			 a	b  none  (abstained)
 *	 a		 5	1	 2	   1
 *	 b		 2	3	 0
 *	 none	 1	0	 5
 * a: p 5/8, r 5/9, f1 10/17.  b: p 3/4, r 3/5, f1 6/9.  none: p 5/7, r 5/6.
 */
static MrenConfusion *
worked_example(TestEnv *test)
{
	MrenConfusion *confusion;
	MrenError err = {0};

	test_env_init(test);
	assert_int_equal(mren_confusion_create(&test->env, &confusion, &err), MREN_OK);
	add(confusion, "none", "none", 5);
	add(confusion, "a", "a", 5);
	add(confusion, "a", "b", 1);
	add(confusion, "a", "none", 2);
	add(confusion, "a", NULL, 1);
	add(confusion, "b", "a", 2);
	add(confusion, "b", "b", 3);
	add(confusion, "none", "a", 1);
	return confusion;
}

static void
test_figures_by_hand(void **state)
{
	TestEnv test;
	MrenConfusion *confusion = worked_example(&test);
	MrenScore score;

	(void) state;
	assert_int_equal(mren_confusion_n_labels(confusion), 3);
	assert_int_equal(mren_confusion_total(confusion), 20);
	assert_memory_equal(mren_confusion_label(confusion, 2).data, "none", 4);
	assert_int_equal(mren_confusion_count(confusion, 0, 2), 2);
	assert_int_equal(mren_confusion_count(confusion, 0, 3), 1);
	assert_int_equal(mren_confusion_count(confusion, 1, 2), 0);
	mren_confusion_score(confusion, 0, &score);
	assert_float_equal(score.precision, 5.0 / 8, 1e-12);
	assert_float_equal(score.recall, 5.0 / 9, 1e-12);
	assert_float_equal(score.f1, 10.0 / 17, 1e-12);
	assert_int_equal(score.support, 9);
	mren_confusion_micro(confusion, text("none"), &score);
	assert_float_equal(score.precision, 8.0 / 12, 1e-12);
	assert_float_equal(score.recall, 8.0 / 14, 1e-12);
	assert_float_equal(score.f1, 16.0 / 26, 1e-12);
	assert_int_equal(score.support, 14);
	mren_confusion_macro(confusion, text("none"), &score);
	assert_float_equal(score.f1, (10.0 / 17 + 6.0 / 9) / 2, 1e-12);
	/* Without a negative relation all three labels count. */
	mren_confusion_macro(confusion, text(NULL), &score);
	assert_float_equal(score.recall, (5.0 / 9 + 3.0 / 5 + 5.0 / 6) / 3, 1e-12);
	assert_float_equal(mren_confusion_accuracy(confusion), 13.0 / 20, 1e-12);
	assert_false(mren_confusion_semeval(confusion, &score));
	mren_confusion_free(confusion);
	assert_int_equal(test.n_live, 0);
}

static void
test_figures_without_a_denominator(void **state)
{
	TestEnv test;
	MrenConfusion *confusion;
	MrenScore score;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	mren_confusion_create(&test.env, &confusion, &err);
	assert_true(isnan(mren_confusion_accuracy(confusion)));
	mren_confusion_micro(confusion, text(NULL), &score);
	assert_true(isnan(score.f1));
	add(confusion, "", "x", 2);
	add(confusion, "", NULL, 1);
	mren_confusion_score(confusion, 0, &score); /* "": never predicted */
	assert_true(isnan(score.precision));
	assert_true(score.recall == 0 && score.f1 == 0);
	mren_confusion_score(confusion, 1, &score); /* "x": never actual */
	assert_true(isnan(score.recall));
	assert_true(score.precision == 0 && score.f1 == 0);
	mren_confusion_free(confusion);
}

static void
test_merging_is_adding(void **state)
{
	TestEnv test;
	MrenConfusion *a = worked_example(&test);
	MrenConfusion *b;
	MrenScore score;
	MrenError err = {0};

	(void) state;
	mren_confusion_create(&test.env, &b, &err);
	add(b, "z", "a", 1);
	assert_int_equal(mren_confusion_merge(b, a, &err), MREN_OK);
	assert_int_equal(mren_confusion_merge(b, a, &err), MREN_OK);
	assert_int_equal(mren_confusion_total(b), 41);
	mren_confusion_score(b, 0, &score);
	assert_float_equal(score.precision, 10.0 / 17, 1e-12);
	mren_confusion_free(a);
	mren_confusion_free(b);
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
fill_many(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenConfusion *confusion;
	MrenStatus status;

	(void) arg;
	status = mren_confusion_create(env, &confusion, err);
	if (status != MREN_OK)
		return status;
	for (int i = 0; i < 200 && status == MREN_OK; i++)
	{
		char actual[16];

		snprintf(actual, sizeof(actual), "label %d", i % 60);
		status = mren_confusion_add(confusion, text(actual), text("x"), 1, err);
	}
	mren_confusion_free(confusion);
	return status;
}

static void
test_metrics_survive_failed_allocations(void **state)
{
	(void) state;
	test_allocation_sweep(fill_many, NULL);
}

static const char *const semeval_labels[] = {
	"Cause-Effect(e1,e2)",
	"Cause-Effect(e2,e1)",
	"Component-Whole(e1,e2)",
	"Component-Whole(e2,e1)",
	"Content-Container(e1,e2)",
	"Content-Container(e2,e1)",
	"Entity-Destination(e1,e2)",
	"Entity-Destination(e2,e1)",
	"Entity-Origin(e1,e2)",
	"Entity-Origin(e2,e1)",
	"Instrument-Agency(e1,e2)",
	"Instrument-Agency(e2,e1)",
	"Member-Collection(e1,e2)",
	"Member-Collection(e2,e1)",
	"Message-Topic(e1,e2)",
	"Message-Topic(e2,e1)",
	"Product-Producer(e1,e2)",
	"Product-Producer(e2,e1)",
	"Other",
};

/* Random answers and predictions; the first `n_labels` labels only, so that
 * some relations are missing from the key. */
static void
random_answers(MrenConfusion *confusion, FILE *key, FILE *answers, uint64_t seed)
{
	MrenRandom random;
	size_t n_labels;
	size_t n_rows;

	mren_random_seed(&random, seed, 0);
	n_labels = 3 + mren_random_below(&random, 17);
	n_rows = 20 + mren_random_below(&random, 300);
	for (size_t i = 0; i < n_rows; i++)
	{
		const char *actual = semeval_labels[18 - mren_random_below(&random, n_labels)];
		const char *predicted = semeval_labels[mren_random_below(&random, 19)];

		if (mren_random_below(&random, 3) > 0)
			predicted = actual;
		fprintf(key, "%zu\t%s\n", i, actual);
		if (i > 0 && mren_random_below(&random, 10) == 0)
			predicted = NULL;
		else
			fprintf(answers, "%zu\t%s\n", i, predicted);
		add(confusion, actual, predicted, 1);
	}
}

/* The scorer's last line: "... macro-averaged F1 = 12.34% >>>". */
static void
perl_score(const char *scorer, const char *answers, const char *key, char *score, size_t size)
{
	char command[2048];
	char line[1024];
	FILE *pipe;

	snprintf(command, sizeof(command), "perl '%s' '%s' '%s' 2>/dev/null", scorer, answers, key);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	score[0] = '\0';
	while (fgets(line, sizeof(line), pipe) != NULL)
	{
		char *at = strstr(line, "The official score");

		if (at != NULL && (at = strstr(at, "F1 = ")) != NULL)
			snprintf(score, size, "%.*s", (int) strcspn(at + 5, "%"), at + 5);
	}
	pclose(pipe);
}

static void
test_semeval_equals_its_scorer_to_the_digit(void **state)
{
	const char *data = test_shared_data();
	char scorer[1024];

	(void) state;
	if (data == NULL)
	{
		print_message("MREN_TEST_DATA is not set: SemEval's scorer is not there\n");
		skip();
	}
	snprintf(scorer, sizeof(scorer), "%s/text/semeval2010_task8/semeval2010_task8_scorer-v1.2.pl",
			 data);
	if (access(scorer, R_OK) != 0)
	{
		print_message("\"%s\" is not there\n", scorer);
		skip();
	}
	for (uint64_t seed = 1; seed <= 25; seed++)
	{
		char key[] = "/tmp/mren_key_XXXXXX";
		char answers[] = "/tmp/mren_answers_XXXXXX";
		FILE *key_file = fdopen(mkstemp(key), "w");
		FILE *answers_file = fdopen(mkstemp(answers), "w");
		char expected[32];
		char got[32];
		TestEnv test;
		MrenConfusion *confusion;
		MrenScore score;
		MrenError err = {0};

		test_env_init(&test);
		mren_confusion_create(&test.env, &confusion, &err);
		random_answers(confusion, key_file, answers_file, seed);
		fclose(key_file);
		fclose(answers_file);
		perl_score(scorer, answers, key, expected, sizeof(expected));
		unlink(key);
		unlink(answers);
		assert_true(mren_confusion_semeval(confusion, &score));
		snprintf(got, sizeof(got), "%.2f", 100 * score.f1);
		assert_string_equal(got, expected);
		mren_confusion_free(confusion);
	}
}

/*
 * By hand: R forward 4 of 6 right, 1 with the wrong direction, 1 as Other; S
 * backward 2 of 2; Other 1 of 2, the other one as R backward.
 * R: correct 4, predicted 4 + 1 + 1 = 6, actual 6: F1 2/3.  S: F1 1.
 */
static void
test_semeval_by_hand(void **state)
{
	TestEnv test;
	MrenConfusion *confusion;
	MrenScore score;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	mren_confusion_create(&test.env, &confusion, &err);
	add(confusion, "Other", "Other", 1);
	assert_false(mren_confusion_semeval(confusion, &score));
	add(confusion, "R(e1,e2)", "R(e1,e2)", 4);
	add(confusion, "R(e1,e2)", "R(e2,e1)", 1);
	add(confusion, "R(e1,e2)", "Other", 1);
	add(confusion, "S(e2,e1)", "S(e2,e1)", 2);
	add(confusion, "Other", "R(e2,e1)", 1);
	assert_true(mren_confusion_semeval(confusion, &score));
	assert_float_equal(score.f1, (2.0 / 3 + 1) / 2, 1e-12);
	assert_int_equal(score.support, 8);
	/* A relation that is only predicted does not count. */
	add(confusion, "Other", "T(e1,e2)", 5);
	assert_true(mren_confusion_semeval(confusion, &score));
	assert_float_equal(score.f1, (2.0 / 3 + 1) / 2, 1e-12);
	add(confusion, "Other", "undirected", 1);
	assert_false(mren_confusion_semeval(confusion, &score));
	mren_confusion_free(confusion);
}

/*
 * Logits z = (0, d): rows of label 1 with frequency q want sigmoid(d / T) = q,
 * so T = d / log(q / (1 - q)).  With d = 2 and 3 of 4 rows: T = 2 / log 3.
 */
static void
test_temperature_has_a_closed_form(void **state)
{
	TestEnv test;
	const float logits[8] = {0, 2, 0, 2, 0, 2, 0, 2};
	const int32_t labels[4] = {1, 1, 0, 1};
	const float weights[4] = {2, 2, 1, 2};
	MrenLogits rows = {logits, labels, NULL, 4, 2, -1};
	MrenCalibration fit;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_calibration_fit(&test.env, &rows, &fit, &err), MREN_OK);
	assert_float_equal(fit.temperature, 2 / log(3), 1e-5);
	assert_true(fit.bias == 0);
	/* H(1/4) in nats. */
	assert_float_equal(mren_calibration_loss(&rows, &fit), 0.5623351446, 1e-8);
	/* Weights count as so many rows: 6 of 7. */
	rows.weights = weights;
	mren_calibration_fit(&test.env, &rows, &fit, &err);
	assert_float_equal(fit.temperature, 2 / log(6), 1e-5);
	/* H(1/7), the mean over their weights. */
	assert_float_equal(mren_calibration_loss(&rows, &fit), log(7) - 6.0 / 7 * log(6), 1e-7);
	/* Rows that are all right want no doubt at all: to the bound, or to where a
	 * double shows no further gain. */
	rows.labels = (const int32_t[4]){1, 1, 1, 1};
	mren_calibration_fit(&test.env, &rows, &fit, &err);
	assert_true(fit.temperature >= 0.05 && fit.temperature < 0.1);
	/* All wrong: complete doubt. */
	rows.labels = (const int32_t[4]){0, 0, 0, 0};
	mren_calibration_fit(&test.env, &rows, &fit, &err);
	assert_float_equal(fit.temperature, 20, 1e-6);
	test.interrupt_at = test.n_checks + 1;
	assert_int_equal(mren_calibration_fit(&test.env, &rows, &fit, &err), MREN_ECANCELED);
	rows.n = 0;
	test.interrupt_at = 0;
	assert_int_equal(mren_calibration_fit(&test.env, &rows, &fit, &err), MREN_OK);
	assert_true(fit.temperature == 1 && fit.bias == 0);
}

#define FIT_ROWS 400
#define FIT_RELATIONS 4

/* Scores as a network with a fixed negative gives them; labels drawn from
 * softmax([s / 2, 1.5]), the truth that the fit should come near. */
static void
draw_rows(float *logits, int32_t *labels)
{
	MrenRandom random;

	mren_random_seed(&random, 11, 0);
	for (size_t i = 0; i < FIT_ROWS; i++)
	{
		float *row = logits + i * FIT_RELATIONS;
		double p[FIT_RELATIONS];
		double sum = 0;
		double at;

		for (size_t j = 0; j < FIT_RELATIONS; j++)
		{
			row[j] = j == 2 ? 0 : 3 * mren_random_normal(&random);
			p[j] = j == 2 ? exp(1.5) : exp((double) row[j] / 2);
			sum += p[j];
		}
		at = (double) mren_random_uniform(&random) * sum;
		for (labels[i] = 0; labels[i] < FIT_RELATIONS - 1 && at >= p[labels[i]]; labels[i]++)
			at -= p[labels[i]];
	}
}

/* No point of a fine grid around, or of a coarse one over the whole range, has a
 * lower loss than what Newton's method found. */
static void
test_temperature_and_bias_against_a_grid(void **state)
{
	static float logits[FIT_ROWS * FIT_RELATIONS];
	static int32_t labels[FIT_ROWS];
	MrenLogits rows = {logits, labels, NULL, FIT_ROWS, FIT_RELATIONS, 2};
	TestEnv test;
	MrenCalibration fit;
	MrenError err = {0};
	double least;

	(void) state;
	test_env_init(&test);
	draw_rows(logits, labels);
	assert_int_equal(mren_calibration_fit(&test.env, &rows, &fit, &err), MREN_OK);
	assert_float_equal(fit.temperature, 2, 0.4);
	assert_float_equal(fit.bias, 1.5, 0.4);
	/* The prior moves the bias by about b / 9 / (rows * p (1 - p)) < 0.003. */
	least = mren_calibration_loss(&rows, &fit) - 1e-5;
	for (int i = -10; i <= 10; i++)
	{
		for (int j = -10; j <= 10; j++)
		{
			MrenCalibration near = {fit.temperature * exp(i * 0.01), fit.bias + j * 0.02};
			MrenCalibration far = {exp(i * 0.29), j * 1.9};

			assert_true(mren_calibration_loss(&rows, &near) >= least);
			assert_true(mren_calibration_loss(&rows, &far) >= least);
		}
	}
}

/* The likelihood of a row's label under a calibration. */
static double
likelihood(const MrenLogits *rows, const MrenCalibration *calibration)
{
	double sum = 0;
	float p[FIT_RELATIONS];

	for (size_t i = 0; i < rows->n; i++)
	{
		mren_calibration_apply(calibration, rows->logits + i * rows->k, rows->k, rows->negative, p);
		sum += log((double) p[rows->labels[i]]);
	}
	return sum;
}

/*
 * Without lapses the rate is less than the two rows that chance may make seem so, and the others
 * are those of the plain fit.  With every fourth label a random one, the rate is a quarter, give or
 * take two standard deviations, 0.25 +- 0.06; and a grid has nothing likelier.
 */
static void
test_lapse_rate(void **state)
{
	static float logits[FIT_ROWS * FIT_RELATIONS];
	static int32_t labels[FIT_ROWS];
	MrenLogits rows = {logits, labels, NULL, FIT_ROWS, FIT_RELATIONS, 2};
	TestEnv test;
	MrenCalibration plain;
	MrenCalibration fit;
	MrenError err = {0};
	double most;

	(void) state;
	test_env_init(&test);
	draw_rows(logits, labels);
	assert_int_equal(mren_calibration_fit(&test.env, &rows, &plain, &err), MREN_OK);
	assert_int_equal(mren_calibration_fit_lapse(&test.env, &rows, &fit, &err), MREN_OK);
	assert_true(plain.lapse == 0);
	assert_true(fit.lapse < 0.06);
	for (int32_t i = 0; i < FIT_ROWS; i += 4)
		labels[i] = i / 4 % FIT_RELATIONS;
	assert_int_equal(mren_calibration_fit_lapse(&test.env, &rows, &fit, &err), MREN_OK);
	assert_float_equal(fit.lapse, 0.25, 0.06);
	most = likelihood(&rows, &fit) + 0.5;
	for (int i = 0; i <= 20; i++)
	{
		for (int j = -10; j <= 10; j++)
		{
			MrenCalibration other = {fit.temperature * exp(j * 0.1), fit.bias, i * 0.05};

			assert_true(likelihood(&rows, &other) <= most);
		}
	}
	test.interrupt_at = test.n_checks + 1;
	assert_int_equal(mren_calibration_fit_lapse(&test.env, &rows, &fit, &err), MREN_ECANCELED);
	test.interrupt_at = 0;
	rows.n = 0;
	assert_int_equal(mren_calibration_fit_lapse(&test.env, &rows, &fit, &err), MREN_OK);
	assert_true(fit.temperature == 1 && fit.lapse == 0);
}

/* No row of the negative relation: likelihood alone would send b to minus infinity. */
static void
test_bias_of_few_rows_is_finite(void **state)
{
	const float logits[4] = {1, 0, 1, 0};
	const int32_t labels[2] = {0, 0};
	MrenLogits rows = {logits, labels, NULL, 2, 2, 1};
	TestEnv test;
	MrenCalibration fit;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_calibration_fit(&test.env, &rows, &fit, &err), MREN_OK);
	assert_true(fit.bias > -5 && fit.bias < 0);
}

/*
 * Rows with several labels
 */

static void
expect_margins(const MrenConfusion *confusion, const char *label, uint64_t actual,
			   uint64_t predicted, uint64_t correct)
{
	MrenMargins margins;
	size_t i;

	assert_true(mren_confusion_find(confusion, text(label), &i));
	mren_confusion_margins(confusion, i, &margins);
	assert_int_equal(margins.actual, actual);
	assert_int_equal(margins.predicted, predicted);
	assert_int_equal(margins.correct, correct);
}

static void
test_sets_by_hand(void **state)
{
	TestEnv test;
	MrenConfusion *confusion;
	MrenConfusion *merged;
	MrenError err = {0};
	MrenScore score;
	const MrenTextSpan abc[] = {text("a"), text("b"), text("c")};
	const MrenTextSpan bd[] = {text("b"), text("d")};

	(void) state;
	test_env_init(&test);
	mren_confusion_create(&test.env, &confusion, &err);
	mren_confusion_create(&test.env, &merged, &err);
	assert_int_equal(mren_confusion_add_sets(confusion, abc, 3, bd, 2, &err), MREN_OK);
	assert_int_equal(mren_confusion_add_sets(confusion, abc, 2, abc, 2, &err), MREN_OK);
	assert_int_equal(mren_confusion_add_sets(confusion, NULL, 0, bd, 1, &err), MREN_OK);
	assert_int_equal(mren_confusion_add_sets(confusion, NULL, 0, NULL, 0, &err), MREN_OK);
	assert_int_equal(mren_confusion_merge(merged, confusion, &err), MREN_OK);
	expect_margins(merged, "a", 2, 1, 1);
	expect_margins(merged, "b", 2, 3, 2);
	expect_margins(merged, "c", 1, 0, 0);
	expect_margins(merged, "d", 0, 1, 0);
	/* a is missed for d, c for nothing; a b has no counterpart. */
	assert_int_equal(mren_confusion_count(merged, 0, 3), 1);
	assert_int_equal(mren_confusion_count(merged, 2, 4), 1);
	assert_int_equal(mren_confusion_count(merged, 4, 1), 1);
	assert_int_equal(mren_confusion_count(merged, 4, 4), 0);
	assert_float_equal(mren_confusion_accuracy(merged), 2.0 / 4, 1e-12);
	mren_confusion_micro(merged, text(NULL), &score);
	assert_float_equal(score.f1, 2 * 3.0 / (5 + 5), 1e-12);
	mren_confusion_free(merged);
	mren_confusion_free(confusion);
	assert_int_equal(test.n_live, 0);
}

static void
add_pair(MrenLabelledPairs *labels, uint64_t pair, const char *actual, const char *first,
		 const char *second)
{
	const MrenTextSpan said[] = {text(first), text(second)};
	MrenError err = {0};

	assert_int_equal(mren_labelled_pairs_add(labels, pair, text(actual), said,
											 (first != NULL) + (second != NULL), &err),
					 MREN_OK);
}

/*
 * Pair 1 has a and b, and c and a are said of it; pair 2 has a, in two rows; pair 3
 * has a, and a note that it has none; pair 4 has none; two rows have no pair.
 */
static MrenConfusion *
count_example(const MrenEnv *env, bool turned)
{
	MrenLabelledPairs *labels;
	MrenConfusion *confusion;
	MrenError err = {0};

	mren_labelled_pairs_create(env, &labels, &err);
	mren_confusion_create(env, &confusion, &err);
	if (turned)
		add_pair(labels, 3, "a", "a", NULL);
	add_pair(labels, 1, "b", "c", "a");
	add_pair(labels, 2, "a", "b", NULL);
	add_pair(labels, 4, "none", "none", NULL);
	add_pair(labels, 3, "none", "a", NULL);
	add_pair(labels, 2, "a", "b", NULL);
	add_pair(labels, 1, "a", "c", "a");
	if (!turned)
		add_pair(labels, 3, "a", "a", NULL);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			mren_labelled_pairs_add_single(labels, text(i > 0 ? "b" : "a"), NULL, 0, &err),
			MREN_OK);
	assert_int_equal(mren_labelled_pairs_count(labels, text("none"), confusion, &err), MREN_OK);
	mren_labelled_pairs_free(labels);
	return confusion;
}

static void
test_rows_of_pairs(void **state)
{
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (int turned = 0; turned < 2; turned++)
	{
		MrenConfusion *confusion = count_example(&test.env, turned);

		assert_int_equal(mren_confusion_total(confusion), 7);
		assert_int_equal(mren_confusion_exact(confusion), 2);
		expect_margins(confusion, "a", 5, 2, 2);
		expect_margins(confusion, "b", 2, 2, 0);
		expect_margins(confusion, "c", 0, 1, 0);
		expect_margins(confusion, "none", 1, 1, 1);
		/* b of pair 1 for c, in spite of the order in which they were said. */
		assert_int_equal(mren_confusion_count(confusion, 1, 2), 1);
		mren_confusion_free(confusion);
	}
	assert_int_equal(test.n_live, 0);
}

/* One row for each pair: what mren_confusion_add counts. */
static void
test_single_rows_are_counted_as_ever(void **state)
{
	TestEnv test;
	MrenConfusion *example = worked_example(&test);
	MrenConfusion *confusion;
	MrenLabelledPairs *labels;
	MrenError err = {0};
	uint64_t pair = 0;

	(void) state;
	mren_labelled_pairs_create(&test.env, &labels, &err);
	mren_confusion_create(&test.env, &confusion, &err);
	for (size_t i = 0; i < 3; i++)
	{
		for (size_t j = 0; j <= 3; j++)
		{
			MrenTextSpan said = j < 3 ? mren_confusion_label(example, j) : text(NULL);

			for (uint64_t k = 0; k < mren_confusion_count(example, i, j); k++)
				assert_int_equal(mren_labelled_pairs_add(labels, pair++,
														 mren_confusion_label(example, i), &said,
														 j < 3, &err),
								 MREN_OK);
		}
	}
	assert_int_equal(mren_labelled_pairs_count(labels, text("none"), confusion, &err), MREN_OK);
	for (size_t i = 0; i < 3; i++)
	{
		for (size_t j = 0; j <= 3; j++)
			assert_int_equal(mren_confusion_count(confusion, i, j),
							 mren_confusion_count(example, i, j));
	}
	assert_float_equal(mren_confusion_accuracy(confusion), 13.0 / 20, 1e-12);
	mren_labelled_pairs_free(labels);
	mren_confusion_free(confusion);
	mren_confusion_free(example);
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
count_once(const MrenEnv *env, MrenError *err, void *arg)
{
	const MrenTextSpan said[] = {text("a"), text("b")};
	MrenLabelledPairs *labels = NULL;
	MrenConfusion *confusion = NULL;
	MrenStatus status = mren_labelled_pairs_create(env, &labels, err);

	(void) arg;
	if (status == MREN_OK)
		status = mren_confusion_create(env, &confusion, err);
	for (uint64_t i = 0; i < 3000 && status == MREN_OK; i++)
		status =
			mren_labelled_pairs_add(labels, i / 2, i % 2 > 0 ? said[0] : text("c"), said, 2, err);
	if (status == MREN_OK)
		status = mren_labelled_pairs_count(labels, text(NULL), confusion, err);
	mren_confusion_free(confusion);
	mren_labelled_pairs_free(labels);
	return status;
}

static void
test_pairs_survive_failed_allocations(void **state)
{
	(void) state;
	test_allocation_sweep(count_once, NULL);
	test_interrupt_sweep(count_once, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures_by_hand),
		cmocka_unit_test(test_figures_without_a_denominator),
		cmocka_unit_test(test_merging_is_adding),
		cmocka_unit_test(test_metrics_survive_failed_allocations),
		cmocka_unit_test(test_sets_by_hand),
		cmocka_unit_test(test_rows_of_pairs),
		cmocka_unit_test(test_single_rows_are_counted_as_ever),
		cmocka_unit_test(test_pairs_survive_failed_allocations),
		cmocka_unit_test(test_semeval_by_hand),
		cmocka_unit_test(test_semeval_equals_its_scorer_to_the_digit),
		cmocka_unit_test(test_temperature_has_a_closed_form),
		cmocka_unit_test(test_temperature_and_bias_against_a_grid),
		cmocka_unit_test(test_lapse_rate),
		cmocka_unit_test(test_bias_of_few_rows_is_finite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
