/*
 * elementwise.h
 *	  Kernels over broadcast operands (NumPy's rules, as ONNX has them).
 */
#ifndef MREN_ONNX_ELEMENTWISE_H
#define MREN_ONNX_ELEMENTWISE_H

#include "onnx/plan.h"

#define MREN_OPERANDS_MAX 3

/*
 * The result's dimensions in memory order, neighbours merged where all
 * operands allow it, and each operand's strides: 0 where it is repeated.  The
 * innermost stride is 1 or 0.  Work is cut into chunks of a row.
 */
typedef struct MrenBroadcast
{
	int rank;
	size_t dims[MREN_MAX_RANK];
	int64_t strides[MREN_OPERANDS_MAX][MREN_MAX_RANK];
	size_t chunk;
	size_t chunks_per_row;
} MrenBroadcast;

/* Shape of the result; MREN_EDATA if the shapes do not fit. */
extern MrenStatus mren_broadcast_shape(const MrenNode *node, const MrenShape *a, MrenShape *inout,
									   MrenError *err);

/* Places of the operands in one layout, chosen from theirs; fills broadcast. */
extern MrenStatus mren_broadcast_plan(MrenPlan *plan, MrenValue *const *values, size_t n,
									  const MrenValue *out, MrenBroadcast *broadcast,
									  MrenPlace *places, MrenLayout *layout, MrenError *err);
extern void mren_broadcast_units(MrenBroadcast *broadcast, MrenStep *step);

typedef struct MrenChunk
{
	int64_t offsets[MREN_OPERANDS_MAX]; /* of the operands' first elements */
	size_t out;							/* of the result's */
	size_t n;
} MrenChunk;

extern void mren_broadcast_chunk(const MrenBroadcast *broadcast, size_t n_operands, size_t unit,
								 MrenChunk *chunk);

typedef struct MrenBinaryParams
{
	MrenBroadcast broadcast;
	int kind; /* MrenBinary */
	MrenType type;
	float factor; /* of the mean */
	MrenActivation activation;
} MrenBinaryParams;

extern MrenStatus mren_binary_float_kernel(const MrenStep *step, const MrenFrame *frame,
										   size_t begin, size_t end, MrenError *err);
extern MrenStatus mren_compare_float_kernel(const MrenStep *step, const MrenFrame *frame,
											size_t begin, size_t end, MrenError *err);
extern MrenStatus mren_binary_int_kernel(const MrenStep *step, const MrenFrame *frame, size_t begin,
										 size_t end, MrenError *err);

#endif
