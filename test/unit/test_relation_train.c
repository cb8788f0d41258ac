/*
 * test_relation_train.c
 *	  Training: that it learns, stops, repeats itself to the bit, and refuses
 *	  what it cannot learn from.
 */
#include "relation_set.h"

#include <math.h>

static void
expect_learns(Set *set, const MrenOptions *options, size_t image_dim)
{
	TestEnv test;
	MrenTrainReport report;
	MrenNet *net;

	test_env_init(&test);
	net = train_set(&test.env, set, options, image_dim, &report);
	assert_true(accuracy(&test.env, set, net) == 1);
	assert_true(report.validated);
	assert_true(report.validation_accuracy > 0.95);
	assert_int_equal(report.n_train + report.n_validation, set->n);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
}

static void
test_learns_exclusive_or(void **state)
{
	Set *set = new_set();
	MrenOptions options;

	(void) state;
	make_xor(set, 400);
	small_options(&options);
	expect_learns(set, &options, 0);
	options.common.activation = MREN_ACTIVATION_TANH;
	expect_learns(set, &options, 0);
	options.loss = MREN_LOSS_MSE;
	expect_learns(set, &options, 0);
	options.optimizer = MREN_OPTIMIZER_SGD;
	options.loss = MREN_LOSS_CROSS_ENTROPY;
	options.common.learning_rate = 0.02;
	options.class_weights = MREN_CLASS_WEIGHTS_BALANCED;
	expect_learns(set, &options, 0);
	free(set);
}

static void
test_learns_text_and_image_together(void **state)
{
	Set *set = new_set();
	MrenOptions options;

	(void) state;
	make_images(set, 400);
	small_options(&options);
	options.image_dropout = 0.1;
	expect_learns(set, &options, FIXTURE_IMAGE);
	free(set);
}

/* A row without its image gets an answer, which differs from that with it. */
static void
test_missing_image_is_an_input(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenNet *net;
	size_t n_changed = 0;

	(void) state;
	test_env_init(&test);
	make_images(set, 400);
	small_options(&options);
	net = train_set(&test.env, set, &options, FIXTURE_IMAGE, NULL);
	for (size_t i = 0; i < set->n; i++)
	{
		Row without = set->rows[i];
		size_t with = fixture_predict(&test.env, &set->fixture, net, &set->rows[i]);

		without.example.has_image = false;
		without.example.sentence.pieces = without.pieces;
		without.example.sentence.starts = without.starts;
		n_changed += with != fixture_predict(&test.env, &set->fixture, net, &without);
	}
	assert_true(n_changed > 50);
	mren_net_free(&test.env, net);
	free(set);
}

static void
assert_same_bytes(const MrenEnv *env, const MrenNet *a, const MrenNet *b, bool same)
{
	uint8_t *bytes_a;
	uint8_t *bytes_b;
	size_t len_a;
	size_t len_b;
	MrenError err = {0};

	assert_int_equal(mren_net_serialize(a, env, &bytes_a, &len_a, &err), MREN_OK);
	assert_int_equal(mren_net_serialize(b, env, &bytes_b, &len_b, &err), MREN_OK);
	assert_int_equal(len_a == len_b && memcmp(bytes_a, bytes_b, len_a) == 0, same);
	mren_release(env, bytes_a);
	mren_release(env, bytes_b);
}

