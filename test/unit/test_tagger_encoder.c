/*
 * test_tagger_encoder.c
 *	  Taggers on a pretrained text encoder: which tokens are read, gradients of the vectors of
 *	  words, training to a rule that only the encoder can see, the same bits however rows
 *	  arrive, bytes there and back, and what fails on the way.
 */
#include "relation_fixture.h"
#include "../fuzz/fuzz_mend.h"
#include "tag_rows.h"
#include "weights_file.h"

#include <math.h>
#include <stdlib.h>

#include "tagger/tag_net.h"
#include "tagger/tag_tokens.h"
#include "tagger/tagger.h"

/*
 * Tokens
 */

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

static MrenStatus
read_text(const MrenEnv *env, const char *text, const MrenTagWordSpan *words, size_t n, size_t most,
		  MrenTagTokenBuffer *buffer, MrenTagTokens *tokens)
{
	MrenSubwordTokenizer *tokenizer;
	MrenPieces pieces = {0};
	MrenTagPieces input = {.pieces = &pieces, .words = words, .n_words = n, .max_tokens = most};
	MrenError err = {0};
	MrenStatus status;

	if (mren_subword_parse(env, tokenizer_json, strlen(tokenizer_json), &tokenizer, &err) !=
		MREN_OK)
		fail_msg("%s", err.message);
	input.tokenizer = tokenizer;
	assert_int_equal(mren_subword_encode(env, tokenizer, text, strlen(text), 0, &pieces, &err),
					 MREN_OK);
	status = mren_tag_tokens(env, &input, buffer, tokens, &err);
	mren_pieces_free(env, &pieces);
	mren_subword_free(env, tokenizer);
	return status;
}

static void
test_words_have_their_first_piece(void **state)
{
	const MrenTagWordSpan words[] = {{0, 1}, {2, 5}, {5, 6}, {7, 8}};
	const MrenTagWordSpan none[] = {{0, 1}, {1, 2}};
	TestEnv test;
	MrenTagTokenBuffer buffer = {0};
	MrenTagTokens tokens;

	(void) state;
	test_env_init(&test);
	/* [CLS] a a ##b ##b c [SEP]: the third word is a blank, without a piece. */
	assert_int_equal(read_text(&test.env, "a abb  c", words, 4, 16, &buffer, &tokens), MREN_OK);
	assert_int_equal(tokens.n, 7);
	assert_int_equal(tokens.n_windows, 1);
	assert_int_equal(tokens.windows[0], 7);
	assert_int_equal(tokens.ids[0], 1);
	assert_int_equal(tokens.ids[6], 2);
	assert_int_equal(tokens.firsts[0], 1);
	assert_int_equal(tokens.firsts[1], 2);
	assert_int_equal(tokens.firsts[2], UINT32_MAX);
	assert_int_equal(tokens.firsts[3], 5);
	/* Nothing to read */
	assert_int_equal(read_text(&test.env, "  ", none, 2, 16, &buffer, &tokens), MREN_OK);
	assert_int_equal(tokens.n, 0);
	assert_int_equal(tokens.n_windows, 0);
	assert_int_equal(tokens.firsts[1], UINT32_MAX);
	assert_int_equal(read_text(&test.env, "a", words, 1, 2, &buffer, &tokens), MREN_EDATA);
	mren_tag_tokens_free(&test.env, &buffer);
	assert_int_equal(test.n_live, 0);
}

/* Windows of four pieces, two apart; each word is where it is furthest from an edge. */
static void
test_long_sentences_are_read_in_windows(void **state)
{
	static const char text[] = "a b c d e a b c d";
	MrenTagWordSpan words[9];
	TestEnv test;
	MrenTagTokenBuffer buffer = {0};
	MrenTagTokens tokens;

	(void) state;
	test_env_init(&test);
	for (uint32_t w = 0; w < 9; w++)
		words[w] = (MrenTagWordSpan){2 * w, 2 * w + 1};
	assert_int_equal(read_text(&test.env, text, words, 9, 6, &buffer, &tokens), MREN_OK);
	/* Windows begin at pieces 0, 2, 4 and 5. */
	assert_int_equal(tokens.n_windows, 4);
	assert_int_equal(tokens.n, 24);
	for (uint32_t w = 0; w < 9; w++)
	{
		static const int32_t ids[] = {3, 4, 5, 6, 7, 3, 4, 5, 6};
		size_t window = tokens.firsts[w] / 6;
		size_t place = tokens.firsts[w] % 6;

		assert_int_equal(tokens.ids[tokens.firsts[w]], ids[w]);
		/* Not at the edge of a window that another one overlaps. */
		assert_true(place >= 1 && place <= 4);
		assert_true((place > 1 || window == 0) && (place < 4 || window == 3));
		assert_true(w == 0 || tokens.firsts[w] > tokens.firsts[w - 1]);
	}
	mren_tag_tokens_free(&test.env, &buffer);
	assert_int_equal(test.n_live, 0);
}

