/*
 * test_relation_weak.c
 *	  Training rows that no person labelled, and rows with a distribution over
 *	  relations: their losses, what they teach, and what they must not decide.
 */
#include "relation_set.h"

#include <math.h>

#include "nn/loss.h"

#define K 4
#define N_GOLD 40

/* All rows of an exclusive or but the first N_GOLD are weak. */
static Set *
weak_set(void)
{
	Set *set = new_set();

	make_xor(set, MAX_ROWS);
	for (size_t i = N_GOLD; i < set->n; i++)
		make_weak(&set->rows[i], false);
	return set;
}

/*
 * Losses
 */

static double
soft_loss(const MrenObjective *objective, const float *logits, const float *targets, float *d)
{
	int32_t label = 0;
	float weight = 1.5f;
	bool soft = true;

	return mren_loss(objective, &(MrenLabelledRows){logits, &label, &weight, 1, K, targets, &soft},
					 1, d);
}

static void
check_gradient(const MrenObjective *objective, const float *targets)
{
	float logits[K] = {0.3f, -0.8f, 1.1f, 0.2f};
	float d[K];
	float unused[K];
	double size = 0;

	soft_loss(objective, logits, targets, d);
	for (int j = 0; j < K; j++)
	{
		const float step = 1e-2f;
		float at = logits[j];
		double above;
		double below;

		logits[j] = at + step;
		above = soft_loss(objective, logits, targets, unused);
		logits[j] = at - step;
		below = soft_loss(objective, logits, targets, unused);
		logits[j] = at;
		assert_float_equal(d[j], (above - below) / (2 * (double) step), 1e-3);
		size += fabs((double) d[j]);
	}
	assert_true(size > 0.1);
}

static void
gradients_agree_with_differences(void **state)
{
	static const MrenLoss losses[] = {MREN_LOSS_CROSS_ENTROPY, MREN_LOSS_MSE, MREN_LOSS_RANKING};
	const float targets[K] = {0.5f, 0, 0.3f, 0.2f};

	(void) state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
	{
		MrenObjective objective = {losses[i], -1, 2, 2.5, 0.5};

		check_gradient(&objective, targets);
		objective.fixed = 3;
		check_gradient(&objective, targets);
	}
}

/* With all probability at one relation the loss is that of the label, and its gradient too. */
static void
certainty_is_a_label(void **state)
{
	const float logits[K] = {0.3f, -0.8f, 1.1f, 0.2f};
	const float targets[K] = {0, 1, 0, 0};
	int32_t label = 1;
	float weight = 1.5f;
	float soft[K];
	float hard[K];

	(void) state;
	for (int loss = MREN_LOSS_CROSS_ENTROPY; loss <= MREN_LOSS_RANKING; loss++)
	{
		MrenObjective objective = {(MrenLoss) loss, -1, 2, 2.5, 0.5};
		double a = soft_loss(&objective, logits, targets, soft);
		double b =
			mren_loss(&objective,
					  &(MrenLabelledRows){
						  .logits = logits, .labels = &label, .weights = &weight, .n = 1, .k = K},
					  1, hard);

		assert_float_equal(a, b, 1e-5);
		for (int j = 0; j < K; j++)
			assert_float_equal(soft[j], hard[j], 1e-6);
	}
}

/*
 * Logits 0, ln 3: p = (1/4, 3/4).  Against t = (1/2, 1/2) the cross-entropy is
 * (ln 4 + ln 4/3) / 2 and its gradient p - t; the Brier score is 2 / 16.
 */
static void
losses_by_hand(void **state)
{
	const float logits[2] = {0, 1.09861229f};
	const float targets[2] = {0.5f, 0.5f};
	MrenObjective objective = {.loss = MREN_LOSS_CROSS_ENTROPY, .fixed = -1};
	int32_t label = 0;
	float weight = 1;
	bool soft = true;
	MrenLabelledRows rows = {logits, &label, &weight, 1, 2, targets, &soft};
	float d[2];

	(void) state;
	assert_float_equal(mren_loss(&objective, &rows, 1, d), (log(4) + log(4.0 / 3)) / 2, 1e-6);
	assert_float_equal(d[0], -0.25, 1e-6);
	assert_float_equal(d[1], 0.25, 1e-6);
	objective.loss = MREN_LOSS_MSE;
	assert_float_equal(mren_loss(&objective, &rows, 1, d), 0.125, 1e-6);
}

/*
 * Training
 */

static double
gold_accuracy(TestEnv *test, Set *set, MrenWeakRows weak, MrenTrainReport *report)
{
	MrenOptions options;
	MrenNet *net;
	double right;

	small_options(&options);
	options.weak = weak;
	options.common.validation_share = 0.3;
	net = train_set(&test->env, set, &options, 0, report);
	right = accuracy(&test->env, set, net);
	mren_net_free(&test->env, net);
	return right;
}

