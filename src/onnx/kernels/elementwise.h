/*
 * elementwise.h
 *	  Kernels over broadcast operands (NumPy's rules, as ONNX has them).
 */
#ifndef MREN_ONNX_KERNELS_ELEMENTWISE_H
#define MREN_ONNX_KERNELS_ELEMENTWISE_H

#include "onnx/plan.h"

#define MREN_ONNX_OPERANDS_MAX 3

/*
 * The result's dimensions in memory order, neighbours merged where all
 * operands allow it, and each operand's strides: 0 where it is repeated.  The
 * innermost stride is 1 or 0.  Work is cut into chunks of a row.
 */
typedef struct MrenOnnxBroadcast
{
	int rank;
	size_t dims[MREN_ONNX_MAX_RANK];
	int64_t strides[MREN_ONNX_OPERANDS_MAX][MREN_ONNX_MAX_RANK];
	size_t chunk;
	size_t chunks_per_row;
} MrenOnnxBroadcast;

/* Shape of the result; MREN_EDATA if the shapes do not fit. */
extern MrenStatus mren_onnx_broadcast_shape(const MrenOnnxNode *node, const MrenOnnxShape *a,
											MrenOnnxShape *inout, MrenError *err);

/* Places of the operands in one layout, chosen from theirs; fills broadcast. */
extern MrenStatus mren_onnx_broadcast_plan(MrenOnnxPlan *plan, MrenOnnxValue *const *values,
										   size_t n, const MrenOnnxValue *out,
										   MrenOnnxBroadcast *broadcast, MrenOnnxPlace *places,
										   MrenOnnxLayout *layout, MrenError *err);
extern void mren_onnx_broadcast_units(MrenOnnxBroadcast *broadcast, MrenOnnxStep *step);

typedef struct MrenOnnxChunk
{
	int64_t offsets[MREN_ONNX_OPERANDS_MAX]; /* of the operands' first elements */
	size_t out;								 /* of the result's */
	size_t n;
} MrenOnnxChunk;

extern void mren_onnx_broadcast_chunk(const MrenOnnxBroadcast *broadcast, size_t n_operands,
									  size_t unit, MrenOnnxChunk *chunk);

typedef struct MrenOnnxBinaryParams
{
	MrenOnnxBroadcast broadcast;
	int kind; /* MrenOnnxBinary */
	MrenOnnxType type;
	float factor; /* of the mean */
	MrenOnnxActivation activation;
} MrenOnnxBinaryParams;

extern MrenStatus mren_onnx_binary_float_kernel(const MrenOnnxStep *step,
												const MrenOnnxFrame *frame, size_t begin,
												size_t end, MrenError *err);
extern MrenStatus mren_onnx_compare_float_kernel(const MrenOnnxStep *step,
												 const MrenOnnxFrame *frame, size_t begin,
												 size_t end, MrenError *err);
extern MrenStatus mren_onnx_binary_int_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame,
											  size_t begin, size_t end, MrenError *err);

#endif
