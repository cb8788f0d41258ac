/*
 * onnx_graph.c
 *	  Networks over one image or waveform: which input, which output.
 */
#include "onnx/onnx_graph.h"

#include <math.h>
#include <string.h>

#include "onnx/compile.h"
#include "onnx/model/node.h"
#include "onnx/model/read.h"
#include "onnx/ops/ops.h"

struct MrenOnnxGraph
{
	MrenOnnxProgram *program;
	MrenOnnxGraphInfo info;
	MrenOnnxBudget kept_budget;
	MrenOnnxPool kept; /* the file's message, while its tensors are recorded as weights */
};

struct MrenOnnxGraphRun
{
	const MrenEnv *env;
	const MrenOnnxGraph *graph;
	MrenOnnxRun *run;
};

/* ---- the input ---- */

static MrenStatus
check_input(const MrenOnnxModel *model, MrenOnnxGraphInfo *info, bool *channels_first_out,
			MrenError *err)
{
	const MrenOnnxValue *input = model->n_inputs > 0 ? model->inputs[0] : NULL;
	const size_t *dims;
	char text[128];
	bool channels_first;

	if (model->n_inputs != 1)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "network must have one input, an image, but it has %zu", model->n_inputs);
	dims = input->shape.dims;
	mren_onnx_shape_text(&input->shape, text, sizeof(text));
	if (input->type != MREN_ONNX_FLOAT && input->type != MREN_ONNX_FLOAT16)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "input \"%s\" of the network must be of type float, not %s", input->name,
						 mren_onnx_type_name(input->type));
	channels_first = input->shape.rank == 4 && (dims[1] == 3 || dims[1] == 1);
	if (input->shape.rank != 4 || dims[0] != 1 || (!channels_first && dims[3] != 3 && dims[3] != 1))
	{
		mren_fail(err, MREN_EUNSUPPORTED,
				  "input \"%s\" of the network must be one image, but its shape is %s", input->name,
				  text);
		mren_error_hint(err, "The shape must be (1,C,H,W) or (1,H,W,C) with 1 or 3 channels.");
		return MREN_EUNSUPPORTED;
	}
	info->channels = (int) dims[channels_first ? 1 : 3];
	info->height = (uint32_t) dims[channels_first ? 2 : 1];
	info->width = (uint32_t) dims[channels_first ? 3 : 2];
	*channels_first_out = channels_first;
	return MREN_OK;
}

/* A channel dimension left open, (N,C,H,W) with all open, is 3. */
static void
close_channels(const MrenOnnxModel *model, size_t open_size)
{
	MrenOnnxValue *input = model->n_inputs > 0 ? model->inputs[0] : NULL;
	size_t *dims;

	if (input == NULL || input->shape.rank != 4)
		return;
	dims = input->shape.dims;
	if (dims[1] == open_size && dims[3] != 1 && dims[3] != 3)
	{
		dims[1] = 3;
		mren_onnx_shape_size(&input->shape, &input->n);
	}
}

/* A dimension that is left open is 1: no network reads one sample. */
#define OPEN_SAMPLES 1

/* The most samples of a window, so that they are counted in 24 bits. */
#define MAX_SAMPLES ((size_t) 1 << 24)

static MrenStatus
check_waveform(MrenOnnxModel *model, size_t samples, MrenOnnxGraphInfo *info, MrenError *err)
{
	MrenOnnxValue *input = model->n_inputs > 0 ? model->inputs[0] : NULL;
	size_t *last;
	char text[128];

	if (model->n_inputs != 1)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "network must have one input, a waveform, but it has %zu",
						 model->n_inputs);
	if (input->type != MREN_ONNX_FLOAT && input->type != MREN_ONNX_FLOAT16)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "input \"%s\" of the network must be of type float, not %s", input->name,
						 mren_onnx_type_name(input->type));
	last = input->shape.rank > 0 ? &input->shape.dims[input->shape.rank - 1] : NULL;
	if (last == NULL || input->n != *last)
	{
		mren_fail(err, MREN_EUNSUPPORTED,
				  "input \"%s\" of the network must be one waveform, but its shape is %s",
				  input->name, mren_onnx_shape_text(&input->shape, text, sizeof(text)));
		mren_error_hint(err, "The shape must be (N), (1,N) or (1,1,N), where N is the number of "
							 "samples. Put the front that computes spectra into the file.");
		return MREN_EUNSUPPORTED;
	}
	if (*last == OPEN_SAMPLES && samples == 0)
		return mren_fail(err, MREN_EPARAM,
						 "the length of input \"%s\" is left open in the file and must be given",
						 input->name);
	if (*last != OPEN_SAMPLES && samples > 0 && samples != *last)
		return mren_fail(err, MREN_EPARAM, "input \"%s\" has %zu samples, not %zu", input->name,
						 *last, samples);
	if (*last == OPEN_SAMPLES)
		*last = samples;
	if (*last > MAX_SAMPLES)
		return mren_fail(err, MREN_ELIMIT, "input \"%s\" has %zu samples, more than %zu",
						 input->name, *last, MAX_SAMPLES);
	mren_onnx_shape_size(&input->shape, &input->n);
	info->samples = input->n;
	return MREN_OK;
}

