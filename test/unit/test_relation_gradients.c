/*
 * test_relation_gradients.c
 *	  Every gradient of the network against central finite differences.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdlib.h>

#include "base/half.h"
#include "nn/loss.h"
#include "relation/batch.h"

#define ROWS 9

static const MrenObjective cross_entropy = {.loss = MREN_LOSS_CROSS_ENTROPY, .fixed = -1};
static const MrenObjective squared_error = {.loss = MREN_LOSS_MSE, .fixed = -1};
static const MrenObjective ranking = {MREN_LOSS_RANKING, -1, 2, 2.5, 0.5};

typedef struct Check
{
	TestEnv test;
	Fixture fixture;
	MrenNetShape shape;
	MrenNetLayout layout;
	MrenBatch batch;
	float *values;
	float *grads;
	int32_t labels[ROWS];
	float weights[ROWS];
	MrenObjective objective;
	MrenDropout drop;
	bool dropping;
} Check;

/* The loss at the present values, with the same dropout masks each time. */
static double
evaluate(Check *c, float *dlogits)
{
	MrenDropout drop = c->drop;

	mren_batch_forward(&c->batch, c->values, c->dropping ? &drop : NULL);
	return mren_loss(&c->objective,
					 &(MrenLabelledRows){c->batch.logits, c->labels, c->weights, c->batch.n,
										 c->shape.n_relations},
					 1, dlogits);
}

/* Words with fine-tuned vectors in the convolutions. */
static const int32_t fine_tuned_ids[] = {0, 3, 4, 11, 25, 32, 38};
#define N_FINE_TUNED (sizeof(fine_tuned_ids) / sizeof(fine_tuned_ids[0]))

/* Mentions apart, side by side, at the borders, in either order, and overlapping. */
static const MrenSpan mentions[ROWS][2] = {
	{{2, 3}, {6, 7}}, {{0, 1}, {8, 9}}, {{8, 9}, {0, 2}}, {{4, 5}, {5, 6}}, {{3, 5}, {4, 7}},
	{{1, 8}, {3, 4}}, {{6, 7}, {2, 3}}, {{0, 3}, {3, 9}}, {{5, 6}, {7, 9}},
};

static void
fill_vector(Check *c, MrenVectorKind kind, size_t row, bool has, MrenRandom *random)
{
	size_t dim = mren_net_vector_branch(&c->shape, &c->layout, kind).dim;
	MrenVectorBatch *v = &c->batch.vectors[kind];

	/* grids belong to images whose vector is not read, too */
	v->has[row] = has && (kind == MREN_VECTOR_IMAGE ? c->shape.image_dim : dim) > 0;
	for (size_t j = 0; j < dim; j++)
		v->in[row * dim + j] = has ? mren_random_normal(random) : 0;
}

/*
 * Rows with known and unknown words, two of them in one word; two of three have
 * an image and one row in two a type.
 */
static void
fill_batch(Check *c)
{
	MrenError err = {0};
	MrenRandom random;

	fixture_init(&c->fixture);
	mren_batch_words(&c->batch, &c->fixture.table, 0.7f);
	mren_random_seed(&random, 9, 0);
	c->batch.n = ROWS;
	for (size_t i = 0; i < ROWS; i++)
	{
		int32_t words[10];
		Row row;

		for (int w = 0; w < 10; w++)
			words[w] = (int32_t) mren_random_below(&random, FIXTURE_WORDS + 6) - 6;
		row_init(&row, words, 10, 0, 1, "r");
		for (int w = 4; w < 10; w++)
			row.starts[w] = row.starts[w + 1];
		row.example.sentence.n_words = 9;
		row.example.sentence.head = mentions[i][0];
		row.example.sentence.tail = mentions[i][1];
		assert_int_equal(mren_batch_load_text(&c->batch, i, &row.example.sentence,
											  (int32_t) (i % 2) - 1, (int32_t) ((i + 1) % 2) - 1,
											  &err),
						 MREN_OK);
		fill_vector(c, MREN_VECTOR_IMAGE, i, i % 3 != 0, &random);
		fill_vector(c, MREN_VECTOR_AUDIO, i, i % 4 != 1, &random);
		c->labels[i] = (int32_t) mren_random_below(&random, c->shape.n_relations);
		c->weights[i] = 0.5f + mren_random_uniform(&random);
	}
}

