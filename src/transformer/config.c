/*
 * config.c
 *	  The tensors of a pretrained text encoder.
 */
#include "transformer/config.h"

#include <stdint.h>
#include <stdio.h>

/* How a size of a tensor follows from a configuration. */
typedef enum Size
{
	NONE,
	WIDTH,
	EMBEDDING,
	NORMED, /* what the embeddings' layer norm is applied to */
	INTERMEDIATE,
	VOCABULARY,
	POSITIONS,
	TOKEN_TYPES,
	BUCKETS,
	SPAN2,
	HEADS,
} Size;

typedef struct Entry
{
	const char *name;
	Size rows;
	Size columns;
	bool (*present)(const MrenTransformerConfig *config); /* NULL: always */
} Entry;

static bool
has_positions(const MrenTransformerConfig *config)
{
	return config->absolute_positions;
}

static bool
has_token_types(const MrenTransformerConfig *config)
{
	return config->token_types > 0;
}

static bool
has_project(const MrenTransformerConfig *config)
{
	return config->embedding_width != config->width;
}

static bool
has_project_bias(const MrenTransformerConfig *config)
{
	return has_project(config) && config->architecture == MREN_TRANSFORMER_ELECTRA;
}

static bool
is_mpnet(const MrenTransformerConfig *config)
{
	return config->architecture == MREN_TRANSFORMER_MPNET;
}

static bool
is_deberta(const MrenTransformerConfig *config)
{
	return config->architecture == MREN_TRANSFORMER_DEBERTA;
}

static bool
has_relative_norm(const MrenTransformerConfig *config)
{
	return is_deberta(config) && config->relative_norm;
}

static bool
has_position_key(const MrenTransformerConfig *config)
{
	return is_deberta(config) && !config->share_relative_key && config->content_to_position;
}

static bool
has_position_query(const MrenTransformerConfig *config)
{
	return is_deberta(config) && !config->share_relative_key && config->position_to_content;
}

static const Entry common[] = {
	{"embeddings.word", VOCABULARY, EMBEDDING, NULL},
	{"embeddings.position", POSITIONS, EMBEDDING, has_positions},
	{"embeddings.token_type", TOKEN_TYPES, EMBEDDING, has_token_types},
	{"embeddings.norm.weight", NORMED, NONE, NULL},
	{"embeddings.norm.bias", NORMED, NONE, NULL},
	{"embeddings.project.weight", WIDTH, EMBEDDING, has_project},
	{"embeddings.project.bias", WIDTH, NONE, has_project_bias},
	{"relative.bias", BUCKETS, HEADS, is_mpnet},
	{"relative.embeddings", SPAN2, WIDTH, is_deberta},
	{"relative.norm.weight", WIDTH, NONE, has_relative_norm},
	{"relative.norm.bias", WIDTH, NONE, has_relative_norm},
};

static const Entry of_layer[] = {
	{"attention.query.weight", WIDTH, WIDTH, NULL},
	{"attention.query.bias", WIDTH, NONE, NULL},
	{"attention.key.weight", WIDTH, WIDTH, NULL},
	{"attention.key.bias", WIDTH, NONE, NULL},
	{"attention.value.weight", WIDTH, WIDTH, NULL},
	{"attention.value.bias", WIDTH, NONE, NULL},
	{"attention.position_key.weight", WIDTH, WIDTH, has_position_key},
	{"attention.position_key.bias", WIDTH, NONE, has_position_key},
	{"attention.position_query.weight", WIDTH, WIDTH, has_position_query},
	{"attention.position_query.bias", WIDTH, NONE, has_position_query},
	{"attention.output.weight", WIDTH, WIDTH, NULL},
	{"attention.output.bias", WIDTH, NONE, NULL},
	{"attention.norm.weight", WIDTH, NONE, NULL},
	{"attention.norm.bias", WIDTH, NONE, NULL},
	{"intermediate.weight", INTERMEDIATE, WIDTH, NULL},
	{"intermediate.bias", INTERMEDIATE, NONE, NULL},
	{"output.weight", WIDTH, INTERMEDIATE, NULL},
	{"output.bias", WIDTH, NONE, NULL},
	{"norm.weight", WIDTH, NONE, NULL},
	{"norm.bias", WIDTH, NONE, NULL},
};

#define N_COMMON (sizeof(common) / sizeof(common[0]))
#define N_OF_LAYER (sizeof(of_layer) / sizeof(of_layer[0]))

static size_t
size_of(const MrenTransformerConfig *config, Size size)
{
	switch (size)
	{
		case NONE:
			return 0;
		case WIDTH:
			return config->width;
		case EMBEDDING:
			return config->embedding_width;
		case NORMED:
			return is_deberta(config) ? config->width : config->embedding_width;
		case INTERMEDIATE:
			return config->intermediate;
		case VOCABULARY:
			return config->vocabulary;
		case POSITIONS:
			return config->positions;
		case TOKEN_TYPES:
			return config->token_types;
		case BUCKETS:
			return config->relative_buckets;
		case SPAN2:
			return 2 * mren_transformer_relative_span(config);
		case HEADS:
			return config->heads;
	}
	return 0;
}

bool
mren_transformer_tensor(const MrenTransformerConfig *config, size_t i,
						MrenTransformerTensor *tensor)
{
	for (size_t at = 0; at < N_COMMON + config->layers * N_OF_LAYER; at++)
	{
		size_t layer = at < N_COMMON ? 0 : (at - N_COMMON) / N_OF_LAYER;
		const Entry *entry = at < N_COMMON ? &common[at] : &of_layer[(at - N_COMMON) % N_OF_LAYER];

		if ((entry->present != NULL && !entry->present(config)) || i-- > 0)
			continue;
		if (at < N_COMMON)
			snprintf(tensor->name, sizeof(tensor->name), "%s", entry->name);
		else
			snprintf(tensor->name, sizeof(tensor->name), "layer.%zu.%s", layer, entry->name);
		tensor->rows = size_of(config, entry->rows);
		tensor->columns = size_of(config, entry->columns);
		return true;
	}
	return false;
}

size_t
mren_transformer_parameters(const MrenTransformerConfig *config)
{
	MrenTransformerTensor tensor;
	size_t n = 0;

	for (size_t i = 0; mren_transformer_tensor(config, i, &tensor); i++)
		n += tensor.rows * (tensor.columns == 0 ? 1 : tensor.columns);
	return n;
}

size_t
mren_transformer_max_tokens(const MrenTransformerConfig *config)
{
	return config->positions - config->position_offset;
}

const char *
mren_transformer_architecture_name(MrenTransformerArchitecture architecture)
{
	static const char *const names[] = {"bert",	   "roberta", "distilbert",
										"electra", "mpnet",	  "deberta-v2"};

	return names[architecture];
}

size_t
mren_transformer_relative_span(const MrenTransformerConfig *config)
{
	return config->relative_buckets > 0 ? config->relative_buckets : config->relative_positions;
}
