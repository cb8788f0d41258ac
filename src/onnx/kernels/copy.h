/*
 * copy.h
 *	  One kernel for everything that only moves elements: transposition,
 *	  slices, padding, repetition, concatenation, change of layout.
 *
 * The destination is walked dimension by dimension, the last one innermost;
 * the source element is at the sum of one table entry a dimension.  An entry
 * of MREN_ONNX_COPY_FILL makes the element the fill value.
 */
#ifndef MREN_ONNX_KERNELS_COPY_H
#define MREN_ONNX_KERNELS_COPY_H

#include "onnx/model/plan.h"

#define MREN_ONNX_COPY_RANK (2 * MREN_ONNX_MAX_RANK)
#define MREN_ONNX_COPY_FILL INT64_MIN

typedef struct MrenOnnxCopy
{
	int rank;
	size_t dims[MREN_ONNX_COPY_RANK];
	const int64_t *maps[MREN_ONNX_COPY_RANK]; /* source offset by index, in elements */
	int64_t strides[MREN_ONNX_COPY_RANK];	  /* of the destination, in elements */
	float fill;
	int64_t fill_int;
	/* set by mren_onnx_copy_emit */
	size_t element;
	bool runs; /* the last dimension is contiguous on both sides */
} MrenOnnxCopy;

/* An uninitialized table of n offsets, in the plan's pool. */
extern MrenStatus mren_onnx_copy_map(MrenOnnxPlan *plan, size_t n, int64_t **map, MrenError *err);

/* The table i * stride. */
extern MrenStatus mren_onnx_copy_linear(MrenOnnxPlan *plan, size_t n, int64_t stride,
										const int64_t **map, MrenError *err);

/*
 * mren_onnx_copy_emit
 *	  Emits the copy from `source` to `out`.  maps[d] belongs to out's own
 *	  dimension d; the layout says in which order they are walked.  With `more`
 *	  out has its place already.
 */
extern MrenStatus mren_onnx_copy_emit(MrenOnnxPlan *plan, const MrenOnnxPlace *source,
									  const int64_t *const *maps, const MrenOnnxCopy *fill,
									  MrenOnnxValue *out, MrenOnnxLayout layout, MrenError *err);

/* The same, fully described by the caller (rank up to MREN_ONNX_COPY_RANK). */
extern MrenStatus mren_onnx_copy_emit_raw(MrenOnnxPlan *plan, const MrenOnnxPlace *source,
										  const MrenOnnxCopy *copy, MrenOnnxValue *out,
										  MrenOnnxLayout layout, bool more, MrenError *err);

#endif
