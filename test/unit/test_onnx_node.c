/*
 * test_onnx_node.c
 *	  ONNX's own operator tests (Debian: libonnx-testdata), every one of them.
 *
 * Each test is a model of one node with inputs and expected outputs.  It runs
 * three times: with the first input given at run time and the rest constant,
 * as weights are in a network; with all numbers given at run time; and with
 * everything constant, so that it is folded while loading.  A test counts as
 * unsupported if loading says so by its status, with the operator's name.
 */
#include "support.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/ops/ops.h"
#include "onnx/program.h"

#define NODE_TESTS "/usr/share/libonnx-testdata/data/node"

/* Tests of the suite of ONNX 1.12 (Debian 12) that must pass. */
#define EXPECTED_TO_PASS 567

/* The tolerances of ONNX's backend tests (onnx/backend/test/runner). */
#define RELATIVE 1e-3
#define ABSOLUTE 1e-7

#define TENSORS_MAX 16

typedef enum Outcome
{
	PASSED,
	FAILED,
	UNSUPPORTED,
} Outcome;

typedef enum Mode
{
	MODE_WEIGHTS, /* all inputs but the first are constant */
	MODE_RUNTIME, /* only integers are */
	MODE_FOLDED,  /* all are */
	N_MODES,
} Mode;

typedef struct NodeTest
{
	TestEnv test;
	const char *name;
	uint8_t *bytes;
	size_t len;
	Mren__Onnx__ModelProto *model;
	MrenOnnxTensor inputs[TENSORS_MAX];
	MrenOnnxBinding bindings[TENSORS_MAX];
	size_t n_inputs;
	MrenOnnxTensor outputs[TENSORS_MAX];
	size_t n_outputs;
} NodeTest;

/* Parses input_0.pb, input_1.pb, ...; false at one that is no tensor. */
static bool
read_tensors(NodeTest *node, const char *kind, MrenOnnxTensor *tensors, size_t *n)
{
	for (*n = 0; *n < TENSORS_MAX; (*n)++)
	{
		char path[512];
		uint8_t *bytes;
		size_t len;
		MrenStatus status;

		snprintf(path, sizeof(path), NODE_TESTS "/%s/test_data_set_0/%s_%zu.pb", node->name, kind,
				 *n);
		bytes = test_read_file(path, &len);
		if (bytes == NULL)
			return true;
		status = mren_onnx_tensor_parse(&node->test.env, bytes, len, &tensors[*n], NULL);
		free(bytes);
		if (status != MREN_OK)
			return false;
	}
	return true;
}

static bool
is_close(float got, float want)
{
	if (isnan(want) || isinf(want))
		return isnan(want) ? isnan(got) : got == want;
	return fabs((double) got - want) <= ABSOLUTE + RELATIVE * fabs((double) want);
}

static bool
compare(const NodeTest *node, const MrenOnnxPort *port, const void *data,
		const MrenOnnxTensor *want)
{
	const float *floats = data;
	const int64_t *ints = data;

	if (port->type != want->type || !mren_onnx_shape_equal(&port->shape, &want->shape))
	{
		char got_shape[128];
		char want_shape[128];

		print_message("%s: type %s shape %s, expected %s %s\n", node->name,
					  mren_onnx_type_name(port->type),
					  mren_onnx_shape_text(&port->shape, got_shape, sizeof(got_shape)),
					  mren_onnx_type_name(want->type),
					  mren_onnx_shape_text(&want->shape, want_shape, sizeof(want_shape)));
		return false;
	}
	for (size_t i = 0; i < want->n; i++)
	{
		if (want->floats != NULL ? is_close(floats[i], want->floats[i]) : ints[i] == want->ints[i])
			continue;
		print_message("%s: element %zu is %g, expected %g\n", node->name, i,
					  want->floats != NULL ? (double) floats[i] : (double) ints[i],
					  want->floats != NULL ? (double) want->floats[i] : (double) want->ints[i]);
		return false;
	}
	return true;
}

