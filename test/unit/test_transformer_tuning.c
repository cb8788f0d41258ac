/*
 * test_transformer_tuning.c
 *	  The course of a fine-tuning: frozen layers whose output is kept, batches in shards, in parts
 *	  and in bounded memory, helpers, and the schedule.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "transformer/train/encoder_tuning.h"

#define WIDTH 16
#define VOCABULARY 40
#define MAX_SENTENCES 80
#define MAX_TOKENS 4096

static const MrenTransformerConfig bert = {.architecture = MREN_TRANSFORMER_BERT,
										   .layers = 3,
										   .width = WIDTH,
										   .heads = 2,
										   .intermediate = 32,
										   .embedding_width = WIDTH,
										   .vocabulary = VOCABULARY,
										   .positions = 64,
										   .token_types = 2,
										   .eps = 1e-5f,
										   .hidden_dropout = 0.1f,
										   .attention_dropout = 0.1f,
										   .absolute_positions = true};

/* Sentences of random tokens, each with groups of two markers after it. */
typedef struct Text
{
	MrenTransformerSentence sentences[MAX_SENTENCES];
	int32_t ids[MAX_TOKENS];
	uint32_t positions[MAX_TOKENS];
	MrenTransformerBatch batch;
} Text;

static Text *
make_text(size_t n_sentences, size_t words, size_t groups)
{
	Text *text = calloc(1, sizeof(Text));
	MrenRandom random;
	size_t at = 0;

	assert_non_null(text);
	mren_random_seed(&random, 3, 0);
	for (size_t s = 0; s < n_sentences; s++)
	{
		text->sentences[s] = (MrenTransformerSentence){words, groups, groups > 0 ? 2 : 0};
		for (size_t i = 0; i < words + 2 * groups; i++, at++)
		{
			text->ids[at] = (int32_t) mren_random_below(&random, VOCABULARY);
			text->positions[at] =
				(uint32_t) (i < words ? i : mren_random_below(&random, (uint32_t) words));
		}
	}
	text->batch =
		(MrenTransformerBatch){text->sentences, n_sentences, text->ids, text->positions, NULL, at};
	return text;
}

static float *
make_weights(const MrenEnv *env)
{
	size_t n = mren_transformer_parameters(&bert);
	MrenRandom random;
	MrenError err;
	float *weights;

	assert_int_equal(mren_allocate(env, n, sizeof(float), &weights, &err), MREN_OK);
	mren_random_seed(&random, 1, 0);
	for (size_t i = 0; i < n; i++)
		weights[i] = 0.3f * mren_random_normal(&random);
	return weights;
}

static MrenTransformerTuning
make_tuning(MrenTransformerTuningKind kind)
{
	return (MrenTransformerTuning){.kind = kind,
								   .last_layers = kind == MREN_TUNING_LAST ? 2 : 0,
								   .rank = kind == MREN_TUNING_ADAPTERS ? 4 : 0,
								   .alpha = 8,
								   .seed = 1};
}

static void
open_tuning(const MrenEnv *env, MrenEncoderTuning *f, MrenTransformerTuningKind kind, size_t memory)
{
	MrenTransformerTuning tuning = make_tuning(kind);
	MrenError err = {0};

	memset(f, 0, sizeof(*f));
	if (mren_transformer_tuning_plan(env, f, &bert, &tuning, memory, &err) != MREN_OK ||
		mren_transformer_tuning_open(f, make_weights(env), &err) != MREN_OK)
		fail_msg("%s", err.message);
	assert_int_equal(mren_transformer_tuning_begin(f, &err), MREN_OK);
}

/* The gradient of the loss, which is the sum of its product with the output. */
static float *
make_slopes(size_t n)
{
	float *slopes = malloc(n * sizeof(float));

	assert_non_null(slopes);
	for (size_t i = 0; i < n; i++)
		slopes[i] = (float) ((i * 7919 + 13) % 101) / 50.0f - 1;
	return slopes;
}