/*
 * Rows
 */

#define WORDS 7
#define PIECES 24 /* words' pieces are numbered from 2 on */

#define TINY_VOCABULARY PIECES
#define TINY_POSITIONS 16
#define TINY_DEVIATION 0.3f
#include "tiny_encoder.h"

/* A sentence that owns its arrays.  Words have no vectors and all the same features. */
typedef struct Sentence
{
	int32_t words[WORDS];
	uint8_t shapes[WORDS];
	uint32_t starts[WORDS + 1];
	uint32_t features[2 * WORDS];
	int32_t ids[WORDS + 4];
	uint32_t windows[2];
	uint32_t firsts[WORDS];
	MrenTagInput input;
} Sentence;

/* In two windows if cut: the first four words, and the others. */
static void
sentence_init(Sentence *sentence, const int32_t *pieces, bool cut)
{
	size_t at = 0;

	memset(sentence, 0, sizeof(*sentence));
	sentence->ids[at++] = 0;
	for (size_t w = 0; w < WORDS; w++)
	{
		if (cut && w == 4)
		{
			sentence->ids[at++] = 1;
			sentence->ids[at++] = 0;
		}
		sentence->words[w] = -1;
		sentence->starts[w] = (uint32_t) (2 * w);
		sentence->firsts[w] = (uint32_t) at;
		sentence->ids[at++] = pieces[w];
	}
	sentence->starts[WORDS] = 2 * WORDS;
	sentence->ids[at++] = 1;
	sentence->windows[0] = cut ? 6 : (uint32_t) at;
	sentence->windows[1] = cut ? (uint32_t) at - 6 : 0;
	sentence->input = (MrenTagInput){
		.n_words = WORDS,
		.words = sentence->words,
		.shapes = sentence->shapes,
		.starts = sentence->starts,
		.features = sentence->features,
		.tokens = {cut ? 2 : 1, sentence->windows, at, sentence->ids, sentence->firsts}};
}

/* The rule: piece 2 begins a mention of two words, piece 3 is one alone. */
static void
rows_init(Rows *rows, size_t n, bool backwards)
{
	MrenRandom random;

	memset(rows, 0, sizeof(*rows));
	test_env_init(&rows->test);
	mren_random_seed(&random, 12, 0);
	rows->n = n;
	for (size_t i = 0; i < n; i++)
	{
		MrenTagMention mentions[2];
		int32_t pieces[WORDS];
		Sentence sentence;

		mentions_of(i, mentions);
		for (size_t w = 0; w < WORDS; w++)
			pieces[w] = 4 + (int32_t) mren_random_below(&random, PIECES - 4);
		for (size_t m = 0; m < 2; m++)
			pieces[mentions[m].first] = mentions[m].end == mentions[m].first + 1 ? 3 : 2;
		sentence_init(&sentence, pieces, i % 3 == 0);
		rows_add(rows, i, backwards ? n - 1 - i : i, &sentence.input);
	}
	rows_sort(rows);
}

static void
small_options(MrenTagOptions *options)
{
	mren_tag_options_init(options);
	options->text_encoder = "tiny";
	options->common.n_hidden = 1;
	options->common.hidden[0] = 16;
	options->window = 1;
	options->common.epochs = 30;
	options->common.batch_size = 8;
	options->common.learning_rate = 0.01;
	options->common.dropout = options->common.hidden_dropout = 0.1;
	options->feature_dim = 0;
	options->direct = false;
	options->common.word_dropout = 0;
	options->common.weight_ema = 0.9;
	options->adapter_rank = 4;
	options->encoder_rate = 0.005;
}

