/*
 * test_relation_epochs.c
 *	  Which weights a training keeps: the mean over steps, the best epoch's; and
 *	  how fast weights decay.
 */
#include "relation_set.h"

#include <math.h>

#include "relation/layout.h"
#include "nn/optimizer.h"
#include "relation/train/trainer_members.h"

#define ROWS 96

/* Every fourth row validates. */
static Set *
new_images(void)
{
	Set *set = new_set();

	make_images(set, ROWS);
	for (size_t i = 0; i < ROWS; i++)
		set->rows[i].example.split = i % 4 == 3 ? MREN_SPLIT_VALIDATION : MREN_SPLIT_TRAIN;
	return set;
}

/* All training rows are one batch, so that an epoch is a step. */
static void
plain_options(MrenOptions *options)
{
	mren_options_init(options);
	options->text_encoder = MREN_TEXT_POOL;
	options->common.n_hidden = 1;
	options->common.hidden[0] = 12;
	options->common.hidden[1] = 0;
	options->image_units = 8;
	options->product = 4;
	options->common.dropout = options->common.hidden_dropout = options->image_dropout = 0;
	options->common.batch_size = ROWS;
	options->common.patience = 0;
	options->text_only_member = false;
	options->common.refit = false;
}

/* Largest difference of `net` from keep * before + (1 - keep) * last, over what is trained. */
static double
distance_from_mean(const MrenNet *net, const MrenNet *before, const MrenNet *last, double keep)
{
	double worst = 0;

	for (size_t t = 0; t < mren_net_n_tensors(net); t++)
	{
		MrenTensorView view[3];

		mren_net_tensor(net, t, &view[0]);
		mren_net_tensor(before, t, &view[1]);
		mren_net_tensor(last, t, &view[2]);
		assert_string_equal(view[0].name, view[1].name);
		assert_string_equal(view[0].name, view[2].name);
		for (size_t i = 0; i < view[0].rows * view[0].cols; i++)
			worst = fmax(worst, fabs((double) view[0].data[i] - keep * (double) view[1].data[i] -
									 (1 - keep) * (double) view[2].data[i]));
	}
	return worst;
}

/*
 * The mean after two steps from that after one and the weights after two: it keeps
 * (2 + 1) / (2 + 10) of itself, or what the option says if that is less.
 */
