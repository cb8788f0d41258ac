/*
 * elementwise.c
 *	  Broadcasting, and the kernels of binary operators.
 */
#include "onnx/kernels/elementwise.h"

#include <math.h>
#include <stdlib.h>

#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/simd/simd.h"

#define CHUNK_ELEMENTS ((size_t) 4096)

MrenStatus
mren_onnx_broadcast_shape(const MrenOnnxNode *node, const MrenOnnxShape *a, MrenOnnxShape *inout,
						  MrenError *err)
{
	MrenOnnxShape out = *inout;
	int rank = a->rank > inout->rank ? a->rank : inout->rank;

	out.rank = rank;
	for (int d = 1; d <= rank; d++)
	{
		size_t x = d <= a->rank ? a->dims[a->rank - d] : 1;
		size_t y = d <= inout->rank ? inout->dims[inout->rank - d] : 1;

		if (x != y && x != 1 && y != 1)
		{
			char left[128];
			char right[128];

			return mren_onnx_node_fail(node, MREN_EDATA, err,
									   "shapes %s and %s do not fit together",
									   mren_onnx_shape_text(inout, left, sizeof(left)),
									   mren_onnx_shape_text(a, right, sizeof(right)));
		}
		out.dims[rank - d] = x == 1 ? y : x;
	}
	*inout = out;
	return MREN_OK;
}

/* A value of the result's rank: dimensions of 1 in front of its own. */
static MrenStatus
raise_rank(MrenOnnxPlan *plan, MrenOnnxValue *value, int rank, MrenOnnxValue **out, MrenError *err)
{
	MrenOnnxPlace place;

	*out = value;
	if (value->shape.rank == rank)
		return MREN_OK;
	MREN_TRY(mren_onnx_layout_place(plan, value, MREN_ONNX_PLAIN, &place, err));
	MREN_TRY(mren_onnx_model_new_value(plan->model, value->name, out, err));
	(*out)->type = value->type;
	(*out)->n = value->n;
	(*out)->shape.rank = rank;
	for (int d = 0; d < rank; d++)
	{
		int own = d - (rank - value->shape.rank);

		(*out)->shape.dims[d] = own < 0 ? 1 : value->shape.dims[own];
	}
	(*out)->place = place;
	return MREN_OK;
}

/* Drops dimensions of 1 and joins those that all operands walk as one. */
static void
merge_dims(MrenOnnxBroadcast *broadcast, size_t n)
{
	int kept = 0;
	MrenOnnxBroadcast merged = {0};

	for (int d = 0; d < broadcast->rank; d++)
	{
		bool merges = kept > 0;

		if (broadcast->dims[d] == 1)
			continue;
		for (size_t i = 0; merges && i < n; i++)
			merges = merged.strides[i][kept - 1] ==
					 broadcast->strides[i][d] * (int64_t) broadcast->dims[d];
		if (!merges)
			merged.dims[kept++] = 1;
		merged.dims[kept - 1] *= broadcast->dims[d];
		for (size_t i = 0; i < n; i++)
			merged.strides[i][kept - 1] = broadcast->strides[i][d];
	}
	if (kept == 0)
		merged.dims[kept++] = 1;
	merged.rank = kept;
	merged.layout = broadcast->layout;
	*broadcast = merged;
}

MrenStatus
mren_onnx_broadcast_plan(MrenOnnxPlan *plan, MrenOnnxValue *const *values, size_t n,
						 const MrenOnnxValue *out, MrenOnnxBroadcast *broadcast,
						 MrenOnnxPlace *places, MrenError *err)
{
	int rank = out->shape.rank;
	MrenOnnxLayout layout = MREN_ONNX_PLAIN;

	for (size_t i = 0; i < n; i++)
	{
		if (values[i]->shape.rank == rank && rank >= 3 && values[i]->constant == NULL &&
			mren_onnx_plan_layout(values[i]) == MREN_ONNX_CHANNELS_LAST)
			layout = MREN_ONNX_CHANNELS_LAST;
	}
	/* a result that is read again keeps the order it has */
	if (values[0] == out)
		layout = out->place.layout;
	for (int k = 0; k < rank; k++)
	{
		broadcast->dims[k] = out->shape.dims[mren_onnx_layout_dim(layout, rank, k)];
	}
	broadcast->rank = rank;
	broadcast->layout = layout;
	for (size_t i = 0; i < n; i++)
	{
		int64_t strides[MREN_ONNX_MAX_RANK];
		MrenOnnxValue *value;

		MREN_TRY(raise_rank(plan, values[i], rank, &value, err));
		MREN_TRY(mren_onnx_layout_place(plan, value, layout, &places[i], err));
		mren_onnx_layout_strides(&value->shape, layout, strides);
		for (int k = 0; k < rank; k++)
		{
			int d = mren_onnx_layout_dim(layout, rank, k);

			broadcast->strides[i][k] = value->shape.dims[d] == 1 ? 0 : strides[d];
		}
	}
	merge_dims(broadcast, n);
	return MREN_OK;
}

