/*
 * test_tagger.c
 *	  Taggers: gradients of the network by finite differences, training to a
 *	  rule that can be learnt, the same bits however rows arrive, bytes there and
 *	  back, records, and what fails on the way.
 */
#include "relation_fixture.h"
#include "tag_rows.h"

#include <math.h>
#include <stdlib.h>

#include "tagger/tag_net.h"
#include "tagger/tag_tables.h"
#include "tagger/word_parts.h"

#define WORDS 7

/* A sentence that owns its arrays: each word has three features. */
typedef struct Sentence
{
	int32_t words[WORDS];
	uint8_t shapes[WORDS];
	uint32_t starts[WORDS + 1];
	uint32_t features[3 * WORDS];
	uint64_t lexicons[WORDS];
	MrenTagInput input;
} Sentence;

static void
sentence_init(Sentence *sentence, size_t n, MrenRandom *random)
{
	for (size_t w = 0; w < n; w++)
	{
		sentence->words[w] = (int32_t) mren_random_below(random, FIXTURE_WORDS + 8) - 8;
		sentence->shapes[w] = (uint8_t) mren_random_below(random, MREN_TAG_SHAPES);
		sentence->starts[w] = (uint32_t) (3 * w);
		sentence->features[3 * w] = (uint32_t) mren_random_below(random, 1000);
		sentence->features[3 * w + 1] = (uint32_t) mren_random_below(random, 5) + 5000;
		sentence->features[3 * w + 2] = (uint32_t) mren_random_below(random, 1000) + 9000;
		sentence->lexicons[w] = mren_random_below(random, 256);
	}
	sentence->starts[n] = (uint32_t) (3 * n);
	sentence->input = (MrenTagInput){n,
									 sentence->words,
									 sentence->shapes,
									 sentence->starts,
									 sentence->features,
									 sentence->lexicons};
}

/*
 * Gradients
 */

#define SENTENCES 3

typedef struct Check
{
	TestEnv test;
	Fixture fixture;
	MrenTagShape shape;
	MrenTagLayout layout;
	MrenTagBatch batch;
	Sentence sentences[SENTENCES];
	MrenTagInput inputs[SENTENCES];
	uint32_t tags[SENTENCES * WORDS];
	float weights[SENTENCES];
	float *values;
	float *grads;
	MrenTagDropout drop;
	bool dropping;
} Check;

static double
loss_now(Check *c)
{
	MrenError err = {0};
	MrenTagDropout drop = c->drop;
	double loss;

	assert_int_equal(mren_tag_forward(&c->batch, c->values, &c->fixture.table, c->inputs, SENTENCES,
									  c->dropping ? &drop : NULL, &err),
					 MREN_OK);
	assert_int_equal(mren_tag_loss(&c->batch, c->values, c->tags, c->weights, 1, &loss, &err),
					 MREN_OK);
	return loss;
}

static void
check_init(Check *c, MrenActivation activation)
{
	static const size_t lengths[SENTENCES] = {7, 1, 4};
	MrenError err = {0};
	MrenRandom random;
	size_t words = 0;

	memset(c, 0, sizeof(*c));
	test_env_init(&c->test);
	fixture_init(&c->fixture);
	c->shape = (MrenTagShape){.embedding_dim = FIXTURE_DIM,
							  .feature_dim = 4,
							  .n_buckets = 16,
							  .n_sparse = 64,
							  .n_lexicons = 2,
							  .n_types = 2,
							  .n_hidden = 2,
							  .hidden = {6, 5},
							  .window = {2, 1},
							  .activation = activation};
	assert_int_equal(mren_tag_shape_check(&c->shape, &err), MREN_OK);
	mren_tag_layout_build(&c->shape, &c->layout);
	assert_int_equal(mren_tag_batch_create(&c->test.env, &c->shape, &c->layout, &c->batch, &err),
					 MREN_OK);
	c->values = calloc(c->layout.table.size, sizeof(float));
	c->grads = calloc(c->layout.table.size, sizeof(float));
	mren_tag_init(&c->shape, &c->layout, c->values, 3);
	mren_random_seed(&random, 4, 0);
	for (size_t i = 0; i < c->layout.table.trained_size; i++)
		c->values[i] += 0.1f * mren_random_normal(&random);
	for (size_t s = 0; s < SENTENCES; s++)
	{
		const MrenTagSpan spans[] = {{0, 1, 1}, {2, 4, 0}};

		sentence_init(&c->sentences[s], lengths[s], &random);
		c->inputs[s] = c->sentences[s].input;
		c->weights[s] = 0.5f + (float) s;
		mren_bilou_write(spans, lengths[s] > 1 ? 2 : 1, c->tags + words, lengths[s]);
		words += lengths[s];
	}
}

