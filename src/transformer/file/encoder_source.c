/*
 * encoder_source.c
 *	  The files of a pretrained encoder, checked as a whole.
 */
#include "transformer/file/encoder_source.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "transformer/file/config_json.h"
#include "transformer/json.h"
#include "transformer/file/tensor_names.h"

#define MAX_INDEX ((size_t) 4 << 20)
#define MAX_TOKENIZER_CONFIG ((size_t) 1 << 20)
#define MAX_TOKENIZER ((size_t) 64 << 20)

static MrenStatus
need_file(const MrenTransformerFiles *files, const char *name, const MrenTransformerFile **file,
		  MrenError *err)
{
	*file = mren_transformer_files_find(files, name);
	if (*file == NULL)
		return mren_fail(err, MREN_EDATA, "the encoder has no file \"%s\"", name);
	return MREN_OK;
}

static MrenStatus
add_tensors(const MrenEnv *env, const MrenTransformerFiles *files, const char *name,
			MrenSafetensors *set, MrenError *err)
{
	const MrenTransformerFile *file;

	MREN_TRY(need_file(files, name, &file, err));
	return mren_safetensors_add(env, set, name, file->bytes, file->len, err);
}

/* The names that the index gives; each file once, in the order of the map. */
static MrenStatus
add_shards(const MrenEnv *env, const MrenTransformerFiles *files, json_t *map, MrenSafetensors *set,
		   MrenError *err)
{
	json_t *seen = mren_transformer_json_new();
	const char *tensor;
	json_t *value;
	MrenStatus status = seen == NULL ? mren_fail_nomem(err) : MREN_OK;

	json_object_foreach(map, tensor, value)
	{
		const char *name = json_string_value(value);

		if (status != MREN_OK || (name != NULL && json_object_get(seen, name) != NULL))
			continue;
		if (name == NULL)
			status = mren_fail(err, MREN_EFORMAT,
							   "model.safetensors.index.json gives no file for tensor \"%s\"",
							   mren_utf8_excerpt(tensor, strlen(tensor)).text);
		else if (mren_transformer_files_find(files, name) == NULL)
			status = mren_fail(err, MREN_EDATA,
							   "the encoder has no file \"%s\", which "
							   "model.safetensors.index.json names",
							   mren_utf8_excerpt(name, strlen(name)).text);
		else if (json_object_set_new(seen, name, json_true()) != 0)
			status = mren_fail_nomem(err);
		else
			status = add_tensors(env, files, name, set, err);
	}
	json_decref(seen);
	return status;
}

static MrenStatus
open_weights(const MrenEnv *env, const MrenTransformerFiles *files, MrenSafetensors *set,
			 MrenError *err)
{
	const MrenTransformerFile *file =
		mren_transformer_files_find(files, "model.safetensors.index.json");
	json_t *index;
	json_t *map;
	MrenStatus status;

	if (mren_transformer_files_find(files, "model.safetensors") != NULL || file == NULL)
	{
		status = add_tensors(env, files, "model.safetensors", set, err);
		if (status == MREN_EDATA)
			mren_error_hint(err,
							"Weights in other formats, such as pytorch_model.bin, cannot be read.");
		return status;
	}
	MREN_TRY(mren_transformer_json(file->name, file->bytes, file->len, MAX_INDEX, &index, err));
	map = json_object_get(index, "weight_map");
	if (json_is_object(map))
		status = add_shards(env, files, map, set, err);
	else
		status = mren_fail(err, MREN_EFORMAT, "%s has no \"weight_map\"", file->name);
	json_decref(index);
	return status;
}

/* A value that may be true, false or null (-1); false if it is none of them. */
static bool
tristate(const json_t *value, int *out)
{
	*out = json_is_boolean(value) ? json_is_true(value) : -1;
	return json_is_boolean(value) || json_is_null(value);
}

