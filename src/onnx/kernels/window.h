/*
 * window.h
 *	  The geometry that convolutions and pools share: a kernel moving over up
 *	  to three spatial dimensions.
 *
 * Fewer dimensions are filled up in front with ones: an image has depth 1, a
 * signal depth and height 1.
 */
#ifndef MREN_ONNX_KERNELS_WINDOW_H
#define MREN_ONNX_KERNELS_WINDOW_H

#include "onnx/model/model.h"

#define MREN_ONNX_SPATIAL_MAX 3

typedef struct MrenOnnxWindow
{
	size_t in[MREN_ONNX_SPATIAL_MAX];
	size_t out[MREN_ONNX_SPATIAL_MAX];
	size_t kernel[MREN_ONNX_SPATIAL_MAX];
	size_t stride[MREN_ONNX_SPATIAL_MAX];
	size_t dilation[MREN_ONNX_SPATIAL_MAX];
	size_t before[MREN_ONNX_SPATIAL_MAX]; /* padding in front */
	size_t after[MREN_ONNX_SPATIAL_MAX];
} MrenOnnxWindow;

/*
 * mren_onnx_window_infer
 *	  Reads kernel_shape, strides, dilations, pads and auto_pad of a node whose
 *	  first input is (N,C,spatial...); `kernel` gives the kernel's dimensions
 *	  where the weights do, else NULL.  Padding is at most INT_MAX.  Sets the
 *	  spatial dimensions of *shape.
 */
extern MrenStatus mren_onnx_window_infer(const MrenOnnxNode *node, const size_t *kernel,
										 bool ceil_mode, MrenOnnxWindow *window,
										 MrenOnnxShape *shape, MrenError *err);

/* Pixels of one image in, and out. */
extern size_t mren_onnx_window_in(const MrenOnnxWindow *window);
extern size_t mren_onnx_window_out(const MrenOnnxWindow *window);
extern size_t mren_onnx_window_taps(const MrenOnnxWindow *window);

/* Coordinates of the i-th output pixel. */
extern void mren_onnx_window_at(const MrenOnnxWindow *window, size_t i, size_t *at);
/* From those of one output pixel to those of the next; after the last comes the first. */
extern void mren_onnx_window_next(const MrenOnnxWindow *window, size_t *at);

/* The taps first .. last-1 along d that lie inside for output index `at`. */
extern void mren_onnx_window_range(const MrenOnnxWindow *window, int d, size_t at, size_t *first,
								   size_t *last);

#endif
