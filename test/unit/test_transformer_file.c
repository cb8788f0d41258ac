/*
 * test_transformer_file.c
 *	  The files of a pretrained encoder: safetensors, config.json, archives, and the form
 *	  in which an encoder is stored.
 */
#include "support.h"

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "encoder_samples.h"
#include "transformer/file/config_json.h"
#include "transformer/file/encoder_tokenizer.h"
#include "transformer/file/stored_encoder.h"
#include "transformer/file/tensor_names.h"
#include "weights_file.h"

/* The encoder whose files are read: NULL leaves one out. */
typedef struct Given
{
	const char *config;
	const char *vocab;
	const char *tokenizer;
	const char *tokenizer_config;
	const char *index;
	const SampleBytes *weights;
	const SampleBytes *shards[2];
} Given;

static MrenStatus
add(const MrenEnv *env, MrenTransformerFiles *files, const char *name, const void *bytes, size_t n,
	MrenError *err)
{
	MrenTransformerFile *file;

	if (bytes == NULL)
		return MREN_OK;
	MREN_TRY(mren_transformer_files_add(env, files, name, n, &file, err));
	memcpy(file->bytes, bytes, n);
	return MREN_OK;
}

static MrenStatus
add_text(const MrenEnv *env, MrenTransformerFiles *files, const char *name, const char *text,
		 MrenError *err)
{
	return add(env, files, name, text, text == NULL ? 0 : strlen(text), err);
}

static MrenStatus
add_given(const MrenEnv *env, MrenTransformerFiles *files, const Given *given, MrenError *err)
{
	static const char *const names[] = {"model-00001-of-00002.safetensors",
										"model-00002-of-00002.safetensors"};

	MREN_TRY(add_text(env, files, "config.json", given->config, err));
	MREN_TRY(add_text(env, files, "vocab.txt", given->vocab, err));
	MREN_TRY(add_text(env, files, "tokenizer.json", given->tokenizer, err));
	MREN_TRY(add_text(env, files, "tokenizer_config.json", given->tokenizer_config, err));
	MREN_TRY(add_text(env, files, "model.safetensors.index.json", given->index, err));
	if (given->weights != NULL)
		MREN_TRY(
			add(env, files, "model.safetensors", given->weights->data, given->weights->len, err));
	for (int i = 0; i < 2; i++)
	{
		if (given->shards[i] != NULL)
			MREN_TRY(add(env, files, names[i], given->shards[i]->data, given->shards[i]->len, err));
	}
	return MREN_OK;
}

/* A growing copy of what is stored. */
typedef struct Stored
{
	uint8_t *bytes;
	size_t len;
	size_t capacity;
	size_t at; /* of reading */
} Stored;

static MrenStatus
put(void *state, const void *bytes, size_t n, MrenError *err)
{
	Stored *stored = state;

	(void) err;
	if (stored->len + n >= stored->capacity)
	{
		stored->capacity = 2 * (stored->len + n) + 1;
		stored->bytes = realloc(stored->bytes, stored->capacity);
	}
	memcpy(stored->bytes + stored->len, bytes, n);
	stored->len += n;
	return MREN_OK;
}

/* What open_tokenizer has recorded. */
static File recorded;

static MrenStatus
get(void *state, void *bytes, size_t n, MrenError *err)
{
	Stored *stored = state;

	if (n > stored->len - stored->at)
		return mren_fail(err, MREN_EFORMAT, "stored bytes end");
	memcpy(bytes, stored->bytes + stored->at, n);
	stored->at += n;
	return MREN_OK;
}

/* Checks files as a whole and, if all is well, stores the encoder and reads it again. */
static MrenStatus
open_files(const MrenEnv *env, const MrenTransformerFiles *files, Stored *stored, char *warning,
		   MrenError *err)
{
	MrenTransformerSource source;
	MrenByteSink sink = {stored, put};
	MrenByteSource again = {stored, get};
	MrenStoredEncoder encoder;
	MrenStatus status;

	MREN_TRY(mren_transformer_source_open(env, files, &source, err));
	if (warning != NULL)
		strcpy(warning, source.warning);
	stored->len = stored->at = 0;
	status = mren_transformer_store(env, &source, &sink, err);
	if (status == MREN_OK)
		status = mren_transformer_restore(env, &again, true, &encoder, err);
	if (status == MREN_OK)
	{
		assert_memory_equal(&encoder.config, &source.config, sizeof(encoder.config));
		assert_int_equal(encoder.n_weights, mren_transformer_parameters(&source.config));
		assert_int_equal(stored->at, stored->len);
		assert_int_equal(encoder.n_tokenizer, source.tokenizer_file->len);
		mren_transformer_stored_close(env, &encoder);
	}
	mren_transformer_source_close(env, &source);
	return status;
}

static MrenStatus
open_given(const MrenEnv *env, const Given *given, Stored *stored, char *warning, MrenError *err)
{
	MrenTransformerFiles files = {NULL};
	MrenStatus status = add_given(env, &files, given, err);

	if (status == MREN_OK)
		status = open_files(env, &files, stored, warning, err);
	mren_transformer_files_close(env, &files);
	return status;
}

/* The status and message of an encoder that must be refused, or MREN_OK. */
static void
expect(const Given *given, MrenStatus status, const char *message)
{
	TestEnv test;
	MrenError err = {0};
	Stored stored = {NULL};
	MrenStatus got;

	test_env_init(&test);
	got = open_given(&test.env, given, &stored, NULL, &err);
	if (got != status || (message != NULL && strstr(err.message, message) == NULL))
		fail_msg("status %d, \"%s\" (%s), instead of %d, \"%s\"", got, err.message, err.detail,
				 status, message == NULL ? "" : message);
	assert_int_equal(test.n_live, 0);
	free(stored.bytes);
}

static const SampleBytes *
weights(const SampleExport *how)
{
	static SampleBytes bytes[4];
	static int next;
	SampleBytes *out = &bytes[next++ % 4];

	sample_weights(out, how);
	return out;
}

