/*
 * fuse.c
 *	  Rewriting the graph before it is planned: what follows a convolution or a
 *	  matrix product is computed while the product's result is in cache.
 *
 * A producer absorbs its reader only if nothing else reads the value between
 * them, so every requested tensor is still computed.  Each rewrite
 * makes the absorbed node dead and its output the producer's own.
 */
#include <math.h>
#include <string.h>

#include "onnx/compile.h"
#include "onnx/kernels/elementwise.h"
#include "onnx/ops/norm.h"
#include "onnx/ops/ops.h"

static bool
is_op(const MrenOnnxNode *node, const char *name)
{
	return node != NULL && node->op != NULL && strcmp(node->op->name, name) == 0;
}

/* The live node that computes the value for one reader alone, or NULL. */
static MrenOnnxNode *
sole_producer(const MrenOnnxValue *value)
{
	if (value == NULL || value->n_uses != 1 || value->producer == NULL || value->constant != NULL)
		return NULL;
	return value->producer->live ? value->producer : NULL;
}

/* producer takes over the result of node, which reads it as `value`. */
static void
absorb(MrenOnnxNode *producer, MrenOnnxNode *node)
{
	producer->outputs[0]->n_uses = 0;
	producer->outputs[0]->producer = NULL;
	producer->outputs[0] = node->outputs[0];
	node->outputs[0]->producer = producer;
	node->live = false;
}

static bool
has_epilogue(const MrenOnnxNode *node)
{
	return node->activation.kind != MREN_ONNX_UNARY_NONE || node->residual != NULL;
}

/*
 * The tensor as one factor a channel of x's shape, if it is that: a scalar, or
 * all dimensions 1 but the one that meets dimension 1 of x.
 */
static bool
is_per_channel(const MrenOnnxTensor *tensor, const MrenOnnxShape *x)
{
	int back = x->rank - tensor->shape.rank;

	if (tensor->floats == NULL || x->rank < 3 || back < 0)
		return false;
	if (tensor->n == 1)
		return true;
	for (int d = 0; d < tensor->shape.rank; d++)
	{
		if (tensor->shape.dims[d] != (d + back == 1 ? x->dims[1] : 1))
			return false;
	}
	return tensor->n == x->dims[1];
}

static MrenStatus
ensure_affine(MrenOnnxModel *model, MrenOnnxNode *conv, MrenError *err)
{
	size_t n = conv->outputs[0]->shape.dims[1];

	if (conv->scale != NULL)
		return MREN_OK;
	MREN_TRY(mren_onnx_pool_get(model->pool, n, sizeof(float), &conv->scale, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, n, sizeof(float), &conv->shift, err));
	for (size_t c = 0; c < n; c++)
		conv->scale[c] = 1.0f;
	return MREN_OK;
}

/* Conv, then BatchNormalization. */
static MrenStatus
fuse_batchnorm(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxNode *conv = sole_producer(node->inputs[0]);
	const MrenOnnxAffine *affine = node->data;

	if (!is_op(conv, "Conv") || has_epilogue(conv))
		return MREN_OK;
	MREN_TRY(ensure_affine(model, conv, err));
	for (size_t c = 0; c < affine->n; c++)
	{
		conv->scale[c] *= affine->scale[c];
		conv->shift[c] = conv->shift[c] * affine->scale[c] + affine->shift[c];
	}
	absorb(conv, node);
	return MREN_OK;
}

/* Conv, then a constant added to or multiplied into each channel. */
static MrenStatus
fuse_constant(MrenOnnxModel *model, MrenOnnxNode *node, bool *done, MrenError *err)
{
	for (int side = 0; side < 2; side++)
	{
		MrenOnnxNode *conv = sole_producer(node->inputs[side]);
		const MrenOnnxTensor *constant = node->inputs[1 - side]->constant;
		bool adds = node->op->kind == MREN_ONNX_BINARY_ADD;
		size_t n;

		if (!is_op(conv, "Conv") || has_epilogue(conv) || constant == NULL ||
			!mren_onnx_shape_equal(&node->outputs[0]->shape, &conv->outputs[0]->shape) ||
			!is_per_channel(constant, &conv->outputs[0]->shape))
			continue;
		MREN_TRY(ensure_affine(model, conv, err));
		n = conv->outputs[0]->shape.dims[1];
		for (size_t c = 0; c < n; c++)
		{
			float v = constant->floats[constant->n == 1 ? 0 : c];

			conv->scale[c] *= adds ? 1.0f : v;
			conv->shift[c] = adds ? conv->shift[c] + v : conv->shift[c] * v;
		}
		absorb(conv, node);
		*done = true;
		return MREN_OK;
	}
	return MREN_OK;
}

