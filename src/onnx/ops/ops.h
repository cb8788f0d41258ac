/*
 * ops.h
 *	  The operator families' entries, for the table in ops.c.  Internal.
 *
 * Each pair infers an operator's outputs and emits its steps; `kind` of the
 * operator tells the members of a family apart.
 */
#ifndef MREN_ONNX_OPS_OPS_H
#define MREN_ONNX_OPS_OPS_H

#include "onnx/model/plan.h"

#define MREN_ONNX_FAMILY(family)                                                                   \
	extern MrenStatus mren_onnx_infer_##family(MrenOnnxModel *model, MrenOnnxNode *node,           \
											   MrenError *err);                                    \
	extern MrenStatus mren_onnx_emit_##family(MrenOnnxPlan *plan, MrenOnnxNode *node,              \
											  MrenError *err)

MREN_ONNX_FAMILY(conv);
MREN_ONNX_FAMILY(pool);
MREN_ONNX_FAMILY(global_pool);
MREN_ONNX_FAMILY(batchnorm);
MREN_ONNX_FAMILY(layernorm);
MREN_ONNX_FAMILY(instancenorm);
MREN_ONNX_FAMILY(lrn);
MREN_ONNX_FAMILY(gemm);
MREN_ONNX_FAMILY(matmul);
MREN_ONNX_FAMILY(unary);
MREN_ONNX_FAMILY(binary);
MREN_ONNX_FAMILY(where);
MREN_ONNX_FAMILY(cast);
MREN_ONNX_FAMILY(alias);
MREN_ONNX_FAMILY(source);
MREN_ONNX_FAMILY(transpose);
MREN_ONNX_FAMILY(slice);
MREN_ONNX_FAMILY(split);
MREN_ONNX_FAMILY(pad);
MREN_ONNX_FAMILY(expand);
MREN_ONNX_FAMILY(gather);
MREN_ONNX_FAMILY(depth);
MREN_ONNX_FAMILY(concat);
MREN_ONNX_FAMILY(reduce);
MREN_ONNX_FAMILY(softmax);

typedef enum MrenOnnxUnaryOp
{
	MREN_ONNX_OP_RELU = 1000, /* beyond MrenOnnxUnary: operators with parameters of their own */
	MREN_ONNX_OP_CLIP,
	MREN_ONNX_OP_NOT,
	MREN_ONNX_OP_ISNAN,
	MREN_ONNX_OP_ISINF,
} MrenOnnxUnaryOp;

typedef enum MrenOnnxAlias
{
	MREN_ONNX_ALIAS_IDENTITY,
	MREN_ONNX_ALIAS_RESHAPE,
	MREN_ONNX_ALIAS_FLATTEN,
	MREN_ONNX_ALIAS_SQUEEZE,
	MREN_ONNX_ALIAS_UNSQUEEZE,
} MrenOnnxAlias;

typedef enum MrenOnnxSource
{
	MREN_ONNX_SOURCE_CONSTANT,
	MREN_ONNX_SOURCE_SHAPE,
	MREN_ONNX_SOURCE_SIZE,
	MREN_ONNX_SOURCE_FILL,
	MREN_ONNX_SOURCE_RANGE,
} MrenOnnxSource;

typedef enum MrenOnnxReduce
{
	MREN_ONNX_REDUCE_MEAN,
	MREN_ONNX_REDUCE_SUM,
	MREN_ONNX_REDUCE_MAX,
	MREN_ONNX_REDUCE_MIN,
	MREN_ONNX_REDUCE_PROD,
	MREN_ONNX_REDUCE_L1,
	MREN_ONNX_REDUCE_L2,
	MREN_ONNX_REDUCE_SUM_SQUARE,
	MREN_ONNX_REDUCE_LOG_SUM,
	MREN_ONNX_REDUCE_LOG_SUM_EXP,
	MREN_ONNX_REDUCE_ARGMAX, /* from here on the result is int64, over one axis */
	MREN_ONNX_REDUCE_ARGMIN,
} MrenOnnxReduce;

typedef enum MrenOnnxPooling
{
	MREN_ONNX_POOLING_MAX,
	MREN_ONNX_POOLING_AVERAGE,
} MrenOnnxPooling;

typedef enum MrenOnnxRepeat
{
	MREN_ONNX_REPEAT_EXPAND,
	MREN_ONNX_REPEAT_TILE,
} MrenOnnxRepeat;

typedef enum MrenOnnxDepth
{
	MREN_ONNX_DEPTH_TO_SPACE,
	MREN_ONNX_SPACE_TO_DEPTH,
} MrenOnnxDepth;

typedef enum MrenOnnxSoftmax
{
	MREN_ONNX_SOFTMAX,
	MREN_ONNX_SOFTMAX_LOG,
} MrenOnnxSoftmax;

/* The operator's definition at that opset; NULL if there is none. */
extern const MrenOnnxOp *mren_onnx_op_find(const char *name, int64_t opset);

/* The first and last opset at which the operator is defined; false if it never is. */
extern bool mren_onnx_op_opsets(const char *name, int *since, int *until);

#endif