/* Forward and backward; out (n_tokens, WIDTH) is malloc'd. */
static float *
run_pass(MrenEncoderTuning *f, const Text *text, const uint64_t *seed)
{
	size_t n = text->batch.n_tokens * WIDTH;
	float *slopes = make_slopes(n);
	float *out = malloc(n * sizeof(float));
	MrenError err = {0};

	if (mren_transformer_tuning_forward(f, &text->batch, seed, out, &err) != MREN_OK ||
		mren_transformer_tuning_backward(f, slopes, &err) != MREN_OK)
		fail_msg("%s", err.message);
	free(slopes);
	return out;
}

static size_t
gradient_bytes(const MrenEncoderTuning *f)
{
	return mren_transformer_trainer_parameters(f->trainer).size * sizeof(float);
}

/*
 * Frozen layers
 */

static float *
read_frozen(MrenFrozenLayers *frozen, const Text *text)
{
	float *out = malloc(text->batch.n_tokens * WIDTH * sizeof(float));
	MrenError err = {0};

	if (mren_frozen_read(frozen, &text->batch, out, &err) != MREN_OK)
		fail_msg("%s", err.message);
	return out;
}

/* Another group of markers after the same text. */
static Text *
other_group(const Text *text)
{
	Text *other = malloc(sizeof(Text));

	memcpy(other, text, sizeof(Text));
	other->positions[text->sentences[0].n_text] ^= 1;
	other->batch.sentences = other->sentences;
	other->batch.ids = other->ids;
	other->batch.positions = other->positions;
	return other;
}

/* What is kept is what is computed, and is not computed again; a new group costs its sentence. */
static void
test_frozen_output_is_kept(void **state)
{
	TestEnv test;
	MrenError err = {0};
	Text *texts[2];
	MrenFrozenLayers *keeping;
	MrenFrozenLayers *forgetting;
	float *weights[2];
	size_t n;

	(void) state;
	test_env_init(&test);
	texts[0] = make_text(5, 12, 3);
	texts[1] = other_group(texts[0]);
	for (int i = 0; i < 2; i++)
		weights[i] = make_weights(&test.env);
	assert_int_equal(mren_frozen_create(&test.env, &bert, 2, weights[0], SIZE_MAX, &keeping, &err),
					 MREN_OK);
	assert_int_equal(mren_frozen_create(&test.env, &bert, 2, weights[1], 0, &forgetting, &err),
					 MREN_OK);
	n = texts[0]->batch.n_tokens;
	for (int i = 0; i < 4; i++)
	{
		float *kept = read_frozen(keeping, texts[i % 2]);
		float *computed = read_frozen(forgetting, texts[i % 2]);

		assert_memory_equal(kept, computed, n * WIDTH * sizeof(float));
		free(kept);
		free(computed);
	}
	assert_int_equal(mren_frozen_computed(keeping), n + 12 + 2);
	assert_int_equal(mren_frozen_computed(forgetting), 4 * n);
	mren_frozen_free(keeping);
	mren_frozen_free(forgetting);
	for (int i = 0; i < 2; i++)
	{
		mren_release(&test.env, weights[i]);
		free(texts[i]);
	}
	assert_int_equal(test.n_live, 0);
}

/* The vectors are those of the whole encoder where all layers are frozen. */
static void
test_frozen_encoder(void **state)
{
	TestEnv test;
	MrenError err = {0};
	Text *text = make_text(3, 9, 2);
	MrenEncoderTuning f;
	MrenTransformer *encoder;
	float *weights;
	float *out;
	float expected[45 * WIDTH];

	(void) state;
	test_env_init(&test);
	assert_true(text->batch.n_tokens <= 45);
	open_tuning(&test.env, &f, MREN_TUNING_FROZEN, 0);
	out = run_pass(&f, text, NULL);
	weights = make_weights(&test.env);
	assert_int_equal(mren_transformer_create(&test.env, &bert, weights, &encoder, &err), MREN_OK);
	assert_int_equal(mren_transformer_forward(&test.env, encoder, &text->batch, expected, &err),
					 MREN_OK);
	assert_memory_equal(out, expected, text->batch.n_tokens * WIDTH * sizeof(float));
	mren_transformer_free(&test.env, encoder);
	mren_release(&test.env, weights);
	mren_transformer_tuning_free(&f);
	free(out);
	free(text);
	assert_int_equal(test.n_live, 0);
}

