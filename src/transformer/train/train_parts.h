/*
 * train_parts.h
 *	  What the files of the trainer share: tensors with their gradients, and the state of a
 *	  forward and backward pass.
 *
 * n is the number of tokens of a batch, and "rows" are those of a layer (read_rows.h): fewer in
 * the last one where not all are read.  A gradient that is NULL is not wanted.
 */
#ifndef MREN_TRANSFORMER_TRAIN_TRAIN_PARTS_H
#define MREN_TRANSFORMER_TRAIN_TRAIN_PARTS_H

#include "transformer/read_rows.h"
#include "transformer/train/encoder_trainer.h"

typedef struct MrenTunedTensor
{
	const float *value;
	float *gradient;
} MrenTunedTensor;

typedef struct MrenTunedNorm
{
	MrenTunedTensor weight;
	MrenTunedTensor bias;
} MrenTunedNorm;

/* Adds scale * b (outputs, rank) * a (rank, inputs) to a matrix. */
typedef struct MrenAdapter
{
	size_t rank; /* 0: none */
	float scale;
	const float *a;
	const float *b;
} MrenAdapter;

typedef struct MrenTunedDense
{
	size_t in;
	size_t out;
	MrenTunedTensor weight; /* (out, in); value NULL: the layer is not there */
	MrenTunedTensor bias;	/* value NULL: none */
	MrenAdapter adapter;
	float *da;
	float *db;
} MrenTunedDense;

typedef struct MrenTunedLayer
{
	MrenTunedDense query;
	MrenTunedDense key;
	MrenTunedDense value;
	MrenTunedDense position_key;
	MrenTunedDense position_query;
	MrenTunedDense context;
	MrenTunedNorm attention_norm;
	MrenTunedDense intermediate;
	MrenTunedDense output;
	MrenTunedNorm norm;
} MrenTunedLayer;

/* A layer norm's input, standardized (n, m), and one over its deviation (n). */
typedef struct MrenKeptNorm
{
	float *hat;
	float *inverse;
} MrenKeptNorm;

/* What backward needs of a layer. */
typedef struct MrenKeptLayer
{
	float *query;			 /* (rows, width) */
	float *key;				 /* (n, width) */
	float *value;			 /* (n, width) */
	float *context;			 /* (rows, width) */
	float *scores;			 /* of attention, after softmax, before dropout */
	float *relative_keys;	 /* (near rows, width): DeBERTa */
	float *relative_queries; /* the same */
	float *hidden;			 /* (rows, intermediate), before the activation */
	MrenKeptNorm attention_norm;
	MrenKeptNorm norm;
} MrenKeptLayer;

/*
 * A sentence of the batch: its text and then its groups of markers.  Its scores are, for each
 * head, ld numbers for each of its rows: n_text keys of the text, the keys of the row's own
 * group, and zeros.
 */
typedef struct MrenTunedSentence
{
	size_t first; /* token */
	size_t n_text;
	size_t n_groups;
	size_t group;	 /* markers of a group */
	size_t n;		 /* tokens */
	size_t ld;		 /* a multiple of 8 */
	size_t scores;	 /* place of the first head's scores */
	size_t near;	 /* place of its (n, ld) numbers of distances */
	size_t near_min; /* least and greatest of these numbers */
	size_t near_max;
} MrenTunedSentence;

/* Sizes of a batch's memory. */
typedef struct MrenTunedSizes
{
	size_t n;			/* tokens */
	size_t n_scores;	/* of all heads */
	size_t n_near;		/* of one head */
	size_t most_scores; /* of a sentence and a head */
	size_t most_tokens; /* of a sentence */
	size_t near_rows;	/* DeBERTa: rows of the relative embeddings, at most */
	bool recompute;
} MrenTunedSizes;

