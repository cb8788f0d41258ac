/*
 * test_onnx_conv.c
 *	  Every convolution kernel against the definition, over random shapes, and
 *	  the functions after them against the C library in double precision.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "onnx/simd/unary.h"
#include "onnx/kernels/conv.h"
#include "onnx/program.h"
#include "onnx_build.h"

/*
 * Rounding errors of a sum of n products of numbers below 1 stay below
 * n * 2^-24 times the sum of magnitudes; kernels that transform their input
 * (Winograd) lose a few bits more.
 */
#define TOLERANCE 2e-5f

typedef struct ConvCase
{
	MrenOnnxConvShape shape;
	int rank; /* spatial dimensions, 1 to 3 */
	bool residual;
	bool relu;
} ConvCase;

static size_t
pick(MrenRandom *random, size_t low, size_t high)
{
	return low + (size_t) mren_random_below(random, high - low + 1);
}

static float *
random_floats(MrenRandom *random, size_t n)
{
	float *values = malloc((n + 1) * sizeof(float));

	assert_non_null(values);
	for (size_t i = 0; i < n; i++)
		values[i] = 2.0f * mren_random_uniform(random) - 1.0f;
	return values;
}

/* What Winograd's kernels take: whole vectors of channels and filters, 3x3, steps of one. */
static void
random_winograd_case(MrenRandom *random, ConvCase *out)
{
	MrenOnnxConvShape *s = &out->shape;
	MrenOnnxWindow *w = &s->window;

	out->rank = 2;
	s->batch = pick(random, 1, 3);
	s->groups = 1;
	s->channels = 16 * pick(random, 1, 8);
	s->filters = 16 * pick(random, 1, 6);
	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
	{
		bool used = d > 0;

		w->kernel[d] = used ? 3 : 1;
		w->dilation[d] = w->stride[d] = 1;
		w->before[d] = used ? pick(random, 0, 3) : 0;
		w->after[d] = used ? pick(random, 0, 3) : 0;
		w->in[d] = used ? pick(random, 4, 27) : 1;
		w->out[d] = w->in[d] + w->before[d] + w->after[d] - w->kernel[d] + 1;
	}
	out->residual = mren_random_below(random, 2) == 0;
	out->relu = mren_random_below(random, 2) == 0;
}

/* A shape whose output is not empty. */
static void
random_case(MrenRandom *random, size_t round, ConvCase *out)
{
	MrenOnnxConvShape *s = &out->shape;
	MrenOnnxWindow *w = &s->window;
	size_t group_channels;

	memset(out, 0, sizeof(*out));
	out->rank = round % 8 == 0 ? 1 : round % 8 == 1 ? 3 : 2;
	s->batch = pick(random, 1, 2);
	s->groups = round % 4 == 2 ? pick(random, 2, 5) : 1;
	group_channels = pick(random, 1, round % 3 == 0 ? 70 : 20);
	s->channels = s->groups * group_channels;
	s->filters = s->groups * pick(random, 1, round % 5 == 0 ? 80 : 24);
	if (round % 4 == 3) /* depthwise */
	{
		s->channels = round % 8 == 3 ? 16 * pick(random, 1, 5) : pick(random, 2, 70);
		s->groups = s->channels;
		s->filters = s->channels;
	}
	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
	{
		bool used = d >= MREN_ONNX_SPATIAL_MAX - out->rank;
		size_t extent;

		w->kernel[d] = used ? (round % 7 == 0 ? 1 : pick(random, 1, 5)) : 1;
		w->dilation[d] = used && round % 3 == 0 ? pick(random, 1, 3) : 1;
		w->stride[d] = used ? pick(random, 1, round % 2 == 0 ? 1 : 3) : 1;
		w->before[d] = used ? pick(random, 0, 3) : 0;
		w->after[d] = used ? pick(random, 0, 3) : 0;
		if (round % 9 == 4 && used) /* the usual 3x3 */
		{
			w->kernel[d] = 3;
			w->dilation[d] = w->stride[d] = w->before[d] = w->after[d] = 1;
		}
		extent = (w->kernel[d] - 1) * w->dilation[d] + 1;
		w->in[d] = used ? pick(random, extent, extent + (out->rank == 3 ? 4 : 14)) : 1;
		w->out[d] = (w->in[d] + w->before[d] + w->after[d] - extent) / w->stride[d] + 1;
	}
	out->residual = round % 3 == 1 && out->rank == 2;
	out->relu = round % 2 == 1;
}