/* Scores far apart, so that few steps change which relation is the best wrong one. */
static void
spread_scores(Check *c)
{
	const MrenParameter *output = &c->layout.table.items[c->layout.ids.weight[c->shape.n_hidden]];

	for (size_t i = 0; i < output->rows * output->cols; i++)
		c->values[output->at + i] *= 4;
}

static void
open_shape(Check *c, const MrenNetShape *shape, MrenObjective objective, bool dropping)
{
	MrenError err = {0};

	memset(c, 0, sizeof(*c));
	test_env_init(&c->test);
	c->shape = *shape;
	c->objective = objective;
	c->dropping = dropping;
	c->drop.input = 0.4f;
	c->drop.hidden = 0.3f;
	c->drop.word = 0.2f;
	mren_random_seed(&c->drop.random, 3, 1);
	assert_int_equal(mren_net_shape_check(&c->shape, &err), MREN_OK);
	mren_net_layout_build(&c->shape, &c->layout);
	assert_int_equal(mren_batch_create(&c->test.env, &c->shape, &c->layout, ROWS, &c->batch, &err),
					 MREN_OK);
	mren_allocate_zero(&c->test.env, c->layout.table.size, sizeof(float), &c->values, &err);
	mren_allocate_zero(&c->test.env, c->layout.table.trained_size, sizeof(float), &c->grads, &err);
	assert_int_equal(
		mren_batch_init_weights(&c->test.env, &c->shape, &c->layout, c->values, 4, &err), MREN_OK);
	/* Biases and the vector of an absent image must not sit at a point of symmetry. */
	for (size_t i = 0; i < c->layout.table.size; i++)
		c->values[i] += i < c->layout.table.trained_size ? 0.05f * sinf((float) i) : 2;
	if (objective.loss == MREN_LOSS_RANKING)
		spread_scores(c);
	mren_batch_scale(&c->batch, c->values);
	c->batch.fine_tuned_ids = fine_tuned_ids;
	fill_batch(c);
}

static void
open_check(Check *c, MrenActivation activation, MrenObjective objective, size_t image_dim,
		   size_t filters, bool dropping)
{
	const MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
								.image_dim = image_dim,
								.n_types = 1,
								.n_relations = 4,
								.window = 2,
								.product = image_dim > 0 ? 3 : 0,
								.n_hidden = 2,
								.hidden = {7, 5},
								.activation = activation,
								.filters = filters,
								.position_dim = filters > 0 ? 3 : 0,
								.n_fine_tuned = filters > 0 ? N_FINE_TUNED : 0};

	open_shape(c, &shape, objective, dropping);
}

static void
close_check(Check *c)
{
	mren_batch_free(&c->test.env, &c->batch);
	mren_release(&c->test.env, c->values);
	mren_release(&c->test.env, c->grads);
	assert_int_equal(c->test.n_live, 0);
}

static double
central_difference(Check *c, size_t at, float step)
{
	float kept = c->values[at];
	double above;
	double below;

	c->values[at] = kept + step;
	above = evaluate(c, c->batch.dlogits);
	c->values[at] = kept - step;
	below = evaluate(c, c->batch.dlogits);
	c->values[at] = kept;
	return (above - below) / (2 * (double) step);
}

static bool
has_kinks(const Check *c)
{
	return c->shape.activation == MREN_ACTIVATION_RELU || c->shape.filters > 0 ||
		   c->objective.loss == MREN_LOSS_RANKING;
}

/*
 * A difference over a step h errs by about f'''h^2/6 and by the rounding of the
 * loss (1e-6) over h: about 3e-4 with h = 4e-3.  ReLU and a largest output also have
 * kinks, and so has the ranking loss where another relation becomes the best wrong
 * one; a step may cross them.  A few such parameters are allowed, and only there.
 */