/*
 * Memory
 */

static const MrenTransformerTuningKind kinds[] = {MREN_TUNING_ALL, MREN_TUNING_LAST,
												  MREN_TUNING_ADAPTERS};

/* Least memory gives the same bits; less is refused. */
static void
test_memory_is_bounded(void **state)
{
	Text *text = make_text(20, 20, 1);
	uint64_t seed = 9;

	(void) state;
	for (size_t i = 0; i < 3; i++)
	{
		TestEnv test;
		MrenError err = {0};
		MrenEncoderTuning ample;
		MrenEncoderTuning scarce;
		MrenTransformerTuning tuning = make_tuning(kinds[i]);
		size_t share = kinds[i] == MREN_TUNING_LAST ? 2 : 1;
		size_t least;
		float *out[2];

		test_env_init(&test);
		open_tuning(&test.env, &ample, kinds[i], 0);
		/* Of one of two shards: the other is then run again. */
		least =
			mren_transformer_trainer_batch_memory(&bert, &ample.tuning, text->sentences, 10, true);
		assert_true(mren_transformer_trainer_batch_memory(&bert, &ample.tuning, text->sentences, 10,
														  false) > least);
		open_tuning(&test.env, &scarce, kinds[i], ample.fixed + share * least);
		out[0] = run_pass(&ample, text, &seed);
		out[1] = run_pass(&scarce, text, &seed);
		assert_memory_equal(out[0], out[1], text->batch.n_tokens * WIDTH * sizeof(float));
		assert_memory_equal(mren_transformer_trainer_gradients(ample.trainer),
							mren_transformer_trainer_gradients(scarce.trainer),
							gradient_bytes(&ample));
		mren_transformer_tuning_free(&scarce);
		open_tuning(&test.env, &scarce, kinds[i], ample.fixed + share * least - 1);
		assert_int_equal(
			mren_transformer_tuning_forward(&scarce, &text->batch, &seed, out[1], &err),
			MREN_ELIMIT);
		assert_non_null(strstr(err.message, "on 220 tokens takes "));
		assert_non_null(strstr(err.hint, "mren.train_memory"));
		mren_transformer_tuning_free(&scarce);
		memset(&scarce, 0, sizeof(scarce));
		/* Of which nothing is allocated. */
		assert_int_equal(
			mren_transformer_tuning_plan(&test.env, &scarce, &bert, &tuning, ample.fixed, &err),
			MREN_ELIMIT);
		mren_transformer_tuning_free(&ample);
		free(out[0]);
		free(out[1]);
		assert_int_equal(test.n_live, 0);
	}
	free(text);
}

