/*
 * test_onnx_hostile.c
 *	  Files that are not what they claim to be: each an exact error, nothing
 *	  left allocated, no crash.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "onnx/onnx_graph.h"
#include "onnx_build.h"

static MrenStatus
load(const uint8_t *bytes, size_t len, const char *output, MrenError *err)
{
	TestEnv test;
	MrenOnnxGraph *graph;
	MrenStatus status;

	memset(err, 0, sizeof(*err));
	test_env_init(&test);
	status = mren_onnx_graph_load(&test.env, bytes, len, output, (size_t) 64 << 20, &graph, err);
	if (status == MREN_OK)
		mren_onnx_graph_free(&test.env, graph);
	else
		assert_null(graph);
	assert_int_equal(test.n_live, 0);
	assert_int_equal(err->status, status);
	return status;
}

/* Packs, loads, frees, and compares the message with the expected one. */
static void
expect(Build *b, MrenStatus status, const char *message)
{
	MrenError err;
	size_t len;
	uint8_t *bytes = build_pack(b, &len);
	MrenStatus got = load(bytes, len, NULL, &err);

	if (got != status || strcmp(err.message, message) != 0)
		fail_msg("status %d and message\n  %s\nexpected status %d and\n  %s", got, err.message,
				 status, message);
	build_free(b);
}

/* x (1,3,4,4) -> Conv, 2 filters -> mean -> features */
static void
convolution(Build *b)
{
	float w[6] = {1, 2, 3, 4, 5, 6};

	build_init(b, 13);
	build_input(b, "x", BUILD_DIMS(-1, 3, 4, 4));
	build_floats(b, "w", w, BUILD_DIMS(2, 3, 1, 1));
	build_node(b, "Conv", "x w", "c")->name = build_text(b, "conv1");
	build_node(b, "GlobalAveragePool", "c", "features");
	build_output(b, "features");
}

