/*
 * tuning_team.h
 *	  Others that compute shards of a fine-tuning's batches: a table of functions given by the
 *	  caller, and what such a helper does.
 *
 * The one that trains leads.  For each batch it gives every helper a run of shards, computes one
 * itself, and takes their vectors; likewise with the vectors' gradient.  Values and gradients are
 * in memory that all share, so a helper sees each step of the optimizer, and the leader adds up
 * the gradients.  Who computes a shard does not change a bit (encoder_shards.h), and without
 * helpers the leader computes all of them.
 */
#ifndef MREN_TRANSFORMER_TRAIN_TUNING_TEAM_H
#define MREN_TRANSFORMER_TRAIN_TUNING_TEAM_H

#include "base/buffer.h"
#include "transformer/train/encoder_shards.h"

#define MREN_MAX_HELPERS (MREN_MAX_SHARDS - 1)

typedef struct MrenTuningTeam
{
	void *state;
	/*
	 * Engages at most `most` helpers, numbered from 0, and makes n_bytes that they share with the
	 * leader until they are dismissed, aligned as by MrenEnv.  *n 0: there are none, and no memory.
	 */
	MrenStatus (*engage)(void *state, size_t n_bytes, size_t most, void **memory, size_t *n,
						 MrenError *err);
	/*
	 * Gives a helper a request; takes its answer, which is valid until the next call.  Each request
	 * has one answer, taken before the next is given.  The failure of a helper is returned as one's
	 * own.
	 */
	MrenStatus (*give)(void *state, size_t helper, const uint8_t *request, size_t n,
					   MrenError *err);
	MrenStatus (*take)(void *state, size_t helper, const uint8_t **answer, size_t *n,
					   MrenError *err);
	void (*dismiss)(void *state);
} MrenTuningTeam;

/* A fine-tuning's team. */
typedef struct MrenEngagedTeam
{
	MrenTuningTeam team;
	size_t n;	   /* helpers */
	float *values; /* shared: as mren_tuning_shards_create takes them */
	MrenBuffer request;
} MrenEngagedTeam;

/*
 * mren_tuning_engage
 *	  Engages the team, unless its give is NULL, and shares the weights and room for the values with
 *	  it. Of the inputs, values and set are not read.  MREN_ENOMEM, and failures of the team.
 */
extern MrenStatus mren_tuning_engage(MrenEngagedTeam *team, const MrenTuningShardsInputs *inputs,
									 MrenError *err);
extern void mren_tuning_dismiss(const MrenEnv *env, MrenEngagedTeam *team);

/* As mren_tuning_shards_forward and ..._backward, by all of the team. */
extern MrenStatus mren_tuning_team_forward(MrenEngagedTeam *team, MrenTuningShards *shards,
										   const MrenShardRun *run, float *out, MrenError *err);
extern MrenStatus mren_tuning_team_backward(MrenEngagedTeam *team, MrenTuningShards *shards,
											const MrenShardRun *run, const float *dout,
											MrenError *err);

/*
 * Helpers
 */

typedef struct MrenTuningHelper MrenTuningHelper;

/*
 * mren_tuning_helper_create
 *	  A helper of the leader that shares this memory, once it has given a request.  MREN_ENOMEM,
 *	  MREN_ECANCELED.
 */
extern MrenStatus mren_tuning_helper_create(const MrenEnv *env, void *memory,
											MrenTuningHelper **helper, MrenError *err);
extern void mren_tuning_helper_free(MrenTuningHelper *helper);

/*
 * mren_tuning_helper_answer
 *	  The answer to a request; it is valid until the next one.  Errors as of
 *	  mren_tuning_shards_forward.
 */
extern MrenStatus mren_tuning_helper_answer(MrenTuningHelper *helper, const uint8_t *request,
											size_t n, const uint8_t **answer, size_t *answer_size,
											MrenError *err);

#endif
