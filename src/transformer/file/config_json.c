/*
 * config_json.c
 *	  config.json, which says what a pretrained encoder is.
 *
 * The keys are those of the transformers library.  Defaults are given only where that
 * library has them and no shape would show a mistake to be one.
 */
#include "transformer/file/config_json.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "transformer/json.h"

#define MAX_CONFIG ((size_t) 1 << 20)

/* The keys that architectures spell differently. */
typedef struct Keys
{
	const char *width;
	const char *layers;
	const char *heads;
	const char *intermediate;
	const char *activation;
	const char *dropout;
	const char *attention_dropout;
} Keys;

static const Keys usual_keys = {
	"hidden_size", "num_hidden_layers",	  "num_attention_heads",		 "intermediate_size",
	"hidden_act",  "hidden_dropout_prob", "attention_probs_dropout_prob"};
static const Keys distilbert_keys = {"dim",		   "n_layers", "n_heads",		   "hidden_dim",
									 "activation", "dropout",  "attention_dropout"};

typedef struct Kind
{
	const char *model_type;
	MrenTransformerArchitecture architecture;
	float eps; /* where config.json has none */
	int token_types;
} Kind;

/* The first name of an architecture is the one that is written. */
static const Kind kinds[] = {
	{"bert", MREN_TRANSFORMER_BERT, 1e-12f, 2},
	{"roberta", MREN_TRANSFORMER_ROBERTA, 1e-12f, 2},
	{"xlm-roberta", MREN_TRANSFORMER_ROBERTA, 1e-12f, 2},
	{"distilbert", MREN_TRANSFORMER_DISTILBERT, 1e-12f, 0},
	{"electra", MREN_TRANSFORMER_ELECTRA, 1e-12f, 2},
	{"mpnet", MREN_TRANSFORMER_MPNET, 1e-12f, 0},
	{"deberta-v2", MREN_TRANSFORMER_DEBERTA, 1e-7f, 0},
};

/* The first name of an activation is the one that is written. */
static const struct
{
	const char *name;
	MrenTransformerActivation activation;
} activations[] = {
	{"gelu", MREN_TRANSFORMER_GELU},		  {"gelu_python", MREN_TRANSFORMER_GELU},
	{"gelu_new", MREN_TRANSFORMER_GELU_TANH}, {"gelu_pytorch_tanh", MREN_TRANSFORMER_GELU_TANH},
	{"relu", MREN_TRANSFORMER_RELU},
};

typedef struct Reader
{
	const json_t *json;
	MrenError *err;
} Reader;

/* A value of the file as a message shows it. */
static MrenExcerpt
excerpt(const json_t *value)
{
	char text[256] = "";

	if (json_is_string(value))
		return mren_utf8_excerpt(json_string_value(value), json_string_length(value));
	json_dumpb(value, text, sizeof(text) - 1, JSON_ENCODE_ANY | JSON_COMPACT);
	return mren_utf8_excerpt(text, strlen(text));
}

static const json_t *
get(const Reader *reader, const char *key)
{
	const json_t *value = json_object_get(reader->json, key);

	return json_is_null(value) ? NULL : value;
}

static MrenStatus
fail_value(const Reader *reader, const char *key, const char *must)
{
	return mren_fail(reader->err, MREN_EDATA, "\"%s\" of config.json must be %s, not \"%s\"", key,
					 must, excerpt(get(reader, key)).text);
}

/* A whole number from min to max; standard where the key is absent, which -1 forbids. */
static MrenStatus
read_size(const Reader *reader, const char *key, long min, long max, long standard, size_t *out)
{
	const json_t *value = get(reader, key);
	json_int_t number = json_integer_value(value);

	*out = (size_t) standard;
	if (value == NULL && standard < 0)
		return mren_fail(reader->err, MREN_EDATA, "config.json has no \"%s\"", key);
	if (value == NULL)
		return MREN_OK;
	if (!json_is_integer(value) || number < min || number > max)
		return mren_fail(reader->err, MREN_EDATA,
						 "\"%s\" of config.json must be a number from %ld to %ld, not \"%s\"", key,
						 min, max, excerpt(value).text);
	*out = (size_t) number;
	return MREN_OK;
}

