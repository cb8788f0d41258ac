/*
 * test_relation_warm.c
 *	  A training that is stopped keeps its best epoch; one that is started from
 *	  another network's weights begins where that one ended, if they fit.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdlib.h>

#define N_ROWS 200

typedef struct Set
{
	Fixture fixture;
	Row rows[N_ROWS];
	uint8_t sha256[32];
	uint8_t other[32];
} Set;

/* The relation is that of the head, one of four words, in `relations` names. */
static Set *
new_set(const char *const *relations)
{
	Set *set = calloc(1, sizeof(Set));
	MrenRandom random;

	assert_non_null(set);
	fixture_init(&set->fixture);
	set->sha256[0] = 1;
	set->other[0] = 2;
	mren_random_seed(&random, 3, 0);
	for (int i = 0; i < N_ROWS; i++)
	{
		int32_t words[5];

		for (int w = 0; w < 5; w++)
			words[w] = (int32_t) mren_random_below(&random, FIXTURE_WORDS - 4);
		words[1] = FIXTURE_WORDS - 4 + i % 4;
		row_init(&set->rows[i], words, 5, 1, 3, relations[i % 4]);
	}
	return set;
}

static const char *const plain[] = {"a", "b", "c", "c"};
static const char *const grown[] = {"b", "d", "c", "c"};

typedef struct Run
{
	const Set *set;
	MrenOptions options;
	const MrenNet *warm;
	const uint8_t *sha256;
	int stop_after; /* epochs of all phases; 0: never; -1: before the first */
	MrenTrainReport report;
	double first_loss;
	MrenNet *net;
	double rows_left; /* after the first epoch, at most; and those that came */
	double rows_after;
} Run;

static void
run_init(Run *run, const Set *set)
{
	memset(run, 0, sizeof(*run));
	run->set = set;
	run->sha256 = set->sha256;
	mren_options_init(&run->options);
	run->options.text_encoder = MREN_TEXT_POOL;
	run->options.common.n_hidden = 1;
	run->options.common.hidden[0] = 16;
	run->options.common.hidden[1] = 0;
	run->options.common.dropout = 0;
	run->options.common.hidden_dropout = 0;
	run->options.common.learning_rate = 0.005;
	run->options.common.epochs = 30;
	run->options.common.patience = 0;
	run->options.common.validation_share = 0.2;
}

static MrenStatus
train(const MrenEnv *env, Run *run, MrenTrainer *trainer, MrenError *err)
{
	MrenProgress progress = {0};
	int epochs = 0;

	(void) env;
	if (run->warm != NULL)
		mren_trainer_warm(trainer, run->warm);
	if (run->stop_after < 0)
		mren_trainer_stop(trainer);
	do
	{
		MREN_TRY(mren_trainer_step(trainer, &progress, err));
		if (progress.event != MREN_TRAIN_EPOCH)
			continue;
		if (++epochs == 1)
		{
			run->first_loss = progress.loss;
			run->rows_left = progress.rows_later + (double) (progress.epochs - progress.epoch) *
													   (double) progress.rows_total;
		}
		else
			run->rows_after += (double) progress.rows_total;
		if (epochs == run->stop_after)
			mren_trainer_stop(trainer);
	} while (progress.event != MREN_TRAIN_DONE);
	mren_trainer_report(trainer, &run->report);
	return mren_trainer_finish(trainer, &run->net, err);
}

static MrenStatus
run_training(const MrenEnv *env, MrenError *err, void *arg)
{
	Run *run = arg;
	MrenTrainerInputs inputs = {.vectors = run->set->fixture.table,
								.embeddings_sha256 = run->sha256};
	MrenExamples *examples;
	MrenTrainer *trainer;
	MrenStatus status;

	run->net = NULL;
	MREN_TRY(fixture_examples(env, 0, &examples, err));
	status = MREN_OK;
	for (int i = 0; i < N_ROWS && status == MREN_OK; i++)
		status = mren_examples_append(examples, &run->set->rows[i].example, NULL, err);
	if (status == MREN_OK)
		status = mren_examples_source(examples, &inputs.source, err);
	if (status == MREN_OK)
	{
		status = mren_trainer_create(env, &run->options, &inputs, &trainer, err);
		if (status == MREN_OK)
		{
			status = train(env, run, trainer, err);
			mren_trainer_free(trainer);
		}
	}
	mren_examples_free(examples);
	return status;
}

static void
must_train(TestEnv *test, Run *run)
{
	MrenError err = {0};

	if (run_training(&test->env, &err, run) != MREN_OK)
		fail_msg("%s", err.message);
}

