/*
 * test_transformer_encoder.c
 *	  The forward pass of a pretrained encoder: against values of the usual library,
 *	  alone and in a batch, with levitated markers.
 */
#include "support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transformer/encoder_parts.h"
#include "transformer/file/stored_encoder.h"

#define WIDTH 8
#define MAX_PARAMETERS 32768

static const MrenTransformerConfig bert = {.architecture = MREN_TRANSFORMER_BERT,
										   .layers = 2,
										   .width = WIDTH,
										   .heads = 2,
										   .intermediate = 12,
										   .embedding_width = WIDTH,
										   .vocabulary = 10,
										   .positions = 16,
										   .token_types = 2,
										   .eps = 1e-5f,
										   .absolute_positions = true};

/* Weights that differ from each other, of moderate size. */
static void
make_weights(const MrenTransformerConfig *config, float *weights)
{
	uint32_t state = 1;
	size_t n = mren_transformer_parameters(config);

	assert_true(n <= MAX_PARAMETERS);
	for (size_t i = 0; i < n; i++)
	{
		state = state * 1664525u + 1013904223u;
		weights[i] = (float) (state >> 8) / (float) (1 << 24) - 0.5f;
	}
}

/* Two sentences; two groups of two markers stand after the first. */
static const int32_t ids[] = {1, 2, 3, 4, 5, 9, 8, 9, 7, 6, 5, 4};
static const uint32_t positions[] = {0, 1, 2, 3, 1, 2, 0, 3, 0, 1, 2, 3};
static const MrenTransformerSentence two[] = {{4, 2, 2}, {4, 0, 0}};

typedef enum Form
{
	COPIED,
	IN_PLACE,
	INT8,
	N_FORMS,
} Form;

static MrenStatus
create(const MrenEnv *env, const MrenTransformerConfig *config, float *weights, Form form,
	   MrenTransformer **encoder, MrenError *err)
{
	switch (form)
	{
		case IN_PLACE:
			return mren_transformer_create_in_place(env, config, weights, encoder, err);
		case INT8:
			return mren_transformer_create_int8(env, config, weights, encoder, err);
		default:
			return mren_transformer_create(env, config, weights, encoder, err);
	}
}

static MrenStatus
run_form(const MrenEnv *env, const MrenTransformerConfig *config, Form form,
		 const MrenTransformerBatch *batch, float *out, MrenError *err)
{
	static _Alignas(64) float weights[MAX_PARAMETERS];
	MrenTransformer *encoder;
	MrenStatus status;

	make_weights(config, weights);
	MREN_TRY(create(env, config, weights, form, &encoder, err));
	/* An encoder of bytes needs them no longer. */
	if (form == INT8)
		memset(weights, 0xFF, sizeof(weights));
	status = mren_transformer_forward(env, encoder, batch, out, err);
	mren_transformer_free(env, encoder);
	return status;
}

static MrenStatus
run(const MrenEnv *env, const MrenTransformerConfig *config, const MrenTransformerBatch *batch,
	float *out, MrenError *err)
{
	return run_form(env, config, COPIED, batch, out, err);
}

static void
run_ok(const MrenTransformerConfig *config, const MrenTransformerSentence *sentences, size_t n,
	   const int32_t *tokens, const uint32_t *places, size_t n_tokens, float *out)
{
	TestEnv test;
	MrenError err;
	MrenTransformerBatch batch = {sentences, n, tokens, places, NULL, n_tokens};

	test_env_init(&test);
	assert_int_equal(run(&test.env, config, &batch, out, &err), MREN_OK);
	assert_int_equal(test.n_live, 0);
}

static MrenTransformerConfig
variant(int which)
{
	MrenTransformerConfig config = bert;

	if (which == 1)
	{
		config.architecture = MREN_TRANSFORMER_MPNET;
		config.token_types = 0;
		config.relative_buckets = 8;
		config.position_offset = 2;
	}
	if (which == 2)
	{
		config.architecture = MREN_TRANSFORMER_DEBERTA;
		config.absolute_positions = false;
		config.token_types = 0;
		config.relative_buckets = 4;
		config.relative_positions = 16;
		config.relative_norm = config.share_relative_key = true;
		config.content_to_position = config.position_to_content = true;
	}
	if (which == 3)
	{
		config.architecture = MREN_TRANSFORMER_ELECTRA;
		config.embedding_width = 4;
		config.activation = MREN_TRANSFORMER_GELU_TANH;
	}
	return config;
}