/* (n, c, pixels) to (n, pixels, c), or back. */
static float *
transpose(const float *x, size_t n, size_t rows, size_t columns)
{
	float *y = malloc((n * rows * columns + 1) * sizeof(float));

	assert_non_null(y);
	for (size_t i = 0; i < n; i++)
	{
		for (size_t r = 0; r < rows; r++)
		{
			for (size_t c = 0; c < columns; c++)
				y[(i * columns + c) * rows + r] = x[(i * rows + r) * columns + c];
		}
	}
	return y;
}

static void
build_case(Build *b, const ConvCase *c, const float *w, const float *bias)
{
	const MrenOnnxWindow *win = &c->shape.window;
	Mren__Onnx__NodeProto *node;
	int64_t x_dims[5] = {(int64_t) c->shape.batch, (int64_t) c->shape.channels};
	int64_t w_dims[5] = {(int64_t) c->shape.filters,
						 (int64_t) (c->shape.channels / c->shape.groups)};
	int64_t y_dims[5] = {(int64_t) c->shape.batch, (int64_t) c->shape.filters};
	int64_t bias_dim = (int64_t) c->shape.filters;
	int64_t strides[3];
	int64_t dilations[3];
	int64_t pads[6];

	for (int d = 0; d < c->rank; d++)
	{
		int s = MREN_ONNX_SPATIAL_MAX - c->rank + d;

		x_dims[2 + d] = (int64_t) win->in[s];
		w_dims[2 + d] = (int64_t) win->kernel[s];
		y_dims[2 + d] = (int64_t) win->out[s];
		strides[d] = (int64_t) win->stride[s];
		dilations[d] = (int64_t) win->dilation[s];
		pads[d] = (int64_t) win->before[s];
		pads[c->rank + d] = (int64_t) win->after[s];
	}
	build_init(b, 13);
	build_input(b, "x", x_dims, (size_t) c->rank + 2);
	if (c->residual)
		build_input(b, "r", y_dims, (size_t) c->rank + 2);
	build_floats(b, "w", w, w_dims, (size_t) c->rank + 2);
	build_floats(b, "bias", bias, &bias_dim, 1);
	node = build_node(b, "Conv", "x w bias", c->residual || c->relu ? "c" : "y");
	build_int(b, node, "group", (int64_t) c->shape.groups);
	build_list(b, node, "strides", strides, (size_t) c->rank);
	build_list(b, node, "dilations", dilations, (size_t) c->rank);
	build_list(b, node, "pads", pads, (size_t) c->rank * 2);
	if (c->residual)
		build_node(b, "Add", "r c", c->relu ? "a" : "y");
	if (c->relu)
		build_node(b, "Relu", c->residual ? "a" : "c", "y");
	build_output(b, "y");
}

static void
run_case(TestEnv *test, Build *b, MrenOnnxCpu cpu, const void *const *inputs, float *y, size_t n)
{
	MrenOnnxProgramOptions options = {NULL, 0, NULL, 0, 0, cpu};
	MrenOnnxProgram *program;
	MrenOnnxRun *run;
	MrenError err = {0};
	bool done = false;
	size_t len;
	uint8_t *bytes = build_pack(b, &len);

	if (mren_onnx_program_load(&test->env, bytes, len, &options, &program, &err) != MREN_OK)
		fail_msg("%s", err.message);
	assert_int_equal(mren_onnx_run_start(&test->env, program, inputs, &run, &err), MREN_OK);
	while (!done)
		assert_int_equal(mren_onnx_run_step(run, &done, &err), MREN_OK);
	memcpy(y, mren_onnx_run_output(run, 0), n * sizeof(float));
	mren_onnx_run_end(run);
	mren_onnx_program_free(&test->env, program);
}

