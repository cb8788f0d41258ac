/*
 * encoder_trainer.h
 *	  Fine-tuning a pretrained encoder: forward as training runs it, and backward.
 *
 * A trainer holds the values that are trained and their gradients.  All other weights are the
 * caller's, are used in place and must outlive it.  The batches are those of prediction
 * (encoder.h), with levitated markers; nothing is computed for padding.
 *
 * A step is: clear the gradients, forward, backward (both as often as the batch has parts), an
 * optimizer's step over mren_transformer_trainer_parameters.  The same values, batches and seeds
 * give the same bits, also where activations are computed again instead of kept.
 */
#ifndef MREN_TRANSFORMER_TRAIN_ENCODER_TRAINER_H
#define MREN_TRANSFORMER_TRAIN_ENCODER_TRAINER_H

#include "nn/parameters.h"
#include "transformer/encoder.h"
#include "transformer/train/tuning.h"

typedef struct MrenTransformerTrainer MrenTransformerTrainer;

/* What a training takes to be fixed in one forward pass. */
typedef struct MrenTransformerStep
{
	/* (n_tokens, width) of mren_transformer_trainer_frozen; NULL: is computed */
	const float *frozen;
	bool dropout;  /* false: none, as in prediction */
	uint64_t seed; /* of the dropout; another one for each forward pass */
} MrenTransformerStep;

/*
 * mren_transformer_trainer_create
 *	  Copies what is trained from the weights, which are those of all tensors, one after the
 *	  other in the order of mren_transformer_tensor; or draws adapters from the tuning's seed.
 *	  Gradients are zero.  MREN_EPARAM for a tuning outside its domain; MREN_ENOMEM,
 *	  MREN_ECANCELED.
 */
extern MrenStatus mren_transformer_trainer_create(const MrenEnv *env,
												  const MrenTransformerConfig *config,
												  const MrenTransformerTuning *tuning,
												  const float *weights,
												  MrenTransformerTrainer **trainer, MrenError *err);

/* Where values and gradients are, each of mren_transformer_trainer_size floats. */
typedef struct MrenTrainedMemory
{
	float *values;
	float *gradients;
	bool set; /* the values, by another trainer over them */
} MrenTrainedMemory;

/*
 * mren_transformer_trainer_create_in
 *	  A trainer over memory that outlives it.  Several can be over the same values, each with
 *	  gradients of its own, which are zero only after mren_transformer_trainer_clear.
 */
extern MrenStatus
mren_transformer_trainer_create_in(const MrenEnv *env, const MrenTransformerConfig *config,
								   const MrenTransformerTuning *tuning, const float *weights,
								   const MrenTrainedMemory *memory,
								   MrenTransformerTrainer **trainer, MrenError *err);
extern size_t mren_transformer_trainer_size(const MrenTransformerConfig *config,
											const MrenTransformerTuning *tuning);

/* Releases a trainer; NULL is allowed. */
extern void mren_transformer_trainer_free(MrenTransformerTrainer *trainer);

/* The trained tensors, with the names of mren_transformer_tuning_tensor. */
extern MrenParameterList mren_transformer_trainer_parameters(const MrenTransformerTrainer *trainer);

/* Their values and gradients, in the places that the list gives. */
extern float *mren_transformer_trainer_values(MrenTransformerTrainer *trainer);
extern float *mren_transformer_trainer_gradients(MrenTransformerTrainer *trainer);

/* Trained tensor number i as it is saved; false after the last. */
extern bool mren_transformer_trainer_tensor(const MrenTransformerTrainer *trainer, size_t i,
											MrenTensorView *tensor);

/* Sets a trained tensor.  MREN_EFORMAT if no trained tensor has this name and shape. */
extern MrenStatus mren_transformer_trainer_set(MrenTransformerTrainer *trainer,
											   const MrenTensorView *tensor, MrenError *err);

/* Gradients to zero. */
extern MrenStatus mren_transformer_trainer_clear(MrenTransformerTrainer *trainer, MrenError *err);

/*
 * mren_transformer_trainer_frozen
 *	  out (n_tokens, width): what enters the first layer that is trained, without dropout, which
 *	  the same for all epochs.  With nothing frozen below it, out is the embeddings' output.
 *	  MREN_EDATA for a batch as in mren_transformer_forward; MREN_ENOMEM, MREN_ECANCELED.
 */
extern MrenStatus mren_transformer_trainer_frozen(MrenTransformerTrainer *trainer,
												  const MrenTransformerBatch *batch, float *out,
												  MrenError *err);

/*
 * mren_transformer_trainer_forward
 *	  out (n_tokens, width): the vectors of the last layer.  Keeps what backward needs, and the
 *	  addresses in the batch, which must stay until then.  Errors as above.
 */
extern MrenStatus mren_transformer_trainer_forward(MrenTransformerTrainer *trainer,
												   const MrenTransformerBatch *batch,
												   const MrenTransformerStep *step, float *out,
												   MrenError *err);

/*
 * mren_transformer_trainer_backward
 *	  Adds to the gradients those of the last forward pass, given the gradient dout (n_tokens,
 *	  width) of its out; that of vectors that are not read does not count.  Once for each forward
 *	  pass.  MREN_ENOMEM, MREN_ECANCELED; the gradients are then partly added.
 */
extern MrenStatus mren_transformer_trainer_backward(MrenTransformerTrainer *trainer,
													const float *dout, MrenError *err);

/* Whether what backward needs of a forward pass is there. */
extern bool mren_transformer_trainer_ready(const MrenTransformerTrainer *trainer);

/* Releases the memory of the last batch. */
extern void mren_transformer_trainer_forget(MrenTransformerTrainer *trainer);

/*
 * mren_transformer_trainer_memory
 *	  Bytes that a trainer takes for values and gradients, without any batch.  An optimizer
 *	  takes as much again (Adam) or half of it.
 */
extern size_t mren_transformer_trainer_memory(const MrenTransformerConfig *config,
											  const MrenTransformerTuning *tuning);

/*
 * mren_transformer_trainer_batch_memory
 *	  Bytes that a batch of these sentences takes in forward and backward.  With recompute, as
 *	  if the tuning's `activations` were exceeded.  The memory is kept for later batches.
 */
extern size_t mren_transformer_trainer_batch_memory(const MrenTransformerConfig *config,
													const MrenTransformerTuning *tuning,
													const MrenTransformerSentence *sentences,
													size_t n_sentences, bool recompute);

#endif
