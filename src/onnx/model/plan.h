/*
 * plan.h
 *	  Steps, buffers and operands: what a network becomes before it runs.
 *	  Internal to src/onnx.
 *
 * A step is a kernel over n_units independent units of work (rows of pixels,
 * elements), so that a run can stop between any two.  Its operands are places
 * in the arena or constants.  Kernels are chosen when steps are emitted; a
 * faster kernel for one CPU is another function and another packing of the
 * weights, and nothing else changes.
 *
 * A buffer lives from the step that first writes it to the last that reads
 * it; buffers that do not live together may share the arena's bytes.
 */
#ifndef MREN_ONNX_MODEL_PLAN_H
#define MREN_ONNX_MODEL_PLAN_H

#include "onnx/model/model.h"
#include "onnx/simd/simd.h"

typedef struct MrenOnnxStep MrenOnnxStep;

/* What a kernel finds at run time. */
typedef struct MrenOnnxFrame
{
	char *arena;
	char *scratch; /* of the step's scratch bytes, 64-byte aligned */
} MrenOnnxFrame;

/* Computes units begin .. end-1. */
typedef MrenStatus (*MrenOnnxKernel)(const MrenOnnxStep *step, const MrenOnnxFrame *frame,
									 size_t begin, size_t end, MrenError *err);

typedef struct MrenOnnxOperand
{
	int buffer; /* -1: data is the constant */
	char *data;
	size_t offset; /* in the buffer; from the arena's start once planned */
	size_t pitch;  /* elements between pixels, channels-last */
} MrenOnnxOperand;

struct MrenOnnxStep
{
	MrenOnnxKernel kernel;
	const void *params;
	MrenOnnxOperand *in;
	size_t n_in;
	MrenOnnxOperand out;
	size_t n_units;
	size_t unit_cost; /* in multiply-adds or bytes moved, roughly nanoseconds x 16 */
	size_t scratch;	  /* bytes */
	bool in_place;	  /* out may be where in[0] was */
};

typedef struct MrenOnnxBuffer
{
	size_t bytes;
	size_t first; /* steps */
	size_t last;
	size_t offset;
	int merged; /* into this other buffer, or -1 */
} MrenOnnxBuffer;

struct MrenOnnxPlan
{
	MrenOnnxModel *model;
	MrenOnnxPool *pool; /* of what the steps keep: parameters, packed weights */
	MrenOnnxCpu cpu;	/* whose kernels */
	bool folding;		/* run once, at load: constants need not be copied */
	MrenOnnxStep **steps;
	size_t n_steps;
	size_t steps_capacity;
	MrenOnnxBuffer *buffers;
	size_t n_buffers;
	size_t buffers_capacity;
	size_t arena_bytes;
	size_t scratch_bytes;
};

static inline void *
mren_onnx_operand(const MrenOnnxFrame *frame, const MrenOnnxOperand *operand)
{
	return operand->data != NULL ? operand->data : frame->arena + operand->offset;
}

/* What a new step computes: in[0 .. n_in-1] to out. */
typedef struct MrenOnnxStepSpec
{
	MrenOnnxKernel kernel;
	const void *params; /* live as long as the plan's pool */
	const MrenOnnxPlace *in;
	size_t n_in;
	MrenOnnxValue *out;
	MrenOnnxLayout layout; /* of out */
} MrenOnnxStepSpec;

/*
 * mren_onnx_plan_step
 *	  Appends a step that writes a new buffer (or the slot of the concatenation)
 *	  for `out`.  The caller fills in units, cost and scratch.
 */
extern MrenStatus mren_onnx_plan_step(MrenOnnxPlan *plan, const MrenOnnxStepSpec *spec,
									  MrenOnnxStep **step, MrenError *err);

/* Appends a step that writes into the buffer that `out` already has, in its layout. */
extern MrenStatus mren_onnx_plan_step_more(MrenOnnxPlan *plan, const MrenOnnxStepSpec *spec,
										   MrenOnnxStep **step, MrenError *err);

/* Gives the value a new buffer in that layout. */
extern MrenStatus mren_onnx_plan_place(MrenOnnxPlan *plan, MrenOnnxValue *value,
									   MrenOnnxLayout layout, MrenError *err);

/* Gives a constant its place; unless folding, a copy that outlives the model. */
extern MrenStatus mren_onnx_plan_place_constant(MrenOnnxPlan *plan, MrenOnnxValue *value,
												MrenError *err);

/* out has the same elements in the same order as the place says. */
extern void mren_onnx_plan_alias(MrenOnnxValue *out, const MrenOnnxPlace *place,
								 MrenOnnxLayout layout);

/* The layout a value has, PLAIN for constants. */
extern MrenOnnxLayout mren_onnx_plan_layout(const MrenOnnxValue *value);

/* Both layouts are the same bytes: one channel, or one pixel. */
extern bool mren_onnx_layout_free(const MrenOnnxShape *shape);

/* The k-th dimension of a tensor of that rank in the order of memory. */
extern int mren_onnx_layout_dim(MrenOnnxLayout layout, int rank, int k);

/* Elements between neighbours along each of the tensor's own dimensions. */
extern void mren_onnx_layout_strides(const MrenOnnxShape *shape, MrenOnnxLayout layout,
									 int64_t *strides);

/* Units one call of a kernel may take: a few milliseconds' worth. */
extern size_t mren_onnx_step_band(const MrenOnnxStep *step);

#endif
