/*
 * test_base_weights.c
 *	  Files of weights: what is opened with one has the same bits as what was computed, nothing
 *	  of it is written to, and no damage makes it read outside of itself.
 */
#include "relation_fixture.h"
#include "onnx_build.h"
#include "weights_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/weights.h"
#include "onnx/onnx_graph.h"
#include "relation/net.h"
#include "text/vectors/word_table.h"
#include "transformer/encoder.h"

/* ---- the file ---- */

static File
three_blocks(void)
{
	static const char a[] = "abc";
	static const char b[100] = "b";
	MrenWeights weights;
	TestEnv test;
	MrenError err;
	File file;

	test_env_init(&test);
	mren_weights_record(&weights, &test.env);
	assert_int_equal(mren_weights_add(&weights, a, sizeof(a), &err), MREN_OK);
	assert_int_equal(mren_weights_add(&weights, b, 0, &err), MREN_OK);
	assert_int_equal(mren_weights_add(&weights, b, sizeof(b), &err), MREN_OK);
	file = write_file(&weights);
	mren_weights_close(&weights);
	assert_int_equal(test.n_live, 0);
	return file;
}

static void
test_blocks_are_found(void **state)
{
	File file = three_blocks();
	MrenWeights weights;
	TestEnv test;
	MrenEnv env;
	MrenError err;
	char *found;
	bool filled;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_weights_attach(&weights, &test.env, file.bytes, file.len, key, &err),
					 MREN_OK);
	env = mren_weights_env(&weights);
	assert_true(mren_weights_ready(&env));
	assert_int_equal(mren_allocate_weights(&env, 2, 2, &found, &filled, &err), MREN_OK);
	assert_true(filled);
	assert_string_equal(found, "abc");
	assert_int_equal((uintptr_t) found % MREN_ALIGNMENT, 0);
	mren_release(&env, found); /* is the file's: nothing happens */
	/* another size, and too many */
	assert_int_equal(mren_allocate_weights(&env, 1, 1, &found, &filled, &err), MREN_EFORMAT);
	assert_int_equal(mren_allocate_weights(&env, 0, 1, &found, &filled, &err), MREN_OK);
	assert_int_equal(mren_allocate_weights_zero(&env, 100, 1, &found, &filled, &err), MREN_OK);
	assert_true(filled);
	assert_string_equal(found, "b");
	assert_int_equal(mren_allocate_weights(&env, 0, 1, &found, &filled, &err), MREN_EFORMAT);
	mren_weights_close(&weights);
	assert_int_equal(test.n_live, 0);
	close_file(&file);
}