/* What a given encoder is stored as; freed by the caller. */
static Stored
store(const Given *given)
{
	TestEnv test;
	MrenError err = {0};
	Stored stored = {NULL};

	test_env_init(&test);
	if (open_given(&test.env, given, &stored, NULL, &err) != MREN_OK)
		fail_msg("%s (%s)", err.message, err.detail);
	return stored;
}

static void
test_names_of_exporters(void **state)
{
	static const SampleExport exports[] = {
		{.prefix = "bert."},
		{.prefix = "model."},
		{.prefix = "0.auto_model."},
		{.old_names = true},
		{.backwards = true},
		{.extra = ",\"pooler.dense.bias\":{\"dtype\":\"F32\",\"shape\":[0],"
				  "\"data_offsets\":[0,0]},\"embeddings.position_ids\":{\"dtype\":\"I64\","
				  "\"shape\":[1,0],\"data_offsets\":[0,0]}"},
	};
	Given given = {.config = sample_config, .vocab = sample_vocab};
	Stored plain;

	(void) state;
	given.weights = weights(&(SampleExport){NULL});
	plain = store(&given);
	for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++)
	{
		Stored other;

		given.weights = weights(&exports[i]);
		other = store(&given);
		assert_int_equal(other.len, plain.len);
		assert_memory_equal(other.bytes, plain.bytes, plain.len);
		free(other.bytes);
	}
	free(plain.bytes);
}

/* What is opened with a file of weights, or recorded for one: sizes and tokenizer. */
static MrenStatus
open_tokenizer(const MrenEnv *env, Stored *stored, MrenTransformerConfig *config,
			   MrenPieces *pieces, MrenError *err)
{
	static const char text[] = "ab ab [SEP] c";
	MrenByteSource source = {stored, get};
	MrenStoredEncoder encoder;
	MrenSubwordTokenizer *tokenizer = NULL;
	MrenTokenizerFile file;
	MrenStatus status;

	stored->at = 0;
	MREN_TRY(mren_transformer_restore(env, &source, false, &encoder, err));
	*config = encoder.config;
	file = (MrenTokenizerFile){encoder.tokenizer, &encoder.vocab, encoder.tokenizer_bytes,
							   encoder.n_tokenizer};
	status = mren_transformer_tokenizer(env, &file, &encoder.config, &tokenizer, err);
	mren_transformer_stored_tokenizer_close(env, &encoder);
	if (status == MREN_OK)
		status = mren_subword_encode(env, tokenizer, text, strlen(text), MREN_SPECIAL_TOKENS,
									 pieces, err);
	if (status == MREN_OK && env->weights != NULL && !mren_weights_ready(env))
		recorded = write_file(env->weights);
	mren_subword_free(env, tokenizer);
	mren_transformer_stored_close(env, &encoder);
	return status;
}

/*
 * With vocab.txt: the file alone gives the same sizes and pieces, and a damaged beginning nothing.
 */