/* Memory of a pass that is not a layer's. */
typedef struct MrenTunedMemory
{
	float *block;
	size_t capacity; /* floats */
	uint32_t *near;	 /* MPNet: the bucket, DeBERTa: the row, of each score's distance */
	float *embedded; /* (n, embedding_width): before or after the embeddings' norm */
	MrenKeptNorm embedding_norm;
	float *relative; /* (near rows, width), after their norm */
	MrenKeptNorm relative_norm;
	MrenReadRows read; /* of the last layer */
	float *some;	   /* (rows, width): those of the layer's input */
	float *sum;		   /* (n, width) */
	float *middle;	   /* (n, width): between the halves of a layer */
	float *active;	   /* (n, intermediate) */
	float *again;	   /* (n, width): a layer's output, computed again */
	float *dactive;	   /* (n, intermediate) */
	float *dx;		   /* (n, width) */
	float *dsum;	   /* (n, width) */
	float *dquery;
	float *dkey;
	float *dvalue;
	float *dcontext;
	float *drelative;	   /* (near rows, width) */
	float *drelative_sum;  /* the same */
	float *drelative_keys; /* the same */
	float *drelative_queries;
	float *dropped;	 /* scores of a sentence and head after dropout */
	float *dscores;	 /* of a sentence and head */
	float *distance; /* (tokens of a sentence, near rows) */
	float *packed;	 /* a matrix, with its adapter */
	float *bias;	 /* of a layer, in whole panels */
	float *zeros;	 /* the same */
	float *piece;	 /* (MREN_TRANSFORMER_ROWS, the widest row) */
	float *thin[2];	 /* (rows, rank), or an adapter's part */
} MrenTunedMemory;

struct MrenTransformerTrainer
{
	MrenEnv env;
	MrenTransformerConfig config;
	MrenTransformerTuning tuning;
	size_t first; /* layer that is trained */
	MrenParameter *items;
	size_t n_items;
	size_t size;  /* floats of values */
	float *owned; /* values and gradients, unless the caller gave their memory */
	float *values;
	float *gradients;
	MrenTunedTensor word;
	MrenTunedTensor position;
	MrenTunedTensor token_type;
	MrenTunedNorm embedding_norm;
	MrenTunedDense project;
	MrenTunedTensor relative_bias;
	MrenTunedTensor relative;
	MrenTunedNorm relative_norm;
	MrenTunedLayer *layers;
	MrenKeptLayer *kept; /* of each layer; with recomputation all the same */
	float **inputs;		 /* of each layer (n, width) */

	/* The last forward pass. */
	MrenWork work;
	MrenTransformerBatch batch;
	MrenTransformerStep step;
	MrenTunedSizes sizes;
	MrenTunedSentence *sentences;
	size_t sentence_capacity;
	MrenTunedMemory memory;
	size_t near_min; /* DeBERTa: the relative embeddings that are used */
	size_t near_max;
	bool ready; /* for backward */
};

/* Where dropout happens in a layer; each place has masks of its own. */
typedef enum MrenDropoutPlace
{
	MREN_DROPOUT_EMBEDDINGS,
	MREN_DROPOUT_ATTENTION,
	MREN_DROPOUT_CONTEXT,
	MREN_DROPOUT_OUTPUT,
	MREN_DROPOUT_RELATIVE,
} MrenDropoutPlace;

/* Masks of one place: number `item` of them, such as of a sentence and head. */
typedef struct MrenDropoutStream
{
	uint64_t seed;
	uint32_t layer;
	uint32_t place;
	uint32_t item;
	float rate;
} MrenDropoutStream;

/* n floats to zero, with checks for interrupts.  MREN_ECANCELED. */
extern MrenStatus mren_tuned_clear(const MrenEnv *env, float *values, size_t n, MrenError *err);

/* y (n) = x * mask, where the mask depends on the stream and n alone; y may be x. */
extern void mren_tuned_dropout(const MrenDropoutStream *stream, float *y, const float *x, size_t n);

/* The stream of a place in the pass; its rate is 0 without dropout. */
extern MrenDropoutStream mren_tuned_stream(const MrenTransformerTrainer *trainer, size_t layer,
										   MrenDropoutPlace place);

/* weight (out, in) += scale * b * a */
extern void mren_adapter_add(MrenWork *work, const MrenAdapter *adapter, size_t out, size_t in,
							 float *weight);

/* out (n, dense's out) = in (n, dense's in) through the layer. */
extern void mren_tuned_dense(MrenTransformerTrainer *trainer, const MrenTunedDense *dense,
							 const float *in, size_t n, float *out);

/* din (n, in) = dout (n, out) * weight, or that is added to it. */
extern void mren_tuned_dense_input(MrenTransformerTrainer *trainer, const MrenTunedDense *dense,
								   const float *dout, size_t n, bool add, float *din);

