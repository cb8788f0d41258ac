/*
 * compile.h
 *	  From a model to a program.  Internal to src/onnx.
 */
#ifndef MREN_ONNX_COMPILE_H
#define MREN_ONNX_COMPILE_H

#include "onnx/model/model.h"
#include "onnx/model/plan.h"
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
	MrenOnnxCpu cpu;
};

/*
 * The passes, in this order: mark (model.h), infer, fuse, emit, arena.
 *
 * infer: types, shapes and constants of all live nodes' outputs.
 */
extern MrenStatus mren_onnx_model_infer(MrenOnnxModel *model, MrenError *err);

/* Folds live nodes into others where that leaves the targets unchanged. */
extern MrenStatus mren_onnx_model_fuse(MrenOnnxModel *model, MrenError *err);

/* Emits the steps of all live nodes; the targets end in plain layout. */
extern MrenStatus mren_onnx_plan_emit(MrenOnnxPlan *plan, MrenOnnxValue *const *targets, size_t n,
									  MrenError *err);

/* Gives every buffer its offset in the arena. */
extern MrenStatus mren_onnx_plan_arena(MrenOnnxPlan *plan, MrenError *err);

/* Runs all steps at once, with arena and scratch of the plan's size. */
extern MrenStatus mren_onnx_plan_run(const MrenOnnxPlan *plan, const MrenOnnxFrame *frame,
									 MrenError *err);

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
