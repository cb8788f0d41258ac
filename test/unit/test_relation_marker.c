/*
 * test_relation_marker.c
 *	  Relations from a pretrained text encoder: which tokens are read and marked, rows of one
 *	  sentence in one pass, training, and the network that it makes.
 */
#include "relation_set.h"

#include <math.h>

#include "relation/explain.h"
#include "relation/marker/marker_tokens.h"
#include "relation/train/trainer_marker.h"

/* A tokenizer of one piece a letter, with a piece in front of the text and one after it. */
static const char tokenizer_json[] =
	"{\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", "
	"\"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100, \"vocab\": {"
	"\"[UNK]\": 0, \"[CLS]\": 1, \"[SEP]\": 2, \"a\": 3, \"b\": 4, \"c\": 5, \"d\": 6, \"e\": 7, "
	"\"##b\": 8, \"##c\": 9}}, \"normalizer\": {\"type\": \"BertNormalizer\", "
	"\"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": null, "
	"\"lowercase\": true}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, "
	"\"post_processor\": {\"type\": \"BertProcessing\", \"sep\": [\"[SEP]\", 2], "
	"\"cls\": [\"[CLS]\", 1]}, \"decoder\": null, \"added_tokens\": [], \"truncation\": null, "
	"\"padding\": null, \"version\": \"1.0\"}";

static void
mark(const MrenEnv *env, const char *text, MrenCharSpan head, MrenCharSpan tail, size_t most,
	 MrenMarkerTokenBuffer *buffer, MrenMarkedTokens *tokens)
{
	MrenSubwordTokenizer *tokenizer;
	MrenPieces pieces = {0};
	MrenMarkerText input = {.pieces = &pieces, .head = head, .tail = tail, .max_tokens = most};
	MrenError err = {0};

	if (mren_subword_parse(env, tokenizer_json, strlen(tokenizer_json), &tokenizer, &err) !=
		MREN_OK)
		fail_msg("%s", err.message);
	input.tokenizer = tokenizer;
	assert_int_equal(mren_subword_encode(env, tokenizer, text, strlen(text), 0, &pieces, &err),
					 MREN_OK);
	if (mren_marker_tokens(env, &input, buffer, tokens, &err) != MREN_OK)
		fail_msg("%s", err.message);
	mren_pieces_free(env, &pieces);
	mren_subword_free(env, tokenizer);
}

static void
check_marks(const MrenMarkedTokens *tokens, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	const uint32_t expected[] = {a, b, c, d};

	for (int i = 0; i < MREN_N_MARKS; i++)
		assert_int_equal(tokens->marks[i], expected[i]);
}

static void
test_tokens_are_marked(void **state)
{
	TestEnv test;
	MrenMarkerTokenBuffer buffer = {0};
	MrenMarkedTokens tokens;

	(void) state;
	test_env_init(&test);
	/* [CLS] a abb c [SEP]: the head is "abb", of three pieces; the tail is "a" */
	mark(&test.env, "a abb c", (MrenCharSpan){2, 5}, (MrenCharSpan){0, 1}, 16, &buffer, &tokens);
	assert_int_equal(tokens.n, 7);
	assert_false(tokens.windowed);
	assert_int_equal(tokens.ids[0], 1);
	assert_int_equal(tokens.ids[3], 8);
	assert_int_equal(tokens.ids[6], 2);
	check_marks(&tokens, 2, 4, 1, 1);
	/* A mention that cuts pieces is marked at the whole pieces. */
	mark(&test.env, "a abb c", (MrenCharSpan){3, 4}, (MrenCharSpan){6, 7}, 16, &buffer, &tokens);
	check_marks(&tokens, 3, 3, 5, 5);
	/* A mention of blanks is marked at the piece after it, or at the last one. */
	mark(&test.env, "a abb c ", (MrenCharSpan){1, 2}, (MrenCharSpan){7, 8}, 16, &buffer, &tokens);
	check_marks(&tokens, 2, 2, 5, 5);
	/* Nothing to read */
	mark(&test.env, "  ", (MrenCharSpan){0, 1}, (MrenCharSpan){1, 2}, 16, &buffer, &tokens);
	assert_int_equal(tokens.n, 0);
	mren_marker_tokens_free(&test.env, &buffer);
	assert_int_equal(test.n_live, 0);
}

static void
test_long_sentences_are_read_in_windows(void **state)
{
	static const char text[] = "a b c d e a b c d e a b c d e a b c d e";
	TestEnv test;
	MrenMarkerTokenBuffer buffer = {0};
	MrenMarkedTokens tokens;

	(void) state;
	test_env_init(&test);
	/* Both in one window of six pieces: pieces 5 to 10 */
	mark(&test.env, text, (MrenCharSpan){12, 13}, (MrenCharSpan){16, 17}, 8, &buffer, &tokens);
	assert_int_equal(tokens.n, 8);
	assert_true(tokens.windowed);
	assert_int_equal(tokens.ids[tokens.marks[0]], 4);
	assert_int_equal(tokens.ids[tokens.marks[2]], 6);
	assert_int_equal(tokens.marks[2] - tokens.marks[0], 2);
	/* Too far apart: three pieces around each */
	mark(&test.env, text, (MrenCharSpan){36, 37}, (MrenCharSpan){2, 3}, 8, &buffer, &tokens);
	assert_int_equal(tokens.n, 8);
	assert_int_equal(tokens.ids[tokens.marks[0]], 6);
	assert_int_equal(tokens.ids[tokens.marks[2]], 4);
	check_marks(&tokens, 5, 5, 2, 2);
	/* A mention longer than the window keeps both of its marks inside. */
	mark(&test.env, text, (MrenCharSpan){0, 39}, (MrenCharSpan){38, 39}, 8, &buffer, &tokens);
	assert_int_equal(tokens.n, 8);
	for (int i = 0; i < MREN_N_MARKS; i++)
		assert_true(tokens.marks[i] < tokens.n);
	mren_marker_tokens_free(&test.env, &buffer);
	assert_int_equal(test.n_live, 0);
}

