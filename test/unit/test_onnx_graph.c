/*
 * test_onnx_graph.c
 *	  Networks over images: what is folded changes nothing, which output is
 *	  read, bounds, interruption, and the four encoders of the shared data.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/random.h"
#include "onnx/onnx_graph.h"
#include "onnx/program.h"
#include "onnx_build.h"

#define SIDE 12 /* of the small network's image */

static MrenRandom weights_random;

static void
conv_weights(Build *b, const char *name, int64_t filters, int64_t channels, int64_t kernel)
{
	int64_t dims[4] = {filters, channels, kernel, kernel};
	size_t n = (size_t) (filters * channels * kernel * kernel);
	float *values = malloc(n * sizeof(float));

	for (size_t i = 0; i < n; i++)
		values[i] = (2.0f * mren_random_uniform(&weights_random) - 1.0f) /
					sqrtf((float) (channels * kernel * kernel));
	build_floats(b, name, values, dims, 4);
	free(values);
}

static void
vector_weights(Build *b, const char *name, size_t n, float low, float high)
{
	float values[64];
	int64_t dim = (int64_t) n;

	for (size_t i = 0; i < n; i++)
		values[i] = low + (high - low) * mren_random_uniform(&weights_random);
	build_floats(b, name, values, &dim, 1);
}

static void
batchnorm(Build *b, const char *in, const char *out, size_t n)
{
	char names[4][32];
	char inputs[160];

	for (int i = 0; i < 4; i++)
	{
		snprintf(names[i], sizeof(names[i]), "%s_bn%d", out, i);
		vector_weights(b, names[i], n, i == 3 ? 0.2f : -0.6f, i == 3 ? 2.0f : 1.1f);
	}
	snprintf(inputs, sizeof(inputs), "%s %s %s %s %s", in, names[0], names[1], names[2], names[3]);
	build_node(b, "BatchNormalization", inputs, out);
}

static void
pads(Build *b, Mren__Onnx__NodeProto *node, int64_t pad, int64_t stride)
{
	build_list(b, node, "pads", BUILD_DIMS(pad, pad, pad, pad));
	build_list(b, node, "strides", BUILD_DIMS(stride, stride));
}

/*
 * A bit of everything: a residual block with batch normalization, squeeze and
 * excite, a depthwise convolution with SiLU, a concatenation of two
 * convolutions, a pool, and a classifier after a flattened vector.
 */
static void
small_network(Build *b)
{
	mren_random_seed(&weights_random, 7, 0);
	build_init(b, 13);
	build_input(b, "image", BUILD_DIMS(-1, 3, SIDE, SIDE));
	conv_weights(b, "w1", 16, 3, 3);
	pads(b, build_node(b, "Conv", "image w1", "c1"), 1, 1);
	batchnorm(b, "c1", "b1", 16);
	build_node(b, "Relu", "b1", "r1");
	conv_weights(b, "w2", 16, 16, 3);
	pads(b, build_node(b, "Conv", "r1 w2", "c2"), 1, 1);
	batchnorm(b, "c2", "b2", 16);
	build_node(b, "Add", "b2 r1", "s2");
	build_node(b, "Relu", "s2", "r2");
	build_node(b, "GlobalAveragePool", "r2", "g2");
	conv_weights(b, "w3", 16, 16, 1);
	build_node(b, "Conv", "g2 w3", "c3");
	build_node(b, "HardSigmoid", "c3", "h3");
	build_node(b, "Mul", "r2 h3", "m3");
	conv_weights(b, "w4", 16, 1, 3);
	build_int(b, build_node(b, "Conv", "m3 w4", "c4"), "group", 16);
	pads(b, b->nodes[b->graph.n_node - 1], 1, 2);
	build_node(b, "Sigmoid", "c4", "g4");
	build_node(b, "Mul", "c4 g4", "m4");
	conv_weights(b, "w5", 8, 16, 1);
	build_node(b, "Conv", "m4 w5", "c5");
	conv_weights(b, "w6", 24, 16, 3);
	pads(b, build_node(b, "Conv", "m4 w6", "c6"), 1, 1);
	build_node(b, "Concat", "c5 c6", "k6");
	build_int(b, b->nodes[b->graph.n_node - 1], "axis", 1);
	build_node(b, "MaxPool", "k6", "p6");
	build_list(b, b->nodes[b->graph.n_node - 1], "kernel_shape", BUILD_DIMS(2, 2));
	build_node(b, "GlobalAveragePool", "p6", "g6");
	build_node(b, "Flatten", "g6", "vector");
	vector_weights(b, "bias7", 10, -1, 1);
	{
		float values[320];

		for (size_t i = 0; i < 320; i++)
			values[i] = mren_random_uniform(&weights_random) - 0.5f;
		build_floats(b, "w7", values, BUILD_DIMS(10, 32));
	}
	build_int(b, build_node(b, "Gemm", "vector w7 bias7", "logits"), "transB", 1);
	build_node(b, "Softmax", "logits", "probabilities");
	build_output(b, "probabilities");
}