/*
 * Add of two values of one shape, the later one a convolution's: the earlier
 * becomes its residual.  It must be earlier in the order of nodes, so that it has been computed.
 */
static void
fuse_residual(MrenOnnxNode *node)
{
	for (int side = 1; side >= 0; side--)
	{
		MrenOnnxNode *conv = sole_producer(node->inputs[side]);
		MrenOnnxValue *other = node->inputs[1 - side];

		if (!is_op(conv, "Conv") || has_epilogue(conv) || other->constant != NULL ||
			other->shape.rank != 4 ||
			!mren_onnx_shape_equal(&other->shape, &conv->outputs[0]->shape))
			continue;
		if (other->producer != NULL && other->producer->index > conv->index)
			continue;
		conv->residual = other;
		absorb(conv, node);
		return;
	}
}

static bool
takes_activation(const MrenOnnxNode *node)
{
	return node != NULL && node->activation.kind == MREN_ONNX_UNARY_NONE &&
		   (is_op(node, "Conv") || is_op(node, "Gemm") || is_op(node, "MatMul") ||
			is_op(node, "BatchNormalization") || is_op(node, "Add")) &&
		   mren_onnx_type_is_float(node->outputs[0]->type);
}

static void
fuse_activation(MrenOnnxNode *node)
{
	MrenOnnxNode *producer = sole_producer(node->inputs[0]);

	if (node->activation.kind == MREN_ONNX_UNARY_NONE || !takes_activation(producer))
		return;
	producer->activation = node->activation;
	absorb(producer, node);
}

/*
 * x * Sigmoid(x) is SiLU, x * HardSigmoid(x) with slope 1/6 is HardSwish: the
 * product becomes a function of x alone.
 */
static void
fuse_multiplier(MrenOnnxNode *node)
{
	for (int side = 0; side < 2; side++)
	{
		MrenOnnxValue *x = node->inputs[1 - side];
		MrenOnnxNode *multiplier = sole_producer(node->inputs[side]);
		MrenOnnxUnary kind;

		if (multiplier == NULL || multiplier->n_inputs != 1 || multiplier->inputs[0] != x)
			continue;
		if (is_op(multiplier, "Sigmoid"))
			kind = MREN_ONNX_UNARY_SILU;
		else if (is_op(multiplier, "HardSigmoid") &&
				 fabsf(multiplier->activation.a * 6.0f - 1.0f) < 1e-5f &&
				 multiplier->activation.b == 0.5f)
			kind = MREN_ONNX_UNARY_HARDSWISH;
		else
			continue;
		multiplier->activation.kind = kind;
		x->n_uses--;
		absorb(multiplier, node);
		/* which may in turn be fused into what computes x */
		fuse_activation(multiplier);
		return;
	}
}

/*
 * Parts of a concatenation of channels that only it reads are written where
 * they belong.
 */
static void
assign_slots(MrenOnnxNode *node)
{
	MrenOnnxValue *whole = node->outputs[0];
	size_t start = 0;

	if (*(int *) node->data != 1 || whole->shape.rank != 4)
		return;
	for (size_t i = 0; i < node->n_inputs; i++)
	{
		MrenOnnxNode *producer = sole_producer(node->inputs[i]);

		if (is_op(producer, "Conv") || is_op(producer, "MaxPool") || is_op(producer, "AveragePool"))
		{
			node->inputs[i]->slot_of = whole;
			node->inputs[i]->slot = start;
		}
		start += node->inputs[i]->shape.dims[1];
	}
}

static MrenStatus
fuse_node(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	bool done = false;

	if (is_op(node, "BatchNormalization"))
		return fuse_batchnorm(model, node, err);
	if (is_op(node, "Add") || is_op(node, "Mul"))
	{
		MREN_TRY(fuse_constant(model, node, &done, err));
		if (!done && node->op->kind == MREN_ONNX_BINARY_ADD)
			fuse_residual(node);
		else if (!done)
			fuse_multiplier(node);
		return MREN_OK;
	}
	if (node->op->infer == mren_onnx_infer_unary)
		fuse_activation(node);
	return MREN_OK;
}

MrenStatus
mren_onnx_model_fuse(MrenOnnxModel *model, MrenError *err)
{
	for (size_t i = 0; i < model->n_nodes; i++)
	{
		MrenOnnxNode *node = model->nodes[i];

		if (!node->live || node->outputs[0] == NULL || node->outputs[0]->constant != NULL)
			continue;
		MREN_TRY(mren_check_interrupts(model->pool->env, err));
		MREN_TRY(fuse_node(model, node, err));
	}
	for (size_t i = 0; i < model->n_nodes; i++)
	{
		if (model->nodes[i]->live && is_op(model->nodes[i], "Concat"))
			assign_slots(model->nodes[i]);
	}
	return MREN_OK;
}