static MrenStatus
read_float(const Reader *reader, const char *key, double min, double max, float standard,
		   float *out)
{
	const json_t *value = get(reader, key);
	double number = json_number_value(value);

	*out = standard;
	if (value == NULL)
		return MREN_OK;
	if (!json_is_number(value) || !isfinite(number) || number < min || number > max)
		return mren_fail(reader->err, MREN_EDATA,
						 "\"%s\" of config.json must be a number from %g to %g, not \"%s\"", key,
						 min, max, excerpt(value).text);
	*out = (float) number;
	return MREN_OK;
}

static MrenStatus
read_bool(const Reader *reader, const char *key, bool standard, bool *out)
{
	const json_t *value = get(reader, key);

	*out = value == NULL ? standard : json_is_true(value);
	if (value != NULL && !json_is_boolean(value))
		return fail_value(reader, key, "true or false");
	return MREN_OK;
}

static MrenStatus
read_kind(const Reader *reader, const Kind **kind)
{
	const json_t *type = get(reader, "model_type");

	if (!json_is_string(type))
		return mren_fail(reader->err, MREN_EDATA, "config.json has no \"model_type\"");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		*kind = &kinds[i];
		if (strcmp(json_string_value(type), kinds[i].model_type) == 0)
			return MREN_OK;
	}
	mren_fail(reader->err, MREN_EUNSUPPORTED, "text encoders of type \"%s\" are not supported",
			  excerpt(type).text);
	mren_error_hint(reader->err,
					"Supported types are bert (MiniLM among them), roberta, xlm-roberta, "
					"distilbert, electra, mpnet and deberta-v2 (DeBERTa version 2 and 3).");
	return MREN_EUNSUPPORTED;
}

/* Variants that would be computed otherwise than here. */
static MrenStatus
refuse_variants(const Reader *reader)
{
	static const char *const flags[] = {"is_decoder", "add_cross_attention"};
	const json_t *position = get(reader, "position_embedding_type");
	const json_t *pruned = get(reader, "pruned_heads");

	if (position != NULL &&
		(!json_is_string(position) || strcmp(json_string_value(position), "absolute") != 0))
		return mren_fail(reader->err, MREN_EUNSUPPORTED,
						 "text encoders with \"position_embedding_type\" \"%s\" are not supported",
						 excerpt(position).text);
	if (get(reader, "quantization_config") != NULL)
		return mren_fail(reader->err, MREN_EUNSUPPORTED,
						 "quantized text encoders are not supported");
	if (json_object_size(pruned) > 0)
		return mren_fail(reader->err, MREN_EUNSUPPORTED,
						 "text encoders with pruned heads are not supported");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
	{
		bool on;

		MREN_TRY(read_bool(reader, flags[i], false, &on));
		if (on)
			return mren_fail(reader->err, MREN_EUNSUPPORTED,
							 "text encoders with \"%s\" are not supported", flags[i]);
	}
	return MREN_OK;
}

static MrenStatus
read_activation(const Reader *reader, const char *key, MrenTransformerActivation *activation)
{
	const json_t *value = get(reader, key);

	*activation = MREN_TRANSFORMER_GELU;
	if (value == NULL)
		return MREN_OK;
	for (size_t i = 0; i < sizeof(activations) / sizeof(activations[0]); i++)
	{
		*activation = activations[i].activation;
		if (json_is_string(value) && strcmp(json_string_value(value), activations[i].name) == 0)
			return MREN_OK;
	}
	mren_fail(reader->err, MREN_EUNSUPPORTED,
			  "text encoders with the activation \"%s\" are not supported", excerpt(value).text);
	mren_error_hint(reader->err, "Supported activations are gelu, gelu_new and relu.");
	return MREN_EUNSUPPORTED;
}

