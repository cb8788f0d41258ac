/*
 * program.h
 *	  An ONNX file as a function of any tensors to any tensors.
 *
 * A program is immutable once loaded; a run owns its arena.  onnx_graph.h is the
 * same for networks that take one image.
 */
#ifndef MREN_ONNX_PROGRAM_H
#define MREN_ONNX_PROGRAM_H

#include "onnx/simd/simd.h"
#include "onnx/model/tensor.h"

typedef struct MrenOnnxProgram MrenOnnxProgram;
typedef struct MrenOnnxRun MrenOnnxRun;

/* What is known of a graph input before loading. */
typedef struct MrenOnnxBinding
{
	const char *name;
	const MrenOnnxTensor *tensor;
	bool constant; /* the elements, too; else only type and shape */
} MrenOnnxBinding;

typedef struct MrenOnnxProgramOptions
{
	const MrenOnnxBinding *bindings;
	size_t n_bindings;
	const char *const *outputs; /* tensors wanted; NULL: the graph's outputs */
	size_t n_outputs;
	size_t budget;	 /* bytes, as for mren_onnx_graph_load; 0: none */
	MrenOnnxCpu cpu; /* whose kernels: the best, but for tests */
} MrenOnnxProgramOptions;

/* A tensor that goes in or out of a run. */
typedef struct MrenOnnxPort
{
	const char *name;
	MrenOnnxType type;
	MrenOnnxShape shape;
	size_t n;
	bool channels_last; /* order of the elements; false: the tensor's own */
	bool constant;		/* an output that no run changes */
	size_t offset;		/* in the arena */
	const void *data;	/* of a constant */
} MrenOnnxPort;

extern MrenStatus mren_onnx_program_load(const MrenEnv *env, const uint8_t *bytes, size_t len,
										 const MrenOnnxProgramOptions *options,
										 MrenOnnxProgram **program, MrenError *err);
extern void mren_onnx_program_free(const MrenEnv *env, MrenOnnxProgram *program);

/* Inputs that a run needs, and the outputs, in the file's order. */
extern size_t mren_onnx_program_inputs(const MrenOnnxProgram *program, const MrenOnnxPort **ports);
extern size_t mren_onnx_program_outputs(const MrenOnnxProgram *program, const MrenOnnxPort **ports);

/* Bytes held by the program, of them in constants; bytes a run will take. */
extern size_t mren_onnx_program_memory(const MrenOnnxProgram *program);
extern size_t mren_onnx_program_arena(const MrenOnnxProgram *program);

/*
 * mren_onnx_run_start
 *	  inputs[i] are the elements of the i-th input, float or int64_t as its
 *	  type says, in the order its port says; they are copied.
 */
extern MrenStatus mren_onnx_run_start(const MrenEnv *env, const MrenOnnxProgram *program,
									  const void *const *inputs, MrenOnnxRun **run, MrenError *err);
extern void mren_onnx_run_restart(MrenOnnxRun *run, const void *const *inputs);

/* A few milliseconds of work; *done once all outputs are there. */
extern MrenStatus mren_onnx_run_step(MrenOnnxRun *run, bool *done, MrenError *err);

/* The i-th output's elements, in the tensor's own order, after the last step. */
extern const void *mren_onnx_run_output(const MrenOnnxRun *run, size_t i);
extern void mren_onnx_run_end(MrenOnnxRun *run);

#endif
