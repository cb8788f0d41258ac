/*
 * test_relation_decide.c
 *	  The option "decide": a network that predicts several relations of one pair, its
 *	  answers, and its portable form.
 */
#include "relation_set.h"

#include <math.h>

#include "relation/net_internal.h"

/*
 * The head tells whether "a" holds, the tail whether "b" does; where both hold there
 * are two rows, where neither does one of "none".
 */
static void
make_labels(Set *set, size_t n)
{
	MrenRandom random;

	mren_random_seed(&random, 3, 0);
	set->n = 0;
	for (size_t i = 0; i < n; i++)
	{
		int32_t words[6];
		bool a = (i & 1) != 0;
		bool b = (i >> 1 & 1) != 0;

		for (int w = 0; w < 6; w++)
			words[w] = (int32_t) mren_random_below(&random, FIXTURE_WORDS - 4);
		words[1] = FIXTURE_WORDS - 4 + a;
		words[4] = FIXTURE_WORDS - 2 + b;
		if (a)
			row_init(&set->rows[set->n++], words, 6, 1, 4, "a");
		if (b)
			row_init(&set->rows[set->n++], words, 6, 1, 4, "b");
		if (!a && !b)
			row_init(&set->rows[set->n++], words, 6, 1, 4, "none");
	}
}

static void
decide_options(MrenOptions *options, int aim)
{
	small_options(options);
	options->negative = "none";
	options->decide.word = aim;
	options->common.validation_share = 0.25;
}

static void
test_several(void **state)
{
	Set *set = new_set();
	TestEnv test;
	MrenOptions options;
	MrenTrainReport report;
	MrenNetInfo info;
	MrenNet *net;
	size_t n_both = 0;
	size_t n_predicted = 0;

	(void) state;
	test_env_init(&test);
	make_labels(set, 240);
	decide_options(&options, MREN_AIM_F1);
	net = train_set(&test.env, set, &options, 0, &report);
	mren_net_info(net, &info);
	assert_non_null(info.thresholds);
	assert_true(report.decided && report.decision.f1 > 0.95);
	assert_true(info.thresholds[2] == MREN_NEVER);
	for (size_t i = 0; i < set->n; i++)
	{
		const Row *row = &set->rows[i];
		bool a = row->pieces[1] == FIXTURE_WORDS - 3;
		bool b = row->pieces[4] == FIXTURE_WORDS - 1;
		float p[FIXTURE_RELATIONS];
		MrenNetAnswer answer;

		fixture_probabilities(&test.env, &set->fixture, net, row, NULL, p);
		answer = mren_net_answer(&info, p);
		if (!a && !b)
			assert_int_equal(answer.relation, 2);
		n_both += a && b;
		n_predicted += a && b && mren_net_predicts(&info, 0, (double) p[0]) &&
					   mren_net_predicts(&info, 1, (double) p[1]);
	}
	assert_true(n_both > 0 && (double) n_predicted > 0.95 * (double) n_both);
	mren_net_free(&test.env, net);
	free(set);
	assert_int_equal(test.n_live, 0);
}

static void
test_answers(void **state)
{
	static const float thresholds[3] = {0.2f, 0.5f, MREN_NEVER};
	MrenNetInfo info = {.n_relations = 3, .negative = 2, .threshold = -1, .thresholds = thresholds};
	MrenNetAnswer answer;

	(void) state;
	/* Both are predicted: the likelier one is the answer. */
	answer = mren_net_answer(&info, (float[]){0.3f, 0.6f, 0.1f});
	assert_int_equal(answer.relation, 1);
	assert_true(answer.confidence == 0.6f);
	/* The likelier one is not predicted. */
	answer = mren_net_answer(&info, (float[]){0.3f, 0.4f, 0.3f});
	assert_int_equal(answer.relation, 0);
	/* None is predicted: the negative relation, with its own probability. */
	answer = mren_net_answer(&info, (float[]){0.1f, 0.49f, 0.41f});
	assert_int_equal(answer.relation, 2);
	assert_true(answer.confidence == 0.41f);
	/* It abstains below its threshold, and where no relation means none. */
	info.threshold = 0.5;
	answer = mren_net_answer(&info, (float[]){0.1f, 0.49f, 0.41f});
	assert_int_equal(answer.relation, -1);
	assert_int_equal(answer.strongest, 2);
	info.threshold = -1;
	info.negative = -1;
	answer = mren_net_answer(&info, (float[]){0.1f, 0.49f, 0.41f});
	assert_int_equal(answer.relation, -1);
	assert_int_equal(answer.strongest, 1);
	/* Without thresholds the most likely one, the first of equals. */
	info.thresholds = NULL;
	answer = mren_net_answer(&info, (float[]){0.4f, 0.4f, 0.2f});
	assert_int_equal(answer.relation, 0);
}

/* Thresholds survive the portable form; the network without them has the bytes of before. */
static void
test_bytes(void **state)
{
	Set *set = new_set();
	TestEnv test;
	MrenOptions options;
	MrenNet *net;
	MrenNet *copy;
	MrenNetInfo info;
	MrenNetInfo copied;
	MrenError err = {0};
	uint8_t *bytes;
	size_t len;

	(void) state;
	test_env_init(&test);
	make_labels(set, 80);
	decide_options(&options, MREN_AIM_PRECISION);
	options.decide.number = 0.8;
	net = train_set(&test.env, set, &options, 0, NULL);
	assert_int_equal(mren_net_serialize(net, &test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&test.env, bytes, len, &copy, &err), MREN_OK);
	mren_net_info(net, &info);
	mren_net_info(copy, &copied);
	assert_memory_equal(info.thresholds, copied.thresholds, 3 * sizeof(float));
	mren_net_free(&test.env, copy);
	mren_release(&test.env, bytes);
	/* Too few, and one that is no threshold. */
	net->thresholds.len = 8;
	assert_int_equal(mren_net_serialize(net, &test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&test.env, bytes, len, &copy, &err), MREN_EFORMAT);
	mren_release(&test.env, bytes);
	net->thresholds.len = 0;
	mren_buffer_put_floats(&net->thresholds, (float[]){0.5f, NAN, 0.5f}, 3);
	assert_int_equal(mren_net_serialize(net, &test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&test.env, bytes, len, &copy, &err), MREN_EFORMAT);
	mren_release(&test.env, bytes);
	mren_net_free(&test.env, net);
	free(set);
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
training(const MrenEnv *env, MrenError *err, void *arg)
{
	Set *set = arg;
	MrenOptions options;
	MrenExamples *examples;
	MrenNet *net = NULL;
	MrenStatus status;

	decide_options(&options, MREN_AIM_F1);
	options.common.epochs = 2;
	status = gather(env, set, 0, &examples, err);
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
	make_labels(set, 24);
	test_allocation_sweep(training, set);
	test_interrupt_sweep(training, set);
	free(set);
}

static void
test_needs_validation_rows(void **state)
{
	Set *set = new_set();
	TestEnv test;
	MrenOptions options;
	MrenExamples *examples;
	MrenNet *net = NULL;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	make_labels(set, 24);
	decide_options(&options, MREN_AIM_F1);
	options.common.validation_share = 0;
	assert_int_equal(gather(&test.env, set, 0, &examples, &err), MREN_OK);
	assert_int_equal(fixture_train(&test.env, &set->fixture, &options, examples, &net, NULL, &err),
					 MREN_EDATA);
	assert_string_equal(err.message,
						"there are no validation rows to fit the thresholds of relations on");
	mren_examples_free(examples);
	free(set);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_needs_validation_rows),
		cmocka_unit_test(test_failed_allocations_and_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
