/*
 * tuning_workers.c
 *	  A team of background workers, from both sides.
 */
#include "pg/workers/tuning_workers.h"

#include "miscadmin.h"
#include "optimizer/optimizer.h"

#include "pg/support/pg_env.h"
#include "pg/workers/worker_pool.h"

/* A shard's vectors fit as a rule, so that nobody waits for the other side to read. */
#define QUEUE ((Size) 1024 * 1024)

typedef struct Team
{
	MrenTuningTeam members;
	MemoryContext context;
	MrenWorkerPool *pool;
} Team;

static MrenStatus
engage(void *state, size_t n_bytes, size_t most, void **memory, size_t *n, MrenError *err)
{
	Team *team = state;
	const MrenWorkerPoolKind kind = {"mren_pool_tuning_main", QUEUE, n_bytes};
	MemoryContext old = MemoryContextSwitchTo(team->context);

	team->pool = mren_worker_pool_start(&kind, Min((int) most, max_parallel_maintenance_workers));
	MemoryContextSwitchTo(old);
	*n = 0;
	if (team->pool == NULL)
		return MREN_OK;
	*n = mren_worker_pool_n(team->pool);
	*memory = mren_worker_pool_body(team->pool);
	return MREN_OK;
}

static MrenStatus
give(void *state, size_t helper, const uint8_t *request, size_t n, MrenError *err)
{
	Team *team = state;

	/* That it is gone is an error of the answer. */
	(void) mren_worker_pool_send(team->pool, (int) helper, request, n);
	return MREN_OK;
}

static MrenStatus
take(void *state, size_t helper, const uint8_t **answer, size_t *n, MrenError *err)
{
	Team *team = state;
	void *data;

	while (!mren_worker_pool_receive(team->pool, (int) helper, &data, n))
	{
		CHECK_FOR_INTERRUPTS();
		mren_worker_pool_wait();
	}
	*answer = data;
	return MREN_OK;
}

static void
dismiss(void *state)
{
	mren_worker_pool_stop(((Team *) state)->pool);
}

const MrenTuningTeam *
mren_pool_tuning_team(MemoryContext context)
{
	Team *team = MemoryContextAllocZero(context, sizeof(Team));

	team->context = context;
	team->members = (MrenTuningTeam){
		.state = team, .engage = engage, .give = give, .take = take, .dismiss = dismiss};
	return &team->members;
}

static void
help(MrenPoolWorker *worker)
{
	MrenTuningHelper *helper = NULL;
	MrenError err;

	for (;;)
	{
		Size size;
		const uint8_t *request = mren_pool_worker_receive(worker, &size);
		const uint8_t *answer;

		if (helper == NULL)
			MREN_PG_CALL(err, mren_tuning_helper_create(&worker->env, worker->body, &helper, &err));
		MREN_PG_CALL(err, mren_tuning_helper_answer(helper, request, size, &answer, &size, &err));
		mren_pool_worker_give(worker, answer, size, NULL, 0);
	}
}

void
mren_pool_tuning_main(Datum segment)
{
	mren_pool_worker_main(segment, help);
}
