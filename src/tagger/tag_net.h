/*
 * tag_net.h
 *	  A tagger's network in training: windows over words, dense layers, and a
 *	  conditional random field over BILOU tags.
 *
 * A word's vector is its word embedding (fixed, scaled to unit variance), the mean of the learned
 * vectors of its features (hashed into buckets), its shape, its places in lexicons, and its vector
 * from a pretrained text encoder.  Each hidden layer reads a window of the words around; words
 * outside the sentence are zeros except for a mark in the first layer's input.  Single features and
 * pairs of neighbours also add to the scores of tags directly, as in a linear model, which learns
 * well from few rows.  Cheng et al., Wide & Deep Learning, 2016; Collobert et al., NLP (Almost)
 * from Scratch, JMLR 2011, for the window network.
 *
 * The words of a batch lie in a grid: its sentences one after the other, with
 * MREN_TAG_PAD rows of padding before, between and after them.
 */
#ifndef MREN_TAGGER_TAG_NET_H
#define MREN_TAGGER_TAG_NET_H

#include "tagger/bilou.h"
#include "nn/activation.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "tagger/tag_input.h"
#include "data/word_vectors.h"

#define MREN_TAG_PAD 8 /* the widest window, each side */
#define MREN_TAG_MAX_BUCKETS_LOG 22
#define MREN_TAG_MAX_FEATURE_DIM 1024

typedef struct MrenTagShape
{
	size_t embedding_dim; /* 0: no word embeddings */
	size_t feature_dim;	  /* of the features' learned vectors; 0: none */
	size_t n_buckets;	  /* of them, a power of two */
	size_t n_sparse;	  /* buckets of the direct features; 0, or a power of two */
	size_t n_lexicons;
	size_t encoder_dim; /* of a text encoder's vectors; 0: none */
	size_t n_types;		/* 1 .. MREN_MAX_TAG_TYPES */
	size_t n_hidden;
	size_t hidden[MREN_MAX_HIDDEN];
	size_t window[MREN_MAX_HIDDEN]; /* words each side, 0 .. MREN_TAG_PAD */
	MrenActivation activation;
} MrenTagShape;

/* MREN_EFORMAT unless every field is in its range. */
extern MrenStatus mren_tag_shape_check(const MrenTagShape *shape, MrenError *err);

/* Floats of a word's vector. */
extern size_t mren_tag_shape_dim(const MrenTagShape *shape);

/* Where in it the text encoder's vector is. */
extern size_t mren_tag_encoder_at(const MrenTagShape *shape);

typedef struct MrenTagIds
{
	size_t features; /* (n_buckets, feature_dim) */
	size_t sparse;	 /* (n_sparse, n_tags) */
	size_t weight[MREN_MAX_HIDDEN + 1];
	size_t bias[MREN_MAX_HIDDEN + 1];
	size_t transitions, start, end;
	size_t scale;		  /* (1, 1), not trained: of word embeddings */
	size_t encoder_scale; /* the same, of a text encoder's vectors; only with one */
} MrenTagIds;

typedef struct MrenTagLayout
{
	MrenParameterTable table;
	MrenTagIds ids;
} MrenTagLayout;

extern void mren_tag_layout_build(const MrenTagShape *shape, MrenTagLayout *layout);

/* Number of floats of all tensors, without padding. */
extern size_t mren_tag_n_floats(const MrenTagShape *shape);

/* Random initial values; scales are 1. */
extern void mren_tag_init(const MrenTagShape *shape, const MrenTagLayout *layout, float *values,
						  uint64_t seed);

/* What the vectors of words are made from. */
typedef struct MrenTagWordTables
{
	const MrenTagShape *shape;
	const MrenTagLayout *layout;
	const float *values;
	const MrenWordVectors *vectors;
} MrenTagWordTables;

/*
 * mren_tag_word_vector
 *	  The vector (dim floats) of word w, as training and tagging both compute it.
 *	  If `known` is false, the word embedding is left out, as if the word were
 *	  unknown.
 */
extern void mren_tag_word_vector(const MrenTagWordTables *tables, const MrenTagInput *input,
								 size_t w, bool known, float *out);