static float *
random_image(size_t n)
{
	float *image = malloc(n * sizeof(float));
	MrenRandom random;

	mren_random_seed(&random, 3, 1);
	for (size_t i = 0; i < n; i++)
		image[i] = mren_random_normal(&random);
	return image;
}

/* Loads, runs to the end, and gives the output. */
static MrenStatus
features_of(const MrenEnv *env, const uint8_t *bytes, size_t len, const char *output,
			const float *image, float *features, size_t room, MrenError *err)
{
	MrenOnnxGraph *graph;
	MrenOnnxGraphRun *run = NULL;
	MrenOnnxGraphInfo info;
	bool done = false;
	MrenStatus status = mren_onnx_graph_load(env, bytes, len, output, 0, &graph, err);

	if (status != MREN_OK)
		return status;
	mren_onnx_graph_info(graph, &info);
	assert_true(info.features <= room);
	status = mren_onnx_graph_start(env, graph, image, &run, err);
	while (status == MREN_OK && !done)
		status = mren_onnx_graph_step(run, &done, err);
	if (status == MREN_OK)
		status = mren_onnx_graph_output(run, features, err);
	mren_onnx_graph_end(run);
	mren_onnx_graph_free(env, graph);
	return status;
}

/*
 * Naming a tensor keeps it from being folded away, so asking for every tensor
 * of the network at once computes each operator on its own.
 */
static void
folding_changes_no_tensor(void **state)
{
	static const char *const names[] = {
		"c1", "b1", "r1", "c2", "b2", "s2", "r2", "g2", "c3",	  "h3",		"m3",
		"c4", "g4", "m4", "c5", "c6", "k6", "p6", "g6", "vector", "logits", "probabilities"};
	enum
	{
		N = sizeof(names) / sizeof(names[0])
	};
	Build b;
	TestEnv test;
	MrenError err = {0};
	MrenOnnxProgramOptions options = {NULL, 0, names, N, 0, MREN_ONNX_CPU_BEST};
	MrenOnnxProgram *program;
	MrenOnnxRun *run;
	const MrenOnnxPort *ports;
	bool done = false;
	size_t len;
	uint8_t *bytes;
	float *image = random_image(3 * SIDE * SIDE);
	float *last = malloc(3 * SIDE * SIDE * sizeof(float));
	float *got = malloc(16 * SIDE * SIDE * sizeof(float));
	const void *inputs[1] = {image};

	(void) state;
	for (size_t p = 0; p < SIDE * SIDE; p++)
	{
		for (size_t c = 0; c < 3; c++)
			last[p * 3 + c] = image[c * SIDE * SIDE + p];
	}
	test_env_init(&test);
	small_network(&b);
	bytes = build_pack(&b, &len);
	assert_int_equal(mren_onnx_program_load(&test.env, bytes, len, &options, &program, &err),
					 MREN_OK);
	assert_int_equal(mren_onnx_run_start(&test.env, program, inputs, &run, &err), MREN_OK);
	while (!done)
		assert_int_equal(mren_onnx_run_step(run, &done, &err), MREN_OK);
	assert_int_equal(mren_onnx_program_outputs(program, &ports), N);
	for (size_t i = 0; i < N; i++)
	{
		const float *want = mren_onnx_run_output(run, i);
		size_t n_nonzero = 0;

		if (features_of(&test.env, bytes, len, names[i], last, got, 16 * SIDE * SIDE, &err) !=
			MREN_OK)
			fail_msg("%s: %s", names[i], err.message);
		for (size_t k = 0; k < ports[i].n; k++)
		{
			n_nonzero += want[k] != 0;
			if (fabsf(got[k] - want[k]) > 2e-5f)
				fail_msg("element %zu of \"%s\" is %g, not %g", k, names[i], (double) got[k],
						 (double) want[k]);
		}
		assert_true(n_nonzero > ports[i].n / 4);
	}
	mren_onnx_run_end(run);
	mren_onnx_program_free(&test.env, program);
	build_free(&b);
	free(image);
	free(last);
	free(got);
	assert_int_equal(test.n_live, 0);
}