/*
 * Networks
 */

#define VOCABULARY (FIXTURE_WORDS + 2)

#define TINY_VOCABULARY VOCABULARY
#define TINY_POSITIONS 32
#define TINY_DEVIATION 0.2f
#include "tiny_encoder.h"

/* Tokens of a row: its words between two special ones. */
typedef struct RowTokens
{
	int32_t ids[18];
	uint32_t words[18];
} RowTokens;

static RowTokens row_tokens[MAX_ROWS];

static void
add_tokens(Set *set)
{
	for (size_t i = 0; i < set->n; i++)
	{
		MrenExample *example = &set->rows[i].example;
		const MrenSentence *s = &example->sentence;
		RowTokens *tokens = &row_tokens[i];

		tokens->ids[0] = FIXTURE_WORDS;
		tokens->words[0] = UINT32_MAX;
		for (uint32_t w = 0; w < s->n_words; w++)
		{
			tokens->ids[w + 1] = s->pieces[w];
			tokens->words[w + 1] = w;
		}
		tokens->ids[s->n_words + 1] = FIXTURE_WORDS + 1;
		tokens->words[s->n_words + 1] = UINT32_MAX;
		example->tokens = (MrenMarkedTokens){
			.ids = tokens->ids,
			.n = s->n_words + 2,
			.marks = {s->head.first + 1, s->head.end, s->tail.first + 1, s->tail.end}};
	}
}

static MrenInput
input_of(const Set *set, size_t i)
{
	return (MrenInput){.sentence = &set->rows[i].example.sentence,
					   .head_type = -1,
					   .tail_type = -1,
					   .tokens = &set->rows[i].example.tokens,
					   .token_words = row_tokens[i].words,
					   .mask_token = 0};
}

static MrenStatus
train_with(const MrenTransformerConfig *config, const MrenEnv *env, const Set *set,
		   const MrenOptions *options, MrenNet **net, MrenTrainReport *report, MrenError *err)
{
	static const uint8_t sha256[32] = {7, 7, 7};
	MrenEncoderSource encoder = source_of(config);
	MrenTrainerInputs inputs;
	MrenExamples *examples;
	MrenStatus status;

	*net = NULL;
	MREN_TRY(gather(env, set, 0, &examples, err));
	status = fixture_inputs(&set->fixture, examples, &inputs, err);
	inputs.encoder = &encoder;
	inputs.text_encoder_sha256 = sha256;
	if (status == MREN_OK)
		status = fixture_run(env, options, &inputs, net, report, err);
	mren_examples_free(examples);
	return status;
}

static MrenStatus
train(const MrenEnv *env, const Set *set, const MrenOptions *options, MrenNet **net,
	  MrenTrainReport *report, MrenError *err)
{
	return train_with(&tiny, env, set, options, net, report, err);
}

static MrenNet *
train_attached(const MrenEnv *env, const Set *set, const MrenOptions *options,
			   MrenTrainReport *report)
{
	MrenEncoderSource encoder = source_of(&tiny);
	MrenError err = {0};
	MrenNet *net;

	if (train(env, set, options, &net, report, &err) != MREN_OK ||
		mren_net_attach_encoder(net, &encoder, &err) != MREN_OK)
		fail_msg("%s", err.message);
	return net;
}

/* The static members learn nothing, so that the answer is the encoder's. */
static void
marker_options(MrenOptions *options, MrenFineTuning tuning)
{
	small_options(options);
	options->pretrained = "tiny";
	options->common.epochs = 1;
	options->common.learning_rate = 1e-6;
	options->common.refit = false;
	options->common.validation_share = 0.1;
	options->hash_bits = 0;
	options->fine_tuning = tuning;
	options->fine_tuned_layers = 1;
	options->adapter_rank = 4;
	options->encoder_rate = tuning == MREN_FINE_TUNING_FROZEN ? 0.02 : 0.005;
	options->encoder_epochs = 20;
	options->encoder_batch_size = 16;
}

static void
probabilities_of(const MrenEnv *env, const Set *set, const MrenNet *net, const MrenInput *inputs,
				 size_t n, float *p)
{
	MrenNetInfo info;
	MrenError err = {0};
	float *features;
	float *scratch;

	mren_net_info(net, &info);
	assert_int_equal(mren_allocate(env, n * info.row_dim, sizeof(float), &features, &err), 0);
	assert_int_equal(mren_allocate(env, mren_net_scratch(net, n), sizeof(float), &scratch, &err),
					 0);
	if (mren_net_features(net, &set->fixture.table, inputs, n, features, scratch, &err) !=
			MREN_OK ||
		mren_net_probabilities(net, features, n, p, scratch, &err) != MREN_OK)
		fail_msg("%s", err.message);
	mren_release(env, features);
	mren_release(env, scratch);
}

static double
share_right(const MrenEnv *env, const Set *set, const MrenNet *net)
{
	size_t n_right = 0;

	for (size_t i = 0; i < set->n; i++)
	{
		MrenInput input = input_of(set, i);
		float p[2];
		MrenTextSpan relation;

		probabilities_of(env, set, net, &input, 1, p);
		relation = mren_net_relation(net, mren_net_best(p, 2));
		n_right += relation.len == strlen(set->rows[i].relation) &&
				   memcmp(relation.data, set->rows[i].relation, relation.len) == 0;
	}
	return (double) n_right / (double) set->n;
}