static void
test_file_of_weights(void **state)
{
	Given given = {.config = sample_config, .vocab = sample_vocab};
	MrenTransformerConfig configs[2];
	MrenPieces pieces[2] = {{0}, {0}};
	MrenWeights file;
	TestEnv test;
	MrenEnv env;
	MrenError err;
	Stored stored;

	(void) state;
	given.weights = weights(&(SampleExport){.type = "F32"});
	stored = store(&given);
	test_env_init(&test);
	mren_weights_record(&file, &test.env);
	env = mren_weights_env(&file);
	assert_int_equal(open_tokenizer(&env, &stored, &configs[0], &pieces[0], &err), MREN_OK);
	mren_weights_close(&file);
	assert_int_equal(mren_weights_attach(&file, &test.env, recorded.bytes, recorded.len, key, &err),
					 MREN_OK);
	env = mren_weights_env(&file);
	assert_int_equal(open_tokenizer(&env, &stored, &configs[1], &pieces[1], &err), MREN_OK);
	assert_int_equal(file.next, file.n);
	assert_int_equal(stored.at, 0);
	assert_memory_equal(&configs[0], &configs[1], sizeof(configs[0]));
	assert_true(pieces[0].n > 0 && pieces[0].n == pieces[1].n);
	assert_memory_equal(pieces[0].piece, pieces[1].piece, pieces[0].n * sizeof(MrenPiece));
	mren_weights_close(&file);
	assert_int_equal(mprotect(recorded.bytes, recorded.len, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(mren_weights_attach(&file, &test.env, recorded.bytes, recorded.len, key, &err),
					 MREN_OK);
	for (size_t i = 0; i < 8 * file.blocks[0].len; i++)
	{
		uint8_t *byte = (uint8_t *) (uintptr_t) file.blocks[0].data + i / 8;

		env = mren_weights_env(&file);
		file.next = 0;
		*byte ^= (uint8_t) (1 << i % 8);
		assert_int_equal(open_tokenizer(&env, &stored, &configs[1], &pieces[1], &err),
						 MREN_EFORMAT);
		*byte ^= (uint8_t) (1 << i % 8);
	}
	mren_weights_close(&file);
	mren_pieces_free(&test.env, &pieces[0]);
	mren_pieces_free(&test.env, &pieces[1]);
	assert_int_equal(test.n_live, 0);
	close_file(&recorded);
	free(stored.bytes);
}

/* The numbers of the samples are exact in each type, so they must come out the same. */
static void
test_types_of_numbers(void **state)
{
	static const char *const types[] = {"F32", "F16", "BF16"};

	(void) state;
	for (int i = 0; i < 3; i++)
	{
		Given given = {.config = sample_config, .vocab = sample_vocab};
		Stored stored;
		MrenByteSource source = {&stored, get};
		MrenStoredEncoder encoder;
		TestEnv test;
		MrenError err;
		size_t at = 0;

		given.weights = weights(&(SampleExport){.type = types[i]});
		stored = store(&given);
		stored.at = 0;
		test_env_init(&test);
		assert_int_equal(mren_transformer_restore(&test.env, &source, true, &encoder, &err),
						 MREN_OK);
		for (int t = 0; t < SAMPLE_TENSORS; t++)
		{
			int n = sample_tensors[t].rows *
					(sample_tensors[t].columns ? sample_tensors[t].columns : 1);

			for (int k = 0; k < n; k++)
				assert_true(encoder.weights[at++] == sample_number(t, k));
		}
		assert_int_equal(at, encoder.n_weights);
		mren_transformer_stored_close(&test.env, &encoder);
		assert_int_equal(test.n_live, 0);
		free(stored.bytes);
	}
}

static void
test_shards(void **state)
{
	Given given = {
		.config = sample_config,
		.vocab = sample_vocab,
		.index = "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\","
				 "\"b\":\"model-00002-of-00002.safetensors\","
				 "\"c\":\"model-00001-of-00002.safetensors\"}}",
		.shards = {weights(&(SampleExport){.last = 5}), weights(&(SampleExport){.first = 5})},
	};
	Stored whole = store(&(Given){
		.config = sample_config, .vocab = sample_vocab, .weights = weights(&(SampleExport){NULL})});
	Stored parts = store(&given);

	(void) state;
	assert_int_equal(parts.len, whole.len);
	assert_memory_equal(parts.bytes, whole.bytes, whole.len);
	free(parts.bytes);
	free(whole.bytes);
	given.shards[1] = weights(&(SampleExport){.first = 4});
	expect(&given, MREN_EFORMAT,
		   "tensor \"embeddings.LayerNorm.bias\" of \"model-00002-of-00002."
		   "safetensors\" also occurs in another file");
	given.shards[1] = NULL;
	expect(&given, MREN_EDATA, "no file \"model-00002-of-00002.safetensors\"");
	given.index = "{\"weight_map\":{\"a\":\"../../etc/passwd\"}}";
	expect(&given, MREN_EDATA, "no file \"../../etc/passwd\"");
	given.index = "{\"weight_map\":{\"a\":7}}";
	expect(&given, MREN_EFORMAT, "gives no file for tensor \"a\"");
	given.index = "{}";
	expect(&given, MREN_EFORMAT, "model.safetensors.index.json has no \"weight_map\"");
}

/* A header, 16 bytes of numbers after it, and the error. */
static void
test_malformed_safetensors(void **state)
{
#define T(name, shape, begin, end)                                                                 \
	"\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
	static const struct
	{
		const char *header;
		MrenStatus status;
		const char *message;
	} files[] = {
		{"{" T("a", "[4]", "0", "16") "}", MREN_EDATA, "the weights have no tensor"},
		{"{" T("a", "[2]", "0", "8") "," T("b", "[2]", "4", "12") "}", MREN_EFORMAT,
		 "tensor \"b\" of \"model.safetensors\" overlaps another tensor"},
		{"{" T("a", "[1]", "0", "4") "," T("b", "[2]", "8", "16") "}", MREN_EFORMAT,
		 "tensor \"b\" of \"model.safetensors\" follows bytes that belong to no tensor"},
		{"{" T("a", "[3]", "0", "12") "}", MREN_EFORMAT, "has 4 bytes behind its last tensor"},
		{"{" T("a", "[5]", "0", "20") "}", MREN_EFORMAT, "lies outside the file"},
		{"{" T("a", "[4]", "16", "0") "}", MREN_EFORMAT, "lies outside the file"},
		{"{" T("a", "[4]", "-16", "0") "}", MREN_EFORMAT, "has no valid offsets"},
		{"{" T("a", "[4]", "0", "1e1") "}", MREN_EFORMAT, "has no valid offsets"},
		{"{" T("a", "[3]", "0", "16") "}", MREN_EFORMAT,
		 "has a shape that does not match its size"},
		{"{" T("a", "[4294967296,4294967296]", "0", "0") "}", MREN_EFORMAT,
		 "has an impossible shape"},
		{"{" T("a", "[4611686018427387904]", "0", "0") "}", MREN_EFORMAT,
		 "has an impossible shape"},
		{"{" T("a", "[-4]", "0", "16") "}", MREN_EFORMAT, "has an impossible shape"},
		{"{" T("a", "4", "0", "16") "}", MREN_EFORMAT, "has no type or no shape"},
		{"{" T("a", "[4]", "0", "16") "," T("a", "[4]", "0", "16") "}", MREN_EFORMAT,
		 "the header of the safetensors file is not valid JSON"},
		{"{\"a\":{\"dtype\":\"Q4\",\"shape\":[4],\"data_offsets\":[0,16]}}", MREN_EUNSUPPORTED,
		 "tensor \"a\" of \"model.safetensors\" has the unknown type \"Q4\""},
		{"{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}", MREN_EFORMAT,
		 "has no type or no shape"},
		{"{\"a\":7}", MREN_EFORMAT, "has no type or no shape"},
		{"{\"__metadata__\":{\"format\":1}}", MREN_EFORMAT,
		 "the metadata of \"model.safetensors\" are not texts"},
		{"{\"__metadata__\":[]}", MREN_EFORMAT,
		 "the metadata of \"model.safetensors\" are not texts"},
		{"{}", MREN_EFORMAT, "has 16 bytes behind its last tensor"},
		{"[]", MREN_EFORMAT, "is not a safetensors file"},
		{"{", MREN_EFORMAT, "is not valid JSON"},
	};
#undef T
	static const char numbers[16];
	static SampleBytes file;

	(void) state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		sample_file(&file, files[i].header, numbers, sizeof(numbers));
		expect(&(Given){.config = sample_config, .vocab = sample_vocab, .weights = &file},
			   files[i].status, files[i].message);
	}
}

static void
test_length_of_header(void **state)
{
	static SampleBytes file;
	Given given = {.config = sample_config, .vocab = sample_vocab, .weights = &file};
	const char lfs[] = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";

	(void) state;
	file.len = 0;
	expect(&given, MREN_EFORMAT, "\"model.safetensors\" of 0 bytes is not a whole");
	sample_put(&file, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
	expect(&given, MREN_EFORMAT, "\"model.safetensors\" of 10 bytes is not a whole");
	file.len = 0;
	sample_put(&file, "\x03\0\0\0\0\0\0\0{}", 10);
	expect(&given, MREN_EFORMAT, "\"model.safetensors\" of 10 bytes is not a whole");
	file.len = 0;
	sample_put(&file, lfs, sizeof(lfs) - 1);
	expect(&given, MREN_EFORMAT, "model.safetensors is a git-lfs pointer");
}

static void
test_tensors_and_configuration(void **state)
{
	Given given = {.config = sample_config, .vocab = sample_vocab};
	SampleBytes *file;
	float nan = NAN;

	(void) state;
	given.weights = weights(&(SampleExport){.last = SAMPLE_TENSORS - 1});
	expect(&given, MREN_EDATA,
		   "the weights have no tensor \"encoder.layer.0.output.LayerNorm.bias\"");
	given.weights = weights(&(SampleExport){
		.extra = ",\"encoder.layer.1.output.dense.bias\":{\"dtype\":\"F32\",\"shape\":[1],"
				 "\"data_offsets\":[0,4]}"});
	expect(&given, MREN_EFORMAT, "overlaps another tensor");
	given.weights = weights(&(SampleExport){NULL});
	given.config = "{\"model_type\":\"bert\",\"vocab_size\":9,\"hidden_size\":4,"
				   "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"intermediate_size\":6,"
				   "\"max_position_embeddings\":6}";
	expect(&given, MREN_EDATA,
		   "tensor \"embeddings.word_embeddings.weight\" has another shape than config.json says");
	given.config = sample_config;
	file = (SampleBytes *) given.weights;
	memcpy(file->data + file->len - 4, &nan, 4);
	expect(&given, MREN_ENUMERIC,
		   "tensor \"encoder.layer.0.output.LayerNorm.bias\" contains NaN or infinity");
	given.weights = NULL;
	expect(&given, MREN_EDATA, "the encoder has no file \"model.safetensors\"");
	given.config = NULL;
	expect(&given, MREN_EDATA, "the encoder has no file \"config.json\"");
}

/* A layer beyond those of config.json would be left out without a word. */
static void
test_layers_beyond(void **state)
{
	static const char header[] =
		"{\"embeddings.word_embeddings.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],"
		"\"data_offsets\":[0,4]},\"encoder.layer.1.output.dense.bias\":{\"dtype\":\"F32\","
		"\"shape\":[1],\"data_offsets\":[4,8]}}";
	static SampleBytes file;
	MrenSafetensors set = {NULL};
	MrenTransformerConfig config = {.layers = 0,
									.width = 1,
									.embedding_width = 1,
									.vocabulary = 1,
									.absolute_positions = false};
	const MrenSafetensor *found[8];
	MrenError err = {0};
	TestEnv test;

	(void) state;
	test_env_init(&test);
	sample_file(&file, header, "\0\0\0\0\0\0\0", 8);
	assert_int_equal(mren_safetensors_add(&test.env, &set, "x", file.data, file.len, &err),
					 MREN_OK);
	/* With the one tensor that is looked for, the other is one too many. */
	assert_int_equal(mren_exported_tensors(&test.env, &set, &config, found, 1, &err), MREN_EDATA);
	assert_string_equal(err.message, "tensor \"encoder.layer.1.output.dense.bias\" is not part of "
									 "an encoder of type \"bert\" with 0 layers");
	mren_safetensors_close(&test.env, &set);
	assert_int_equal(test.n_live, 0);
}

/* The part of config.json that is not the same in all cases, and the error. */
static void
test_configurations(void **state)
{
#define SIZES                                                                                      \
	"\"vocab_size\":8,\"hidden_size\":4,\"num_hidden_layers\":1,\"num_attention_heads\":2,"        \
	"\"intermediate_size\":6,"
	static const struct
	{
		const char *json;
		MrenStatus status;
		const char *message;
	} configs[] = {
		{"{" SIZES "\"model_type\":\"gpt2\"}", MREN_EUNSUPPORTED,
		 "text encoders of type \"gpt2\" are not supported"},
		{"{" SIZES "\"model_type\":\"deberta\"}", MREN_EUNSUPPORTED, "type \"deberta\""},
		{"{" SIZES "\"x\":1}", MREN_EDATA, "config.json has no \"model_type\""},
		{"{" SIZES "\"model_type\":\"bert\",\"hidden_act\":\"selu\"}", MREN_EUNSUPPORTED,
		 "text encoders with the activation \"selu\" are not supported"},
		{"{" SIZES "\"model_type\":\"bert\",\"position_embedding_type\":\"relative_key\"}",
		 MREN_EUNSUPPORTED, "\"position_embedding_type\" \"relative_key\""},
		{"{" SIZES "\"model_type\":\"bert\",\"quantization_config\":{\"bits\":8}}",
		 MREN_EUNSUPPORTED, "quantized text encoders are not supported"},
		{"{" SIZES "\"model_type\":\"bert\",\"is_decoder\":true}", MREN_EUNSUPPORTED,
		 "text encoders with \"is_decoder\" are not supported"},
		{"{" SIZES "\"model_type\":\"bert\",\"pruned_heads\":{\"0\":[1]}}", MREN_EUNSUPPORTED,
		 "pruned heads"},
		{"{" SIZES "\"model_type\":\"bert\",\"layer_norm_eps\":-1}", MREN_EDATA,
		 "\"layer_norm_eps\" of config.json must be a number from 0 to 1, not \"-1\""},
		{"{" SIZES "\"model_type\":\"bert\",\"type_vocab_size\":0}", MREN_EDATA,
		 "\"type_vocab_size\" of config.json must be a number from 1 to 65536, not \"0\""},
		{"{" SIZES "\"model_type\":\"roberta\",\"max_position_embeddings\":2}", MREN_EDATA,
		 "\"max_position_embeddings\" 2 of config.json leaves no position"},
		{"{\"model_type\":\"bert\"}", MREN_EDATA, "config.json has no \"hidden_size\""},
		{"{\"model_type\":\"bert\",\"hidden_size\":1e3}", MREN_EDATA,
		 "\"hidden_size\" of config.json must be a number from 1 to 65536, not \"1000.0\""},
		{"{\"model_type\":\"bert\",\"hidden_size\":99999999999999999999}", MREN_EFORMAT,
		 "config.json is not valid JSON"},
		{"{\"model_type\":\"bert\",\"model_type\":\"bert\"}", MREN_EFORMAT,
		 "config.json is not valid JSON"},
		{"[]", MREN_EFORMAT, "config.json is not a JSON object"},
		{"{" SIZES "\"model_type\":\"deberta-v2\"}", MREN_EUNSUPPORTED,
		 "DeBERTa without relative attention is not supported"},
		{"{" SIZES "\"model_type\":\"deberta-v2\",\"relative_attention\":true,"
		 "\"pos_att_type\":\"c2p|c2c\"}",
		 MREN_EUNSUPPORTED, "\"pos_att_type\" \"c2c\""},
		{"{" SIZES "\"model_type\":\"deberta-v2\",\"relative_attention\":true,"
		 "\"pos_att_type\":[\"c2p\"],\"conv_kernel_size\":3}",
		 MREN_EUNSUPPORTED, "convolution"},
	};
#undef SIZES
	MrenTransformerConfig config;
	MrenError err;

	(void) state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
	{
		const char *json = configs[i].json;

		assert_int_equal(mren_config_json_read((const uint8_t *) json, strlen(json), &config, &err),
						 configs[i].status);
		if (strstr(err.message, configs[i].message) == NULL)
			fail_msg("%s: %s", json, err.message);
	}
}

/* Each architecture, as its own library's defaults write it. */
static void
test_architectures(void **state)
{
	static const char *const jsons[] = {
		"{\"model_type\":\"bert\",\"vocab_size\":30522,\"hidden_size\":384,"
		"\"num_hidden_layers\":6,\"num_attention_heads\":12,\"intermediate_size\":1536}",
		"{\"model_type\":\"xlm-roberta\",\"vocab_size\":250002,\"hidden_size\":768,"
		"\"num_hidden_layers\":12,\"num_attention_heads\":12,\"intermediate_size\":3072,"
		"\"max_position_embeddings\":514,\"type_vocab_size\":1,\"layer_norm_eps\":1e-05,"
		"\"pad_token_id\":1}",
		"{\"model_type\":\"distilbert\",\"vocab_size\":30522,\"dim\":768,\"n_layers\":6,"
		"\"n_heads\":12,\"hidden_dim\":3072,\"activation\":\"gelu\"}",
		"{\"model_type\":\"electra\",\"vocab_size\":30522,\"hidden_size\":256,"
		"\"num_hidden_layers\":12,\"num_attention_heads\":4,\"intermediate_size\":1024,"
		"\"embedding_size\":128}",
		"{\"model_type\":\"mpnet\",\"vocab_size\":30527,\"hidden_size\":768,"
		"\"num_hidden_layers\":12,\"num_attention_heads\":12,\"intermediate_size\":3072,"
		"\"max_position_embeddings\":514,\"relative_attention_num_buckets\":32,"
		"\"layer_norm_eps\":1e-05}",
		"{\"model_type\":\"deberta-v2\",\"vocab_size\":128100,\"hidden_size\":384,"
		"\"num_hidden_layers\":12,\"num_attention_heads\":6,\"intermediate_size\":1536,"
		"\"relative_attention\":true,\"pos_att_type\":[\"p2c\",\"c2p\"],\"position_buckets\":256,"
		"\"max_relative_positions\":-1,\"norm_rel_ebd\":\"layer_norm\",\"share_att_key\":true,"
		"\"position_biased_input\":false,\"type_vocab_size\":0,\"layer_norm_eps\":1e-7}",
	};
	/* From the papers' and model cards' sizes: embeddings + layers + what is special. */
	static const size_t parameters[] = {
		(30522 + 512 + 2) * 384 + 2 * 384 + 6 * (4 * 384 * 385 + 2 * 384 * 1536 + 1920 + 4 * 384),
		(250002 + 514 + 1) * 768 + 2 * 768 + 12 * (4 * 768 * 769 + 2 * 768 * 3072 + 3840 + 4 * 768),
		(30522 + 512) * 768 + 2 * 768 + 6 * (4 * 768 * 769 + 2 * 768 * 3072 + 3840 + 4 * 768),
		(30522 + 512 + 2) * 128 + 2 * 128 + 256 * 129 +
			12 * (4 * 256 * 257 + 2 * 256 * 1024 + 1280 + 4 * 256),
		(30527 + 514) * 768 + 2 * 768 + 32 * 12 +
			12 * (4 * 768 * 769 + 2 * 768 * 3072 + 3840 + 4 * 768),
		128100 * 384 + 2 * 384 + 512 * 384 + 2 * 384 +
			12 * (4 * 384 * 385 + 2 * 384 * 1536 + 1920 + 4 * 384),
	};
	static const size_t tokens[] = {512, 512, 512, 512, 512, 512};
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (size_t i = 0; i < sizeof(jsons) / sizeof(jsons[0]); i++)
	{
		MrenTransformerConfig config;
		MrenTransformerConfig again;
		MrenBuffer buffer = {0};
		MrenError err = {0};

		if (mren_config_json_read((const uint8_t *) jsons[i], strlen(jsons[i]), &config, &err) !=
			MREN_OK)
			fail_msg("%s", err.message);
		assert_int_equal(config.architecture, i);
		assert_int_equal(mren_transformer_parameters(&config), parameters[i]);
		assert_int_equal(mren_transformer_max_tokens(&config), tokens[i]);
		assert_int_equal(mren_config_json_write(&test.env, &config, &buffer, &err), MREN_OK);
		assert_int_equal(mren_config_json_read(buffer.data, buffer.len, &again, &err), MREN_OK);
		assert_memory_equal(&again, &config, sizeof(config));
		mren_buffer_free(&test.env, &buffer);
	}
	assert_int_equal(test.n_live, 0);
}

/* The names of DeBERTa, and position embeddings that its files keep without using them. */
static void
test_deberta(void **state)
{
#define LAYER "encoder.layer.0."
	static const SampleTensor tensors[] = {
		{"embeddings.word_embeddings.weight", 8, 4},
		{"embeddings.position_embeddings.weight", 6, 4},
		{"embeddings.LayerNorm.weight", 4, 0},
		{"embeddings.LayerNorm.bias", 4, 0},
		{"encoder.rel_embeddings.weight", 8, 4},
		{"encoder.LayerNorm.weight", 4, 0},
		{"encoder.LayerNorm.bias", 4, 0},
		{LAYER "attention.self.query_proj.weight", 4, 4},
		{LAYER "attention.self.query_proj.bias", 4, 0},
		{LAYER "attention.self.key_proj.weight", 4, 4},
		{LAYER "attention.self.key_proj.bias", 4, 0},
		{LAYER "attention.self.value_proj.weight", 4, 4},
		{LAYER "attention.self.value_proj.bias", 4, 0},
		{LAYER "attention.output.dense.weight", 4, 4},
		{LAYER "attention.output.dense.bias", 4, 0},
		{LAYER "attention.output.LayerNorm.weight", 4, 0},
		{LAYER "attention.output.LayerNorm.bias", 4, 0},
		{LAYER "intermediate.dense.weight", 6, 4},
		{LAYER "intermediate.dense.bias", 6, 0},
		{LAYER "output.dense.weight", 4, 6},
		{LAYER "output.dense.bias", 4, 0},
		{LAYER "output.LayerNorm.weight", 4, 0},
		{LAYER "output.LayerNorm.bias", 4, 0},
		{LAYER "attention.self.pos_key_proj.weight", 4, 4},
		{LAYER "attention.self.pos_key_proj.bias", 4, 0},
		{LAYER "attention.self.pos_query_proj.weight", 4, 4},
		{LAYER "attention.self.pos_query_proj.bias", 4, 0},
	};
	static const char *const shared =
		"{\"model_type\":\"deberta-v2\",\"vocab_size\":8,\"hidden_size\":4,"
		"\"num_hidden_layers\":1,\"num_attention_heads\":2,\"intermediate_size\":6,"
		"\"max_position_embeddings\":6,\"type_vocab_size\":0,\"relative_attention\":true,"
		"\"position_buckets\":4,\"norm_rel_ebd\":\"layer_norm\",\"share_att_key\":true,"
		"\"pos_att_type\":\"p2c|c2p\",\"position_biased_input\":false}";
	char apart[1024];
	int n = (int) (sizeof(tensors) / sizeof(tensors[0]));
	SampleExport how = {.prefix = "deberta.", .tensors = tensors, .n = n - 4};
	Given given = {.config = shared, .tokenizer = "{}"};
	char *flag;

	(void) state;
	strcpy(apart, shared);
	flag = strstr(apart, "true,\"pos_att_type");
	memcpy(flag, "null", 4);
	given.weights = weights(&how);
	expect(&given, MREN_OK, NULL);
	given.config = apart;
	expect(
		&given, MREN_EDATA,
		"the weights have no tensor \"deberta.encoder.layer.0.attention.self.pos_key_proj.weight");
	how.n = n;
	given.weights = weights(&how);
	expect(&given, MREN_OK, NULL);
	given.config = shared;
	expect(&given, MREN_EDATA, "is not part of an encoder of type \"deberta-v2\" with 1 layers");
#undef LAYER
}

static void
test_tokenizer_files(void **state)
{
	static const char json[] =
		"{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"BertNormalizer\","
		"\"lowercase\":true,\"strip_accents\":null,\"handle_chinese_chars\":true}]}}";
	Given given = {.config = sample_config, .weights = weights(&(SampleExport){NULL})};
	char warning[256];
	TestEnv test;
	MrenError err;
	Stored stored = {NULL};

	(void) state;
	expect(&given, MREN_EDATA, "neither a file \"tokenizer.json\" nor \"vocab.txt\"");
	given.tokenizer = json;
	given.tokenizer_config = "{\"do_lower_case\":true,\"strip_accents\":null}";
	test_env_init(&test);
	assert_int_equal(open_given(&test.env, &given, &stored, warning, &err), MREN_OK);
	assert_string_equal(warning, "");
	given.tokenizer_config = "{\"do_lower_case\":false}";
	assert_int_equal(open_given(&test.env, &given, &stored, warning, &err), MREN_OK);
	assert_string_equal(warning, "\"do_lower_case\" of tokenizer_config.json contradicts "
								 "\"lowercase\" of the BertNormalizer in tokenizer.json");
	given.tokenizer_config = "{";
	expect(&given, MREN_EFORMAT, "tokenizer_config.json is not valid JSON");
	given.tokenizer = NULL;
	given.vocab = sample_vocab;
	given.tokenizer_config = "{\"tokenizer_class\":\"RobertaTokenizer\"}";
	expect(&given, MREN_EUNSUPPORTED, "the tokenizer \"RobertaTokenizer\" without");
	given.tokenizer_config = "{\"unk_token\":{\"content\":\"<unk>\"}}";
	expect(&given, MREN_EUNSUPPORTED, "\"unk_token\" \"<unk>\" without tokenizer.json");
	given.tokenizer_config = "{\"do_basic_tokenize\":false}";
	expect(&given, MREN_EUNSUPPORTED, "\"do_basic_tokenize\" false without tokenizer.json");
	given.tokenizer_config = "{\"unk_token\":\"[UNK]\",\"do_lower_case\":false}";
	expect(&given, MREN_OK, NULL);
	free(stored.bytes);
}

/* A document whose values would take gigabytes is refused before it is parsed. */
static void
test_many_values(void **state)
{
	size_t n = 7 << 20;
	char *json = malloc(n + 1);
	Given given = {.config = sample_config,
				   .weights = weights(&(SampleExport){NULL}),
				   .tokenizer_config = "{}",
				   .tokenizer = json};

	(void) state;
	memset(json, ' ', n);
	memcpy(json, "{\"a\":[", 6);
	for (size_t i = 6; i + 3 < n; i += 3)
		memcpy(json + i, "[],", 3);
	memcpy(json + n - 2, "]}", 3);
	expect(&given, MREN_ELIMIT, "tokenizer.json has more than 2000000 values");
	/* What is in strings does not count. */
	memset(json, ',', n);
	memcpy(json, "{\"\\\"\":\"", 7);
	memcpy(json + n - 2, "\"}", 3);
	expect(&given, MREN_OK, NULL);
	free(json);
}

/* ---- archives ---- */

typedef enum ArchiveForm
{
	ZIP,
	TAR,
	TAR_GZ,
} ArchiveForm;

static void
pack(struct archive *archive, const char *path, const void *bytes, size_t n)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_size(entry, (la_int64_t) n);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, bytes, n), (la_ssize_t) n);
	archive_entry_free(entry);
}

