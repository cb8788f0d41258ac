/*
 * compile.h
 *	  From a model to a program.  Internal to src/onnx.
 */
#ifndef MREN_ONNX_COMPILE_H
#define MREN_ONNX_COMPILE_H

#include "onnx/model.h"
#include "onnx/plan.h"
#include "onnx/program.h"

struct MrenProgram
{
	MrenBudget budget;
	MrenPool pool; /* holds everything below, and the program itself */
	MrenStep **steps;
	size_t n_steps;
	size_t arena_bytes;
	size_t scratch_bytes;
	MrenPort *inputs;
	size_t n_inputs;
	MrenPort *outputs;
	size_t n_outputs;
	int64_t opset;
	MrenCpu cpu;
};

/* An empty program with its own pool and budget. */
extern MrenStatus mren_program_new(const MrenEnv *env, size_t budget, MrenProgram **program,
								   MrenError *err);

/*
 * mren_program_compile
 *	  Plans the model for the targets, whose nodes have been inferred.  With
 *	  `pictures`, inputs of four dimensions are taken channels last.
 */
extern MrenStatus mren_program_compile(MrenProgram *program, MrenModel *model, MrenValue **targets,
									   size_t n, bool pictures, MrenError *err);

#endif
