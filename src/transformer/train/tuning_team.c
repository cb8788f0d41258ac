/*
 * tuning_team.c
 *	  Requests and answers of a team that fine-tunes an encoder.
 *
 * A request is a Request and the arrays of a run, or the gradient of its vectors.  An answer is
 * the vectors, or a byte.  Both are read by the same program on the same machine.
 */
#include "transformer/train/tuning_team.h"

#include <string.h>

#include "base/size.h"
#include "nn/arena.h"

typedef struct Request
{
	bool backward;	  /* the gradient of the last run's vectors follows */
	bool types;		  /* in the batch */
	bool read;		  /* likewise */
	bool frozen;	  /* rows of the step */
	MrenShardRun run; /* its pointers are invalid */
} Request;

/* What the shared memory begins with; weights, values and gradients follow. */
typedef struct Shared
{
	MrenTransformerConfig config;
	MrenTransformerTuning tuning;
	size_t weights; /* place in the memory, in bytes */
	size_t values;
} Shared;

struct MrenTuningHelper
{
	MrenEnv env;
	MrenTuningShards shards;
	MrenBuffer request; /* of the last run, whose arrays backward needs */
	MrenShardRun run;
	float *vectors;
	size_t capacity;
};

/*
 * The memory that is shared
 */

MrenStatus
mren_tuning_engage(MrenEngagedTeam *team, const MrenTuningShardsInputs *inputs, MrenError *err)
{
	size_t n_weights = mren_transformer_parameters(inputs->config);
	size_t n_values = mren_tuning_shards_size(inputs->config, inputs->tuning);
	size_t most = mren_tuning_most_shards(inputs->tuning->kind) - 1;
	Shared shared = {.config = *inputs->config, .tuning = *inputs->tuning};
	void *memory;

	if (team->team.engage == NULL || most == 0)
		return MREN_OK;
	shared.weights = mren_align_floats(sizeof(Shared) / sizeof(float) + 1) * sizeof(float);
	shared.values = shared.weights + mren_align_floats(n_weights) * sizeof(float);
	MREN_TRY(team->team.engage(team->team.state, shared.values + n_values * sizeof(float), most,
							   &memory, &team->n, err));
	if (team->n == 0)
		return MREN_OK;
	memcpy(memory, &shared, sizeof(shared));
	memcpy((uint8_t *) memory + shared.weights, inputs->weights, n_weights * sizeof(float));
	team->values = (float *) (void *) ((uint8_t *) memory + shared.values);
	return MREN_OK;
}

void
mren_tuning_dismiss(const MrenEnv *env, MrenEngagedTeam *team)
{
	if (team->n > 0)
		team->team.dismiss(team->team.state);
	mren_buffer_free(env, &team->request);
	*team = (MrenEngagedTeam){0};
}

/*
 * The leader
 */

/* Of a run, the part of member number i: the leader is number 0; helpers follow. */
static MrenShardRun
part_of(const MrenEngagedTeam *team, const MrenShardRun *run, size_t i, size_t width,
		size_t *first_token)
{
	size_t members = team->n + 1 < run->n ? team->n + 1 : run->n;
	size_t first = i * run->n / members;

	return mren_tuning_part_of_run(run, first, (i + 1) * run->n / members - first, width,
								   first_token);
}

/* Helpers that have a part of the run. */
static size_t
n_busy(const MrenEngagedTeam *team, const MrenShardRun *run)
{
	return (team->n + 1 < run->n ? team->n + 1 : run->n) - 1;
}

static void
put_run(MrenBuffer *bytes, const Request *request, size_t width)
{
	const MrenTransformerBatch *batch = &request->run.batch;

	mren_buffer_put_bytes(bytes, request, sizeof(*request));
	mren_buffer_put_bytes(bytes, batch->sentences, batch->n_sentences * sizeof(*batch->sentences));
	mren_buffer_put_bytes(bytes, batch->ids, batch->n_tokens * sizeof(*batch->ids));
	mren_buffer_put_bytes(bytes, batch->positions, batch->n_tokens * sizeof(*batch->positions));
	if (request->frozen)
		mren_buffer_put_bytes(bytes, request->run.step.frozen,
							  batch->n_tokens * width * sizeof(float));
	if (request->types)
		mren_buffer_put_bytes(bytes, batch->types, batch->n_tokens);
	if (request->read)
		mren_buffer_put_bytes(bytes, batch->read, batch->n_tokens);
}

