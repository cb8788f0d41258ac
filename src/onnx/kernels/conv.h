/*
 * conv.h
 *	  Convolution kernels: images and results channels last, weights as each
 *	  kernel packs them.
 *
 * y[p, m] = f(sum over taps and channels of x * w[m] + bias[m] + r[p, m]),
 * where r is the residual if there is one.  Batch normalization is already in
 * weights and bias.
 */
#ifndef MREN_ONNX_KERNELS_CONV_H
#define MREN_ONNX_KERNELS_CONV_H

#include "onnx/model/plan.h"
#include "onnx/simd/simd.h"
#include "onnx/kernels/window.h"

typedef struct MrenOnnxConvShape
{
	MrenOnnxWindow window;
	size_t batch;
	size_t channels; /* of the input */
	size_t filters;	 /* channels of the result */
	size_t groups;
} MrenOnnxConvShape;

typedef struct MrenOnnxConv
{
	MrenOnnxConvShape shape;
	const float *weights; /* packed */
	const float *bias;	  /* filters */
	bool has_residual;	  /* in[1] of the step */
	MrenOnnxActivation activation;
	size_t tile;			  /* output pixels a unit */
	const MrenOnnxSimd *simd; /* or NULL */
	bool gathered;			  /* simd: taps are copied into rows */
	bool direct;			  /* the input itself is the matrix: 1x1, stride 1, no padding */
	size_t block;			  /* Winograd: pixels along a block's side, 2 or 4 */
} MrenOnnxConv;

/*
 * mren_onnx_conv_reference
 *	  The definition, in plain loops and double precision: w as ONNX has it
 *	  (filters, channels / groups, taps...), bias may be NULL, y of
 *	  batch * pixels * filters.  The tests compare the kernels with it.
 */
extern void mren_onnx_conv_reference(const MrenOnnxConvShape *shape, const float *x, const float *w,
									 const float *bias, float *y);

/* How a convolution's step is to run. */
typedef struct MrenOnnxConvChoice
{
	MrenOnnxKernel kernel;
	size_t n_units;
	size_t unit_cost;
	size_t scratch;
} MrenOnnxConvChoice;

/*
 * mren_onnx_conv_..._pack
 *	  Prepare a kernel for conv->shape: pack the weights w (ONNX order, multiplied by scale[filter]
 *	  if that is not NULL) into the plan's pool, and fill in the choice.  The portable kernels are
 *	  im2col with BLAS, and direct depthwise.
 */
extern MrenStatus mren_onnx_conv_gemm_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv, const float *w,
										   const float *scale, MrenOnnxConvChoice *choice,
										   MrenError *err);
extern MrenStatus mren_onnx_conv_depthwise_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv,
												const float *w, const float *scale,
												MrenOnnxConvChoice *choice, MrenError *err);
extern bool mren_onnx_conv_is_depthwise(const MrenOnnxConvShape *shape);
extern bool mren_onnx_conv_is_direct(const MrenOnnxWindow *window);

/* Copies the channels that the taps of output pixel `at` cover, zeros for padding. */
extern void mren_onnx_conv_gather(const MrenOnnxConv *conv, const float *x, const size_t *at,
								  size_t channel, size_t n, float *row);

/* The kernels of conv->simd: one group, and depthwise. */
extern MrenStatus mren_onnx_conv_simd_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv, const float *w,
										   const float *scale, MrenOnnxConvChoice *choice,
										   MrenError *err);
extern bool mren_onnx_conv_simd_depthwise(const MrenOnnxConv *conv);
extern MrenStatus mren_onnx_conv_simd_depthwise_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv,
													 const float *w, const float *scale,
													 MrenOnnxConvChoice *choice, MrenError *err);

/* All n pixels of tile->rows for one panel of filters. */
extern void mren_onnx_conv_simd_panel(const MrenOnnxSimd *simd, const MrenOnnxTile *tile,
									  size_t vectors, size_t n);

/* The bias padded to whole vectors: tiles read it so. */
extern MrenStatus mren_onnx_conv_simd_pad_bias(MrenOnnxPlan *plan, MrenOnnxConv *conv,
											   MrenError *err);

/*
 * Winograd's convolution, for what it pays: 3x3, steps of one, whole vectors of channels and
 * filters.
 */
extern bool mren_onnx_conv_is_winograd(const MrenOnnxConv *conv);
extern MrenStatus mren_onnx_conv_winograd_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv,
											   const float *w, const float *scale,
											   MrenOnnxConvChoice *choice, MrenError *err);

/* A part of a convolution's result: some filters of neighbouring pixels of all images. */
typedef struct MrenOnnxConvPart
{
	size_t first_pixel;
	size_t n_pixels;
	size_t first_filter;
	size_t n_filters;
} MrenOnnxConvPart;

/* Where the part begins in the step's result. */
extern float *mren_onnx_conv_part(const MrenOnnxStep *step, const MrenOnnxFrame *frame,
								  const MrenOnnxConvPart *part);

/* Bias, residual and activation on the part, which holds the sums. */
extern void mren_onnx_conv_finish(const MrenOnnxConv *conv, const MrenOnnxStep *step,
								  const MrenOnnxFrame *frame, const MrenOnnxConvPart *part);

#endif