static void
test_recorded_blocks_are_allocated(void **state)
{
	MrenWeights weights;
	TestEnv test;
	MrenEnv env;
	MrenError err;
	int *found;
	bool filled;

	(void) state;
	test_env_init(&test);
	mren_weights_record(&weights, &test.env);
	env = mren_weights_env(&weights);
	assert_false(mren_weights_ready(&env));
	assert_int_equal(mren_allocate_weights_zero(&env, 3, sizeof(int), &found, &filled, &err),
					 MREN_OK);
	assert_false(filled);
	assert_int_equal(found[2], 0);
	assert_int_equal(weights.n, 1);
	assert_ptr_equal(weights.blocks[0].data, found);
	mren_release(&env, found);
	mren_weights_close(&weights);
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
attach_bytes(const uint8_t *bytes, size_t len, const uint8_t *wanted)
{
	MrenWeights weights;
	TestEnv test;
	MrenError err;
	MrenStatus status;

	test_env_init(&test);
	status = mren_weights_attach(&weights, &test.env, bytes, len, wanted, &err);
	if (status == MREN_OK)
		mren_weights_close(&weights);
	assert_int_equal(test.n_live, 0);
	return status;
}

static void
test_damage_is_found(void **state)
{
	File file = three_blocks();
	uint8_t other[MREN_WEIGHTS_KEY];
	size_t header = 64 + 3 * 8;

	(void) state;
	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	assert_int_equal(attach_bytes(file.bytes, file.len, key), MREN_OK);
	assert_int_equal(attach_bytes(file.bytes, file.len, other), MREN_EFORMAT);
	for (size_t len = 0; len < file.len; len++)
		assert_int_equal(attach_bytes(file.bytes, len, key), MREN_EFORMAT);
	assert_int_equal(mprotect(file.bytes, file.len, PROT_READ | PROT_WRITE), 0);
	for (size_t i = 0; i < 8 * header; i++)
	{
		file.bytes[i / 8] ^= (uint8_t) (1 << i % 8);
		assert_int_equal(attach_bytes(file.bytes, file.len, key), MREN_EFORMAT);
		file.bytes[i / 8] ^= (uint8_t) (1 << i % 8);
	}
	assert_int_equal(attach_bytes(file.bytes, file.len, key), MREN_OK);
	close_file(&file);
}

static MrenStatus
record_and_attach(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenWeights weights;
	MrenEnv with;
	MrenBuffer header = {0};
	const File *file = arg;
	MrenStatus status;
	char *block = NULL;
	bool filled;

	mren_weights_record(&weights, env);
	with = mren_weights_env(&weights);
	status = mren_allocate_weights(&with, 10, 1, &block, &filled, err);
	if (status == MREN_OK)
		status = mren_weights_header(&weights, key, &header, err);
	mren_buffer_free(env, &header);
	mren_release(&with, block);
	mren_weights_close(&weights);
	if (status == MREN_OK)
		status = mren_weights_attach(&weights, env, file->bytes, file->len, key, err);
	if (status == MREN_OK)
		mren_weights_close(&weights);
	return status;
}

static void
test_allocation_failures(void **state)
{
	File file = three_blocks();

	(void) state;
	test_allocation_sweep(record_and_attach, &file);
	close_file(&file);
}

/* ---- what is opened with files ---- */

/*
 * Opens something and returns its answers, n floats, malloc'd; NULL if the file cannot be used.
 * With `file`, what was recorded is written before it is released.
 */
typedef float *(*Open)(const MrenEnv *env, File *file, size_t *n);

static float *
open_with(Open open, const File *file, size_t *n)
{
	MrenWeights weights;
	TestEnv test;
	MrenEnv env;
	MrenError err;
	float *answers;

	test_env_init(&test);
	assert_int_equal(mren_weights_attach(&weights, &test.env, file->bytes, file->len, key, &err),
					 MREN_OK);
	env = mren_weights_env(&weights);
	answers = open(&env, NULL, n);
	mren_weights_close(&weights);
	assert_int_equal(test.n_live, 0);
	return answers;
}

/* Opened with a file gives the bits that it gives without; the file is returned. */
static File
check_open(Open open)
{
	MrenWeights weights;
	TestEnv test;
	MrenEnv env;
	size_t n[3];
	float *answers[3];
	File file = {NULL, 0};

	test_env_init(&test);
	answers[0] = open(&test.env, NULL, &n[0]);
	mren_weights_record(&weights, &test.env);
	env = mren_weights_env(&weights);
	answers[1] = open(&env, &file, &n[1]);
	mren_weights_close(&weights);
	assert_int_equal(test.n_live, 0);
	answers[2] = open_with(open, &file, &n[2]);
	for (int i = 0; i < 3; i++)
	{
		assert_non_null(answers[i]);
		assert_int_equal(n[i], n[0]);
		assert_memory_equal(answers[i], answers[0], n[0] * sizeof(float));
	}
	for (int i = 0; i < 3; i++)
		free(answers[i]);
	return file;
}

/* Whatever is damaged after the header, and if the header says other lengths, nothing crashes. */
static void
check_damage(Open open, File *file)
{
	MrenRandom random;
	uint64_t blocks;
	size_t header;

	memcpy(&blocks, file->bytes + 48, sizeof(blocks));
	header = 64 + (size_t) blocks * 8;
	mren_random_seed(&random, 3, 0);
	assert_int_equal(mprotect(file->bytes, file->len, PROT_READ | PROT_WRITE), 0);
	for (int i = 0; i < 300; i++)
	{
		size_t at = header + mren_random_below(&random, (uint32_t) (file->len - header));
		uint8_t before = file->bytes[at];
		size_t n;

		file->bytes[at] = (uint8_t) mren_random_below(&random, 256);
		free(open_with(open, file, &n));
		if (i % 2 == 0)
			file->bytes[at] = before;
	}
	close_file(file);
}

/* A convolution of many channels, a depthwise one and a matrix product. */
static float *
open_graph(const MrenEnv *env, File *file, size_t *n)
{
	static float weights[64 * 64 * 9];
	Build build;
	MrenRandom random;
	MrenOnnxGraph *graph;
	MrenOnnxGraphRun *run;
	MrenOnnxGraphInfo info;
	MrenError err;
	MrenStatus status;
	float input[8 * 8 * 3];
	float *answers = NULL;
	bool done = false;
	uint8_t *bytes;
	size_t len;

	mren_random_seed(&random, 9, 0);
	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++)
		weights[i] = mren_random_normal(&random) / 30;
	for (size_t i = 0; i < sizeof(input) / sizeof(input[0]); i++)
		input[i] = mren_random_normal(&random);
	build_init(&build, 13);
	build_input(&build, "image", BUILD_DIMS(1, 3, 8, 8));
	build_floats(&build, "w1", weights, (const int64_t[]){64, 3, 3, 3}, 4);
	build_node(&build, "Conv", "image w1", "c1");
	build_node(&build, "Relu", "c1", "r1");
	build_floats(&build, "w2", weights, (const int64_t[]){64, 64, 3, 3}, 4);
	build_node(&build, "Conv", "r1 w2", "c2");
	build_node(&build, "GlobalAveragePool", "c2", "p");
	build_node(&build, "Flatten", "p", "f");
	build_floats(&build, "w3", weights, (const int64_t[]){64, 32}, 2);
	build_node(&build, "MatMul", "f w3", "features");
	build_output(&build, "features");
	bytes = build_pack(&build, &len);
	status = mren_onnx_graph_load(env, mren_weights_ready(env) ? NULL : bytes, len, NULL, 0, &graph,
								  &err);
	if (status == MREN_OK)
	{
		if (file != NULL)
			*file = write_file(env->weights);
		mren_onnx_graph_info(graph, &info);
		*n = info.features;
		assert_true(info.features == 32 || info.features == 64);
		answers = malloc(*n * sizeof(float));
		assert_int_equal(mren_onnx_graph_start(env, graph, input, &run, &err), MREN_OK);
		while (!done)
			assert_int_equal(mren_onnx_graph_step(run, &done, &err), MREN_OK);
		if (mren_onnx_graph_output(run, answers, &err) != MREN_OK)
			memset(answers, 0, *n * sizeof(float)); /* damaged numbers need not be finite */
		mren_onnx_graph_end(run);
		mren_onnx_graph_free(env, graph);
	}
	else
		assert_true(mren_weights_ready(env));
	build_free(&build);
	return answers;
}