static void
expect_output(Build *b, const char *output, size_t features)
{
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	MrenOnnxGraphInfo info;
	size_t len;
	uint8_t *bytes = build_pack(b, &len);

	test_env_init(&test);
	if (mren_onnx_graph_load(&test.env, bytes, len, NULL, 0, &graph, &err) != MREN_OK)
		fail_msg("%s", err.message);
	mren_onnx_graph_info(graph, &info);
	assert_string_equal(info.output, output);
	assert_int_equal(info.features, features);
	mren_onnx_graph_free(&test.env, graph);
	assert_int_equal(test.n_live, 0);
}

static void
a_classifier_gives_the_vector_that_enters_it(void **state)
{
	Build b;

	(void) state;
	small_network(&b);
	expect_output(&b, "vector", 32);
	build_free(&b);
}

static void
an_output_named_features_comes_first(void **state)
{
	Build b;

	(void) state;
	small_network(&b);
	build_node(&b, "Flatten", "g2", "features");
	build_output(&b, "features");
	build_output(&b, "logits");
	expect_output(&b, "features", 16);
	build_free(&b);
}

static void
a_map_named_features_is_no_vector(void **state)
{
	Build b;

	(void) state;
	small_network(&b);
	build_node(&b, "Identity", "r2", "features");
	build_output(&b, "features");
	expect_output(&b, "vector", 32);
	build_free(&b);
}

static void
without_a_classifier_the_last_vector_is_the_output(void **state)
{
	Build b;

	(void) state;
	build_init(&b, 11);
	build_input(&b, "x", BUILD_DIMS(1, 3, 4, 4));
	build_node(&b, "GlobalAveragePool", "x", "pooled");
	build_node(&b, "Relu", "x", "map");
	build_output(&b, "pooled");
	build_output(&b, "map");
	expect_output(&b, "pooled", 3);
	build_free(&b);
}

static void
a_network_without_a_vector_needs_a_name(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	size_t len;
	uint8_t *bytes;

	(void) state;
	build_init(&b, 11);
	build_input(&b, "x", BUILD_DIMS(1, 3, 4, 4));
	build_node(&b, "Relu", "x", "map");
	build_output(&b, "map");
	bytes = build_pack(&b, &len);
	test_env_init(&test);
	assert_int_equal(mren_onnx_graph_load(&test.env, bytes, len, NULL, 0, &graph, &err),
					 MREN_EDATA);
	assert_string_equal(err.message, "network has no output that is a feature vector");
	assert_string_equal(err.hint, "Give the name of the tensor to read.");
	assert_int_equal(mren_onnx_graph_load(&test.env, bytes, len, "nowhere", 0, &graph, &err),
					 MREN_EPARAM);
	assert_string_equal(err.message, "network has no tensor \"nowhere\"");
	assert_string_equal(err.hint, "Its last tensors are \"map\".");
	build_free(&b);
	assert_int_equal(test.n_live, 0);
}

