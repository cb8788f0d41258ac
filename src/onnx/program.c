/*
 * program.c
 *	  Loading for any inputs and outputs.
 */
#include "onnx/program.h"

#include <string.h>

#include "onnx/compile.h"

MrenStatus
mren_onnx_program_new(const MrenEnv *env, size_t budget, MrenOnnxProgram **out, MrenError *err)
{
	MrenOnnxProgram *program;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*program), &program, err));
	program->budget.limit = budget;
	mren_onnx_pool_init(&program->pool, env, &program->budget);
	program->pool.weights = true;
	*out = program;
	return MREN_OK;
}

void
mren_onnx_program_free(const MrenEnv *env, MrenOnnxProgram *program)
{
	if (program == NULL)
		return;
	mren_onnx_pool_free(&program->pool);
	mren_release(env, program);
}

static MrenStatus
make_port(MrenOnnxProgram *program, const MrenOnnxPlan *plan, const MrenOnnxValue *value,
		  MrenOnnxPort *port, MrenError *err)
{
	MREN_TRY(mren_onnx_pool_text(&program->pool, value->name, &port->name, err));
	port->type = value->type;
	port->shape = value->shape;
	port->n = value->n;
	port->channels_last = value->place.layout == MREN_ONNX_CHANNELS_LAST;
	port->constant = value->place.buffer < 0;
	port->data = value->place.data;
	if (!port->constant)
		port->offset = plan->buffers[value->place.buffer].offset + value->place.offset;
	return MREN_OK;
}

static MrenStatus
make_ports(MrenOnnxProgram *program, const MrenOnnxPlan *plan, MrenOnnxValue **targets, size_t n,
		   MrenError *err)
{
	const MrenOnnxModel *model = plan->model;

	MREN_TRY(mren_onnx_pool_get(&program->pool, model->n_inputs, sizeof(MrenOnnxPort),
								&program->inputs, err));
	MREN_TRY(mren_onnx_pool_get(&program->pool, n, sizeof(MrenOnnxPort), &program->outputs, err));
	for (size_t i = 0; i < model->n_inputs; i++)
	{
		if (model->inputs[i]->constant == NULL)
			MREN_TRY(make_port(program, plan, model->inputs[i],
							   &program->inputs[program->n_inputs++], err));
	}
	for (size_t i = 0; i < n; i++)
		MREN_TRY(make_port(program, plan, targets[i], &program->outputs[i], err));
	program->n_outputs = n;
	return MREN_OK;
}

MrenStatus
mren_onnx_program_compile(MrenOnnxProgram *program, MrenOnnxModel *model, MrenOnnxValue **targets,
						  size_t n, bool images, MrenError *err)
{
	MrenOnnxPlan plan = {0};

	plan.model = model;
	plan.pool = &program->pool;
	plan.cpu = program->cpu;
	for (size_t i = 0; images && i < model->n_inputs; i++)
	{
		if (model->inputs[i]->shape.rank == 4)
			model->inputs[i]->place.layout = MREN_ONNX_CHANNELS_LAST;
	}
	MREN_TRY(mren_onnx_model_mark(model, targets, n, err));
	MREN_TRY(mren_onnx_model_fuse(model, err));
	MREN_TRY(mren_onnx_plan_emit(&plan, targets, n, err));
	MREN_TRY(mren_onnx_plan_arena(&plan, err));
	program->steps = plan.steps;
	program->n_steps = plan.n_steps;
	program->arena_bytes = plan.arena_bytes;
	program->scratch_bytes = plan.scratch_bytes;
	MREN_TRY(make_ports(program, &plan, targets, n, err));
	/* a run counts towards the budget, though it is not yet there */
	MREN_TRY(mren_onnx_budget_take(&program->budget, mren_onnx_program_arena(program), err));
	program->budget.used -= mren_onnx_program_arena(program);
	return MREN_OK;
}

static MrenStatus
bind_inputs(MrenOnnxModel *model, const MrenOnnxProgramOptions *options, MrenError *err)
{
	for (size_t i = 0; i < options->n_bindings; i++)
	{
		const MrenOnnxBinding *binding = &options->bindings[i];
		MrenOnnxValue *value = mren_onnx_model_value(model, binding->name);

		if (value == NULL || !value->is_input)
			return mren_fail(err, MREN_EPARAM, "network has no input \"%s\"", binding->name);
		value->type = binding->tensor->type;
		value->shape = binding->tensor->shape;
		value->n = binding->tensor->n;
		value->known = true;
		if (binding->constant)
			value->constant = binding->tensor;
	}
	return MREN_OK;
}

static MrenStatus
find_targets(MrenOnnxModel *model, const MrenOnnxProgramOptions *options, MrenOnnxValue ***targets,
			 size_t *n, MrenError *err)
{
	*targets = model->outputs;
	*n = model->n_outputs;
	if (options->outputs == NULL)
		return MREN_OK;
	*n = options->n_outputs;
	MREN_TRY(mren_onnx_pool_get(model->pool, *n, sizeof(MrenOnnxValue *), targets, err));
	for (size_t i = 0; i < *n; i++)
	{
		(*targets)[i] = mren_onnx_model_value(model, options->outputs[i]);
		if ((*targets)[i] == NULL)
			return mren_onnx_model_no_value(model, options->outputs[i], err);
	}
	return MREN_OK;
}

static MrenStatus
load_in(MrenOnnxProgram *program, MrenOnnxPool *pool, const uint8_t *bytes, size_t len,
		const MrenOnnxProgramOptions *options, MrenError *err)
{
	MrenOnnxModel *model;
	MrenOnnxValue **targets;
	size_t n;

	MREN_TRY(mren_onnx_model_load(pool, bytes, len, 1, &model, err));
	MREN_TRY(bind_inputs(model, options, err));
	MREN_TRY(find_targets(model, options, &targets, &n, err));
	MREN_TRY(mren_onnx_model_mark(model, targets, n, err));
	MREN_TRY(mren_onnx_model_infer(model, err));
	return mren_onnx_program_compile(program, model, targets, n, false, err);
}

MrenStatus
mren_onnx_program_load(const MrenEnv *env, const uint8_t *bytes, size_t len,
					   const MrenOnnxProgramOptions *options, MrenOnnxProgram **out, MrenError *err)
{
	MrenOnnxProgram *program;
	MrenOnnxPool pool;
	MrenStatus status;

	*out = NULL;
	MREN_TRY(mren_onnx_program_new(env, options->budget, &program, err));
	program->cpu = options->cpu;
	mren_onnx_pool_init(&pool, env, &program->budget);
	status = mren_onnx_budget_take(&program->budget, len, err);
	if (status == MREN_OK)
		status = load_in(program, &pool, bytes, len, options, err);
	mren_onnx_pool_free(&pool);
	program->budget.limit = 0;
	if (status == MREN_OK)
		*out = program;
	else
		mren_onnx_program_free(env, program);
	return status;
}

size_t
mren_onnx_program_inputs(const MrenOnnxProgram *program, const MrenOnnxPort **ports)
{
	*ports = program->inputs;
	return program->n_inputs;
}

size_t
mren_onnx_program_outputs(const MrenOnnxProgram *program, const MrenOnnxPort **ports)
{
	*ports = program->outputs;
	return program->n_outputs;
}

size_t
mren_onnx_program_memory(const MrenOnnxProgram *program)
{
	return sizeof(*program) + program->pool.bytes;
}

size_t
mren_onnx_program_arena(const MrenOnnxProgram *program)
{
	return program->arena_bytes + program->scratch_bytes;
}