static void
assert_same_network(const MrenNet *a, const MrenNet *b)
{
	assert_int_equal(mren_net_n_tensors(a), mren_net_n_tensors(b));
	for (size_t i = 0; i < mren_net_n_tensors(a); i++)
	{
		MrenTensorView x;
		MrenTensorView y;

		mren_net_tensor(a, i, &x);
		mren_net_tensor(b, i, &y);
		assert_memory_equal(x.data, y.data, x.rows * x.cols * sizeof(float));
	}
}

/* Stopped after so many epochs is the same as allowed so many, without refit. */
static void
a_stop_keeps_the_best_epoch(void **state)
{
	Set *set = new_set(plain);
	TestEnv test;
	Run stopped;
	Run whole;

	(void) state;
	test_env_init(&test);
	run_init(&stopped, set);
	stopped.stop_after = 5;
	must_train(&test, &stopped);
	assert_int_equal(stopped.report.epochs_run, 5 + 1);
	assert_int_equal(stopped.report.refit_epochs, 0);
	run_init(&whole, set);
	whole.options.common.epochs = 5;
	whole.options.common.refit = false;
	must_train(&test, &whole);
	assert_int_equal(stopped.report.best_epoch, whole.report.best_epoch);
	assert_same_network(stopped.net, whole.net);
	mren_net_free(&test.env, stopped.net);
	mren_net_free(&test.env, whole.net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* What is left after the first epoch counts the refit, but not if there is none. */
static void
rows_left_count_the_refit(void **state)
{
	Set *set = new_set(plain);
	TestEnv test;
	Run run;

	(void) state;
	test_env_init(&test);
	for (int refit = 0; refit <= 1; refit++)
	{
		run_init(&run, set);
		run.options.common.epochs = 6;
		run.options.common.refit = refit;
		must_train(&test, &run);
		assert_true(run.rows_after <= run.rows_left);
		/* Five more epochs on four fifths of the rows; and at most six on all. */
		assert_true(fabs(run.rows_left / N_ROWS - (5 * 0.8 + (refit ? 6 : 0))) < 0.6);
		mren_net_free(&test.env, run.net);
	}
	free(set);
}

/*
 * After the first epoch of weak rows, the fit, the folds and the refit are gold rows; unless those
 * judge.
 */
static void
rows_left_count_the_fit_after_weak_rows(void **state)
{
	Set *set = new_set(plain);
	TestEnv test;
	Run run;

	(void) state;
	test_env_init(&test);
	for (int i = 0; i < N_ROWS; i += 2)
		set->rows[i].example.weak = true;
	for (int only = 0; only <= 1; only++)
	{
		double later;
		double n_gold;

		run_init(&run, set);
		run.options.common.epochs = 6;
		run.options.common.validation_share = MREN_VALIDATION_SHARE_AUTO;
		run.options.weak = only ? MREN_WEAK_ONLY : MREN_WEAK_FIRST;
		must_train(&test, &run);
		assert_true(run.report.n_weak > 0);
		assert_int_equal(run.report.n_train, run.report.n_weak);
		n_gold = (double) run.report.n_validation;
		later = (run.rows_left - 5 * (double) run.report.n_weak) / 6;
		/* The fit of one of four folds, three more, and the refit */
		assert_true(only ? later == 0 : later > 4 * n_gold && later < 5 * n_gold);
		assert_true(run.rows_after <= run.rows_left);
		mren_net_free(&test.env, run.net);
	}
	free(set);
}

/* A stop among the folds keeps the network of the fit, and judges by the folds before it. */
static void
a_stop_among_the_folds_keeps_the_fit(void **state)
{
	Set *set = new_set(plain);
	TestEnv test;
	Run runs[2];

	(void) state;
	test_env_init(&test);
	for (int i = 0; i < N_ROWS; i += 2)
		set->rows[i].example.weak = true;
	for (int i = 0; i < 2; i++)
	{
		run_init(&runs[i], set);
		runs[i].options.common.epochs = 2;
		runs[i].options.common.patience = 0;
		runs[i].options.common.refit = false;
	}
	runs[0].stop_after = 2 + 2 + 3; /* in the second fold of three */
	must_train(&test, &runs[0]);
	must_train(&test, &runs[1]);
	assert_true(runs[0].report.n_validation < runs[1].report.n_validation);
	assert_true(runs[0].report.n_train > runs[1].report.n_train);
	assert_int_equal(runs[0].report.best_epoch, runs[1].report.best_epoch);
	mren_net_free(&test.env, runs[0].net);
	mren_net_free(&test.env, runs[1].net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* In the second phase, the best epoch of the first one is kept. */
static void
a_stop_amid_the_refit_keeps_the_first_phase(void **state)
{
	Set *set = new_set(plain);
	TestEnv test;
	Run stopped;
	Run whole;

	(void) state;
	test_env_init(&test);
	run_init(&stopped, set);
	stopped.options.common.epochs = 6;
	stopped.stop_after = 8;
	must_train(&test, &stopped);
	assert_int_equal(stopped.report.refit_epochs, 0);
	run_init(&whole, set);
	whole.options.common.epochs = 6;
	whole.options.common.refit = false;
	must_train(&test, &whole);
	assert_true(stopped.report.calibration.temperature == whole.report.calibration.temperature);
	assert_same_network(stopped.net, whole.net);
	mren_net_free(&test.env, stopped.net);
	mren_net_free(&test.env, whole.net);
	free(set);
}

static void
the_first_epoch_is_finished(void **state)
{
	Set *set = new_set(plain);
	TestEnv test;
	Run run;

	(void) state;
	test_env_init(&test);
	run_init(&run, set);
	run.stop_after = -1;
	must_train(&test, &run);
	assert_int_equal(run.report.best_epoch, 1);
	assert_true(run.report.validated);
	mren_net_free(&test.env, run.net);
	run.options.common.validation_share = 0;
	must_train(&test, &run);
	assert_int_equal(run.report.epochs_run, 1);
	mren_net_free(&test.env, run.net);
	free(set);
}

static void
warm_weights_begin_where_they_ended(void **state)
{
	Set *set = new_set(plain);
	TestEnv test;
	Run cold;
	Run warm;

	(void) state;
	test_env_init(&test);
	run_init(&cold, set);
	must_train(&test, &cold);
	assert_false(cold.report.warm);
	assert_string_equal(cold.report.cold, "");
	run_init(&warm, set);
	warm.warm = cold.net;
	warm.options.common.epochs = 1;
	must_train(&test, &warm);
	assert_true(warm.report.warm);
	assert_true(cold.first_loss > 0.5);
	assert_true(warm.first_loss < 0.2 * cold.first_loss);
	mren_net_free(&test.env, warm.net);
	mren_net_free(&test.env, cold.net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* Of a, b, c and now b, c, d: b and c are known; words and layers as well. */
static void
relations_that_both_have_are_taken(void **state)
{
	Set *set = new_set(plain);
	Set *more = new_set(grown);
	TestEnv test;
	Run cold;
	Run warm;

	(void) state;
	test_env_init(&test);
	run_init(&cold, set);
	must_train(&test, &cold);
	run_init(&warm, more);
	warm.warm = cold.net;
	warm.options.common.epochs = 1;
	warm.options.common.learning_rate = 1e-8;
	warm.options.common.refit = false;
	must_train(&test, &warm);
	assert_true(warm.report.warm);
	for (int i = 2; i < 4; i++)
	{
		MrenTextSpan relation = mren_net_relation(
			warm.net, fixture_predict(&test.env, &set->fixture, warm.net, &more->rows[i]));

		assert_int_equal(relation.len, 1);
		assert_int_equal(relation.data[0], 'c');
	}
	mren_net_free(&test.env, warm.net);
	mren_net_free(&test.env, cold.net);
	free(set);
	free(more);
}

static void
expect_cold(TestEnv *test, Run *run, const char *why)
{
	must_train(test, run);
	assert_false(run->report.warm);
	assert_string_equal(run->report.cold, why);
	mren_net_free(&test->env, run->net);
}

static void
what_does_not_fit_is_said(void **state)
{
	Set *set = new_set(plain);
	TestEnv test;
	Run first;
	Run run;

	(void) state;
	test_env_init(&test);
	run_init(&first, set);
	first.options.common.epochs = 1;
	must_train(&test, &first);
	run_init(&run, set);
	run.warm = first.net;
	run.options.common.epochs = 1;
	run.sha256 = set->other;
	expect_cold(&test, &run, "it uses different word embeddings");
	run.sha256 = set->sha256;
	run.options.common.activation = MREN_ACTIVATION_TANH;
	expect_cold(&test, &run, "its activation is different");
	run.options.common.activation = MREN_ACTIVATION_RELU;
	run.options.common.hidden[0] = 8;
	expect_cold(&test, &run, "its weights \"hidden1.weight\" have a different shape");
	run.options.common.hidden[0] = 16;
	for (int i = 0; i < N_ROWS; i++)
		set->rows[i].example.head_type = (MrenTextSpan){"thing", 5};
	expect_cold(&test, &run, "its entity types are different");
	mren_net_free(&test.env, first.net);
	free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_keeps_the_best_epoch),
		cmocka_unit_test(rows_left_count_the_refit),
		cmocka_unit_test(rows_left_count_the_fit_after_weak_rows),
		cmocka_unit_test(a_stop_among_the_folds_keeps_the_fit),
		cmocka_unit_test(a_stop_amid_the_refit_keeps_the_first_phase),
		cmocka_unit_test(the_first_epoch_is_finished),
		cmocka_unit_test(warm_weights_begin_where_they_ended),
		cmocka_unit_test(relations_that_both_have_are_taken),
		cmocka_unit_test(what_does_not_fit_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
