/*
 * marker_queue.c
 *	  Rows of one sentence that are read together, though they come one by one.
 */
#include "relation/marker/marker_queue.h"

#include <string.h>

/* As many pairs fill the encoder's blocks of rows. */
#define QUEUE_ROWS 60

struct MrenMarkerQueue
{
	MrenEnv env;
	int32_t *ids; /* of the sentence of all rows */
	size_t ids_capacity;
	MrenMarkedTokens tokens[QUEUE_ROWS];
	MrenMarkerRow rows[QUEUE_ROWS];
	float *out[QUEUE_ROWS];
	size_t n;
};

MrenStatus
mren_marker_queue_create(const MrenEnv *env, MrenMarkerQueue **queue, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**queue), queue, err));
	(*queue)->env = *env;
	return MREN_OK;
}

void
mren_marker_queue_free(MrenMarkerQueue *queue)
{
	MrenEnv env;

	if (queue == NULL)
		return;
	env = queue->env;
	mren_release(&env, queue->ids);
	mren_release(&env, queue);
}

MrenStatus
mren_marker_queue_run(MrenMarkerQueue *queue, const MrenEnv *env, MrenMarkerClassifier *classifier,
					  MrenError *err)
{
	size_t dim = mren_marker_dim(&classifier->shape);
	size_t n = queue->n;
	float *vectors;
	MrenStatus status;

	queue->n = 0;
	if (n == 0)
		return MREN_OK;
	MREN_TRY(mren_allocate(&queue->env, n * dim, sizeof(float), &vectors, err));
	status = mren_marker_vectors(env, classifier, queue->rows, n, vectors, dim, err);
	for (size_t i = 0; i < n && status == MREN_OK; i++)
		memcpy(queue->out[i], vectors + i * dim, dim * sizeof(float));
	mren_release(&queue->env, vectors);
	return status;
}

/* Copies the sentence of the rows that follow. */
static MrenStatus
keep_sentence(MrenMarkerQueue *queue, const MrenMarkedTokens *tokens, MrenError *err)
{
	if (tokens->n > queue->ids_capacity)
	{
		mren_release(&queue->env, queue->ids);
		queue->ids = NULL;
		queue->ids_capacity = 0;
		MREN_TRY(mren_allocate(&queue->env, tokens->n, sizeof(int32_t), &queue->ids, err));
		queue->ids_capacity = tokens->n;
	}
	memcpy(queue->ids, tokens->ids, tokens->n * sizeof(int32_t));
	return MREN_OK;
}

MrenStatus
mren_marker_queue_add(MrenMarkerQueue *queue, const MrenEnv *env, MrenMarkerClassifier *classifier,
					  const MrenMarkerRow *row, float *out, MrenError *err)
{
	if (!mren_marker_has_tokens(row))
	{
		memset(out, 0, mren_marker_dim(&classifier->shape) * sizeof(float));
		return MREN_OK;
	}
	if (queue->n == QUEUE_ROWS ||
		(queue->n > 0 && !mren_marker_same_sentence(&queue->tokens[0], row->tokens)))
		MREN_TRY(mren_marker_queue_run(queue, env, classifier, err));
	if (queue->n == 0)
		MREN_TRY(keep_sentence(queue, row->tokens, err));
	queue->tokens[queue->n] = *row->tokens;
	queue->tokens[queue->n].ids = queue->ids;
	queue->rows[queue->n] = *row;
	queue->rows[queue->n].tokens = &queue->tokens[queue->n];
	queue->out[queue->n++] = out;
	return MREN_OK;
}