/* A token has the same bits alone and in a batch; markers change nothing but themselves. */
static void
test_batches(void **state)
{
	(void) state;
	for (int which = 0; which < 4; which++)
	{
		MrenTransformerConfig config = variant(which);
		static const MrenTransformerSentence text = {4, 0, 0};
		static const MrenTransformerSentence second_group = {4, 1, 2};
		static const int32_t other_ids[] = {1, 2, 3, 4, 8, 9};
		static const uint32_t other_positions[] = {0, 1, 2, 3, 0, 3};
		float all[12 * WIDTH];
		float alone[6 * WIDTH];

		run_ok(&config, two, 2, ids, positions, 12, all);
		run_ok(&config, &text, 1, ids, positions, 4, alone);
		assert_memory_equal(all, alone, 4 * WIDTH * sizeof(float));
		run_ok(&config, &text, 1, ids + 8, positions + 8, 4, alone);
		assert_memory_equal(all + 8 * WIDTH, alone, 4 * WIDTH * sizeof(float));
		run_ok(&config, &second_group, 1, other_ids, other_positions, 6, alone);
		assert_memory_equal(all + 6 * WIDTH, alone + 4 * WIDTH, 2 * WIDTH * sizeof(float));
		/* The same piece at another position, or in another group, is another vector. */
		assert_memory_not_equal(all + 5 * WIDTH, all + 7 * WIDTH, WIDTH * sizeof(float));
	}
}

/* What is remembered of the text of `first`, and then read with the markers of `batch`. */
static MrenStatus
recall(const MrenEnv *env, const MrenTransformerConfig *config, const MrenTransformerBatch *first,
	   const MrenTransformerBatch *batch, float *out, MrenError *err)
{
	static _Alignas(64) float weights[MAX_PARAMETERS];
	float vectors[12 * WIDTH];
	MrenTransformer *encoder;
	MrenTransformerMemory *memory = NULL;
	MrenStatus status;

	make_weights(config, weights);
	MREN_TRY(create(env, config, weights, COPIED, &encoder, err));
	status = mren_transformer_remember(env, encoder, first, vectors, &memory, err);
	if (status == MREN_OK)
	{
		float forward[12 * WIDTH];

		status = mren_transformer_forward(env, encoder, first, forward, err);
		if (status == MREN_OK)
			assert_memory_equal(vectors, forward, first->n_tokens * WIDTH * sizeof(float));
	}
	if (status == MREN_OK)
		status = mren_transformer_markers(env, encoder, batch, memory, out, err);
	mren_transformer_forget(env, memory);
	mren_transformer_free(env, encoder);
	return status;
}

static const MrenTransformerSentence remembered = {4, 2, 2};
static const bool some_read[8] = {[1] = true, [4] = true, [6] = true, [7] = true};

static MrenStatus
recall_some(const MrenEnv *env, MrenError *err, void *arg)
{
	const MrenTransformerBatch batch = {&remembered, 1, ids, positions, NULL, 8, some_read};
	float out[8 * WIDTH];

	return recall(env, arg, &batch, &batch, out, err);
}