static void
check_free(Check *c)
{
	mren_tag_batch_free(&c->test.env, &c->batch);
	free(c->values);
	free(c->grads);
	assert_int_equal(c->test.n_live, 0);
}

static void
check_tensor(Check *c, const MrenParameter *tensor)
{
	double sum = 0;
	size_t n = tensor->rows * tensor->cols;

	/* Of a large tensor every seventh number: all buckets and columns are among them. */
	for (size_t i = 0; i<n; i += n> 300 ? 7 : 1)
	{
		float *value = &c->values[tensor->at + i];
		float kept = *value;
		double gradient = c->grads[tensor->at + i];
		double up;
		double down;

		*value = kept + 2e-3f;
		up = loss_now(c);
		*value = kept - 2e-3f;
		down = loss_now(c);
		*value = kept;
		sum += fabs(gradient);
		if (fabs((up - down) / 4e-3 - gradient) > 0.02 + 0.02 * fabs(gradient))
			fail_msg("%s[%zu]: %g, but differences say %g", tensor->name, i, gradient,
					 (up - down) / 4e-3);
	}
	assert_true(sum > 1e-3);
}

static void
check_gradients(Check *c)
{
	MrenError err = {0};

	loss_now(c);
	memset(c->grads, 0, c->layout.table.size * sizeof(float));
	assert_int_equal(mren_tag_backward(&c->batch, c->values, c->grads, &err), MREN_OK);
	for (size_t i = 0; i < c->layout.table.n_trained; i++)
		check_tensor(c, &c->layout.table.items[i]);
}

static void
test_gradients(void **state)
{
	Check c;

	(void) state;
	check_init(&c, MREN_ACTIVATION_TANH);
	check_gradients(&c);
	c.dropping = true;
	c.drop = (MrenTagDropout){.word = 0.3f, .input = 0.3f, .hidden = 0.3f, .sparse = 0.3f};
	mren_random_seed(&c.drop.random, 8, 0);
	check_gradients(&c);
	check_free(&c);
}

/*
 * Steps of the tables, compared with a step of every row every time.
 */

#define STEPS 6

typedef struct Plain
{
	double *values, *averaged, *squares;
} Plain;

/* The definition: RMSProp of all numbers of a table, and the mean over steps. */
static void
step_plainly(Plain *plain, const MrenParameter *tensor, const float *grads, int step, double rate,
			 double keep)
{
	double correction = sqrt(1 - pow(0.999, step));

	for (size_t i = tensor->at; i < tensor->at + tensor->rows * tensor->cols; i++)
	{
		plain->squares[i] = 0.999 * plain->squares[i] + 0.001 * grads[i] * grads[i];
		plain->values[i] -=
			rate * correction * grads[i] / (sqrt(plain->squares[i]) + 1e-8 * correction);
		plain->averaged[i] = keep * plain->averaged[i] + (1 - keep) * plain->values[i];
	}
}

static void
compare_table(const MrenParameter *tensor, const double *plain, const float *values)
{
	for (size_t i = tensor->at; i < tensor->at + tensor->rows * tensor->cols; i++)
	{
		if (fabs(plain[i] - values[i]) > 1e-5 * (1 + fabs(plain[i])))
			fail_msg("%s[%zu]: %g, but %g", tensor->name, i - tensor->at, values[i], plain[i]);
	}
}