static void
check_all(Check *c)
{
	size_t n_off = 0;
	size_t n = 0;

	evaluate(c, c->batch.dlogits);
	/* Backward must set gradients, not add to what was there. */
	for (size_t i = 0; i < c->layout.table.trained_size; i++)
		c->grads[i] = 123;
	mren_batch_backward(&c->batch, c->values, c->grads);
	for (size_t id = 0; id < c->layout.table.n_trained; id++)
	{
		const MrenParameter *tensor = &c->layout.table.items[id];
		double largest = 0;

		for (size_t i = 0; i < tensor->rows * tensor->cols; i++)
		{
			double analytic = c->grads[tensor->at + i];
			double numeric = central_difference(c, tensor->at + i, 4e-3f);

			largest = fmax(largest, fabs(numeric));
			n++;
			if (fabs(analytic - numeric) <= 4e-4 + 5e-3 * fabs(numeric))
				continue;
			/* A shorter step crosses fewer kinks, but its rounding is more. */
			numeric = central_difference(c, tensor->at + i, 5e-4f);
			if (has_kinks(c) && fabs(analytic - numeric) <= 3e-3 + 5e-3 * fabs(numeric))
				continue;
			n_off++;
			if (!has_kinks(c))
				fail_msg("tensor %s element %zu: %g, but finite differences say %g", tensor->name,
						 i, analytic, numeric);
		}
		/* An all-zero gradient would agree with a loss that ignores the tensor. */
		if (largest < 0.002)
			fail_msg("tensor %s does not move the loss: %g", tensor->name, largest);
	}
	if (n_off * 200 > n)
		fail_msg("%zu of %zu gradients are off", n_off, n);
}

static void
test_case(MrenActivation activation, MrenObjective objective, size_t image_dim, bool dropping)
{
	Check check;

	open_check(&check, activation, objective, image_dim, 0, dropping);
	check_all(&check);
	close_check(&check);
}

static void
test_gradients_of_text_alone(void **state)
{
	(void) state;
	test_case(MREN_ACTIVATION_TANH, cross_entropy, 0, false);
	test_case(MREN_ACTIVATION_RELU, cross_entropy, 0, false);
}

static void
test_gradients_with_images(void **state)
{
	(void) state;
	test_case(MREN_ACTIVATION_TANH, cross_entropy, FIXTURE_IMAGE, false);
	test_case(MREN_ACTIVATION_RELU, cross_entropy, FIXTURE_IMAGE, false);
}

static void
test_gradients_with_audio(void **state)
{
	MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
						  .n_types = 1,
						  .n_relations = 4,
						  .window = 2,
						  .n_hidden = 2,
						  .hidden = {7, 5},
						  .activation = MREN_ACTIVATION_TANH,
						  .audio_dim = 5,
						  .audio_units = 4,
						  .audio_product = 3};
	Check check;

	(void) state;
	for (int dropping = 0; dropping < 2; dropping++)
	{
		open_shape(&check, &shape, cross_entropy, dropping != 0);
		check_all(&check);
		close_check(&check);
	}
	/* beside an image and its boxes, whose columns come before */
	shape.image_dim = FIXTURE_IMAGE;
	shape.product = 3;
	shape.image_units = 6;
	shape.boxes = 1;
	open_shape(&check, &shape, cross_entropy, false);
	check_all(&check);
	close_check(&check);
	shape.audio_product = 0;
	open_shape(&check, &shape, cross_entropy, false);
	check_all(&check);
	close_check(&check);
}

static void
test_gradients_under_dropout(void **state)
{
	(void) state;
	test_case(MREN_ACTIVATION_TANH, cross_entropy, FIXTURE_IMAGE, true);
	test_case(MREN_ACTIVATION_RELU, cross_entropy, FIXTURE_IMAGE, true);
}

static void
test_gradients_of_squared_error(void **state)
{
	(void) state;
	test_case(MREN_ACTIVATION_TANH, squared_error, FIXTURE_IMAGE, false);
	test_case(MREN_ACTIVATION_TANH, squared_error, 0, true);
}

static void
test_gradients_of_ranking(void **state)
{
	(void) state;
	test_case(MREN_ACTIVATION_TANH, ranking, FIXTURE_IMAGE, false);
	test_case(MREN_ACTIVATION_TANH, ranking, 0, true);
}