static void
test_image_networks(void **state)
{
	File file = check_open(open_graph);

	(void) state;
	check_damage(open_graph, &file);
}

/* An encoder of texts, whose weights are packed in place. */
static float *
open_encoder_form(const MrenEnv *env, File *file, size_t *n, MrenTransformerArchitecture kind,
				  bool int8)
{
	MrenTransformerConfig config = {.architecture = kind,
									.layers = 2,
									.width = 32,
									.heads = 2,
									.intermediate = 40,
									.embedding_width = 32,
									.vocabulary = 10,
									.positions = 16,
									.token_types = kind == MREN_TRANSFORMER_BERT ? 2 : 0,
									.eps = 1e-5f,
									.absolute_positions = kind == MREN_TRANSFORMER_BERT,
									.relative_buckets = kind == MREN_TRANSFORMER_BERT ? 0 : 8,
									.relative_positions = kind == MREN_TRANSFORMER_BERT ? 0 : 16,
									.content_to_position = kind != MREN_TRANSFORMER_BERT,
									.share_relative_key = kind != MREN_TRANSFORMER_BERT,
									.relative_norm = kind != MREN_TRANSFORMER_BERT};
	static const int32_t ids[] = {1, 2, 3, 4};
	static const uint32_t positions[] = {0, 1, 2, 3};
	static const MrenTransformerSentence sentence = {4, 0, 0};
	MrenTransformerBatch batch = {&sentence, 1, ids, positions, NULL, 4};
	size_t size = mren_transformer_parameters(&config);
	MrenTransformer *encoder;
	MrenRandom random;
	MrenError err;
	float *weights = NULL;
	float *answers = NULL;
	bool filled = mren_weights_ready(env);

	if (int8 && !filled)
		assert_int_equal(mren_allocate(env, size, sizeof(float), &weights, &err), MREN_OK);
	if (!int8 &&
		mren_allocate_weights(env, size, sizeof(float), &weights, &filled, &err) != MREN_OK)
		return NULL;
	mren_random_seed(&random, 4, 0);
	for (size_t i = 0; i < size && !filled; i++)
		weights[i] = mren_random_normal(&random) / 6;
	if ((int8 ? mren_transformer_create_int8(env, &config, weights, &encoder, &err)
			  : mren_transformer_create_in_place(env, &config, weights, &encoder, &err)) == MREN_OK)
	{
		if (file != NULL)
			*file = write_file(env->weights);
		*n = 4 * config.width;
		answers = malloc(*n * sizeof(float));
		assert_int_equal(mren_transformer_forward(env, encoder, &batch, answers, &err), MREN_OK);
		mren_transformer_free(env, encoder);
	}
	mren_release(env, weights);
	return answers;
}