/* What no sum over head and tail can tell, an encoder learns. */
static void
test_fine_tuning_learns(void **state)
{
	static const MrenFineTuning kinds[] = {MREN_FINE_TUNING_ALL, MREN_FINE_TUNING_LAST_LAYERS,
										   MREN_FINE_TUNING_ADAPTERS};
	TestEnv test;
	Set *set = new_set();

	(void) state;
	make_xor(set, 320);
	add_tokens(set);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		MrenOptions options;
		MrenTrainReport report;
		MrenNet *net;

		test_env_init(&test);
		marker_options(&options, kinds[i]);
		net = train_attached(&test.env, set, &options, &report);
		assert_true(report.encoder_epoch > 0);
		assert_true(report.encoder_share > 0.5);
		assert_true(share_right(&test.env, set, net) > 0.95);
		mren_net_free(&test.env, net);
		assert_int_equal(test.n_live, 0);
	}
	free(set);
}

/* The tiny encoder as one of each kind of architecture. */
static MrenTransformerConfig
architecture(int which)
{
	MrenTransformerConfig config = tiny;

	switch (which)
	{
		case 0: /* RoBERTa and XLM-R */
			config.token_types = 1;
			config.position_offset = 2;
			break;
		case 1:
			config.architecture = MREN_TRANSFORMER_DISTILBERT;
			config.token_types = 0;
			break;
		case 2:
			config.architecture = MREN_TRANSFORMER_ELECTRA;
			config.embedding_width = WIDTH / 2;
			break;
		case 3:
			config.architecture = MREN_TRANSFORMER_MPNET;
			config.token_types = 0;
			config.position_offset = 2;
			config.relative_buckets = 8;
			break;
		default:
			config.architecture = MREN_TRANSFORMER_DEBERTA;
			config.absolute_positions = false;
			config.token_types = 0;
			config.relative_buckets = 4;
			config.relative_positions = 16;
			config.relative_norm = config.share_relative_key = true;
			config.content_to_position = config.position_to_content = true;
	}
	return config;
}

static void
test_all_architectures_learn(void **state)
{
	static const MrenFineTuning kinds[] = {MREN_FINE_TUNING_ALL, MREN_FINE_TUNING_ADAPTERS};
	Set *set = new_set();

	(void) state;
	make_xor(set, 320);
	add_tokens(set);
	for (int i = 0; i < 2 * 5; i++)
	{
		TestEnv test;
		MrenTransformerConfig config = architecture(i / 2);
		MrenEncoderSource encoder = source_of(&config);
		MrenOptions options;
		MrenTrainReport report;
		MrenError err = {0};
		MrenNet *net;

		test_env_init(&test);
		marker_options(&options, kinds[i % 2]);
		options.encoder_epochs = 30;
		options.encoder_rate = i % 2 == 0 ? 0.005 : 0.01;
		if (train_with(&config, &test.env, set, &options, &net, &report, &err) != MREN_OK ||
			mren_net_attach_encoder(net, &encoder, &err) != MREN_OK)
			fail_msg("%s", err.message);
		assert_true(report.encoder_share > 0.5);
		assert_true(share_right(&test.env, set, net) > 0.95);
		mren_net_free(&test.env, net);
		assert_int_equal(test.n_live, 0);
	}
	free(set);
}

static void
test_frozen_encoder_trains_the_output_layer(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *net;
	MrenNetInfo info;

	(void) state;
	test_env_init(&test);
	make_xor(set, 200);
	/* What one layer can tell */
	for (size_t i = 0; i < set->n; i++)
	{
		Row *row = &set->rows[i];

		snprintf(row->relation, sizeof(row->relation), "%s",
				 row->pieces[1] == FIXTURE_WORDS - 4 ? "first" : "second");
		row->example.relation.len = (uint32_t) strlen(row->relation);
	}
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_FROZEN);
	options.encoder_epochs = 40;
	net = train_attached(&test.env, set, &options, &report);
	mren_net_info(net, &info);
	assert_non_null(info.text_encoder_sha256);
	assert_true(share_right(&test.env, set, net) > 0.8);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* Tokens 10 to 14 with markers in them, which are pieces 100 to 103; markers are the tokens. */
static void
check_solid(const uint32_t marks[MREN_N_MARKS], const int32_t *expected)
{
	static const int32_t ids[] = {10, 11, 12, 13, 14};
	static const MrenMarkerShape shape = {.width = 1, .solid = 1};
	MrenMarkedTokens tokens = {.ids = ids, .n = 5};
	MrenMarkerRow rows[] = {{&tokens, {-1, -1}}, {NULL, {-1, -1}}, {&tokens, {-1, -1}}};
	MrenMarkerBatch batch = {0};
	TestEnv test;
	MrenError err;

	test_env_init(&test);
	memcpy(tokens.marks, marks, sizeof(tokens.marks));
	assert_int_equal(mren_marker_batch_fill(&test.env, &batch, &shape, 100, rows, 3, &err),
					 MREN_OK);
	/* The sentence is read for each row. */
	assert_int_equal(batch.batch.n_sentences, 2);
	assert_int_equal(batch.batch.n_tokens, 18);
	for (int i = 0; i < 9; i++)
	{
		assert_int_equal(batch.ids[i], expected[i]);
		assert_int_equal(batch.ids[9 + i], expected[i]);
		assert_int_equal(batch.positions[9 + i], i);
	}
	for (int mark = 0; mark < MREN_N_MARKS; mark++)
	{
		assert_int_equal(batch.ids[batch.reads[mark]], 100 + mark);
		assert_int_equal(batch.ids[batch.reads[MREN_N_MARKS + mark]], ids[marks[mark]]);
	}
	for (int read = 0; read < MREN_MARKER_READS; read++)
	{
		assert_true(batch.reads[MREN_MARKER_READS + read] == SIZE_MAX);
		assert_int_equal(batch.reads[2 * MREN_MARKER_READS + read], batch.reads[read] + 9);
	}
	mren_marker_batch_free(&test.env, &batch);
	assert_int_equal(test.n_live, 0);
}