static MrenStatus
train(const MrenEnv *env, Rows *rows, const MrenTagOptions *options, MrenTagger **tagger,
	  MrenTagReport *report, MrenError *err)
{
	const uint8_t sha256[32] = {7, 8, 9};
	const MrenEncoderSource source = source_of(&tiny);
	const MrenTagTrainerInputs inputs = {.source = {rows, rows->n, read_record, NULL},
										 .encoder = &source,
										 .text_encoder_sha256 = sha256};
	MrenTagTrainer *trainer;

	MREN_TRY(mren_tag_trainer_create(env, options, &inputs, &trainer, err));
	return run(trainer, tagger, report, err);
}

/* The mentions of row i. */
static MrenStatus
tag_row(const MrenEnv *env, const MrenTagger *tagger, Rows *rows, size_t i, MrenTagged **found,
		size_t *n, MrenTagExample *example, MrenError *err)
{
	size_t size;

	MREN_TRY(
		mren_tag_example_read(rows->records[i].data, rows->records[i].len, example, &size, err));
	return mren_tagger_tag(tagger, env, NULL, &example->input, found, n, err);
}

static size_t
count_right(Rows *rows, const MrenTagger *tagger)
{
	size_t n_right = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		MrenTagExample example;
		MrenTagged *found;
		MrenError err = {0};
		size_t n;

		assert_int_equal(tag_row(&rows->test.env, tagger, rows, i, &found, &n, &example, &err),
						 MREN_OK);
		n_right += count_found(&example, found, n);
		mren_release(&rows->test.env, found);
	}
	return n_right;
}

/* Each part of the encoder; the words' own inputs are all alike. */
static void
test_learns_from_the_encoder(void **state)
{
	(void) state;
	for (int kind = MREN_TUNING_FROZEN; kind <= MREN_TUNING_ADAPTERS; kind++)
	{
		const MrenEncoderSource source = source_of(&tiny);
		MrenTransformerConfig wide = tiny;
		MrenEncoderSource other;
		Rows rows;
		MrenTagOptions options;
		MrenTagReport report;
		MrenTagger *tagger;
		MrenTaggerInfo info;
		MrenTagExample example;
		MrenTagged *found;
		MrenError err = {0};
		size_t n;

		rows_init(&rows, ROWS, false);
		small_options(&options);
		options.fine_tuning = (MrenTransformerTuningKind) kind;
		options.fine_tuned_layers = 1;
		if (train(&rows.test.env, &rows, &options, &tagger, &report, &err) != MREN_OK)
			fail_msg("%s", err.message);
		assert_true(report.validated && report.validation_f1 > 0.8);
		assert_int_equal(report.n_windowed, ROWS / 3);
		mren_tagger_info(tagger, &info);
		assert_int_equal(info.encoder_dim, WIDTH);
		assert_int_equal(info.text_encoder_sha256[1], 8);
		assert_int_equal(tag_row(&rows.test.env, tagger, &rows, 0, &found, &n, &example, &err),
						 MREN_EPARAM);
		wide.width *= 2;
		other = source_of(&wide);
		assert_int_equal(mren_tagger_attach_encoder(tagger, &other, &err), MREN_EFORMAT);
		assert_int_equal(mren_tagger_attach_encoder(tagger, &source, &err), MREN_OK);
		assert_true(count_right(&rows, tagger) > 2 * ROWS * 9 / 10);
		/* A sentence that was not tokenized */
		example.input.tokens = (MrenTagTokens){0};
		assert_int_equal(
			mren_tagger_tag(tagger, &rows.test.env, NULL, &example.input, &found, &n, &err),
			MREN_EPARAM);
		mren_tagger_free(&rows.test.env, tagger);
		rows_free(&rows);
	}
}

