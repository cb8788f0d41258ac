/*
 * fuzz_onnx.c
 *	  Any bytes as a network: loading within a budget, and a run on a image.
 *
 * Checks that loading holds no more than the budget allows, that a failure has
 * a message, and that an output that is said to be there is finite.
 */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "onnx/onnx_graph.h"
#include "onnx/model/tensor.h"

#define BUDGET ((size_t) 4 << 20)

/* Questions until the call is interrupted: bounds the time, and unwinds. */
#define CHECKS_MAX 4000

static size_t n_checks;

static bool
fuzz_bounded(void *state)
{
	(void) state;
	return ++n_checks > CHECKS_MAX;
}

static void
try_run(const MrenEnv *env, const MrenOnnxGraph *graph)
{
	MrenOnnxGraphInfo info;
	MrenOnnxGraphRun *run = NULL;
	MrenError err = {0};
	MrenStatus status;
	bool done = false;
	float *image;
	float *features;

	mren_onnx_graph_info(graph, &info);
	image = calloc((size_t) info.width * info.height * (size_t) info.channels + 1, sizeof(float));
	features = calloc(info.features + 1, sizeof(float));
	if (image == NULL || features == NULL)
		abort();
	image[0] = 1.0f;
	status = mren_onnx_graph_start(env, graph, image, &run, &err);
	while (status == MREN_OK && !done)
		status = mren_onnx_graph_step(run, &done, &err);
	if (status == MREN_OK && mren_onnx_graph_output(run, features, &err) == MREN_OK)
	{
		for (size_t i = 0; i < info.features; i++)
		{
			if (!isfinite(features[i]))
				abort();
		}
	}
	mren_onnx_graph_end(run);
	free(image);
	free(features);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, 4 * BUDGET);
	MrenOnnxGraph *graph;
	MrenOnnxTensor tensor;
	MrenError err = {0};

	fuzz.env.interrupted = fuzz_bounded;
	n_checks = 0;
	if (mren_onnx_graph_load(env, data, size, NULL, BUDGET, &graph, &err) == MREN_OK)
	{
		if (fuzz.held > BUDGET)
			abort();
		try_run(env, graph);
		mren_onnx_graph_free(env, graph);
	}
	else if (strlen(err.message) == 0 || graph != NULL)
		abort();
	n_checks = 0;
	if (mren_onnx_tensor_parse(env, data, size, &tensor, &err) == MREN_OK)
		mren_onnx_tensor_free(env, &tensor);
	fuzz_done(&fuzz);
	return 0;
}