void
mren_onnx_broadcast_units(MrenOnnxBroadcast *broadcast, MrenOnnxStep *step)
{
	size_t inner = broadcast->dims[broadcast->rank - 1];

	broadcast->chunk = inner < CHUNK_ELEMENTS ? inner : CHUNK_ELEMENTS;
	broadcast->chunks_per_row = inner == 0 ? 0 : (inner + broadcast->chunk - 1) / broadcast->chunk;
	step->n_units = broadcast->chunks_per_row;
	for (int d = 0; d < broadcast->rank - 1; d++)
		step->n_units *= broadcast->dims[d];
	step->unit_cost = 32 + broadcast->chunk * 16;
}

void
mren_onnx_broadcast_chunk(const MrenOnnxBroadcast *broadcast, size_t n_operands, size_t unit,
						  MrenOnnxChunk *chunk)
{
	int last = broadcast->rank - 1;
	size_t row = unit / broadcast->chunks_per_row;
	size_t start = unit % broadcast->chunks_per_row * broadcast->chunk;
	size_t left = broadcast->dims[last] - start;

	chunk->n = left < broadcast->chunk ? left : broadcast->chunk;
	chunk->out = row * broadcast->dims[last] + start;
	for (size_t i = 0; i < n_operands; i++)
		chunk->offsets[i] = (int64_t) start * broadcast->strides[i][last];
	for (int d = last - 1; d >= 0; d--)
	{
		size_t index = row % broadcast->dims[d];

		row /= broadcast->dims[d];
		for (size_t i = 0; i < n_operands; i++)
			chunk->offsets[i] += (int64_t) index * broadcast->strides[i][d];
	}
}

/*
 * One loop for each way the innermost dimension is repeated, so that the
 * compiler sees plain arrays.
 */
#define LOOP(expression)                                                                           \
	do                                                                                             \
	{                                                                                              \
		if (sa == 1 && sb == 1)                                                                    \
		{                                                                                          \
			for (size_t i = 0; i < n; i++)                                                         \
			{                                                                                      \
				float x = a[i];                                                                    \
				float z = b[i];                                                                    \
                                                                                                   \
				y[i] = (expression);                                                               \
			}                                                                                      \
		}                                                                                          \
		else                                                                                       \
		{                                                                                          \
			for (size_t i = 0; i < n; i++)                                                         \
			{                                                                                      \
				float x = a[(int64_t) i * sa];                                                     \
				float z = b[(int64_t) i * sb];                                                     \
                                                                                                   \
				y[i] = (expression);                                                               \
			}                                                                                      \
		}                                                                                          \
	} while (0)

MREN_ONNX_HOT static void
binary_chunk(const MrenOnnxBinaryParams *params, const MrenOnnxChunk *chunk, const float *a,
			 const float *b, float *y)
{
	int last = params->broadcast.rank - 1;
	int64_t sa = params->broadcast.strides[0][last];
	int64_t sb = params->broadcast.strides[1][last];
	float factor = params->factor;
	size_t n = chunk->n;

	a += chunk->offsets[0];
	b += chunk->offsets[1];
	switch (params->kind)
	{
		case MREN_ONNX_BINARY_ADD:
			LOOP(x + z);
			break;
		case MREN_ONNX_BINARY_SUB:
			LOOP(x - z);
			break;
		case MREN_ONNX_BINARY_MUL:
			LOOP(x * z);
			break;
		case MREN_ONNX_BINARY_DIV:
			LOOP(x / z);
			break;
		case MREN_ONNX_BINARY_POW:
			LOOP(z == 2.0f ? x * x : powf(x, z));
			break;
		case MREN_ONNX_BINARY_MIN:
			LOOP(x < z || isnan(x) ? x : z);
			break;
		case MREN_ONNX_BINARY_MAX:
			LOOP(x > z || isnan(x) ? x : z);
			break;
		case MREN_ONNX_BINARY_MEAN:
			LOOP((x + z) * factor);
			break;
		case MREN_ONNX_BINARY_MOD:
			LOOP(fmodf(x, z));
			break;
		case MREN_ONNX_BINARY_PRELU:
			LOOP(x < 0 ? x * z : x);
			break;
		default:
			break;
	}
}

MrenStatus
mren_onnx_binary_float_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin,
							  size_t end, MrenError *err)
{
	const MrenOnnxBinaryParams *params = step->params;
	const float *a = mren_onnx_operand(frame, &step->in[0]);
	const float *b = mren_onnx_operand(frame, &step->in[1]);
	float *y = mren_onnx_operand(frame, &step->out);

	(void) err;
	for (size_t unit = begin; unit < end; unit++)
	{
		MrenOnnxChunk chunk;

		mren_onnx_broadcast_chunk(&params->broadcast, 2, unit, &chunk);
		binary_chunk(params, &chunk, a, b, y + chunk.out);
		if (params->activation.kind != MREN_ONNX_UNARY_NONE)
			mren_onnx_activate(&params->activation, y + chunk.out, y + chunk.out, chunk.n);
	}
	return MREN_OK;
}