/* A shard is the sum of its parts, whose masks are drawn again where they are run again. */
static void
test_parts(void **state)
{
	TestEnv test;
	MrenError err = {0};
	Text *text = make_text(70, 30, 1); /* 64 sentences of 32 tokens are a part */
	MrenShardRun run = {.n = 1, .n_sentences = {70}, .batch = text->batch};
	MrenTransformerBatch parts[2] = {text->batch, text->batch};
	MrenEncoderTuning f;
	MrenTransformerTrainer *trainer;
	float *slopes = make_slopes(text->batch.n_tokens * WIDTH);
	float *expected = malloc(text->batch.n_tokens * WIDTH * sizeof(float));
	float *out = malloc(text->batch.n_tokens * WIDTH * sizeof(float));
	uint64_t seed = 4;

	(void) state;
	test_env_init(&test);
	parts[0].n_sentences = 64;
	parts[1].n_sentences = 6;
	parts[0].n_tokens = parts[1].n_tokens = (size_t) 64 * 32;
	parts[1].n_tokens = (size_t) 6 * 32;
	parts[1].sentences += 64;
	parts[1].ids += parts[0].n_tokens;
	parts[1].positions += parts[0].n_tokens;
	open_tuning(&test.env, &f, MREN_TUNING_ALL, 0);
	run.step = (MrenTransformerStep){NULL, true, seed};
	assert_int_equal(mren_tuning_shards_forward(&f.shards, &run, out, &err), MREN_OK);
	assert_int_equal(mren_tuning_shards_backward(&f.shards, &run, slopes, &err), MREN_OK);
	assert_int_equal(
		mren_transformer_trainer_create(&test.env, &bert, &f.tuning, f.weights, &trainer, &err),
		MREN_OK);
	for (size_t i = 2; i-- > 0;)
	{
		MrenTransformerStep step = {NULL, true, seed + i};
		size_t first = i * parts[0].n_tokens * WIDTH;

		assert_int_equal(
			mren_transformer_trainer_forward(trainer, &parts[i], &step, expected + first, &err),
			MREN_OK);
		assert_int_equal(mren_transformer_trainer_backward(trainer, slopes + first, &err), MREN_OK);
	}
	assert_memory_equal(out, expected, text->batch.n_tokens * WIDTH * sizeof(float));
	assert_memory_equal(mren_transformer_trainer_gradients(trainer),
						mren_transformer_trainer_gradients(f.trainer), gradient_bytes(&f));
	mren_transformer_trainer_free(trainer);
	mren_transformer_tuning_free(&f);
	assert_int_equal(test.n_live, 0);
	free(out);
	free(expected);
	free(slopes);
	free(text);
}

/*
 * Shards
 */

/* Shards cover the batch, are of like size, and are fewer where it is small. */
static void
test_cut(void **state)
{
	static const struct
	{
		size_t sentences;
		size_t words;
		size_t most;
		size_t n;
	} cases[] = {{16, 32, 4, 2}, {16, 64, 4, 4}, {16, 64, 2, 2}, {16, 15, 4, 1},
				 {2, 512, 4, 2}, {1, 512, 4, 1}, {5, 256, 4, 4}, {0, 0, 4, 1}};

	(void) state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
	{
		Text *text = make_text(cases[c].sentences, cases[c].words, 0);
		MrenShardRun run = {.batch = text->batch};
		size_t sentences = 0;

		mren_tuning_cut(&run, cases[c].most);
		assert_int_equal(run.n, cases[c].n);
		for (size_t i = 0; i < run.n; i++)
		{
			assert_true(run.n_sentences[i] * run.n <= cases[c].sentences + run.n - 1);
			assert_true(run.n_sentences[i] > 0 || cases[c].sentences == 0);
			sentences += run.n_sentences[i];
		}
		assert_int_equal(sentences, cases[c].sentences);
		free(text);
	}
}

/* A long sentence is a shard of its own, at either end. */
static void
test_uneven_cut(void **state)
{
	Text *text = make_text(9, 30, 0);
	MrenShardRun run = {.batch = text->batch};

	(void) state;
	text->sentences[0].n_text = 240;
	run.batch.n_tokens = (size_t) 480;
	mren_tuning_cut(&run, 2);
	assert_int_equal(run.n_sentences[0], 1);
	text->sentences[0].n_text = 30;
	text->sentences[8].n_text = 240;
	mren_tuning_cut(&run, 2);
	assert_int_equal(run.n_sentences[0], 8);
	free(text);
}

/* Helpers that answer at once. */
typedef struct Team
{
	const MrenEnv *env;
	size_t n;
	float *memory;
	MrenTuningHelper *helpers[MREN_MAX_HELPERS];
	const uint8_t *answers[MREN_MAX_HELPERS];
	size_t sizes[MREN_MAX_HELPERS];
	size_t n_requests;
} Team;

