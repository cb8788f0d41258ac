/*
 * batch.h
 *	  A network in training: a mini-batch forward and backward.
 *
 * Branches (text, image, grid) write their columns of the fused matrix; dense
 * layers compute logits from it.  Forward keeps what backward needs.  Each
 * backward sets (does not add to) the gradients of its own tensors, so nothing
 * is cleared between steps.  The matrices are allocated by mren_batch_create;
 * only the words of the convolutions grow later.
 */
#ifndef MREN_RELATION_BATCH_H
#define MREN_RELATION_BATCH_H

#include "base/random.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "relation/branch_conv.h"
#include "relation/branch_grid.h"
#include "relation/layout.h"

/* Dropout rates of a forward pass; a NULL pointer means no dropout, as in prediction. */
typedef struct MrenDropout
{
	float input;  /* share of the text's and the image's inputs, 0 .. 0.95 */
	float hidden; /* of hidden layers' outputs */
	float word;	  /* of the words' rows in the convolutions */
	MrenRandom random;
} MrenDropout;

/* A layer that reads the columns of the text, from which backward computes their gradient. */
typedef struct MrenTextReader
{
	const float *delta; /* (n, width) gradient of the layer's output before the activation */
	size_t width;
	size_t weight; /* tensor (text_dim or more, width) */
} MrenTextReader;

#define MREN_MAX_TEXT_READERS 5

/* The matrices of a branch that reads a vector (layout.h: MrenVectorBranch). */
typedef struct MrenVectorBatch
{
	float *in; /* (n, dim) after mren_net_vector_root, standardized; zero without a vector */
	bool *has; /* (n) */

	/* Made by forward */
	float *dropped;		/* (n, dim) after dropout */
	float *mask;		/* (n, dim) */
	float *units;		/* (n, units) */
	float *text_factor; /* (n, product) tanh of the text's projection */
	float *factor;		/* (n, product) */

	/* Backward */
	float *dunits;		 /* (n, units) */
	float *dshared;		 /* the same, from the product alone */
	float *dtext_factor; /* (n, product), before the tanh */
	float *dfactor;		 /* (n, product) */
} MrenVectorBatch;

/*
 * A mini-batch.  The caller fills n and the inputs; the rest is workspace.
 * Matrices are row-major with as many columns as given.
 */
typedef struct MrenBatch
{
	MrenWork work; /* results are not valid once it has stopped */
	const MrenNetShape *shape;
	const MrenNetLayout *layout;
	size_t capacity; /* rows */
	size_t pool_dim; /* columns of the pooled part of the text */
	size_t conv_dim; /* and of the convolved part */
	size_t text_dim;
	size_t dim;			   /* of the fused vector */
	MrenWordVectors words; /* set by mren_batch_words */
	float scale;
	const int32_t *fine_tuned_ids; /* (n_fine_tuned) ascending; set by the owner */
	bool dropped;				   /* the last forward had dropout: the masks are valid */

	/* Inputs */
	size_t n;
	float *text;	   /* (n, pool_dim) not standardized, without unknown words */
	float *unknown;	   /* (n, n_parts, MREN_MAX_SHAPES) */
	bool *has_unknown; /* (n) */
	MrenVectorBatch vectors[MREN_N_VECTORS]; /* `in` and `has` are inputs, the rest is not */

	/* Made by forward */
	float *fused;						 /* (n, dim): text, then what layout.h lists */
	float *text_mask;					 /* (n, text_dim) */
	float *activated[MREN_MAX_HIDDEN];	 /* (n, size) */
	float *hidden[MREN_MAX_HIDDEN];		 /* (n, size) after dropout */
	float *hidden_mask[MREN_MAX_HIDDEN]; /* (n, size) */
	float *logits;						 /* (n, n_relations) */

	/* Backward: dlogits is its input */
	float *dlogits;	 /* (n, n_relations) */
	float *delta[2]; /* (n, widest layer) of the hidden layers */
	float *dhidden;	 /* (n, hidden[0]) of the first layer; one of delta */
	float *dimage;	 /* (n, dim - text_dim) of the columns after the text */
	float *gathered; /* (n, widest layer) of the rows with unknown words */
	float *dtext;	 /* (n, pool_dim) of those rows */
	MrenTextReader readers[MREN_MAX_TEXT_READERS];
	size_t n_readers;

	MrenConvBatch conv;
	MrenGridBranchBatch grid_branch;
	float *text_inverse; /* (pool_dim) 1 / text.std */

	float *memory; /* all of the above matrices */
	bool *flags;
} MrenBatch;

