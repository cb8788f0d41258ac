/*
 * test_onnx_opsets.c
 *	  Operators read by the rules of the file's opset: old definitions that no
 *	  attribute shows are followed or refused, and each operator ends at the
 *	  opset that redefines it.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "onnx/ops/ops.h"
#include "onnx/program.h"
#include "onnx_build.h"

/* Loads the model and runs it on the numbers 0, 1, 2, ... or on `fill` if it is not 0. */
static MrenStatus
run(Build *b, float fill, float *out, size_t room, size_t *n, MrenError *err)
{
	TestEnv test;
	MrenOnnxProgram *program;
	MrenOnnxProgramOptions options = {0};
	const MrenOnnxPort *ports;
	float x[256];
	const void *inputs[1] = {x};
	MrenOnnxRun *running = NULL;
	bool done = false;
	size_t len;
	uint8_t *bytes = build_pack(b, &len);
	MrenStatus status;

	for (size_t i = 0; i < 256; i++)
		x[i] = fill != 0 ? fill : (float) i;
	memset(err, 0, sizeof(*err));
	test_env_init(&test);
	status = mren_onnx_program_load(&test.env, bytes, len, &options, &program, err);
	build_free(b);
	if (status != MREN_OK)
		return status;
	status = mren_onnx_run_start(&test.env, program, inputs, &running, err);
	while (status == MREN_OK && !done)
		status = mren_onnx_run_step(running, &done, err);
	assert_int_equal(mren_onnx_program_outputs(program, &ports), 1);
	*n = ports[0].n;
	assert_true(status != MREN_OK || *n <= room);
	if (status == MREN_OK)
		memcpy(out, mren_onnx_run_output(running, 0), *n * sizeof(float));
	mren_onnx_run_end(running);
	mren_onnx_program_free(&test.env, program);
	assert_int_equal(test.n_live, 0);
	return status;
}

static void
expect_refused(Build *b, MrenStatus status, const char *message)
{
	MrenError err;
	float out[256];
	size_t n;
	MrenStatus got = run(b, 0, out, 256, &n, &err);

	if (got != status || strcmp(err.message, message) != 0)
		fail_msg("status %d and message\n  %s\nexpected status %d and\n  %s", got, err.message,
				 status, message);
}

static void
expect_numbers(Build *b, float fill, const float *wanted, size_t n_wanted)
{
	MrenError err;
	float out[256];
	size_t n;

	if (run(b, fill, out, 256, &n, &err) != MREN_OK)
		fail_msg("%s", err.message);
	assert_int_equal(n, n_wanted);
	for (size_t i = 0; i < n; i++)
		assert_float_equal(out[i], wanted[i], 1e-6);
}

/* x of that shape -> op with a constant w -> y */
static Mren__Onnx__NodeProto *
with_constant(Build *b, int64_t opset, const char *op, const int64_t *x, size_t n_x,
			  const int64_t *w, size_t n_w)
{
	static const float values[256] = {0.5f, 0.25f, 0.125f};

	build_init(b, opset);
	build_input(b, "x", x, n_x);
	build_floats(b, "w", values, w, n_w);
	build_output(b, "y");
	return build_node(b, op, "x w", "y");
}

static Mren__Onnx__NodeProto *
alone(Build *b, int64_t opset, const char *op, const int64_t *x, size_t n_x)
{
	build_init(b, opset);
	build_input(b, "x", x, n_x);
	build_output(b, "y");
	return build_node(b, op, "x", "y");
}

/* Channels and width are both 3, so that each reading fits. */
static void
a_slope_before_opset_7_goes_along_the_channels(void **state)
{
	static const float slopes[] = {0.5f, 0.25f, 0.125f};
	float by_channel[18];
	float by_column[18];
	Build b;

	(void) state;
	for (size_t i = 0; i < 18; i++)
	{
		by_channel[i] = -2 * slopes[i / 6];
		by_column[i] = -2 * slopes[i % 3];
	}
	with_constant(&b, 6, "PRelu", BUILD_DIMS(1, 3, 2, 3), BUILD_DIMS(3));
	expect_numbers(&b, -2, by_channel, 18);
	with_constant(&b, 7, "PRelu", BUILD_DIMS(1, 3, 2, 3), BUILD_DIMS(3));
	expect_numbers(&b, -2, by_column, 18);
}