static void
check_case(MrenRandom *random, const ConvCase *c, MrenOnnxCpu cpu)
{
	const MrenOnnxConvShape *s = &c->shape;
	size_t n_in = mren_onnx_window_in(&s->window);
	size_t n_out = mren_onnx_window_out(&s->window);
	size_t n = s->batch * n_out * s->filters;
	size_t per_filter = s->channels / s->groups * mren_onnx_window_taps(&s->window);
	float *x = random_floats(random, s->batch * s->channels * n_in);
	float *w = random_floats(random, s->filters * per_filter);
	float *bias = random_floats(random, s->filters);
	float *r = random_floats(random, n);
	float *last = transpose(x, s->batch, s->channels, n_in);
	float *want_last = malloc((n + 1) * sizeof(float));
	float *want;
	float *got = malloc((n + 1) * sizeof(float));
	const void *inputs[2] = {x, r};
	TestEnv test;
	Build b;

	test_env_init(&test);
	build_case(&b, c, w, bias);
	run_case(&test, &b, cpu, inputs, got, n);
	build_free(&b);
	mren_onnx_conv_reference(s, last, w, bias, want_last);
	want = transpose(want_last, s->batch, n_out, s->filters);
	for (size_t i = 0; i < n; i++)
	{
		float v = want[i] + (c->residual ? r[i] : 0);

		v = c->relu && v < 0 ? 0 : v;
		if (fabsf(got[i] - v) > TOLERANCE * (1.0f + sqrtf((float) per_filter)))
			fail_msg("element %zu is %g, not %g: %zu channels, %zu filters, %zu groups, %zux%zu, "
					 "kernel %zux%zu, stride %zux%zu",
					 i, (double) got[i], (double) v, s->channels, s->filters, s->groups,
					 s->window.in[1], s->window.in[2], s->window.kernel[1], s->window.kernel[2],
					 s->window.stride[1], s->window.stride[2]);
	}
	assert_int_equal(test.n_live, 0);
	free(x);
	free(w);
	free(bias);
	free(r);
	free(last);
	free(want_last);
	free(want);
	free(got);
}

static void
check_convolutions(MrenOnnxCpu cpu, const char *name)
{
	MrenRandom random;

	if (cpu != MREN_ONNX_CPU_PORTABLE && mren_onnx_simd_find(cpu) == NULL)
	{
		print_message("skipped: this machine has no %s\n", name);
		skip();
	}
	mren_random_seed(&random, 1, (uint64_t) cpu);
	for (size_t round = 0; round < 240; round++)
	{
		ConvCase c = {0};

		if (round % 8 == 5)
			random_winograd_case(&random, &c);
		else
			random_case(&random, round, &c);
		check_case(&random, &c, cpu);
	}
}

static void
portable_convolutions_equal_their_definition(void **state)
{
	(void) state;
	check_convolutions(MREN_ONNX_CPU_PORTABLE, "portable path");
}

static void
avx2_convolutions_equal_their_definition(void **state)
{
	(void) state;
	check_convolutions(MREN_ONNX_CPU_AVX2, "AVX2");
}

static void
avx512_convolutions_equal_their_definition(void **state)
{
	(void) state;
	check_convolutions(MREN_ONNX_CPU_AVX512, "AVX-512");
}

/*
 * The definition itself: a 2x2 kernel over a 3x3 image, by hand.
 *	  1 2 3
 *	  4 5 6   with  1 10   gives  1 + 20 + 400 + 5000 = 5421 at the first pixel.
 *	  7 8 9         100 1000
 */
static void
the_definition_gives_sums_worked_out_by_hand(void **state)
{
	MrenOnnxConvShape shape = {
		{{1, 3, 3}, {1, 2, 2}, {1, 2, 2}, {1, 1, 1}, {1, 1, 1}, {0}, {0}}, 1, 1, 1, 1};
	float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	float w[4] = {1, 10, 100, 1000};
	float bias = 0.5f;
	float y[4];

	(void) state;
	mren_onnx_conv_reference(&shape, x, w, &bias, y);
	assert_float_equal(y[0], 5421.5, 0);
	assert_float_equal(y[1], 6532.5, 0);
	assert_float_equal(y[2], 8754.5, 0);
	assert_float_equal(y[3], 9865.5, 0);
}

