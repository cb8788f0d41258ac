/*
 * ops.c
 *	  The table of operators.
 */
#include "onnx/ops/ops.h"

#include <string.h>

#include "onnx/kernels/elementwise.h"

/*
 * The newest opset whose changes to the operators below were looked at.  An
 * operator that a later opset redefines ends before it.
 */
#define NEWEST 28

/* A definition whose rules differ from the present ones. */
#define OLD(name, since, until, low, high, outputs, family, kind, rules)                           \
	{                                                                                              \
		name, since, until, low, high, outputs, mren_onnx_infer_##family, mren_onnx_emit_##family, \
			kind, rules                                                                            \
	}
#define OP(name, since, until, low, high, outputs, family, kind)                                   \
	OLD(name, since, until, low, high, outputs, family, kind, MREN_ONNX_PRESENT_RULES)

/*
 * Name, first and last opset of the definition, inputs at least and at most
 * (-1: any), outputs (-1: any).  The definitions of one operator follow each
 * other without a gap.
 *
 * Not implemented, and so absent: Reshape 1 (shape as an attribute), Pad 1
 * (paddings), Cast 1 (type as a string), Tile 1 (one axis), Selu 1 (rounded
 * coefficients).  LayerNormalization is ONNX's from opset 17 on, but ONNX
 * Runtime's optimizer writes the same operator into files of older opsets.
 */