/* ---- the output ---- */

static bool
is_vector(const MrenOnnxValue *value)
{
	int n_long = 0;

	if (!value->known || !mren_onnx_type_is_float(value->type) || value->n < 2)
		return false;
	for (int d = 0; d < value->shape.rank; d++)
		n_long += value->shape.dims[d] != 1;
	return n_long == 1;
}

/* Whether the node is the final classifier over a vector that is computed. */
static bool
is_classifier(const MrenOnnxNode *node)
{
	const MrenOnnxValue *x = node->inputs[0];

	if (x == NULL || x->constant != NULL || !is_vector(x))
		return false;
	return strcmp(node->op->name, "Gemm") == 0 || strcmp(node->op->name, "MatMul") == 0 ||
		   strcmp(node->op->name, "Conv") == 0;
}

/* The one input that is computed; NULL if there are none or several. */
static MrenOnnxValue *
only_computed(const MrenOnnxNode *node)
{
	MrenOnnxValue *found = NULL;

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

/* The one input that is computed, if the node keeps the number of elements. */
static MrenOnnxValue *
pass_through(const MrenOnnxNode *node)
{
	MrenOnnxValue *found;

	if (node->op->infer != mren_onnx_infer_unary && node->op->infer != mren_onnx_infer_alias &&
		node->op->infer != mren_onnx_infer_softmax && node->op->infer != mren_onnx_infer_binary &&
		node->op->infer != mren_onnx_infer_transpose &&
		node->op->infer != mren_onnx_infer_batchnorm)
		return NULL;
	found = only_computed(node);
	return found != NULL && found->n == node->outputs[0]->n ? found : NULL;
}

/* Rule 2: from a graph output back to the classifier's input. */
static MrenOnnxValue *
before_classifier(MrenOnnxValue *value)
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
infer_for(MrenOnnxModel *model, MrenOnnxValue **targets, size_t n, MrenError *err)
{
	MREN_TRY(mren_onnx_model_mark(model, targets, n, err));
	return mren_onnx_model_infer(model, err);
}

static MrenStatus
choose_output(MrenOnnxModel *model, MrenOnnxValue **chosen, MrenError *err)
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
	mren_fail(err, MREN_EDATA, "network has no output that is a feature vector");
	mren_error_hint(err, "Give the name of the tensor to read.");
	return MREN_EDATA;
}

static MrenStatus
find_output(MrenOnnxModel *model, const char *name, MrenOnnxValue **chosen, MrenError *err)
{
	if (name == NULL)
		return choose_output(model, chosen, err);
	*chosen = mren_onnx_model_value(model, name);
	if (*chosen == NULL)
		return mren_onnx_model_no_value(model, name, err);
	MREN_TRY(infer_for(model, chosen, 1, err));
	if (!(*chosen)->known)
		return mren_fail(err, MREN_EFORMAT,
						 "tensor \"%s\" of the network is not computed by any node", name);
	if (!mren_onnx_type_is_float((*chosen)->type) || (*chosen)->n == 0)
	{
		char text[128];

		return mren_fail(err, MREN_EPARAM, "tensor \"%s\" of type %s and shape %s has no features",
						 name, mren_onnx_type_name((*chosen)->type),
						 mren_onnx_shape_text(&(*chosen)->shape, text, sizeof(text)));
	}
	return MREN_OK;
}

/* ---- the grid ---- */

/*
 * The last spatial map before the vector, or NULL.  A map of (1,H,W,C) only
 * comes from a transposed one, whose order is the one wanted.
 */
