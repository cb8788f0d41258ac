/*
 * ops_gemm.c
 *	  Gemm and MatMul on BLAS.
 */
#include <string.h>

#include "base/blas.h"
#include "onnx/kernels/elementwise.h"
#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

/* Rows of the result that one unit of work computes. */
#define ROWS_PER_UNIT ((size_t) 128)

typedef struct GemmParams
{
	size_t m;
	size_t n;
	size_t k;
	bool trans_a;
	bool trans_b;
	float alpha;
	float beta;
	bool has_c;
	size_t c_row; /* strides of C, 0 where it is repeated */
	size_t c_column;
	MrenOnnxActivation activation;
} GemmParams;

static MrenStatus
gemm_read(const MrenOnnxNode *node, GemmParams *params, MrenError *err)
{
	const MrenOnnxShape *a = &node->inputs[0]->shape;
	const MrenOnnxShape *b = &node->inputs[1]->shape;
	int64_t trans_a = 0;
	int64_t trans_b = 0;

	params->alpha = 1.0f;
	params->beta = 1.0f;
	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_node_need_float(node, 1, err));
	MREN_TRY(mren_onnx_node_int(node, "transA", &trans_a, err));
	MREN_TRY(mren_onnx_node_int(node, "transB", &trans_b, err));
	MREN_TRY(mren_onnx_node_float(node, "alpha", &params->alpha, err));
	MREN_TRY(mren_onnx_node_float(node, "beta", &params->beta, err));
	params->trans_a = trans_a != 0;
	params->trans_b = trans_b != 0;
	if (a->rank != 2 || b->rank != 2 ||
		a->dims[params->trans_a ? 0 : 1] != b->dims[params->trans_b ? 1 : 0])
	{
		char left[128];
		char right[128];

		return mren_onnx_node_fail(node, MREN_EDATA, err, "shapes %s and %s cannot be multiplied",
								   mren_onnx_shape_text(a, left, sizeof(left)),
								   mren_onnx_shape_text(b, right, sizeof(right)));
	}
	params->m = a->dims[params->trans_a ? 1 : 0];
	params->k = a->dims[params->trans_a ? 0 : 1];
	params->n = b->dims[params->trans_b ? 0 : 1];
	return MREN_OK;
}

static MrenStatus
gemm_read_c(const MrenOnnxNode *node, GemmParams *params, MrenError *err)
{
	const MrenOnnxValue *c = mren_onnx_node_input(node, 2);
	size_t rows = 1;
	size_t columns = 1;

	params->has_c = c != NULL;
	if (c == NULL)
		return MREN_OK;
	MREN_TRY(mren_onnx_node_need_float(node, 2, err));
	if (c->shape.rank >= 1)
		columns = c->shape.dims[c->shape.rank - 1];
	if (c->shape.rank == 2)
		rows = c->shape.dims[0];
	if ((node->op->rules & MREN_ONNX_EQUAL_SHAPES) &&
		(c->shape.rank != 2 || rows != params->m || columns != params->n))
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "broadcasting is not supported before opset %d",
								   node->op->until + 1);
	if (c->shape.rank > 2 || (rows != 1 && rows != params->m) ||
		(columns != 1 && columns != params->n))
	{
		char text[128];

		return mren_onnx_node_fail(node, MREN_EDATA, err, "shape %s of C does not fit (%zu,%zu)",
								   mren_onnx_shape_text(&c->shape, text, sizeof(text)), params->m,
								   params->n);
	}
	params->c_column = columns == 1 ? 0 : 1;
	params->c_row = rows == 1 ? 0 : columns;
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_gemm(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	GemmParams *params;
	MrenOnnxShape shape = {2, {0}};

	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*params), &params, err));
	MREN_TRY(gemm_read(node, params, err));
	MREN_TRY(gemm_read_c(node, params, err));
	shape.dims[0] = params->m;
	shape.dims[1] = params->n;
	node->data = params;
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &shape, err);
}