static float *
open_bert(const MrenEnv *env, File *file, size_t *n)
{
	return open_encoder_form(env, file, n, MREN_TRANSFORMER_BERT, false);
}

static float *
open_bert_int8(const MrenEnv *env, File *file, size_t *n)
{
	return open_encoder_form(env, file, n, MREN_TRANSFORMER_BERT, true);
}

static float *
open_deberta(const MrenEnv *env, File *file, size_t *n)
{
	return open_encoder_form(env, file, n, MREN_TRANSFORMER_DEBERTA, false);
}

static float *
open_deberta_int8(const MrenEnv *env, File *file, size_t *n)
{
	return open_encoder_form(env, file, n, MREN_TRANSFORMER_DEBERTA, true);
}

static void
test_text_encoders(void **state)
{
	static const Open forms[] = {open_bert, open_bert_int8, open_deberta, open_deberta_int8};

	(void) state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
	{
		File file = check_open(forms[i]);

		check_damage(forms[i], &file);
	}
}

/* A network of two members with convolutions, whose header and tensors are kept elsewhere. */
static Fixture fixture;
static Row rows[60];
static MrenNet *trained;

static float *
open_network(const MrenEnv *env, File *file, size_t *n)
{
	MrenNet *net;
	MrenNetInfo info;
	MrenError err;
	uint8_t *header;
	size_t len;
	float *answers;
	float *features;
	float *scratch;
	MrenInput input = {.sentence = &rows[1].example.sentence, .head_type = -1, .tail_type = -1};

	assert_int_equal(mren_net_header(trained, env, &header, &len, &err), MREN_OK);
	assert_int_equal(mren_net_from_header(env, header, len, &net, &err), MREN_OK);
	mren_release(env, header);
	for (size_t i = 0; i < mren_net_n_tensors(trained) && !mren_weights_ready(env); i++)
	{
		MrenTensorView view;

		mren_net_tensor(trained, i, &view);
		assert_int_equal(mren_net_set_tensor(net, view.name, view.rows, view.cols, view.data, &err),
						 MREN_OK);
	}
	if (mren_net_complete(net, &err) != MREN_OK)
		fail_msg("%s", err.message);
	if (file != NULL)
		*file = write_file(env->weights);
	mren_net_info(net, &info);
	*n = info.n_relations;
	answers = calloc(*n, sizeof(float));
	assert_int_equal(mren_allocate(env, info.row_dim, sizeof(float), &features, &err), MREN_OK);
	assert_int_equal(mren_allocate(env, mren_net_scratch(net, 1), sizeof(float), &scratch, &err),
					 MREN_OK);
	if (mren_net_features(net, &fixture.table, &input, 1, features, scratch, &err) == MREN_OK)
		(void) mren_net_probabilities(net, features, 1, answers, scratch, &err);
	mren_release(env, features);
	mren_release(env, scratch);
	mren_net_free(env, net);
	return answers;
}

