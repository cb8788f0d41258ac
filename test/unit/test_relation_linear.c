/*
 * test_relation_linear.c
 *	  The linear branch: its index, its optimizer, its training, its bytes.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdlib.h>

#include "relation/branch_linear.h"
#include "nn/loss.h"

#define N_ROWS 160
#define N_FEATURES 6

static MrenError err;

static void
test_index_finds_rows(void **state)
{
	static const uint32_t slots[] = {0, 5, 63, 64, 1000};
	TestEnv test;
	MrenLinearIndex index;
	uint32_t rows[4];
	size_t next = 0;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_linear_index_create(&test.env, 10, slots, 5, &index, &err), MREN_OK);
	for (uint32_t slot = 0; slot < 1024; slot++)
	{
		bool is = next < 5 && slots[next] == slot;

		assert_int_equal(mren_linear_row(&index, slot), is ? next : MREN_NO_ROW);
		/* Only the lowest bits count. */
		assert_int_equal(mren_linear_row(&index, slot + 0x7FFFFC00), is ? next : MREN_NO_ROW);
		next += is;
	}
	assert_int_equal(mren_linear_rows(&index, (const uint32_t[]){1000, 7, 5, 64}, 4, rows), 3);
	assert_int_equal(rows[0], 4);
	assert_int_equal(rows[1], 1);
	assert_int_equal(rows[2], 3);
	mren_linear_index_free(&test.env, &index);
	assert_int_equal(test.n_live, 0);
}

static void
test_index_refuses_disorder(void **state)
{
	static const struct
	{
		unsigned bits;
		uint32_t slots[2];
	} bad[] = {{10, {5, 5}}, {10, {6, 5}}, {10, {5, 1024}}, {0, {0, 1}}, {23, {0, 1}}};
	TestEnv test;
	MrenLinearIndex index;

	(void) state;
	test_env_init(&test);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		assert_int_equal(
			mren_linear_index_create(&test.env, bad[i].bits, bad[i].slots, 2, &index, &err),
			MREN_EFORMAT);
		assert_int_equal(test.n_live, 0);
	}
	/* The smallest there is. */
	assert_int_equal(mren_linear_index_create(&test.env, 1, (const uint32_t[]){1}, 1, &index, &err),
					 MREN_OK);
	assert_int_equal(mren_linear_row(&index, 3), 0);
	assert_int_equal(mren_linear_row(&index, 2), MREN_NO_ROW);
	mren_linear_index_free(&test.env, &index);
}

/* AdaGrad over all weights, in double precision. */
static void
dense_reference(double rate, double *w, double *q, const float *gradient, const bool *touched)
{
	for (int i = 0; i < 5; i++)
	{
		for (int j = 0; j < 3; j++)
		{
			double g = touched[i] ? (double) gradient[j] : 0;

			if (g == 0)
				continue;
			q[i * 3 + j] += g * g;
			w[i * 3 + j] -= rate / sqrt(q[i * 3 + j]) * g;
		}
	}
}

static void
test_sparse_step_is_the_dense_one(void **state)
{
	float w[15] = {0};
	float q[15];
	double dense_w[15] = {0};
	double dense_q[15];
	MrenRandom random;
	bool any = false;

	(void) state;
	mren_random_seed(&random, 3, 0);
	for (int i = 0; i < 15; i++)
		q[i] = (float) (dense_q[i] = 0.01);
	for (int step = 0; step < 200; step++)
	{
		float gradient[3];
		bool touched[5] = {false};
		uint32_t rows[5];
		size_t n = 0;

		for (uint32_t i = 0; i < 5; i++)
		{
			touched[i] = mren_random_below(&random, 2) == 1;
			if (touched[i])
				rows[n++] = i;
		}
		for (int j = 0; j < 3; j++)
			gradient[j] = mren_random_below(&random, 3) == 0 ? 0 : mren_random_normal(&random);
		mren_linear_step(0.1f, w, q, 3, rows, n, gradient);
		dense_reference(0.1, dense_w, dense_q, gradient, touched);
		for (int i = 0; i < 15; i++)
		{
			assert_true(fabs((double) w[i] - dense_w[i]) < 1e-4);
			any |= w[i] != 0;
		}
	}
	assert_true(any);
}