/* Matrices of bytes give other confidences, and the same mentions of what was learned well. */
static void
test_int8(void **state)
{
	const MrenEncoderSource source = source_of(&tiny);
	Rows rows;
	MrenTagOptions options;
	MrenTagger *taggers[2];
	MrenError err = {0};
	double largest = 0;

	(void) state;
	rows_init(&rows, ROWS, false);
	small_options(&options);
	for (int i = 0; i < 2; i++)
	{
		options.encoder_int8 = i == 1;
		assert_int_equal(train(&rows.test.env, &rows, &options, &taggers[i], NULL, &err), MREN_OK);
		assert_int_equal(mren_tagger_attach_encoder(taggers[i], &source, &err), MREN_OK);
	}
	assert_true(count_right(&rows, taggers[1]) > 2 * ROWS * 9 / 10);
	for (size_t i = 0; i < rows.n; i++)
	{
		MrenTagExample example;
		MrenTagged *found[2];
		size_t n[2];

		for (int j = 0; j < 2; j++)
			assert_int_equal(
				tag_row(&rows.test.env, taggers[j], &rows, i, &found[j], &n[j], &example, &err),
				MREN_OK);
		for (size_t m = 0; n[0] == n[1] && m < n[0]; m++)
			largest = fmax(largest,
						   fabs((double) found[0][m].confidence - (double) found[1][m].confidence));
		mren_release(&rows.test.env, found[0]);
		mren_release(&rows.test.env, found[1]);
	}
	assert_true(largest > 0 && largest < 0.2);
	mren_tagger_free(&rows.test.env, taggers[0]);
	mren_tagger_free(&rows.test.env, taggers[1]);
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
	rows_init(&rows, 20, false);
	rows_init(&others, 20, true);
	check_same_bits(&rows, &others, &options);
	rows_free(&rows);
	rows_free(&others);
}

/* Bytes there and back: the same bytes, and the same answers. */
static void
test_bytes(void **state)
{
	const MrenEncoderSource source = source_of(&tiny);
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
	options.common.epochs = 2;
	bytes_of(&rows, &options, &bytes, &len);
	assert_true(mren_tagger_is(bytes, len));
	assert_int_equal(mren_tagger_deserialize(&rows.test.env, bytes, len, &tagger, &err), MREN_OK);
	assert_int_equal(mren_tagger_serialize(tagger, &rows.test.env, &again, &len_again, &err),
					 MREN_OK);
	assert_int_equal(len, len_again);
	assert_memory_equal(bytes, again, len);
	assert_int_equal(mren_tagger_attach_encoder(tagger, &source, &err), MREN_OK);
	count_right(&rows, tagger);
	mren_release(&rows.test.env, again);
	mren_tagger_free(&rows.test.env, tagger);
	/* Any cut and any flipped bit is found. */
	for (size_t at = 0; at < len; at += at < 300 ? 1 : 1 + len / 97)
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

/* A header with a right checksum, whose text encoder cannot be. */
static void
test_forged_encoders(void **state)
{
	static const struct
	{
		size_t before; /* bytes before the encoder's hash */
		uint32_t value;
		const char *message;
	} forged[] = {
		{40, 0, "encoder width of 0"},
		{36, 9, "kind of fine-tuning of 9"},
		{32, 1, "number of fine-tuned layers of 1"},
		{28, 0, "adapter rank of 0"},
		{20, 0xBFF00000, "adapter alpha of -1"},
		{8, 2, "use of int8 of 2"},
	};
	Rows rows;
	MrenTagOptions options;
	uint8_t *bytes;
	size_t len;
	size_t hash = 0;

	(void) state;
	rows_init(&rows, 6, false);
	small_options(&options);
	options.common.epochs = 1;
	bytes_of(&rows, &options, &bytes, &len);
	while (memcmp(bytes + hash, "\7\10\11\0\0", 5) != 0)
		assert_true(++hash + 32 < len);
	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
	{
		uint8_t *at = bytes + hash - forged[i].before;
		MrenTagger *tagger;
		MrenError err = {0};
		uint8_t kept[4];

		memcpy(kept, at, 4);
		memcpy(at, &forged[i].value, 4);
		mend_network(bytes, len, 24);
		assert_int_equal(mren_tagger_deserialize(&rows.test.env, bytes, len, &tagger, &err),
						 MREN_EFORMAT);
		if (strstr(err.message, forged[i].message) == NULL)
			fail_msg("\"%s\" instead of \"%s\"", err.message, forged[i].message);
		memcpy(at, kept, 4);
	}
	mren_release(&rows.test.env, bytes);
	rows_free(&rows);
}

/* In parts, as the catalog keeps it: what was trained of the encoder is the last one. */
static void
test_parts(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenTagger *parts;
	MrenTensorView view;
	MrenError err = {0};
	uint8_t *header;
	size_t len;
	size_t n;

	(void) state;
	rows_init(&rows, 20, false);
	small_options(&options);
	options.common.epochs = 1;
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, &err), MREN_OK);
	n = mren_tagger_n_tensors(tagger);
	mren_tagger_tensor(tagger, n - 1, &view);
	assert_string_equal(view.name, "encoder.tuned");
	assert_int_equal(mren_tagger_header(tagger, &rows.test.env, &header, &len, &err), MREN_OK);
	assert_int_equal(mren_tagger_from_header(&rows.test.env, header, len, &parts, &err), MREN_OK);
	for (size_t i = 0; i < n; i++)
	{
		assert_int_equal(mren_tagger_complete(parts, &err), MREN_EFORMAT);
		mren_tagger_tensor(tagger, i, &view);
		assert_int_equal(
			mren_tagger_set_tensor(parts, view.name, view.rows, view.cols, view.data, &err),
			MREN_OK);
	}
	assert_int_equal(mren_tagger_complete(parts, &err), MREN_OK);
	mren_release(&rows.test.env, header);
	mren_tagger_free(&rows.test.env, parts);
	mren_tagger_free(&rows.test.env, tagger);
	rows_free(&rows);
}