/* What N_GOLD rows do not teach, weak ones do, in whatever order they come. */
static void
weak_rows_teach(void **state)
{
	TestEnv test;
	MrenTrainReport report;
	Set *set = weak_set();
	size_t n_gold;

	(void) state;
	test_env_init(&test);
	assert_true(gold_accuracy(&test, set, MREN_WEAK_FIRST, &report) > 0.95);
	n_gold = report.n_train - report.n_weak + report.n_validation;
	assert_int_equal(n_gold, N_GOLD);
	assert_int_equal(report.n_weak + report.n_weak_unused, set->n - N_GOLD);
	assert_int_equal(report.n_targets, report.n_weak);
	assert_true(gold_accuracy(&test, set, MREN_WEAK_MIXED, &report) > 0.95);
	assert_true(gold_accuracy(&test, set, MREN_WEAK_ONLY, &report) > 0.95);
	assert_int_equal(report.n_validation, N_GOLD);
	assert_int_equal(report.n_train, report.n_weak);
	free(set);
}

/* Without gold rows there is nothing to validate by, whatever the rows' split. */
static void
without_gold_nothing_validates(void **state)
{
	TestEnv test;
	MrenTrainReport report;
	Set *set = weak_set();

	(void) state;
	test_env_init(&test);
	for (size_t i = 0; i < N_GOLD; i++)
	{
		make_weak(&set->rows[i], false);
		set->rows[i].example.split = MREN_SPLIT_VALIDATION;
	}
	gold_accuracy(&test, set, MREN_WEAK_FIRST, &report);
	assert_int_equal(report.n_validation, 0);
	assert_false(report.validated);
	assert_float_equal(report.calibration.temperature, 1, 0);
	assert_int_equal(report.n_weak_unused, N_GOLD);
	assert_int_equal(report.n_train, set->n - N_GOLD);
	free(set);
}

static void
thresholds_need_gold(void **state)
{
	TestEnv test;
	Set *set = weak_set();
	MrenOptions options;
	MrenExamples *examples;
	MrenNet *net;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	small_options(&options);
	options.decide.word = MREN_AIM_F1;
	for (size_t i = 0; i < N_GOLD; i++)
		make_weak(&set->rows[i], false);
	assert_int_equal(gather(&test.env, set, 0, &examples, &err), MREN_OK);
	assert_int_equal(fixture_train(&test.env, &set->fixture, &options, examples, &net, NULL, &err),
					 MREN_EDATA);
	assert_non_null(strstr(err.message, "no validation rows"));
	mren_examples_free(examples);
	free(set);
}

static MrenNet *
train_by_split(TestEnv *test, Set *set)
{
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *net;

	small_options(&options);
	options.decide.word = MREN_AIM_F1;
	options.common.epochs = 10;
	net = train_set(&test->env, set, &options, 0, &report);
	assert_int_equal(report.n_validation, N_GOLD / 2);
	assert_true(report.validated);
	return net;
}

static void
expect_same_answers(TestEnv *test, Set *set, const MrenNet *a, const MrenNet *b)
{
	float p[2][FIXTURE_RELATIONS] = {{0}};

	for (size_t i = 0; i < set->n; i++)
	{
		fixture_probabilities(&test->env, &set->fixture, a, &set->rows[i], NULL, p[0]);
		fixture_probabilities(&test->env, &set->fixture, b, &set->rows[i], NULL, p[1]);
		assert_memory_equal(p[0], p[1], sizeof(p[0]));
	}
}

/*
 * Weak rows of a group that validates, and those that the caller has put among the validation
 * rows, are not used: stop, calibration and thresholds, and so the answers, are the same
 * whatever their labels are.
 */