/* The loss of one row of k relations. */
static double
row_loss(const MrenObjective *objective, const float *logits, int32_t label, float weight, size_t k,
		 float scale, float *dlogits)
{
	return mren_loss(objective, &(MrenLabelledRows){logits, &label, &weight, 1, k}, scale, dlogits);
}

/* The gradient that training hands to a weight is that of the loss. */
static void
test_gradient(void **state)
{
	const MrenObjective objective = {MREN_LOSS_RANKING, 2, 2, 2.5, 0.5};
	const uint32_t rows[2] = {1, 3};
	const float one = 1;
	int32_t label = 0;
	float w[5 * 3];
	float scores[3];
	float dscores[3];
	float dummy[3];
	bool any = false;

	(void) state;
	for (int i = 0; i < 15; i++)
		w[i] = 0.1f * (float) (i % 7) - 0.2f;
	memset(scores, 0, sizeof(scores));
	mren_linear_add(w, 3, rows, 2, scores);
	row_loss(&objective, scores, label, one, 3, 1, dscores);
	for (int i = 0; i < 15; i++)
	{
		double h = 1e-2;
		double loss[2];
		bool touched = i / 3 == 1 || i / 3 == 3;

		for (int side = 0; side < 2; side++)
		{
			float kept = w[i];

			w[i] = kept + (float) (side == 0 ? h : -h);
			memset(scores, 0, sizeof(scores));
			mren_linear_add(w, 3, rows, 2, scores);
			loss[side] = row_loss(&objective, scores, label, one, 3, 1, dummy);
			w[i] = kept;
		}
		assert_true(fabs((loss[0] - loss[1]) / (2 * h) - (touched ? (double) dscores[i % 3] : 0)) <
					1e-3);
		any |= touched && dscores[i % 3] != 0;
	}
	assert_true(any);
}

/* Rows that only their features tell apart: no vectors, one word, one place. */
typedef struct LinearRows
{
	TestEnv test;
	Row rows[N_ROWS];
	uint32_t features[N_ROWS][N_FEATURES];
	MrenExamples *examples;
	MrenNet *net;
	MrenTrainReport report;
} LinearRows;

static void
make_rows(LinearRows *linear)
{
	static const int32_t words[3] = {-1, -1, -1};

	for (uint32_t i = 0; i < N_ROWS; i++)
	{
		Row *row = &linear->rows[i];
		char relation[2] = {(char) ('a' + i % 3), '\0'};

		row_init(row, words, 3, 0, 2, relation);
		row->example.group = i;
		/* The first tells the relation, the others nothing, the last is alone. */
		linear->features[i][0] = i % 3;
		for (uint32_t j = 1; j + 1 < N_FEATURES; j++)
			linear->features[i][j] = 100 * j + i % (5 + j);
		linear->features[i][N_FEATURES - 1] = 100000 + i;
		row->example.features = linear->features[i];
		row->example.n_features = N_FEATURES;
	}
}

static void
linear_options(MrenOptions *options)
{
	mren_options_init(options);
	options->common.epochs = 6;
	options->negative = "c";
	options->common.n_hidden = 1;
	options->common.hidden[0] = 4;
	options->common.hidden[1] = 0;
}

static MrenStatus
train_linear(const MrenEnv *env, LinearRows *linear, MrenNet **net, MrenError *error)
{
	MrenExamplesHead head = {.options = "{}", .n_options = 2};
	Fixture none = {.table = {NULL, 0, NULL}};
	MrenExamples *examples = NULL;
	MrenOptions options;
	MrenStatus status = mren_examples_create(env, &head, &examples, error);

	linear_options(&options);
	for (size_t i = 0; i < N_ROWS && status == MREN_OK; i++)
		status = mren_examples_append(examples, &linear->rows[i].example, NULL, error);
	if (status == MREN_OK)
		status = fixture_train(env, &none, &options, examples, net, &linear->report, error);
	mren_examples_free(examples);
	return status;
}

