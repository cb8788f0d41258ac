/*
 * unary.h
 *	  Functions of one number: as steps of their own, and folded after
 *	  convolutions and matrix products.
 */
#ifndef MREN_ONNX_SIMD_UNARY_H
#define MREN_ONNX_SIMD_UNARY_H

#include <stdbool.h>
#include <stddef.h>

typedef enum MrenOnnxUnary
{
	MREN_ONNX_UNARY_NONE, /* the identity */
	MREN_ONNX_UNARY_CLIP, /* to a .. b; Relu is 0 .. infinity */
	MREN_ONNX_UNARY_LEAKY,
	MREN_ONNX_UNARY_ELU,
	MREN_ONNX_UNARY_SELU,
	MREN_ONNX_UNARY_CELU,
	MREN_ONNX_UNARY_THRESHOLDED,
	MREN_ONNX_UNARY_SHRINK,
	MREN_ONNX_UNARY_SIGMOID,
	MREN_ONNX_UNARY_HARDSIGMOID,
	MREN_ONNX_UNARY_HARDSWISH,
	MREN_ONNX_UNARY_SILU,
	MREN_ONNX_UNARY_TANH,
	MREN_ONNX_UNARY_SOFTPLUS,
	MREN_ONNX_UNARY_SOFTSIGN,
	MREN_ONNX_UNARY_MISH,
	MREN_ONNX_UNARY_GELU,
	MREN_ONNX_UNARY_ERF,
	MREN_ONNX_UNARY_EXP,
	MREN_ONNX_UNARY_LOG,
	MREN_ONNX_UNARY_SQRT,
	MREN_ONNX_UNARY_RECIPROCAL,
	MREN_ONNX_UNARY_ABS,
	MREN_ONNX_UNARY_NEG,
	MREN_ONNX_UNARY_SIGN,
	MREN_ONNX_UNARY_FLOOR,
	MREN_ONNX_UNARY_CEIL,
	MREN_ONNX_UNARY_ROUND,
	MREN_ONNX_UNARY_SIN,
	MREN_ONNX_UNARY_COS,
	MREN_ONNX_UNARY_TAN,
	MREN_ONNX_UNARY_ASIN,
	MREN_ONNX_UNARY_ACOS,
	MREN_ONNX_UNARY_ATAN,
	MREN_ONNX_UNARY_SINH,
	MREN_ONNX_UNARY_COSH,
	MREN_ONNX_UNARY_ASINH,
	MREN_ONNX_UNARY_ACOSH,
	MREN_ONNX_UNARY_ATANH,
} MrenOnnxUnary;

typedef struct MrenOnnxActivation
{
	MrenOnnxUnary kind;
	float a;
	float b;
} MrenOnnxActivation;

/* y[i] = f(x[i]) for i < n; y may be x. */
extern void mren_onnx_activate(const MrenOnnxActivation *activation, const float *x, float *y,
							   size_t n);

#endif