static void
text_is_no_network(void **state)
{
	static const char text[] = "CREATE EXTENSION mren; -- surely not a network\n";
	static const char pointer[] =
		"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
	MrenError err;

	(void) state;
	assert_int_equal(load((const uint8_t *) text, sizeof(text) - 1, NULL, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "data of 47 bytes is not an ONNX file");
	assert_string_equal(err.detail,
						"It begins with \"CREATE EXTENSION mren; -- surely not a network?\".");
	assert_int_equal(load((const uint8_t *) pointer, sizeof(pointer) - 1, NULL, &err),
					 MREN_EFORMAT);
	assert_string_equal(err.message, "the file is a git-lfs pointer instead of the file itself");
	assert_int_equal(load((const uint8_t *) "/srv/resnet18.onnx", 18, NULL, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "not a network, but a text: \"/srv/resnet18.onnx\"");
	assert_int_equal(load((const uint8_t *) "", 0, NULL, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "data of 0 bytes is not an ONNX file");
	/* a lone valid field, and no graph */
	assert_int_equal(load((const uint8_t *) "\x08\x07", 2, NULL, &err), MREN_EFORMAT);
	assert_string_equal(err.detail, "It contains no graph.");
}

static void
a_file_cut_anywhere_is_an_error(void **state)
{
	Build b;
	size_t len;
	uint8_t *bytes;
	uint8_t *part;
	MrenError err;

	(void) state;
	convolution(&b);
	bytes = build_pack(&b, &len);
	assert_int_equal(load(bytes, len, NULL, &err), MREN_OK);
	for (size_t n = 0; n < len; n++)
	{
		MrenStatus status;

		/* exactly n bytes, so that reading one more is seen by a sanitizer */
		part = malloc(n + 1);
		memcpy(part, bytes, n);
		part = realloc(part, n > 0 ? n : 1);
		status = load(part, n, NULL, &err);
		/* whole without the operator set at its end, a file is one of opset 1 */
		if (status != MREN_OK)
			assert_int_equal(status, MREN_EFORMAT);
		else
			assert_true(n + 4 >= len);
		free(part);
	}
	build_free(&b);
}

static void
a_file_with_any_byte_changed_neither_crashes_nor_leaks(void **state)
{
	Build b;
	size_t len;
	uint8_t *bytes;
	MrenRandom random;
	MrenError err;

	(void) state;
	mren_random_seed(&random, 5, 0);
	convolution(&b);
	bytes = build_pack(&b, &len);
	for (size_t i = 0; i < len; i++)
	{
		uint8_t kept = bytes[i];

		for (int round = 0; round < 24; round++)
		{
			bytes[i] = round < 8 ? (uint8_t) (kept ^ (1 << round))
								 : (uint8_t) mren_random_below(&random, 256);
			load(bytes, len, NULL, &err);
		}
		bytes[i] = kept;
	}
	build_free(&b);
}

static void
a_cycle_names_a_node(void **state)
{
	Build b;

	(void) state;
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(1, 3, 4, 4));
	build_node(&b, "Add", "x z", "y")->name = build_text(&b, "first");
	build_node(&b, "Relu", "y", "z");
	build_output(&b, "z");
	expect(&b, MREN_EFORMAT, "operator Add (opset 13): the graph has a cycle, at node \"first\"");
}

static void
an_unknown_operator_is_named_with_node_and_opset(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	build_node(&b, "Frobnicate", "features", "f")->name = build_text(&b, "n7");
	build_output(&b, "f");
	b.outputs[0] = b.outputs[1];
	b.graph.n_output = 1;
	expect(&b, MREN_EUNSUPPORTED,
		   "operator Frobnicate (opset 13): operator is not supported, at node \"n7\"");
}

static void
an_operator_of_another_domain_is_not_supported(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	b.nodes[0]->domain = build_text(&b, "com.example");
	expect(&b, MREN_EUNSUPPORTED,
		   "operator Conv (opset 13): operators of domain \"com.example\" are not supported, at "
		   "node \"conv1\"");
}

static void
an_operator_set_of_the_future_is_not_supported(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	b.opset.version = 99;
	expect(&b, MREN_EUNSUPPORTED,
		   "operator Conv (opset 99): operator is supported only in opsets 1 to 28, at node "
		   "\"conv1\"");
}

static void
what_nothing_computes_is_named(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	b.nodes[0]->input[0] = build_text(&b, "ghost");
	expect(
		&b, MREN_EFORMAT,
		"operator Conv (opset 13): input \"ghost\" is not computed by any node, at node \"conv1\"");
}

static void
a_tensor_given_twice_is_an_error(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	build_node(&b, "Relu", "x", "c");
	expect(&b, MREN_EFORMAT, "tensor \"c\" occurs twice in the ONNX file");
	convolution(&b);
	build_ints(&b, "w", BUILD_DIMS(1, 2));
	expect(&b, MREN_EFORMAT, "initializer \"w\" occurs twice in the ONNX file");
}

static void
nan_weights_are_refused(void **state)
{
	Build b;
	float nan_value = NAN;

	(void) state;
	convolution(&b);
	memcpy(b.weights[0]->raw_data.data + 5 * sizeof(float), &nan_value, sizeof(float));
	expect(&b, MREN_ENUMERIC, "initializer \"w\" is NaN at element 5");
}

static void
shapes_beyond_memory_are_refused(void **state)
{
	Build b;
	int64_t huge = INT64_C(1) << 60;

	(void) state;
	convolution(&b);
	b.weights[0]->dims[0] = huge;
	expect(&b, MREN_ELIMIT,
		   "initializer \"w\" is too large: its shape is (1152921504606846976,3,1,1)");

	convolution(&b);
	b.weights[0]->dims[0] = INT64_C(1) << 40;
	expect(&b, MREN_EFORMAT,
		   "initializer \"w\" of shape (1099511627776,3,1,1) has data for 6 elements");

	convolution(&b);
	b.inputs[0]->type->tensor_type->shape->dim[2]->dim_value = huge;
	expect(&b, MREN_ELIMIT, "input \"x\" is too large: its shape is (1,3,1152921504606846976,4)");

	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(1, 3, 4, 4));
	build_ints(&b, "shape", BUILD_DIMS(huge, 2));
	build_node(&b, "ConstantOfShape", "shape", "zeros");
	build_node(&b, "Add", "x zeros", "y");
	build_output(&b, "y");
	expect(&b, MREN_ELIMIT,
		   "operator ConstantOfShape (opset 13): result of shape (1152921504606846976,2) is too "
		   "large, at node \"zeros\"");

	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(1, 3, 4, 4));
	build_ints(&b, "shape", BUILD_DIMS(huge, huge));
	build_node(&b, "Reshape", "x shape", "y");
	build_output(&b, "y");
	expect(&b, MREN_ELIMIT,
		   "operator Reshape (opset 13): the new shape is too large, at node \"y\"");
}

