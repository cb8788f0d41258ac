/*
 * batch.h
 *	  Training's view of a network: a mini-batch forward and backward.
 *
 * Branches (text, image) write their columns of the fused matrix; a stack of
 * dense layers turns it into logits.  Forward keeps what backward needs.  Each
 * backward sets (not adds to) the gradients of its own tensors, so nothing is
 * cleared between steps.  Nothing is allocated after mren_batch_create.
 */
#ifndef MREN_RELATION_BATCH_H
#define MREN_RELATION_BATCH_H

#include "base/random.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "relation/branch_conv.h"
#include "relation/branch_grid.h"
#include "relation/layout.h"

/* What a forward drops; NULL means nothing, as in prediction. */
typedef struct MrenDropout
{
	float input;  /* of text and image inputs, 0 .. 0.95 */
	float hidden; /* of hidden layers' outputs */
	float word;	  /* of words' rows in the convolutions */
	MrenRandom random;
} MrenDropout;

/* A layer that reads the text's columns: backward leaves here what it wants of them. */
typedef struct MrenTextReader
{
	const float *delta; /* (n, width) gradient of its sums */
	size_t width;
	size_t weight; /* tensor (text_dim or more, width) */
} MrenTextReader;

#define MREN_MAX_TEXT_READERS 4

/*
 * A mini-batch.  The caller fills n and the inputs; the rest is workspace.
 * Matrices are row-major with as many columns as given.
 */
typedef struct MrenBatch
{
	MrenWork work; /* once it has stopped, results are not valid */
	const MrenNetShape *shape;
	const MrenNetLayout *layout;
	size_t capacity; /* rows */
	size_t pool_dim; /* of the pooled part of the text, */
	size_t conv_dim; /* and of the convolved one */
	size_t text_dim;
	size_t dim;			   /* of the fused vector */
	MrenWordVectors words; /* mren_batch_words; with the scale of known ones */
	float scale;
	const int32_t *fine_tuned_ids; /* (n_tuned) ascending; set by the owner */
	bool dropped;				   /* by the last forward: the masks are valid */

	/* Inputs */
	size_t n;
	float *text;	   /* (n, pool_dim) raw, without unknown words: mren_batch_load_text */
	float *unknown;	   /* (n, n_parts, MREN_MAX_SHAPES) */
	bool *has_unknown; /* (n) */
	float *image;	   /* (n, image_dim) rooted, standardised; zero without an image */
	bool *has_image;   /* (n) */

	/* Made by forward */
	float *fused;						 /* (n, dim): text, image units, presence, product */
	float *text_mask;					 /* (n, text_dim) */
	float *image_in;					 /* (n, image_dim) after dropout */
	float *image_mask;					 /* (n, image_dim) */
	float *units;						 /* (n, mren_net_shape_units) */
	float *factor_text;					 /* (n, product) tanh of the text's projection */
	float *factor_image;				 /* (n, product) */
	float *activated[MREN_MAX_HIDDEN];	 /* (n, size) */
	float *hidden[MREN_MAX_HIDDEN];		 /* (n, size) after dropout */
	float *hidden_mask[MREN_MAX_HIDDEN]; /* (n, size) */
	float *logits;						 /* (n, n_relations) */

	/* Backward: dlogits is its input */
	float *dlogits;		  /* (n, n_relations) */
	float *delta[2];	  /* (n, widest layer) on the way down */
	float *dhidden;		  /* (n, hidden[0]): one of delta, the first layer's */
	float *dimage;		  /* (n, dim - text_dim) of the image's columns */
	float *dunits;		  /* (n, mren_net_shape_units) */
	float *dshared;		  /* the same, of what the product wants of them */
	float *dfactor_text;  /* (n, product), before the tanh */
	float *dfactor_image; /* (n, product) */
	float *gathered;	  /* (n, widest layer): rows with unknown words */
	float *dtext;		  /* (n, pool_dim) of those rows */
	MrenTextReader readers[MREN_MAX_TEXT_READERS];
	size_t n_readers;

	MrenConvBatch conv;
	MrenGridBranchBatch grid_branch;
	float *text_inverse; /* (pool_dim) 1 / text.std */

	float *memory; /* holds all of the above but the flags */
	bool *flags;
} MrenBatch;

/* env, shape and layout must outlive the batch. */
extern MrenStatus mren_batch_create(const MrenEnv *env, const MrenNetShape *shape,
									const MrenNetLayout *layout, size_t capacity, MrenBatch *batch,
									MrenError *err);
extern void mren_batch_free(const MrenEnv *env, MrenBatch *batch);

/* The word vectors that sentences are read with; before the first is loaded. */
extern void mren_batch_words(MrenBatch *batch, const MrenWordVectors *words, float scale);

/*
 * mren_batch_load_text
 *	  Reads a sentence into row i.  Rows are loaded in order, from 0 on.  Types are -1 or
 *	  below n_types.
 */
extern MrenStatus mren_batch_load_text(MrenBatch *batch, size_t i, const MrenSentence *sentence,
									   int32_t head_type, int32_t tail_type, MrenError *err);

/* Takes over text.std of these values; call it once they are known. */
extern void mren_batch_scale(MrenBatch *batch, const float *values);

/*
 * mren_batch_init_weights
 *	  Random initial values of all trained tensors: He for ReLU layers (He et
 *	  al. 2015), N(0, 1/fan in) for the others, biases zero.
 */
extern MrenStatus mren_batch_init_weights(const MrenEnv *env, const MrenNetShape *shape,
										  const MrenNetLayout *layout, float *values, uint64_t seed,
										  MrenError *err);

/*
 * The output of relation `fixed` (-1: none) becomes 0 whatever the input, and
 * stays so as long as its logit gets no gradient.
 */
extern void mren_batch_fix_relation(const MrenNetShape *shape, const MrenNetLayout *layout,
									float *values, int32_t fixed);

/* logits of the batch; values is the whole layout. */
extern void mren_batch_forward(MrenBatch *batch, float *values, MrenDropout *drop);

/* Gradients of all trained tensors (layout.table.trained_size) from batch->dlogits. */
extern void mren_batch_backward(MrenBatch *batch, float *values, float *grads);

/* The branches' halves of the two. */
extern void mren_batch_text_forward(MrenBatch *batch, float *values, MrenDropout *drop);
extern void mren_batch_text_backward(MrenBatch *batch, float *values, float *grads);
/* Columns pool_dim .. text_dim - 1 of the fused matrix, before dropout. */
extern void mren_batch_conv_forward(MrenBatch *batch, float *values, MrenDropout *drop);
/* From batch->conv.dlargest; adds to the gradient of text.shapes, sets the others. */
extern void mren_batch_conv_backward(MrenBatch *batch, float *values, float *grads);
/*
 * x (n) becomes sign(x) sqrt|x|, which evens out features that are mostly small and
 * sometimes large; only of networks with image_units.
 */
extern void mren_image_root(const MrenNetShape *shape, float *x, size_t n);
extern void mren_batch_image_forward(MrenBatch *batch, float *values, MrenDropout *drop);
extern void mren_batch_image_backward(MrenBatch *batch, float *values, float *grads);
extern void mren_batch_grid_forward(MrenBatch *batch, float *values, MrenDropout *drop);
extern void mren_batch_grid_backward(MrenBatch *batch, float *values, float *grads);

/* A dense layer over the batch's rows: its tensors, and its input, whose rows lie ld apart. */
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