/* The tiny encoder in a folder, and other things beside it. */
static size_t
pack_encoder(ArchiveForm form, const char *const *folders, size_t zeros, uint8_t *out, size_t size)
{
	struct archive *archive = archive_write_new();
	const SampleBytes *file = weights(&(SampleExport){NULL});
	void *bomb = calloc(1, zeros + 1);
	char path[256];
	size_t used = 0;

	if (form == ZIP)
		archive_write_set_format_zip(archive);
	else
		archive_write_set_format_pax_restricted(archive);
	if (form == TAR_GZ)
		archive_write_add_filter_gzip(archive);
	assert_int_equal(archive_write_open_memory(archive, out, size, &used), ARCHIVE_OK);
	pack(archive, "other/config.json", "{}", 2);
	pack(archive, "pytorch_model.bin", bomb, zeros);
	for (; *folders != NULL; folders++)
	{
		snprintf(path, sizeof(path), "%sconfig.json", *folders);
		pack(archive, path, sample_config, sizeof(sample_config) - 1);
		snprintf(path, sizeof(path), "%smodel.safetensors", *folders);
		pack(archive, path, file->data, file->len);
		snprintf(path, sizeof(path), "%svocab.txt", *folders);
		pack(archive, path, sample_vocab, sizeof(sample_vocab) - 1);
	}
	archive_write_close(archive);
	archive_write_free(archive);
	free(bomb);
	return used;
}