static void
test_solid_markers_stand_around_mentions(void **state)
{
	(void) state;
	check_solid((const uint32_t[]){1, 2, 4, 4},
				(const int32_t[]){10, 100, 11, 12, 101, 13, 102, 14, 103});
	/* A mention within the other is inside of it, whichever it is. */
	check_solid((const uint32_t[]){1, 3, 3, 3},
				(const int32_t[]){10, 100, 11, 12, 102, 13, 103, 101, 14});
	check_solid((const uint32_t[]){1, 1, 1, 2},
				(const int32_t[]){10, 102, 100, 11, 101, 12, 103, 13, 14});
	check_solid((const uint32_t[]){0, 0, 0, 0},
				(const int32_t[]){100, 102, 10, 103, 101, 11, 12, 13, 14});
}

static bool
same_tensors(const MrenNet *a, const MrenNet *b)
{
	if (mren_net_n_tensors(a) != mren_net_n_tensors(b))
		return false;
	for (size_t i = 0; i < mren_net_n_tensors(a); i++)
	{
		MrenTensorView x;
		MrenTensorView y;

		mren_net_tensor(a, i, &x);
		mren_net_tensor(b, i, &y);
		if (strcmp(x.name, y.name) != 0 || x.rows != y.rows || x.cols != y.cols ||
			memcmp(x.data, y.data, x.rows * x.cols * sizeof(float)) != 0)
			return false;
	}
	return true;
}