/* Rows in any order, gathered in parts and joined, give the same network. */
static void
test_same_rows_same_network(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenExamples *parts[3];
	MrenNet *nets[3];
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	make_images(set, 150);
	small_options(&options);
	options.common.epochs = 4;
	nets[0] = train_set(&test.env, set, &options, FIXTURE_IMAGE, NULL);
	for (int p = 0; p < 3; p++)
		assert_int_equal(fixture_examples(&test.env, FIXTURE_IMAGE, &parts[p], &err), MREN_OK);
	for (size_t i = set->n; i > 0; i--)
		assert_int_equal(mren_examples_append(parts[i % 3], &set->rows[i - 1].example,
											  set->rows[i - 1].image, &err),
						 MREN_OK);
	assert_int_equal(mren_examples_merge(parts[2], parts[0], &err), MREN_OK);
	assert_int_equal(mren_examples_merge(parts[2], parts[1], &err), MREN_OK);
	assert_int_equal(
		fixture_train(&test.env, &set->fixture, &options, parts[2], &nets[1], NULL, &err), MREN_OK);
	options.common.seed = 2;
	nets[2] = train_set(&test.env, set, &options, FIXTURE_IMAGE, NULL);
	assert_same_bytes(&test.env, nets[0], nets[1], true);
	assert_same_bytes(&test.env, nets[0], nets[2], false);
	for (int p = 0; p < 3; p++)
	{
		mren_examples_free(parts[p]);
		mren_net_free(&test.env, nets[p]);
	}
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* Several pools: more rows than one holds, most of them the same few. */
static void
test_more_rows_than_a_pool(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenExamples *examples;
	MrenTrainReport report;
	MrenNet *net;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	make_xor(set, 400);
	small_options(&options);
	options.common.epochs = 1;
	options.common.batch_size = 256;
	options.common.refit = false;
	assert_int_equal(fixture_examples(&test.env, 0, &examples, &err), MREN_OK);
	for (size_t i = 0; i < 40000; i++)
	{
		Row *row = &set->rows[i % set->n];

		row->example.weight = 1 + (float) (i / set->n);
		assert_int_equal(mren_examples_append(examples, &row->example, NULL, &err), MREN_OK);
	}
	assert_int_equal(
		fixture_train(&test.env, &set->fixture, &options, examples, &net, &report, &err), MREN_OK);
	assert_int_equal(report.n_train + report.n_validation, 40000);
	/* A group is 100 copies of one row: whole groups validate. */
	assert_int_equal(report.n_validation % 100, 0);
	assert_true(report.n_validation > 1000 && report.n_validation < 8000);
	mren_examples_free(examples);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* With splits given, validation rows validate and test rows take no part. */
static void
test_splits_are_obeyed(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *net;

	(void) state;
	test_env_init(&test);
	make_xor(set, 100);
	small_options(&options);
	options.common.epochs = 2;
	for (size_t i = 0; i < set->n; i++)
		set->rows[i].example.split = i < 20	  ? MREN_SPLIT_VALIDATION
									 : i < 50 ? MREN_SPLIT_TEST
									 : i < 60 ? MREN_SPLIT_NONE
											  : MREN_SPLIT_TRAIN;
	snprintf(set->rows[49].relation, sizeof(set->rows[49].relation), "testonly");
	set->rows[49].example.relation = (MrenTextSpan){set->rows[49].relation, 8};
	snprintf(set->rows[3].relation, sizeof(set->rows[3].relation), "validation only");
	set->rows[3].example.relation = (MrenTextSpan){set->rows[3].relation, 15};
	net = train_set(&test.env, set, &options, 0, &report);
	assert_int_equal(report.n_validation, 20);
	assert_int_equal(report.n_train, 50);
	assert_int_equal(report.n_rows, 100);
	assert_int_equal(report.n_relations, 3);
	assert_int_equal(mren_net_relation_index(net, "testonly", 8), -1);
	assert_int_equal(mren_net_relation_index(net, "validation only", 15), 2);
	for (size_t i = 0; i < set->n; i++)
		assert_int_equal(mren_net_trained_on(net, mren_example_identity(&set->rows[i].example)),
						 i < 20 || i >= 50);
	mren_net_free(&test.env, net);
	free(set);
}

/* Patience 3 on labels that mean nothing: it stops soon, and the best epoch
 * is kept. */
static void
test_stops_early(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenRandom random;
	MrenNet *net;

	(void) state;
	test_env_init(&test);
	make_xor(set, 200);
	mren_random_seed(&random, 8, 0);
	for (size_t i = 0; i < set->n; i++)
	{
		snprintf(set->rows[i].relation, 8, "%d", (int) mren_random_below(&random, 2));
		set->rows[i].example.relation.len = 1;
	}
	small_options(&options);
	options.common.patience = 3;
	net = train_set(&test.env, set, &options, 0, &report);
	assert_int_equal(report.epochs_run, report.best_epoch + 3);
	assert_int_equal(report.refit_epochs, report.best_epoch);
	/* Labels are random, so confidence must be low. */
	assert_true(report.calibration.temperature > 1);
	mren_net_free(&test.env, net);
	free(set);
}

static void
expect_failure(Set *set, const MrenOptions *options, MrenStatus expected, const char *message)
{
	TestEnv test;
	MrenExamples *examples;
	MrenError err = {0};
	MrenNet *net = NULL;

	test_env_init(&test);
	assert_int_equal(gather(&test.env, set, 0, &examples, &err), MREN_OK);
	assert_int_equal(fixture_train(&test.env, &set->fixture, options, examples, &net, NULL, &err),
					 expected);
	assert_string_equal(err.message, message);
	mren_examples_free(examples);
	assert_int_equal(test.n_live, 0);
}

static void
test_refuses_what_cannot_be_learned(void **state)
{
	Set *set = new_set();
	MrenOptions options;

	(void) state;
	small_options(&options);
	expect_failure(set, &options, MREN_EDATA, "no training rows");
	make_xor(set, 8);
	options.negative = "nothing";
	expect_failure(set, &options, MREN_EDATA,
				   "no training row has the negative relation \"nothing\"");
	options.negative = NULL;
	for (size_t i = 0; i < set->n; i++)
		set->rows[i].example.split = MREN_SPLIT_VALIDATION;
	expect_failure(set, &options, MREN_EDATA, "no training row is left beside 8 validation rows");
	for (size_t i = 0; i < set->n; i++)
		set->rows[i].example.split = MREN_SPLIT_TEST;
	expect_failure(set, &options, MREN_EDATA,
				   "no training rows: all 8 rows have the split \"test\"");
	make_xor(set, 1);
	expect_failure(set, &options, MREN_EDATA,
				   "all training rows have the same relation \"agrees\"");
	free(set);
}

static void
test_divergence_is_an_error(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenExamples *examples;
	MrenError err = {0};
	MrenNet *net = NULL;

	(void) state;
	test_env_init(&test);
	make_xor(set, 100);
	small_options(&options);
	options.optimizer = MREN_OPTIMIZER_SGD;
	/* Beyond what mren_options_set would take: the values overflow at once. */
	options.common.learning_rate = 1e30;
	options.common.weight_decay = 0;
	assert_int_equal(gather(&test.env, set, 0, &examples, &err), MREN_OK);
	assert_int_equal(fixture_train(&test.env, &set->fixture, &options, examples, &net, NULL, &err),
					 MREN_ENUMERIC);
	assert_non_null(strstr(err.message, "training diverged in epoch"));
	assert_string_equal(err.hint, "Lower option \"learning_rate\", which is 1e+30.");
	mren_examples_free(examples);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* A tensor's floats by name; the view's data belongs to the net. */
static MrenStatus
small_training(const MrenEnv *env, MrenError *err, void *arg)
{
	Set *set = arg;
	MrenOptions options;
	MrenExamples *examples;
	MrenNet *net = NULL;
	MrenStatus status;

	small_options(&options);
	options.common.epochs = 2;
	options.text_encoder = set->encoder;
	options.word_vectors = MREN_WORDS_FINE_TUNED;
	options.filters = 3;
	options.ensemble = set->ensemble;
	status = gather(env, set, FIXTURE_IMAGE, &examples, err);
	if (status == MREN_OK)
		status = fixture_train(env, &set->fixture, &options, examples, &net, NULL, err);
	mren_examples_free(examples);
	mren_net_free(env, net);
	return status;
}

static void
test_failed_allocations_and_interrupts(void **state)
{
	Set *set = new_set();

	(void) state;
	make_images(set, 24);
	test_allocation_sweep(small_training, set);
	test_interrupt_sweep(small_training, set);
	set->ensemble = 2;
	set->encoder = MREN_TEXT_CONV;
	test_allocation_sweep(small_training, set);
	test_interrupt_sweep(small_training, set);
	free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns_exclusive_or),
		cmocka_unit_test(test_learns_text_and_image_together),
		cmocka_unit_test(test_missing_image_is_an_input),
		cmocka_unit_test(test_same_rows_same_network),
		cmocka_unit_test(test_more_rows_than_a_pool),
		cmocka_unit_test(test_splits_are_obeyed),
		cmocka_unit_test(test_stops_early),
		cmocka_unit_test(test_refuses_what_cannot_be_learned),
		cmocka_unit_test(test_divergence_is_an_error),
		cmocka_unit_test(test_failed_allocations_and_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