static MrenStatus
gemm_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			MrenError *err)
{
	const GemmParams *params = step->params;
	const float *a = mren_onnx_operand(frame, &step->in[0]);
	const float *b = mren_onnx_operand(frame, &step->in[1]);
	const float *c = params->has_c ? mren_onnx_operand(frame, &step->in[2]) : NULL;
	float *y = mren_onnx_operand(frame, &step->out);
	size_t first = begin * ROWS_PER_UNIT;
	size_t stop = end * ROWS_PER_UNIT < params->m ? end * ROWS_PER_UNIT : params->m;
	size_t n = params->n;

	(void) err;
	for (size_t i = first; i < stop; i++)
	{
		for (size_t j = 0; j < n; j++)
			y[i * n + j] =
				c != NULL ? params->beta * c[i * params->c_row + j * params->c_column] : 0;
	}
	if (params->k > 0)
		mren_gemm(params->alpha, &(MrenProduct){.trans_a = params->trans_a,
												.trans_b = params->trans_b,
												.m = stop - first,
												.n = n,
												.k = params->k,
												.a = a + first * (params->trans_a ? 1 : params->k),
												.lda = params->trans_a ? params->m : params->k,
												.b = b,
												.ldb = params->trans_b ? params->k : n,
												.beta = 1.0f,
												.c = y + first * n,
												.ldc = n});
	if (params->activation.kind != MREN_ONNX_UNARY_NONE)
		mren_onnx_activate(&params->activation, y + first * n, y + first * n, (stop - first) * n);
	return MREN_OK;
}

static size_t
unit_cost(size_t rows, size_t n, size_t k)
{
	size_t cost;

	if (__builtin_mul_overflow(rows < ROWS_PER_UNIT ? rows : ROWS_PER_UNIT, n, &cost) ||
		__builtin_mul_overflow(cost, k, &cost))
		return SIZE_MAX;
	return cost;
}

MrenStatus
mren_onnx_emit_gemm(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	GemmParams *params;
	MrenOnnxPlace places[3];
	MrenOnnxStep *step;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	*params = *(GemmParams *) node->data;
	params->activation = node->activation;
	for (size_t i = 0; i < (params->has_c ? 3 : 2); i++)
		MREN_TRY(mren_onnx_layout_place(plan, node->inputs[i], MREN_ONNX_PLAIN, &places[i], err));
	MREN_TRY(
		mren_onnx_plan_step(plan,
							&(MrenOnnxStepSpec){gemm_kernel, params, places, params->has_c ? 3 : 2,
												node->outputs[0], MREN_ONNX_PLAIN},
							&step, err));
	step->n_units = (params->m + ROWS_PER_UNIT - 1) / ROWS_PER_UNIT;
	step->unit_cost = unit_cost(params->m, params->n, params->k);
	return MREN_OK;
}

/*
 * MatMul: a stack of products.  The stacking dimensions are broadcast; a
 * vector counts as one row on the left, one column on the right.
 */
typedef struct MatmulParams
{
	size_t m;
	size_t n;
	size_t k;
	size_t n_batches;
	size_t row_units; /* units a product */
	size_t *a_index;  /* by product: which matrix of a, of b */
	size_t *b_index;
	MrenOnnxActivation activation;
} MatmulParams;

static MrenStatus
matmul_shape(const MrenOnnxNode *node, MatmulParams *params, MrenOnnxShape *out,
			 MrenOnnxShape *stack, MrenError *err)
{
	const MrenOnnxShape *a = &node->inputs[0]->shape;
	const MrenOnnxShape *b = &node->inputs[1]->shape;
	MrenOnnxShape left = *a;
	size_t inner = b->rank == 1 ? b->dims[0] : b->dims[b->rank >= 2 ? b->rank - 2 : 0];

	if (a->rank == 0 || b->rank == 0 || a->dims[a->rank - 1] != inner)
	{
		char first[128];
		char second[128];

		return mren_onnx_node_fail(node, MREN_EDATA, err, "shapes %s and %s cannot be multiplied",
								   mren_onnx_shape_text(a, first, sizeof(first)),
								   mren_onnx_shape_text(b, second, sizeof(second)));
	}
	params->k = inner;
	params->m = a->rank == 1 ? 1 : a->dims[a->rank - 2];
	params->n = b->rank == 1 ? 1 : b->dims[b->rank - 1];
	left.rank = a->rank > 2 ? a->rank - 2 : 0;
	*stack = *b;
	stack->rank = b->rank > 2 ? b->rank - 2 : 0;
	MREN_TRY(mren_onnx_broadcast_shape(node, &left, stack, err));
	*out = *stack;
	if (a->rank > 1)
		out->dims[out->rank++] = params->m;
	if (b->rank > 1)
		out->dims[out->rank++] = params->n;
	return MREN_OK;
}