static int
set_up(void **state)
{
	LinearRows *linear = calloc(1, sizeof(*linear));

	test_env_init(&linear->test);
	make_rows(linear);
	*state = linear;
	assert_int_equal(train_linear(&linear->test.env, linear, &linear->net, &err), MREN_OK);
	return 0;
}

static int
tear_down(void **state)
{
	LinearRows *linear = *state;

	mren_net_free(&linear->test.env, linear->net);
	assert_int_equal(linear->test.n_live, 0);
	free(linear);
	return 0;
}

static MrenInput
input_of(const Row *row)
{
	return (MrenInput){.sentence = &row->example.sentence,
					   .head_type = -1,
					   .tail_type = -1,
					   .features = row->example.features,
					   .n_features = row->example.n_features};
}

/* n rows at once: probabilities (n, 3). */
static void
probabilities(const LinearRows *linear, const MrenNet *net, size_t first, size_t n, float *p)
{
	const MrenWordVectors none = {NULL, 0, NULL};
	MrenInput inputs[N_ROWS];
	MrenNetInfo info;
	float *features;
	float *scratch;

	mren_net_info(net, &info);
	features = calloc(n * info.row_dim, sizeof(float));
	scratch = calloc(mren_net_scratch(net, n), sizeof(float));
	for (size_t i = 0; i < n; i++)
		inputs[i] = input_of(&linear->rows[first + i]);
	assert_int_equal(mren_net_features(net, &none, inputs, n, features, scratch, &err), MREN_OK);
	assert_int_equal(mren_net_probabilities(net, features, n, p, scratch, &err), MREN_OK);
	free(features);
	free(scratch);
}

static void
test_learns_from_features_alone(void **state)
{
	const LinearRows *linear = *state;
	float p[3 * N_ROWS];
	MrenNetInfo info;

	mren_net_info(linear->net, &info);
	assert_int_equal(info.embedding_dim, 0);
	assert_int_equal(info.hash_bits, 18);
	assert_true(linear->report.linear_share > 0);
	probabilities(linear, linear->net, 0, N_ROWS, p);
	for (size_t i = 0; i < N_ROWS; i++)
		assert_int_equal(mren_net_best(p + 3 * i, 3), i % 3);
}

/*
 * Epochs of a refit that train the linear branch only have no loss of the member.
 * At this learning rate the member's weights stay as they are, so that its first
 * epoch is the best, while the branch goes on learning.
 */
static void
test_no_loss_without_the_member(void **state)
{
	LinearRows *linear = *state;
	MrenExamplesHead head = {.options = "{}", .n_options = 2};
	Fixture none = {.table = {NULL, 0, NULL}};
	MrenExamples *examples;
	MrenTrainerInputs inputs;
	MrenProgress progress;
	MrenTrainReport report;
	MrenTrainer *trainer;
	MrenOptions options;
	int with_loss = 0;
	int without = 0;

	linear_options(&options);
	options.common.learning_rate = 1e-12;
	options.common.patience = 0;
	assert_int_equal(mren_examples_create(&linear->test.env, &head, &examples, &err), MREN_OK);
	for (size_t i = 0; i < N_ROWS; i++)
		assert_int_equal(mren_examples_append(examples, &linear->rows[i].example, NULL, &err),
						 MREN_OK);
	assert_int_equal(fixture_inputs(&none, examples, &inputs, &err), MREN_OK);
	assert_int_equal(mren_trainer_create(&linear->test.env, &options, &inputs, &trainer, &err),
					 MREN_OK);
	do
	{
		assert_int_equal(mren_trainer_step(trainer, &progress, &err), MREN_OK);
		if (progress.event != MREN_TRAIN_EPOCH || progress.phase == 1)
			continue;
		with_loss += !isnan(progress.loss);
		without += isnan(progress.loss);
	} while (progress.event != MREN_TRAIN_DONE);
	mren_trainer_report(trainer, &report);
	assert_int_equal(report.best_epoch, 1);
	assert_true(report.linear_epoch > 1);
	assert_int_equal(with_loss, report.best_epoch);
	assert_int_equal(without, report.linear_epoch - report.best_epoch);
	mren_trainer_free(trainer);
	mren_examples_free(examples);
}