/* The fixed relation's own weights must get no gradient, and change nothing. */
static void
check_fixed(MrenObjective objective)
{
	const int32_t fixed = 1;
	Check c;
	const MrenParameter *output;
	double others = 0;
	double before;

	objective.fixed = fixed;
	open_check(&c, MREN_ACTIVATION_TANH, objective, 0, 0, false);
	mren_batch_fix_relation(&c.shape, &c.layout, c.values, fixed);
	output = &c.layout.table.items[c.layout.ids.weight[c.shape.n_hidden]];
	before = evaluate(&c, c.batch.dlogits);
	mren_batch_backward(&c.batch, c.values, c.grads);
	for (size_t i = 0; i < output->rows * output->cols; i++)
	{
		double numeric = central_difference(&c, output->at + i, 4e-3f);
		double analytic = (double) c.grads[output->at + i];

		if (i % output->cols == (size_t) fixed)
		{
			assert_true(analytic == 0 && numeric == 0);
			assert_true(c.values[output->at + i] == 0);
			continue;
		}
		assert_float_equal(analytic, numeric, 4e-4 + 5e-3 * fabs(numeric));
		others += fabs(analytic);
	}
	assert_true(others > 0.01);
	for (size_t i = 0; i < output->rows; i++)
		c.values[output->at + i * output->cols + (size_t) fixed] = 5;
	assert_true(evaluate(&c, c.batch.dlogits) == before);
	close_check(&c);
}

static void
test_gradients_with_a_fixed_negative(void **state)
{
	(void) state;
	check_fixed(cross_entropy);
	check_fixed(squared_error);
	check_fixed(ranking);
}

static void
conv_case(MrenActivation activation, size_t image_dim, size_t max_rows, bool dropping)
{
	Check check;

	open_check(&check, activation, cross_entropy, image_dim, 4, dropping);
	if (max_rows > 0)
		check.batch.conv.max_rows = max_rows;
	check_all(&check);
	close_check(&check);
}

/*
 * Images: no grid in one row of three, which also has no image; boxes of both
 * mentions, of one, of none.
 */
static void
fill_grid_branch(Check *c)
{
	static const float boxes[2][4] = {{0.1f, 0.2f, 0.6f, 0.9f}, {0.5f, 0.05f, 0.95f, 0.4f}};
	size_t size = mren_grid_size(&c->shape.grid);
	uint16_t grid[2 * 3 * 5];
	MrenRandom random;

	mren_random_seed(&random, 21, 0);
	for (size_t i = 0; i < ROWS; i++)
	{
		bool has = c->batch.vectors[MREN_VECTOR_IMAGE].has[i];
		MrenGridBranchInput input = {NULL, NULL, NULL};

		for (size_t j = 0; j < size; j++)
			grid[j] = mren_half_from_float(3 * mren_random_normal(&random));
		if (has && size > 0 && i % 4 != 1)
			input.grid = grid;
		if (has && i % 4 != 2)
			input.head_box = boxes[i % 2];
		if (has && i % 5 != 2)
			input.tail_box = boxes[(i + 1) % 2];
		mren_grid_branch_load(&c->batch.grid_branch, &c->shape, &c->layout, c->values, i, &input);
	}
}

static void
grid_case(size_t fusion, size_t boxes, MrenActivation activation, bool dropping)
{
	MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
						  .image_dim = FIXTURE_IMAGE,
						  .n_types = 1,
						  .n_relations = 4,
						  .window = 1,
						  .product = 3,
						  .n_hidden = 1,
						  .hidden = {7},
						  .activation = activation,
						  .fusion = fusion,
						  .boxes = boxes};
	Check check;

	if (fusion != MREN_FUSION_PARALLEL)
		shape.grid = (MrenGridShape){2, 3, 5};
	open_shape(&check, &shape, cross_entropy, dropping);
	fill_grid_branch(&check);
	check_all(&check);
	close_check(&check);
}