/* The BertNormalizer of a tokenizer.json, also within a sequence; NULL: none. */
static const json_t *
find_part(const json_t *part, const char *type, const char *list)
{
	const char *name = json_string_value(json_object_get(part, "type"));
	const json_t *items = json_object_get(part, list);

	if (name != NULL && strcmp(name, type) == 0)
		return part;
	for (size_t i = 0; i < json_array_size(items); i++)
	{
		const json_t *item = json_array_get(items, i);

		name = json_string_value(json_object_get(item, "type"));
		if (name != NULL && strcmp(name, type) == 0)
			return item;
	}
	return NULL;
}

/*
 * The transformers library lets tokenizer_config.json overrule these.  Here,
 * tokenizer.json counts.
 */
static void
compare_tokenizers(const json_t *config, const json_t *json, char *warning, size_t size)
{
	static const char *const pairs[][3] = {
		{"do_lower_case", "lowercase", "BertNormalizer"},
		{"strip_accents", "strip_accents", "BertNormalizer"},
		{"tokenize_chinese_chars", "handle_chinese_chars", "BertNormalizer"},
		{"add_prefix_space", "add_prefix_space", "ByteLevel"},
	};
	const json_t *normalizer =
		find_part(json_object_get(json, "normalizer"), "BertNormalizer", "normalizers");
	const json_t *bytes =
		find_part(json_object_get(json, "pre_tokenizer"), "ByteLevel", "pretokenizers");

	warning[0] = '\0';
	for (int i = 0; i < 4; i++)
	{
		const json_t *part = i < 3 ? normalizer : bytes;
		int overruling;
		int value;

		if (part == NULL || !tristate(json_object_get(config, pairs[i][0]), &overruling) ||
			!tristate(json_object_get(part, pairs[i][1]), &value) || overruling == value)
			continue;
		snprintf(warning, size,
				 "\"%s\" of tokenizer_config.json contradicts \"%s\" of the %s in "
				 "tokenizer.json",
				 pairs[i][0], pairs[i][1], pairs[i][2]);
	}
}

static MrenStatus
check_tokenizer_config(const MrenTransformerFile *file, const json_t *config,
					   MrenTransformerSource *source, MrenError *err)
{
	json_t *json;

	MREN_TRY(mren_transformer_json(file->name, file->bytes, file->len, MAX_TOKENIZER, &json, err));
	compare_tokenizers(config, json, source->warning, sizeof(source->warning));
	json_decref(json);
	return MREN_OK;
}

/* vocab.txt alone is understood only with the special tokens of BERT. */
static MrenStatus
check_special_tokens(const json_t *config, MrenError *err)
{
	static const char *const tokens[][2] = {{"unk_token", "[UNK]"},
											{"cls_token", "[CLS]"},
											{"sep_token", "[SEP]"},
											{"pad_token", "[PAD]"},
											{"mask_token", "[MASK]"}};

	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
	{
		const json_t *value = json_object_get(config, tokens[i][0]);
		const char *text =
			json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);

		if (text != NULL && strcmp(text, tokens[i][1]) != 0)
			return mren_fail(err, MREN_EUNSUPPORTED,
							 "\"%s\" \"%s\" without tokenizer.json is not supported", tokens[i][0],
							 mren_utf8_excerpt(text, strlen(text)).text);
	}
	if (json_is_false(json_object_get(config, "do_basic_tokenize")))
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "\"do_basic_tokenize\" false without tokenizer.json is not supported");
	return MREN_OK;
}