/* 3 + 6 + 7 + 8 + 9 features come more than once; those that come once have no weights. */
static void
test_rare_features_have_no_weights(void **state)
{
	const LinearRows *linear = *state;
	MrenTensorView view;

	mren_net_tensor(linear->net, mren_net_n_tensors(linear->net) - 1, &view);
	assert_string_equal(view.name, "wide.weight");
	assert_int_equal(view.rows, 33);
	assert_int_equal(view.cols, 3);
}

static void
test_alone_as_among_others(void **state)
{
	const LinearRows *linear = *state;
	float all[3 * N_ROWS];
	float one[3];

	probabilities(linear, linear->net, 0, N_ROWS, all);
	for (size_t i = 0; i < N_ROWS; i++)
	{
		probabilities(linear, linear->net, i, 1, one);
		assert_memory_equal(one, all + 3 * i, sizeof(one));
	}
}

static void
test_bytes(void **state)
{
	LinearRows *linear = *state;
	const MrenEnv *env = &linear->test.env;
	float before[3 * N_ROWS];
	float after[3 * N_ROWS];
	MrenNet *copy;
	uint8_t *bytes;
	size_t len;

	assert_int_equal(mren_net_serialize(linear->net, env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(env, bytes, len, &copy, &err), MREN_OK);
	probabilities(linear, linear->net, 0, N_ROWS, before);
	probabilities(linear, copy, 0, N_ROWS, after);
	assert_memory_equal(before, after, sizeof(before));
	mren_net_free(env, copy);
	mren_release(env, bytes);
}

/* The same rows give the same network, in whatever order they come. */
static void
test_order_of_rows_does_not_matter(void **state)
{
	LinearRows *linear = *state;
	const MrenEnv *env = &linear->test.env;
	LinearRows *other = calloc(1, sizeof(*other));
	uint8_t *bytes[2];
	size_t len[2];

	make_rows(other);
	for (size_t i = 0; i < N_ROWS / 2; i++)
	{
		MrenExample swap = other->rows[i].example;

		other->rows[i].example = other->rows[N_ROWS - 1 - i].example;
		other->rows[N_ROWS - 1 - i].example = swap;
	}
	assert_int_equal(train_linear(env, other, &other->net, &err), MREN_OK);
	assert_int_equal(mren_net_serialize(linear->net, env, &bytes[0], &len[0], &err), MREN_OK);
	assert_int_equal(mren_net_serialize(other->net, env, &bytes[1], &len[1], &err), MREN_OK);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(bytes[0], bytes[1], len[0]);
	mren_release(env, bytes[0]);
	mren_release(env, bytes[1]);
	mren_net_free(env, other->net);
	free(other);
}

static MrenStatus
train_once(const MrenEnv *env, MrenError *error, void *arg)
{
	MrenNet *net = NULL;
	MrenStatus status = train_linear(env, arg, &net, error);

	mren_net_free(env, net);
	return status;
}

static void
test_allocations_may_fail(void **state)
{
	test_allocation_sweep(train_once, *state);
}

static void
test_training_can_be_interrupted(void **state)
{
	test_interrupt_sweep(train_once, *state);
}

/* Rows whose relation only a feature of their boxes tells; images, if any, are useless. */
static void
make_boxed_rows(LinearRows *linear, bool images)
{
	/* 3 divides none. */
	static const uint32_t periods[N_FEATURES - 1] = {5, 7, 8, 10, 11};

	for (uint32_t i = 0; i < N_ROWS; i++)
	{
		Row *row = &linear->rows[i];
		float image[FIXTURE_IMAGE];

		for (size_t j = 0; j < FIXTURE_IMAGE; j++)
			image[j] = (float) ((i * 7 + j * 5) % 11);
		if (images)
			row_set_image(row, image);
		for (uint32_t j = 0; j + 1 < N_FEATURES; j++)
			linear->features[i][j] = 100 * j + i % periods[j];
		linear->features[i][N_FEATURES - 1] = 7 + i % 3;
		row->example.n_box_features = 1;
	}
}

static MrenNet *
train_rows(LinearRows *linear, bool images)
{
	const MrenEnv *env = &linear->test.env;
	Fixture none = {.table = {NULL, 0, NULL}};
	MrenExamples *examples;
	MrenOptions options;
	MrenNet *net;

	mren_options_init(&options);
	options.common.epochs = 6;
	options.common.n_hidden = 1;
	options.common.hidden[0] = 4;
	options.common.hidden[1] = 0;
	/* Features of boxes are useless without boxes: validation would drop the branch. */
	if (!images)
		options.common.validation_share = 0;
	options.text_only_member = false;
	assert_int_equal(fixture_examples(env, images ? FIXTURE_IMAGE : 0, &examples, &err), MREN_OK);
	for (size_t i = 0; i < N_ROWS; i++)
		assert_int_equal(mren_examples_append(examples, &linear->rows[i].example,
											  images ? linear->rows[i].image : NULL, &err),
						 MREN_OK);
	assert_int_equal(fixture_train(env, &none, &options, examples, &net, &linear->report, &err),
					 MREN_OK);
	mren_examples_free(examples);
	return net;
}

static MrenNet *
train_boxed(LinearRows *linear, bool images)
{
	make_boxed_rows(linear, images);
	return train_rows(linear, images);
}

/* How many rows get their relation, with n features each. */
static size_t
n_right(const LinearRows *linear, const MrenNet *net, size_t n)
{
	const MrenWordVectors none = {NULL, 0, NULL};
	size_t right = 0;
	MrenNetInfo info;
	float *features;
	float *scratch;

	mren_net_info(net, &info);
	features = calloc(info.row_dim, sizeof(float));
	scratch = calloc(mren_net_scratch(net, 1), sizeof(float));
	for (size_t i = 0; i < N_ROWS; i++)
	{
		MrenInput input = input_of(&linear->rows[i]);
		float p[3];

		input.image = linear->rows[i].image;
		input.n_features = n;
		assert_int_equal(mren_net_features(net, &none, &input, 1, features, scratch, &err),
						 MREN_OK);
		assert_int_equal(mren_net_probabilities(net, features, 1, p, scratch, &err), MREN_OK);
		right += mren_net_best(p, 3) == i % 3;
	}
	free(features);
	free(scratch);
	return right;
}

static void
test_learns_from_boxes(void **state)
{
	LinearRows *linear = *state;
	const MrenEnv *env = &linear->test.env;
	MrenNet *net = train_boxed(linear, true);
	MrenNet *copy;
	MrenNetInfo info;
	uint8_t *bytes;
	size_t len;

	mren_net_info(net, &info);
	assert_true(info.box_features);
	assert_int_equal(n_right(linear, net, N_FEATURES), N_ROWS);
	assert_true(n_right(linear, net, N_FEATURES - 1) < N_ROWS);
	assert_int_equal(mren_net_serialize(net, env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(env, bytes, len, &copy, &err), MREN_OK);
	mren_net_info(copy, &info);
	assert_true(info.box_features);
	mren_net_free(env, copy);
	mren_net_free(env, net);
	mren_release(env, bytes);
}

/* Without images there are no boxes: 5 + 7 + 8 + 10 + 11 features are left. */
static void
test_boxes_need_images(void **state)
{
	LinearRows *linear = *state;
	MrenNet *net = train_boxed(linear, false);
	MrenTensorView view;
	MrenNetInfo info;

	mren_net_info(net, &info);
	assert_false(info.box_features);
	mren_net_tensor(net, mren_net_n_tensors(net) - 1, &view);
	assert_string_equal(view.name, "wide.weight");
	assert_int_equal(view.rows, 41);
	mren_net_free(&linear->test.env, net);
}

/* The largest sum of a feature's weights over two relations, and the largest weight. */
static void
lopsidedness(const MrenNet *net, double *sum, double *weight)
{
	MrenTensorView view;

	*sum = *weight = 0;
	mren_net_tensor(net, mren_net_n_tensors(net) - 1, &view);
	assert_string_equal(view.name, "wide.weight");
	assert_int_equal(view.cols, 2);
	for (size_t i = 0; i < view.rows; i++)
	{
		*sum = fmax(*sum, fabs((double) view.data[2 * i] + (double) view.data[2 * i + 1]));
		*weight = fmax(*weight, fabs((double) view.data[2 * i]));
	}
}

/*
 * With boxes the branch's loss is cross-entropy: of two relations one's gradient is the other's
 * with another sign, and so are their weights.  The ranking loss has a margin for each side.
 */
static void
test_loss_follows_boxes(void **state)
{
	LinearRows *linear = *state;

	for (uint32_t boxes = 0; boxes < 2; boxes++)
	{
		MrenNet *net;
		double sum;
		double weight;

		make_boxed_rows(linear, true);
		for (uint32_t i = 0; i < N_ROWS; i++)
		{
			linear->rows[i].example.relation = linear->rows[i & 1].example.relation;
			linear->rows[i].example.n_box_features = boxes;
			linear->rows[i].example.n_features = N_FEATURES - 1 + boxes;
		}
		net = train_rows(linear, true);
		lopsidedness(net, &sum, &weight);
		assert_true(weight > 0.01);
		assert_true(boxes > 0 ? sum < 1e-4 * weight : sum > 0.05 * weight);
		mren_net_free(&linear->test.env, net);
	}
}

/* A record keeps its features; one whose features are out of order is refused. */
static void
test_records(void **state)
{
	LinearRows *linear = *state;
	const MrenEnv *env = &linear->test.env;
	MrenExample example = linear->rows[7].example;
	MrenBuffer buffer = {0};
	MrenExample read;
	uint32_t swapped[2] = {9, 4};
	size_t size;

	assert_int_equal(mren_example_append(env, &buffer, &example, &err), MREN_OK);
	assert_int_equal(mren_example_read(buffer.data, buffer.len, &read, &size, &err), MREN_OK);
	assert_int_equal(read.n_features, N_FEATURES);
	assert_memory_equal(read.features, linear->features[7], sizeof(linear->features[7]));
	/* A row is recognized by its contents, whatever its features. */
	read.n_features = 0;
	assert_int_equal(mren_example_identity(&read), mren_example_identity(&example));
	/* Those of boxes come last, in an order of their own. */
	buffer.len = 0;
	example.features = swapped;
	example.n_features = 2;
	example.n_box_features = 1;
	assert_int_equal(mren_example_append(env, &buffer, &example, &err), MREN_OK);
	assert_int_equal(mren_example_read(buffer.data, buffer.len, &read, &size, &err), MREN_OK);
	assert_int_equal(read.n_features, 2);
	assert_int_equal(read.n_box_features, 1);
	example.n_box_features = 0;
	buffer.len = 0;
	example.features = swapped;
	example.n_features = 2;
	assert_int_equal(mren_example_append(env, &buffer, &example, &err), MREN_OK);
	assert_int_equal(mren_example_read(buffer.data, buffer.len, &read, &size, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "invalid training example: its features are out of order");
	mren_buffer_free(env, &buffer);
	example.n_features = MREN_MAX_ROW_FEATURES + 1;
	assert_int_equal(mren_example_append(env, &buffer, &example, &err), MREN_ELIMIT);
	mren_buffer_free(env, &buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index_finds_rows),
		cmocka_unit_test(test_index_refuses_disorder),
		cmocka_unit_test(test_sparse_step_is_the_dense_one),
		cmocka_unit_test(test_gradient),
		cmocka_unit_test_setup_teardown(test_learns_from_features_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_loss_without_the_member, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rare_features_have_no_weights, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_alone_as_among_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_of_rows_does_not_matter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_learns_from_boxes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_boxes_need_images, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_loss_follows_boxes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_records, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_allocations_may_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_training_can_be_interrupted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