/* Units and product after one projection of the image's vector. */
static void
shared_case(size_t fusion, MrenActivation activation, size_t product, bool dropping)
{
	MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
						  .image_dim = FIXTURE_IMAGE,
						  .n_types = 1,
						  .n_relations = 4,
						  .window = 1,
						  .product = product,
						  .n_hidden = 1,
						  .hidden = {7},
						  .activation = activation,
						  .fusion = fusion,
						  .image_units = 6};
	Check check;

	if (fusion != MREN_FUSION_PARALLEL)
		shape.grid = (MrenGridShape){2, 3, 5};
	open_shape(&check, &shape, cross_entropy, dropping);
	assert_int_equal(check.layout.table.items[check.layout.ids.image_weight].cols, 6);
	if (product > 0)
		assert_int_equal(check.layout.table.items[check.layout.ids.product_image_weight].rows, 6);
	fill_grid_branch(&check);
	check_all(&check);
	close_check(&check);
}

static void
test_gradients_of_a_shared_projection(void **state)
{
	(void) state;
	shared_case(MREN_FUSION_PARALLEL, MREN_ACTIVATION_TANH, 3, false);
	shared_case(MREN_FUSION_PARALLEL, MREN_ACTIVATION_RELU, 3, false);
	shared_case(MREN_FUSION_PARALLEL, MREN_ACTIVATION_TANH, 0, true);
	shared_case(MREN_FUSION_HYBRID, MREN_ACTIVATION_TANH, 3, true);
}

static void
test_roots_of_image_features(void **state)
{
	const float before[5] = {4, -9, 0, 2.25f, 1e-38f};
	const float roots[5] = {2, -3, 0, 1.5f, 1e-19f};
	MrenVectorBranch branch = {.dim = 5};
	float x[5];

	(void) state;
	memcpy(x, before, sizeof(x));
	mren_net_vector_root(&branch, x);
	assert_memory_equal(x, before, sizeof(x));
	branch.shared = true;
	mren_net_vector_root(&branch, x);
	for (int i = 0; i < 5; i++)
		assert_float_equal(x[i] / (roots[i] != 0 ? roots[i] : 1), roots[i] != 0, 1e-6);
}

static void
test_gradients_of_looking_at_a_grid(void **state)
{
	(void) state;
	grid_case(MREN_FUSION_SEQUENTIAL, 0, MREN_ACTIVATION_TANH, false);
	grid_case(MREN_FUSION_HYBRID, 0, MREN_ACTIVATION_TANH, true);
	grid_case(MREN_FUSION_HYBRID, 0, MREN_ACTIVATION_RELU, false);
}

static void
test_gradients_with_boxes(void **state)
{
	(void) state;
	grid_case(MREN_FUSION_PARALLEL, 1, MREN_ACTIVATION_TANH, true);
	grid_case(MREN_FUSION_SEQUENTIAL, 1, MREN_ACTIVATION_TANH, false);
	grid_case(MREN_FUSION_HYBRID, 1, MREN_ACTIVATION_TANH, true);
}

static void
test_gradients_of_convolutions(void **state)
{
	(void) state;
	conv_case(MREN_ACTIVATION_TANH, 0, 0, false);
	conv_case(MREN_ACTIVATION_RELU, 0, 0, false);
	conv_case(MREN_ACTIVATION_TANH, FIXTURE_IMAGE, 0, true);
}

/* Chunks of two sentences and of one give what one chunk gives, but for the order of sums. */
static void
test_gradients_of_convolutions_in_chunks(void **state)
{
	(void) state;
	conv_case(MREN_ACTIVATION_TANH, 0, 26, false);
	conv_case(MREN_ACTIVATION_TANH, 0, 13, true);
}