static MrenStatus
engage(void *state, size_t n_bytes, size_t most, void **memory, size_t *n, MrenError *err)
{
	Team *team = state;

	*n = team->n < most ? team->n : most;
	team->n = *n;
	if (team->n == 0)
		return MREN_OK;
	MREN_TRY(mren_allocate(team->env, n_bytes, 1, &team->memory, err));
	*memory = team->memory;
	return MREN_OK;
}

static MrenStatus
give(void *state, size_t helper, const uint8_t *request, size_t n, MrenError *err)
{
	Team *team = state;

	assert_true(helper < team->n);
	assert_null(team->answers[helper]);
	team->n_requests++;
	if (team->helpers[helper] == NULL)
		MREN_TRY(mren_tuning_helper_create(team->env, team->memory, &team->helpers[helper], err));
	return mren_tuning_helper_answer(team->helpers[helper], request, n, &team->answers[helper],
									 &team->sizes[helper], err);
}

static MrenStatus
take(void *state, size_t helper, const uint8_t **answer, size_t *n, MrenError *err)
{
	Team *team = state;

	(void) err;
	assert_non_null(team->answers[helper]);
	*answer = team->answers[helper];
	*n = team->sizes[helper];
	team->answers[helper] = NULL;
	return MREN_OK;
}

static void
dismiss(void *state)
{
	Team *team = state;

	for (size_t i = 0; i < team->n; i++)
		mren_tuning_helper_free(team->helpers[i]);
	mren_release(team->env, team->memory);
}

static MrenTuningTeam
team_of(Team *team)
{
	return (MrenTuningTeam){
		.state = team, .engage = engage, .give = give, .take = take, .dismiss = dismiss};
}

