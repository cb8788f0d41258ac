/*
 * onnx_graph.h
 *	  A pretrained network read from an ONNX file: image or waveform in, feature
 *	  vector out.
 *
 * MrenOnnxGraph is immutable after mren_onnx_graph_load: weights are packed, batch
 * normalization and activations are folded into convolutions, and every
 * intermediate tensor has its place in one planned arena.  Any number of runs
 * may read one graph.  A run owns its arena and goes in resumable steps.
 * The general interface, any tensors in and out, is program.h.
 */
#ifndef MREN_ONNX_ONNX_GRAPH_H
#define MREN_ONNX_ONNX_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/status.h"

/* Height and width taken where the file leaves them open ("H", 0, -1). */
#define MREN_ONNX_GRAPH_DEFAULT_SIZE 224

typedef struct MrenOnnxGraph MrenOnnxGraph;
typedef struct MrenOnnxGraphRun MrenOnnxGraphRun;

typedef struct MrenOnnxGraphInfo
{
	uint32_t width, height; /* of the image that it reads, in pixels */
	int channels;			/* 3, or 1 for grey */
	size_t samples;			/* of the waveform that it reads; 0: it reads images */
	size_t features;		/* elements of the chosen output */
	size_t weight_bytes;	/* constants, as packed */
	size_t arena_bytes;		/* what a run allocates */
	const char *output;		/* name of the chosen output; lives as long as the graph */
	int64_t opset;			/* of the default domain */
	/* The spatial map the output is pooled from; all zero and NULL without one. */
	size_t grid_height, grid_width; /* cells */
	size_t grid_channels;
	const char *grid; /* the tensor's name; lives as long as the graph */
} MrenOnnxGraphInfo;

/*
 * mren_onnx_graph_load
 *	  Reads, checks and plans the network in bytes[0 .. len-1].
 *
 * The graph must have exactly one input that is not an initializer, a float
 * tensor of 4 dimensions, (N,C,H,W) or (N,H,W,C) with C = 1 or 3; an open
 * batch is taken as 1, open sizes as MREN_ONNX_GRAPH_DEFAULT_SIZE.
 *
 * output names any tensor of the graph, a spatial grid as well as a vector.
 * When it is NULL the tensor is, in this order:
 *	1. the graph output named "features", if it is a vector (all dimensions
 *	   but one are 1);
 *	2. the vector that enters the final classifier: from the graph outputs,
 *	   last to first, back through operators that keep the number of elements
 *	   (activations, Softmax, Reshape, Flatten, a bias) to a Gemm, a MatMul or
 *	   a convolution over a 1x1 map, that operator's data input;
 *	3. the last graph output that is a vector.
 * If there is none, MREN_EDATA with a hint to name a tensor.
 *
 * The grid is the last map of (1,C,H,W) with more than one pixel on the way to
 * a vector: from it back through operators with one computed input.
 *
 * Where env's weights are ready (base/weights.h), what was recorded of the file is used instead
 * of bytes.
 *
 * budget bounds the bytes that loading holds at any moment, 0 for no bound
 * (len and the arena of one run count towards it): MREN_ELIMIT beyond it.
 * Errors: MREN_EFORMAT for bytes that are no ONNX model or contradict
 * themselves (a cycle, a missing tensor, a wrong shape), MREN_EUNSUPPORTED
 * naming operator, node and opset, MREN_EPARAM for an output that does not
 * exist, MREN_ENUMERIC for a weight that is NaN.
 */
extern MrenStatus mren_onnx_graph_load(const MrenEnv *env, const uint8_t *bytes, size_t len,
									   const char *output, size_t budget, MrenOnnxGraph **graph,
									   MrenError *err);

/*
 * mren_onnx_graph_load_waveform
 *	  The same for a network whose input is a waveform of one channel: a float tensor (N),
 *	  (1,N) or (1,1,N).
 *
 * samples: N, needed where the file leaves it open (MREN_EPARAM if it is 0 then, or is not what
 * the file says); 0 otherwise.  There is no grid.
 */
extern MrenStatus mren_onnx_graph_load_waveform(const MrenEnv *env, const uint8_t *bytes,
												size_t len, const char *output, size_t samples,
												size_t budget, MrenOnnxGraph **graph,
												MrenError *err);
extern void mren_onnx_graph_free(const MrenEnv *env, MrenOnnxGraph *graph);
extern void mren_onnx_graph_info(const MrenOnnxGraph *graph, MrenOnnxGraphInfo *info);

/* Bytes that the graph holds in all. */
extern size_t mren_onnx_graph_memory(const MrenOnnxGraph *graph);

/*
 * mren_onnx_graph_start
 *	  Begins a run on one image: height * width * channels floats, already
 *	  normalized, row by row, pixel by pixel, the channels of a pixel side by
 *	  side (whatever order the file's own input has); or on one waveform, of as many
 *	  floats as it has samples.  The input is copied.  The graph must outlive the run.
 */
extern MrenStatus mren_onnx_graph_start(const MrenEnv *env, const MrenOnnxGraph *graph,
										const float *input, MrenOnnxGraphRun **run, MrenError *err);

/* Begins anew on another input, in the memory the run has. */
extern void mren_onnx_graph_restart(MrenOnnxGraphRun *run, const float *input);

/*
 * mren_onnx_graph_step
 *	  Works for a few milliseconds; *done becomes true once the output is
 *	  there.  MREN_ECANCELED when the environment is interrupted.
 */
extern MrenStatus mren_onnx_graph_step(MrenOnnxGraphRun *run, bool *done, MrenError *err);

/*
 * mren_onnx_graph_output
 *	  Copies the finished run's output, info.features floats in the ONNX
 *	  tensor's own order.  MREN_ENUMERIC if one is NaN or infinite.
 */
extern MrenStatus mren_onnx_graph_output(const MrenOnnxGraphRun *run, float *features,
										 MrenError *err);

/*
 * mren_onnx_graph_grid
 *	  Copies the finished run's grid: (height, width, channels), channels side
 *	  by side.  The graph must have one.  MREN_ENUMERIC as for the output.
 */
extern MrenStatus mren_onnx_graph_grid(const MrenOnnxGraphRun *run, float *grid, MrenError *err);
extern void mren_onnx_graph_end(MrenOnnxGraphRun *run);

#endif