static void
test_mean_of_weights(void **state)
{
	const double averages[] = {0.9999, 0.1};
	const double kept[] = {0.25, 0.1};
	TestEnv test;
	Set *set = new_images();
	MrenOptions options;
	MrenNet *last;

	(void) state;
	test_env_init(&test);
	/* Rows that would validate take no part: a batch is a batch. */
	for (size_t i = 3; i < ROWS; i += 4)
		set->rows[i].example.split = MREN_SPLIT_TEST;
	plain_options(&options);
	options.common.validation_share = 0;
	options.common.learning_rate = 0.05;
	options.common.weight_ema = 0;
	options.common.epochs = 2;
	last = train_set(&test.env, set, &options, FIXTURE_IMAGE, NULL);
	for (int i = 0; i < 2; i++)
	{
		MrenNet *before;
		MrenNet *mean;

		options.common.weight_ema = averages[i];
		options.common.epochs = 1;
		before = train_set(&test.env, set, &options, FIXTURE_IMAGE, NULL);
		options.common.epochs = 2;
		mean = train_set(&test.env, set, &options, FIXTURE_IMAGE, NULL);
		assert_true(distance_from_mean(mean, before, last, kept[i]) < 1e-6);
		/* Adam's step is as long as the learning rate at first, so that this is no accident. */
		assert_true(distance_from_mean(mean, before, last, 1) > 0.01);
		assert_true(distance_from_mean(mean, before, last, 0) > 0.002);
		mren_net_free(&test.env, before);
		mren_net_free(&test.env, mean);
	}
	mren_net_free(&test.env, last);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* -log p of the row's relation, from probabilities freed of the temperature. */
static double
plain_loss(const MrenEnv *env, const Set *set, const MrenNet *net, const Row *row,
		   double temperature)
{
	size_t label = (size_t) mren_net_relation_index(net, row->relation, strlen(row->relation));
	float p[FIXTURE_RELATIONS];

	fixture_probabilities(env, &set->fixture, net, row, row->image, p);
	return log1p(exp(-temperature * (log((double) p[label]) - log((double) p[1 - label]))));
}

/* The weights that were validated are those that predict: the mean, in both phases. */
static void
test_mean_is_validated_and_kept(void **state)
{
	TestEnv test;
	Set *set = new_images();
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *net;
	double loss = 0;

	(void) state;
	test_env_init(&test);
	plain_options(&options);
	options.common.batch_size = 8;
	options.common.epochs = 6;
	options.common.learning_rate = 0.01;
	options.common.weight_ema = 0.97;
	net = train_set(&test.env, set, &options, FIXTURE_IMAGE, &report);
	assert_true(report.validated);
	for (size_t i = 3; i < ROWS; i += 4)
		loss += plain_loss(&test.env, set, net, &set->rows[i], report.calibration.temperature) /
				(ROWS / 4);
	assert_true(fabs(loss - report.validation_loss) < 1e-4);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/*
 * The best epoch
 */

#define KEPT 4

/* A trainer that has no more than a pass over four validation rows of two relations needs. */
typedef struct Pass
{
	MrenTrainer trainer;
	float logits[2][2 * KEPT];
	float values[1];
	float best[1];
	int32_t labels[KEPT];
	float ones[KEPT];
} Pass;

static void
open_pass(Pass *pass, const MrenEnv *env, size_t image_dim)
{
	MrenTrainer *trainer = &pass->trainer;
	MrenMember *member = &trainer->members[0];

	memset(pass, 0, sizeof(*pass));
	for (int i = 0; i < KEPT; i++)
		pass->ones[i] = 1;
	trainer->env = *env;
	trainer->shape.n_relations = 2;
	trainer->negative = -1;
	trainer->report.n_validation = KEPT;
	trainer->kept = (MrenKeptRows){.capacity = KEPT,
								   .logits = pass->logits[0],
								   .best = pass->logits[1],
								   .labels = pass->labels,
								   .weights = pass->ones};
	member->shape.image_dim = image_dim;
	member->layout.table.trained_size = 1;
	member->values = pass->values;
	member->best = pass->best;
}

/* An epoch after which the right relation of each row is so far above the other. */
static bool
epoch_improves(Pass *pass, const float *margins)
{
	MrenTrainer *trainer = &pass->trainer;
	MrenProgress progress = {0};
	MrenError err = {0};

	trainer->epochs.epoch++;
	trainer->validation = (MrenValidation){.n = KEPT, .weight = KEPT, .n_correct = 3};
	for (int i = 0; i < KEPT; i++)
	{
		trainer->kept.logits[2 * i] = margins[i];
		trainer->kept.logits[2 * i + 1] = 0;
		trainer->validation.loss += log1p(exp(-(double) margins[i]));
	}
	assert_int_equal(mren_trainer_validated(trainer, &progress, &err), MREN_OK);
	return progress.improved;
}

/*
 * Three of four rows are right in both epochs, by 1 and then by 30; the wrong one is wrong by 1
 * and then by 10.  The loss goes from (3 * 0.313 + 1.313) / 4 = 0.563 to 10 / 4: the second
 * epoch is only too sure.  Calibrated it is the better, by its order: with a temperature of 20
 * it comes to (3 * 0.201 + 0.974) / 4 = 0.394, while no temperature takes the first below the
 * entropy of 3 in 4, 0.562.  Only a network that reads images is judged so.
 */
static void
test_best_epoch(void **state)
{
	const float modest[KEPT] = {1, 1, 1, -1};
	const float sure[KEPT] = {30, 30, 30, -10};
	TestEnv test;
	Pass *pass = malloc(sizeof(*pass));

	(void) state;
	test_env_init(&test);
	assert_non_null(pass);
	open_pass(pass, &test.env, FIXTURE_IMAGE);
	assert_true(epoch_improves(pass, modest));
	assert_true(epoch_improves(pass, sure));
	assert_false(epoch_improves(pass, modest));
	assert_int_equal(pass->trainer.members[0].best_epoch, 2);
	/* The loss that is reported is the plain one all the same. */
	assert_true(fabs(pass->trainer.members[0].validation_loss - 2.5) < 1e-3);

	open_pass(pass, &test.env, 0);
	assert_true(epoch_improves(pass, modest));
	assert_false(epoch_improves(pass, sure));
	assert_int_equal(pass->trainer.members[0].best_epoch, 1);
	free(pass);
}

/*
 * Decay
 */

/* What is left of a weight and of a bias of 1 after a step without a gradient. */
static void
decayed(const MrenEnv *env, size_t image_dim, float *weight, float *bias)
{
	MrenNetShape shape = {.embedding_dim = 4,
						  .image_dim = image_dim,
						  .n_relations = 2,
						  .n_hidden = 1,
						  .hidden = {3},
						  .image_units = image_dim > 0 ? 2 : 0};
	MrenNetLayout *layout = malloc(sizeof(*layout));
	MrenOptimizerState optimizer;
	MrenOptimizerConfig config;
	MrenOptions options;
	MrenError err = {0};
	float *values;
	float *grads;

	assert_non_null(layout);
	assert_int_equal(mren_net_shape_check(&shape, &err), MREN_OK);
	mren_net_layout_build(&shape, layout);
	mren_options_init(&options);
	options.optimizer = MREN_OPTIMIZER_SGD;
	options.common.learning_rate = 0.1;
	config = mren_options_optimizer(&options, image_dim > 0);
	assert_int_equal(mren_allocate_zero(env, layout->table.size, sizeof(float), &grads, &err),
					 MREN_OK);
	assert_int_equal(mren_allocate(env, layout->table.size, sizeof(float), &values, &err), MREN_OK);
	for (size_t i = 0; i < layout->table.size; i++)
		values[i] = 1;
	assert_int_equal(mren_optimizer_create(env, &config, mren_parameters_trained(&layout->table),
										   &optimizer, &err),
					 MREN_OK);
	assert_int_equal(mren_optimizer_step(env, mren_parameters_trained(&layout->table), &optimizer,
										 values, grads, &err),
					 MREN_OK);
	*weight = *mren_parameter_at(&layout->table, values, layout->ids.weight[0]);
	*bias = *mren_parameter_at(&layout->table, values, layout->ids.bias[0]);
	mren_optimizer_free(env, &optimizer);
	mren_release(env, values);
	mren_release(env, grads);
	free(layout);
}

/*
 * By default a step subtracts rate * 0.01 of a weight, and rate * 1 in a
 * network that reads images.
 */
static void
test_default_decay(void **state)
{
	TestEnv test;
	float weight;
	float bias;

	(void) state;
	test_env_init(&test);
	decayed(&test.env, 0, &weight, &bias);
	assert_true(fabsf(weight - 0.999f) < 1e-6f);
	assert_true(bias == 1);
	decayed(&test.env, 5, &weight, &bias);
	assert_true(fabsf(weight - 0.9f) < 1e-6f);
	assert_true(bias == 1);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mean_of_weights),
		cmocka_unit_test(test_mean_is_validated_and_kept),
		cmocka_unit_test(test_best_epoch),
		cmocka_unit_test(test_default_decay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
