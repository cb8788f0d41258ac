/*
 * marker_queue.c
 *	  Rows that are read together, though they come one by one.
 */
#include "relation/marker/marker_queue.h"

#include <string.h>

/* Rows, and tokens of their sentences, that a queue waits for. */
#define QUEUE_ROWS 64
#define QUEUE_TOKENS 512

struct MrenMarkerQueue
{
	MrenEnv env;
	int32_t *ids; /* (n_ids) of the rows' sentences */
	size_t n_ids;
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
	queue->n_ids = 0;
	if (n == 0)
		return MREN_OK;
	MREN_TRY(mren_allocate(&queue->env, n * dim, sizeof(float), &vectors, err));
	status = mren_marker_vectors(env, classifier, queue->rows, n, vectors, dim, err);
	for (size_t i = 0; i < n && status == MREN_OK; i++)
		memcpy(queue->out[i], vectors + i * dim, dim * sizeof(float));
	mren_release(&queue->env, vectors);
	return status;
}

/* Copies a sentence, for which there is room unless it is the first. */
static MrenStatus
keep_sentence(MrenMarkerQueue *queue, MrenMarkedTokens *tokens, MrenError *err)
{
	size_t capacity = tokens->n > QUEUE_TOKENS ? tokens->n : QUEUE_TOKENS;

	if (queue->n_ids == 0 && capacity > queue->ids_capacity)
	{
		mren_release(&queue->env, queue->ids);
		queue->ids = NULL;
		queue->ids_capacity = 0;
		MREN_TRY(mren_allocate(&queue->env, capacity, sizeof(int32_t), &queue->ids, err));
		queue->ids_capacity = capacity;
	}
	memcpy(queue->ids + queue->n_ids, tokens->ids, tokens->n * sizeof(int32_t));
	tokens->ids = queue->ids + queue->n_ids;
	queue->n_ids += tokens->n;
	return MREN_OK;
}

/* Whether the row's sentence is that of the row before it. */
static bool
is_same(const MrenMarkerQueue *queue, const MrenMarkerRow *row)
{
	return queue->n > 0 && mren_marker_same_sentence(&queue->tokens[queue->n - 1], row->tokens);
}

static bool
has_room(const MrenMarkerQueue *queue, const MrenMarkerRow *row)
{
	if (queue->n == 0)
		return true;
	return queue->n < QUEUE_ROWS &&
		   (is_same(queue, row) || queue->n_ids + row->tokens->n <= queue->ids_capacity);
}

MrenStatus
mren_marker_queue_add(MrenMarkerQueue *queue, const MrenEnv *env, MrenMarkerClassifier *classifier,
					  const MrenMarkerRow *row, float *out, MrenError *err)
{
	MrenMarkedTokens tokens;

	if (!mren_marker_has_tokens(row))
	{
		memset(out, 0, mren_marker_dim(&classifier->shape) * sizeof(float));
		return MREN_OK;
	}
	if (!has_room(queue, row))
		MREN_TRY(mren_marker_queue_run(queue, env, classifier, err));
	tokens = *row->tokens;
	if (is_same(queue, row))
		tokens.ids = queue->tokens[queue->n - 1].ids;
	else
		MREN_TRY(keep_sentence(queue, &tokens, err));
	queue->tokens[queue->n] = tokens;
	queue->rows[queue->n] = *row;
	queue->rows[queue->n].tokens = &queue->tokens[queue->n];
	queue->out[queue->n++] = out;
	return MREN_OK;
}