static void
test_steps_of_tables(void **state)
{
	Check c;
	MrenTagTables tables;
	MrenOptimizerConfig config;
	MrenOptions options;
	MrenOptimizerState optimizer;
	MrenError err = {0};
	const MrenParameter *tensors;
	size_t size;
	float *averaged;
	Plain plain;

	(void) state;
	check_init(&c, MREN_ACTIVATION_TANH);
	tensors = c.layout.table.items;
	size = c.layout.table.size;
	mren_options_init(&options);
	options.common.weight_decay = 0;
	config = mren_options_optimizer(&options, false);
	assert_int_equal(mren_tag_tables_create(&c.test.env, &c.layout, &tables, &err), MREN_OK);
	assert_int_equal(mren_optimizer_create(&c.test.env, &config,
										   mren_parameters_trained(&c.layout.table), &optimizer,
										   &err),
					 MREN_OK);
	averaged = calloc(size, sizeof(float));
	plain = (Plain){calloc(size, sizeof(double)), calloc(size, sizeof(double)),
					calloc(size, sizeof(double))};
	for (size_t i = 0; i < size; i++)
		plain.values[i] = plain.averaged[i] = averaged[i] = c.values[i];
	for (int step = 1; step <= STEPS; step++)
	{
		/* Of changing length, so that rows are passed over. */
		double keep = step / 10.0;
		double loss;

		assert_int_equal(mren_tag_forward(&c.batch, c.values, &c.fixture.table,
										  c.inputs + step % SENTENCES, 1, NULL, &err),
						 MREN_OK);
		assert_int_equal(mren_tag_loss(&c.batch, c.values, c.tags, c.weights, 1, &loss, &err),
						 MREN_OK);
		assert_int_equal(mren_tag_backward(&c.batch, c.values, c.grads, &err), MREN_OK);
		optimizer.config.learning_rate = 0.01 * step;
		assert_int_equal(mren_optimizer_step(&c.test.env, mren_parameters_trained(&c.layout.table),
											 &optimizer, c.values, c.grads, &err),
						 MREN_OK);
		step_plainly(&plain, &tensors[c.layout.ids.features], c.grads, step, 0.01 * step, keep);
		step_plainly(&plain, &tensors[c.layout.ids.sparse], c.grads, step, 0.01 * step, keep);
		mren_tag_tables_step(&tables, &c.batch, &optimizer, keep, c.values, averaged, c.grads);
	}
	mren_tag_tables_settle(&tables, c.values, averaged);
	for (size_t i = 0; i < 2; i++)
	{
		const MrenParameter *tensor =
			&tensors[i == 0 ? c.layout.ids.features : c.layout.ids.sparse];

		compare_table(tensor, plain.values, c.values);
		compare_table(tensor, plain.averaged, averaged);
	}
	mren_tag_tables_free(&c.test.env, &tables);
	mren_optimizer_free(&c.test.env, &optimizer);
	free(averaged);
	free(plain.values);
	free(plain.averaged);
	free(plain.squares);
	check_free(&c);
}

/*
 * Training
 */

/*
 * The rule: a word of number 0 begins a mention of two words, a word of number 1
 * is one alone.  Other words follow each other at random.
 */
static void
rows_init(Rows *rows, size_t n, bool backwards)
{
	MrenRandom random;

	memset(rows, 0, sizeof(*rows));
	test_env_init(&rows->test);
	fixture_init(&rows->fixture);
	mren_random_seed(&random, 12, 0);
	rows->n = n;
	for (size_t i = 0; i < n; i++)
	{
		MrenTagMention mentions[2];
		Sentence sentence;

		mentions_of(i, mentions);
		sentence_init(&sentence, WORDS, &random);
		for (size_t w = 0; w < WORDS; w++)
			sentence.words[w] = 2 + (int32_t) mren_random_below(&random, FIXTURE_WORDS - 2);
		for (size_t m = 0; m < 2; m++)
			sentence.words[mentions[m].first] = mentions[m].end == mentions[m].first + 1 ? 1 : 0;
		rows_add(rows, i, backwards ? n - 1 - i : i, &sentence.input);
	}
	rows_sort(rows);
}