/* Vectors after a text that is remembered have the same bits as those that are read with it. */
static void
test_remembered_text(void **state)
{
	static const MrenTransformerSentence last[] = {{4, 0, 0}, {4, 1, 2}};
	const MrenTransformerBatch both = {two, 2, ids, positions, NULL, 12};
	const MrenTransformerBatch none = {NULL, 0, NULL, NULL, NULL, 0};

	(void) state;
	for (int which = 0; which < 4; which++)
	{
		MrenTransformerConfig config = variant(which);
		TestEnv test;
		MrenError err;
		MrenTransformerBatch batch = {&remembered, 1, ids, positions, NULL, 8};
		/* The other sentence, and then the same text with its first group. */
		int32_t ids_last[10];
		uint32_t positions_last[10];
		const bool read_last[10] = {[2] = true, [9] = true};
		MrenTransformerBatch behind = {last, 2, ids_last, positions_last, NULL, 10};
		float all[8 * WIDTH];
		float again[8 * WIDTH];

		memcpy(ids_last, ids + 8, 4 * sizeof(ids[0]));
		memcpy(ids_last + 4, ids, 6 * sizeof(ids[0]));
		memcpy(positions_last, positions + 8, 4 * sizeof(positions[0]));
		memcpy(positions_last + 4, positions, 6 * sizeof(positions[0]));
		test_env_init(&test);
		run_ok(&config, &remembered, 1, ids, positions, 8, all);
		for (int part = 0; part < 2; part++)
		{
			behind.read = part == 0 ? NULL : read_last;
			batch.read = NULL;
			assert_int_equal(recall(&test.env, &config, &behind, &batch, again, &err), MREN_OK);
			assert_memory_equal(all, again, sizeof(all));
			batch.read = some_read;
			assert_int_equal(recall(&test.env, &config, &behind, &batch, again, &err), MREN_OK);
			for (size_t i = 0; i < 8; i++)
			{
				if (some_read[i])
					assert_memory_equal(all + i * WIDTH, again + i * WIDTH, WIDTH * sizeof(float));
				else
					assert_true(again[i * WIDTH] == 0);
			}
		}
		assert_int_equal(recall(&test.env, &config, &batch, &both, again, &err), MREN_EDATA);
		assert_int_equal(recall(&test.env, &config, &none, &batch, again, &err), MREN_EDATA);
		assert_int_equal(test.n_live, 0);
		test_allocation_sweep(recall_some, &config);
		test_interrupt_sweep(recall_some, &config);
	}
}

/* Wide enough for whole panels, and long enough for several pieces of rows. */
#define WIDE 32
#define LONG 61
#define MARKERS 60

static MrenTransformerConfig
wide_variant(int which)
{
	MrenTransformerConfig config = variant(which);

	config.width = WIDE;
	config.heads = which == 0 ? 1 : 2;
	config.intermediate = 48;
	config.embedding_width = which == 3 ? 16 : WIDE;
	config.positions = LONG + 2;
	return config;
}

/* Sentences of LONG and 3 tokens; after the first, n_groups of group_size markers. */
typedef struct LongBatch
{
	MrenTransformerSentence sentences[2];
	int32_t ids[LONG + MARKERS + 3];
	uint32_t positions[LONG + MARKERS + 3];
	MrenTransformerBatch batch;
} LongBatch;

static void
make_long(LongBatch *made, size_t n_groups, size_t group_size)
{
	size_t n = LONG + n_groups * group_size + 3;

	made->sentences[0] = (MrenTransformerSentence){LONG, n_groups, group_size};
	made->sentences[1] = (MrenTransformerSentence){3, 0, 0};
	for (size_t i = 0; i < n; i++)
	{
		made->ids[i] = (int32_t) (i * 7 % 10);
		made->positions[i] = (uint32_t) (i * 5 % LONG);
	}
	for (size_t i = 0; i < LONG; i++)
		made->positions[i] = (uint32_t) i;
	made->batch = (MrenTransformerBatch){made->sentences, 2, made->ids, made->positions, NULL, n};
}

/* In any form, the bits of a token depend on its sentence and group alone. */
static void
test_long_batches(void **state)
{
	static float all[(LONG + MARKERS + 3) * WIDE];
	static float other[(LONG + MARKERS + 3) * WIDE];
	TestEnv test;
	MrenError err;

	(void) state;
	test_env_init(&test);
	for (int which = 0; which < 4; which++)
	{
		MrenTransformerConfig config = wide_variant(which);

		for (Form form = COPIED; form < N_FORMS; form++)
		{
			LongBatch made;
			MrenTransformerBatch alone;

			make_long(&made, 15, 4);
			assert_int_equal(run_form(&test.env, &config, form, &made.batch, all, &err), MREN_OK);
			/* Without markers and the other sentence. */
			alone = made.batch;
			alone.n_sentences = 1;
			alone.n_tokens = LONG;
			made.sentences[0].n_groups = 0;
			assert_int_equal(run_form(&test.env, &config, form, &alone, other, &err), MREN_OK);
			assert_memory_equal(all, other, LONG * WIDE * sizeof(float));
			/* The first group alone. */
			alone.n_tokens = LONG + 4;
			made.sentences[0].n_groups = 1;
			assert_int_equal(run_form(&test.env, &config, form, &alone, other, &err), MREN_OK);
			assert_memory_equal(all, other, (LONG + 4) * WIDE * sizeof(float));
			/* The other sentence alone. */
			alone = made.batch;
			alone.sentences++;
			alone.n_sentences = 1;
			alone.ids += LONG + 60;
			alone.positions += LONG + 60;
			alone.n_tokens = 3;
			assert_int_equal(run_form(&test.env, &config, form, &alone, other, &err), MREN_OK);
			assert_memory_equal(all + (LONG + 60) * WIDE, other, 3 * WIDE * sizeof(float));
			/* A group larger than the pieces in which queries run. */
			make_long(&made, 1, 60);
			assert_int_equal(run_form(&test.env, &config, form, &made.batch, all, &err), MREN_OK);
		}
	}
	assert_int_equal(test.n_live, 0);
}