static void
the_mean_of_nothing_is_refused(void **state)
{
	Build b;

	(void) state;
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(1, 3, 4, 4));
	build_ints(&b, "shape", BUILD_DIMS(1, 3, 0, 4));
	build_node(&b, "ConstantOfShape", "shape", "none");
	build_node(&b, "GlobalAveragePool", "none", "p");
	build_node(&b, "GlobalAveragePool", "x", "q");
	build_node(&b, "Add", "p q", "y");
	build_output(&b, "y");
	expect(&b, MREN_EDATA,
		   "operator GlobalAveragePool (opset 13): an input of shape (1,3,0,4) has no pixels, at "
		   "node \"p\"");
}

static void
memory_beyond_the_budget_is_refused(void **state)
{
	Build b;

	(void) state;
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(1, 3, 8192, 8192));
	build_node(&b, "GlobalAveragePool", "x", "features");
	build_output(&b, "features");
	expect(&b, MREN_ELIMIT, "network needs more than the allowed 67108864 bytes of memory");
}

static void
element_counts_must_agree(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	b.weights[0]->raw_data.len = 23;
	expect(&b, MREN_EFORMAT, "initializer \"w\" of shape (2,3,1,1) has data for 5 elements");
	convolution(&b);
	b.weights[0]->dims[0] = -2;
	expect(&b, MREN_EFORMAT, "initializer \"w\" has a negative dimension of -2");
	convolution(&b);
	b.weights[0]->dims[1] = 2;
	b.weights[0]->raw_data.len = 16;
	expect(
		&b, MREN_EDATA,
		"operator Conv (opset 13): weights of shape (2,2,1,1) in 1 groups do not fit an input of "
		"shape (1,3,4,4), at node \"conv1\"");
}

static void
weights_outside_the_file_are_refused(void **state)
{
	Build b;
	MrenError err;
	size_t len;
	uint8_t *bytes;

	(void) state;
	convolution(&b);
	b.weights[0]->has_data_location = 1;
	b.weights[0]->data_location = 1;
	bytes = build_pack(&b, &len);
	assert_int_equal(load(bytes, len, NULL, &err), MREN_EUNSUPPORTED);
	assert_string_equal(err.message, "initializer \"w\" is stored outside the ONNX file");
	assert_string_equal(err.hint, "Save the network as one file, without external data.");
	build_free(&b);
}

static void
names_that_are_no_text_are_refused(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	b.nodes[0]->output[0] = build_text(&b, "c\xFF");
	expect(&b, MREN_EFORMAT, "name of a tensor in the ONNX file has an invalid byte 0xff");
	convolution(&b);
	b.nodes[0]->op_type = build_text(&b, "Co\nnv");
	expect(&b, MREN_EFORMAT, "name of an operator in the ONNX file has an invalid byte 0x0a");
}