static const MrenOnnxOp ops[] = {
	OP("Conv", 1, NEWEST, 2, 3, 1, conv, 0),
	OP("MaxPool", 1, NEWEST, 1, 1, 1, pool, MREN_ONNX_POOLING_MAX),
	OP("AveragePool", 1, NEWEST, 1, 1, 1, pool, MREN_ONNX_POOLING_AVERAGE),
	OP("GlobalMaxPool", 1, NEWEST, 1, 1, 1, global_pool, MREN_ONNX_POOLING_MAX),
	OP("GlobalAveragePool", 1, NEWEST, 1, 1, 1, global_pool, MREN_ONNX_POOLING_AVERAGE),
	OLD("BatchNormalization", 1, 6, 5, 5, 1, batchnorm, 0, MREN_ONNX_TEST_MODE),
	OP("BatchNormalization", 7, NEWEST, 5, 5, 1, batchnorm, 0),
	OP("LayerNormalization", 1, NEWEST, 2, 3, 3, layernorm, 0),
	OP("InstanceNormalization", 1, NEWEST, 3, 3, 1, instancenorm, 0),
	OP("LRN", 1, NEWEST, 1, 1, 1, lrn, 0),
	OLD("Gemm", 1, 6, 3, 3, 1, gemm, 0, MREN_ONNX_EQUAL_SHAPES),
	OP("Gemm", 7, 10, 3, 3, 1, gemm, 0),
	OP("Gemm", 11, NEWEST, 2, 3, 1, gemm, 0),
	OP("MatMul", 1, NEWEST, 2, 2, 1, matmul, 0),

	OP("Relu", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_OP_RELU),
	OP("Clip", 1, 10, 1, 1, 1, unary, MREN_ONNX_OP_CLIP),
	OP("Clip", 11, NEWEST, 1, 3, 1, unary, MREN_ONNX_OP_CLIP),
	OP("LeakyRelu", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_LEAKY),
	OP("Elu", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ELU),
	OP("Selu", 6, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SELU),
	OP("Celu", 12, 27, 1, 1, 1, unary, MREN_ONNX_UNARY_CELU),
	OP("ThresholdedRelu", 10, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_THRESHOLDED),
	OP("Shrink", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SHRINK),
	OP("Sigmoid", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SIGMOID),
	OP("HardSigmoid", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_HARDSIGMOID),
	OP("HardSwish", 14, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_HARDSWISH),
	OP("Tanh", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_TANH),
	OP("Softplus", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SOFTPLUS),
	OP("Softsign", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SOFTSIGN),
	OP("Mish", 18, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_MISH),
	OP("Gelu", 20, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_GELU),
	OP("Erf", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ERF),
	OP("Exp", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_EXP),
	OP("Log", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_LOG),
	OP("Sqrt", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SQRT),
	OP("Reciprocal", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_RECIPROCAL),
	OP("Abs", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ABS),
	OP("Neg", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_NEG),
	OP("Sign", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SIGN),
	OP("Floor", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_FLOOR),
	OP("Ceil", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_CEIL),
	OP("Round", 11, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ROUND),
	OP("Sin", 7, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SIN),
	OP("Cos", 7, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_COS),
	OP("Tan", 7, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_TAN),
	OP("Asin", 7, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ASIN),
	OP("Acos", 7, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ACOS),
	OP("Atan", 7, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ATAN),
	OP("Sinh", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_SINH),
	OP("Cosh", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_COSH),
	OP("Asinh", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ASINH),
	OP("Acosh", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ACOSH),
	OP("Atanh", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_UNARY_ATANH),
	OP("Not", 1, NEWEST, 1, 1, 1, unary, MREN_ONNX_OP_NOT),
	OP("IsNaN", 9, NEWEST, 1, 1, 1, unary, MREN_ONNX_OP_ISNAN),
	OP("IsInf", 10, NEWEST, 1, 1, 1, unary, MREN_ONNX_OP_ISINF),

	OLD("Add", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_ADD, MREN_ONNX_EQUAL_SHAPES),
	OP("Add", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_ADD),
	OLD("Sub", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_SUB, MREN_ONNX_EQUAL_SHAPES),
	OP("Sub", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_SUB),
	OLD("Mul", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_MUL, MREN_ONNX_EQUAL_SHAPES),
	OP("Mul", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_MUL),
	OLD("Div", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_DIV, MREN_ONNX_EQUAL_SHAPES),
	OP("Div", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_DIV),
	OLD("Pow", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_POW, MREN_ONNX_EQUAL_SHAPES),
	OP("Pow", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_POW),
	OP("Mod", 10, 27, 2, 2, 1, binary, MREN_ONNX_BINARY_MOD),
	OLD("PRelu", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_PRELU, MREN_ONNX_CHANNEL_SLOPE),
	OP("PRelu", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_PRELU),
	OLD("Sum", 1, 7, 1, -1, 1, binary, MREN_ONNX_BINARY_ADD, MREN_ONNX_EQUAL_SHAPES),
	OP("Sum", 8, NEWEST, 1, -1, 1, binary, MREN_ONNX_BINARY_ADD),
	OLD("Mean", 1, 7, 1, -1, 1, binary, MREN_ONNX_BINARY_MEAN, MREN_ONNX_EQUAL_SHAPES),
	OP("Mean", 8, NEWEST, 1, -1, 1, binary, MREN_ONNX_BINARY_MEAN),
	OLD("Min", 1, 7, 1, -1, 1, binary, MREN_ONNX_BINARY_MIN, MREN_ONNX_EQUAL_SHAPES),
	OP("Min", 8, NEWEST, 1, -1, 1, binary, MREN_ONNX_BINARY_MIN),
	OLD("Max", 1, 7, 1, -1, 1, binary, MREN_ONNX_BINARY_MAX, MREN_ONNX_EQUAL_SHAPES),
	OP("Max", 8, NEWEST, 1, -1, 1, binary, MREN_ONNX_BINARY_MAX),
	OLD("Equal", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_EQUAL, MREN_ONNX_EQUAL_SHAPES),
	OP("Equal", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_EQUAL),
	OLD("Less", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_LESS, MREN_ONNX_EQUAL_SHAPES),
	OP("Less", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_LESS),
	OP("LessOrEqual", 12, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_LESS_EQUAL),
	OLD("Greater", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_GREATER, MREN_ONNX_EQUAL_SHAPES),
	OP("Greater", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_GREATER),
	OP("GreaterOrEqual", 12, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_GREATER_EQUAL),
	OLD("And", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_AND, MREN_ONNX_EQUAL_SHAPES),
	OP("And", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_AND),
	OLD("Or", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_OR, MREN_ONNX_EQUAL_SHAPES),
	OP("Or", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_OR),
	OLD("Xor", 1, 6, 2, 2, 1, binary, MREN_ONNX_BINARY_XOR, MREN_ONNX_EQUAL_SHAPES),
	OP("Xor", 7, NEWEST, 2, 2, 1, binary, MREN_ONNX_BINARY_XOR),
	OP("Where", 9, NEWEST, 3, 3, 1, where, 0),
	OP("Cast", 6, 27, 1, 1, 1, cast, 0),
	OP("CastLike", 15, NEWEST, 2, 2, 1, cast, 0),

	OP("Identity", 1, NEWEST, 1, 1, 1, alias, MREN_ONNX_ALIAS_IDENTITY),
	OLD("Dropout", 1, 6, 1, 1, 1, alias, MREN_ONNX_ALIAS_IDENTITY, MREN_ONNX_TEST_MODE),
	OP("Dropout", 7, 9, 1, 1, 1, alias, MREN_ONNX_ALIAS_IDENTITY),
	OP("Dropout", 10, 11, 1, 1, 2, alias, MREN_ONNX_ALIAS_IDENTITY),
	OP("Dropout", 12, NEWEST, 1, 3, 2, alias, MREN_ONNX_ALIAS_IDENTITY),
	OP("Reshape", 5, NEWEST, 2, 2, 1, alias, MREN_ONNX_ALIAS_RESHAPE),
	OP("Flatten", 1, NEWEST, 1, 1, 1, alias, MREN_ONNX_ALIAS_FLATTEN),
	OP("Squeeze", 1, 12, 1, 1, 1, alias, MREN_ONNX_ALIAS_SQUEEZE),
	OP("Squeeze", 13, NEWEST, 1, 2, 1, alias, MREN_ONNX_ALIAS_SQUEEZE),
	OP("Unsqueeze", 1, 12, 1, 1, 1, alias, MREN_ONNX_ALIAS_UNSQUEEZE),
	OP("Unsqueeze", 13, NEWEST, 2, 2, 1, alias, MREN_ONNX_ALIAS_UNSQUEEZE),
	OP("Constant", 1, NEWEST, 0, 0, 1, source, MREN_ONNX_SOURCE_CONSTANT),
	OP("Shape", 1, NEWEST, 1, 1, 1, source, MREN_ONNX_SOURCE_SHAPE),
	OP("Size", 1, NEWEST, 1, 1, 1, source, MREN_ONNX_SOURCE_SIZE),
	OP("ConstantOfShape", 9, NEWEST, 1, 1, 1, source, MREN_ONNX_SOURCE_FILL),
	OP("Range", 11, 26, 3, 3, 1, source, MREN_ONNX_SOURCE_RANGE),

	OP("Transpose", 1, NEWEST, 1, 1, 1, transpose, 0),
	OP("Slice", 1, 9, 1, 1, 1, slice, 0),
	OP("Slice", 10, NEWEST, 3, 5, 1, slice, 0),
	OLD("Split", 1, 1, 1, 2, -1, split, 0, MREN_ONNX_NO_SIZES_INPUT),
	OP("Split", 2, 12, 1, 1, -1, split, 0),
	OP("Split", 13, NEWEST, 1, 2, -1, split, 0),
	OP("Pad", 2, 10, 1, 1, 1, pad, 0),
	OP("Pad", 11, 17, 2, 3, 1, pad, 0),
	OP("Pad", 18, NEWEST, 2, 4, 1, pad, 0),
	OP("Gather", 1, NEWEST, 2, 2, 1, gather, 0),
	OP("Concat", 1, NEWEST, 1, -1, 1, concat, 0),
	OP("Expand", 8, NEWEST, 2, 2, 1, expand, MREN_ONNX_REPEAT_EXPAND),
	OP("Tile", 6, NEWEST, 2, 2, 1, expand, MREN_ONNX_REPEAT_TILE),
	OP("DepthToSpace", 1, 27, 1, 1, 1, depth, MREN_ONNX_DEPTH_TO_SPACE),
	OP("SpaceToDepth", 1, 27, 1, 1, 1, depth, MREN_ONNX_SPACE_TO_DEPTH),

	OP("ReduceMean", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_MEAN),
	OP("ReduceMean", 18, NEWEST, 1, 2, 1, reduce, MREN_ONNX_REDUCE_MEAN),
	OP("ReduceSum", 1, 12, 1, 1, 1, reduce, MREN_ONNX_REDUCE_SUM),
	OP("ReduceSum", 13, NEWEST, 1, 2, 1, reduce, MREN_ONNX_REDUCE_SUM),
	OP("ReduceMax", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_MAX),
	OP("ReduceMax", 18, NEWEST, 1, 2, 1, reduce, MREN_ONNX_REDUCE_MAX),
	OP("ReduceMin", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_MIN),
	OP("ReduceMin", 18, NEWEST, 1, 2, 1, reduce, MREN_ONNX_REDUCE_MIN),
	OP("ReduceProd", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_PROD),
	OP("ReduceProd", 18, NEWEST, 1, 2, 1, reduce, MREN_ONNX_REDUCE_PROD),
	OP("ReduceL1", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_L1),
	OP("ReduceL1", 18, NEWEST, 1, 2, 1, reduce, MREN_ONNX_REDUCE_L1),
	OP("ReduceL2", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_L2),
	OP("ReduceL2", 18, NEWEST, 1, 2, 1, reduce, MREN_ONNX_REDUCE_L2),
	OP("ReduceSumSquare", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_SUM_SQUARE),
	OP("ReduceSumSquare", 18, NEWEST, 1, 2, 1, reduce, MREN_ONNX_REDUCE_SUM_SQUARE),
	OP("ReduceLogSum", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_LOG_SUM),
	OP("ReduceLogSum", 18, 27, 1, 2, 1, reduce, MREN_ONNX_REDUCE_LOG_SUM),
	OP("ReduceLogSumExp", 1, 17, 1, 1, 1, reduce, MREN_ONNX_REDUCE_LOG_SUM_EXP),
	OP("ReduceLogSumExp", 18, 27, 1, 2, 1, reduce, MREN_ONNX_REDUCE_LOG_SUM_EXP),
	OP("ArgMax", 1, NEWEST, 1, 1, 1, reduce, MREN_ONNX_REDUCE_ARGMAX),
	OP("ArgMin", 1, NEWEST, 1, 1, 1, reduce, MREN_ONNX_REDUCE_ARGMIN),
	OP("Softmax", 1, NEWEST, 1, 1, 1, softmax, MREN_ONNX_SOFTMAX),
	OP("LogSoftmax", 1, NEWEST, 1, 1, 1, softmax, MREN_ONNX_SOFTMAX_LOG),
};

const MrenOnnxOp *
mren_onnx_op_find(const char *name, int64_t opset)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
	{
		if (strcmp(ops[i].name, name) == 0 && opset >= ops[i].since && opset <= ops[i].until)
			return &ops[i];
	}
	return NULL;
}

bool
mren_onnx_op_opsets(const char *name, int *since, int *until)
{
	bool found = false;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
	{
		if (strcmp(ops[i].name, name) != 0)
			continue;
		if (!found)
			*since = ops[i].since;
		*until = ops[i].until;
		found = true;
	}
	return found;
}