static void
test_networks(void **state)
{
	TestEnv test;
	MrenExamples *examples;
	MrenOptions options;
	MrenRandom random;
	MrenError err;
	File file;

	(void) state;
	test_env_init(&test);
	fixture_init(&fixture);
	mren_random_seed(&random, 21, 0);
	fixture_examples(&test.env, 0, &examples, &err);
	for (int i = 0; i < 60; i++)
	{
		int32_t words[9];

		for (int w = 0; w < 9; w++)
			words[w] = (int32_t) mren_random_below(&random, FIXTURE_WORDS);
		row_init(&rows[i], words, 9, 2, 6, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "none");
		assert_int_equal(mren_examples_append(examples, &rows[i].example, NULL, &err), MREN_OK);
	}
	mren_options_init(&options);
	options.common.n_hidden = 2;
	options.common.hidden[0] = 20;
	options.common.hidden[1] = 9;
	options.common.epochs = 2;
	options.negative = "none";
	options.text_encoder = MREN_TEXT_CONV;
	options.filters = 5;
	options.ensemble = 2;
	if (fixture_train(&test.env, &fixture, &options, examples, &trained, NULL, &err) != MREN_OK)
		fail_msg("%s", err.message);
	mren_examples_free(examples);
	file = check_open(open_network);
	check_damage(open_network, &file);
	mren_net_free(&test.env, trained);
	assert_int_equal(test.n_live, 0);
}

/* ---- the table of words ---- */

#define WORDS 3000
#define WORD_DIM 5

/* Words of one length that begin alike, too, beyond what the slots have of them. */
static void
name_word(int i, char *word, size_t size)
{
	snprintf(word, size, i % 3 == 0 ? "such a long word%d" : "word%d", i * 7);
}

static MrenStatus
make_table(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenWordTableBuilder builder = {.dim = WORD_DIM};
	MrenWordTable table = {0};
	MrenStatus status = MREN_OK;
	File *file = arg;

	for (int i = 0; i < WORDS && status == MREN_OK; i++)
	{
		float vector[WORD_DIM] = {(float) i, 1, 2, 3, 4};
		char word[32];

		name_word(i, word, sizeof(word));
		status = mren_word_table_add(env, &builder, word, strlen(word), i + 10, vector, err);
	}
	if (status == MREN_OK)
		status = mren_word_table_finish(env, &builder, &table, err);
	if (status == MREN_OK && env->weights != NULL)
		*file = write_file(env->weights);
	if (status == MREN_OK)
		mren_release(env, (void *) (uintptr_t) table.slots);
	mren_buffer_free(env, &builder.bytes);
	mren_release(env, builder.offsets);
	mren_release(env, builder.ids);
	mren_release(env, builder.vectors);
	return status;
}

/* The words found, and their vectors and numbers; NULL if the table cannot be attached. */
static float *
search_table(const MrenEnv *env, File *file, size_t *n)
{
	MrenWordTable table;
	MrenError err;
	float *found;

	(void) file;
	if (mren_word_table_attach(env, WORD_DIM, &table, &err) != MREN_OK)
		return NULL;
	*n = 2 * WORDS;
	found = calloc(*n, sizeof(float));
	for (int i = 0; i < 2 * WORDS; i++)
	{
		char word[32];
		int32_t row;

		name_word(i, word, sizeof(word));
		row = mren_word_table_find(&table, word, strlen(word));
		assert_true(row >= -1 && row < (int32_t) table.n);
		found[i] = row < 0 ? -1 : mren_word_table_vector(&table, row)[0] + (float) table.ids[row];
	}
	return found;
}

static void
test_word_table(void **state)
{
	MrenWeights weights;
	TestEnv test;
	MrenEnv env;
	MrenError err;
	File file;
	float *found;
	size_t n;

	(void) state;
	test_env_init(&test);
	mren_weights_record(&weights, &test.env);
	env = mren_weights_env(&weights);
	assert_int_equal(make_table(&env, &err, &file), MREN_OK);
	mren_weights_close(&weights);
	assert_int_equal(test.n_live, 0);
	found = open_with(search_table, &file, &n);
	for (int i = 0; i < 2 * WORDS; i++)
		assert_true(found[i] == (i < WORDS ? (float) (2 * i + 10) : -1));
	free(found);
	check_damage(search_table, &file);
	test_allocation_sweep(make_table, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_found),
		cmocka_unit_test(test_recorded_blocks_are_allocated),
		cmocka_unit_test(test_damage_is_found),
		cmocka_unit_test(test_allocation_failures),
		cmocka_unit_test(test_image_networks),
		cmocka_unit_test(test_text_encoders),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_word_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