static void
small_options(MrenTagOptions *options)
{
	mren_tag_options_init(options);
	options->common.n_hidden = 1;
	options->common.hidden[0] = 16;
	options->window = 1;
	options->common.epochs = 40;
	options->common.batch_size = 8;
	options->common.learning_rate = 0.01;
	options->common.dropout = options->common.hidden_dropout = 0.1;
	options->feature_dim = 0;
	options->direct = false;
	options->common.word_dropout = 0;
	options->common.weight_ema = 0.9;
}

static MrenStatus
begin(const MrenEnv *env, Rows *rows, const MrenTagOptions *options, MrenTagTrainer **trainer,
	  MrenError *err)
{
	const uint8_t sha256[32] = {1, 2, 3};
	const uint8_t lexicons[2][32] = {{4}, {5}};
	const MrenTagTrainerInputs inputs = {.source = {rows, rows->n, read_record, NULL},
										 .vectors = rows->fixture.table,
										 .embeddings_sha256 = sha256,
										 .n_lexicons = 2,
										 .lexicons_sha256 = lexicons};

	return mren_tag_trainer_create(env, options, &inputs, trainer, err);
}

static MrenStatus
train(const MrenEnv *env, Rows *rows, const MrenTagOptions *options, MrenTagger **tagger,
	  MrenTagReport *report, MrenError *err)
{
	MrenTagTrainer *trainer;

	MREN_TRY(begin(env, rows, options, &trainer, err));
	return run(trainer, tagger, report, err);
}

static void
test_learns_the_rule(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagReport report;
	MrenTagger *tagger;
	MrenTaggerInfo info;
	MrenError err = {0};
	size_t n_right = 0;

	(void) state;
	rows_init(&rows, ROWS, false);
	small_options(&options);
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, &report, &err), MREN_OK);
	assert_int_equal(report.n_rows, ROWS);
	assert_int_equal(report.n_mentions, 2 * ROWS);
	assert_int_equal(report.n_train + report.n_validation, ROWS);
	assert_true(report.n_validation > 0 && report.validated);
	assert_true(report.validation_f1 > 0.9);
	mren_tagger_info(tagger, &info);
	assert_int_equal(info.n_types, 2);
	assert_int_equal(info.n_lexicons, 2);
	assert_int_equal(info.n_training_rows, ROWS);
	assert_memory_equal(mren_tagger_type(tagger, 0).data, "long", 4);
	assert_true(mren_tagger_trained_on(tagger, 17));
	assert_false(mren_tagger_trained_on(tagger, ROWS + 17));
	for (size_t i = 0; i < ROWS; i++)
	{
		MrenTagExample example;
		MrenTagged *found;
		size_t n;
		size_t size;

		mren_tag_example_read(rows.records[i].data, rows.records[i].len, &example, &size, &err);
		assert_int_equal(mren_tagger_tag(tagger, &rows.test.env, &rows.fixture.table,
										 &example.input, &found, &n, &err),
						 MREN_OK);
		n_right += count_found(&example, found, n);
		mren_release(&rows.test.env, found);
	}
	assert_true(n_right > 2 * ROWS * 9 / 10);
	mren_tagger_free(&rows.test.env, tagger);
	rows_free(&rows);
}

static void
test_same_bits(void **state)
{
	Rows rows;
	Rows others;
	MrenTagOptions options;

	(void) state;
	small_options(&options);
	options.common.epochs = 3;
	options.feature_dim = 4;
	options.direct = true;
	rows_init(&rows, 20, false);
	rows_init(&others, 20, true);
	check_same_bits(&rows, &others, &options);
	rows_free(&rows);
	rows_free(&others);
}