static MrenStatus
read_sizes(const Reader *reader, const Keys *keys, MrenTransformerConfig *config)
{
	MREN_TRY(read_size(reader, keys->width, 1, MREN_TRANSFORMER_MAX_WIDTH, -1, &config->width));
	MREN_TRY(read_size(reader, keys->layers, 1, MREN_TRANSFORMER_MAX_LAYERS, -1, &config->layers));
	MREN_TRY(read_size(reader, keys->heads, 1, MREN_TRANSFORMER_MAX_HEADS, -1, &config->heads));
	MREN_TRY(read_size(reader, keys->intermediate, 1, MREN_TRANSFORMER_MAX_WIDTH, -1,
					   &config->intermediate));
	MREN_TRY(read_size(reader, "vocab_size", 1, MREN_TRANSFORMER_MAX_VOCABULARY, -1,
					   &config->vocabulary));
	MREN_TRY(read_size(reader, "max_position_embeddings", 1, MREN_TRANSFORMER_MAX_POSITIONS, 512,
					   &config->positions));
	if (config->width % config->heads != 0)
		return mren_fail(reader->err, MREN_EDATA,
						 "%zu attention heads do not divide the width %zu in config.json",
						 config->heads, config->width);
	return MREN_OK;
}

/* RoBERTa and MPNet number positions from the padding token's number + 1. */
static MrenStatus
read_positions(const Reader *reader, MrenTransformerConfig *config)
{
	size_t padding = 1;

	config->absolute_positions = true;
	config->position_offset = 0;
	if (config->architecture != MREN_TRANSFORMER_ROBERTA &&
		config->architecture != MREN_TRANSFORMER_MPNET)
		return MREN_OK;
	if (config->architecture == MREN_TRANSFORMER_ROBERTA)
		MREN_TRY(read_size(reader, "pad_token_id", 0, MREN_TRANSFORMER_MAX_POSITIONS, 1, &padding));
	config->position_offset = padding + 1;
	if (config->position_offset >= config->positions)
		return mren_fail(reader->err, MREN_EDATA,
						 "\"max_position_embeddings\" %zu of config.json leaves no position "
						 "behind that of the padding token %zu",
						 config->positions, padding);
	return MREN_OK;
}

/* "c2p|p2c", or a list of these. */
static MrenStatus
read_attention_types(const Reader *reader, MrenTransformerConfig *config)
{
	const json_t *value = get(reader, "pos_att_type");
	size_t n = json_is_array(value) ? json_array_size(value) : 1;

	config->content_to_position = config->position_to_content = false;
	for (size_t i = 0; value != NULL && i < n; i++)
	{
		const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
		const char *at = json_string_value(item);

		if (at == NULL)
			return fail_value(reader, "pos_att_type", "a list of \"c2p\" and \"p2c\"");
		while (*at != '\0')
		{
			size_t len = strcspn(at, "|");

			if (len == 3 && strncmp(at, "c2p", 3) == 0)
				config->content_to_position = true;
			else if (len == 3 && strncmp(at, "p2c", 3) == 0)
				config->position_to_content = true;
			else
				return mren_fail(reader->err, MREN_EUNSUPPORTED,
								 "text encoders with \"pos_att_type\" \"%s\" are not supported",
								 mren_utf8_excerpt(at, len).text);
			at += len + (at[len] == '|');
		}
	}
	return MREN_OK;
}

static MrenStatus
read_relative_norm(const Reader *reader, MrenTransformerConfig *config)
{
	const json_t *norm = get(reader, "norm_rel_ebd");

	config->relative_norm = false;
	if (norm == NULL || (json_is_string(norm) && strcmp(json_string_value(norm), "none") == 0))
		return MREN_OK;
	config->relative_norm = true;
	if (!json_is_string(norm) || strcmp(json_string_value(norm), "layer_norm") != 0)
		return mren_fail(reader->err, MREN_EUNSUPPORTED,
						 "text encoders with \"norm_rel_ebd\" \"%s\" are not supported",
						 excerpt(norm).text);
	return MREN_OK;
}