/* A vector that a global average made is the mean of the grid's cells. */
static void
the_grid_is_the_map_that_the_vector_is_pooled_from(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	MrenOnnxGraphRun *run;
	MrenOnnxGraphInfo info;
	size_t len;
	uint8_t *bytes;
	float image[SIDE * SIDE * 3];
	float vector[32];
	float *grid;
	bool done = false;

	(void) state;
	small_network(&b);
	bytes = build_pack(&b, &len);
	test_env_init(&test);
	for (size_t i = 0; i < SIDE * SIDE * 3; i++)
		image[i] = (float) (i % 17) / 17;
	assert_int_equal(mren_onnx_graph_load(&test.env, bytes, len, NULL, 0, &graph, &err), MREN_OK);
	mren_onnx_graph_info(graph, &info);
	assert_string_equal(info.grid, "p6");
	assert_int_equal(info.grid_channels, 32);
	/* 12 pixels, every second of them, and pairs of these without a border. */
	assert_int_equal(info.grid_height, 5);
	assert_int_equal(info.grid_width, 5);
	assert_int_equal(mren_onnx_graph_start(&test.env, graph, image, &run, &err), MREN_OK);
	while (!done)
		assert_int_equal(mren_onnx_graph_step(run, &done, &err), MREN_OK);
	grid = malloc(25 * 32 * sizeof(float));
	assert_int_equal(mren_onnx_graph_output(run, vector, &err), MREN_OK);
	assert_int_equal(mren_onnx_graph_grid(run, grid, &err), MREN_OK);
	for (size_t c = 0; c < 32; c++)
	{
		float sum = 0;

		for (size_t i = 0; i < 25; i++)
			sum += grid[i * 32 + c];
		assert_float_equal(sum / 25, vector[c], 1e-5);
	}
	free(grid);
	mren_onnx_graph_end(run);
	mren_onnx_graph_free(&test.env, graph);
	build_free(&b);
	assert_int_equal(test.n_live, 0);
}

static void
expect_grid(Build *b, const char *output, const char *grid)
{
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	MrenOnnxGraphInfo info;
	size_t len;
	uint8_t *bytes = build_pack(b, &len);

	test_env_init(&test);
	if (mren_onnx_graph_load(&test.env, bytes, len, output, 0, &graph, &err) != MREN_OK)
		fail_msg("%s", err.message);
	mren_onnx_graph_info(graph, &info);
	if (grid == NULL)
		assert_null(info.grid);
	else
		assert_string_equal(info.grid, grid);
	mren_onnx_graph_free(&test.env, graph);
	assert_int_equal(test.n_live, 0);
}

static void
a_network_may_have_no_grid(void **state)
{
	Build b;

	(void) state;
	small_network(&b);
	/* After a product of two maps there is no one map; a map's own is none. */
	build_node(&b, "Add", "g2 g6x", "both");
	build_node(&b, "GlobalAveragePool", "r1", "g6x");
	expect_grid(&b, "both", NULL);
	expect_grid(&b, "p6", NULL);
	expect_grid(&b, "logits", "p6");
	expect_grid(&b, "g2", "r2");
	build_free(&b);
	build_init(&b, 11);
	build_input(&b, "x", BUILD_DIMS(1, 3, 4, 4));
	build_node(&b, "GlobalAveragePool", "x", "pooled");
	build_output(&b, "pooled");
	expect_grid(&b, "pooled", NULL);
	build_free(&b);
}

/* A map comes in the tensor's own order, whatever the layout inside. */
static void
a_named_map_is_read_in_its_own_order(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	size_t len;
	uint8_t *bytes;
	float image[12]; /* two pixels by two, three channels: 10 * pixel + channel */
	float map[12];

	(void) state;
	for (int p = 0; p < 4; p++)
	{
		for (int c = 0; c < 3; c++)
			image[p * 3 + c] = (float) (10 * p + c);
	}
	build_init(&b, 11);
	build_input(&b, "x", BUILD_DIMS(-1, 3, 2, 2));
	build_node(&b, "Neg", "x", "map");
	build_output(&b, "map");
	bytes = build_pack(&b, &len);
	test_env_init(&test);
	assert_int_equal(features_of(&test.env, bytes, len, "map", image, map, 12, &err), MREN_OK);
	for (int c = 0; c < 3; c++)
	{
		for (int p = 0; p < 4; p++)
			assert_float_equal(map[c * 4 + p], -(10 * p + c), 0);
	}
	build_free(&b);
}