static double
exact(MrenOnnxUnary kind, double x)
{
	switch (kind)
	{
		case MREN_ONNX_UNARY_SIGMOID:
			return 1 / (1 + exp(-x));
		case MREN_ONNX_UNARY_SILU:
			return x / (1 + exp(-x));
		case MREN_ONNX_UNARY_HARDSWISH:
			return x * fmin(fmax(x / 6 + 0.5, 0), 1);
		case MREN_ONNX_UNARY_TANH:
			return tanh(x);
		case MREN_ONNX_UNARY_GELU:
			return 0.5 * x * (1 + erf(x / sqrt(2)));
		case MREN_ONNX_UNARY_SOFTPLUS:
			return log1p(exp(x));
		case MREN_ONNX_UNARY_MISH:
			return x * tanh(log1p(exp(x)));
		default:
			return x;
	}
}

/* Runs of n numbers from `from` on, in steps of 0.037, up to 30. */
static void
check_activation(const MrenOnnxActivation *f, float from, size_t n)
{
	float x[64];
	float y[64];

	for (float start = from; start <= 30.0f; start += 0.037f * (float) n)
	{
		for (size_t i = 0; i < n; i++)
			x[i] = start + 0.037f * (float) i;
		mren_onnx_activate(f, x, y, n);
		for (size_t i = 0; i < n; i++)
		{
			double want = exact(f->kind, x[i]);
			/* a factor near 0 that is a difference of numbers near 1 is worth 2^-23 */
			double rounding =
				f->kind == MREN_ONNX_UNARY_GELU || f->kind == MREN_ONNX_UNARY_HARDSWISH
					? 2e-7 * fabs((double) x[i])
					: 0;

			if (fabs(y[i] - want) > 1e-6 * fabs(want) + rounding)
				fail_msg("function %d of %g is %g, not %g", f->kind, (double) x[i], (double) y[i],
						 want);
		}
	}
}

static void
activations_are_as_exact_as_single_precision(void **state)
{
	static const MrenOnnxUnary kinds[] = {MREN_ONNX_UNARY_SIGMOID,	 MREN_ONNX_UNARY_SILU,
										  MREN_ONNX_UNARY_HARDSWISH, MREN_ONNX_UNARY_TANH,
										  MREN_ONNX_UNARY_GELU,		 MREN_ONNX_UNARY_SOFTPLUS,
										  MREN_ONNX_UNARY_MISH};

	(void) state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
	{
		MrenOnnxActivation f = {kinds[k], 0, 0};

		for (size_t n = 1; n < 40; n += 1 + n / 4)
			check_activation(&f, -30.0f, n);
	}
}

static void
sigmoid_ends_at_zero_and_one_and_keeps_nan(void **state)
{
	MrenOnnxActivation f = {MREN_ONNX_UNARY_SIGMOID, 0, 0};
	float x[4] = {INFINITY, -INFINITY, 1000.0f, NAN};
	float y[4];

	(void) state;
	mren_onnx_activate(&f, x, y, 4);
	assert_float_equal(y[0], 1, 0);
	assert_true(y[1] >= 0 && y[1] < 1e-38f);
	assert_float_equal(y[2], 1, 0);
	assert_true(isnan(y[3]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_definition_gives_sums_worked_out_by_hand),
		cmocka_unit_test(portable_convolutions_equal_their_definition),
		cmocka_unit_test(avx2_convolutions_equal_their_definition),
		cmocka_unit_test(avx512_convolutions_equal_their_definition),
		cmocka_unit_test(activations_are_as_exact_as_single_precision),
		cmocka_unit_test(sigmoid_ends_at_zero_and_one_and_keeps_nan),
	};

	return cmocka_run_group_tests_name("onnx convolution", tests, NULL, NULL);
}
