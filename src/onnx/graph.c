/*
 * graph.c
 *	  Networks over one picture: which input, which output.
 */
#include "onnx/graph.h"

#include <math.h>
#include <string.h>

#include "onnx/compile.h"
#include "onnx/node.h"
#include "onnx/ops.h"

struct MrenGraph
{
	MrenProgram *program;
	MrenGraphInfo info;
};

struct MrenGraphRun
{
	const MrenEnv *env;
	const MrenGraph *graph;
	MrenRun *run;
};

/* ---- the input ---- */

static MrenStatus
check_input(const MrenModel *model, MrenGraphInfo *info, bool *channels_first_out, MrenError *err)
{
	const MrenValue *input = model->n_inputs > 0 ? model->inputs[0] : NULL;
	const size_t *dims;
	char text[128];
	bool channels_first;

	if (model->n_inputs != 1)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "the network has %zu inputs, but one picture is needed", model->n_inputs);
	dims = input->shape.dims;
	mren_shape_text(&input->shape, text, sizeof(text));
	if (input->type != MREN_FLOAT && input->type != MREN_FLOAT16)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "input \"%s\" of the network is of type %s, but float is needed",
						 input->name, mren_type_name(input->type));
	channels_first = input->shape.rank == 4 && (dims[1] == 3 || dims[1] == 1);
	if (input->shape.rank != 4 || dims[0] != 1 || (!channels_first && dims[3] != 3 && dims[3] != 1))
	{
		mren_fail(err, MREN_EUNSUPPORTED,
				  "input \"%s\" of the network has shape %s, but one picture is needed",
				  input->name, text);
		mren_error_hint(err, "The shape must be (1,C,H,W) or (1,H,W,C) with 1 or 3 channels.");
		return MREN_EUNSUPPORTED;
	}
	info->channels = (int) dims[channels_first ? 1 : 3];
	info->height = (uint32_t) dims[channels_first ? 2 : 1];
	info->width = (uint32_t) dims[channels_first ? 3 : 2];
	info->nhwc = true;
	*channels_first_out = channels_first;
	return MREN_OK;
}

/* A channel dimension left open, (N,C,H,W) with all open, is 3. */
static void
close_channels(const MrenModel *model, size_t open_size)
{
	MrenValue *input = model->n_inputs > 0 ? model->inputs[0] : NULL;
	size_t *dims;

	if (input == NULL || input->shape.rank != 4)
		return;
	dims = input->shape.dims;
	if (dims[1] == open_size && dims[3] != 1 && dims[3] != 3)
	{
		dims[1] = 3;
		mren_shape_size(&input->shape, &input->n);
	}
}

/* ---- the output ---- */

static bool
is_vector(const MrenValue *value)
{
	int n_long = 0;

	if (!value->known || !mren_type_is_float(value->type) || value->n < 2)
		return false;
	for (int d = 0; d < value->shape.rank; d++)
		n_long += value->shape.dims[d] != 1;
	return n_long == 1;
}

/* Whether the node is the final classifier over a vector that is computed. */
static bool
is_classifier(const MrenNode *node)
{
	const MrenValue *x = node->inputs[0];

	if (x == NULL || x->constant != NULL || !is_vector(x))
		return false;
	return strcmp(node->op->name, "Gemm") == 0 || strcmp(node->op->name, "MatMul") == 0 ||
		   strcmp(node->op->name, "Conv") == 0;
}

/* The one input that is computed, if the node keeps the number of elements. */
static MrenValue *
pass_through(const MrenNode *node)
{
	MrenValue *found = NULL;

	if (node->op->infer != mren_infer_unary && node->op->infer != mren_infer_alias &&
		node->op->infer != mren_infer_softmax && node->op->infer != mren_infer_binary &&
		node->op->infer != mren_infer_transpose && node->op->infer != mren_infer_batchnorm)
		return NULL;
	for (size_t i = 0; i < node->n_inputs; i++)
	{
		if (node->inputs[i] == NULL || node->inputs[i]->constant != NULL)
			continue;
		if (found != NULL)
			return NULL;
		found = node->inputs[i];
	}
	return found != NULL && found->n == node->outputs[0]->n ? found : NULL;
}

/* Rule 2: from a graph output back to the classifier's input. */
static MrenValue *
before_classifier(MrenValue *value)
{
	while (value != NULL && value->producer != NULL && value->constant == NULL && is_vector(value))
	{
		if (value->producer->op == NULL)
			return NULL;
		if (is_classifier(value->producer))
			return value->producer->inputs[0];
		value = pass_through(value->producer);
	}
	return NULL;
}