/* A long sentence is cut, and a word far from the cut has the bits it has alone. */
static void
test_pieces(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenError err = {0};
	size_t n = MREN_TAG_PIECE + 5;
	int32_t *words = calloc(n, sizeof(*words));
	uint8_t *shapes = calloc(n, 1);
	uint32_t *starts = calloc(n + 1, sizeof(*starts));
	uint32_t *features = calloc(2 * n, sizeof(*features));
	uint64_t *lexicons = calloc(n, sizeof(*lexicons));
	MrenTagInput input = {n, words, shapes, starts, features, lexicons};
	MrenTagged *found;
	size_t n_found;

	(void) state;
	rows_init(&rows, ROWS, false);
	small_options(&options);
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, &err), MREN_OK);
	for (size_t w = 0; w <= n; w++)
		starts[w] = (uint32_t) (2 * w);
	for (size_t w = 0; w < n; w++)
		words[w] = 5;
	words[3] = words[MREN_TAG_PIECE + 2] = 1;
	assert_int_equal(mren_tagger_tag(tagger, &rows.test.env, &rows.fixture.table, &input, &found,
									 &n_found, &err),
					 MREN_OK);
	for (size_t i = 0; i < n_found; i++)
		assert_true(found[i].first < found[i].end && found[i].end <= n &&
					(i == 0 || found[i].first >= found[i - 1].end));
	mren_release(&rows.test.env, found);
	input.n_words = 0;
	assert_int_equal(mren_tagger_tag(tagger, &rows.test.env, &rows.fixture.table, &input, &found,
									 &n_found, &err),
					 MREN_OK);
	assert_int_equal(n_found, 0);
	mren_tagger_free(&rows.test.env, tagger);
	free(words);
	free(shapes);
	free(starts);
	free(features);
	free(lexicons);
	rows_free(&rows);
}

/*
 * 12,000 different words in sentences that share some with the one before: more than are kept, so
 * that some are computed again.  Words with many features are not kept.
 */
static void
test_kept_words_give_the_same_bits(void **state)
{
	enum
	{
		LENGTH = 300,
		STEP = 240,
		ROUNDS = 50,
		MOST = 60
	};
	static int32_t words[LENGTH];
	static uint8_t shapes[LENGTH];
	static uint32_t starts[LENGTH + 1];
	static uint32_t features[LENGTH * MOST];
	static uint64_t lexicons[LENGTH];
	MrenTagInput input = {LENGTH, words, shapes, starts, features, lexicons};
	MrenTagOptions options;
	MrenTagCache *cache;
	MrenTagger *tagger;
	Rows rows;

	(void) state;
	rows_init(&rows, ROWS, false);
	small_options(&options);
	options.common.epochs = 2;
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, NULL), MREN_OK);
	assert_int_equal(mren_tag_cache_create(&rows.test.env, MREN_TAG_CACHE_BYTES, &cache, NULL),
					 MREN_OK);
	for (uint32_t round = 0; round < ROUNDS; round++)
	{
		for (uint32_t w = 0; w < LENGTH; w++)
		{
			uint32_t code = round * STEP + w;
			uint32_t n = w % 100 == 7 ? MOST : 2 + code % 5;

			words[w] = (int32_t) (code % 8) - 1;
			shapes[w] = (uint8_t) (code % 3);
			lexicons[w] = code % 7 == 0;
			for (uint32_t i = 0; i < n; i++)
				features[starts[w] + i] = code * 2654435761u + i;
			starts[w + 1] = starts[w] + n;
		}
		for (int twice = 0; twice < 2; twice++)
		{
			MrenTagged *alone;
			MrenTagged *kept;
			size_t n_alone;
			size_t n_kept;

			input.cache = NULL;
			assert_int_equal(mren_tagger_tag(tagger, &rows.test.env, &rows.fixture.table, &input,
											 &alone, &n_alone, NULL),
							 MREN_OK);
			input.cache = cache;
			assert_int_equal(mren_tagger_tag(tagger, &rows.test.env, &rows.fixture.table, &input,
											 &kept, &n_kept, NULL),
							 MREN_OK);
			assert_int_equal(n_alone, n_kept);
			assert_true(n_kept > 0);
			assert_memory_equal(alone, kept, n_kept * sizeof(*kept));
			mren_release(&rows.test.env, alone);
			mren_release(&rows.test.env, kept);
		}
	}
	mren_tag_cache_free(cache);
	mren_tagger_free(&rows.test.env, tagger);
	rows_free(&rows);
}