static void
a_slope_before_opset_7_may_be_one_number(void **state)
{
	static const float wanted[] = {-1, -1, -1, -1};
	Build b;

	(void) state;
	with_constant(&b, 6, "PRelu", BUILD_DIMS(1, 2, 1, 2), BUILD_DIMS(1));
	expect_numbers(&b, -2, wanted, 4);
}

static void
another_slope_before_opset_7_is_refused(void **state)
{
	Build b;

	(void) state;
	with_constant(&b, 6, "PRelu", BUILD_DIMS(1, 2, 1, 3), BUILD_DIMS(3));
	expect_refused(&b, MREN_EUNSUPPORTED,
				   "operator PRelu (opset 6): a slope that is not one constant number, or one for "
				   "each channel, is not supported, at node \"y\"");
}

static void
the_sizes_input_of_the_first_split_is_refused(void **state)
{
	static const float half[] = {0, 1};
	Build b;

	(void) state;
	with_constant(&b, 1, "Split", BUILD_DIMS(4), BUILD_DIMS(2));
	b.nodes[0]->n_output = build_names(&b, "y z", &b.nodes[0]->output);
	expect_refused(&b, MREN_EUNSUPPORTED,
				   "operator Split (opset 1): sizes given as an input are not supported before "
				   "opset 13, at node \"y\"");
	alone(&b, 1, "Split", BUILD_DIMS(4));
	b.nodes[0]->n_output = build_names(&b, "y z", &b.nodes[0]->output);
	expect_numbers(&b, 0, half, 2);
}

static void
unequal_parts_of_a_split_without_sizes_need_opset_18(void **state)
{
	static const float first[] = {0, 1, 2};
	Build b;

	(void) state;
	alone(&b, 13, "Split", BUILD_DIMS(5));
	b.nodes[0]->n_output = build_names(&b, "y z", &b.nodes[0]->output);
	expect_refused(&b, MREN_EDATA,
				   "operator Split (opset 13): a dimension of 5 cannot be split into 2 equal "
				   "parts, at node \"y\"");
	alone(&b, 18, "Split", BUILD_DIMS(5));
	b.nodes[0]->n_output = build_names(&b, "y z", &b.nodes[0]->output);
	build_int(&b, b.nodes[0], "num_outputs", 2);
	expect_numbers(&b, 0, first, 3);
}

static void
nothing_is_broadcast_before_the_opset_that_allows_it(void **state)
{
	static const struct
	{
		const char *op;
		int64_t since;
	} cases[] = {{"Add", 7}, {"Sub", 7},  {"Mul", 7}, {"Div", 7}, {"Pow", 7},
				 {"Sum", 8}, {"Mean", 8}, {"Min", 8}, {"Max", 8}};
	char message[128];
	float out[256];
	size_t n;
	MrenError err;
	Build b;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		with_constant(&b, cases[i].since - 1, cases[i].op, BUILD_DIMS(2, 3), BUILD_DIMS(3));
		snprintf(message, sizeof(message),
				 "operator %s (opset %d): broadcasting is not supported before opset %d, at node "
				 "\"y\"",
				 cases[i].op, (int) cases[i].since - 1, (int) cases[i].since);
		expect_refused(&b, MREN_EUNSUPPORTED, message);
		with_constant(&b, cases[i].since - 1, cases[i].op, BUILD_DIMS(2, 3), BUILD_DIMS(2, 3));
		assert_int_equal(run(&b, 0, out, 256, &n, &err), MREN_OK);
		with_constant(&b, cases[i].since, cases[i].op, BUILD_DIMS(2, 3), BUILD_DIMS(3));
		assert_int_equal(run(&b, 0, out, 256, &n, &err), MREN_OK);
	}
}

static void
the_third_input_of_an_old_gemm_has_the_shape_of_the_result(void **state)
{
	static const float values[6] = {1, 0, 0, 1, 5, 6};
	static const float wanted[] = {5, 7};
	Build b;

	(void) state;
	for (int64_t opset = 6; opset <= 7; opset++)
	{
		build_init(&b, opset);
		build_input(&b, "x", BUILD_DIMS(1, 2));
		build_floats(&b, "w", values, BUILD_DIMS(2, 2));
		build_floats(&b, "c", values + 4, BUILD_DIMS(2));
		build_output(&b, "y");
		build_node(&b, "Gemm", "x w c", "y");
		if (opset == 7)
			expect_numbers(&b, 0, wanted, 2);
		else
			expect_refused(&b, MREN_EUNSUPPORTED,
						   "operator Gemm (opset 6): broadcasting is not supported before opset "
						   "7, at node \"y\"");
	}
}