static MrenStatus
infer_for(MrenModel *model, MrenValue **targets, size_t n, MrenError *err)
{
	MREN_TRY(mren_model_mark(model, targets, n, err));
	return mren_model_infer(model, err);
}

static MrenStatus
choose_output(MrenModel *model, MrenValue **chosen, MrenError *err)
{
	for (size_t i = 0; i < model->n_outputs; i++)
	{
		if (strcmp(model->outputs[i]->name, "features") != 0)
			continue;
		*chosen = model->outputs[i];
		MREN_TRY(infer_for(model, chosen, 1, err));
		if (is_vector(*chosen))
			return MREN_OK;
	}
	MREN_TRY(infer_for(model, model->outputs, model->n_outputs, err));
	for (size_t i = model->n_outputs; i-- > 0;)
	{
		*chosen = before_classifier(model->outputs[i]);
		if (*chosen != NULL)
			return MREN_OK;
	}
	for (size_t i = model->n_outputs; i-- > 0;)
	{
		*chosen = model->outputs[i];
		if (is_vector(*chosen))
			return MREN_OK;
	}
	mren_fail(err, MREN_EDATA, "the network has no output that is a feature vector");
	mren_error_hint(err, "Name the tensor to read.");
	return MREN_EDATA;
}

static MrenStatus
find_output(MrenModel *model, const char *name, MrenValue **chosen, MrenError *err)
{
	if (name == NULL)
		return choose_output(model, chosen, err);
	*chosen = mren_model_value(model, name);
	if (*chosen == NULL)
		return mren_fail(err, MREN_EPARAM, "the network has no tensor \"%s\"", name);
	MREN_TRY(infer_for(model, chosen, 1, err));
	if (!(*chosen)->known)
		return mren_fail(err, MREN_EFORMAT, "nothing computes tensor \"%s\" of the network", name);
	if (!mren_type_is_float((*chosen)->type) || (*chosen)->n == 0)
	{
		char text[128];

		return mren_fail(err, MREN_EPARAM, "tensor \"%s\" of type %s and shape %s has no features",
						 name, mren_type_name((*chosen)->type),
						 mren_shape_text(&(*chosen)->shape, text, sizeof(text)));
	}
	return MREN_OK;
}

/* ---- the grid ---- */

/* The one input that is computed; NULL if there are none or several. */
static MrenValue *
only_computed(const MrenNode *node)
{
	MrenValue *found = NULL;

	for (size_t i = 0; i < node->n_inputs; i++)
	{
		if (node->inputs[i] == NULL || node->inputs[i]->constant != NULL)
			continue;
		if (found != NULL)
			return NULL;
		found = node->inputs[i];
	}
	return found;
}

/*
 * The last spatial map before the vector, or NULL.  A map of (1,H,W,C) only
 * comes from a transposed one, whose order is the one wanted.
 */
static MrenValue *
find_grid(MrenValue *chosen)
{
	MrenValue *value = chosen;

	if (!is_vector(chosen))
		return NULL;
	while (value != NULL && value->constant == NULL)
	{
		const size_t *dims = value->shape.dims;
		bool transposed = value->producer != NULL && value->producer->op != NULL &&
						  value->producer->op->infer == mren_infer_transpose;

		if (!value->known || !mren_type_is_float(value->type))
			return NULL;
		if (value->shape.rank == 4 && dims[2] * dims[3] > 1 && dims[0] == 1 && !transposed)
			return value->is_input ? NULL : value;
		if (value->producer == NULL || value->producer->op == NULL)
			return NULL;
		value = only_computed(value->producer);
	}
	return NULL;
}

static void
describe_grid(MrenGraphInfo *info, const MrenPort *port)
{
	info->grid = port->name;
	info->grid_channels = port->shape.dims[1];
	info->grid_height = port->shape.dims[2];
	info->grid_width = port->shape.dims[3];
}

/* ---- loading ---- */

