/*
 * arena.c
 *	  Memory plan: offsets for buffers whose lifetimes are known.
 *
 * Largest first, each at the lowest offset where no buffer that lives at the
 * same time lies: the greedy-by-size strategy of Pisarchyk and Lee (Efficient
 * Memory Management for Deep Neural Net Inference, 2020).
 */
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "onnx/compile.h"

/* Lets a step write where its first input was, when nothing reads that later. */
static void
merge_in_place(MrenOnnxPlan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
	{
		const MrenOnnxStep *step = plan->steps[i];
		int in = step->n_in > 0 ? step->in[0].buffer : -1;
		int out = step->out.buffer;

		if (!step->in_place || in < 0 || in == out)
			continue;
		while (plan->buffers[in].merged >= 0)
			in = plan->buffers[in].merged;
		if (plan->buffers[out].merged >= 0 || plan->buffers[in].last != i ||
			plan->buffers[out].first != i || plan->buffers[in].bytes != plan->buffers[out].bytes ||
			step->in[0].offset != step->out.offset)
			continue;
		plan->buffers[in].last = plan->buffers[out].last;
		plan->buffers[out].merged = in;
	}
}

static int
by_size_descending(const void *a, const void *b)
{
	const MrenOnnxBuffer *x = *(MrenOnnxBuffer *const *) a;
	const MrenOnnxBuffer *y = *(MrenOnnxBuffer *const *) b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	if (x->first != y->first)
		return x->first > y->first ? 1 : -1;
	return (x > y) - (x < y);
}

/*
 * Lowest offset at which `buffer` meets none of the n placed ones that live at
 * the same time; `placed` is kept in order of offset.
 */
static bool
find_offset(const MrenOnnxBuffer *buffer, MrenOnnxBuffer *const *placed, size_t n, size_t *offset)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
	{
		size_t end;

		if (placed[i]->first > buffer->last || placed[i]->last < buffer->first)
			continue;
		if (placed[i]->offset >= at && placed[i]->offset - at >= buffer->bytes)
			break;
		end = placed[i]->offset + placed[i]->bytes;
		if (end > at)
			at = end;
	}
	*offset = at;
	return mren_size_add(at, buffer->bytes, &at);
}

static MrenStatus
place_buffers(MrenOnnxPlan *plan, MrenOnnxBuffer **order, MrenOnnxBuffer **placed, MrenError *err)
{
	size_t n = 0;
	size_t n_placed = 0;

	for (size_t i = 0; i < plan->n_buffers; i++)
	{
		if (plan->buffers[i].merged < 0)
			order[n++] = &plan->buffers[i];
	}
	qsort(order, n, sizeof(*order), by_size_descending);
	for (size_t i = 0; i < n; i++)
	{
		size_t at = n_placed;

		if (!find_offset(order[i], placed, n_placed, &order[i]->offset))
			return mren_fail_nomem(err);
		while (at > 0 && placed[at - 1]->offset > order[i]->offset)
		{
			placed[at] = placed[at - 1];
			at--;
		}
		placed[at] = order[i];
		n_placed++;
		if (order[i]->offset + order[i]->bytes > plan->arena_bytes)
			plan->arena_bytes = order[i]->offset + order[i]->bytes;
		MREN_TRY(mren_check_interrupts(plan->pool->env, err));
	}
	return MREN_OK;
}

static void
resolve(const MrenOnnxPlan *plan, MrenOnnxOperand *operand)
{
	int buffer = operand->buffer;

	if (buffer < 0)
		return;
	while (plan->buffers[buffer].merged >= 0)
		buffer = plan->buffers[buffer].merged;
	operand->offset += plan->buffers[buffer].offset;
}

MrenStatus
mren_onnx_plan_arena(MrenOnnxPlan *plan, MrenError *err)
{
	MrenOnnxBuffer **order;
	MrenOnnxBuffer **placed;

	plan->arena_bytes = 0;
	plan->scratch_bytes = 0;
	MREN_TRY(mren_onnx_pool_block(plan->model->pool, plan->n_buffers, sizeof(*order), &order, err));
	MREN_TRY(
		mren_onnx_pool_block(plan->model->pool, plan->n_buffers, sizeof(*placed), &placed, err));
	merge_in_place(plan);
	MREN_TRY(place_buffers(plan, order, placed, err));
	for (size_t i = 0; i < plan->n_buffers; i++)
	{
		int into = (int) i;

		while (plan->buffers[into].merged >= 0)
			into = plan->buffers[into].merged;
		plan->buffers[i].offset = plan->buffers[into].offset;
	}
	for (size_t i = 0; i < plan->n_steps; i++)
	{
		MrenOnnxStep *step = plan->steps[i];

		for (size_t k = 0; k < step->n_in; k++)
			resolve(plan, &step->in[k]);
		resolve(plan, &step->out);
		if (step->scratch > plan->scratch_bytes)
			plan->scratch_bytes = step->scratch;
	}
	mren_onnx_pool_release(plan->model->pool, order);
	mren_onnx_pool_release(plan->model->pool, placed);
	return MREN_OK;
}