static void
an_old_dropout_trains_unless_it_says_otherwise(void **state)
{
	static const float wanted[] = {0, 1, 2, 3};
	Build b;

	(void) state;
	alone(&b, 6, "Dropout", BUILD_DIMS(4));
	expect_refused(&b, MREN_EUNSUPPORTED,
				   "operator Dropout (opset 6): training mode is not supported, and attribute "
				   "\"is_test\" does not turn it off, at node \"y\"");
	build_int(&b, alone(&b, 6, "Dropout", BUILD_DIMS(4)), "is_test", 1);
	expect_numbers(&b, 0, wanted, 4);
	alone(&b, 7, "Dropout", BUILD_DIMS(4));
	expect_numbers(&b, 0, wanted, 4);
}

static void
an_old_batch_normalization_trains_unless_it_says_otherwise(void **state)
{
	static const float ones[2] = {1, 1};
	MrenError err;
	float out[256];
	size_t n;
	Build b;

	(void) state;
	for (int64_t is_test = 0; is_test <= 1; is_test++)
	{
		build_init(&b, 6);
		build_input(&b, "x", BUILD_DIMS(1, 2, 1, 2));
		build_floats(&b, "w", ones, BUILD_DIMS(2));
		build_output(&b, "y");
		build_int(&b, build_node(&b, "BatchNormalization", "x w w w w", "y"), "is_test", is_test);
		assert_int_equal(run(&b, 0, out, 256, &n, &err),
						 is_test != 0 ? MREN_OK : MREN_EUNSUPPORTED);
	}
}

/* Each would be ignored, and the node would compute something else. */
static void
attributes_that_became_inputs_are_refused(void **state)
{
	static const struct
	{
		const char *op;
		const char *attribute;
		int64_t since;
	} cases[] = {{"Squeeze", "axes", 13}, {"ReduceSum", "axes", 13}, {"ReduceMean", "axes", 18},
				 {"Split", "split", 13},  {"Clip", "min", 11},		 {"Clip", "max", 11}};
	char message[128];
	Build b;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Mren__Onnx__NodeProto *node = alone(&b, cases[i].since, cases[i].op, BUILD_DIMS(1, 1, 2));

		if (strcmp(cases[i].op, "Clip") == 0)
			build_float(&b, node, cases[i].attribute, 1);
		else
			build_list(&b, node, cases[i].attribute, BUILD_DIMS(1));
		snprintf(message, sizeof(message),
				 "operator %s (opset %d): attribute \"%s\" is not supported from opset %d on, at "
				 "node \"y\"",
				 cases[i].op, (int) cases[i].since, cases[i].attribute, (int) cases[i].since);
		expect_refused(&b, MREN_EUNSUPPORTED, message);
	}
}

static void
a_broadcast_attribute_is_refused_at_any_opset(void **state)
{
	Build b;

	(void) state;
	build_int(&b, with_constant(&b, 13, "Add", BUILD_DIMS(2, 3), BUILD_DIMS(3)), "broadcast", 1);
	expect_refused(&b, MREN_EUNSUPPORTED,
				   "operator Add (opset 13): attribute \"broadcast\" is not supported, at node "
				   "\"y\"");
}

/* ONNX 28 redefined Celu and left Relu as it was. */
static void
an_operator_ends_at_the_opset_that_redefines_it(void **state)
{
	static const float wanted[] = {0, 1};
	Build b;

	(void) state;
	for (int64_t opset = 23; opset <= 28; opset++)
	{
		alone(&b, opset, "Relu", BUILD_DIMS(2));
		expect_numbers(&b, 0, wanted, 2);
	}
	alone(&b, 27, "Celu", BUILD_DIMS(2));
	expect_numbers(&b, 0, wanted, 2);
	alone(&b, 28, "Celu", BUILD_DIMS(2));
	expect_refused(&b, MREN_EUNSUPPORTED,
				   "operator Celu (opset 28): operator is supported only in opsets 12 to 27, at "
				   "node \"y\"");
	alone(&b, 11, "Celu", BUILD_DIMS(2));
	expect_refused(&b, MREN_EUNSUPPORTED,
				   "operator Celu (opset 11): operator is supported only in opsets 12 to 27, at "
				   "node \"y\"");
}