static MrenOnnxValue *
find_grid(MrenOnnxValue *chosen)
{
	MrenOnnxValue *value = chosen;

	if (!is_vector(chosen))
		return NULL;
	while (value != NULL && value->constant == NULL)
	{
		const size_t *dims = value->shape.dims;
		bool transposed = value->producer != NULL && value->producer->op != NULL &&
						  value->producer->op->infer == mren_onnx_infer_transpose;

		if (!value->known || !mren_onnx_type_is_float(value->type))
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
describe_grid(MrenOnnxGraphInfo *info, const MrenOnnxPort *port)
{
	info->grid = port->name;
	info->grid_channels = port->shape.dims[1];
	info->grid_height = port->shape.dims[2];
	info->grid_width = port->shape.dims[3];
}

/* ---- loading ---- */

/* What to load, and as what. */
typedef struct LoadSpec
{
	const uint8_t *bytes;
	size_t len;
	const char *output;
	bool waveform;	/* else an image */
	size_t samples; /* of the waveform; 0: as the file says */
	size_t budget;
} LoadSpec;

/* Reads the file; its input is of the requested kind. */
static MrenStatus
load_model(MrenOnnxGraph *graph, MrenOnnxPool *pool, const LoadSpec *spec, MrenOnnxModel **model,
		   bool *channels_first, MrenError *err)
{
	size_t open_size = spec->waveform ? OPEN_SAMPLES : MREN_ONNX_GRAPH_DEFAULT_SIZE;

	MREN_TRY(mren_onnx_model_load(pool, spec->bytes, spec->len, open_size, model, err));
	if (spec->waveform)
		return check_waveform(*model, spec->samples, &graph->info, err);
	close_channels(*model, MREN_ONNX_GRAPH_DEFAULT_SIZE);
	return check_input(*model, &graph->info, channels_first, err);
}

static MrenStatus
load_in(MrenOnnxGraph *graph, MrenOnnxPool *pool, const LoadSpec *spec, MrenError *err)
{
	MrenOnnxModel *model;
	MrenOnnxValue *targets[2] = {NULL, NULL};
	size_t n_targets = 1;
	bool channels_first = false;
	const MrenOnnxPort *ports;

	MREN_TRY(load_model(graph, pool, spec, &model, &channels_first, err));
	MREN_TRY(find_output(model, spec->output, &targets[0], err));
	targets[1] = spec->waveform ? NULL : find_grid(targets[0]);
	if (targets[1] != NULL)
		n_targets = 2;
	MREN_TRY(
		mren_onnx_program_compile(graph->program, model, targets, n_targets, channels_first, err));
	mren_onnx_program_outputs(graph->program, &ports);
	graph->info.features = ports[0].n;
	graph->info.output = ports[0].name;
	graph->info.opset = model->opset;
	if (n_targets == 2)
		describe_grid(&graph->info, &ports[1]);
	graph->info.weight_bytes = graph->program->pool.bytes;
	graph->info.arena_bytes = mren_onnx_program_arena(graph->program);
	return MREN_OK;
}

static MrenStatus
load_budgeted(MrenOnnxGraph *graph, const MrenEnv *env, const LoadSpec *spec, MrenError *err)
{
	MrenOnnxPool pool;
	MrenStatus status;

	MREN_TRY(mren_onnx_program_new(env, spec->budget, &graph->program, err));
	mren_onnx_pool_init(&pool, env, &graph->program->budget);
	status = mren_onnx_budget_take(&graph->program->budget, spec->len, err);
	if (status == MREN_OK)
		status = load_in(graph, &pool, spec, err);
	mren_onnx_pool_free(&pool);
	graph->program->budget.limit = 0;
	return status;
}

/*
 * Records the file itself as weights, its large tensors first, each a block: what is left is the
 * last block.
 */
static MrenStatus
record_file(MrenOnnxGraph *graph, const MrenEnv *env, const LoadSpec *spec, MrenError *err)
{
	Mren__Onnx__ModelProto *model;
	uint8_t *rest;
	size_t len;

	mren_onnx_pool_init(&graph->kept, env, &graph->kept_budget);
	MREN_TRY(mren_onnx_read_model(&graph->kept, spec->bytes, spec->len, &model, err));
	for (size_t i = 0; i < model->graph->n_initializer; i++)
		MREN_TRY(
			mren_onnx_set_aside(model->graph->initializer[i], &graph->kept, env->weights, err));
	len = mren__onnx__model_proto__get_packed_size(model);
	MREN_TRY(mren_onnx_pool_block(&graph->kept, len, 1, &rest, err));
	mren__onnx__model_proto__pack(model, rest);
	return mren_weights_add(env->weights, rest, len, err);
}

/* The file without its large tensors. */
static MrenStatus
find_file(const MrenEnv *env, LoadSpec *spec, MrenError *err)
{
	MrenWeightsBlock block;

	MREN_TRY(mren_weights_block(env->weights, env->weights->n - 1, &block, err));
	spec->bytes = block.data;
	spec->len = block.len;
	return MREN_OK;
}

static MrenStatus
load_spec(const MrenEnv *env, LoadSpec *spec, MrenOnnxGraph **out, MrenError *err)
{
	MrenOnnxGraph *graph;
	MrenStatus status;

	*out = NULL;
	if (mren_weights_ready(env))
		MREN_TRY(find_file(env, spec, err));
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*graph), &graph, err));
	status = load_budgeted(graph, env, spec, err);
	if (status == MREN_OK && env->weights != NULL && !env->weights->ready)
		status = record_file(graph, env, spec, err);
	if (status == MREN_OK)
		*out = graph;
	else
		mren_onnx_graph_free(env, graph);
	return status;
}

