/*
 * program.h
 *	  An ONNX file as a function of any tensors to any tensors.
 *
 * A program is immutable once loaded; a run owns its arena.  graph.h is the
 * same for networks that take one picture.
 */
#ifndef MREN_ONNX_PROGRAM_H
#define MREN_ONNX_PROGRAM_H

#include "onnx/simd.h"
#include "onnx/tensor.h"

typedef struct MrenProgram MrenProgram;
typedef struct MrenRun MrenRun;

/* What is known of a graph input before loading. */
typedef struct MrenBinding
{
	const char *name;
	const MrenTensor *tensor;
	bool constant; /* the elements, too; else only type and shape */
} MrenBinding;

typedef struct MrenProgramOptions
{
	const MrenBinding *bindings;
	size_t n_bindings;
	const char *const *outputs; /* tensors wanted; NULL: the graph's outputs */
	size_t n_outputs;
	size_t budget; /* bytes, as for mren_graph_load; 0: none */
	MrenCpu cpu;   /* whose kernels: the best, but for tests */
} MrenProgramOptions;

/* A tensor that goes in or out of a run. */
typedef struct MrenPort
{
	const char *name;
	MrenType type;
	MrenShape shape;
	size_t n;
	bool channels_last; /* order of the elements; false: the tensor's own */
	bool constant;		/* an output that no run changes */
	size_t offset;		/* in the arena */
	const void *data;	/* of a constant */
} MrenPort;

extern MrenStatus mren_program_load(const MrenEnv *env, const uint8_t *bytes, size_t len,
									const MrenProgramOptions *options, MrenProgram **program,
									MrenError *err);
extern void mren_program_free(const MrenEnv *env, MrenProgram *program);

/* Inputs that a run needs, and the outputs, in the file's order. */
extern size_t mren_program_inputs(const MrenProgram *program, const MrenPort **ports);
extern size_t mren_program_outputs(const MrenProgram *program, const MrenPort **ports);

/* Bytes held by the program, of them in constants; bytes a run will take. */
extern size_t mren_program_memory(const MrenProgram *program);
extern size_t mren_program_arena(const MrenProgram *program);

/*
 * mren_run_start
 *	  inputs[i] are the elements of the i-th input, float or int64_t as its
 *	  type says, in the order its port says; they are copied.
 */
extern MrenStatus mren_run_start(const MrenEnv *env, const MrenProgram *program,
								 const void *const *inputs, MrenRun **run, MrenError *err);
extern void mren_run_restart(MrenRun *run, const void *const *inputs);

/* A few milliseconds of work; *done once all outputs are there. */
extern MrenStatus mren_run_step(MrenRun *run, bool *done, MrenError *err);

/* The i-th output's elements, in the tensor's own order, after the last step. */
extern const void *mren_run_output(const MrenRun *run, size_t i);
extern void mren_run_end(MrenRun *run);

#endif
