/*
 * ops.c
 *	  The table of operators.
 */
#include "onnx/ops/ops.h"

#include <string.h>

#include "onnx/kernels/elementwise.h"

#define OP(name, low, high, outputs, family, kind)                                                 \
	{                                                                                              \
		name, low, high, outputs, mren_onnx_infer_##family, mren_onnx_emit_##family, kind          \
	}

/* name, inputs at least and at most (-1: any), outputs (-1: any) */
static const MrenOnnxOp ops[] = {
	OP("Conv", 2, 3, 1, conv, 0),
	OP("MaxPool", 1, 1, 1, pool, 0),
	OP("AveragePool", 1, 1, 1, pool, 1),
	OP("GlobalMaxPool", 1, 1, 1, global_pool, 0),
	OP("GlobalAveragePool", 1, 1, 1, global_pool, 1),
	OP("BatchNormalization", 5, 5, 1, batchnorm, 0),
	OP("LayerNormalization", 2, 3, 3, layernorm, 0),
	OP("InstanceNormalization", 3, 3, 1, instancenorm, 0),
	OP("LRN", 1, 1, 1, lrn, 0),
	OP("Gemm", 2, 3, 1, gemm, 0),
	OP("MatMul", 2, 2, 1, matmul, 0),

	OP("Relu", 1, 1, 1, unary, MREN_ONNX_OP_RELU),
	OP("Clip", 1, 3, 1, unary, MREN_ONNX_OP_CLIP),
	OP("LeakyRelu", 1, 1, 1, unary, MREN_ONNX_UNARY_LEAKY),
	OP("Elu", 1, 1, 1, unary, MREN_ONNX_UNARY_ELU),
	OP("Selu", 1, 1, 1, unary, MREN_ONNX_UNARY_SELU),
	OP("Celu", 1, 1, 1, unary, MREN_ONNX_UNARY_CELU),
	OP("ThresholdedRelu", 1, 1, 1, unary, MREN_ONNX_UNARY_THRESHOLDED),
	OP("Shrink", 1, 1, 1, unary, MREN_ONNX_UNARY_SHRINK),
	OP("Sigmoid", 1, 1, 1, unary, MREN_ONNX_UNARY_SIGMOID),
	OP("HardSigmoid", 1, 1, 1, unary, MREN_ONNX_UNARY_HARDSIGMOID),
	OP("HardSwish", 1, 1, 1, unary, MREN_ONNX_UNARY_HARDSWISH),
	OP("Tanh", 1, 1, 1, unary, MREN_ONNX_UNARY_TANH),
	OP("Softplus", 1, 1, 1, unary, MREN_ONNX_UNARY_SOFTPLUS),
	OP("Softsign", 1, 1, 1, unary, MREN_ONNX_UNARY_SOFTSIGN),
	OP("Mish", 1, 1, 1, unary, MREN_ONNX_UNARY_MISH),
	OP("Gelu", 1, 1, 1, unary, MREN_ONNX_UNARY_GELU),
	OP("Erf", 1, 1, 1, unary, MREN_ONNX_UNARY_ERF),
	OP("Exp", 1, 1, 1, unary, MREN_ONNX_UNARY_EXP),
	OP("Log", 1, 1, 1, unary, MREN_ONNX_UNARY_LOG),
	OP("Sqrt", 1, 1, 1, unary, MREN_ONNX_UNARY_SQRT),
	OP("Reciprocal", 1, 1, 1, unary, MREN_ONNX_UNARY_RECIPROCAL),
	OP("Abs", 1, 1, 1, unary, MREN_ONNX_UNARY_ABS),
	OP("Neg", 1, 1, 1, unary, MREN_ONNX_UNARY_NEG),
	OP("Sign", 1, 1, 1, unary, MREN_ONNX_UNARY_SIGN),
	OP("Floor", 1, 1, 1, unary, MREN_ONNX_UNARY_FLOOR),
	OP("Ceil", 1, 1, 1, unary, MREN_ONNX_UNARY_CEIL),
	OP("Round", 1, 1, 1, unary, MREN_ONNX_UNARY_ROUND),
	OP("Sin", 1, 1, 1, unary, MREN_ONNX_UNARY_SIN),
	OP("Cos", 1, 1, 1, unary, MREN_ONNX_UNARY_COS),
	OP("Tan", 1, 1, 1, unary, MREN_ONNX_UNARY_TAN),
	OP("Asin", 1, 1, 1, unary, MREN_ONNX_UNARY_ASIN),
	OP("Acos", 1, 1, 1, unary, MREN_ONNX_UNARY_ACOS),
	OP("Atan", 1, 1, 1, unary, MREN_ONNX_UNARY_ATAN),
	OP("Sinh", 1, 1, 1, unary, MREN_ONNX_UNARY_SINH),
	OP("Cosh", 1, 1, 1, unary, MREN_ONNX_UNARY_COSH),
	OP("Asinh", 1, 1, 1, unary, MREN_ONNX_UNARY_ASINH),
	OP("Acosh", 1, 1, 1, unary, MREN_ONNX_UNARY_ACOSH),
	OP("Atanh", 1, 1, 1, unary, MREN_ONNX_UNARY_ATANH),
	OP("Not", 1, 1, 1, unary, MREN_ONNX_OP_NOT),
	OP("IsNaN", 1, 1, 1, unary, MREN_ONNX_OP_ISNAN),
	OP("IsInf", 1, 1, 1, unary, MREN_ONNX_OP_ISINF),

	OP("Add", 2, 2, 1, binary, MREN_ONNX_BINARY_ADD),
	OP("Sub", 2, 2, 1, binary, MREN_ONNX_BINARY_SUB),
	OP("Mul", 2, 2, 1, binary, MREN_ONNX_BINARY_MUL),
	OP("Div", 2, 2, 1, binary, MREN_ONNX_BINARY_DIV),
	OP("Pow", 2, 2, 1, binary, MREN_ONNX_BINARY_POW),
	OP("Mod", 2, 2, 1, binary, MREN_ONNX_BINARY_MOD),
	OP("PRelu", 2, 2, 1, binary, MREN_ONNX_BINARY_PRELU),
	OP("Sum", 1, -1, 1, binary, MREN_ONNX_BINARY_ADD),
	OP("Mean", 1, -1, 1, binary, MREN_ONNX_BINARY_MEAN),
	OP("Min", 1, -1, 1, binary, MREN_ONNX_BINARY_MIN),
	OP("Max", 1, -1, 1, binary, MREN_ONNX_BINARY_MAX),
	OP("Equal", 2, 2, 1, binary, MREN_ONNX_BINARY_EQUAL),
	OP("Less", 2, 2, 1, binary, MREN_ONNX_BINARY_LESS),
	OP("LessOrEqual", 2, 2, 1, binary, MREN_ONNX_BINARY_LESS_EQUAL),
	OP("Greater", 2, 2, 1, binary, MREN_ONNX_BINARY_GREATER),
	OP("GreaterOrEqual", 2, 2, 1, binary, MREN_ONNX_BINARY_GREATER_EQUAL),
	OP("And", 2, 2, 1, binary, MREN_ONNX_BINARY_AND),
	OP("Or", 2, 2, 1, binary, MREN_ONNX_BINARY_OR),
	OP("Xor", 2, 2, 1, binary, MREN_ONNX_BINARY_XOR),
	OP("Where", 3, 3, 1, where, 0),
	OP("Cast", 1, 1, 1, cast, 0),
	OP("CastLike", 2, 2, 1, cast, 0),

	OP("Identity", 1, 1, 1, alias, MREN_ONNX_ALIAS_IDENTITY),
	OP("Dropout", 1, 3, 2, alias, MREN_ONNX_ALIAS_IDENTITY),
	OP("Reshape", 2, 2, 1, alias, MREN_ONNX_ALIAS_RESHAPE),
	OP("Flatten", 1, 1, 1, alias, MREN_ONNX_ALIAS_FLATTEN),
	OP("Squeeze", 1, 2, 1, alias, MREN_ONNX_ALIAS_SQUEEZE),
	OP("Unsqueeze", 1, 2, 1, alias, MREN_ONNX_ALIAS_UNSQUEEZE),
	OP("Constant", 0, 0, 1, source, MREN_ONNX_SOURCE_CONSTANT),
	OP("Shape", 1, 1, 1, source, MREN_ONNX_SOURCE_SHAPE),
	OP("Size", 1, 1, 1, source, MREN_ONNX_SOURCE_SIZE),
	OP("ConstantOfShape", 1, 1, 1, source, MREN_ONNX_SOURCE_FILL),
	OP("Range", 3, 3, 1, source, MREN_ONNX_SOURCE_RANGE),

	OP("Transpose", 1, 1, 1, transpose, 0),
	OP("Slice", 1, 5, 1, slice, 0),
	OP("Split", 1, 2, -1, split, 0),
	OP("Pad", 1, 4, 1, pad, 0),
	OP("Gather", 2, 2, 1, gather, 0),
	OP("Concat", 1, -1, 1, concat, 0),
	OP("Expand", 2, 2, 1, expand, 0),
	OP("Tile", 2, 2, 1, expand, 1),
	OP("DepthToSpace", 1, 1, 1, depth, 0),
	OP("SpaceToDepth", 1, 1, 1, depth, 1),

	OP("ReduceMean", 1, 2, 1, reduce, MREN_ONNX_REDUCE_MEAN),
	OP("ReduceSum", 1, 2, 1, reduce, MREN_ONNX_REDUCE_SUM),
	OP("ReduceMax", 1, 2, 1, reduce, MREN_ONNX_REDUCE_MAX),
	OP("ReduceMin", 1, 2, 1, reduce, MREN_ONNX_REDUCE_MIN),
	OP("ReduceProd", 1, 2, 1, reduce, MREN_ONNX_REDUCE_PROD),
	OP("ReduceL1", 1, 2, 1, reduce, MREN_ONNX_REDUCE_L1),
	OP("ReduceL2", 1, 2, 1, reduce, MREN_ONNX_REDUCE_L2),
	OP("ReduceSumSquare", 1, 2, 1, reduce, MREN_ONNX_REDUCE_SUM_SQUARE),
	OP("ReduceLogSum", 1, 2, 1, reduce, MREN_ONNX_REDUCE_LOG_SUM),
	OP("ReduceLogSumExp", 1, 2, 1, reduce, MREN_ONNX_REDUCE_LOG_SUM_EXP),
	OP("ArgMax", 1, 1, 1, reduce, MREN_ONNX_REDUCE_ARGMAX),
	OP("ArgMin", 1, 1, 1, reduce, MREN_ONNX_REDUCE_ARGMIN),
	OP("Softmax", 1, 1, 1, softmax, 0),
	OP("LogSoftmax", 1, 1, 1, softmax, 1),
};

const MrenOnnxOp *
mren_onnx_op_find(const char *name)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
	{
		if (strcmp(ops[i].name, name) == 0)
			return &ops[i];
	}
	return NULL;
}