/* The options of vocab.txt alone. */
static MrenStatus
read_vocab_options(const json_t *config, MrenVocabOptions *options, MrenError *err)
{
	const char *class = json_string_value(json_object_get(config, "tokenizer_class"));
	int value;

	*options = (MrenVocabOptions){true, -1, true};
	if (class != NULL && strncmp(class, "Bert", 4) != 0 && strncmp(class, "DistilBert", 10) != 0 &&
		strncmp(class, "Electra", 7) != 0)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "the tokenizer \"%s\" without tokenizer.json is not supported",
						 mren_utf8_excerpt(class, strlen(class)).text);
	if (tristate(json_object_get(config, "do_lower_case"), &value) && value >= 0)
		options->lower_case = value == 1;
	if (tristate(json_object_get(config, "tokenize_chinese_chars"), &value) && value >= 0)
		options->chinese_characters = value == 1;
	if (tristate(json_object_get(config, "strip_accents"), &value))
		options->strip_accents = value;
	return MREN_OK;
}

static MrenStatus
open_vocab(const MrenTransformerFiles *files, const json_t *config, MrenTransformerSource *source,
		   MrenError *err)
{
	MrenTransformerArchitecture architecture = source->config.architecture;

	source->tokenizer = MREN_TOKENIZER_VOCAB;
	source->tokenizer_file = mren_transformer_files_find(files, "vocab.txt");
	if (source->tokenizer_file == NULL)
		return mren_fail(err, MREN_EDATA,
						 "the encoder has neither a file \"tokenizer.json\" nor \"vocab.txt\"");
	if (architecture != MREN_TRANSFORMER_BERT && architecture != MREN_TRANSFORMER_DISTILBERT &&
		architecture != MREN_TRANSFORMER_ELECTRA)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "an encoder of type \"%s\" needs a file \"tokenizer.json\"",
						 mren_transformer_architecture_name(architecture));
	MREN_TRY(check_special_tokens(config, err));
	return read_vocab_options(config, &source->vocab, err);
}

static MrenStatus
open_tokenizer(const MrenTransformerFiles *files, MrenTransformerSource *source, MrenError *err)
{
	const MrenTransformerFile *json = mren_transformer_files_find(files, "tokenizer.json");
	const MrenTransformerFile *file = mren_transformer_files_find(files, "tokenizer_config.json");
	json_t *config = NULL;
	MrenStatus status = MREN_OK;

	if (file != NULL)
		MREN_TRY(mren_transformer_json(file->name, file->bytes, file->len, MAX_TOKENIZER_CONFIG,
									   &config, err));
	if (json == NULL)
		status = open_vocab(files, config, source, err);
	else
	{
		source->tokenizer = MREN_TOKENIZER_JSON;
		source->tokenizer_file = json;
		if (config != NULL)
			status = check_tokenizer_config(json, config, source, err);
	}
	json_decref(config);
	return status;
}

static MrenStatus
open_all(const MrenEnv *env, const MrenTransformerFiles *files, MrenTransformerSource *source,
		 MrenError *err)
{
	const MrenTransformerFile *file;
	MrenTransformerTensor tensor;

	MREN_TRY(need_file(files, "config.json", &file, err));
	MREN_TRY(mren_config_json_read(file->bytes, file->len, &source->config, err));
	MREN_TRY(open_tokenizer(files, source, err));
	MREN_TRY(open_weights(env, files, &source->set, err));
	while (mren_transformer_tensor(&source->config, source->n_tensors, &tensor))
		source->n_tensors++;
	MREN_TRY(
		mren_allocate(env, source->n_tensors, sizeof(source->tensors[0]), &source->tensors, err));
	return mren_exported_tensors(env, &source->set, &source->config, source->tensors,
								 source->n_tensors, err);
}

MrenStatus
mren_transformer_source_open(const MrenEnv *env, const MrenTransformerFiles *files,
							 MrenTransformerSource *source, MrenError *err)
{
	MrenStatus status;

	memset(source, 0, sizeof(*source));
	status = open_all(env, files, source, err);
	if (status != MREN_OK)
		mren_transformer_source_close(env, source);
	return status;
}

void
mren_transformer_source_close(const MrenEnv *env, MrenTransformerSource *source)
{
	mren_safetensors_close(env, &source->set);
	mren_release(env, source->tensors);
	source->tensors = NULL;
}