/* The same bits from the same rows in any order; saved and loaded; alone and in a batch. */
static void
test_bits(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenEncoderSource encoder = source_of(&tiny);
	MrenOptions options;
	MrenNet *net;
	MrenNet *again;
	MrenNet *loaded;
	MrenInput inputs[8];
	MrenError err = {0};
	float together[16];
	float alone[2];
	uint8_t *bytes;
	size_t len;

	(void) state;
	test_env_init(&test);
	make_xor(set, 96);
	/* Two pairs of each sentence */
	for (size_t i = 1; i < set->n; i += 2)
		row_init(&set->rows[i], set->rows[i - 1].pieces, 6, 4, 1, "turned");
	for (size_t i = 0; i < set->n; i += 2)
		snprintf(set->rows[i].relation, sizeof(set->rows[i].relation), "differs");
	for (size_t i = 0; i < set->n; i++)
		set->rows[i].example.relation.len = (uint32_t) strlen(set->rows[i].relation);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
	options.encoder_epochs = 2;
	net = train_attached(&test.env, set, &options, NULL);
	for (size_t i = 0; i < set->n / 2; i++)
	{
		Row swap = set->rows[i];

		set->rows[i] = set->rows[set->n - 1 - i];
		set->rows[set->n - 1 - i] = swap;
	}
	for (size_t i = 0; i < set->n; i++)
	{
		Row *row = &set->rows[i];

		row->example.sentence.pieces = row->pieces;
		row->example.sentence.starts = row->starts;
		row->example.relation.data = row->relation;
	}
	again = train_attached(&test.env, set, &options, NULL);
	assert_true(same_tensors(net, again));
	assert_int_equal(mren_net_serialize(net, &test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&test.env, bytes, len, &loaded, &err), MREN_OK);
	assert_true(same_tensors(net, loaded));
	assert_int_equal(mren_net_attach_encoder(loaded, &encoder, &err), MREN_OK);
	for (size_t i = 0; i < 8; i++)
		inputs[i] = input_of(set, i);
	probabilities_of(&test.env, set, net, inputs, 8, together);
	for (size_t i = 0; i < 8; i++)
	{
		probabilities_of(&test.env, set, loaded, &inputs[i], 1, alone);
		assert_memory_equal(alone, together + 2 * i, sizeof(alone));
	}
	mren_release(&test.env, bytes);
	mren_net_free(&test.env, net);
	mren_net_free(&test.env, again);
	mren_net_free(&test.env, loaded);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* Solid markers learn as well; the network says that it has them, and a row has the same bits. */
static void
test_solid_markers_learn(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenEncoderSource encoder = source_of(&tiny);
	MrenOptions options;
	MrenTrainReport report;
	MrenNetInfo info;
	MrenInput inputs[40];
	MrenError err = {0};
	MrenNet *net;
	MrenNet *loaded;
	float together[80];
	float alone[2];
	uint8_t *bytes;
	size_t len;

	(void) state;
	test_env_init(&test);
	make_xor(set, 320);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
	options.markers = MREN_MARKERS_SOLID;
	net = train_attached(&test.env, set, &options, &report);
	assert_true(share_right(&test.env, set, net) > 0.95);
	assert_int_equal(mren_net_serialize(net, &test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&test.env, bytes, len, &loaded, &err), MREN_OK);
	mren_net_info(loaded, &info);
	assert_true(info.solid_markers);
	assert_int_equal(mren_net_attach_encoder(loaded, &encoder, &err), MREN_OK);
	/* More rows of one sentence than are read in one pass */
	for (size_t i = 0; i < 40; i++)
		inputs[i] = input_of(set, i < 30 ? 0 : i);
	probabilities_of(&test.env, set, net, inputs, 40, together);
	for (size_t i = 0; i < 40; i++)
	{
		probabilities_of(&test.env, set, loaded, &inputs[i], 1, alone);
		assert_memory_equal(alone, together + 2 * i, sizeof(alone));
	}
	mren_release(&test.env, bytes);
	mren_net_free(&test.env, net);
	mren_net_free(&test.env, loaded);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* Rows of some sentences through a queue: the same bits as one at a time. */
static MrenStatus
run_queue(const MrenEnv *env, const Set *set, const MrenNet *net, float *features, MrenError *err)
{
	MrenMarkerQueue *queue;
	MrenNetInfo info;
	float *scratch = NULL;
	MrenStatus status;

	mren_net_info(net, &info);
	MREN_TRY(mren_marker_queue_create(env, &queue, err));
	status = mren_allocate(env, mren_net_scratch(net, 1), sizeof(float), &scratch, err);
	for (size_t i = 0; i < set->n && status == MREN_OK; i++)
	{
		MrenInput input = input_of(set, i);
		RowTokens copy = row_tokens[i];
		MrenMarkedTokens tokens = *input.tokens;

		/* What the row points to need not stay. */
		tokens.ids = copy.ids;
		input.tokens = i % 7 == 3 ? NULL : &tokens;
		input.queue = queue;
		status = mren_net_features(net, &set->fixture.table, &input, 1, features + i * info.row_dim,
								   scratch, err);
		memset(&copy, 0xff, sizeof(copy));
	}
	if (status == MREN_OK)
		status = mren_net_features_end(net, queue, err);
	mren_release(env, scratch);
	mren_marker_queue_free(queue);
	return status;
}

static void
test_queue(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenNetInfo info;
	MrenError err = {0};
	MrenNet *net;
	float *features;
	float *alone;
	float *scratch;

	(void) state;
	test_env_init(&test);
	make_xor(set, 240);
	/* Sentences that stand for one, two and many rows. */
	for (size_t i = 0; i < set->n; i++)
	{
		size_t from = i < 40 ? i : i < 60 ? i / 2 * 2 : 100;

		memcpy(set->rows[i].pieces, set->rows[from].pieces, sizeof(set->rows[i].pieces));
		set->rows[i].example.sentence.n_words = set->rows[from].example.sentence.n_words;
	}
	add_tokens(set);
	for (size_t i = 0; i < set->n; i++)
		set->rows[i].example.tokens.marks[0] = 1 + (uint32_t) i % 2;
	for (int solid = 0; solid < 2; solid++)
	{
		marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
		options.encoder_epochs = 1;
		options.common.validation_share = 0;
		options.markers = solid ? MREN_MARKERS_SOLID : MREN_MARKERS_LEVITATED;
		net = train_attached(&test.env, set, &options, NULL);
		mren_net_info(net, &info);
		features = calloc(set->n * info.row_dim, sizeof(float));
		alone = calloc(set->n * info.row_dim, sizeof(float));
		scratch = calloc(mren_net_scratch(net, 1), sizeof(float));
		for (size_t i = 0; i < set->n; i++)
		{
			MrenInput input = input_of(set, i);

			if (i % 7 == 3)
				input.tokens = NULL;
			assert_int_equal(mren_net_features(net, &set->fixture.table, &input, 1,
											   alone + i * info.row_dim, scratch, &err),
							 MREN_OK);
		}
		assert_int_equal(run_queue(&test.env, set, net, features, &err), MREN_OK);
		assert_memory_equal(features, alone, set->n * info.row_dim * sizeof(float));
		free(features);
		free(alone);
		free(scratch);
		mren_net_free(&test.env, net);
		assert_int_equal(test.n_live, 0);
	}
	free(set);
}

static void
test_bad_networks_are_refused(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenEncoderSource encoder = source_of(&tiny);
	MrenOptions options;
	MrenInput input;
	MrenNet *net;
	MrenNet *loaded;
	MrenError err = {0};
	MrenTransformerConfig other = tiny;
	uint8_t *bytes;
	size_t len;
	float *features;
	float *scratch;
	MrenNetInfo info;

	(void) state;
	test_env_init(&test);
	make_xor(set, 64);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
	options.encoder_epochs = 1;
	assert_int_equal(train(&test.env, set, &options, &net, NULL, &err), MREN_OK);
	/* Without its encoder it does not answer. */
	input = input_of(set, 0);
	mren_net_info(net, &info);
	features = calloc(info.row_dim, sizeof(float));
	scratch = calloc(mren_net_scratch(net, 1), sizeof(float));
	assert_int_equal(
		mren_net_features(net, &set->fixture.table, &input, 1, features, scratch, &err),
		MREN_EPARAM);
	free(features);
	free(scratch);
	other.width = 2 * WIDTH;
	encoder = source_of(&other);
	assert_int_equal(mren_net_attach_encoder(net, &encoder, &err), MREN_EFORMAT);
	other = tiny;
	other.layers = 1;
	encoder = source_of(&other);
	assert_int_equal(mren_net_attach_encoder(net, &encoder, &err), MREN_EFORMAT);
	/* Any flipped byte of the saved form is found. */
	assert_int_equal(mren_net_serialize(net, &test.env, &bytes, &len, &err), MREN_OK);
	for (size_t i = 0; i < len; i += 97)
	{
		bytes[i] ^= 4;
		assert_int_not_equal(mren_net_deserialize(&test.env, bytes, len, &loaded, &err), MREN_OK);
		bytes[i] ^= 4;
	}
	mren_release(&test.env, bytes);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* Matrices of bytes give nearly the same answers. */
static void
test_int8(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenNet *nets[2];
	double worst = 0;

	(void) state;
	test_env_init(&test);
	make_xor(set, 200);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ALL);
	nets[0] = train_attached(&test.env, set, &options, NULL);
	options.encoder_int8 = true;
	nets[1] = train_attached(&test.env, set, &options, NULL);
	for (size_t i = 0; i < set->n; i++)
	{
		MrenInput input = input_of(set, i);
		float p[2][2];

		for (int j = 0; j < 2; j++)
			probabilities_of(&test.env, set, nets[j], &input, 1, p[j]);
		worst = fmax(worst, fabs((double) p[0][0] - (double) p[1][0]));
	}
	assert_true(worst > 0 && worst < 0.1);
	for (int j = 0; j < 2; j++)
		mren_net_free(&test.env, nets[j]);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* Words that tell the relation have the largest contributions, also those of the encoder alone. */
static void
test_explanation(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenInput input;
	MrenExplainRequest request;
	MrenContribution *parts;
	MrenError err = {0};
	MrenNet *net;
	size_t n;
	double mentions = 0;
	double others = 0;

	(void) state;
	test_env_init(&test);
	make_xor(set, 320);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ALL);
	net = train_attached(&test.env, set, &options, NULL);
	for (size_t i = 0; i < 20; i++)
	{
		input = input_of(set, i);
		request = (MrenExplainRequest){&set->fixture.table, &input, NULL, -1};
		assert_int_equal(mren_net_explain(net, &request, &test.env, &parts, &n, &err), MREN_OK);
		for (size_t j = 0; j < n; j++)
		{
			if (parts[j].part == MREN_PART_WORD)
				others += fabs(parts[j].contribution) / 4;
			else
				mentions += fabs(parts[j].contribution) / 2;
		}
		mren_release(&test.env, parts);
	}
	assert_true(mentions > others);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* A rate at which nothing is learnt is noticed, and a lower one tried. */
static void
test_chance_is_noticed(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *net;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	make_xor(set, 320);
	add_tokens(set);
	/* Three of four rows have the same relation, whatever they say. */
	for (size_t i = 0; i < set->n; i++)
	{
		Row *row = &set->rows[i];

		snprintf(row->relation, sizeof(row->relation), "%s", i / 4 % 4 == 0 ? "rare" : "usual");
		row->example.relation.len = (uint32_t) strlen(row->relation);
		row->example.split = i % 4 == 3 ? MREN_SPLIT_VALIDATION : MREN_SPLIT_TRAIN;
	}
	marker_options(&options, MREN_FINE_TUNING_FROZEN);
	options.encoder_epochs = 1;
	options.encoder_rate = 1e-8;
	assert_int_equal(train(&test.env, set, &options, &net, &report, &err), MREN_OK);
	assert_int_equal(report.encoder_restarts, 2);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* A rate that is too high ruins the encoder; a lower one is found. */
static void
test_high_rate_is_lowered(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *net;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	make_xor(set, 320);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ALL);
	options.common.validation_share = 0.3;
	options.encoder_rate = 0.05;
	assert_int_equal(train(&test.env, set, &options, &net, &report, &err), MREN_OK);
	assert_int_equal(report.encoder_restarts, 1);
	assert_true(report.validation_accuracy > 0.95);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* A training that may start from a network, and may be stopped. */
typedef struct Course
{
	const MrenNet *warm;
	bool stop;	  /* after the first epoch of a second phase */
	bool stop_at; /* the encoder's first step */
	bool stopped;
	int n_epochs;	  /* of the encoder */
	size_t step_rows; /* of its first step */
	double rows_left; /* after the encoder's first epoch, at most */
	MrenTrainReport report;
} Course;

static MrenNet *
train_course(const MrenEnv *env, const Set *set, const MrenOptions *options, Course *course)
{
	static const uint8_t sha256[32] = {7, 7, 7};
	MrenEncoderSource encoder = source_of(&tiny);
	MrenTrainerInputs inputs;
	MrenExamples *examples;
	MrenTrainer *trainer;
	MrenProgress progress = {0};
	MrenError err = {0};
	MrenNet *net;

	assert_int_equal(gather(env, set, 0, &examples, &err), MREN_OK);
	assert_int_equal(fixture_inputs(&set->fixture, examples, &inputs, &err), MREN_OK);
	inputs.encoder = &encoder;
	inputs.text_encoder_sha256 = sha256;
	assert_int_equal(mren_trainer_create(env, options, &inputs, &trainer, &err), MREN_OK);
	if (course->warm != NULL)
		mren_trainer_warm(trainer, course->warm);
	while (progress.event != MREN_TRAIN_DONE)
	{
		assert_int_equal(mren_trainer_step(trainer, &progress, &err), MREN_OK);
		if (progress.event == MREN_TRAIN_STEP && progress.member == progress.members &&
			course->stop_at)
		{
			course->stopped = true;
			mren_trainer_stop(trainer);
		}
		if (progress.event == MREN_TRAIN_STEP && progress.member == progress.members &&
			course->step_rows == 0)
			course->step_rows = progress.rows_done;
		course->n_epochs +=
			progress.event == MREN_TRAIN_EPOCH && progress.member == progress.members;
		if (progress.event == MREN_TRAIN_EPOCH && progress.member == progress.members &&
			progress.phase == 1 && progress.epoch == 1)
			course->rows_left =
				(double) (progress.epochs - 1) * (double) progress.rows_total + progress.rows_later;
		if (progress.event == MREN_TRAIN_EPOCH && progress.phase == 2 && course->stop &&
			!course->stopped)
		{
			assert_true(progress.epoch < progress.epochs);
			course->stopped = true;
			mren_trainer_stop(trainer);
		}
	}
	assert_int_equal(mren_trainer_finish(trainer, &net, &err), MREN_OK);
	mren_trainer_report(trainer, &course->report);
	mren_trainer_free(trainer);
	mren_examples_free(examples);
	return net;
}

/* A refit of the encoder that is stopped leaves the weights of the fit. */
static void
test_stopped_refit_keeps_the_fit(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenNet *fitted;
	MrenNet *stopped;
	MrenNet *refitted;
	Course course = {.stop = true};
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	make_xor(set, 320);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
	options.encoder_epochs = 12;
	fitted = train_course(&test.env, set, &options, &course);
	assert_false(course.stopped);
	assert_float_equal(course.rows_left, 11 * (double) course.report.n_train, 1e-9);
	options.encoder_refit = true;
	stopped = train_course(&test.env, set, &options, &course);
	assert_true(course.stopped);
	assert_float_equal(course.rows_left, 11 * (double) course.report.n_train + 12 * 320.0, 1e-9);
	assert_true(same_tensors(fitted, stopped));
	assert_int_equal(train(&test.env, set, &options, &refitted, NULL, &err), MREN_OK);
	assert_false(same_tensors(fitted, refitted));
	mren_net_free(&test.env, fitted);
	mren_net_free(&test.env, stopped);
	mren_net_free(&test.env, refitted);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* An encoder that is stopped in its first epoch is left out, be it that of weak rows. */
static void
test_stopped_in_its_first_epoch_is_left_out(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;

	(void) state;
	test_env_init(&test);
	make_xor(set, 320);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
	for (int i = 0; i < 4; i++)
	{
		Course course = {.stop_at = true};
		MrenNetInfo info;
		MrenNet *net;

		options.common.validation_share = i % 2 == 0 ? 0.2 : 0;
		for (size_t row = 0; i > 1 && row < set->n / 2; row++)
			set->rows[row].example.weak = true;
		net = train_course(&test.env, set, &options, &course);
		assert_true(course.stopped);
		assert_int_equal(course.report.n_weak > 0, i > 1);
		mren_net_info(net, &info);
		assert_null(info.text_encoder_sha256);
		assert_int_equal(course.report.encoder_epoch, 0);
		mren_net_free(&test.env, net);
	}
	assert_int_equal(test.n_live, 0);
	free(set);
}

/*
 * Weak rows teach an encoder; gold rows alone judge it, so that they tell when it learned from
 * wrong ones.
 */
static void
test_weak_rows_teach_and_gold_rows_judge(void **state)
{
	static const struct
	{
		MrenWeakRows weak;
		bool wrong;
	} cases[] = {{MREN_WEAK_FIRST, false},
				 {MREN_WEAK_MIXED, false},
				 {MREN_WEAK_ONLY, false},
				 {MREN_WEAK_ONLY, true}};
	const size_t n_gold = 40;
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;

	(void) state;
	test_env_init(&test);
	make_xor(set, 320);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
	options.common.validation_share = 0.3;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		MrenTrainReport report;
		MrenNet *net;
		MrenError err = {0};

		for (size_t row = n_gold; row < set->n; row++)
			make_weak(&set->rows[row], cases[i].wrong);
		options.weak = cases[i].weak;
		assert_int_equal(train(&test.env, set, &options, &net, &report, &err), MREN_OK);
		assert_int_equal(report.n_weak + report.n_weak_unused, set->n - n_gold);
		assert_int_equal(report.n_train - report.n_weak + report.n_validation, n_gold);
		assert_int_equal(report.n_train == report.n_weak, options.weak == MREN_WEAK_ONLY);
		assert_int_equal(report.validation_accuracy > 0.75, !cases[i].wrong);
		if (!cases[i].wrong)
		{
			MrenEncoderSource encoder = source_of(&tiny);

			assert_int_equal(mren_net_attach_encoder(net, &encoder, &err), MREN_OK);
			assert_true(share_right(&test.env, set, net) > 0.95);
		}
		mren_net_free(&test.env, net);
	}
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* A training that starts from a network needs fewer epochs; it must fit. */
static void
test_warm_start(void **state)
{
	static const MrenFineTuning kinds[] = {MREN_FINE_TUNING_ALL, MREN_FINE_TUNING_LAST_LAYERS,
										   MREN_FINE_TUNING_ADAPTERS};
	Set *set = new_set();

	(void) state;
	make_xor(set, 320);
	add_tokens(set);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		TestEnv test;
		MrenOptions options;
		Course cold = {0};
		Course warm = {0};
		MrenNet *net;

		test_env_init(&test);
		marker_options(&options, kinds[i]);
		net = train_course(&test.env, set, &options, &cold);
		warm.warm = net;
		options.encoder_epochs = 5; /* of which a fifth is one */
		mren_net_free(&test.env, train_course(&test.env, set, &options, &warm));
		assert_true(warm.report.encoder_warm);
		assert_int_equal(warm.n_epochs, 1);
		assert_true(warm.report.validation_accuracy > 0.95);
		/* A single epoch alone does not learn it. */
		options.encoder_epochs = 1;
		mren_net_free(&test.env, train_course(&test.env, set, &options, &cold));
		assert_false(cold.report.encoder_warm);
		assert_true(cold.report.validation_accuracy < 0.9);
		/* Another part is fine-tuned. */
		options.fine_tuning = kinds[(i + 1) % 3];
		mren_net_free(&test.env, train_course(&test.env, set, &options, &warm));
		assert_false(warm.report.encoder_warm);
		assert_string_equal(warm.report.encoder_cold,
							"another part of its text encoder is fine-tuned");
		mren_net_free(&test.env, net);
		assert_int_equal(test.n_live, 0);
	}
	free(set);
}

/* Without a number of epochs, few rows take more of them than many. */
static void
test_few_rows_take_more_epochs(void **state)
{
	Set *set = new_set();
	int n_epochs[3];

	(void) state;
	make_xor(set, 320);
	add_tokens(set);
	for (int i = 0; i < 3; i++)
	{
		TestEnv test;
		MrenOptions options;
		Course course = {0};

		test_env_init(&test);
		marker_options(&options, MREN_FINE_TUNING_FROZEN);
		options.encoder_epochs = MREN_MARKER_EPOCHS_AUTO;
		options.encoder_batch_size = i == 0 ? 1 : i == 1 ? 12 : 64;
		mren_net_free(&test.env, train_course(&test.env, set, &options, &course));
		n_epochs[i] = course.n_epochs;
		assert_int_equal(test.n_live, 0);
	}
	assert_int_equal(n_epochs[0], 5);
	assert_in_range(n_epochs[1], 6, 19);
	assert_int_equal(n_epochs[2], 20);
	free(set);
}

/* A step reads so many sentences, each with all of its rows if they are not too many. */
static void
test_steps_are_of_sentences(void **state)
{
	Set *set = new_set();

	(void) state;
	make_xor(set, 40);
	add_tokens(set);
	for (size_t i = 1; i < set->n; i++)
		set->rows[i].example.tokens = set->rows[0].example.tokens;
	for (int solid = 0; solid < 2; solid++)
	{
		TestEnv test;
		MrenOptions options;
		Course course = {0};

		test_env_init(&test);
		marker_options(&options, MREN_FINE_TUNING_FROZEN);
		options.common.validation_share = 0;
		options.encoder_epochs = 1;
		options.encoder_batch_size = 2;
		options.markers = solid ? MREN_MARKERS_SOLID : MREN_MARKERS_LEVITATED;
		mren_net_free(&test.env, train_course(&test.env, set, &options, &course));
		/* With solid markers, the sentence is read for each row. */
		assert_int_equal(course.step_rows, solid ? 2 : 2 * MREN_MARKER_STEP_ROWS);
		assert_int_equal(test.n_live, 0);
	}
	free(set);
}

static MrenStatus
answer_from_queue(const MrenEnv *env, const Set *set, const MrenNet *net, MrenError *err)
{
	MrenNetInfo info;
	float *features = NULL;
	MrenStatus status;

	mren_net_info(net, &info);
	MREN_TRY(mren_allocate(env, set->n * info.row_dim, sizeof(float), &features, err));
	status = run_queue(env, set, net, features, err);
	mren_release(env, features);
	return status;
}

static MrenStatus
train_small(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenEncoderSource encoder = source_of(&tiny);
	MrenOptions options;
	MrenNet *net;
	MrenStatus status;

	marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
	options.encoder_epochs = 1;
	status = train(env, arg, &options, &net, NULL, err);
	if (status == MREN_OK)
		status = mren_net_attach_encoder(net, &encoder, err);
	if (status == MREN_OK)
		status = answer_from_queue(env, arg, net, err);
	mren_net_free(env, net);
	return status;
}

static void
test_too_little_memory_is_told_before_weights_are_read(void **state)
{
	static const uint8_t sha256[32] = {7, 7, 7};
	MrenEncoderSource encoder = unread_source_of(&tiny);
	Set *set = new_set();
	MrenTrainerInputs inputs;
	MrenExamples *examples;
	MrenOptions options;
	MrenError err = {0};
	MrenNet *net;
	TestEnv test;

	(void) state;
	test_env_init(&test);
	make_xor(set, 40);
	add_tokens(set);
	marker_options(&options, MREN_FINE_TUNING_ADAPTERS);
	assert_int_equal(gather(&test.env, set, 0, &examples, &err), MREN_OK);
	assert_int_equal(fixture_inputs(&set->fixture, examples, &inputs, &err), MREN_OK);
	inputs.encoder = &encoder;
	inputs.text_encoder_sha256 = sha256;
	inputs.memory = 4096;
	assert_int_equal(fixture_run(&test.env, &options, &inputs, &net, NULL, &err), MREN_ELIMIT);
	assert_non_null(strstr(err.message, " kB without any row, but training may take 4 kB"));
	mren_examples_free(examples);
	assert_int_equal(test.n_live, 0);
	free(set);
}

static void
test_failures_release_all(void **state)
{
	Set *set = new_set();

	(void) state;
	make_xor(set, 40);
	add_tokens(set);
	test_allocation_sweep(train_small, set);
	test_interrupt_sweep(train_small, set);
	free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens_are_marked),
		cmocka_unit_test(test_long_sentences_are_read_in_windows),
		cmocka_unit_test(test_fine_tuning_learns),
		cmocka_unit_test(test_all_architectures_learn),
		cmocka_unit_test(test_frozen_encoder_trains_the_output_layer),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_solid_markers_stand_around_mentions),
		cmocka_unit_test(test_solid_markers_learn),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_bad_networks_are_refused),
		cmocka_unit_test(test_int8),
		cmocka_unit_test(test_explanation),
		cmocka_unit_test(test_chance_is_noticed),
		cmocka_unit_test(test_stopped_refit_keeps_the_fit),
		cmocka_unit_test(test_stopped_in_its_first_epoch_is_left_out),
		cmocka_unit_test(test_weak_rows_teach_and_gold_rows_judge),
		cmocka_unit_test(test_high_rate_is_lowered),
		cmocka_unit_test(test_warm_start),
		cmocka_unit_test(test_few_rows_take_more_epochs),
		cmocka_unit_test(test_steps_are_of_sentences),
		cmocka_unit_test(test_too_little_memory_is_told_before_weights_are_read),
		cmocka_unit_test(test_failures_release_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