static MrenStatus
load_in(MrenGraph *graph, MrenPool *pool, const uint8_t *bytes, size_t len, const char *output,
		MrenError *err)
{
	MrenModel *model;
	MrenValue *targets[2] = {NULL, NULL};
	size_t n_targets = 1;
	bool channels_first = false;
	const MrenPort *ports;

	MREN_TRY(mren_model_load(pool, bytes, len, MREN_GRAPH_DEFAULT_SIZE, &model, err));
	close_channels(model, MREN_GRAPH_DEFAULT_SIZE);
	MREN_TRY(check_input(model, &graph->info, &channels_first, err));
	MREN_TRY(find_output(model, output, &targets[0], err));
	targets[1] = find_grid(targets[0]);
	if (targets[1] != NULL)
		n_targets = 2;
	MREN_TRY(mren_program_compile(graph->program, model, targets, n_targets, channels_first, err));
	mren_program_outputs(graph->program, &ports);
	graph->info.features = ports[0].n;
	graph->info.output = ports[0].name;
	graph->info.opset = model->opset;
	if (n_targets == 2)
		describe_grid(&graph->info, &ports[1]);
	graph->info.weight_bytes = graph->program->pool.bytes;
	graph->info.arena_bytes = mren_program_arena(graph->program);
	return MREN_OK;
}

static MrenStatus
load_budgeted(MrenGraph *graph, const MrenEnv *env, const uint8_t *bytes, size_t len,
			  const char *output, size_t budget, MrenError *err)
{
	MrenPool pool;
	MrenStatus status;

	MREN_TRY(mren_program_new(env, budget, &graph->program, err));
	mren_pool_init(&pool, env, &graph->program->budget);
	status = mren_budget_take(&graph->program->budget, len, err);
	if (status == MREN_OK)
		status = load_in(graph, &pool, bytes, len, output, err);
	mren_pool_free(&pool);
	graph->program->budget.limit = 0;
	return status;
}

MrenStatus
mren_graph_load(const MrenEnv *env, const uint8_t *bytes, size_t len, const char *output,
				size_t budget, MrenGraph **out, MrenError *err)
{
	MrenGraph *graph;
	MrenStatus status;

	*out = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*graph), &graph, err));
	status = load_budgeted(graph, env, bytes, len, output, budget, err);
	if (status == MREN_OK)
		*out = graph;
	else
		mren_graph_free(env, graph);
	return status;
}

void
mren_graph_free(const MrenEnv *env, MrenGraph *graph)
{
	if (graph == NULL)
		return;
	mren_program_free(env, graph->program);
	mren_release(env, graph);
}

void
mren_graph_info(const MrenGraph *graph, MrenGraphInfo *info)
{
	*info = graph->info;
}

size_t
mren_graph_memory(const MrenGraph *graph)
{
	return sizeof(*graph) + mren_program_memory(graph->program);
}

/* ---- running ---- */

MrenStatus
mren_graph_start(const MrenEnv *env, const MrenGraph *graph, const float *input, MrenGraphRun **out,
				 MrenError *err)
{
	const void *inputs[1] = {input};
	MrenGraphRun *run;
	MrenStatus status;

	*out = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*run), &run, err));
	run->env = env;
	run->graph = graph;
	status = mren_run_start(env, graph->program, inputs, &run->run, err);
	if (status == MREN_OK)
		*out = run;
	else
		mren_release(env, run);
	return status;
}

void
mren_graph_restart(MrenGraphRun *run, const float *input)
{
	const void *inputs[1] = {input};

	mren_run_restart(run->run, inputs);
}

MrenStatus
mren_graph_step(MrenGraphRun *run, bool *done, MrenError *err)
{
	return mren_run_step(run->run, done, err);
}

MrenStatus
mren_graph_output(const MrenGraphRun *run, float *features, MrenError *err)
{
	const MrenGraphInfo *info = &run->graph->info;
	const float *values = mren_run_output(run->run, 0);

	for (size_t i = 0; i < info->features; i++)
	{
		if (!isfinite(values[i]))
			return mren_fail(err, MREN_ENUMERIC,
							 "element %zu of the network's output \"%s\" is not a finite number", i,
							 info->output);
	}
	memcpy(features, values, info->features * sizeof(float));
	return MREN_OK;
}

MrenStatus
mren_graph_grid(const MrenGraphRun *run, float *grid, MrenError *err)
{
	const MrenGraphInfo *info = &run->graph->info;
	const float *values = mren_run_output(run->run, 1);
	size_t cells = info->grid_height * info->grid_width;

	for (size_t c = 0; c < info->grid_channels; c++)
	{
		for (size_t i = 0; i < cells; i++)
		{
			float value = values[c * cells + i];

			if (!isfinite(value))
				return mren_fail(err, MREN_ENUMERIC,
								 "element %zu of the network's grid \"%s\" is not a finite number",
								 c * cells + i, info->grid);
			grid[i * info->grid_channels + c] = value;
		}
	}
	return MREN_OK;
}

void
mren_graph_end(MrenGraphRun *run)
{
	if (run == NULL)
		return;
	mren_run_end(run->run);
	mren_release(run->env, run);
}