/* env, shape and layout must outlive the batch. */
extern MrenStatus mren_batch_create(const MrenEnv *env, const MrenNetShape *shape,
									const MrenNetLayout *layout, size_t capacity, MrenBatch *batch,
									MrenError *err);
extern void mren_batch_free(const MrenEnv *env, MrenBatch *batch);

/*
 * Sets the word vectors that sentences are read with, before the first is
 * loaded; scale multiplies known ones.
 */
extern void mren_batch_words(MrenBatch *batch, const MrenWordVectors *words, float scale);

/*
 * mren_batch_load_text
 *	  Reads a sentence into row i.  Rows are loaded in order, from 0 on.  Types are -1 or
 *	  below n_types.
 */
extern MrenStatus mren_batch_load_text(MrenBatch *batch, size_t i, const MrenSentence *sentence,
									   int32_t head_type, int32_t tail_type, MrenError *err);

/* Computes 1 / text.std and the like from these values; to be called once they are measured. */
extern void mren_batch_scale(MrenBatch *batch, const float *values);

/*
 * mren_batch_init_weights
 *	  Random initial values of all trained tensors: N(0, 2 / fan in) for layers
 *	  with ReLU (He et al. 2015), N(0, 1 / fan in) for the others, zero for
 *	  biases.
 */
extern MrenStatus mren_batch_init_weights(const MrenEnv *env, const MrenNetShape *shape,
										  const MrenNetLayout *layout, float *values, uint64_t seed,
										  MrenError *err);

/*
 * Sets the weights and the bias of relation `fixed` (-1: none) to 0, so that
 * its logit is 0 for every input as long as it gets no gradient.
 */
extern void mren_batch_fix_relation(const MrenNetShape *shape, const MrenNetLayout *layout,
									float *values, int32_t fixed);

/* Computes batch->logits; values holds all tensors of the layout. */
extern void mren_batch_forward(MrenBatch *batch, float *values, MrenDropout *drop);

/* Gradients of all trained tensors (layout.table.trained_size) from batch->dlogits. */
extern void mren_batch_backward(MrenBatch *batch, float *values, float *grads);

/* The same for each branch. */
extern void mren_batch_text_forward(MrenBatch *batch, float *values, MrenDropout *drop);
extern void mren_batch_text_backward(MrenBatch *batch, float *values, float *grads);
/* Writes columns pool_dim .. text_dim - 1 of the fused matrix, before dropout. */
extern void mren_batch_conv_forward(MrenBatch *batch, float *values, MrenDropout *drop);
/*
 * From batch->conv.dlargest; adds to the gradient of text.shapes, sets those of
 * its other tensors.
 */
extern void mren_batch_conv_backward(MrenBatch *batch, float *values, float *grads);
/*
 * x (dim of the branch) becomes sign(x) sqrt|x| if the branch is shared, since most
 * features are small and a few are very large; another branch leaves x as it is.
 */
extern void mren_net_vector_root(const MrenVectorBranch *branch, float *x);
extern void mren_batch_vector_forward(MrenBatch *batch, MrenVectorKind kind, float *values,
									  MrenDropout *drop);
extern void mren_batch_vector_backward(MrenBatch *batch, MrenVectorKind kind, float *values,
									   float *grads);
extern void mren_batch_grid_forward(MrenBatch *batch, float *values, MrenDropout *drop);
extern void mren_batch_grid_backward(MrenBatch *batch, float *values, float *grads);

/*
 * A dense layer over the rows of the batch: its tensors, and its input, whose
 * rows are ld floats apart.
 */
typedef struct MrenBatchLayer
{
	size_t weight;
	size_t bias;
	const float *in;
	size_t ld;
} MrenBatchLayer;

/* mren_dense_forward and mren_dense_backward over the batch's rows. */
extern void mren_batch_dense(MrenBatch *batch, float *values, const MrenBatchLayer *layer,
							 float *out);
extern void mren_batch_dense_backward(MrenBatch *batch, float *values, float *grads,
									  const MrenBatchLayer *layer, const float *dout, float *din);

#endif
