/*
 * config.h
 *	  What a pretrained text encoder is: its architecture, sizes and tensors.
 *
 * A configuration is checked when it is made (see file/config_json.h), so that whoever has
 * one can rely on its sizes: heads divide the width, and no product of two of them
 * overflows.
 */
#ifndef MREN_TRANSFORMER_CONFIG_H
#define MREN_TRANSFORMER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* The maxima of the sizes below. */
#define MREN_TRANSFORMER_MAX_LAYERS 256
#define MREN_TRANSFORMER_MAX_HEADS 1024
#define MREN_TRANSFORMER_MAX_WIDTH 65536 /* also of embeddings and feed-forward layers */
#define MREN_TRANSFORMER_MAX_POSITIONS (1 << 20)
#define MREN_TRANSFORMER_MAX_VOCABULARY (1 << 24)

typedef enum MrenTransformerArchitecture
{
	MREN_TRANSFORMER_BERT,
	MREN_TRANSFORMER_ROBERTA, /* also XLM-R */
	MREN_TRANSFORMER_DISTILBERT,
	MREN_TRANSFORMER_ELECTRA,
	MREN_TRANSFORMER_MPNET,
	MREN_TRANSFORMER_DEBERTA, /* versions 2 and 3 */
} MrenTransformerArchitecture;

typedef enum MrenTransformerActivation
{
	MREN_TRANSFORMER_GELU,		/* x Φ(x), by erf */
	MREN_TRANSFORMER_GELU_TANH, /* its approximation by tanh */
	MREN_TRANSFORMER_RELU,
} MrenTransformerActivation;

typedef struct MrenTransformerConfig
{
	MrenTransformerArchitecture architecture;
	size_t layers;
	size_t width; /* of a token between layers */
	size_t heads;
	size_t intermediate;	/* width within feed-forward layers */
	size_t embedding_width; /* of word embeddings; projected to width where it differs */
	size_t vocabulary;
	size_t positions;		/* rows of the position embeddings; DeBERTa may have no such table */
	size_t position_offset; /* the row of the first token: padding_idx + 1 for RoBERTa and MPNet */
	size_t token_types;		/* 0: no table */
	float eps;				/* of layer norms */
	MrenTransformerActivation activation;
	float hidden_dropout;	 /* of fine-tuning */
	float attention_dropout; /* of fine-tuning */

	/* MPNet: buckets of the bias that all layers share; DeBERTa: see its paper, 2 log buckets. */
	size_t relative_buckets;   /* 0: none; DeBERTa: distances are not put into buckets */
	size_t relative_positions; /* DeBERTa: the largest distance */
	bool absolute_positions;   /* false: DeBERTa without position embeddings */
	bool relative_norm;		   /* DeBERTa: layer norm over the relative embeddings */
	bool share_relative_key;   /* DeBERTa: position projections are those of the content */
	bool content_to_position;  /* DeBERTa: c2p */
	bool position_to_content;  /* DeBERTa: p2c */
} MrenTransformerConfig;

/* No encoder has more tensors: 11, and 20 for each layer. */
#define MREN_TRANSFORMER_MAX_TENSORS (11 + 20 * MREN_TRANSFORMER_MAX_LAYERS)

/* Longest canonical name of a tensor, with its final NUL. */
#define MREN_TRANSFORMER_NAME_SIZE 64

/* A tensor of an encoder. */
typedef struct MrenTransformerTensor
{
	char name[MREN_TRANSFORMER_NAME_SIZE]; /* such as "layer.0.attention.query.weight" */
	size_t rows;
	size_t columns; /* 0: a vector of `rows` elements */
} MrenTransformerTensor;

/*
 * mren_transformer_tensor
 *	  Tensor number i (from 0) of an encoder, in the order in which they are stored; false
 *	  after the last.  A weight matrix is (outputs, inputs), row-major.  Names, with N for
 *	  the number of a layer:
 *
 *		embeddings.word, embeddings.position, embeddings.token_type    (rows, embedding_width)
 *		embeddings.norm.{weight,bias}         (width of what is normalized)
 *		embeddings.project.{weight,bias}      (width, embedding_width) where these differ;
 *		                                      ELECTRA after the norm, DeBERTa before it and
 *		                                      without bias
 *		relative.bias                         (relative_buckets, heads), MPNet
 *		relative.embeddings                   (2 span, width), DeBERTa
 *		relative.norm.{weight,bias}           DeBERTa
 *		layer.N.attention.{query,key,value,output}.{weight,bias}
 *		layer.N.attention.{position_key,position_query}.{weight,bias}     DeBERTa
 *		layer.N.attention.norm.{weight,bias}
 *		layer.N.intermediate.{weight,bias}    (intermediate, width)
 *		layer.N.output.{weight,bias}          (width, intermediate)
 *		layer.N.norm.{weight,bias}
 */
extern bool mren_transformer_tensor(const MrenTransformerConfig *config, size_t i,
									MrenTransformerTensor *tensor);

/* Elements of all tensors. */
extern size_t mren_transformer_parameters(const MrenTransformerConfig *config);

/*
 * Tokens, special ones included, that are read at once.  DeBERTa without position embeddings
 * knows any distance, but has been trained on that many, and time grows with their square.
 */
extern size_t mren_transformer_max_tokens(const MrenTransformerConfig *config);

/* "bert", as config.json writes it. */
extern const char *mren_transformer_architecture_name(MrenTransformerArchitecture architecture);

/* DeBERTa: half the rows of the relative embeddings. */
extern size_t mren_transformer_relative_span(const MrenTransformerConfig *config);

#endif