static MrenStatus
read_deberta(const Reader *reader, MrenTransformerConfig *config)
{
	const json_t *max = get(reader, "max_relative_positions");
	const json_t *buckets = get(reader, "position_buckets");
	size_t head_size;
	size_t conv;
	bool relative;

	MREN_TRY(read_bool(reader, "relative_attention", false, &relative));
	if (!relative || get(reader, "pos_att_type") == NULL)
		return mren_fail(reader->err, MREN_EUNSUPPORTED,
						 "DeBERTa without relative attention is not supported");
	MREN_TRY(read_size(reader, "conv_kernel_size", 0, 1024, 0, &conv));
	if (conv > 0)
		return mren_fail(reader->err, MREN_EUNSUPPORTED,
						 "DeBERTa with a convolution (\"conv_kernel_size\" %zu) is not supported",
						 conv);
	MREN_TRY(read_size(reader, "attention_head_size", 1, MREN_TRANSFORMER_MAX_WIDTH,
					   (long) (config->width / config->heads), &head_size));
	if (head_size != config->width / config->heads)
		return mren_fail(reader->err, MREN_EUNSUPPORTED,
						 "DeBERTa with \"attention_head_size\" %zu, which is not %zu / %zu, is "
						 "not supported",
						 head_size, config->width, config->heads);
	/* -1 and 0 mean the default. */
	config->relative_positions = config->positions;
	if (max != NULL && (!json_is_integer(max) || json_integer_value(max) >= 1))
		MREN_TRY(read_size(reader, "max_relative_positions", 1, MREN_TRANSFORMER_MAX_POSITIONS, -1,
						   &config->relative_positions));
	if (buckets != NULL && (!json_is_integer(buckets) || json_integer_value(buckets) >= 1))
		MREN_TRY(read_size(reader, "position_buckets", 4, MREN_TRANSFORMER_MAX_POSITIONS, -1,
						   &config->relative_buckets));
	MREN_TRY(read_bool(reader, "position_biased_input", true, &config->absolute_positions));
	MREN_TRY(read_bool(reader, "share_att_key", false, &config->share_relative_key));
	MREN_TRY(read_attention_types(reader, config));
	return read_relative_norm(reader, config);
}

static MrenStatus
read_config(const Reader *reader, MrenTransformerConfig *config)
{
	const Kind *kind;
	const Keys *keys;
	bool is_deberta;

	MREN_TRY(read_kind(reader, &kind));
	is_deberta = kind->architecture == MREN_TRANSFORMER_DEBERTA;
	MREN_TRY(refuse_variants(reader));
	keys = kind->architecture == MREN_TRANSFORMER_DISTILBERT ? &distilbert_keys : &usual_keys;
	memset(config, 0, sizeof(*config));
	config->architecture = kind->architecture;
	MREN_TRY(read_sizes(reader, keys, config));
	MREN_TRY(read_positions(reader, config));
	MREN_TRY(read_activation(reader, keys->activation, &config->activation));
	MREN_TRY(read_float(reader, keys->dropout, 0, 0.99, 0.1f, &config->hidden_dropout));
	MREN_TRY(
		read_float(reader, keys->attention_dropout, 0, 0.99, 0.1f, &config->attention_dropout));
	config->eps = kind->eps;
	config->embedding_width = config->width;
	/* Not written by these two, and without meaning for them. */
	if (kind->architecture != MREN_TRANSFORMER_DISTILBERT)
		MREN_TRY(read_float(reader, "layer_norm_eps", 0, 1, kind->eps, &config->eps));
	if (kind->architecture != MREN_TRANSFORMER_DISTILBERT &&
		kind->architecture != MREN_TRANSFORMER_MPNET)
		MREN_TRY(read_size(reader, "type_vocab_size", is_deberta ? 0 : 1,
						   MREN_TRANSFORMER_MAX_WIDTH, kind->token_types, &config->token_types));
	if (kind->architecture == MREN_TRANSFORMER_ELECTRA ||
		kind->architecture == MREN_TRANSFORMER_DEBERTA)
		MREN_TRY(read_size(reader, "embedding_size", 1, MREN_TRANSFORMER_MAX_WIDTH,
						   (long) config->width, &config->embedding_width));
	if (kind->architecture == MREN_TRANSFORMER_MPNET)
		MREN_TRY(read_size(reader, "relative_attention_num_buckets", 4, 4096, 32,
						   &config->relative_buckets));
	if (kind->architecture == MREN_TRANSFORMER_DEBERTA)
		MREN_TRY(read_deberta(reader, config));
	return MREN_OK;
}