/* A batch without any image must leave the image's weights a zero gradient, not an old one. */
static void
no_image_case(size_t image_units)
{
	MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
						  .image_dim = FIXTURE_IMAGE,
						  .n_types = 1,
						  .n_relations = 4,
						  .window = 2,
						  .product = 3,
						  .n_hidden = 1,
						  .hidden = {7},
						  .activation = MREN_ACTIVATION_TANH,
						  .image_units = image_units};
	Check c;
	const MrenParameter *weight;
	const MrenParameter *absent;
	double sum = 0;

	open_shape(&c, &shape, cross_entropy, false);
	for (size_t i = 0; i < ROWS; i++)
		c.batch.vectors[MREN_VECTOR_IMAGE].has[i] = false;
	memset(c.batch.vectors[MREN_VECTOR_IMAGE].in, 0, ROWS * FIXTURE_IMAGE * sizeof(float));
	evaluate(&c, c.batch.dlogits);
	for (size_t i = 0; i < c.layout.table.trained_size; i++)
		c.grads[i] = 123;
	mren_batch_backward(&c.batch, c.values, c.grads);
	weight = &c.layout.table.items[c.layout.ids.image_weight];
	for (size_t i = 0; i < weight->rows * weight->cols; i++)
		assert_true(c.grads[weight->at + i] == 0);
	weight = &c.layout.table.items[c.layout.ids.product_image_weight];
	for (size_t i = 0; i < weight->rows * weight->cols; i++)
		assert_true(c.grads[weight->at + i] == 0);
	absent = &c.layout.table.items[c.layout.ids.absent];
	for (size_t i = 0; i < absent->cols; i++)
		sum += fabs((double) c.grads[absent->at + i]);
	assert_true(sum > 0.01);
	close_check(&c);
}

static void
test_no_image_in_the_batch(void **state)
{
	(void) state;
	no_image_case(0);
	no_image_case(6);
}

/* The loss of one row of k relations. */
static double
row_loss(const MrenObjective *objective, const float *logits, int32_t label, float weight, size_t k,
		 float scale, float *dlogits)
{
	return mren_loss(objective, &(MrenLabelledRows){logits, &label, &weight, 1, k}, scale, dlogits);
}

/* softmax([0, ln 3]) = (1/4, 3/4): cross-entropy of label 0 is ln 4, its gradient
 * (-3/4, 3/4); Brier is 2 * (3/4)^2 = 9/8. */
static void
test_losses_by_hand(void **state)
{
	float logits[2] = {0, logf(3)};
	float d[2];
	int32_t label = 0;
	float weight = 2;

	(void) state;
	assert_float_equal(row_loss(&cross_entropy, logits, label, weight, 2, 0.5f, d), 2 * log(4),
					   1e-6);
	assert_float_equal(d[0], -0.75, 1e-6);
	assert_float_equal(d[1], 0.75, 1e-6);
	assert_float_equal(row_loss(&squared_error, logits, label, weight, 2, 1, d), 2 * 1.125, 1e-6);
	/* Far apart logits neither overflow nor vanish. */
	logits[1] = 1000;
	assert_float_equal(row_loss(&cross_entropy, logits, label, weight, 2, 1, d), 2000, 1e-3);
	logits[1] = NAN;
	assert_false(isfinite(row_loss(&cross_entropy, logits, label, weight, 2, 1, d)));
}

/*
 * CR-CNN with relations A, none, B scored 2, (7), 1; g = 2, m+ = 2.5, m- = 0.5.
 * A row of A: log(1 + e^(2 (2.5 - 2))) + log(1 + e^(2 (0.5 + 1))).
 * A row of none: only log(1 + e^(2 (0.5 + 2))), of the best, A.
 */
static void
test_ranking_by_hand(void **state)
{
	MrenObjective objective = ranking;
	const float logits[3] = {2, 7, 1};
	const float weight = 1;
	int32_t label = 0;
	float d[3];

	(void) state;
	objective.fixed = 1;
	assert_float_equal(row_loss(&objective, logits, label, weight, 3, 1, d),
					   log1p(exp(1)) + log1p(exp(3)), 1e-6);
	assert_float_equal(d[0], -2 / (1 + exp(-1)), 1e-6);
	assert_true(d[1] == 0);
	assert_float_equal(d[2], 2 / (1 + exp(-3)), 1e-6);
	label = 1;
	assert_float_equal(row_loss(&objective, logits, label, weight, 3, 1, d), log1p(exp(5)), 1e-6);
	assert_float_equal(d[0], 2 / (1 + exp(-5)), 1e-6);
	assert_true(d[1] == 0 && d[2] == 0);
	/* Without a fixed relation, none is a relation as any: 7 is the best wrong one. */
	label = 0;
	assert_float_equal(row_loss(&ranking, logits, label, weight, 3, 1, d),
					   log1p(exp(1)) + log1p(exp(15)), 1e-5);
	assert_true(d[2] == 0);
	/* Of equals, the first. */
	label = 1;
	row_loss(&objective, (const float[3]){2, 0, 2}, label, weight, 3, 1, d);
	assert_true(d[0] > 0 && d[2] == 0);
	assert_false(
		isfinite(row_loss(&objective, (const float[3]){NAN, 0, 2}, label, weight, 3, 1, d)));
}

