/*
 * compile.h
 *	  From a model to a program.  Internal to src/onnx.
 */
#ifndef MREN_ONNX_COMPILE_H
#define MREN_ONNX_COMPILE_H

#include "onnx/model.h"
#include "onnx/plan.h"
#include "onnx/program.h"

struct MrenOnnxProgram
{
	MrenOnnxBudget budget;
	MrenOnnxPool pool; /* holds everything below, and the program itself */
	MrenOnnxStep **steps;
	size_t n_steps;
	size_t arena_bytes;
	size_t scratch_bytes;
	MrenOnnxPort *inputs;
	size_t n_inputs;
	MrenOnnxPort *outputs;
	size_t n_outputs;
	int64_t opset;
	MrenOnnxCpu cpu;
};

/* An empty program with its own pool and budget. */
extern MrenStatus mren_onnx_program_new(const MrenEnv *env, size_t budget,
										MrenOnnxProgram **program, MrenError *err);

/*
 * mren_onnx_program_compile
 *	  Plans the model for the targets, whose nodes have been inferred.  With
 *	  `images`, inputs of four dimensions are taken channels last.
 */
extern MrenStatus mren_onnx_program_compile(MrenOnnxProgram *program, MrenOnnxModel *model,
											MrenOnnxValue **targets, size_t n, bool images,
											MrenError *err);

#endif