static Outcome
run_program(NodeTest *node, const MrenOnnxProgram *program)
{
	const MrenOnnxPort *in;
	const MrenOnnxPort *out;
	size_t n_in = mren_onnx_program_inputs(program, &in);
	size_t n_out = mren_onnx_program_outputs(program, &out);
	const void *data[TENSORS_MAX] = {NULL};
	MrenOnnxRun *run;
	MrenError err = {0};
	bool done = false;
	Outcome outcome = PASSED;

	for (size_t i = 0; i < n_in; i++)
	{
		for (size_t k = 0; k < node->n_inputs; k++)
		{
			if (strcmp(node->bindings[k].name, in[i].name) == 0)
				data[i] = node->inputs[k].floats != NULL ? (void *) node->inputs[k].floats
														 : (void *) node->inputs[k].ints;
		}
		if (data[i] == NULL)
			return UNSUPPORTED;
	}
	if (mren_onnx_run_start(&node->test.env, program, data, &run, &err) != MREN_OK)
	{
		print_message("%s: %s\n", node->name, err.message);
		return FAILED;
	}
	while (!done && outcome == PASSED)
	{
		if (mren_onnx_run_step(run, &done, &err) != MREN_OK)
		{
			print_message("%s: %s\n", node->name, err.message);
			outcome = FAILED;
		}
	}
	for (size_t i = 0; i < n_out && outcome == PASSED; i++)
	{
		if (!compare(node, &out[i], mren_onnx_run_output(run, i), &node->outputs[i]))
			outcome = FAILED;
	}
	mren_onnx_run_end(run);
	return outcome;
}

static Outcome
run_mode(NodeTest *node, Mode mode, MrenError *err)
{
	MrenOnnxProgramOptions options = {node->bindings,	 node->n_inputs, NULL, 0, 0,
									  MREN_ONNX_CPU_BEST};
	MrenOnnxProgram *program;
	MrenStatus status;
	Outcome outcome;

	for (size_t i = 0; i < node->n_inputs; i++)
		node->bindings[i].constant = mode == MODE_FOLDED || (mode == MODE_WEIGHTS && i > 0) ||
									 (mode == MODE_RUNTIME && node->inputs[i].ints != NULL);
	status =
		mren_onnx_program_load(&node->test.env, node->bytes, node->len, &options, &program, err);
	if (status != MREN_OK)
	{
		if (status == MREN_EUNSUPPORTED)
			return UNSUPPORTED;
		print_message("%s: %s\n", node->name, err->message);
		return FAILED;
	}
	outcome = run_program(node, program);
	mren_onnx_program_free(&node->test.env, program);
	return outcome;
}

/*
 * Supported if one mode is, and passed if all supported modes pass.  err keeps
 * the message of the first mode that is unsupported.
 */
static Outcome
run_modes(NodeTest *node, MrenError *err)
{
	Outcome total = UNSUPPORTED;

	for (int mode = N_MODES - 1; mode >= 0; mode--)
	{
		MrenError mode_err = {0};
		Outcome outcome = run_mode(node, (Mode) mode, &mode_err);

		if (outcome == UNSUPPORTED)
			*err = mode_err;
		else if (outcome == FAILED || total == UNSUPPORTED)
			total = outcome;
		if (total == FAILED)
			break;
	}
	return total;
}

static void
note_unsupported(const NodeTest *node, const MrenError *err, FILE *names)
{
	const Mren__Onnx__GraphProto *graph = node->model->graph;
	bool named = false;
	int since;
	int until;

	for (size_t i = 0; i < graph->n_node; i++)
	{
		if (!mren_onnx_op_opsets(graph->node[i]->op_type, &since, &until))
		{
			fprintf(names, "%s\n", graph->node[i]->op_type);
			named = true;
		}
	}
	if (!named)
		print_message("unsupported %s: %s\n", node->name, err->message);
}

/* The suite keeps bfloat16 numbers in tensors of type uint16. */
static void
restore_bfloat16(TestEnv *test, const Mren__Onnx__ValueInfoProto *declared, MrenOnnxTensor *tensor)
{
	float *floats;

	if (declared->type == NULL || declared->type->tensor_type == NULL ||
		declared->type->tensor_type->elem_type != MREN_ONNX_BFLOAT16 ||
		tensor->type != MREN_ONNX_UINT16)
		return;
	assert_int_equal(mren_allocate(&test->env, tensor->n, sizeof(float), &floats, NULL), MREN_OK);
	for (size_t i = 0; i < tensor->n; i++)
	{
		uint32_t bits = (uint32_t) tensor->ints[i] << 16;

		memcpy(&floats[i], &bits, sizeof(bits));
	}
	mren_release(&test->env, tensor->ints);
	tensor->ints = NULL;
	tensor->floats = floats;
	tensor->type = MREN_ONNX_BFLOAT16;
}

