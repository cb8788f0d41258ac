/*
 * encoder_tuning.h
 *	  How an encoder is fine-tuned, whatever the vectors are used for: its rate and the schedule
 *	  of it, clipping, restarts, and the best values so far.
 *
 * The rate rises linearly over the first tenth of the training and then falls linearly to 0.
 * Gradients are clipped by their norm (Pascanu et al. 2013).  A training that ends at chance,
 * which happens when the rate is too high, is begun anew at a third of it (Mosbach et al., On the
 * Stability of Fine-tuning BERT, ICLR 2021), or from pretrained values if it began with trained
 * ones.  What that means, and when to validate, the caller says.
 *
 * Batches are cut in shards, which go forward and backward in bounded memory (encoder_shards.h) and
 * may be computed by others (tuning_team.h).  What enters the first trained layer is kept for all
 * epochs (frozen_layers.h).
 */
#ifndef MREN_TRANSFORMER_TRAIN_ENCODER_TUNING_H
#define MREN_TRANSFORMER_TRAIN_ENCODER_TUNING_H

#include "nn/optimizer.h"
#include "transformer/train/encoder_trainer.h"
#include "transformer/train/frozen_layers.h"
#include "transformer/train/tuning_team.h"

#define MREN_ENCODER_TUNING_DECAY 0.01			 /* weight decay of matrices */
#define MREN_ENCODER_TUNING_ATTEMPTS 3			 /* at lower and lower rates */
#define MREN_ENCODER_TUNING_START_RATE (1.0 / 3) /* of the rate, from trained values */

typedef struct MrenEncoderTuning
{
	MrenEnv env;
	MrenTransformerConfig config;
	MrenTransformerTuning tuning;
	float *weights; /* as pretrained, owned; matrices of frozen layers are in another order */
	size_t memory;	/* bytes that all of this may take; 0: no limit */
	size_t fixed;	/* that are taken whatever the batches are */
	MrenEngagedTeam team;
	float *owned; /* values and the gradients of all shards, unless they are shared with the team */
	MrenTuningShards shards;
	MrenTransformerTrainer *trainer; /* of the first shard, with whose gradients a step is taken */
	bool fresh;						 /* the trainer has its first values */
	MrenOptimizerState optimizer;
	float *best; /* as the trainer's values */
	size_t n_tuned;
	double rate; /* of this attempt from pretrained values */
	int attempts;
	size_t frozen_layers;	  /* the first ones */
	MrenFrozenLayers *frozen; /* of them; NULL if there are none */
	/* The batch at hand, and what enters its first trained layer. */
	MrenShardRun run;
	float *rows;
	size_t rows_capacity;
	const float *start; /* (n_tuned) values to begin with; NULL: those that were pretrained */
} MrenEncoderTuning;

/* Good learning rates of an encoder of width 384. */
typedef struct MrenTuningRates
{
	double all; /* of its own weights */
	double adapters;
} MrenTuningRates;

/* The same of an encoder of this width. */
extern double mren_transformer_tuning_rate(const MrenTuningRates *rates,
										   MrenTransformerTuningKind kind, size_t width);

/*
 * mren_transformer_tuning_plan
 *	  What is fine-tuned and how.  Nothing is allocated yet, so that a training without enough
 *	  memory is refused before the weights are read.  Of the tuning, dropout is that of the
 *	  configuration.  All of this takes at most `memory` bytes; 0: no limit.  MREN_ELIMIT if that
 *	  is too little for any batch; MREN_EPARAM.
 */
extern MrenStatus mren_transformer_tuning_plan(const MrenEnv *env, MrenEncoderTuning *fine_tuning,
											   const MrenTransformerConfig *config,
											   const MrenTransformerTuning *tuning, size_t memory,
											   MrenError *err);
/*
 * Takes the pretrained weights, also on failure, and makes what was planned.  MREN_ENOMEM,
 * MREN_ECANCELED.
 */