/* tf2onnx: the image comes pixel by pixel and is transposed in the graph. */
static void
a_network_over_pixels_takes_them_as_they_are(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	MrenOnnxGraphInfo info;
	size_t len;
	uint8_t *bytes;
	float image[24];
	float means[3];

	(void) state;
	for (int i = 0; i < 24; i++)
		image[i] = (float) (i * i);
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(-1, 2, 4, 3));
	build_list(&b, build_node(&b, "Transpose", "x", "t"), "perm", BUILD_DIMS(0, 3, 1, 2));
	build_node(&b, "ReduceMean", "t", "means");
	build_list(&b, b.nodes[1], "axes", BUILD_DIMS(2, 3));
	build_output(&b, "means");
	bytes = build_pack(&b, &len);
	test_env_init(&test);
	assert_int_equal(mren_onnx_graph_load(&test.env, bytes, len, NULL, 0, &graph, &err), MREN_OK);
	mren_onnx_graph_info(graph, &info);
	assert_int_equal(info.height, 2);
	assert_int_equal(info.width, 4);
	assert_int_equal(info.channels, 3);
	mren_onnx_graph_free(&test.env, graph);
	assert_int_equal(features_of(&test.env, bytes, len, NULL, image, means, 3, &err), MREN_OK);
	for (int c = 0; c < 3; c++)
	{
		float sum = 0;

		for (int p = 0; p < 8; p++)
			sum += image[p * 3 + c];
		assert_float_equal(means[c], sum / 8, 1e-4);
	}
	build_free(&b);
	assert_int_equal(test.n_live, 0);
}

static void
open_sizes_take_the_default(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	MrenOnnxGraphInfo info;
	size_t len;
	uint8_t *bytes;

	(void) state;
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(-1, -1, 0, -1));
	build_node(&b, "GlobalMaxPool", "x", "top");
	build_output(&b, "top");
	bytes = build_pack(&b, &len);
	test_env_init(&test);
	assert_int_equal(mren_onnx_graph_load(&test.env, bytes, len, NULL, 0, &graph, &err), MREN_OK);
	mren_onnx_graph_info(graph, &info);
	assert_int_equal(info.height, MREN_ONNX_GRAPH_DEFAULT_SIZE);
	assert_int_equal(info.width, MREN_ONNX_GRAPH_DEFAULT_SIZE);
	assert_int_equal(info.channels, 3);
	mren_onnx_graph_free(&test.env, graph);
	build_free(&b);
}

static void
nodes_in_any_order_are_sorted(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	size_t len;
	uint8_t *bytes;
	float *image = random_image(3 * SIDE * SIDE);
	float want[32];
	float got[32];

	(void) state;
	test_env_init(&test);
	small_network(&b);
	bytes = build_pack(&b, &len);
	assert_int_equal(features_of(&test.env, bytes, len, NULL, image, want, 32, &err), MREN_OK);
	for (size_t i = 0; i < b.graph.n_node / 2; i++)
	{
		Mren__Onnx__NodeProto *swap = b.nodes[i];

		b.nodes[i] = b.nodes[b.graph.n_node - 1 - i];
		b.nodes[b.graph.n_node - 1 - i] = swap;
	}
	bytes = build_pack(&b, &len);
	assert_int_equal(features_of(&test.env, bytes, len, NULL, image, got, 32, &err), MREN_OK);
	for (size_t i = 0; i < 32; i++)
		assert_float_equal(got[i], want[i], 1e-6);
	build_free(&b);
	free(image);
}

typedef struct Call
{
	const uint8_t *bytes;
	size_t len;
	const float *image;
} Call;

static MrenStatus
load_and_run(const MrenEnv *env, MrenError *err, void *arg)
{
	const Call *call = arg;
	float features[32];

	return features_of(env, call->bytes, call->len, NULL, call->image, features, 32, err);
}

static void
failed_allocations_leave_nothing_behind(void **state)
{
	Build b;
	Call call;

	(void) state;
	small_network(&b);
	call.bytes = build_pack(&b, &call.len);
	call.image = random_image(3 * SIDE * SIDE);
	test_allocation_sweep(load_and_run, &call);
	free((float *) call.image);
	build_free(&b);
}

static void
interruption_ends_loading_and_running(void **state)
{
	Build b;
	Call call;

	(void) state;
	small_network(&b);
	call.bytes = build_pack(&b, &call.len);
	call.image = random_image(3 * SIDE * SIDE);
	test_interrupt_sweep(load_and_run, &call);
	free((float *) call.image);
	build_free(&b);
}