static MrenStatus
give_run(MrenEngagedTeam *team, const MrenTuningShards *shards, size_t helper,
		 const MrenShardRun *run, MrenError *err)
{
	const MrenTransformerBatch *batch = &run->batch;
	size_t width = shards->config.width;
	Request request = {.types = batch->types != NULL,
					   .read = batch->read != NULL,
					   .frozen = run->step.frozen != NULL,
					   .run = *run};
	size_t of_token = sizeof(int32_t) + sizeof(uint32_t) + 2 + width * sizeof(float);

	team->request.len = 0;
	MREN_TRY(mren_buffer_reserve(&shards->env, &team->request,
								 sizeof(request) + batch->n_sentences * sizeof(*batch->sentences) +
									 batch->n_tokens * of_token,
								 err));
	put_run(&team->request, &request, width);
	return team->team.give(team->team.state, helper, team->request.data, team->request.len, err);
}

static MrenStatus
give_gradient(MrenEngagedTeam *team, const MrenTuningShards *shards, size_t helper,
			  const MrenShardRun *run, const float *dout, MrenError *err)
{
	Request request = {.backward = true, .run = *run};
	size_t n = run->batch.n_tokens * shards->config.width * sizeof(float);

	team->request.len = 0;
	MREN_TRY(mren_buffer_reserve(&shards->env, &team->request, sizeof(request) + n, err));
	mren_buffer_put_bytes(&team->request, &request, sizeof(request));
	mren_buffer_put_bytes(&team->request, dout, n);
	return team->team.give(team->team.state, helper, team->request.data, team->request.len, err);
}

/* An answer of n bytes to `to`; NULL: it is not looked at. */
static MrenStatus
take(MrenEngagedTeam *team, size_t helper, void *to, size_t n, MrenError *err)
{
	const uint8_t *answer;
	size_t len;

	MREN_TRY(team->team.take(team->team.state, helper, &answer, &len, err));
	if (to == NULL)
		return MREN_OK;
	if (len != n)
		return mren_fail(err, MREN_EFORMAT, "the answer of a training helper is damaged");
	memcpy(to, answer, n);
	return MREN_OK;
}

MrenStatus
mren_tuning_team_forward(MrenEngagedTeam *team, MrenTuningShards *shards, const MrenShardRun *run,
						 float *out, MrenError *err)
{
	size_t width = shards->config.width;
	size_t n = n_busy(team, run);
	size_t first;
	MrenShardRun part;

	for (size_t i = 1; i <= n; i++)
	{
		part = part_of(team, run, i, width, &first);
		MREN_TRY(give_run(team, shards, i - 1, &part, err));
	}
	part = part_of(team, run, 0, width, &first);
	MREN_TRY(mren_tuning_shards_forward(shards, &part, out, err));
	for (size_t i = 1; i <= n; i++)
	{
		part = part_of(team, run, i, width, &first);
		MREN_TRY(take(team, i - 1, out + first * width, part.batch.n_tokens * width * sizeof(float),
					  err));
	}
	return MREN_OK;
}

MrenStatus
mren_tuning_team_backward(MrenEngagedTeam *team, MrenTuningShards *shards, const MrenShardRun *run,
						  const float *dout, MrenError *err)
{
	size_t width = shards->config.width;
	size_t n = n_busy(team, run);
	size_t first;
	MrenShardRun part;

	for (size_t i = 1; i <= n; i++)
	{
		part = part_of(team, run, i, width, &first);
		MREN_TRY(give_gradient(team, shards, i - 1, &part, dout + first * width, err));
	}
	part = part_of(team, run, 0, width, &first);
	MREN_TRY(mren_tuning_shards_backward(shards, &part, dout, err));
	for (size_t i = 1; i <= n; i++)
		MREN_TRY(take(team, i - 1, NULL, 0, err));
	return mren_tuning_shards_add_up(shards, run->n, err);
}