/* The vector of a word outside the sentence. */
extern void mren_tag_pad_vector(const MrenTagShape *shape, float *out);

/* Maximum number of direct features of a word. */
#define MREN_TAG_MAX_SPARSE (MREN_MAX_TAG_FEATURES + 32)

/*
 * mren_tag_sparse_context, mren_tag_sparse_own
 *	  Write the buckets of the direct features of word w, and return their number: those of the
 *	  words around it, and those of the word itself, which are the same wherever it stands.
 */
extern size_t mren_tag_sparse_context(const MrenTagShape *shape, const MrenTagInput *input,
									  size_t w, uint32_t *buckets);
extern size_t mren_tag_sparse_own(const MrenTagShape *shape, const MrenTagInput *input, size_t w,
								  uint32_t *buckets);

/* Dropout rates of a forward pass; a NULL pointer means no dropout. */
typedef struct MrenTagDropout
{
	float word;	  /* share of words whose embedding is left out */
	float input;  /* of words' vectors */
	float hidden; /* of hidden layers' outputs */
	float sparse; /* of direct features */
	MrenRandom random;
} MrenTagDropout;

/* The sentences of a step, and the workspace, which grows as needed. */
typedef struct MrenTagBatch
{
	const MrenEnv *env;
	const MrenTagShape *shape;
	const MrenTagLayout *layout;
	MrenCrfRules rules;
	MrenCrfWork crf;
	MrenWork work;

	/* Inputs */
	size_t n_sentences;
	const MrenTagInput *inputs; /* (n_sentences) */
	size_t n_words;				/* of all of them */

	/* Made by forward; matrices have a row a word, or a row of the grid */
	size_t capacity; /* words */
	size_t sentences_capacity;
	size_t *first_word;				   /* (n_sentences + 1) */
	float *grid[MREN_MAX_HIDDEN];	   /* input of each layer, padded */
	float *columns;					   /* (n_words, widest window's input) */
	float *mask[MREN_MAX_HIDDEN + 1];  /* of words' vectors, then of hidden outputs */
	float *activated[MREN_MAX_HIDDEN]; /* (n_words, hidden) before dropout */
	float *last;					   /* (n_words, hidden) input of the output layer */
	bool *known;					   /* (n_words) the embedding was used */
	uint32_t *sparse;				   /* (n_words, MREN_TAG_MAX_SPARSE) */
	uint32_t *n_sparse;				   /* (n_words) */
	float *emissions;				   /* (n_words, n_tags) */
	float *demissions;
	float *delta[2]; /* (n_words, widest hidden) */
	float *dgrid;	 /* (grid rows, widest layer's input) */
	double *dcrf;	 /* gradients of the random field */
	/* The caller's: (n_words, encoder_dim), set by backward; NULL: not wanted. */
	float *dencoded;
} MrenTagBatch;

extern MrenStatus mren_tag_batch_create(const MrenEnv *env, const MrenTagShape *shape,
										const MrenTagLayout *layout, MrenTagBatch *batch,
										MrenError *err);
extern void mren_tag_batch_free(const MrenEnv *env, MrenTagBatch *batch);

/* Computes the emissions of all words.  Checks for interrupts. */
extern MrenStatus mren_tag_forward(MrenTagBatch *batch, float *values,
								   const MrenWordVectors *vectors, const MrenTagInput *inputs,
								   size_t n_sentences, MrenTagDropout *drop, MrenError *err);

/*
 * mren_tag_loss
 *	  After forward: *loss = sum over sentences of weight * -log p(tags), with
 *	  tags (n_words); sets demissions and the gradients of the random field,
 *	  multiplied by scale.
 */
extern MrenStatus mren_tag_loss(MrenTagBatch *batch, const float *values, const uint32_t *tags,
								const float *weights, double scale, double *loss, MrenError *err);

/* Gradients (layout.trained_size) of all trained tensors, after loss. */
extern MrenStatus mren_tag_backward(MrenTagBatch *batch, float *values, float *grads,
									MrenError *err);

/* The random field of these rules, whose weights are among the values. */
extern MrenCrf mren_tag_crf(const MrenTagLayout *layout, const MrenCrfRules *rules,
							const float *values);

#endif