/* The vectors that are read have the same bits as where all are; all others are zero. */
static void
test_read(void **state)
{
	static float all[(LONG + MARKERS + 3) * WIDE];
	static float some[(LONG + MARKERS + 3) * WIDE];
	static const float zeros[WIDE];
	bool read[LONG + MARKERS + 3];
	TestEnv test;
	MrenError err;
	LongBatch made;

	(void) state;
	test_env_init(&test);
	make_long(&made, 15, 4);
	/* Some of the text, one or two of each group of markers, and nothing of the last sentence. */
	for (size_t i = 0; i < made.batch.n_tokens; i++)
		read[i] = i % 3 == 1 && i < LONG + MARKERS;
	for (int which = 0; which < 4; which++)
	{
		MrenTransformerConfig config = wide_variant(which);

		for (Form form = COPIED; form < N_FORMS; form++)
		{
			made.batch.read = NULL;
			assert_int_equal(run_form(&test.env, &config, form, &made.batch, all, &err), MREN_OK);
			made.batch.read = read;
			assert_int_equal(run_form(&test.env, &config, form, &made.batch, some, &err), MREN_OK);
			for (size_t i = 0; i < made.batch.n_tokens; i++)
				assert_memory_equal(some + i * WIDE, read[i] ? all + i * WIDE : zeros,
									sizeof(zeros));
		}
	}
	assert_int_equal(test.n_live, 0);
}

/* Packed in place is the same encoder, bit for bit. */
static void
test_in_place(void **state)
{
	static float copied[(LONG + 3) * WIDE];
	static float in_place[(LONG + 3) * WIDE];
	TestEnv test;
	MrenError err;
	LongBatch made;

	(void) state;
	test_env_init(&test);
	make_long(&made, 0, 0);
	for (int which = 0; which < 4; which++)
	{
		MrenTransformerConfig config = wide_variant(which);

		assert_int_equal(run_form(&test.env, &config, COPIED, &made.batch, copied, &err), MREN_OK);
		assert_int_equal(run_form(&test.env, &config, IN_PLACE, &made.batch, in_place, &err),
						 MREN_OK);
		assert_memory_equal(copied, in_place, sizeof(copied));
	}
	/* What it holds beside the weights is small: here, less than one matrix. */
	{
		static _Alignas(64) float weights[MAX_PARAMETERS];
		MrenTransformerConfig config = wide_variant(0);
		MrenTransformer *encoder;

		make_weights(&config, weights);
		assert_int_equal(
			mren_transformer_create_in_place(&test.env, &config, weights, &encoder, &err), MREN_OK);
		assert_true(test.live_bytes < 2 * sizeof(MrenTransformerLayer) + 4096);
		mren_transformer_free(&test.env, encoder);
	}
	assert_int_equal(test.n_live, 0);
}

static double
cosine(const float *a, const float *b, size_t n)
{
	double ab = 0;
	double aa = 0;
	double bb = 0;

	for (size_t i = 0; i < n; i++)
	{
		ab += (double) a[i] * (double) b[i];
		aa += (double) a[i] * (double) a[i];
		bb += (double) b[i] * (double) b[i];
	}
	return ab / sqrt(aa * bb);
}

/* Bytes change a token's vector little, but they do change it. */
static void
test_int8(void **state)
{
	static float floats[(LONG + 3) * WIDE];
	static float bytes[(LONG + 3) * WIDE];
	TestEnv test;
	MrenError err;
	LongBatch made;

	(void) state;
	test_env_init(&test);
	make_long(&made, 0, 0);
	for (int which = 0; which < 4; which++)
	{
		MrenTransformerConfig config = wide_variant(which);

		assert_int_equal(run_form(&test.env, &config, COPIED, &made.batch, floats, &err), MREN_OK);
		assert_int_equal(run_form(&test.env, &config, INT8, &made.batch, bytes, &err), MREN_OK);
		for (size_t i = 0; i < made.batch.n_tokens; i++)
			assert_true(cosine(floats + i * WIDE, bytes + i * WIDE, WIDE) > 0.99);
		assert_memory_not_equal(floats, bytes, sizeof(floats));
	}
}