extern MrenStatus mren_transformer_tuning_open(MrenEncoderTuning *fine_tuning, float *weights,
											   MrenError *err);
/*
 * The batches of this training are computed by a team, as far as it has helpers, from the first
 * mren_transformer_tuning_begin on.
 */
extern void mren_transformer_tuning_lead(MrenEncoderTuning *fine_tuning,
										 const MrenTuningTeam *team);
/* Counts bytes that the caller keeps for as long.  MREN_ELIMIT as above. */
extern MrenStatus mren_transformer_tuning_reserve(MrenEncoderTuning *fine_tuning, size_t bytes,
												  MrenError *err);
extern void mren_transformer_tuning_free(MrenEncoderTuning *fine_tuning);

/*
 * The trained values begin with these (n_tuned, as a model stores them), which outlive the
 * training, instead of what was pretrained; until it ends at chance.
 */
extern void mren_transformer_tuning_start(MrenEncoderTuning *fine_tuning, const float *start);

/*
 * Epochs of a training for which that many are asked: a fifth of them, rounded up, for one that
 * starts from trained values; and the greatest rate of it, which is then lower, too.
 */
extern int mren_transformer_tuning_epochs(const MrenEncoderTuning *fine_tuning, size_t epochs);
extern double mren_transformer_tuning_greatest_rate(const MrenEncoderTuning *fine_tuning);

/*
 * The trained values begin again from what they start with, and the optimizer from nothing.
 * MREN_ENOMEM, MREN_ECANCELED, and failures of the team.
 */
extern MrenStatus mren_transformer_tuning_begin(MrenEncoderTuning *fine_tuning, MrenError *err);

/*
 * mren_transformer_tuning_forward
 *	  out (n_tokens, width): the vectors of a batch, whose arrays stay until backward.  With
 *	  dropout if it has a seed, else as in prediction.  MREN_ELIMIT for a sentence whose
 *	  activations exceed the memory; errors as of mren_transformer_trainer_forward.
 */
extern MrenStatus mren_transformer_tuning_forward(MrenEncoderTuning *fine_tuning,
												  const MrenTransformerBatch *batch,
												  const uint64_t *dropout_seed, float *out,
												  MrenError *err);

/* The gradients of the last forward pass, given that of its out.  Errors as above. */
extern MrenStatus mren_transformer_tuning_backward(MrenEncoderTuning *fine_tuning,
												   const float *dout, MrenError *err);

/* The share of the rate after `done` (0 .. 1) of the training. */
extern double mren_transformer_tuning_share(double done);

/* Another list of tensors whose gradients are clipped with the encoder's; grads NULL: none. */
typedef struct MrenClippedBeside
{
	MrenParameterList list;
	float *grads;
} MrenClippedBeside;

/* Scales all gradients so that their norm is at most 1.  MREN_ECANCELED. */
extern MrenStatus mren_transformer_tuning_clip(MrenEncoderTuning *fine_tuning,
											   const MrenClippedBeside *beside, MrenError *err);

/* A step of the optimizer at this share of the rate.  MREN_ECANCELED. */
extern MrenStatus mren_transformer_tuning_step(MrenEncoderTuning *fine_tuning, double share,
											   MrenError *err);

/* These values, as the trainer's, are the best so far. */
extern void mren_transformer_tuning_keep(MrenEncoderTuning *fine_tuning, const float *values);

/*
 * mren_transformer_tuning_again
 *	  Whether a training that was judged by n rows is to begin again, since it is at chance; if
 *	  so, lowers the rate.
 */
extern bool mren_transformer_tuning_again(MrenEncoderTuning *fine_tuning, size_t n, bool at_chance);

/* The best values as a model stores them: to (n_tuned), without padding between the tensors. */
extern void mren_transformer_tuning_copy_best(const MrenEncoderTuning *fine_tuning, float *to);

#endif
