/*
 * elementwise.h
 *	  Kernels over broadcast operands (NumPy's rules, as ONNX has them).
 */
#ifndef MREN_ONNX_KERNELS_ELEMENTWISE_H
#define MREN_ONNX_KERNELS_ELEMENTWISE_H

#include "onnx/model/plan.h"

#define MREN_ONNX_OPERANDS_MAX 3

typedef enum MrenOnnxBinary
{
	MREN_ONNX_BINARY_ADD,
	MREN_ONNX_BINARY_SUB,
	MREN_ONNX_BINARY_MUL,
	MREN_ONNX_BINARY_DIV,
	MREN_ONNX_BINARY_POW,
	MREN_ONNX_BINARY_MIN,
	MREN_ONNX_BINARY_MAX,
	MREN_ONNX_BINARY_MEAN,
	MREN_ONNX_BINARY_MOD,
	MREN_ONNX_BINARY_PRELU,
	MREN_ONNX_BINARY_EQUAL, /* from here on the result is bool */
	MREN_ONNX_BINARY_LESS,
	MREN_ONNX_BINARY_LESS_EQUAL,
	MREN_ONNX_BINARY_GREATER,
	MREN_ONNX_BINARY_GREATER_EQUAL,
	MREN_ONNX_BINARY_AND,
	MREN_ONNX_BINARY_OR,
	MREN_ONNX_BINARY_XOR,
} MrenOnnxBinary;

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
	MrenOnnxLayout layout; /* of the result */
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
										   MrenError *err);
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