static void
loading_stays_within_its_budget(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	MrenOnnxGraphInfo info;
	size_t len;
	size_t budget;
	uint8_t *bytes;

	(void) state;
	small_network(&b);
	bytes = build_pack(&b, &len);
	for (budget = len;; budget += 1024)
	{
		MrenStatus status;

		test_env_init(&test);
		status = mren_onnx_graph_load(&test.env, bytes, len, NULL, budget, &graph, &err);
		/* the file is the caller's, the two handles are not counted */
		assert_true(test.peak_bytes + len <= budget + 1024);
		if (status == MREN_OK)
			break;
		assert_int_equal(status, MREN_ELIMIT);
		assert_int_equal(test.n_live, 0);
		assert_true(budget < 4 << 20);
	}
	mren_onnx_graph_info(graph, &info);
	assert_true(test.live_bytes <= mren_onnx_graph_memory(graph) + 1024);
	assert_true(info.weight_bytes > 9000 * sizeof(float));
	assert_true(budget > len + info.arena_bytes);
	mren_onnx_graph_free(&test.env, graph);
	build_free(&b);
}

static void
a_run_begun_anew_gives_what_a_fresh_one_gives(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	MrenOnnxGraphRun *run;
	size_t len;
	uint8_t *bytes;
	float *image = random_image(3 * SIDE * SIDE);
	float *other = calloc(3 * SIDE * SIDE, sizeof(float));
	float want[32];
	float got[32];

	(void) state;
	test_env_init(&test);
	small_network(&b);
	bytes = build_pack(&b, &len);
	assert_int_equal(features_of(&test.env, bytes, len, NULL, image, want, 32, &err), MREN_OK);
	assert_int_equal(mren_onnx_graph_load(&test.env, bytes, len, NULL, 0, &graph, &err), MREN_OK);
	assert_int_equal(mren_onnx_graph_start(&test.env, graph, other, &run, &err), MREN_OK);
	for (int round = 0; round < 2; round++)
	{
		bool done = false;

		if (round == 1)
			mren_onnx_graph_restart(run, image);
		while (!done)
			assert_int_equal(mren_onnx_graph_step(run, &done, &err), MREN_OK);
	}
	assert_int_equal(mren_onnx_graph_output(run, got, &err), MREN_OK);
	assert_memory_equal(got, want, sizeof(want));
	mren_onnx_graph_end(run);
	mren_onnx_graph_free(&test.env, graph);
	build_free(&b);
	free(image);
	free(other);
	assert_int_equal(test.n_live, 0);
}

static void
a_result_that_is_no_number_is_an_error(void **state)
{
	Build b;
	TestEnv test;
	MrenError err = {0};
	size_t len;
	uint8_t *bytes;
	float image[12] = {0};
	float features[3];

	(void) state;
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(1, 3, 2, 2));
	build_node(&b, "GlobalAveragePool", "x", "mean");
	build_node(&b, "Log", "mean", "log");
	build_output(&b, "log");
	bytes = build_pack(&b, &len);
	test_env_init(&test);
	for (int i = 0; i < 12; i++)
		image[i] = i % 3 == 1 ? 0.0f : 1.0f;
	assert_int_equal(features_of(&test.env, bytes, len, NULL, image, features, 3, &err),
					 MREN_ENUMERIC);
	assert_string_equal(err.message,
						"element 1 of the network's output \"log\" is not a finite number");
	build_free(&b);
}

/* ---- the encoders of the shared data ---- */

typedef struct Encoder
{
	const char *file;
	uint32_t side;
	size_t features;
	const char *map;	/* what the features are the mean of */
	const char *logits; /* an output further on, or NULL */
	size_t n_logits;
} Encoder;

static const Encoder encoders[] = {
	{"mlperf_tiny_resnet8_cifar10.onnx", 32, 64, "t33", "logits", 10},
	{"squeezenet1_1.onnx", 224, 512, "cat_7", "logits", 1000},
	{"mobilenet_v2_1.0_224.onnx", 224, 1280, "t171", "logits", 1001},
	{"objectron_oidv4_mobilenet_v2_features.onnx", 300, 1280, "t213", NULL, 0},
};