/* Words keep their slots when the table grows, so what was computed of them is not lost. */
static void
test_words_keep_their_slots(void **state)
{
	enum
	{
		LENGTH = 100,
		ROUNDS = 20
	};
	static int32_t words[LENGTH];
	static uint8_t shapes[LENGTH];
	static uint32_t starts[LENGTH + 1];
	static uint32_t features[LENGTH];
	MrenTagInput input = {LENGTH, words, shapes, starts, features, NULL};
	MrenTagOptions options;
	MrenTagger *tagger;
	Rows rows;

	(void) state;
	rows_init(&rows, ROWS, false);
	small_options(&options);
	options.common.epochs = 1;
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, NULL), MREN_OK);
	assert_int_equal(
		mren_tag_cache_create(&rows.test.env, MREN_TAG_CACHE_BYTES, &input.cache, NULL), MREN_OK);
	/* The last sentence is the first one. */
	for (uint32_t round = 0; round <= ROUNDS; round++)
	{
		MrenTagParts parts;

		for (uint32_t w = 0; w < LENGTH; w++)
		{
			features[w] = round % ROUNDS * LENGTH + w;
			starts[w + 1] = w + 1;
		}
		assert_int_equal(
			mren_tag_parts_read(tagger, &rows.test.env, &rows.fixture.table, &input, &parts, NULL),
			MREN_OK);
		assert_true((parts.made != NULL) == (round < ROUNDS));
		mren_tag_parts_free(&rows.test.env, &parts);
	}
	mren_tag_cache_free(input.cache);
	mren_tagger_free(&rows.test.env, tagger);
	rows_free(&rows);
}

/*
 * Bytes
 */

static void
test_bytes(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenError err = {0};
	uint8_t *bytes;
	uint8_t *again;
	size_t len;
	size_t len_again;

	(void) state;
	rows_init(&rows, 20, false);
	small_options(&options);
	options.common.epochs = 1;
	bytes_of(&rows, &options, &bytes, &len);
	assert_true(mren_tagger_is(bytes, len));
	assert_int_equal(mren_tagger_deserialize(&rows.test.env, bytes, len, &tagger, &err), MREN_OK);
	assert_int_equal(mren_tagger_serialize(tagger, &rows.test.env, &again, &len_again, &err),
					 MREN_OK);
	assert_int_equal(len, len_again);
	assert_memory_equal(bytes, again, len);
	mren_release(&rows.test.env, again);
	mren_tagger_free(&rows.test.env, tagger);
	/* Any cut and any flipped bit is found. */
	for (size_t at = 0; at < len; at += 1 + len / 97)
	{
		assert_int_not_equal(mren_tagger_deserialize(&rows.test.env, bytes, at, &tagger, &err),
							 MREN_OK);
		bytes[at] ^= 16;
		assert_int_not_equal(mren_tagger_deserialize(&rows.test.env, bytes, len, &tagger, &err),
							 MREN_OK);
		bytes[at] ^= 16;
	}
	mren_release(&rows.test.env, bytes);
	rows_free(&rows);
}

/* Weights so large that scores overflow are an error, not an answer. */
static void
test_scores_overflow(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenTagExample example;
	MrenTagged *found;
	MrenError err = {0};
	float huge[1 << 14];
	size_t n;

	(void) state;
	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++)
		huge[i] = 3e38f;
	rows_init(&rows, 6, false);
	small_options(&options);
	options.common.epochs = 1;
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, &err), MREN_OK);
	for (size_t i = 0; i < mren_tagger_n_tensors(tagger); i++)
	{
		MrenTensorView view;

		mren_tagger_tensor(tagger, i, &view);
		if (view.rows * view.cols <= sizeof(huge) / sizeof(huge[0]))
			assert_int_equal(
				mren_tagger_set_tensor(tagger, view.name, view.rows, view.cols, huge, &err),
				MREN_OK);
	}
	assert_int_equal(
		mren_tag_example_read(rows.records[0].data, rows.records[0].len, &example, &n, &err),
		MREN_OK);
	assert_int_equal(mren_tagger_tag(tagger, &rows.test.env, &rows.fixture.table, &example.input,
									 &found, &n, &err),
					 MREN_ENUMERIC);
	mren_tagger_free(&rows.test.env, tagger);
	rows_free(&rows);
}