static void
weak_rows_among_validation_rows_do_nothing(void **state)
{
	TestEnv test;
	Set *set = weak_set();
	MrenNet *nets[2];

	(void) state;
	test_env_init(&test);
	for (size_t i = 0; i < N_GOLD / 2; i++)
	{
		set->rows[i].example.split = MREN_SPLIT_VALIDATION;
		set->rows[N_GOLD + i].example.group = set->rows[i].example.group;
		set->rows[2 * N_GOLD + i].example.split = MREN_SPLIT_VALIDATION;
	}
	nets[0] = train_by_split(&test, set);
	for (size_t i = 0; i < N_GOLD / 2; i++)
	{
		make_weak(&set->rows[N_GOLD + i], true);
		make_weak(&set->rows[2 * N_GOLD + i], true);
	}
	nets[1] = train_by_split(&test, set);
	expect_same_answers(&test, set, nets[0], nets[1]);
	mren_net_free(&test.env, nets[0]);
	mren_net_free(&test.env, nets[1]);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* The order in which rows arrive does not matter. */
static void
order_does_not_matter(void **state)
{
	TestEnv test;
	Set *set = weak_set();
	Set *turned = weak_set();
	MrenOptions options;
	MrenNet *nets[2];

	(void) state;
	test_env_init(&test);
	small_options(&options);
	options.common.epochs = 5;
	for (size_t i = 0; i < set->n; i++)
	{
		size_t from = set->n - 1 - i;

		turned->rows[i].example = set->rows[from].example;
	}
	nets[0] = train_set(&test.env, set, &options, 0, NULL);
	nets[1] = train_set(&test.env, turned, &options, 0, NULL);
	expect_same_answers(&test, set, nets[0], nets[1]);
	mren_net_free(&test.env, nets[0]);
	mren_net_free(&test.env, nets[1]);
	free(turned);
	free(set);
}

/* Gold rows that contradict the weak ones have the last word. */
static void
gold_rows_follow_weak_ones(void **state)
{
	TestEnv test;
	MrenTrainReport report;
	Set *set = new_set();
	MrenOptions options;
	MrenNet *net;

	(void) state;
	test_env_init(&test);
	make_xor(set, MAX_ROWS);
	for (size_t i = set->n / 2; i < set->n; i++)
	{
		make_weak(&set->rows[i], true);
	}
	small_options(&options);
	net = train_set(&test.env, set, &options, 0, &report);
	assert_true(report.n_weak > 100);
	assert_true(accuracy(&test.env, set, net) > 0.95);
	mren_net_free(&test.env, net);
	free(set);
}

/*
 * Few gold rows that follow weak ones validate in turn, each by a network that has not seen it:
 * labels that only memory could tell are not told.
 */
static void
gold_rows_validate_in_turn(void **state)
{
	TestEnv test;
	MrenTrainReport report;
	Set *set = weak_set();
	MrenRandom random;
	double right;

	(void) state;
	test_env_init(&test);
	mren_random_seed(&random, 7, 0);
	for (size_t i = 0; i < N_GOLD; i++)
	{
		if (mren_random_below(&random, 2) == 0)
			set->rows[i].example.relation = set->rows[i].relation[0] == 'a'
												? (MrenTextSpan){"differs", 7}
												: (MrenTextSpan){"agrees", 6};
	}
	gold_accuracy(&test, set, MREN_WEAK_FIRST, &report);
	assert_int_equal(report.n_validation, N_GOLD);
	assert_int_equal(report.n_train, report.n_weak);
	assert_true(report.validation_accuracy < 0.75);
	/* Of all of them, not of those of one fold. */
	right = report.validation_accuracy * N_GOLD;
	assert_float_equal(right, round(right), 1e-9);
	gold_accuracy(&test, set, MREN_WEAK_MIXED, &report);
	assert_true(report.n_validation < N_GOLD);
	free(set);
}

/*
 * How many of few gold rows a relation has is a matter of chance: a relation that has a fifth of
 * them is not forgotten where nothing else tells it from the other.
 */
static void
few_gold_rows_do_not_tell_frequencies(void **state)
{
	static const float unknown[2] = {0.5f, 0.5f};
	TestEnv test;
	Set *set = weak_set();
	MrenOptions options;
	MrenNet *net;
	float p[FIXTURE_RELATIONS] = {0};
	double sum = 0;

	(void) state;
	test_env_init(&test);
	for (size_t i = 0; i < set->n; i++)
	{
		if (i < N_GOLD)
			set->rows[i].example.relation =
				i % 5 == 0 ? (MrenTextSpan){"differs", 7} : (MrenTextSpan){"agrees", 6};
		else
			set->rows[i].example.targets.probabilities = unknown;
	}
	small_options(&options);
	net = train_set(&test.env, set, &options, 0, NULL);
	for (size_t i = 0; i < set->n; i++)
	{
		fixture_probabilities(&test.env, &set->fixture, net, &set->rows[i], NULL, p);
		sum += (double) p[1];
	}
	assert_true(sum / (double) set->n > 0.35);
	mren_net_free(&test.env, net);
	free(set);
}

/*
 * Failures
 */

typedef struct Small
{
	const Set *set;
	size_t ensemble; /* of one, gold rows validate in turn */
} Small;

static MrenStatus
small_training(const MrenEnv *env, MrenError *err, void *arg)
{
	const Small *small = arg;
	MrenExamples *examples;
	MrenOptions options;
	MrenNet *net = NULL;
	MrenStatus status;

	small_options(&options);
	options.common.epochs = 2;
	options.ensemble = small->ensemble;
	status = gather(env, small->set, 0, &examples, err);
	if (status == MREN_OK)
		status = fixture_train(env, &small->set->fixture, &options, examples, &net, NULL, err);
	mren_net_free(env, net);
	mren_examples_free(examples);
	return status;
}

static void
failed_allocations_and_interrupts(void **state)
{
	Set *set = weak_set();

	(void) state;
	set->n = 60;
	for (size_t ensemble = 1; ensemble <= 2; ensemble++)
	{
		Small small = {set, ensemble};

		test_allocation_sweep(small_training, &small);
		test_interrupt_sweep(small_training, &small);
	}
	free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gradients_agree_with_differences),
		cmocka_unit_test(certainty_is_a_label),
		cmocka_unit_test(losses_by_hand),
		cmocka_unit_test(weak_rows_teach),
		cmocka_unit_test(without_gold_nothing_validates),
		cmocka_unit_test(thresholds_need_gold),
		cmocka_unit_test(weak_rows_among_validation_rows_do_nothing),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(gold_rows_follow_weak_ones),
		cmocka_unit_test(gold_rows_validate_in_turn),
		cmocka_unit_test(few_gold_rows_do_not_tell_frequencies),
		cmocka_unit_test(failed_allocations_and_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