typedef struct Packed
{
	uint8_t bytes[65536];
	size_t len;
	size_t limit;
} Packed;

static MrenStatus
read_packed(const MrenEnv *env, MrenError *err, void *arg)
{
	const Packed *packed = arg;
	MrenTransformerFiles files = {NULL};
	Stored stored = {NULL};
	MrenStatus status =
		mren_transformer_archive_read(env, packed->bytes, packed->len, packed->limit, &files, err);

	if (status == MREN_OK)
		status = open_files(env, &files, &stored, NULL, err);
	mren_transformer_files_close(env, &files);
	free(stored.bytes);
	return status;
}

static void
expect_packed_hint(Packed *packed, MrenStatus status, const char *message, const char *hint)
{
	TestEnv test;
	MrenError err = {0};

	test_env_init(&test);
	assert_int_equal(read_packed(&test.env, &err, packed), status);
	if (message != NULL)
		assert_non_null(strstr(err.message, message));
	if (hint != NULL)
		assert_non_null(strstr(err.hint, hint));
	assert_int_equal(test.n_live, 0);
}

static void
expect_packed(Packed *packed, MrenStatus status, const char *message)
{
	expect_packed_hint(packed, status, message, NULL);
}

/* A directory of links, as some caches of downloads keep an encoder, packed as it is. */
static size_t
pack_links(bool hard, uint8_t *out, size_t size)
{
	static const char *const names[] = {"snapshot/config.json", "snapshot/model.safetensors"};
	struct archive *archive = archive_write_new();
	size_t used = 0;

	archive_write_set_format_pax_restricted(archive);
	assert_int_equal(archive_write_open_memory(archive, out, size, &used), ARCHIVE_OK);
	for (size_t i = 0; i < 2; i++)
	{
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, names[i]);
		archive_entry_set_filetype(entry, hard ? AE_IFREG : AE_IFLNK);
		archive_entry_set_perm(entry, 0644);
		if (hard)
			archive_entry_set_hardlink(entry, "blobs/0123");
		else
			archive_entry_set_symlink(entry, "../blobs/0123");
		assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
		archive_entry_free(entry);
	}
	archive_write_close(archive);
	archive_write_free(archive);
	return used;
}

