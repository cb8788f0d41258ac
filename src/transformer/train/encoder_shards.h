/*
 * encoder_shards.h
 *	  The shards of a mini-batch: runs of whole sentences whose gradients are computed apart, by
 *	  whoever it may be, and then added up in the order of the shards.
 *
 * How a batch is cut depends on its sentences alone, and dropout on the number of the shard, so
 * that neither the number of processes that compute them nor the memory at hand changes a bit.
 *
 * A shard is run in parts of at most some thousand tokens, one after the other; backward runs all
 * but the last one forward again.  So it does with whole shards whose activations did not fit
 * beside those of the others.
 */
#ifndef MREN_TRANSFORMER_TRAIN_ENCODER_SHARDS_H
#define MREN_TRANSFORMER_TRAIN_ENCODER_SHARDS_H

#include "transformer/train/encoder_trainer.h"

#define MREN_MAX_SHARDS 4

typedef struct MrenTuningShard
{
	MrenTransformerTrainer *trainer; /* over the values of all, with gradients of its own */
	MrenTransformerBatch batch;
	MrenTransformerStep step; /* of its first part */
	bool large;				  /* it has more than its share of the memory */
} MrenTuningShard;

/* All of a batch, or those that one process computes. */
typedef struct MrenTuningShards
{
	MrenEnv env;
	MrenTransformerConfig config;
	MrenTransformerTuning tuning;
	size_t memory; /* bytes that activations may take; 0: no limit */
	size_t n;	   /* at most, of a batch */
	MrenTuningShard items[MREN_MAX_SHARDS];
	float *again; /* the output of a part that is run again */
	size_t again_capacity;
} MrenTuningShards;

/* A run of shards, which is a run of sentences. */
typedef struct MrenShardRun
{
	size_t first; /* shard */
	size_t n;
	size_t n_sentences[MREN_MAX_SHARDS]; /* of each of the n */
	MrenTransformerBatch batch;			 /* of their sentences */
	MrenTransformerStep step;			 /* the batch's, with the rows of these sentences */
} MrenShardRun;

/*
 * The shards that a batch can have: fewer where gradients are as large as the encoder, since each
 * has its own.
 */
extern size_t mren_tuning_most_shards(MrenTransformerTuningKind kind);

/* Floats of the values and of the gradients of each shard, one after the other. */
extern size_t mren_tuning_shards_size(const MrenTransformerConfig *config,
									  const MrenTransformerTuning *tuning);

/* What a set of shards is made of; all of it outlives them. */
typedef struct MrenTuningShardsInputs
{
	const MrenTransformerConfig *config;
	const MrenTransformerTuning *tuning; /* activations: bytes of all shards, 0: no limit */
	const float *weights;
	float *values; /* (mren_tuning_shards_size) with the gradients */
	bool set;	   /* by another set of shards over these values */
} MrenTuningShardsInputs;

/* Shards are empty, {0}, or are made anew.  Errors as of mren_transformer_trainer_create. */
extern MrenStatus mren_tuning_shards_create(const MrenEnv *env,
											const MrenTuningShardsInputs *inputs,
											MrenTuningShards *shards, MrenError *err);
extern void mren_tuning_shards_free(MrenTuningShards *shards);

/* Cuts the run's batch in at most `most` shards. */
extern void mren_tuning_cut(MrenShardRun *run, size_t most);

/* The part of a run that is shards first to first + n - 1 of it, and where its tokens begin. */
extern MrenShardRun mren_tuning_part_of_run(const MrenShardRun *run, size_t first, size_t n,
											size_t width, size_t *first_token);

/*
 * mren_tuning_shards_forward
 *	  out (n_tokens, width): the vectors of a run, whose arrays stay until backward.  MREN_ELIMIT
 *	  for a sentence whose activations exceed the memory; errors as of
 *	  mren_transformer_trainer_forward.
 */
extern MrenStatus mren_tuning_shards_forward(MrenTuningShards *shards, const MrenShardRun *run,
											 float *out, MrenError *err);

/* The gradients of each shard of the run of the last forward pass, given that of its out. */
extern MrenStatus mren_tuning_shards_backward(MrenTuningShards *shards, const MrenShardRun *run,
											  const float *dout, MrenError *err);

/* Adds the gradients of the first n shards up, in those of the first one.  MREN_ECANCELED. */
extern MrenStatus mren_tuning_shards_add_up(MrenTuningShards *shards, size_t n, MrenError *err);

/* What to do about MREN_ELIMIT, which it returns. */
extern MrenStatus mren_transformer_tuning_hint(MrenError *err);

#endif