/* Which matrix of an operand the i-th product uses. */
static size_t
stack_index(const MrenOnnxShape *operand, const MrenOnnxShape *stack, size_t i)
{
	int own_rank = operand->rank > 2 ? operand->rank - 2 : 0;
	size_t index = 0;
	size_t stride = 1;

	for (int d = 1; d <= own_rank; d++)
	{
		size_t dim = operand->dims[own_rank - d];
		size_t at = i % stack->dims[stack->rank - d];

		i /= stack->dims[stack->rank - d];
		if (dim != 1)
			index += at * stride;
		stride *= dim;
	}
	return index;
}

MrenStatus
mren_onnx_infer_matmul(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MatmulParams params = {0};
	MrenOnnxShape shape;
	MrenOnnxShape stack;

	(void) model;
	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_node_need_float(node, 1, err));
	MREN_TRY(matmul_shape(node, &params, &shape, &stack, err));
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &shape, err);
}

static MrenStatus
matmul_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			  MrenError *err)
{
	const MatmulParams *params = step->params;
	const float *a = mren_onnx_operand(frame, &step->in[0]);
	const float *b = mren_onnx_operand(frame, &step->in[1]);
	float *y = mren_onnx_operand(frame, &step->out);
	size_t n = params->n;
	size_t k = params->k;

	(void) err;
	for (size_t unit = begin; unit < end; unit++)
	{
		size_t batch = unit / params->row_units;
		size_t row = unit % params->row_units * ROWS_PER_UNIT;
		size_t rows = params->m - row < ROWS_PER_UNIT ? params->m - row : ROWS_PER_UNIT;
		float *out = y + (batch * params->m + row) * n;

		if (k > 0)
			mren_gemm(1.0f, &(MrenProduct){.m = rows,
										   .n = n,
										   .k = k,
										   .a = a + (params->a_index[batch] * params->m + row) * k,
										   .lda = k,
										   .b = b + params->b_index[batch] * k * n,
										   .ldb = n,
										   .c = out,
										   .ldc = n});
		else
			memset(out, 0, rows * n * sizeof(float));
		if (params->activation.kind != MREN_ONNX_UNARY_NONE)
			mren_onnx_activate(&params->activation, out, out, rows * n);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_matmul(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MatmulParams *params;
	MrenOnnxShape shape;
	MrenOnnxShape stack;
	MrenOnnxPlace places[2];
	MrenOnnxStep *step;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	MREN_TRY(matmul_shape(node, params, &shape, &stack, err));
	params->activation = node->activation;
	if (!mren_onnx_shape_size(&stack, &params->n_batches))
		return mren_fail_nomem(err);
	MREN_TRY(
		mren_onnx_pool_get(plan->pool, params->n_batches, sizeof(size_t), &params->a_index, err));
	MREN_TRY(
		mren_onnx_pool_get(plan->pool, params->n_batches, sizeof(size_t), &params->b_index, err));
	for (size_t i = 0; i < params->n_batches; i++)
	{
		params->a_index[i] = stack_index(&node->inputs[0]->shape, &stack, i);
		params->b_index[i] = stack_index(&node->inputs[1]->shape, &stack, i);
	}
	for (size_t i = 0; i < 2; i++)
		MREN_TRY(mren_onnx_layout_place(plan, node->inputs[i], MREN_ONNX_PLAIN, &places[i], err));
	MREN_TRY(mren_onnx_plan_step(
		plan,
		&(MrenOnnxStepSpec){matmul_kernel, params, places, 2, node->outputs[0], MREN_ONNX_PLAIN},
		&step, err));
	params->row_units = (params->m + ROWS_PER_UNIT - 1) / ROWS_PER_UNIT;
	step->n_units = params->n_batches * params->row_units;
	step->unit_cost = unit_cost(params->m, params->n, params->k);
	return MREN_OK;
}