static void
test_links(void **state)
{
	static Packed packed = {.limit = 8192};

	(void) state;
	for (int hard = 0; hard < 2; hard++)
	{
		packed.len = pack_links(hard, packed.bytes, sizeof(packed.bytes));
		expect_packed_hint(&packed, MREN_EDATA, "no folder of the archive holds both",
						   "--dereference");
	}
}

static void
test_archives(void **state)
{
	static const char *const places[][3] = {
		{"", NULL}, {"./", NULL}, {"a_package/model/", NULL}, {"a/", "b/", NULL}, {NULL}};
	static Packed packed;

	(void) state;
	for (int form = ZIP; form <= TAR_GZ; form++)
	{
		/* What is not read takes no part in the limit: 2 MB of zeros, the encoder 3 kB. */
		packed.limit = 8192;
		for (int i = 0; i < 3; i++)
		{
			packed.len = pack_encoder(form, places[i], form == TAR ? 0 : 2 << 20, packed.bytes,
									  sizeof(packed.bytes));
			expect_packed(&packed, MREN_OK, NULL);
		}
		packed.limit = 1000;
		expect_packed(&packed, MREN_ELIMIT, "the files of the encoder exceed the maximum size");
		packed.limit = 8192;
		packed.len = pack_encoder(form, places[3], 0, packed.bytes, sizeof(packed.bytes));
		expect_packed(&packed, MREN_EDATA, "the archive holds more than one encoder");
		packed.len = pack_encoder(form, places[4], 0, packed.bytes, sizeof(packed.bytes));
		expect_packed_hint(&packed, MREN_EDATA, "no folder of the archive holds both",
						   "Weights in other formats");
		packed.len = pack_encoder(form, places[0], 0, packed.bytes, sizeof(packed.bytes));
		packed.len /= 2;
		expect_packed(&packed, MREN_EFORMAT, "could not read the archive");
	}
	memcpy(packed.bytes, "not an archive at all", 21);
	packed.len = 21;
	expect_packed(&packed, MREN_EFORMAT, "could not read the archive");
	packed.len = 0;
	expect_packed(&packed, MREN_EFORMAT, "could not read the archive");
}

