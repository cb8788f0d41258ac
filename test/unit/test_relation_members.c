/*
 * test_relation_members.c
 *	  Networks of several members: ensembles, and the text-only member.
 */
#include "relation_set.h"

#include <math.h>

static MrenTensorView
tensor_named(const MrenNet *net, const char *name)
{
	MrenTensorView view;

	for (size_t i = 0; i < mren_net_n_tensors(net); i++)
	{
		mren_net_tensor(net, i, &view);
		if (strcmp(view.name, name) == 0)
			return view;
	}
	fail_msg("no tensor \"%s\"", name);
	return view;
}

static bool
same_times(const MrenTensorView *a, const MrenTensorView *b, float factor)
{
	for (size_t i = 0; i < a->rows * a->cols; i++)
	{
		if (a->data[i] != factor * b->data[i])
			return false;
	}
	return a->rows == b->rows && a->cols == b->cols;
}

/*
 * Without validation the members differ only in their random seeds: the first
 * is the network that would have been trained alone, with weight one half, and
 * the second is another.
 */
static void
test_members_are_networks(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenNet *alone;
	MrenNet *both;
	MrenTrainReport report;
	MrenTensorView a;
	MrenTensorView b;

	(void) state;
	test_env_init(&test);
	make_images(set, 64);
	small_options(&options);
	options.text_encoder = MREN_TEXT_CONV;
	options.filters = 3;
	options.common.validation_share = 0;
	options.common.epochs = 3;
	alone = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_int_equal(report.n_members, 1);
	options.ensemble = 2;
	both = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_int_equal(report.n_members, 2);
	assert_int_equal(report.epochs_run, 6);

	a = tensor_named(both, "hidden1.weight");
	b = tensor_named(alone, "hidden1.weight");
	assert_true(same_times(&a, &b, 1));
	a = tensor_named(both, "2/hidden1.weight");
	assert_false(same_times(&a, &b, 1));
	a = tensor_named(both, "output.weight");
	b = tensor_named(alone, "output.weight");
	assert_true(same_times(&a, &b, 0.5f));
	mren_net_free(&test.env, alone);
	mren_net_free(&test.env, both);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* All rows at once by one net, each alone by the other. */
static void
expect_batches_agree(const Set *set, const MrenNet *net, const MrenNet *copy)
{
	MrenInput *inputs = calloc(set->n, sizeof(MrenInput));
	MrenNetInfo info;
	MrenError err = {0};
	float *features;
	float *scratch;
	float *p;
	float one[8];

	mren_net_info(net, &info);
	assert_true(info.n_relations <= 8);
	for (size_t i = 0; i < set->n; i++)
		inputs[i] = (MrenInput){.sentence = &set->rows[i].example.sentence,
								.head_type = -1,
								.tail_type = -1,
								.image = set->rows[i].image};
	features = malloc((set->n + 1) * info.row_dim * sizeof(float));
	scratch = malloc(mren_net_scratch(net, set->n) * sizeof(float));
	p = malloc(set->n * info.n_relations * sizeof(float));
	assert_int_equal(
		mren_net_features(net, &set->fixture.table, inputs, set->n, features, scratch, &err), 0);
	assert_int_equal(mren_net_probabilities(net, features, set->n, p, scratch, &err), 0);
	features += set->n * info.row_dim;
	for (size_t i = 0; i < set->n; i++)
	{
		assert_int_equal(
			mren_net_features(copy, &set->fixture.table, &inputs[i], 1, features, scratch, &err),
			0);
		assert_int_equal(mren_net_probabilities(copy, features, 1, one, scratch, &err), 0);
		assert_memory_equal(one, p + i * info.n_relations, info.n_relations * sizeof(float));
	}
	free(features - set->n * info.row_dim);
	free(scratch);
	free(p);
	free(inputs);
}

/* Written, read and written again: the same bytes; they answer alike. */
static void
expect_same_again(TestEnv *test, const Set *set, const MrenNet *net)
{
	MrenError err = {0};
	MrenNet *copy;
	uint8_t *bytes;
	uint8_t *again;
	size_t len;
	size_t len_again;

	assert_int_equal(mren_net_serialize(net, &test->env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&test->env, bytes, len, &copy, &err), MREN_OK);
	assert_int_equal(mren_net_serialize(copy, &test->env, &again, &len_again, &err), MREN_OK);
	assert_int_equal(len, len_again);
	assert_memory_equal(bytes, again, len);
	expect_batches_agree(set, net, copy);
	mren_release(&test->env, bytes);
	mren_release(&test->env, again);
	mren_net_free(&test->env, copy);
}

/*
 * With members joined by validation: the network learns, is read back with the
 * same bytes, and a row's answer has the same bits alone and in a batch.
 */
static void
test_ensemble_learns(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenNetInfo info;
	MrenNet *net;

	(void) state;
	test_env_init(&test);
	make_images(set, 400);
	small_options(&options);
	options.ensemble = 3;
	net = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_true(accuracy(&test.env, set, net) == 1);
	assert_int_equal(report.n_members, 3);
	assert_true(report.validated && report.validation_accuracy > 0.95);
	mren_net_info(net, &info);
	assert_int_equal(info.n_members, 3);
	assert_int_equal(info.n_parameters, report.n_parameters);
	assert_int_equal(info.features_dim, report.features_dim);

	expect_same_again(&test, set, net);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* If training is stopped while the second member is trained, the first one is left. */
static void
test_stopped_ensemble(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenExamples *examples;
	MrenTrainer *trainer;
	MrenProgress progress = {0};
	MrenTrainReport report;
	MrenNet *net;
	MrenError err = {0};
	MrenTrainerInputs inputs;

	(void) state;
	test_env_init(&test);
	make_xor(set, 200);
	small_options(&options);
	options.ensemble = 3;
	options.common.epochs = 4;
	assert_int_equal(gather(&test.env, set, 0, &examples, &err), MREN_OK);
	assert_int_equal(fixture_inputs(&set->fixture, examples, &inputs, &err), MREN_OK);
	assert_int_equal(mren_trainer_create(&test.env, &options, &inputs, &trainer, &err), MREN_OK);
	do
	{
		assert_int_equal(mren_trainer_step(trainer, &progress, &err), MREN_OK);
		if (progress.member == 2)
			mren_trainer_stop(trainer);
	} while (progress.event != MREN_TRAIN_DONE);
	assert_int_equal(mren_trainer_finish(trainer, &net, &err), MREN_OK);
	mren_trainer_report(trainer, &report);
	assert_int_equal(report.n_members, 1);
	assert_true(report.validated);
	assert_int_equal(report.refit_epochs, 0);
	mren_trainer_free(trainer);
	mren_net_free(&test.env, net);
	mren_examples_free(examples);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* The relation follows from the text; the image is that of some other row. */
static void
make_useless_images(Set *set, size_t n)
{
	MrenRandom random;

	make_xor(set, n);
	mren_random_seed(&random, 3, 0);
	for (size_t i = 0; i < n; i++)
	{
		float other[FIXTURE_IMAGE];

		for (int j = 0; j < FIXTURE_IMAGE; j++)
			other[j] = mren_random_normal(&random);
		row_set_image(&set->rows[i], other);
	}
}

static bool
has_tensor(const MrenNet *net, const char *name)
{
	MrenTensorView view;

	for (size_t i = 0; i < mren_net_n_tensors(net); i++)
	{
		mren_net_tensor(net, i, &view);
		if (strcmp(view.name, name) == 0)
			return true;
	}
	return false;
}

/* How far a row's image moves the probability of the first relation: the mean over rows. */
static double
moved_by_image(const MrenEnv *env, const Set *set, const MrenNet *net)
{
	double sum = 0;

	for (size_t i = 0; i < set->n; i++)
	{
		const Row *row = &set->rows[i];
		float with[FIXTURE_RELATIONS];
		float without[FIXTURE_RELATIONS];

		fixture_probabilities(env, &set->fixture, net, row, row->image, with);
		fixture_probabilities(env, &set->fixture, net, row, NULL, without);
		sum += fabs((double) with[0] - (double) without[0]);
	}
	return sum / (double) set->n;
}

/* If images are useless, the text-only member decides. */
static void
test_useless_image_gets_no_weight(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenTrainReport without_text_only;
	MrenNetInfo info;
	MrenNet *net;
	MrenTensorView attended;
	MrenTensorView text_only;
	double moved;

	(void) state;
	test_env_init(&test);
	make_useless_images(set, 60);
	small_options(&options);
	options.ensemble = 2;
	net = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_true(report.has_text_only && report.multimodal_share < 0.5);
	assert_int_equal(report.n_members, 3);
	mren_net_info(net, &info);
	assert_true(info.text_only);
	assert_int_equal(info.n_members, 3);
	assert_int_equal(info.n_parameters, report.n_parameters);
	assert_int_equal(info.features_dim, report.features_dim);

	/* It is a network of the text alone. */
	assert_true(has_tensor(net, "image.weight") && has_tensor(net, "2/image.weight"));
	assert_false(has_tensor(net, "blind/image.weight"));
	attended = tensor_named(net, "hidden1.weight");
	text_only = tensor_named(net, "blind/hidden1.weight");
	assert_int_equal(attended.rows - text_only.rows, options.image_units + 1 + options.product);
	expect_same_again(&test, set, net);
	moved = moved_by_image(&test.env, set, net);
	mren_net_free(&test.env, net);

	options.text_only_member = false;
	net = train_set(&test.env, set, &options, FIXTURE_IMAGE, &without_text_only);
	assert_false(without_text_only.has_text_only);
	assert_int_equal(without_text_only.n_members, 2);
	assert_true(moved < 0.5 * moved_by_image(&test.env, set, net));
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* If the text alone is useless, the text-only member is dropped without a trace. */
static void
test_needed_image_keeps_its_weight(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *has_text_only;
	MrenNet *without_text_only;
	MrenError err = {0};
	uint8_t *bytes;
	uint8_t *other;
	size_t len;
	size_t len_other;

	(void) state;
	test_env_init(&test);
	make_images(set, 400);
	small_options(&options);
	has_text_only = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_true(report.has_text_only && report.multimodal_share == 1);
	assert_int_equal(report.n_members, 1);
	options.text_only_member = false;
	without_text_only = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_int_equal(mren_net_serialize(has_text_only, &test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_serialize(without_text_only, &test.env, &other, &len_other, &err),
					 MREN_OK);
	assert_int_equal(len, len_other);
	assert_memory_equal(bytes, other, len);
	mren_release(&test.env, bytes);
	mren_release(&test.env, other);
	mren_net_free(&test.env, has_text_only);
	mren_net_free(&test.env, without_text_only);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* Without validation rows or without images there is no text-only member. */
static void
test_text_only_member_needs_images_and_validation(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;

	(void) state;
	test_env_init(&test);
	make_useless_images(set, 64);
	small_options(&options);
	options.common.epochs = 2;
	options.common.validation_share = 0;
	mren_net_free(&test.env, train_set(&test.env, set, &options, FIXTURE_IMAGE, &report));
	assert_false(report.has_text_only);
	assert_int_equal(report.n_members, 1);
	options.common.validation_share = 0.2;
	make_xor(set, 64);
	mren_net_free(&test.env, train_set(&test.env, set, &options, FIXTURE_IMAGE, &report));
	assert_false(report.has_text_only);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* The text-only member reads where the mentions are in the image. */
static void
test_text_only_member_reads_the_boxes(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *net;

	(void) state;
	test_env_init(&test);
	make_useless_images(set, 200);
	for (size_t i = 0; i < set->n; i++)
	{
		float up = i % 3 == 0 ? 0.1f : 0.6f;
		MrenExample *example = &set->rows[i].example;

		example->has_head_box = example->has_tail_box = true;
		memcpy(example->head_box, ((float[]){0.2f, up, 0.5f, up + 0.3f}), 4 * sizeof(float));
		memcpy(example->tail_box, ((float[]){0.4f, 0.35f, 0.6f, 0.65f}), 4 * sizeof(float));
		snprintf(set->rows[i].relation, sizeof(set->rows[i].relation), "%s",
				 i % 3 == 0 ? "above" : "below");
		example->relation = (MrenTextSpan){set->rows[i].relation, 5};
	}
	small_options(&options);
	options.common.epochs = 20;
	net = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_true(report.has_text_only);
	assert_true(report.validation_accuracy == 1);
	assert_true(report.multimodal_share < 1);
	assert_int_equal(tensor_named(net, "hidden1.weight").rows -
						 tensor_named(net, "blind/hidden1.weight").rows,
					 options.image_units + 1 + options.product);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

static MrenTrainer *
begin_training(TestEnv *test, const Set *set, const MrenOptions *options, MrenExamples **examples)
{
	MrenTrainerInputs inputs;
	MrenTrainer *trainer;
	MrenError err = {0};

	assert_int_equal(gather(&test->env, set, FIXTURE_IMAGE, examples, &err), MREN_OK);
	assert_int_equal(fixture_inputs(&set->fixture, *examples, &inputs, &err), MREN_OK);
	assert_int_equal(mren_trainer_create(&test->env, options, &inputs, &trainer, &err), MREN_OK);
	return trainer;
}

static void
end_training(MrenTrainer *trainer, MrenExamples *examples, MrenNet **net, MrenTrainReport *report)
{
	MrenError err = {0};

	assert_int_equal(mren_trainer_finish(trainer, net, &err), MREN_OK);
	mren_trainer_report(trainer, report);
	mren_trainer_free(trainer);
	mren_examples_free(examples);
}

/*
 * If training is stopped in the first epoch of the text-only member, the others
 * are left; later it is used.
 */
static void
test_stopped_in_the_text_only_member(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;

	(void) state;
	test_env_init(&test);
	make_useless_images(set, 200);
	small_options(&options);
	options.common.epochs = 6;
	for (int epoch = 1; epoch <= 3; epoch += 2)
	{
		MrenExamples *examples;
		MrenTrainer *trainer = begin_training(&test, set, &options, &examples);
		MrenProgress progress = {0};
		MrenTrainReport report;
		MrenError err = {0};
		MrenNet *net;

		do
		{
			assert_int_equal(mren_trainer_step(trainer, &progress, &err), MREN_OK);
			if (progress.member == 2 && progress.epoch == epoch)
				mren_trainer_stop(trainer);
		} while (progress.event != MREN_TRAIN_DONE);
		end_training(trainer, examples, &net, &report);
		assert_true(report.has_text_only == (epoch == 3));
		assert_true(report.validated);
		assert_int_equal(report.refit_epochs, 0);
		expect_same_again(&test, set, net);
		mren_net_free(&test.env, net);
	}
	assert_int_equal(test.n_live, 0);
	free(set);
}

/*
 * A training from the weights of an earlier network takes over those of the
 * text-only member, too.
 */
static void
test_text_only_member_starts_warm(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenExamples *examples;
	MrenTrainer *trainer;
	MrenProgress progress = {0};
	MrenError err = {0};
	MrenNet *old;
	MrenNet *net;
	MrenTensorView before;
	MrenTensorView after;

	(void) state;
	test_env_init(&test);
	make_useless_images(set, 400);
	small_options(&options);
	old = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_int_equal(report.n_members, 2);
	options.common.epochs = 1;
	options.common.learning_rate = 1e-8;
	options.common.weight_decay = 0;
	trainer = begin_training(&test, set, &options, &examples);
	mren_trainer_warm(trainer, old);
	do
		assert_int_equal(mren_trainer_step(trainer, &progress, &err), MREN_OK);
	while (progress.event != MREN_TRAIN_DONE);
	end_training(trainer, examples, &net, &report);
	assert_true(report.warm);
	assert_int_equal(report.n_members, 2);
	before = tensor_named(old, "blind/hidden1.weight");
	after = tensor_named(net, "blind/hidden1.weight");
	assert_int_equal(before.rows, after.rows);
	for (size_t i = 0; i < before.rows * before.cols; i++)
		assert_float_equal(before.data[i], after.data[i], 1e-4f);
	mren_net_free(&test.env, old);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

static MrenStatus
text_only_training(const MrenEnv *env, MrenError *err, void *arg)
{
	const Set *set = arg;
	MrenOptions options;
	MrenExamples *examples;
	MrenNet *net = NULL;
	MrenStatus status;

	small_options(&options);
	options.common.epochs = 2;
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
	make_useless_images(set, 24);
	test_allocation_sweep(text_only_training, set);
	test_interrupt_sweep(text_only_training, set);
	free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_are_networks),
		cmocka_unit_test(test_ensemble_learns),
		cmocka_unit_test(test_stopped_ensemble),
		cmocka_unit_test(test_useless_image_gets_no_weight),
		cmocka_unit_test(test_needed_image_keeps_its_weight),
		cmocka_unit_test(test_text_only_member_needs_images_and_validation),
		cmocka_unit_test(test_text_only_member_reads_the_boxes),
		cmocka_unit_test(test_stopped_in_the_text_only_member),
		cmocka_unit_test(test_text_only_member_starts_warm),
		cmocka_unit_test(test_failed_allocations_and_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