static void
test_bad_batches(void **state)
{
	TestEnv test;
	MrenError err;
	float out[12 * WIDTH];
	int32_t piece = 10;
	uint32_t place = 16;
	uint8_t type = 2;
	MrenTransformerSentence one = {1, 0, 0};
	MrenTransformerBatch batch = {&one, 1, &piece, positions, NULL, 1};

	(void) state;
	test_env_init(&test);
	assert_int_equal(run(&test.env, &bert, &batch, out, &err), MREN_EDATA);
	assert_string_equal(err.message, "piece 10 is not in the vocabulary of 10 pieces");
	batch.ids = ids;
	batch.positions = &place;
	assert_int_equal(run(&test.env, &bert, &batch, out, &err), MREN_EDATA);
	assert_string_equal(err.message, "position 16 must be less than 16");
	batch.positions = positions;
	batch.types = &type;
	assert_int_equal(run(&test.env, &bert, &batch, out, &err), MREN_EDATA);
	assert_string_equal(err.message, "token type 2 must be less than 2");
	batch.types = NULL;
	batch.n_tokens = 2;
	assert_int_equal(run(&test.env, &bert, &batch, out, &err), MREN_EDATA);
	assert_string_equal(err.message, "sentences must have 2 tokens together");
	assert_int_equal(test.n_live, 0);
}

static MrenStatus
sweep(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenTransformerConfig config = variant(2);
	MrenTransformerBatch batch = {two, 2, ids, positions, NULL, 12};
	float out[12 * WIDTH];

	return run_form(env, &config, *(Form *) arg, &batch, out, err);
}

static void
test_failures(void **state)
{
	(void) state;
	for (Form form = COPIED; form < N_FORMS; form++)
	{
		test_allocation_sweep(sweep, &form);
		test_interrupt_sweep(sweep, &form);
	}
}

/* Bytes in memory, as a sink and as a source. */
typedef struct Bytes
{
	uint8_t *data;
	size_t len;
	size_t at;
} Bytes;

static MrenStatus
put(void *state, const void *bytes, size_t n, MrenError *err)
{
	Bytes *to = state;

	(void) err;
	to->data = realloc(to->data, to->len + n + 1);
	memcpy(to->data + to->len, bytes, n);
	to->len += n;
	return MREN_OK;
}

static MrenStatus
get(void *state, void *bytes, size_t n, MrenError *err)
{
	Bytes *from = state;

	if (n > from->len - from->at)
		return mren_fail(err, MREN_EFORMAT, "stored bytes end");
	memcpy(bytes, from->data + from->at, n);
	from->at += n;
	return MREN_OK;
}

static void
load(const MrenEnv *env, const char *folder, MrenStoredEncoder *stored)
{
	static const char *const names[] = {"config.json", "tokenizer.json", "model.safetensors"};
	MrenTransformerFiles files = {0};
	MrenTransformerSource source;
	Bytes bytes = {0};
	MrenByteSink sink = {&bytes, put};
	MrenByteSource again = {&bytes, get};
	MrenError err;

	for (int i = 0; i < 3; i++)
	{
		char path[1024];
		size_t len;
		uint8_t *data;
		MrenTransformerFile *file;

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		data = test_read_file(path, &len);
		assert_non_null(data);
		assert_int_equal(mren_transformer_files_add(env, &files, names[i], len, &file, &err), 0);
		memcpy(file->bytes, data, len);
		free(data);
	}
	assert_int_equal(mren_transformer_source_open(env, &files, &source, &err), MREN_OK);
	assert_int_equal(mren_transformer_store(env, &source, &sink, &err), MREN_OK);
	assert_int_equal(mren_transformer_restore(env, &again, true, stored, &err), MREN_OK);
	mren_transformer_source_close(env, &source);
	mren_transformer_files_close(env, &files);
	free(bytes.data);
}