static void
test_failures(void **state)
{
	static const char *const places[] = {"", NULL};
	static Packed packed = {.limit = 1 << 20};

	(void) state;
	packed.len = pack_encoder(TAR_GZ, places, 100, packed.bytes, sizeof(packed.bytes));
	test_allocation_sweep(read_packed, &packed);
	test_interrupt_sweep(read_packed, &packed);
}

/* What is stored, cut short or changed at each byte, is refused or read; nothing else. */
static void
test_damaged_storage(void **state)
{
	Stored stored = store(&(Given){
		.config = sample_config, .vocab = sample_vocab, .weights = weights(&(SampleExport){NULL})});
	MrenByteSource source = {&stored, get};
	size_t len = stored.len;
	TestEnv test;

	(void) state;
	test_env_init(&test);
	for (size_t i = 0; i < len; i++)
	{
		MrenStoredEncoder encoder;
		MrenError err = {0};

		stored.len = i;
		stored.at = 0;
		assert_int_not_equal(mren_transformer_restore(&test.env, &source, true, &encoder, &err),
							 MREN_OK);
		stored.len = len;
		stored.at = 0;
		stored.bytes[i] ^= 0xFF;
		if (mren_transformer_restore(&test.env, &source, true, &encoder, &err) == MREN_OK)
			mren_transformer_stored_close(&test.env, &encoder);
		stored.bytes[i] ^= 0xFF;
	}
	assert_int_equal(test.n_live, 0);
	free(stored.bytes);
}