MrenStatus
mren_config_json_read(const uint8_t *bytes, size_t len, MrenTransformerConfig *config,
					  MrenError *err)
{
	json_t *json;
	MrenStatus status;

	MREN_TRY(mren_transformer_json("config.json", bytes, len, MAX_CONFIG, &json, err));
	status = read_config(&(Reader){json, err}, config);
	json_decref(json);
	return status;
}

static const char *
activation_name(MrenTransformerActivation activation)
{
	size_t i = 0;

	while (activations[i].activation != activation)
		i++;
	return activations[i].name;
}

/* jansson counts a failed allocation as -1. */
static int
put(json_t *json, const char *key, json_t *value)
{
	return json_object_set_new(json, key, value);
}

static int
put_deberta(json_t *json, const MrenTransformerConfig *config)
{
	return put(json, "relative_attention", json_true()) |
		   put(json, "max_relative_positions",
			   json_integer((json_int_t) config->relative_positions)) |
		   put(json, "position_buckets", json_integer((json_int_t) config->relative_buckets)) |
		   put(json, "position_biased_input", json_boolean(config->absolute_positions)) |
		   put(json, "share_att_key", json_boolean(config->share_relative_key)) |
		   put(json, "pos_att_type",
			   json_string(config->content_to_position
							   ? (config->position_to_content ? "c2p|p2c" : "c2p")
							   : (config->position_to_content ? "p2c" : ""))) |
		   put(json, "norm_rel_ebd", json_string(config->relative_norm ? "layer_norm" : "none"));
}

static int
put_all(json_t *json, const MrenTransformerConfig *config)
{
	const Keys *keys =
		config->architecture == MREN_TRANSFORMER_DISTILBERT ? &distilbert_keys : &usual_keys;
	const char *type = mren_transformer_architecture_name(config->architecture);
	int failed = put(json, "model_type", json_string(type)) |
				 put(json, keys->width, json_integer((json_int_t) config->width)) |
				 put(json, keys->layers, json_integer((json_int_t) config->layers)) |
				 put(json, keys->heads, json_integer((json_int_t) config->heads)) |
				 put(json, keys->intermediate, json_integer((json_int_t) config->intermediate)) |
				 put(json, keys->activation, json_string(activation_name(config->activation))) |
				 put(json, keys->dropout, json_real(config->hidden_dropout)) |
				 put(json, keys->attention_dropout, json_real(config->attention_dropout)) |
				 put(json, "layer_norm_eps", json_real(config->eps)) |
				 put(json, "vocab_size", json_integer((json_int_t) config->vocabulary)) |
				 put(json, "embedding_size", json_integer((json_int_t) config->embedding_width)) |
				 put(json, "type_vocab_size", json_integer((json_int_t) config->token_types)) |
				 put(json, "max_position_embeddings", json_integer((json_int_t) config->positions));

	if (config->architecture == MREN_TRANSFORMER_ROBERTA)
		failed |= put(json, "pad_token_id", json_integer((json_int_t) config->position_offset - 1));
	if (config->architecture == MREN_TRANSFORMER_MPNET)
		failed |= put(json, "relative_attention_num_buckets",
					  json_integer((json_int_t) config->relative_buckets));
	if (config->architecture == MREN_TRANSFORMER_DEBERTA)
		failed |= put_deberta(json, config);
	return failed;
}

/* All digits of a float are in 9 places. */
MrenStatus
mren_config_json_write(const MrenEnv *env, const MrenTransformerConfig *config, MrenBuffer *buffer,
					   MrenError *err)
{
	char text[2048];
	json_t *json = mren_transformer_json_new();
	size_t n = 0;

	if (json != NULL && put_all(json, config) == 0)
		n = json_dumpb(json, text, sizeof(text),
					   JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
	json_decref(json);
	if (n == 0 || n > sizeof(text))
		return mren_fail_nomem(err);
	return mren_buffer_append(env, buffer, text, n, err);
}