/* x is 0, 1, ..., 5; its mean (2.5) or largest element bounds it, as computed at run time. */
static void
bounds_of_clip_may_be_computed(void **state)
{
	static const struct
	{
		const char *inputs; /* lower bound, upper bound */
		float wanted[6];
	} cases[] = {
		{"x low", {2.5f, 2.5f, 2.5f, 3, 4, 5}},
		{"x low high", {2.5f, 2.5f, 2.5f, 3, 4, 4.5f}},
		{"x - low", {0, 1, 2, 2.5f, 2.5f, 2.5f}},
		{"x one low", {1, 1, 2, 2.5f, 2.5f, 2.5f}},
		{"x high low", {2.5f, 2.5f, 2.5f, 2.5f, 2.5f, 2.5f}},
	};
	static const float one = 1, half = 0.5f;
	Build b;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Mren__Onnx__NodeProto *clip;

		build_init(&b, 13);
		build_input(&b, "x", BUILD_DIMS(2, 3));
		build_floats(&b, "one", &one, NULL, 0);
		build_floats(&b, "half", &half, NULL, 0);
		build_int(&b, build_node(&b, "ReduceMean", "x", "low"), "keepdims", 0);
		build_int(&b, build_node(&b, "ReduceMax", "x", "top"), "keepdims", 0);
		build_node(&b, "Sub", "top half", "high");
		clip = build_node(&b, "Clip", cases[i].inputs, "c");
		if (clip->input[1][0] == '-')
			clip->input[1][0] = '\0';
		/* as the producer of an operator that could be folded into it */
		build_node(&b, "Relu", "c", "y");
		build_output(&b, "y");
		expect_numbers(&b, 0, cases[i].wanted, 6);
	}
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(2, 3));
	build_node(&b, "Sigmoid", "x", "low");
	build_node(&b, "Clip", "x low", "y");
	build_output(&b, "y");
	expect_refused(&b, MREN_EDATA,
				   "operator Clip (opset 13): input \"low\" is not one number of its type, at node "
				   "\"y\"");
}

/* Every opset of an operator's range has one definition. */
static void
definitions_of_an_operator_leave_no_gap(void **state)
{
	static const char *const names[] = {"Add",	   "BatchNormalization",
										"Clip",	   "Dropout",
										"Gemm",	   "PRelu",
										"Pad",	   "ReduceMean",
										"Reshape", "ReduceSum",
										"Slice",   "Split",
										"Squeeze", "Sum",
										"Tile",	   "Unsqueeze"};

	(void) state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		int since;
		int until;

		assert_true(mren_onnx_op_opsets(names[i], &since, &until));
		assert_true(since < until);
		assert_null(mren_onnx_op_find(names[i], since - 1));
		assert_null(mren_onnx_op_find(names[i], until + 1));
		for (int opset = since; opset <= until; opset++)
		{
			const MrenOnnxOp *op = mren_onnx_op_find(names[i], opset);

			assert_non_null(op);
			assert_in_range(opset, op->since, op->until);
		}
	}
}

/*
 * With ceil_mode the last window may end after the input and its padding; it is
 * divided by the elements within them (ONNX's own tests since version 1.18).
 */
static void
what_ceil_mode_adds_is_not_counted(void **state)
{
	static const float averages[] = {0.5f, 2.5f, 4.0f};
	Mren__Onnx__NodeProto *node;
	Build b;

	(void) state;
	for (int64_t counts = 0; counts < 2; counts++)
	{
		node = alone(&b, 22, "AveragePool", BUILD_DIMS(1, 1, 5));
		build_list(&b, node, "kernel_shape", BUILD_DIMS(2));
		build_list(&b, node, "strides", BUILD_DIMS(2));
		build_int(&b, node, "ceil_mode", 1);
		build_int(&b, node, "count_include_pad", counts);
		expect_numbers(&b, 0, averages, 3);
	}
}

