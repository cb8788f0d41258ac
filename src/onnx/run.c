/*
 * run.c
 *	  Running a program, a few milliseconds at a time.
 */
#include <string.h>

#include "base/size.h"
#include "onnx/compile.h"

/* What one call of mren_onnx_run_step works off, in the unit of step costs. */
#define STEP_COST ((size_t) 256 << 20)

struct MrenOnnxRun
{
	const MrenEnv *env;
	const MrenOnnxProgram *program;
	MrenOnnxFrame frame;
	size_t step; /* the next unit is unit of step */
	size_t unit;
};

MrenStatus
mren_onnx_run_start(const MrenEnv *env, const MrenOnnxProgram *program, const void *const *inputs,
					MrenOnnxRun **out, MrenError *err)
{
	MrenOnnxRun *run;
	size_t bytes;
	MrenStatus status;

	*out = NULL;
	if (!mren_size_add(program->arena_bytes, program->scratch_bytes, &bytes))
		return mren_fail_nomem(err);
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*run), &run, err));
	run->env = env;
	run->program = program;
	status = mren_allocate(env, 1, bytes, &run->frame.arena, err);
	if (status != MREN_OK)
	{
		mren_release(env, run);
		return status;
	}
	run->frame.scratch = run->frame.arena + program->arena_bytes;
	mren_onnx_run_restart(run, inputs);
	*out = run;
	return MREN_OK;
}

void
mren_onnx_run_restart(MrenOnnxRun *run, const void *const *inputs)
{
	for (size_t i = 0; i < run->program->n_inputs; i++)
	{
		const MrenOnnxPort *port = &run->program->inputs[i];
		size_t size = mren_onnx_type_size(port->type);

		memcpy(run->frame.arena + port->offset, inputs[i], port->n * size);
	}
	run->step = 0;
	run->unit = 0;
}

MrenStatus
mren_onnx_run_step(MrenOnnxRun *run, bool *done, MrenError *err)
{
	const MrenOnnxProgram *program = run->program;
	size_t spent = 0;

	while (run->step < program->n_steps && spent < STEP_COST)
	{
		const MrenOnnxStep *step = program->steps[run->step];
		size_t units = mren_onnx_step_band(step);

		if (units > step->n_units - run->unit)
			units = step->n_units - run->unit;
		MREN_TRY(mren_check_interrupts(run->env, err));
		if (units > 0)
			MREN_TRY(step->kernel(step, &run->frame, run->unit, run->unit + units, err));
		spent += units * step->unit_cost + 1;
		run->unit += units;
		if (run->unit >= step->n_units)
		{
			run->step++;
			run->unit = 0;
		}
	}
	*done = run->step >= program->n_steps;
	return MREN_OK;
}

const void *
mren_onnx_run_output(const MrenOnnxRun *run, size_t i)
{
	const MrenOnnxPort *port = &run->program->outputs[i];

	return port->constant ? port->data : run->frame.arena + port->offset;
}

void
mren_onnx_run_end(MrenOnnxRun *run)
{
	if (run == NULL)
		return;
	mren_release(run->env, run->frame.arena);
	mren_release(run->env, run);
}