static void
check_encoder(const Encoder *encoder, const uint8_t *bytes, size_t len)
{
	enum
	{
		ROOM = 1 << 20
	};
	TestEnv test;
	MrenError err = {0};
	MrenOnnxGraph *graph;
	MrenOnnxGraphInfo info;
	float *image = random_image((size_t) 3 * encoder->side * encoder->side);
	float *features = malloc(ROOM * sizeof(float));
	float *map = malloc(ROOM * sizeof(float));
	size_t pixels;

	test_env_init(&test);
	assert_int_equal(mren_onnx_graph_load(&test.env, bytes, len, encoder->map, 0, &graph, &err),
					 MREN_OK);
	mren_onnx_graph_info(graph, &info);
	mren_onnx_graph_free(&test.env, graph);
	pixels = info.features / encoder->features;
	assert_int_equal(info.features % encoder->features, 0);
	assert_int_equal(mren_onnx_graph_load(&test.env, bytes, len, NULL, 0, &graph, &err), MREN_OK);
	mren_onnx_graph_info(graph, &info);
	assert_string_equal(info.output, "features");
	assert_int_equal(info.features, encoder->features);
	assert_int_equal(info.width, encoder->side);
	assert_int_equal(info.height, encoder->side);
	assert_int_equal(info.channels, 3);
	mren_onnx_graph_free(&test.env, graph);
	assert_int_equal(features_of(&test.env, bytes, len, NULL, image, features, ROOM, &err),
					 MREN_OK);
	assert_int_equal(features_of(&test.env, bytes, len, encoder->map, image, map, ROOM, &err),
					 MREN_OK);
	for (size_t c = 0; c < encoder->features; c++)
	{
		double sum = 0;

		for (size_t p = 0; p < pixels; p++)
			sum += map[c * pixels + p];
		assert_float_equal(features[c], sum / (double) pixels, 1e-4);
	}
	if (encoder->logits != NULL)
	{
		assert_int_equal(
			mren_onnx_graph_load(&test.env, bytes, len, encoder->logits, 0, &graph, &err), MREN_OK);
		mren_onnx_graph_info(graph, &info);
		assert_int_equal(info.features, encoder->n_logits);
		mren_onnx_graph_free(&test.env, graph);
	}
	free(image);
	free(features);
	free(map);
	assert_int_equal(test.n_live, 0);
}