static void
inputs_that_are_no_image_are_refused(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	build_input(&b, "z", BUILD_DIMS(1, 2));
	expect(&b, MREN_EUNSUPPORTED, "network must have one input, an image, but it has 2");
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(1, 5, 4, 4));
	build_node(&b, "Relu", "x", "y");
	build_output(&b, "y");
	expect(&b, MREN_EUNSUPPORTED,
		   "input \"x\" of the network must be one image, but its shape is (1,5,4,4)");
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(8, 3, 4, 4));
	build_node(&b, "Relu", "x", "y");
	build_output(&b, "y");
	expect(&b, MREN_EUNSUPPORTED,
		   "input \"x\" of the network must be one image, but its shape is (8,3,4,4)");
	convolution(&b);
	b.inputs[0]->type->tensor_type->elem_type = MREN_ONNX_UINT8;
	expect(&b, MREN_EUNSUPPORTED, "input \"x\" of the network must be of type float, not uint8");
}

static void
attributes_outside_their_domain_are_refused(void **state)
{
	Build b;

	(void) state;
	convolution(&b);
	build_list(&b, b.nodes[0], "strides", BUILD_DIMS(0, 1));
	expect(&b, MREN_EDATA,
		   "operator Conv (opset 13): strides must not have a value of 0, at node \"conv1\"");
	convolution(&b);
	build_list(&b, b.nodes[0], "pads", BUILD_DIMS(0, 0, 0));
	expect(&b, MREN_EDATA,
		   "operator Conv (opset 13): pads must have 4 values, not 3, at node \"conv1\"");
	convolution(&b);
	build_int(&b, b.nodes[0], "group", -1);
	expect(&b, MREN_EDATA,
		   "operator Conv (opset 13): weights of shape (2,3,1,1) in -1 groups do not fit an input "
		   "of shape (1,3,4,4), at node \"conv1\"");
	convolution(&b);
	build_float(&b, b.nodes[0], "group", 1);
	expect(&b, MREN_EFORMAT,
		   "operator Conv (opset 13): attribute \"group\" is not an integer, at node \"conv1\"");
	convolution(&b);
	build_string(&b, b.nodes[0], "auto_pad", "SOMEHOW");
	expect(&b, MREN_EDATA,
		   "operator Conv (opset 13): value of auto_pad is unknown, at node \"conv1\"");
}

static void
integers_divided_by_zero_are_an_error(void **state)
{
	Build b;

	(void) state;
	build_init(&b, 13);
	build_input(&b, "x", BUILD_DIMS(1, 3, 4, 4));
	build_ints(&b, "a", BUILD_DIMS(7));
	build_ints(&b, "zero", BUILD_DIMS(0));
	build_node(&b, "Div", "a zero", "shape");
	build_node(&b, "Reshape", "x shape", "y");
	build_output(&b, "y");
	expect(&b, MREN_EDATA, "integer division by zero in the network");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_no_network),
		cmocka_unit_test(a_file_cut_anywhere_is_an_error),
		cmocka_unit_test(a_file_with_any_byte_changed_neither_crashes_nor_leaks),
		cmocka_unit_test(a_cycle_names_a_node),
		cmocka_unit_test(an_unknown_operator_is_named_with_node_and_opset),
		cmocka_unit_test(an_operator_of_another_domain_is_not_supported),
		cmocka_unit_test(an_operator_set_of_the_future_is_not_supported),
		cmocka_unit_test(what_nothing_computes_is_named),
		cmocka_unit_test(a_tensor_given_twice_is_an_error),
		cmocka_unit_test(nan_weights_are_refused),
		cmocka_unit_test(shapes_beyond_memory_are_refused),
		cmocka_unit_test(the_mean_of_nothing_is_refused),
		cmocka_unit_test(memory_beyond_the_budget_is_refused),
		cmocka_unit_test(element_counts_must_agree),
		cmocka_unit_test(weights_outside_the_file_are_refused),
		cmocka_unit_test(names_that_are_no_text_are_refused),
		cmocka_unit_test(inputs_that_are_no_image_are_refused),
		cmocka_unit_test(attributes_outside_their_domain_are_refused),
		cmocka_unit_test(integers_divided_by_zero_are_an_error),
	};

	return cmocka_run_group_tests_name("onnx hostile files", tests, NULL, NULL);
}