/* Opens it as the catalog does: its tensors are set unless they are there already. */
static MrenTagger *
open_tagger(const MrenEnv *env, const MrenTagger *from)
{
	const MrenEncoderSource source = source_of(&tiny);
	MrenTagger *tagger;
	MrenTensorView view;
	MrenError err = {0};
	uint8_t *header;
	size_t len;

	assert_int_equal(mren_tagger_header(from, env, &header, &len, &err), MREN_OK);
	assert_int_equal(mren_tagger_from_header(env, header, len, &tagger, &err), MREN_OK);
	mren_release(env, header);
	for (size_t i = 0; i < mren_tagger_n_tensors(from) && !mren_weights_ready(env); i++)
	{
		mren_tagger_tensor(from, i, &view);
		assert_int_equal(
			mren_tagger_set_tensor(tagger, view.name, view.rows, view.cols, view.data, &err),
			MREN_OK);
	}
	assert_int_equal(mren_tagger_complete(tagger, &err), MREN_OK);
	assert_int_equal(mren_tagger_attach_encoder(tagger, &source, &err), MREN_OK);
	return tagger;
}

/* Opened with the file that opening it has recorded, it finds the same; the file's length. */
static size_t
check_file(Rows *rows, const MrenTagger *from)
{
	MrenWeights weights;
	MrenTagger *tagger;
	MrenEnv env;
	MrenError err;
	File file;
	size_t n_right;

	mren_weights_record(&weights, &rows->test.env);
	env = mren_weights_env(&weights);
	tagger = open_tagger(&env, from);
	file = write_file(&weights);
	n_right = count_right(rows, tagger);
	mren_tagger_free(&env, tagger);
	mren_weights_close(&weights);
	assert_int_equal(
		mren_weights_attach(&weights, &rows->test.env, file.bytes, file.len, key, &err), MREN_OK);
	env = mren_weights_env(&weights);
	tagger = open_tagger(&env, from);
	assert_int_equal(weights.next, weights.n);
	assert_int_equal(count_right(rows, tagger), n_right);
	assert_true(n_right > rows->n);
	mren_tagger_free(&env, tagger);
	mren_weights_close(&weights);
	close_file(&file);
	return file.len;
}

/* The floats that matrices of bytes were made from are not in the file. */
static void
test_files_of_weights(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenError err = {0};
	size_t len[2];

	(void) state;
	rows_init(&rows, ROWS, false);
	small_options(&options);
	for (int i = 0; i < 2; i++)
	{
		options.encoder_int8 = i == 1;
		assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, NULL, &err), MREN_OK);
		len[i] = check_file(&rows, tagger);
		mren_tagger_free(&rows.test.env, tagger);
	}
	assert_true(len[1] < len[0]);
	rows_free(&rows);
}