MrenStatus
mren_onnx_graph_load(const MrenEnv *env, const uint8_t *bytes, size_t len, const char *output,
					 size_t budget, MrenOnnxGraph **out, MrenError *err)
{
	LoadSpec spec = {.bytes = bytes, .len = len, .output = output, .budget = budget};

	return load_spec(env, &spec, out, err);
}

MrenStatus
mren_onnx_graph_load_waveform(const MrenEnv *env, const uint8_t *bytes, size_t len,
							  const char *output, size_t samples, size_t budget,
							  MrenOnnxGraph **out, MrenError *err)
{
	LoadSpec spec = {.bytes = bytes,
					 .len = len,
					 .output = output,
					 .waveform = true,
					 .samples = samples,
					 .budget = budget};

	return load_spec(env, &spec, out, err);
}

void
mren_onnx_graph_free(const MrenEnv *env, MrenOnnxGraph *graph)
{
	if (graph == NULL)
		return;
	mren_onnx_program_free(env, graph->program);
	mren_onnx_pool_free(&graph->kept);
	mren_release(env, graph);
}

void
mren_onnx_graph_info(const MrenOnnxGraph *graph, MrenOnnxGraphInfo *info)
{
	*info = graph->info;
}

size_t
mren_onnx_graph_memory(const MrenOnnxGraph *graph)
{
	return sizeof(*graph) + mren_onnx_program_memory(graph->program);
}

/* ---- running ---- */

MrenStatus
mren_onnx_graph_start(const MrenEnv *env, const MrenOnnxGraph *graph, const float *input,
					  MrenOnnxGraphRun **out, MrenError *err)
{
	const void *inputs[1] = {input};
	MrenOnnxGraphRun *run;
	MrenStatus status;

	*out = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*run), &run, err));
	run->env = env;
	run->graph = graph;
	status = mren_onnx_run_start(env, graph->program, inputs, &run->run, err);
	if (status == MREN_OK)
		*out = run;
	else
		mren_release(env, run);
	return status;
}

void
mren_onnx_graph_restart(MrenOnnxGraphRun *run, const float *input)
{
	const void *inputs[1] = {input};

	mren_onnx_run_restart(run->run, inputs);
}

MrenStatus
mren_onnx_graph_step(MrenOnnxGraphRun *run, bool *done, MrenError *err)
{
	return mren_onnx_run_step(run->run, done, err);
}

MrenStatus
mren_onnx_graph_output(const MrenOnnxGraphRun *run, float *features, MrenError *err)
{
	const MrenOnnxGraphInfo *info = &run->graph->info;
	const float *values = mren_onnx_run_output(run->run, 0);

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
mren_onnx_graph_grid(const MrenOnnxGraphRun *run, float *grid, MrenError *err)
{
	const MrenOnnxGraphInfo *info = &run->graph->info;
	const float *values = mren_onnx_run_output(run->run, 1);
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
mren_onnx_graph_end(MrenOnnxGraphRun *run)
{
	if (run == NULL)
		return;
	mren_onnx_run_end(run->run);
	mren_release(run->env, run);
}