static void
the_encoders_give_their_feature_vectors(void **state)
{
	const char *data = test_shared_data();

	(void) state;
	if (data == NULL)
	{
		print_message("skipped: MREN_TEST_DATA is not set\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(encoders) / sizeof(encoders[0]); i++)
	{
		char path[1024];
		uint8_t *bytes;
		size_t len;

		snprintf(path, sizeof(path), "%s/encoders/%s", data, encoders[i].file);
		bytes = test_read_file(path, &len);
		if (bytes == NULL)
		{
			print_message("skipped: no file %s\n", encoders[i].file);
			continue;
		}
		check_encoder(&encoders[i], bytes, len);
		free(bytes);
	}
}

/* ---- waveforms ---- */

/* The mean and the largest of squares of a waveform's two halves: 4 numbers. */
static uint8_t *
waveform_network(const int64_t *dims, size_t n_dims, size_t *len)
{
	Build b;
	uint8_t *packed;
	uint8_t *bytes;
	int64_t halves[2] = {2, -1};

	build_init(&b, 13);
	build_input(&b, "waveform", dims, n_dims);
	build_ints(&b, "halves", halves, 2);
	build_node(&b, "Reshape", "waveform halves", "rows");
	build_node(&b, "Mul", "rows rows", "squares");
	build_list(&b, build_node(&b, "ReduceMean", "squares", "means"), "axes", BUILD_DIMS(1));
	build_list(&b, build_node(&b, "ReduceMax", "squares", "tops"), "axes", BUILD_DIMS(1));
	build_int(&b, build_node(&b, "Concat", "means tops", "both"), "axis", 0);
	build_node(&b, "Flatten", "both", "column");
	build_list(&b, build_node(&b, "Transpose", "column", "features"), "perm", BUILD_DIMS(1, 0));
	build_output(&b, "features");
	packed = build_pack(&b, len);
	bytes = malloc(*len);
	memcpy(bytes, packed, *len);
	build_free(&b);
	return bytes;
}

static void
a_waveform_goes_in(void **state)
{
	static const int64_t shapes[][3] = {{1, 1, 8}, {1, 8, 0}, {8, 0, 0}, {1, -1, 0}, {-1, 0, 0}};
	static const size_t ranks[] = {3, 2, 1, 2, 1};
	static const float waveform[8] = {1, 0, 0, -2, 3, 3, -3, -4};
	static const float wanted[4] = {1.25f, 10.75f, 4, 16};

	(void) state;
	for (size_t i = 0; i < 5; i++)
	{
		TestEnv test;
		MrenOnnxGraph *graph;
		MrenOnnxGraphRun *running;
		MrenOnnxGraphInfo info;
		MrenError err = {0};
		size_t len;
		uint8_t *bytes = waveform_network(shapes[i], ranks[i], &len);
		float got[4];
		bool done = false;

		test_env_init(&test);
		if (mren_onnx_graph_load_waveform(&test.env, bytes, len, NULL, i < 3 ? 0 : 8, 0, &graph,
										  &err) != MREN_OK)
			fail_msg("%s", err.message);
		mren_onnx_graph_info(graph, &info);
		assert_int_equal(info.samples, 8);
		assert_int_equal(info.features, 4);
		assert_null(info.grid);
		assert_int_equal(mren_onnx_graph_start(&test.env, graph, waveform, &running, &err),
						 MREN_OK);
		while (!done)
			assert_int_equal(mren_onnx_graph_step(running, &done, &err), MREN_OK);
		assert_int_equal(mren_onnx_graph_output(running, got, &err), MREN_OK);
		for (int k = 0; k < 4; k++)
			assert_float_equal(got[k], wanted[k], 1e-6);
		mren_onnx_graph_end(running);
		mren_onnx_graph_free(&test.env, graph);
		assert_int_equal(test.n_live, 0);
		free(bytes);
	}
}

static void
other_inputs_are_no_waveform(void **state)
{
	static const struct
	{
		int64_t dims[3];
		size_t rank;
		size_t samples;
		MrenStatus status;
		const char *part;
	} cases[] = {
		{{2, 4, 0}, 2, 0, MREN_EUNSUPPORTED, "must be one waveform, but its shape is"},
		{{1, -1, 0}, 2, 0, MREN_EPARAM, "is left open in the file and must be given"},
		{{1, 8, 0}, 2, 16, MREN_EPARAM, "has 8 samples, not 16"},
		{{1, -1, 0}, 2, (size_t) 1 << 25, MREN_ELIMIT, "more than 16777216"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		TestEnv test;
		MrenOnnxGraph *graph;
		MrenError err = {0};
		size_t len;
		uint8_t *bytes = waveform_network(cases[i].dims, cases[i].rank, &len);

		test_env_init(&test);
		assert_int_equal(mren_onnx_graph_load_waveform(&test.env, bytes, len, NULL,
													   cases[i].samples, 0, &graph, &err),
						 cases[i].status);
		if (strstr(err.message, cases[i].part) == NULL)
			fail_msg("\"%s\" does not hold \"%s\"", err.message, cases[i].part);
		assert_int_equal(test.n_live, 0);
		free(bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding_changes_no_tensor),
		cmocka_unit_test(a_classifier_gives_the_vector_that_enters_it),
		cmocka_unit_test(an_output_named_features_comes_first),
		cmocka_unit_test(a_map_named_features_is_no_vector),
		cmocka_unit_test(without_a_classifier_the_last_vector_is_the_output),
		cmocka_unit_test(a_network_without_a_vector_needs_a_name),
		cmocka_unit_test(the_grid_is_the_map_that_the_vector_is_pooled_from),
		cmocka_unit_test(a_network_may_have_no_grid),
		cmocka_unit_test(a_named_map_is_read_in_its_own_order),
		cmocka_unit_test(a_network_over_pixels_takes_them_as_they_are),
		cmocka_unit_test(open_sizes_take_the_default),
		cmocka_unit_test(nodes_in_any_order_are_sorted),
		cmocka_unit_test(failed_allocations_leave_nothing_behind),
		cmocka_unit_test(interruption_ends_loading_and_running),
		cmocka_unit_test(loading_stays_within_its_budget),
		cmocka_unit_test(a_run_begun_anew_gives_what_a_fresh_one_gives),
		cmocka_unit_test(a_result_that_is_no_number_is_an_error),
		cmocka_unit_test(the_encoders_give_their_feature_vectors),
		cmocka_unit_test(a_waveform_goes_in),
		cmocka_unit_test(other_inputs_are_no_waveform),
	};

	return cmocka_run_group_tests_name("onnx graph", tests, NULL, NULL);
}