static void
test_record(void **state)
{
	Rows rows;
	MrenTagExample example;
	MrenError err = {0};
	size_t size;

	(void) state;
	rows_init(&rows, 4, false);
	for (size_t i = 0; i < 4; i++)
	{
		uint8_t *bytes = rows.records[i].data;
		size_t len = rows.records[i].len;

		assert_int_equal(mren_tag_example_read(bytes, len, &example, &size, &err), MREN_OK);
		assert_int_equal(size, len);
		assert_non_null(example.input.tokens.firsts);
		for (size_t at = 0; at < len; at += 3)
		{
			bytes[at] ^= 1;
			assert_int_equal(mren_tag_example_read(bytes, len, &example, &size, &err),
							 MREN_EFORMAT);
			bytes[at] ^= 1;
			assert_int_equal(mren_tag_example_read(bytes, at, &example, &size, &err), MREN_EFORMAT);
		}
	}
	rows_free(&rows);
}

/*
 * Gradients of the words' vectors by finite differences
 */

static double
loss_of(MrenTagBatch *batch, float *values, const MrenTagInput *input, const uint32_t *tags)
{
	const float weight = 1;
	MrenError err = {0};
	double loss;

	assert_int_equal(mren_tag_forward(batch, values, NULL, input, 1, NULL, &err), MREN_OK);
	assert_int_equal(mren_tag_loss(batch, values, tags, &weight, 1, &loss, &err), MREN_OK);
	return loss;
}

static void
test_gradients_of_vectors(void **state)
{
	static const int32_t pieces[WORDS] = {2, 5, 6, 3, 8, 9, 4};
	const MrenTagSpan spans[] = {{0, 2, 0}, {3, 4, 1}};
	MrenTagShape shape = {.n_lexicons = 1,
						  .encoder_dim = 4,
						  .n_types = 2,
						  .n_hidden = 2,
						  .hidden = {6, 5},
						  .window = {2, 1},
						  .activation = MREN_ACTIVATION_TANH};
	TestEnv test;
	MrenTagLayout layout;
	MrenTagBatch batch;
	Sentence sentence;
	MrenError err = {0};
	MrenRandom random;
	uint32_t tags[WORDS];
	float encoded[WORDS * 4];
	float dencoded[WORDS * 4];
	float *values;
	float *grads;
	double sum = 0;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_tag_shape_check(&shape, &err), MREN_OK);
	mren_tag_layout_build(&shape, &layout);
	assert_int_equal(mren_tag_batch_create(&test.env, &shape, &layout, &batch, &err), MREN_OK);
	values = calloc(layout.table.size, sizeof(float));
	grads = calloc(layout.table.size, sizeof(float));
	mren_tag_init(&shape, &layout, values, 3);
	values[layout.table.items[layout.ids.encoder_scale].at] = 1.5f;
	mren_random_seed(&random, 5, 0);
	for (size_t i = 0; i < WORDS * 4; i++)
		encoded[i] = mren_random_normal(&random);
	sentence_init(&sentence, pieces, false);
	sentence.input.encoded = encoded;
	mren_bilou_write(spans, 2, tags, WORDS);
	batch.dencoded = dencoded;
	loss_of(&batch, values, &sentence.input, tags);
	assert_int_equal(mren_tag_backward(&batch, values, grads, &err), MREN_OK);
	for (size_t i = 0; i < WORDS * 4; i++)
	{
		float kept = encoded[i];
		double up;
		double down;

		encoded[i] = kept + 2e-3f;
		up = loss_of(&batch, values, &sentence.input, tags);
		encoded[i] = kept - 2e-3f;
		down = loss_of(&batch, values, &sentence.input, tags);
		encoded[i] = kept;
		sum += fabs((double) dencoded[i]);
		if (fabs((up - down) / 4e-3 - (double) dencoded[i]) > 0.01)
			fail_msg("%zu: %g, but differences say %g", i, (double) dencoded[i],
					 (up - down) / 4e-3);
	}
	assert_true(sum > 1e-2);
	mren_tag_batch_free(&test.env, &batch);
	free(values);
	free(grads);
	assert_int_equal(test.n_live, 0);
}

/*
 * Failures
 */

static MrenStatus
attach_and_tag(const MrenEnv *env, MrenTagger *tagger, Rows *rows, MrenError *err)
{
	const MrenEncoderSource source = source_of(&tiny);
	MrenTagExample example;
	MrenTagged *found;
	size_t n;

	MREN_TRY(mren_tagger_attach_encoder(tagger, &source, err));
	MREN_TRY(tag_row(env, tagger, rows, 0, &found, &n, &example, err));
	mren_release(env, found);
	return MREN_OK;
}

