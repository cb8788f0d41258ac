/*
 * activation.h
 *	  Functions of one number: as steps of their own, and folded behind
 *	  convolutions and matrix products.
 */
#ifndef MREN_ONNX_ACTIVATION_H
#define MREN_ONNX_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

typedef enum MrenUnary
{
	MREN_UNARY_NONE, /* the identity */
	MREN_UNARY_CLIP, /* to a .. b; Relu is 0 .. infinity */
	MREN_UNARY_LEAKY,
	MREN_UNARY_ELU,
	MREN_UNARY_SELU,
	MREN_UNARY_CELU,
	MREN_UNARY_THRESHOLDED,
	MREN_UNARY_SHRINK,
	MREN_UNARY_SIGMOID,
	MREN_UNARY_HARDSIGMOID,
	MREN_UNARY_HARDSWISH,
	MREN_UNARY_SILU,
	MREN_UNARY_TANH,
	MREN_UNARY_SOFTPLUS,
	MREN_UNARY_SOFTSIGN,
	MREN_UNARY_MISH,
	MREN_UNARY_GELU,
	MREN_UNARY_ERF,
	MREN_UNARY_EXP,
	MREN_UNARY_LOG,
	MREN_UNARY_SQRT,
	MREN_UNARY_RECIPROCAL,
	MREN_UNARY_ABS,
	MREN_UNARY_NEG,
	MREN_UNARY_SIGN,
	MREN_UNARY_FLOOR,
	MREN_UNARY_CEIL,
	MREN_UNARY_ROUND,
	MREN_UNARY_SIN,
	MREN_UNARY_COS,
	MREN_UNARY_TAN,
	MREN_UNARY_ASIN,
	MREN_UNARY_ACOS,
	MREN_UNARY_ATAN,
	MREN_UNARY_SINH,
	MREN_UNARY_COSH,
	MREN_UNARY_ASINH,
	MREN_UNARY_ACOSH,
	MREN_UNARY_ATANH,
} MrenUnary;

typedef struct MrenActivation
{
	MrenUnary kind;
	float a;
	float b;
} MrenActivation;

/* y[i] = f(x[i]) for i < n; y may be x. */
extern void mren_activate(const MrenActivation *activation, const float *x, float *y, size_t n);

#endif