/* Some steps with so many helpers; the trained values, malloc'd. */
static float *
train_with(size_t n_helpers, MrenTransformerTuningKind kind, size_t memory, size_t *n)
{
	static const size_t sentences[] = {16, 40, 3, 70};
	TestEnv test;
	Team team = {.env = &test.env, .n = n_helpers};
	MrenTuningTeam members = team_of(&team);
	MrenTransformerTuning tuning = make_tuning(kind);
	MrenEncoderTuning f = {0};
	MrenError err = {0};
	float *values;

	test_env_init(&test);
	assert_int_equal(mren_transformer_tuning_plan(&test.env, &f, &bert, &tuning, memory, &err),
					 MREN_OK);
	assert_int_equal(mren_transformer_tuning_open(&f, make_weights(&test.env), &err), MREN_OK);
	f.rate = 1e-2;
	mren_transformer_tuning_lead(&f, &members);
	assert_int_equal(mren_transformer_tuning_begin(&f, &err), MREN_OK);
	for (uint64_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
	{
		Text *text = make_text(sentences[i], 29, 1);
		bool *read;

		text->batch.types = calloc(text->batch.n_tokens, 1);
		text->batch.read = read = calloc(text->batch.n_tokens, sizeof(bool));
		for (size_t j = 0; j < text->batch.n_tokens; j += 3)
			read[j] = true;
		free(run_pass(&f, text, &i));
		assert_int_equal(mren_transformer_tuning_clip(&f, &(MrenClippedBeside){0}, &err), MREN_OK);
		assert_int_equal(mren_transformer_tuning_step(&f, 1, &err), MREN_OK);
		free((uint8_t *) text->batch.types);
		free(read);
		free(text);
	}
	assert_true((team.n_requests > 0) == (n_helpers > 0));
	*n = mren_transformer_trainer_parameters(f.trainer).size;
	values = malloc(*n * sizeof(float));
	memcpy(values, mren_transformer_trainer_values(f.trainer), *n * sizeof(float));
	mren_transformer_tuning_free(&f);
	assert_int_equal(test.n_live, 0);
	return values;
}

/* The same bits whoever computes the shards, and with as little memory as there can be. */
static void
test_helpers(void **state)
{
	(void) state;
	for (size_t i = 0; i < 3; i++)
	{
		size_t n;
		float *alone = train_with(0, kinds[i], 0, &n);

		assert_true(n > 0);
		for (size_t helpers = 1; helpers <= MREN_MAX_HELPERS; helpers++)
		{
			float *together = train_with(helpers, kinds[i], 0, &n);
			float *scarcely = train_with(helpers, kinds[i], 5000000, &n);

			assert_memory_equal(alone, together, n * sizeof(float));
			assert_memory_equal(alone, scarcely, n * sizeof(float));
			free(together);
			free(scarcely);
		}
		free(alone);
	}
}

/* Two shards of the same sentences: dropout differs, and without it nothing does. */
static void
test_shards_draw_their_own_dropout(void **state)
{
	const uint64_t seed = 9;
	TestEnv test;
	MrenEncoderTuning f;
	Text *text = make_text(16, 30, 0);
	size_t half = text->batch.n_tokens / 2;
	float *out[2];

	(void) state;
	test_env_init(&test);
	memcpy(text->ids + half, text->ids, half * sizeof(text->ids[0]));
	open_tuning(&test.env, &f, MREN_TUNING_ALL, 0);
	out[0] = run_pass(&f, text, NULL);
	out[1] = run_pass(&f, text, &seed);
	assert_int_equal(f.run.n, 2);
	assert_int_equal(f.run.n_sentences[0], 8);
	assert_memory_equal(out[0], out[0] + half * WIDTH, half * WIDTH * sizeof(float));
	assert_true(memcmp(out[1], out[1] + half * WIDTH, half * WIDTH * sizeof(float)) != 0);
	mren_transformer_tuning_free(&f);
	assert_int_equal(test.n_live, 0);
	free(out[0]);
	free(out[1]);
	free(text);
}

/* The gradients are those of the shards, each with masks of its own; nobody's is left out. */
static void
test_shards_add_up(void **state)
{
	TestEnv test;
	MrenEncoderTuning f;
	MrenEncoderTuning whole;
	MrenError err = {0};
	Text *text = make_text(16, 30, 1);
	MrenShardRun run = {.n = 1, .n_sentences = {16}, .batch = text->batch};
	float *slopes = make_slopes(text->batch.n_tokens * WIDTH);
	float *expected = malloc(text->batch.n_tokens * WIDTH * sizeof(float));
	float *out;
	double difference = 0;
	double square = 0;

	(void) state;
	test_env_init(&test);
	open_tuning(&test.env, &f, MREN_TUNING_ALL, 0);
	open_tuning(&test.env, &whole, MREN_TUNING_ALL, 0);
	out = run_pass(&f, text, NULL);
	assert_int_equal(f.run.n, 2);
	assert_int_equal(mren_tuning_shards_forward(&whole.shards, &run, expected, &err), MREN_OK);
	assert_int_equal(mren_tuning_shards_backward(&whole.shards, &run, slopes, &err), MREN_OK);
	for (size_t i = 0; i < gradient_bytes(&f) / sizeof(float); i++)
	{
		double expected_slope = (double) mren_transformer_trainer_gradients(whole.trainer)[i];

		difference +=
			pow((double) mren_transformer_trainer_gradients(f.trainer)[i] - expected_slope, 2);
		square += expected_slope * expected_slope;
	}
	assert_true(square > 1);
	assert_true(difference < 1e-8 * square);
	mren_transformer_tuning_free(&f);
	mren_transformer_tuning_free(&whole);
	assert_int_equal(test.n_live, 0);
	free(out);
	free(expected);
	free(slopes);
	free(text);
}

/*
 * The course
 */

static void
test_schedule(void **state)
{
	TestEnv test;
	MrenEncoderTuning f;
	MrenError err = {0};
	double rate;
	float start[1] = {0};

	(void) state;
	assert_true(mren_transformer_tuning_share(0) == 0);
	assert_true(fabs(mren_transformer_tuning_share(0.05) - 0.5) < 1e-12);
	assert_true(fabs(mren_transformer_tuning_share(0.1) - 1) < 1e-12);
	assert_true(fabs(mren_transformer_tuning_share(0.55) - 0.5) < 1e-12);
	assert_true(mren_transformer_tuning_share(1) == 0);
	test_env_init(&test);
	open_tuning(&test.env, &f, MREN_TUNING_FROZEN, 0);
	f.rate = rate = 0.9;
	assert_int_equal(mren_transformer_tuning_epochs(&f, 5), 5);
	assert_true(mren_transformer_tuning_greatest_rate(&f) == rate);
	/* From trained values, fewer epochs at a lower rate do. */
	mren_transformer_tuning_start(&f, start);
	assert_int_equal(mren_transformer_tuning_epochs(&f, 11), 3);
	assert_int_equal(mren_transformer_tuning_epochs(&f, 5), 1);
	assert_true(fabs(mren_transformer_tuning_greatest_rate(&f) - rate / 3) < 1e-12);
	/*
	 * Few rows tell nothing; at chance, pretrained values are tried instead, and then a third of
	 * the rate, from the beginning.
	 */
	assert_false(mren_transformer_tuning_again(&f, 10, true));
	assert_false(mren_transformer_tuning_again(&f, 100, false));
	for (int i = 0; i < 2; i++)
	{
		assert_true(mren_transformer_tuning_again(&f, 100, true));
		assert_true(fabs(mren_transformer_tuning_greatest_rate(&f) - rate) < 1e-12);
		assert_int_equal(mren_transformer_tuning_begin(&f, &err), MREN_OK);
		rate /= 3;
	}
	assert_int_equal(mren_transformer_tuning_epochs(&f, 5), 5);
	assert_false(mren_transformer_tuning_again(&f, 100, true));
	mren_transformer_tuning_free(&f);
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
run_last_layers(const MrenEnv *env, MrenError *err, void *arg)
{
	const Text *text = arg;
	MrenTransformerTuning tuning = make_tuning(MREN_TUNING_LAST);
	Team team = {.env = env, .n = 1};
	MrenTuningTeam members = team_of(&team);
	MrenEncoderTuning f = {0};
	float *weights;
	float *out = NULL;
	uint64_t seed = 2;
	MrenStatus status;

	MREN_TRY(mren_transformer_tuning_plan(env, &f, &bert, &tuning, 0, err));
	MREN_TRY(
		mren_allocate_zero(env, mren_transformer_parameters(&bert), sizeof(float), &weights, err));
	status = mren_transformer_tuning_open(&f, weights, err);
	mren_transformer_tuning_lead(&f, &members);
	if (status == MREN_OK)
		status = mren_transformer_tuning_begin(&f, err);
	if (status == MREN_OK)
		status = mren_allocate_zero(env, text->batch.n_tokens * WIDTH, sizeof(float), &out, err);
	for (int i = 0; i < 2 && status == MREN_OK; i++)
	{
		status = mren_transformer_tuning_forward(&f, &text->batch, &seed, out, err);
		if (status == MREN_OK)
			status = mren_transformer_tuning_backward(&f, out, err);
		if (status == MREN_OK)
			status = mren_transformer_tuning_clip(&f, &(MrenClippedBeside){0}, err);
		if (status == MREN_OK)
			status = mren_transformer_tuning_step(&f, 1, err);
	}
	mren_release(env, out);
	mren_transformer_tuning_free(&f);
	return status;
}

static void
test_failures(void **state)
{
	Text *text = make_text(10, 26, 1); /* two shards */

	(void) state;
	test_allocation_sweep(run_last_layers, text);
	test_interrupt_sweep(run_last_layers, text);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frozen_output_is_kept),
		cmocka_unit_test(test_frozen_encoder),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_uneven_cut),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_shards_draw_their_own_dropout),
		cmocka_unit_test(test_shards_add_up),
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