/* In parts, as the catalog keeps it. */
static void
test_parts(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenTagger *parts;
	MrenError err = {0};
	uint8_t *header;
	size_t len;
	float nan = NAN;
	MrenTensorView view;

	(void) state;
	rows_init(&rows, 20, false);
	small_options(&options);
	options.common.epochs = 1;
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, &err), MREN_OK);
	assert_int_equal(mren_tagger_header(tagger, &rows.test.env, &header, &len, &err), MREN_OK);
	assert_int_equal(mren_tagger_from_header(&rows.test.env, header, len, &parts, &err), MREN_OK);
	assert_int_equal(mren_tagger_complete(parts, &err), MREN_EFORMAT);
	for (size_t i = 0; i < mren_tagger_n_tensors(tagger); i++)
	{
		mren_tagger_tensor(tagger, i, &view);
		assert_int_equal(
			mren_tagger_set_tensor(parts, view.name, view.rows, view.cols, view.data, &err),
			MREN_OK);
	}
	assert_int_equal(mren_tagger_complete(parts, &err), MREN_OK);
	assert_int_equal(mren_tagger_set_tensor(parts, "nothing", 1, 1, &nan, &err), MREN_EFORMAT);
	assert_int_equal(mren_tagger_set_tensor(parts, "embeddings.scale", 2, 1, &nan, &err),
					 MREN_EFORMAT);
	assert_int_equal(mren_tagger_set_tensor(parts, "embeddings.scale", 1, 1, &nan, &err),
					 MREN_ENUMERIC);
	mren_release(&rows.test.env, header);
	mren_tagger_free(&rows.test.env, parts);
	mren_tagger_free(&rows.test.env, tagger);
	rows_free(&rows);
}

static void
test_record(void **state)
{
	Rows rows;
	MrenTagExample example;
	MrenError err = {0};
	size_t size;
	int32_t *ids;
	size_t n;

	(void) state;
	rows_init(&rows, 4, false);
	for (size_t i = 0; i < 4; i++)
	{
		uint8_t *bytes = rows.records[i].data;
		size_t len = rows.records[i].len;

		assert_int_equal(len % 8, 0);
		assert_int_equal(mren_tag_example_read(bytes, len, &example, &size, &err), MREN_OK);
		assert_int_equal(size, len);
		assert_int_equal(example.n_mentions, 2);
		for (size_t at = 0; at < len; at += 3)
		{
			bytes[at] ^= 1;
			assert_int_equal(mren_tag_example_read(bytes, len, &example, &size, &err),
							 MREN_EFORMAT);
			bytes[at] ^= 1;
			assert_int_equal(mren_tag_example_read(bytes, at, &example, &size, &err), MREN_EFORMAT);
		}
	}
	assert_int_equal(mren_tag_source_words(&rows.test.env,
										   &(MrenSource){&rows, 4, read_record, NULL}, &ids, &n,
										   &err),
					 MREN_OK);
	assert_true(n >= 2);
	for (size_t i = 1; i < n; i++)
		assert_true(ids[i - 1] < ids[i]);
	mren_release(&rows.test.env, ids);
	rows_free(&rows);
}

/*
 * Failures
 */

