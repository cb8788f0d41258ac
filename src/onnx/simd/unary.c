/*
 * unary.c
 *	  Elementwise functions over runs of floats.
 */
#include "onnx/simd/unary.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "onnx/simd/simd.h"

/*
 * expf without a branch; tile.inc has the same for vectors.
 * exp(x) = 2^k * exp(r), |r| <= ln(2)/2, by the Cephes polynomial (Moshier,
 * expf.c); 2^k is made in two factors, so that results near the ends of the
 * range are right.  Relative error below 2 units in the last place; NaN stays.
 */
static inline float
fast_exp(float x)
{
	/* a NaN takes the lower end here, so that k is an integer for certain */
	float clipped = x > 89.0f ? 89.0f : x > -104.0f ? x : -104.0f;
	float k = rintf(clipped * 1.44269504088896341f);
	float r = clipped - k * 0.693359375f + k * 2.12194440e-4f;
	float p = 1.9875691500e-4f;
	int32_t n = (int32_t) k;
	int32_t n1 = n >> 1;
	uint32_t bits1 = (uint32_t) (n1 + 127) << 23;
	uint32_t bits2 = (uint32_t) (n - n1 + 127) << 23;
	float scale1;
	float scale2;

	p = p * r + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * r * r + r + 1.0f;
	memcpy(&scale1, &bits1, sizeof(scale1));
	memcpy(&scale2, &bits2, sizeof(scale2));
	return x == x ? p * scale1 * scale2 : x;
}

static inline float
sigmoid(float x)
{
	return 1.0f / (1.0f + fast_exp(-x));
}

/* clipped to 0 .. 1 */
static inline float
unit(float x)
{
	x = x < 0.0f ? 0.0f : x;
	return x > 1.0f ? 1.0f : x;
}

static inline float
softplus(float x)
{
	return x > 20.0f ? x : log1pf(expf(x));
}

#define APPLY(expression)                                                                          \
	for (size_t i = 0; i < n; i++)                                                                 \
	{                                                                                              \
		float v = x[i];                                                                            \
                                                                                                   \
		y[i] = (expression);                                                                       \
	}                                                                                              \
	break

/* The functions networks over images apply to whole feature maps. */
MREN_ONNX_HOT static bool
activate_common(const MrenOnnxActivation *activation, const float *x, float *y, size_t n)
{
	float a = activation->a;
	float b = activation->b;

	switch (activation->kind)
	{
		case MREN_ONNX_UNARY_NONE:
			if (y != x)
				memcpy(y, x, n * sizeof(float));
			break;
		case MREN_ONNX_UNARY_CLIP:
			/* b wins where a > b; a NaN stays NaN */
			APPLY(v < a ? (a < b ? a : b) : v > b ? b : v);
		case MREN_ONNX_UNARY_LEAKY:
			APPLY(v < 0 ? a * v : v);
		case MREN_ONNX_UNARY_SIGMOID:
			APPLY(sigmoid(v));
		case MREN_ONNX_UNARY_SILU:
			APPLY(v * sigmoid(v));
		case MREN_ONNX_UNARY_HARDSIGMOID:
			APPLY(unit(a * v + b));
		case MREN_ONNX_UNARY_HARDSWISH:
			APPLY(v * unit(v * (1.0f / 6.0f) + 0.5f));
		case MREN_ONNX_UNARY_EXP:
			APPLY(expf(v));
		case MREN_ONNX_UNARY_SQRT:
			APPLY(sqrtf(v));
		case MREN_ONNX_UNARY_ABS:
			APPLY(fabsf(v));
		case MREN_ONNX_UNARY_NEG:
			APPLY(-v);
		case MREN_ONNX_UNARY_RECIPROCAL:
			APPLY(1.0f / v);
		case MREN_ONNX_UNARY_ERF:
			APPLY(erff(v));
		case MREN_ONNX_UNARY_GELU:
			APPLY(0.5f * v * (1.0f + erff(v * 0.70710678118654752f)));
		case MREN_ONNX_UNARY_TANH:
			APPLY(tanhf(v));
		default:
			return false;
	}
	return true;
}

static float
activate_one(const MrenOnnxActivation *activation, float v)
{
	float a = activation->a;
	float b = activation->b;

	switch (activation->kind)
	{
		case MREN_ONNX_UNARY_ELU:
			return v < 0 ? a * expm1f(v) : v;
		case MREN_ONNX_UNARY_SELU:
			return v > 0 ? b * v : b * a * expm1f(v);
		case MREN_ONNX_UNARY_CELU:
			return fmaxf(v, 0) + fminf(a * expm1f(v / a), 0);
		case MREN_ONNX_UNARY_THRESHOLDED:
			return v > a ? v : 0;
		case MREN_ONNX_UNARY_SHRINK:
			return v < -a ? v + b : v > a ? v - b : 0;
		case MREN_ONNX_UNARY_SOFTPLUS:
			return softplus(v);
		case MREN_ONNX_UNARY_SOFTSIGN:
			return v / (1.0f + fabsf(v));
		case MREN_ONNX_UNARY_MISH:
			return v * tanhf(softplus(v));
		case MREN_ONNX_UNARY_LOG:
			return logf(v);
		case MREN_ONNX_UNARY_SIGN:
			return v > 0 ? 1.0f : v < 0 ? -1.0f : v;
		case MREN_ONNX_UNARY_FLOOR:
			return floorf(v);
		case MREN_ONNX_UNARY_CEIL:
			return ceilf(v);
		case MREN_ONNX_UNARY_ROUND:
			return rintf(v);
		case MREN_ONNX_UNARY_SIN:
			return sinf(v);
		case MREN_ONNX_UNARY_COS:
			return cosf(v);
		case MREN_ONNX_UNARY_TAN:
			return tanf(v);
		case MREN_ONNX_UNARY_ASIN:
			return asinf(v);
		case MREN_ONNX_UNARY_ACOS:
			return acosf(v);
		case MREN_ONNX_UNARY_ATAN:
			return atanf(v);
		case MREN_ONNX_UNARY_SINH:
			return sinhf(v);
		case MREN_ONNX_UNARY_COSH:
			return coshf(v);
		case MREN_ONNX_UNARY_ASINH:
			return asinhf(v);
		case MREN_ONNX_UNARY_ACOSH:
			return acoshf(v);
		case MREN_ONNX_UNARY_ATANH:
			return atanhf(v);
		default:
			return v;
	}
}

void
mren_onnx_activate(const MrenOnnxActivation *activation, const float *x, float *y, size_t n)
{
	const MrenOnnxSimd *simd = NULL;

	if (activation->kind == MREN_ONNX_UNARY_SIGMOID || activation->kind == MREN_ONNX_UNARY_SILU)
		simd = mren_onnx_simd_find(MREN_ONNX_CPU_BEST);
	if (simd != NULL)
	{
		simd->sigmoid(x, y, n, activation->kind == MREN_ONNX_UNARY_SILU);
		return;
	}
	if (activate_common(activation, x, y, n))
		return;
	for (size_t i = 0; i < n; i++)
		y[i] = activate_one(activation, x[i]);
}
