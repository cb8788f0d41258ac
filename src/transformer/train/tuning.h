/*
 * tuning.h
 *	  Which part of a pretrained encoder is trained, and the tensors that this makes.
 *
 * These tensors are all that a fine-tuned model stores; together with the pretrained weights
 * they give the weights of its encoder (mren_transformer_tuning_merge).
 */
#ifndef MREN_TRANSFORMER_TRAIN_TUNING_H
#define MREN_TRANSFORMER_TRAIN_TUNING_H

#include <stdint.h>

#include "base/env.h"
#include "nn/parameters.h"
#include "transformer/config.h"

typedef enum MrenTransformerTuningKind
{
	MREN_TUNING_FROZEN,	  /* nothing */
	MREN_TUNING_ALL,	  /* all tensors */
	MREN_TUNING_LAST,	  /* those of the last layers */
	MREN_TUNING_ADAPTERS, /* LoRA beside each matrix of the layers (Hu et al. 2022) */
} MrenTransformerTuningKind;

#define MREN_TUNING_MAX_RANK 1024

typedef struct MrenTransformerTuning
{
	MrenTransformerTuningKind kind;
	size_t last_layers; /* LAST: 1 to all */
	size_t rank;		/* ADAPTERS: 1 to MREN_TUNING_MAX_RANK, at most the width */
	float alpha;		/* ADAPTERS: a product of theirs counts alpha / rank */
	float hidden_dropout;
	float attention_dropout;
	uint64_t seed; /* of new adapters */
	size_t
		activations; /* bytes of a batch above which activations are computed again; 0: no limit */
} MrenTransformerTuning;

/* All layers, and the rates of dropout that the encoder's configuration has. */
extern void mren_transformer_tuning_init(const MrenTransformerConfig *config,
										 MrenTransformerTuning *tuning);

/* MREN_EPARAM, naming the value, unless all of the tuning is in its domain. */
extern MrenStatus mren_transformer_tuning_check(const MrenTransformerConfig *config,
												const MrenTransformerTuning *tuning,
												MrenError *err);

/* The first layer that is trained: all below it, and the embeddings, are frozen unless it is 0. */
extern size_t mren_transformer_tuning_first_layer(const MrenTransformerConfig *config,
												  const MrenTransformerTuning *tuning);

/*
 * mren_transformer_tuning_tensor
 *	  Trained tensor number i (from 0), in the order of mren_transformer_tensor; false after
 *	  the last.  Adapters of the matrix "layer.N.….weight" (outputs, inputs) are
 *	  "layer.N.….lora_a" (rank, inputs) and "layer.N.….lora_b" (outputs, rank); the matrix that
 *	  is used is weight + alpha / rank * lora_b * lora_a.
 */
extern bool mren_transformer_tuning_tensor(const MrenTransformerConfig *config,
										   const MrenTransformerTuning *tuning, size_t i,
										   MrenTransformerTensor *tensor);

/*
 * mren_transformer_tuning_merge
 *	  Turns the weights of a pretrained encoder, in the order of mren_transformer_tensor, into those
 *	  of the fine-tuned one: the trained tensors take the place of theirs, adapters are added.
 *	  MREN_EFORMAT unless the n tensors are those of the tuning, in their order; MREN_ECANCELED.
 */
extern MrenStatus mren_transformer_tuning_merge(const MrenEnv *env,
												const MrenTransformerConfig *config,
												const MrenTransformerTuning *tuning,
												const MrenTensorView *tensors, size_t n,
												float *weights, MrenError *err);

/*
 * mren_transformer_tuning_merge_flat
 *	  The same where the trained tensors stand one after the other in tuned (n floats).
 */
extern MrenStatus mren_transformer_tuning_merge_flat(const MrenEnv *env,
													 const MrenTransformerConfig *config,
													 const MrenTransformerTuning *tuning,
													 const float *tuned, size_t n, float *weights,
													 MrenError *err);

/*
 * The shape of a tuning, which fine-tuned models store: what decides which tensors are trained, and
 * how many floats these are.
 */
typedef struct MrenTuningShape
{
	size_t kind;   /* MrenTransformerTuningKind */
	size_t layers; /* LAST: how many; else 0 */
	size_t rank;   /* ADAPTERS; else 0 */
	double alpha;  /* the same */
	size_t n;	   /* floats of the trained tensors */
} MrenTuningShape;

/*
 * mren_tuning_shape_make
 *	  The tuning of this kind with at most `layers` trained layers or adapters of at most this
 *	  rank; fewer, or a lower one, if the encoder has no more.  Its n is left 0.
 */
extern MrenTuningShape mren_tuning_shape_make(const MrenTransformerConfig *config,
											  MrenTransformerTuningKind kind, size_t layers,
											  size_t rank);

/* MREN_EFORMAT, "invalid <of>: …", unless every field is in its range. */
extern MrenStatus mren_tuning_shape_check(const MrenTuningShape *shape, const char *of,
										  MrenError *err);

/* Whether two models train the same tensors in the same way. */
extern bool mren_tuning_shape_equal(const MrenTuningShape *a, const MrenTuningShape *b);

/* The tuning itself, without dropout. */
extern MrenTransformerTuning mren_tuning_shape_tuning(const MrenTuningShape *shape);

#endif