#define COMPARE(x, z)                                                                              \
	(kind == MREN_ONNX_BINARY_EQUAL		   ? (x) == (z)                                            \
	 : kind == MREN_ONNX_BINARY_LESS	   ? (x) < (z)                                             \
	 : kind == MREN_ONNX_BINARY_LESS_EQUAL ? (x) <= (z)                                            \
	 : kind == MREN_ONNX_BINARY_GREATER	   ? (x) > (z)                                             \
										   : (x) >= (z))

MrenStatus
mren_onnx_compare_float_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin,
							   size_t end, MrenError *err)
{
	const MrenOnnxBinaryParams *params = step->params;
	const float *a = mren_onnx_operand(frame, &step->in[0]);
	const float *b = mren_onnx_operand(frame, &step->in[1]);
	int64_t *y = mren_onnx_operand(frame, &step->out);
	int last = params->broadcast.rank - 1;
	int kind = params->kind;

	(void) err;
	for (size_t unit = begin; unit < end; unit++)
	{
		MrenOnnxChunk chunk;

		mren_onnx_broadcast_chunk(&params->broadcast, 2, unit, &chunk);
		for (size_t i = 0; i < chunk.n; i++)
		{
			float x = a[chunk.offsets[0] + (int64_t) i * params->broadcast.strides[0][last]];
			float z = b[chunk.offsets[1] + (int64_t) i * params->broadcast.strides[1][last]];

			y[chunk.out + i] = COMPARE(x, z);
		}
	}
	return MREN_OK;
}

/* base to a non-negative power, wrapping like the products it stands for. */
static int64_t
power(int64_t base, int64_t exponent)
{
	uint64_t result = 1;
	uint64_t factor = (uint64_t) base;

	if (exponent < 0)
		return base == 1 ? 1 : base == -1 ? (exponent % 2 != 0 ? -1 : 1) : 0;
	for (; exponent > 0; exponent >>= 1)
	{
		if ((exponent & 1) != 0)
			result *= factor;
		factor *= factor;
	}
	return (int64_t) result;
}

/* Sums and products go through unsigned numbers, which wrap by definition. */
static int64_t
binary_int(int kind, int64_t x, int64_t z)
{
	switch (kind)
	{
		case MREN_ONNX_BINARY_ADD:
			return (int64_t) ((uint64_t) x + (uint64_t) z);
		case MREN_ONNX_BINARY_SUB:
			return (int64_t) ((uint64_t) x - (uint64_t) z);
		case MREN_ONNX_BINARY_MUL:
			return (int64_t) ((uint64_t) x * (uint64_t) z);
		case MREN_ONNX_BINARY_DIV:
			return z == -1 ? (int64_t) (0 - (uint64_t) x) : x / z;
		case MREN_ONNX_BINARY_MOD:
			/* the divisor's sign, as ONNX has it without fmod */
			return z == -1 ? 0 : x % z + (x % z != 0 && (x % z < 0) != (z < 0) ? z : 0);
		case MREN_ONNX_BINARY_POW:
			return power(x, z);
		case MREN_ONNX_BINARY_MIN:
			return x < z ? x : z;
		case MREN_ONNX_BINARY_MAX:
			return x > z ? x : z;
		case MREN_ONNX_BINARY_AND:
			return x != 0 && z != 0;
		case MREN_ONNX_BINARY_OR:
			return x != 0 || z != 0;
		case MREN_ONNX_BINARY_XOR:
			return (x != 0) != (z != 0);
		default:
			return COMPARE(x, z);
	}
}

MrenStatus
mren_onnx_binary_int_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin,
							size_t end, MrenError *err)
{
	const MrenOnnxBinaryParams *params = step->params;
	const int64_t *a = mren_onnx_operand(frame, &step->in[0]);
	const int64_t *b = mren_onnx_operand(frame, &step->in[1]);
	int64_t *y = mren_onnx_operand(frame, &step->out);
	int last = params->broadcast.rank - 1;

	for (size_t unit = begin; unit < end; unit++)
	{
		MrenOnnxChunk chunk;

		mren_onnx_broadcast_chunk(&params->broadcast, 2, unit, &chunk);
		for (size_t i = 0; i < chunk.n; i++)
		{
			int64_t x = a[chunk.offsets[0] + (int64_t) i * params->broadcast.strides[0][last]];
			int64_t z = b[chunk.offsets[1] + (int64_t) i * params->broadcast.strides[1][last]];

			if (z == 0 &&
				(params->kind == MREN_ONNX_BINARY_DIV || params->kind == MREN_ONNX_BINARY_MOD))
				return mren_fail(err, MREN_EDATA, "integer division by zero in the network");
			y[chunk.out + i] = mren_onnx_type_wrap(params->type, binary_int(params->kind, x, z));
		}
	}
	return MREN_OK;
}