/* With logits (ln 3, 0 fixed): p = (3/4, 1/4). */
static void
test_fixed_negative_by_hand(void **state)
{
	MrenObjective objective = cross_entropy;
	const float logits[2] = {logf(3), 99};
	const float weight = 1;
	int32_t label = 1;
	float d[2];

	(void) state;
	objective.fixed = 1;
	assert_float_equal(row_loss(&objective, logits, label, weight, 2, 1, d), log(4), 1e-6);
	assert_float_equal(d[0], 0.75, 1e-6);
	assert_true(d[1] == 0);
	objective.loss = MREN_LOSS_MSE;
	assert_float_equal(row_loss(&objective, logits, label, weight, 2, 1, d), 1.125, 1e-6);
	assert_true(d[1] == 0);
}

/* Layers of 2048 and 1024 rows: 4.3 thousand million products a layer, in
 * pieces of half a thousand million.  Interrupts are checked for between two of
 * them. */
static void
test_large_products_can_be_interrupted(void **state)
{
	TestEnv test;
	MrenNetShape shape = {
		.embedding_dim = 1, .n_relations = 2, .n_hidden = 2, .hidden = {2048, 2048}};
	MrenNetLayout layout;
	MrenBatch batch;
	MrenError err = {0};
	float *values;

	(void) state;
	test_env_init(&test);
	mren_net_layout_build(&shape, &layout);
	assert_int_equal(mren_batch_create(&test.env, &shape, &layout, 1024, &batch, &err), MREN_OK);
	assert_int_equal(mren_allocate_zero(&test.env, layout.table.size, sizeof(float), &values, &err),
					 MREN_OK);
	for (size_t i = 0; i < layout.table.items[layout.ids.text_std].cols; i++)
		values[layout.table.items[layout.ids.text_std].at + i] = 1;
	mren_batch_scale(&batch, values);
	memset(batch.has_unknown, 0, 1024);
	batch.n = 1024;
	test.n_checks = 0;
	test.interrupt_at = 3;
	mren_batch_forward(&batch, values, NULL);
	assert_true(batch.work.stopped);
	assert_int_equal(test.n_checks, 3);
	test.interrupt_at = 0;
	test.n_checks = 0;
	mren_batch_forward(&batch, values, NULL);
	assert_false(batch.work.stopped);
	assert_true(test.n_checks >= 8);
	mren_batch_free(&test.env, &batch);
	mren_release(&test.env, values);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_losses_by_hand),
		cmocka_unit_test(test_ranking_by_hand),
		cmocka_unit_test(test_fixed_negative_by_hand),
		cmocka_unit_test(test_gradients_of_text_alone),
		cmocka_unit_test(test_gradients_with_images),
		cmocka_unit_test(test_gradients_with_audio),
		cmocka_unit_test(test_gradients_under_dropout),
		cmocka_unit_test(test_gradients_of_squared_error),
		cmocka_unit_test(test_gradients_of_ranking),
		cmocka_unit_test(test_gradients_with_a_fixed_negative),
		cmocka_unit_test(test_gradients_of_a_shared_projection),
		cmocka_unit_test(test_roots_of_image_features),
		cmocka_unit_test(test_gradients_of_looking_at_a_grid),
		cmocka_unit_test(test_gradients_with_boxes),
		cmocka_unit_test(test_gradients_of_convolutions),
		cmocka_unit_test(test_gradients_of_convolutions_in_chunks),
		cmocka_unit_test(test_no_image_in_the_batch),
		cmocka_unit_test(test_large_products_can_be_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