/* The vectors of a line's pieces, (n, width); *n is their number. */
static float *
encode_line(const MrenEnv *env, const MrenTransformer *encoder, size_t width, const json_t *line,
			size_t *n)
{
	const json_t *pieces = json_object_get(line, "ids");
	int32_t numbers[512];
	uint32_t places[512];
	MrenTransformerSentence sentence = {json_array_size(pieces), 0, 0};
	MrenTransformerBatch batch = {&sentence, 1, numbers, places, NULL, sentence.n_text};
	float *out = malloc(sentence.n_text * width * sizeof(float));
	MrenError err;

	*n = sentence.n_text;
	assert_true(*n > 0 && *n <= 512);
	for (size_t i = 0; i < *n; i++)
	{
		numbers[i] = (int32_t) json_integer_value(json_array_get(pieces, i));
		places[i] = (uint32_t) i;
	}
	assert_int_equal(mren_transformer_forward(env, encoder, &batch, out, &err), MREN_OK);
	return out;
}

/* Compares a line: mean, and hidden where it is given. */
static void
expect_line(const MrenEnv *env, const MrenTransformer *encoder, size_t width, const json_t *line)
{
	const json_t *mean = json_object_get(line, "mean");
	const json_t *hidden = json_object_get(line, "hidden");
	size_t n;
	float *out = encode_line(env, encoder, width, line, &n);

	assert_true(json_array_size(mean) == width);
	for (size_t j = 0; j < width; j++)
	{
		double sum = 0;

		for (size_t i = 0; i < n; i++)
		{
			const json_t *row = json_array_get(hidden, i);

			sum += out[i * width + j];
			if (hidden != NULL)
				assert_true(fabs(out[i * width + j] - json_number_value(json_array_get(row, j))) <
							1e-4);
		}
		assert_true(fabs(sum / (double) n - json_number_value(json_array_get(mean, j))) < 1e-4);
	}
	free(out);
}

/* The mean of an encoder of bytes beside that of floats. */
static void
expect_int8_line(const MrenEnv *env, const MrenTransformer *encoder, size_t width,
				 const json_t *line)
{
	size_t n;
	float *out = encode_line(env, encoder, width, line, &n);
	float *mean = calloc(2 * width, sizeof(float));
	double like;

	for (size_t j = 0; j < width; j++)
	{
		mean[width + j] =
			(float) json_number_value(json_array_get(json_object_get(line, "mean"), j));
		for (size_t i = 0; i < n; i++)
			mean[j] += out[i * width + j] / (float) n;
	}
	like = cosine(mean, mean + width, width);
	if (like < 0.99)
		fail_msg("int8 has a cosine of %.5f", like);
	free(mean);
	free(out);
}

static void
expect_file(const char *folder, const char *lines)
{
	TestEnv test;
	MrenStoredEncoder stored;
	MrenTransformer *encoder;
	MrenTransformer *int8;
	MrenError err;
	size_t n = 0;
	json_t *line;
	FILE *file = fopen(lines, "r");

	assert_non_null(file);
	test_env_init(&test);
	load(&test.env, folder, &stored);
	assert_int_equal(
		mren_transformer_create_int8(&test.env, &stored.config, stored.weights, &int8, &err), 0);
	assert_int_equal(
		mren_transformer_create_in_place(&test.env, &stored.config, stored.weights, &encoder, &err),
		0);
	for (; (line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)) != NULL; n++)
	{
		expect_line(&test.env, encoder, stored.config.width, line);
		expect_int8_line(&test.env, int8, stored.config.width, line);
		json_decref(line);
	}
	assert_true(n > 0);
	mren_transformer_free(&test.env, int8);
	mren_transformer_free(&test.env, encoder);
	mren_transformer_stored_close(&test.env, &stored);
	assert_int_equal(test.n_live, 0);
	fclose(file);
}

static void
test_library(void **state)
{
	static const char *const names[] = {"bert",	 "bert-f16", "distilbert",	"electra",
										"mpnet", "roberta",	 "roberta-bf16"};
	char folder[512];
	char lines[1024];

	(void) state;
	if (test_shared_data() == NULL)
	{
		print_message("MREN_TEST_DATA is not set\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		snprintf(folder, sizeof(folder), "%s/../cases/text-encoder/encoders/%s", test_shared_data(),
				 names[i]);
		snprintf(lines, sizeof(lines), "%s/expected.jsonl", folder);
		print_message("%s\n", names[i]);
		expect_file(folder, lines);
	}
	snprintf(folder, sizeof(folder), "%s/text-encoders/all-MiniLM-L6-v2", test_shared_data());
	snprintf(lines, sizeof(lines), "%s/../cases/text-encoder/real/minilm-vectors.jsonl",
			 test_shared_data());
	expect_file(folder, lines);
}