/* ---- the shared cases ---- */

static MrenStatus
add_file(const MrenEnv *env, MrenTransformerFiles *files, const char *folder, const char *name)
{
	char path[1024];
	size_t len;
	uint8_t *bytes;
	MrenError err;
	MrenStatus status;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	bytes = test_read_file(path, &len);
	status = add(env, files, name, bytes, len, &err);
	free(bytes);
	return status;
}

static MrenStatus
open_folder(const char *folder, MrenError *err)
{
	static const char *const names[] = {"config.json",
										"tokenizer.json",
										"tokenizer_config.json",
										"vocab.txt",
										"model.safetensors",
										"model.safetensors.index.json",
										"model-00001-of-00002.safetensors",
										"model-00002-of-00002.safetensors"};
	TestEnv test;
	MrenTransformerFiles files = {NULL};
	Stored stored = {NULL};
	MrenStatus status = MREN_OK;

	test_env_init(&test);
	for (size_t i = 0; status == MREN_OK && i < sizeof(names) / sizeof(names[0]); i++)
		status = add_file(&test.env, &files, folder, names[i]);
	assert_int_equal(status, MREN_OK);
	status = open_files(&test.env, &files, &stored, NULL, err);
	mren_transformer_files_close(&test.env, &files);
	assert_int_equal(test.n_live, 0);
	free(stored.bytes);
	return status;
}

/* What is wrong with a tokenizer's file shows when the tokenizer is made, not here. */
static bool
of_tokenizer(const char *name)
{
	return strncmp(name, "tok-", 4) == 0 || strncmp(name, "bpe-", 4) == 0 ||
		   strncmp(name, "uni-", 4) == 0;
}

static void
check_hostile_line(const char *root, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *expected = json_string_value(json_object_get(json, "expect"));
	bool refused = strcmp(expected, "refused") == 0 && !of_tokenizer(name);
	char folder[1024];
	MrenError err = {0};
	MrenStatus status;

	snprintf(folder, sizeof(folder), "%s/hostile/%s", root, name);
	status = open_folder(folder, &err);
	if ((status != MREN_OK) != refused)
		fail_msg("%s: status %d, %s", name, status, err.message);
	json_decref(json);
}

static const char *
cases_root(char *root, size_t size)
{
	if (test_shared_data() == NULL)
		return NULL;
	snprintf(root, size, "%s/../cases/text-encoder", test_shared_data());
	return root;
}

static void
test_hostile_folders(void **state)
{
	char root[512];
	char path[1024];
	uint8_t *index;
	size_t len;
	int n = 0;

	(void) state;
	if (cases_root(root, sizeof(root)) == NULL)
		skip();
	snprintf(path, sizeof(path), "%s/hostile/index.jsonl", root);
	index = test_read_file(path, &len);
	if (index == NULL)
	{
		printf("no cases of text encoders: skipped\n");
		skip();
	}
	index[len] = 0; /* test_read_file has room for it */
	for (char *line = strtok((char *) index, "\n"); line != NULL; line = strtok(NULL, "\n"))
	{
		check_hostile_line(root, line);
		n++;
	}
	assert_true(n > 0);
	free(index);
}

static void
test_exported_encoders(void **state)
{
	static const char *const names[] = {"bert",	 "bert-f16", "distilbert",	"electra",
										"mpnet", "roberta",	 "roberta-bf16"};
	char root[512];
	char path[1024];
	MrenError err = {0};

	(void) state;
	if (cases_root(root, sizeof(root)) == NULL)
		skip();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		snprintf(path, sizeof(path), "%s/encoders/%s", root, names[i]);
		if (open_folder(path, &err) != MREN_OK)
			fail_msg("%s: %s", names[i], err.message);
	}
	snprintf(path, sizeof(path), "%s/text-encoders/all-MiniLM-L6-v2", test_shared_data());
	if (open_folder(path, &err) != MREN_OK)
		fail_msg("%s: %s", path, err.message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_exporters),
		cmocka_unit_test(test_file_of_weights),
		cmocka_unit_test(test_types_of_numbers),
		cmocka_unit_test(test_shards),
		cmocka_unit_test(test_malformed_safetensors),
		cmocka_unit_test(test_length_of_header),
		cmocka_unit_test(test_tensors_and_configuration),
		cmocka_unit_test(test_layers_beyond),
		cmocka_unit_test(test_configurations),
		cmocka_unit_test(test_architectures),
		cmocka_unit_test(test_deberta),
		cmocka_unit_test(test_tokenizer_files),
		cmocka_unit_test(test_many_values),
		cmocka_unit_test(test_archives),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_damaged_storage),
		cmocka_unit_test(test_hostile_folders),
		cmocka_unit_test(test_exported_encoders),
	};

	return cmocka_run_group_tests_name("files of text encoders", tests, NULL, NULL);
}
