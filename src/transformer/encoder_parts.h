/*
 * encoder_parts.h
 *	  What the files of the encoder share: its layers and the state of a forward pass.
 */
#ifndef MREN_TRANSFORMER_ENCODER_PARTS_H
#define MREN_TRANSFORMER_ENCODER_PARTS_H

#include "nn/int8.h"
#include "nn/kernels.h"
#include "transformer/read_rows.h"

/* Rows that go through a matrix at once: those of a feed-forward layer stay in the L2 cache. */
#define MREN_TRANSFORMER_ROWS 48

/* A matrix of the encoder, as floats or as bytes. */
typedef struct MrenTransformerDense
{
	size_t in;
	size_t out; /* 0: the encoder does not have it */
	MrenPackedDense dense;
	MrenInt8Dense int8; /* packed NULL: floats */
	void *memory;		/* NULL where the weights are used in place */
} MrenTransformerDense;

typedef struct MrenTransformerLayer
{
	MrenTransformerDense query;
	MrenTransformerDense key;
	MrenTransformerDense value;
	MrenTransformerDense position_key;	 /* DeBERTa with projections of its own */
	MrenTransformerDense position_query; /* the same */
	MrenTransformerDense context;
	MrenTransformerDense intermediate; /* with the activation */
	MrenTransformerDense output;
	MrenLayerNorm attention_norm;
	MrenLayerNorm norm;
	float *relative_keys;	 /* (2 span, width): DeBERTa, c2p; otherwise NULL */
	float *relative_queries; /* the same, p2c */
} MrenTransformerLayer;

struct MrenTransformer
{
	MrenTransformerConfig config;
	const float *word;
	const float *position;
	const float *token_type;
	MrenLayerNorm embedding_norm;
	MrenTransformerDense project; /* out 0: none */
	const float *relative_bias;	  /* (relative_buckets, heads): MPNet */
	uint32_t *relative_rows;	  /* of distances from -reach to reach; NULL: none are used */
	size_t relative_reach;		  /* beyond it, as for it */
	float *vectors;				  /* int8: the copy of all that is not a matrix; otherwise NULL */
	bool int8;
	MrenTransformerLayer layers[];
};

/* What runs rows through matrices: checks for interrupts, and bytes for int8. */
typedef struct MrenTransformerRun
{
	MrenWork work;
	const MrenSimd *simd;
	const MrenInt8Simd *int8;
	MrenInt8Rows rows; /* MREN_TRANSFORMER_ROWS of them; NULL without int8 */
	void *memory;
} MrenTransformerRun;

struct MrenTransformerMemory
{
	size_t n_text;
	float *rows; /* (layers, 2, n_text, width): keys, then values */
	float *text; /* (n_text, width) what the last layer reads, after rows */
};

/* The matrices of a forward pass over n tokens; rows are those of a layer (read_rows.h). */
typedef struct MrenTransformerPass
{
	const MrenTransformer *encoder;
	const MrenTransformerBatch *batch;
	size_t first; /* the tokens before it, a sentence's text, have their keys and values already */
	MrenTransformerRun run;
	MrenReadRows rows;	 /* of the layer that runs */
	MrenReadRows read;	 /* of the last one, unless it computes what the others do */
	float *query;		 /* (rows, width) */
	float *key;			 /* (n, width) */
	float *value;		 /* (n, width) */
	float *context;		 /* (rows, width) */
	float *sum;			 /* (MREN_TRANSFORMER_ROWS, max of width and embedding_width) */
	float *intermediate; /* (MREN_TRANSFORMER_ROWS, intermediate) */
	float *scores;		 /* (MREN_TRANSFORMER_ROWS, most_keys) */
	float *keys;		 /* of a sentence and head, packed: (size of a head, most_keys) */
	float *values;		 /* the same: (most_keys, size of a head in whole panels) */
	float *zeros;		 /* (max of most_keys and size of a head in whole panels) */
	size_t most_keys;	 /* of a token, in whole panels */
} MrenTransformerPass;

/*
 * The rows of the piece that begins at row `at` of n: pieces of about the same size, because a
 * piece of few rows takes as long as its weights from memory.
 */
static inline size_t
mren_transformer_piece_rows(size_t at, size_t n)
{
	size_t left = n - at;
	size_t pieces = (left + MREN_TRANSFORMER_ROWS - 1) / MREN_TRANSFORMER_ROWS;

	return (left + pieces - 1) / pieces;
}

/* Memory for rows of bytes of `encoder`; MREN_ENOMEM. */
extern MrenStatus mren_transformer_run_open(const MrenEnv *env, const MrenTransformer *encoder,
											MrenTransformerRun *run, MrenError *err);
extern void mren_transformer_run_close(const MrenEnv *env, MrenTransformerRun *run);

/* A matrix and where its rows go. */
typedef struct MrenTransformerProduct
{
	const MrenTransformerDense *layer;
	float *out; /* (n, layer's out) */
} MrenTransformerProduct;

/*
 * mren_transformer_multiply
 *	  in (n, the layers' in) through each of n_products matrices, with their activations, a few
 *	  rows at a time, so that these are read once for all.  Checks for interrupts.
 */
extern void mren_transformer_multiply(MrenTransformerRun *run, const float *in, size_t n,
									  const MrenTransformerProduct *products, size_t n_products);

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

/*
 * MPNet's bucket for a key `distance` after the query's token (Raffel et al. 2020, T5), of a table
 * of so many; those from the 33rd on are not used.
 */
extern size_t mren_distance_bucket(ptrdiff_t distance, size_t buckets);

/* DeBERTa's row of the relative embeddings for a query `distance` after its key. */
extern size_t mren_distance_row(ptrdiff_t distance, const MrenTransformerConfig *config);

/* The distance beyond which both of these no longer change. */
extern size_t mren_distance_reach(const MrenTransformerConfig *config);

#endif