/*
 * Tests whose expected output ONNX has corrected since.  Up to 1.17, AveragePool
 * with count_include_pad also counted what ceil_mode adds after the padding.
 */
static bool
is_superseded(const char *name)
{
	return strcmp(name, "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_"
						"is_True") == 0;
}

static Outcome
run_node_test(const char *name, FILE *names)
{
	NodeTest node = {0};
	char path[512];
	Outcome outcome = UNSUPPORTED;
	bool tensors;
	MrenError err = {0};

	test_env_init(&node.test);
	node.name = name;
	snprintf(path, sizeof(path), NODE_TESTS "/%s/model.onnx", name);
	node.bytes = test_read_file(path, &node.len);
	assert_non_null(node.bytes);
	node.model = mren__onnx__model_proto__unpack(NULL, node.len, node.bytes);
	assert_non_null(node.model);
	tensors = read_tensors(&node, "input", node.inputs, &node.n_inputs) &&
			  read_tensors(&node, "output", node.outputs, &node.n_outputs);
	for (size_t i = 0; i < node.n_inputs && i < node.model->graph->n_input; i++)
	{
		node.bindings[i].name = node.model->graph->input[i]->name;
		node.bindings[i].tensor = &node.inputs[i];
		restore_bfloat16(&node.test, node.model->graph->input[i], &node.inputs[i]);
	}
	for (size_t i = 0; i < node.n_outputs && i < node.model->graph->n_output; i++)
		restore_bfloat16(&node.test, node.model->graph->output[i], &node.outputs[i]);
	if (node.n_inputs > node.model->graph->n_input || node.n_outputs != node.model->graph->n_output)
		tensors = false;
	if (tensors)
		outcome = run_modes(&node, &err);
	if (outcome == UNSUPPORTED)
		note_unsupported(&node, &err, names);
	for (size_t i = 0; i < TENSORS_MAX; i++)
	{
		mren_onnx_tensor_free(&node.test.env, &node.inputs[i]);
		mren_onnx_tensor_free(&node.test.env, &node.outputs[i]);
	}
	mren__onnx__model_proto__free_unpacked(node.model, NULL);
	free(node.bytes);
	assert_int_equal(node.test.n_live, 0);
	return outcome;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Prints each line of the text once. */
static void
print_names(char *text)
{
	char *lines[2048];
	size_t n = 0;

	for (char *line = strtok(text, "\n"); line != NULL && n < 2048; line = strtok(NULL, "\n"))
		lines[n++] = line;
	qsort(lines, n, sizeof(*lines), by_name);
	print_message("unsupported operators:");
	for (size_t i = 0; i < n; i++)
	{
		if (i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
			print_message(" %s", lines[i]);
	}
	print_message("\n");
}

static int
is_test(const struct dirent *entry)
{
	return strncmp(entry->d_name, "test_", 5) == 0;
}

static void
supported_operators_pass_the_tests_of_onnx(void **state)
{
	struct dirent **entries;
	int n = scandir(NODE_TESTS, &entries, is_test, alphasort);
	size_t counts[3] = {0};
	char *text = NULL;
	size_t text_len;
	FILE *names;

	(void) state;
	if (n < 0)
	{
		print_message("skipped: package libonnx-testdata is not installed\n");
		skip();
	}
	names = open_memstream(&text, &text_len);
	for (int i = 0; i < n; i++)
	{
		if (!is_superseded(entries[i]->d_name))
			counts[run_node_test(entries[i]->d_name, names)]++;
		free(entries[i]);
	}
	free(entries);
	fclose(names);
	print_names(text);
	free(text);
	print_message("ONNX node tests: %zu passed, %zu failed, %zu unsupported\n", counts[PASSED],
				  counts[FAILED], counts[UNSUPPORTED]);
	assert_int_equal(counts[FAILED], 0);
	assert_true(counts[PASSED] >= EXPECTED_TO_PASS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(supported_operators_pass_the_tests_of_onnx),
	};

	return cmocka_run_group_tests_name("onnx node tests", tests, NULL, NULL);
}
