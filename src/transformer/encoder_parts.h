/*
 * encoder_parts.h
 *	  What the files of the encoder share: its layers and the state of a forward pass.
 */
#ifndef MREN_TRANSFORMER_ENCODER_PARTS_H
#define MREN_TRANSFORMER_ENCODER_PARTS_H

#include "nn/kernels.h"
#include "transformer/encoder.h"

typedef struct MrenTransformerNorm
{
	const float *weight;
	const float *bias;
} MrenTransformerNorm;

/* A matrix of the encoder; its bias is padded with zeros to whole panels. */
typedef struct MrenTransformerDense
{
	MrenPackedDense dense;
	float *memory; /* of the packed weights and the bias */
} MrenTransformerDense;

typedef struct MrenTransformerLayer
{
	MrenTransformerDense query;
	MrenTransformerDense key;
	MrenTransformerDense value;
	MrenTransformerDense position_key;	 /* DeBERTa with projections of its own */
	MrenTransformerDense position_query; /* the same */
	MrenTransformerDense context;
	MrenTransformerDense intermediate;
	MrenTransformerDense output;
	MrenTransformerNorm attention_norm;
	MrenTransformerNorm norm;
	float *relative_keys;	 /* (2 span, width): DeBERTa, c2p; otherwise NULL */
	float *relative_queries; /* the same, p2c */
} MrenTransformerLayer;

struct MrenTransformer
{
	MrenTransformerConfig config;
	const float *word;
	const float *position;
	const float *token_type;
	MrenTransformerNorm embedding_norm;
	MrenTransformerDense project; /* memory NULL: none */
	const float *relative_bias;	  /* (relative_buckets, heads): MPNet */
	MrenTransformerLayer layers[];
};

/* The matrices of a forward pass, n tokens each. */
typedef struct MrenTransformerPass
{
	const MrenTransformer *encoder;
	const MrenTransformerBatch *batch;
	MrenWork work;
	float *query;		 /* (n, width) */
	float *key;			 /* (n, width) */
	float *value;		 /* (n, width) */
	float *context;		 /* (n, width) */
	float *sum;			 /* (n, max of width and embedding_width) */
	float *intermediate; /* (n, intermediate) */
	float *scores;		 /* (most keys of a token) */
	float *keys;		 /* (width of a head, most keys of a token), transposed */
} MrenTransformerPass;

/* out (n, layer's out) = in (n, layer's in) through the layer, with checks for interrupts. */
extern void mren_transformer_dense(MrenWork *work, const MrenTransformerDense *layer,
								   const float *in, size_t n, float *out);

/* Layer norm of n rows of m floats, in place; Ba, Kiros and Hinton 2016. */
extern void mren_transformer_norm(float *rows, size_t n, size_t m, const MrenTransformerNorm *norm,
								  float eps);

/*
 * mren_transformer_check_batch
 *	  MREN_EDATA unless the batch's sizes add up and its pieces, positions and types are the
 *	  encoder's; *most_keys is the number of tokens that a token attends to at most.
 */
extern MrenStatus mren_transformer_check_batch(const MrenTransformerConfig *config,
											   const MrenTransformerBatch *batch, size_t *most_keys,
											   MrenError *err);

/* pass->context = attention of pass->query to pass->key and pass->value. */
extern void mren_self_attention(MrenTransformerPass *pass, const MrenTransformerLayer *layer);

/* MPNet's bucket for a key `distance` behind the query's token (Raffel et al. 2020, T5). */
extern size_t mren_distance_bucket(ptrdiff_t distance, size_t buckets);

/* DeBERTa's row of the relative embeddings for a query `distance` behind its key. */
extern size_t mren_distance_row(ptrdiff_t distance, const MrenTransformerConfig *config);

#endif