static MrenStatus
train_and_tag(const MrenEnv *env, MrenError *err, void *arg)
{
	Rows *rows = arg;
	MrenTagOptions options;
	MrenTagger *tagger;
	MrenStatus status;

	small_options(&options);
	options.common.epochs = 1;
	MREN_TRY(train(env, rows, &options, &tagger, NULL, err));
	status = attach_and_tag(env, tagger, rows, err);
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
	rows_init(&rows, 4, false);
	test_allocation_sweep(train_and_tag, &rows);
	test_interrupt_sweep(train_and_tag, &rows);
	rows_free(&rows);
}

/* With too high a rate nothing is found; the training begins anew at a lower one. */
static void
test_begins_again_at_a_lower_rate(void **state)
{
	Rows rows;
	MrenTagOptions options;
	MrenTagReport report;
	MrenTagger *tagger;
	MrenError err = {0};

	(void) state;
	rows_init(&rows, ROWS, false);
	small_options(&options);
	options.common.epochs = 8;
	options.common.validation_share = 0.6;
	options.window = 0;
	options.encoder_rate = 1e4;
	options.common.refit = false;
	assert_int_equal(train(&rows.test.env, &rows, &options, &tagger, &report, &err), MREN_OK);
	assert_int_equal(report.encoder_restarts, 2);
	mren_tagger_free(&rows.test.env, tagger);
	rows_free(&rows);
}

static void
test_too_little_memory_is_told_before_weights_are_read(void **state)
{
	static const uint8_t sha256[32] = {7, 8, 9};
	const MrenEncoderSource source = unread_source_of(&tiny);
	MrenTagTrainerInputs inputs = {
		.encoder = &source, .text_encoder_sha256 = sha256, .memory = 4096};
	MrenTagOptions options;
	MrenTagTrainer *trainer;
	MrenTagReport report;
	MrenTagger *tagger;
	MrenError err = {0};
	Rows rows;

	(void) state;
	rows_init(&rows, ROWS, false);
	small_options(&options);
	inputs.source = (MrenSource){&rows, rows.n, read_record, NULL};
	assert_int_equal(mren_tag_trainer_create(&rows.test.env, &options, &inputs, &trainer, &err),
					 MREN_OK);
	assert_int_equal(run(trainer, &tagger, &report, &err), MREN_ELIMIT);
	assert_non_null(strstr(err.message, " kB without any row, but training may take 4 kB"));
	rows_free(&rows);
}

/* Without an encoder its options are not shown, and the epochs are those of a plain tagger. */
static void
test_options(void **state)
{
	TestEnv test;
	MrenTagOptions options;
	MrenError err = {0};
	char *json;

	(void) state;
	test_env_init(&test);
	mren_tag_options_init(&options);
	assert_int_equal(mren_tag_options_json(&test.env, &options, &json, &err), MREN_OK);
	assert_null(strstr(json, "encoder"));
	assert_null(strstr(json, "fine_tun"));
	assert_non_null(strstr(json, "\"epochs\": 40"));
	mren_release(&test.env, json);
	options.text_encoder = "tiny";
	assert_int_equal(mren_tag_options_json(&test.env, &options, &json, &err), MREN_OK);
	assert_non_null(strstr(json, "\"text_encoder\": \"tiny\""));
	assert_non_null(strstr(json, "\"fine_tuning\": \"adapters\""));
	assert_non_null(strstr(json, "\"epochs\": 20"));
	mren_release(&test.env, json);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_have_their_first_piece),
		cmocka_unit_test(test_long_sentences_are_read_in_windows),
		cmocka_unit_test(test_gradients_of_vectors),
		cmocka_unit_test(test_learns_from_the_encoder),
		cmocka_unit_test(test_int8),
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_forged_encoders),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_files_of_weights),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_sweeps),
		cmocka_unit_test(test_begins_again_at_a_lower_rate),
		cmocka_unit_test(test_too_little_memory_is_told_before_weights_are_read),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests_name("tagger_encoder", tests, NULL, NULL);
}