/*
 * DeBERTa's relative positions: rows 0, 5 and 11 of twelve pieces as DebertaV2Model of
 * transformers 4.30.2 has them for the weights of make_weights.
 */
static void
test_deberta_values(void **state)
{
	static const int32_t pieces[] = {1, 2, 3, 4, 5, 9, 8, 9, 7, 6, 5, 4};
	static const uint32_t places[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
	static const MrenTransformerSentence sentence = {12, 0, 0};
	static const size_t rows[] = {0, 5, 11};
	static const float want[3][3][WIDTH] = {
		/* logarithmic buckets, shared projections, layer norm */
		{{0.136559f, -0.036364f, -0.324045f, -0.059851f, 1.170688f, -0.298087f, -0.125977f,
		  -0.527558f},
		 {0.137377f, -0.051532f, -0.325065f, -0.059874f, 1.157771f, -0.294276f, -0.121529f,
		  -0.524707f},
		 {0.134896f, -0.037852f, -0.324560f, -0.059914f, 1.171991f, -0.295113f, -0.124900f,
		  -0.522955f}},
		/* no buckets, projections of their own, positions, narrower embeddings */
		{{0.376821f, -0.668165f, 0.057514f, -0.124958f, -0.595034f, 0.455263f, -0.206393f,
		  -0.036119f},
		 {0.365062f, -0.656733f, 0.057545f, -0.149644f, -0.589298f, 0.475457f, -0.189230f,
		  -0.031156f},
		 {0.389212f, -0.603450f, 0.057785f, -0.158445f, -0.586296f, 0.414009f, -0.184569f,
		  -0.018241f}},
		/* position to content alone */
		{{-0.268333f, -0.062376f, 0.331316f, 0.201027f, -0.524622f, 0.280198f, 0.052055f,
		  0.280238f},
		 {-0.266522f, -0.046421f, 0.333181f, 0.219375f, -0.514274f, 0.237940f, 0.072004f,
		  0.279268f},
		 {-0.267602f, -0.050189f, 0.333636f, 0.221011f, -0.514063f, 0.254229f, 0.062917f,
		  0.279465f}},
	};
	MrenTransformerConfig configs[3] = {variant(2), variant(2), variant(2)};
	float out[12 * WIDTH];

	(void) state;
	configs[1].absolute_positions = true;
	configs[1].positions = 16;
	configs[1].token_types = 2;
	configs[1].embedding_width = 4;
	configs[1].relative_buckets = 0;
	configs[1].relative_positions = 5;
	configs[1].relative_norm = configs[1].share_relative_key = false;
	configs[2].relative_buckets = 6;
	configs[2].relative_positions = 10;
	configs[2].relative_norm = configs[2].share_relative_key = false;
	configs[2].content_to_position = false;
	for (int c = 0; c < 3; c++)
	{
		run_ok(&configs[c], &sentence, 1, pieces, places, 12, out);
		for (int r = 0; r < 3; r++)
			for (int j = 0; j < WIDTH; j++)
				assert_true(fabsf(out[rows[r] * WIDTH + (size_t) j] - want[c][r][j]) < 1e-5f);
	}
}

/* The buckets of the library, which has 32 of them even where the table has more rows. */
static void
test_distance_buckets(void **state)
{
	static const struct
	{
		ptrdiff_t distance;
		size_t bucket;
	} want[] = {{-1000, 15}, {-127, 15}, {-50, 13}, {-8, 8}, {-7, 7},  {-1, 1},
				{0, 0},		 {1, 17},	 {7, 23},	{8, 24}, {12, 25}, {500, 31}};

	(void) state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
	{
		assert_int_equal(mren_distance_bucket(want[i].distance, 32), want[i].bucket);
		assert_int_equal(mren_distance_bucket(want[i].distance, 40), want[i].bucket);
		assert_int_equal(mren_distance_bucket(want[i].distance, 64), want[i].bucket);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance_buckets),
		cmocka_unit_test(test_remembered_text),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_long_batches),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_int8),
		cmocka_unit_test(test_bad_batches),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_deberta_values),
		cmocka_unit_test(test_library),
	};

	return cmocka_run_group_tests_name("text encoder", tests, NULL, NULL);
}