static MrenStatus
train_and_tag(const MrenEnv *env, MrenError *err, void *arg)
{
	Rows *rows = arg;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenTagExample example;
	MrenTagCache *cache = NULL;
	MrenTagged *found;
	size_t n;
	MrenStatus status;

	small_options(&options);
	options.common.epochs = 1;
	options.feature_dim = 2;
	MREN_TRY(train(env, rows, &options, &tagger, NULL, err));
	mren_tag_example_read(rows->records[0].data, rows->records[0].len, &example, &n, err);
	status = mren_tag_cache_create(env, MREN_TAG_CACHE_BYTES, &cache, err);
	example.input.cache = cache;
	for (int twice = 0; status == MREN_OK && twice < 2; twice++)
	{
		status =
			mren_tagger_tag(tagger, env, &rows->fixture.table, &example.input, &found, &n, err);
		if (status == MREN_OK)
			mren_release(env, found);
	}
	mren_tag_cache_free(cache);
	if (status == MREN_OK)
		return store_and_read(env, tagger, err);
	mren_tagger_free(env, tagger);
	return status;
}

static void
test_sweeps(void **state)
{
	Rows rows;

	(void) state;
	rows_init(&rows, 6, false);
	test_allocation_sweep(train_and_tag, &rows);
	test_interrupt_sweep(train_and_tag, &rows);
	rows_free(&rows);
}

/* What is left after an epoch, at most, counts a refit and nothing else. */
static void
test_rows_left(void **state)
{
	(void) state;
	for (int refit = 0; refit <= 1; refit++)
	{
		MrenTagTrainer *trainer;
		MrenTagOptions options;
		MrenProgress progress;
		MrenTagReport report;
		MrenError err = {0};
		double left = -1;
		size_t came = 0;
		Rows rows;

		rows_init(&rows, ROWS, false);
		small_options(&options);
		options.common.epochs = 6;
		options.common.patience = 0;
		options.common.refit = refit;
		options.common.validation_share = 0.25;
		assert_int_equal(begin(&rows.test.env, &rows, &options, &trainer, &err), MREN_OK);
		do
		{
			assert_int_equal(mren_tag_trainer_step(trainer, &progress, &err), MREN_OK);
			if (progress.event != MREN_TRAIN_EPOCH)
				continue;
			assert_int_equal(progress.rows_done, progress.rows_total);
			if (left < 0)
				left =
					(double) ((size_t) (progress.epochs - progress.epoch) * progress.rows_total) +
					progress.rows_later;
			else
				came += progress.rows_total;
		} while (progress.event != MREN_TRAIN_DONE);
		mren_tag_trainer_report(trainer, &report);
		assert_true(report.n_validation > 0);
		/* Five more epochs without the validation rows, and at most six with them. */
		assert_float_equal(
			left, 5 * (double) (ROWS - report.n_validation) + (refit ? 6 * (double) ROWS : 0), 0);
		assert_true((double) came <= left);
		assert_int_equal(came, 5 * (ROWS - report.n_validation) +
								   (size_t) report.refit_epochs * (refit ? ROWS : 0));
		assert_int_equal(report.refit_epochs > 0, refit);
		mren_tag_trainer_free(trainer);
		rows_free(&rows);
	}
}

static void
test_rows_that_cannot_train(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenTagExample example = {.weight = 0, .n_mentions = 0};
	MrenBuffer buffer = {0};
	MrenRandom random;
	Sentence sentence;
	MrenError err = {0};

	(void) state;
	rows_init(&rows, 2, false);
	small_options(&options);
	rows.n = 0;
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, &err), MREN_EDATA);
	rows.n = 2;
	options.common.learning_rate = 1e30;
	options.common.epochs = 50;
	options.common.validation_share = 0;
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, &err), MREN_ENUMERIC);
	mren_random_seed(&random, 1, 0);
	sentence_init(&sentence, 3, &random);
	example.input = sentence.input;
	assert_int_equal(mren_tag_example_append(&rows.test.env, &buffer, &example, NULL, &err),
					 MREN_EDATA);
	rows_free(&rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gradients),
		cmocka_unit_test(test_steps_of_tables),
		cmocka_unit_test(test_learns_the_rule),
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_kept_words_give_the_same_bits),
		cmocka_unit_test(test_words_keep_their_slots),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_scores_overflow),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_sweeps),
		cmocka_unit_test(test_rows_left),
		cmocka_unit_test(test_rows_that_cannot_train),
	};

	return cmocka_run_group_tests_name("tagger", tests, NULL, NULL);
}
