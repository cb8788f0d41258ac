/*
 * ops.h
 *	  The operator families' entries, for the table in ops.c.  Internal.
 *
 * Each pair infers an operator's outputs and emits its steps; `kind` of the
 * operator tells the members of a family apart.
 */
#ifndef MREN_ONNX_OPS_H
#define MREN_ONNX_OPS_H

#include "onnx/plan.h"

#define MREN_FAMILY(family)                                                                        \
	extern MrenStatus mren_infer_##family(MrenModel *model, MrenNode *node, MrenError *err);       \
	extern MrenStatus mren_emit_##family(MrenPlan *plan, MrenNode *node, MrenError *err)

MREN_FAMILY(conv);
MREN_FAMILY(pool);
MREN_FAMILY(global_pool);
MREN_FAMILY(batchnorm);
MREN_FAMILY(layernorm);
MREN_FAMILY(instancenorm);
MREN_FAMILY(lrn);
MREN_FAMILY(gemm);
MREN_FAMILY(matmul);
MREN_FAMILY(unary);
MREN_FAMILY(binary);
MREN_FAMILY(where);
MREN_FAMILY(cast);
MREN_FAMILY(alias);
MREN_FAMILY(source);
MREN_FAMILY(transpose);
MREN_FAMILY(slice);
MREN_FAMILY(split);
MREN_FAMILY(pad);
MREN_FAMILY(expand);
MREN_FAMILY(gather);
MREN_FAMILY(depth);
MREN_FAMILY(concat);
MREN_FAMILY(reduce);
MREN_FAMILY(softmax);

typedef enum MrenUnaryOp
{
	MREN_OP_RELU = 1000, /* beyond MrenUnary: operators with parameters of their own */
	MREN_OP_CLIP,
	MREN_OP_NOT,
	MREN_OP_ISNAN,
	MREN_OP_ISINF,
} MrenUnaryOp;

typedef enum MrenBinary
{
	MREN_BINARY_ADD,
	MREN_BINARY_SUB,
	MREN_BINARY_MUL,
	MREN_BINARY_DIV,
	MREN_BINARY_POW,
	MREN_BINARY_MIN,
	MREN_BINARY_MAX,
	MREN_BINARY_MEAN,
	MREN_BINARY_MOD,
	MREN_BINARY_PRELU,
	MREN_BINARY_EQUAL, /* from here on the result is bool */
	MREN_BINARY_LESS,
	MREN_BINARY_LESS_EQUAL,
	MREN_BINARY_GREATER,
	MREN_BINARY_GREATER_EQUAL,
	MREN_BINARY_AND,
	MREN_BINARY_OR,
	MREN_BINARY_XOR,
} MrenBinary;

typedef enum MrenAlias
{
	MREN_ALIAS_IDENTITY,
	MREN_ALIAS_RESHAPE,
	MREN_ALIAS_FLATTEN,
	MREN_ALIAS_SQUEEZE,
	MREN_ALIAS_UNSQUEEZE,
} MrenAlias;

typedef enum MrenSource
{
	MREN_SOURCE_CONSTANT,
	MREN_SOURCE_SHAPE,
	MREN_SOURCE_SIZE,
	MREN_SOURCE_FILL,
	MREN_SOURCE_RANGE,
} MrenSource;

typedef enum MrenReduce
{
	MREN_REDUCE_MEAN,
	MREN_REDUCE_SUM,
	MREN_REDUCE_MAX,
	MREN_REDUCE_MIN,
	MREN_REDUCE_PROD,
	MREN_REDUCE_L1,
	MREN_REDUCE_L2,
	MREN_REDUCE_SUM_SQUARE,
	MREN_REDUCE_LOG_SUM,
	MREN_REDUCE_LOG_SUM_EXP,
	MREN_REDUCE_ARGMAX, /* from here on the result is int64, over one axis */
	MREN_REDUCE_ARGMIN,
} MrenReduce;

/* Copies a value into the other layout. */
extern MrenStatus mren_emit_layout(MrenPlan *plan, MrenValue *value, MrenLayout layout,
								   MrenPlace *place, MrenError *err);

#endif