/*
 * A helper
 */

MrenStatus
mren_tuning_helper_create(const MrenEnv *env, void *memory, MrenTuningHelper **helper,
						  MrenError *err)
{
	const Shared *shared = memory;
	MrenTuningShardsInputs inputs = {
		.config = &shared->config,
		.tuning = &shared->tuning,
		.weights = (const float *) (const void *) ((const uint8_t *) memory + shared->weights),
		.values = (float *) (void *) ((uint8_t *) memory + shared->values),
		.set = true};
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**helper), helper, err));
	(*helper)->env = *env;
	status = mren_tuning_shards_create(env, &inputs, &(*helper)->shards, err);
	if (status != MREN_OK)
	{
		mren_tuning_helper_free(*helper);
		*helper = NULL;
	}
	return status;
}

void
mren_tuning_helper_free(MrenTuningHelper *helper)
{
	MrenEnv env;

	if (helper == NULL)
		return;
	env = helper->env;
	mren_tuning_shards_free(&helper->shards);
	mren_buffer_free(&env, &helper->request);
	mren_release(&env, helper->vectors);
	mren_release(&env, helper);
}

/* The run in a request that the helper keeps; its arrays stand in the order of their alignment. */
static void
read_run(MrenTuningHelper *helper)
{
	Request request;
	MrenShardRun *run = &helper->run;
	MrenTransformerBatch *batch = &run->batch;
	uint8_t *at = helper->request.data;

	memcpy(&request, at, sizeof(request));
	at += sizeof(request);
	*run = request.run;
	batch->sentences = (const MrenTransformerSentence *) (const void *) at;
	at += batch->n_sentences * sizeof(*batch->sentences);
	batch->ids = (const int32_t *) (const void *) at;
	at += batch->n_tokens * sizeof(*batch->ids);
	batch->positions = (const uint32_t *) (const void *) at;
	at += batch->n_tokens * sizeof(*batch->positions);
	run->step.frozen = NULL;
	if (request.frozen)
	{
		run->step.frozen = (const float *) (const void *) at;
		at += batch->n_tokens * helper->shards.config.width * sizeof(float);
	}
	batch->types = request.types ? at : NULL;
	at += request.types ? batch->n_tokens : 0;
	batch->read = request.read ? (const bool *) at : NULL;
}

static MrenStatus
answer_run(MrenTuningHelper *helper, const uint8_t *request, size_t n, const uint8_t **answer,
		   size_t *size, MrenError *err)
{
	size_t width = helper->shards.config.width;
	size_t n_floats;

	helper->request.len = 0;
	MREN_TRY(mren_buffer_append(&helper->env, &helper->request, request, n, err));
	read_run(helper);
	n_floats = helper->run.batch.n_tokens * width;
	MREN_TRY(mren_grow(&helper->env, &helper->vectors, &helper->capacity, 0, n_floats,
					   sizeof(float), err));
	MREN_TRY(mren_tuning_shards_forward(&helper->shards, &helper->run, helper->vectors, err));
	*answer = (const uint8_t *) helper->vectors;
	*size = n_floats * sizeof(float);
	return MREN_OK;
}

/* The gradient is copied to where the vectors were, since nobody needs them any more. */
static MrenStatus
answer_gradient(MrenTuningHelper *helper, const uint8_t *gradient, const uint8_t **answer,
				size_t *size, MrenError *err)
{
	memcpy(helper->vectors, gradient,
		   helper->run.batch.n_tokens * helper->shards.config.width * sizeof(float));
	MREN_TRY(mren_tuning_shards_backward(&helper->shards, &helper->run, helper->vectors, err));
	*answer = (const uint8_t *) "";
	*size = 1;
	return MREN_OK;
}

MrenStatus
mren_tuning_helper_answer(MrenTuningHelper *helper, const uint8_t *request, size_t n,
						  const uint8_t **answer, size_t *size, MrenError *err)
{
	Request head;

	memcpy(&head, request, sizeof(head));
	if (head.backward)
		return answer_gradient(helper, request + sizeof(head), answer, size, err);
	return answer_run(helper, request, n, answer, size, err);
}
