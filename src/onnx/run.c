/*
 * run.c
 *	  Running a program, a few milliseconds at a time.
 */
#include <string.h>

#include "base/size.h"
#include "onnx/compile.h"

/* What one call of mren_run_step works off, in the unit of step costs. */
#define STEP_COST ((size_t) 256 << 20)

struct MrenRun
{
	const MrenEnv *env;
	const MrenProgram *program;
	MrenFrame frame;
	size_t step; /* the next unit is unit of step */
	size_t unit;
};

MrenStatus
mren_run_start(const MrenEnv *env, const MrenProgram *program, const void *const *inputs,
			   MrenRun **out, MrenError *err)
{
	MrenRun *run;
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
	mren_run_restart(run, inputs);
	*out = run;
	return MREN_OK;
}

void
mren_run_restart(MrenRun *run, const void *const *inputs)
{
	for (size_t i = 0; i < run->program->n_inputs; i++)
	{
		const MrenPort *port = &run->program->inputs[i];
		size_t size = mren_type_is_float(port->type) ? sizeof(float) : sizeof(int64_t);

		memcpy(run->frame.arena + port->offset, inputs[i], port->n * size);
	}
	run->step = 0;
	run->unit = 0;
}

MrenStatus
mren_run_step(MrenRun *run, bool *done, MrenError *err)
{
	const MrenProgram *program = run->program;
	size_t spent = 0;

	while (run->step < program->n_steps && spent < STEP_COST)
	{
		const MrenStep *step = program->steps[run->step];
		size_t units = mren_step_band(step);

		if (units > step->n_units - run->unit)
			units = step->n_units - run->unit;
		MREN_TRY(mren_check(run->env, err));
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
mren_run_output(const MrenRun *run, size_t i)
{
	const MrenPort *port = &run->program->outputs[i];

	return port->constant ? port->data : run->frame.arena + port->offset;
}

void
mren_run_end(MrenRun *run)
{
	if (run == NULL)
		return;
	mren_release(run->env, run->frame.arena);
	mren_release(run->env, run);
}