/* Adds to the gradients of weight, bias and adapter. */
extern void mren_tuned_dense_weight(MrenTransformerTrainer *trainer, const MrenTunedDense *dense,
									const float *in, const float *dout, size_t n);

/* y (n, m) = the layer norm of x; keeps what backward needs.  y may be x. */
extern void mren_tuned_norm(MrenTransformerTrainer *trainer, const MrenTunedNorm *norm,
							const float *x, size_t n, size_t m, const MrenKeptNorm *kept, float *y);

/* y (n, m) of the norm again. */
extern void mren_tuned_norm_again(const MrenTunedNorm *norm, const MrenKeptNorm *kept, size_t n,
								  size_t m, float *y);

/* dx (n, m) from dy, and the gradients of the norm; dx is not dy. */
extern void mren_tuned_norm_backward(MrenTransformerTrainer *trainer, const MrenTunedNorm *norm,
									 const MrenKeptNorm *kept, const float *dy, size_t n, size_t m,
									 float *dx);

/* x (n, width) = the embeddings of the batch, without dropout. */
extern void mren_tuned_embed(MrenTransformerTrainer *trainer, float *x);

/* memory.relative = the relative embeddings that the batch uses; DeBERTa. */
extern void mren_tuned_embed_relative(MrenTransformerTrainer *trainer);

/* Adds to the gradients of the embeddings; dx (n, width) is used up. */
extern void mren_tuned_embed_backward(MrenTransformerTrainer *trainer, float *dx);

/* Adds memory.drelative_sum to the gradients of the relative embeddings. */
extern void mren_tuned_embed_relative_backward(MrenTransformerTrainer *trainer);

/* The rows of a layer. */
extern MrenReadRows mren_tuned_rows(const MrenTransformerTrainer *trainer, size_t l);

/* y (n, width) = layer number l of x; y may be x. */
extern void mren_tuned_layer(MrenTransformerTrainer *trainer, size_t l, const float *x, float *y);

/*
 * mren_tuned_layer_backward
 *	  memory.dx: from the gradient of the layer's output to that of its input, which is left out
 *	  for the first trained layer where nothing below is trained.
 */
extern void mren_tuned_layer_backward(MrenTransformerTrainer *trainer, size_t l);

/* kept->scores and kept->context from its queries, keys and values. */
extern void mren_tuned_attention(MrenTransformerTrainer *trainer, size_t l);

/* memory.dquery, dkey, dvalue and those of relative rows from memory.dcontext. */
extern void mren_tuned_attention_backward(MrenTransformerTrainer *trainer, size_t l);

/* Adds to a head's scores what they owe to distances. */
extern void mren_tuned_distances(MrenTransformerTrainer *trainer, size_t l,
								 const MrenTunedSentence *sentence, size_t head, float *scores);

/* The gradients that follow from memory.dscores, which are those of the scores. */
extern void mren_tuned_distances_backward(MrenTransformerTrainer *trainer, size_t l,
										  const MrenTunedSentence *sentence, size_t head);

/* What products of queries and keys are multiplied by. */
extern float mren_tuned_score_scale(const MrenTransformerConfig *config);

/* The token of key number j of row i, both from the beginning of the sentence. */
static inline size_t
mren_tuned_key(const MrenTunedSentence *sentence, size_t i, size_t j)
{
	if (j < sentence->n_text)
		return j;
	return i - (i - sentence->n_text) % sentence->group + (j - sentence->n_text);
}

/* Number of keys of row i. */
static inline size_t
mren_tuned_n_keys(const MrenTunedSentence *sentence, size_t i)
{
	return sentence->n_text + (i < sentence->n_text ? 0 : sentence->group);
}

/* Whether any distance counts. */
static inline bool
mren_tuned_has_distances(const MrenTransformerConfig *config)
{
	return config->architecture == MREN_TRANSFORMER_MPNET ||
		   (config->architecture == MREN_TRANSFORMER_DEBERTA &&
			(config->content_to_position || config->position_to_content));
}

/* Makes room for the pass of a checked batch and numbers its distances. */
extern MrenStatus mren_tuned_prepare(MrenTransformerTrainer *trainer,
									 const MrenTransformerBatch *batch, MrenError *err);

#endif