/* Windows of 3 over 0 to 5 with a zero before and after: 0 0 1, 2 3 4, 5 0 and one beyond. */
static void
padding_is_counted_if_the_node_says_so(void **state)
{
	static const float counted[] = {1.0f / 3, 3, 2.5f};
	static const float not_counted[] = {0.5f, 3, 5};
	Mren__Onnx__NodeProto *node;
	Build b;

	(void) state;
	for (int64_t counts = 0; counts < 2; counts++)
	{
		node = alone(&b, 22, "AveragePool", BUILD_DIMS(1, 1, 6));
		build_list(&b, node, "kernel_shape", BUILD_DIMS(3));
		build_list(&b, node, "strides", BUILD_DIMS(3));
		build_list(&b, node, "pads", BUILD_DIMS(1, 1));
		build_int(&b, node, "ceil_mode", 1);
		build_int(&b, node, "count_include_pad", counts);
		expect_numbers(&b, 0, counts ? counted : not_counted, 3);
	}
}

/* op over the second dimension of a constant of shape (2, 0, 3) -> y */
static void
of_nothing(Build *b, const char *op)
{
	static const int64_t axis[] = {1};
	static const float unused = 0;

	build_init(b, 20);
	build_input(b, "x", BUILD_DIMS(1));
	build_floats(b, "nothing", &unused, BUILD_DIMS(2, 0, 3));
	build_ints(b, "axes", axis, 1);
	build_output(b, "y");
	build_node(b, op, "nothing axes", "y");
}

static void
a_reduction_of_nothing_is_its_neutral_element(void **state)
{
	static const struct
	{
		const char *op;
		float wanted;
	} cases[] = {
		{"ReduceMax", -INFINITY}, {"ReduceMin", INFINITY}, {"ReduceProd", 1},
		{"ReduceL1", 0},		  {"ReduceL2", 0},		   {"ReduceLogSum", -INFINITY},
		{"ReduceSumSquare", 0},	  {"ReduceSum", 0},		   {"ReduceLogSumExp", -INFINITY},
	};
	MrenError err;
	float out[256];
	size_t n;
	Build b;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		of_nothing(&b, cases[i].op);
		if (run(&b, 0, out, 256, &n, &err) != MREN_OK)
			fail_msg("%s: %s", cases[i].op, err.message);
		assert_int_equal(n, 6);
		for (size_t k = 0; k < n; k++)
		{
			if (out[k] != cases[i].wanted)
				fail_msg("%s of nothing is %g, not %g", cases[i].op, out[k], cases[i].wanted);
		}
	}
	/* ONNX leaves it undefined. */
	of_nothing(&b, "ReduceMean");
	expect_refused(&b, MREN_EDATA,
				   "operator ReduceMean (opset 20): the reduced dimensions are empty, at node "
				   "\"y\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slope_before_opset_7_goes_along_the_channels),
		cmocka_unit_test(a_slope_before_opset_7_may_be_one_number),
		cmocka_unit_test(another_slope_before_opset_7_is_refused),
		cmocka_unit_test(the_sizes_input_of_the_first_split_is_refused),
		cmocka_unit_test(unequal_parts_of_a_split_without_sizes_need_opset_18),
		cmocka_unit_test(nothing_is_broadcast_before_the_opset_that_allows_it),
		cmocka_unit_test(the_third_input_of_an_old_gemm_has_the_shape_of_the_result),
		cmocka_unit_test(an_old_dropout_trains_unless_it_says_otherwise),
		cmocka_unit_test(an_old_batch_normalization_trains_unless_it_says_otherwise),
		cmocka_unit_test(attributes_that_became_inputs_are_refused),
		cmocka_unit_test(a_broadcast_attribute_is_refused_at_any_opset),
		cmocka_unit_test(an_operator_ends_at_the_opset_that_redefines_it),
		cmocka_unit_test(bounds_of_clip_may_be_computed),
		cmocka_unit_test(definitions_of_an_operator_leave_no_gap),
		cmocka_unit_test(what_ceil_mode_adds_is_not_counted),
		cmocka_unit_test(padding_is_counted_if_the_node_says_so),
		cmocka_unit_test(a_reduction_of_nothing_is_its_neutral_element),
	};

	return cmocka_run_group_tests_name("onnx opsets", tests, NULL, NULL);
}
