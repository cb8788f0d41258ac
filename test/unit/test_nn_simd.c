/*
 * test_nn_simd.c
 *	  The kernels for each kind of processor beside their plain references.
 *
 * Those that this machine cannot run are skipped, and named.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "base/half_array.h"
#include "base/random.h"
#include "nn/int8.h"
#include "nn/kernels.h"

static const MrenCpu cpus[] = {MREN_CPU_PORTABLE, MREN_CPU_AVX2, MREN_CPU_AVX512, MREN_CPU_VNNI};
static const char *const cpu_names[] = {"portable", "avx2", "avx512", "vnni"};

#define N_CPUS (sizeof(cpus) / sizeof(cpus[0]))

/* The next table of floats from *i on; NULL after the last. */
static const MrenSimd *
next_simd(size_t *i)
{
	while (*i < N_CPUS)
	{
		size_t at = (*i)++;
		const MrenSimd *simd = mren_simd_find(cpus[at]);

		if (simd != NULL)
		{
			assert_string_equal(simd->name, cpu_names[at]);
			return simd;
		}
		if (cpus[at] != MREN_CPU_VNNI)
			print_message("this machine has no %s\n", cpu_names[at]);
	}
	return NULL;
}

static const MrenInt8Simd *
next_int8(size_t *i)
{
	while (*i < N_CPUS)
	{
		size_t at = (*i)++;
		const MrenInt8Simd *simd = mren_int8_simd_find(cpus[at]);

		if (simd != NULL)
		{
			assert_string_equal(simd->name, cpu_names[at]);
			return simd;
		}
		print_message("this machine has no %s\n", cpu_names[at]);
	}
	return NULL;
}

/* Rounding of k products of size 1: about sqrt(k) * 2^-24; sums differ in contraction only. */
static void
check_dense(const MrenSimd *simd, size_t n, size_t k, size_t m)
{
	size_t ldi = k + 3;
	size_t ldo = m + 5;
	float *in = test_random_floats(n * ldi, 1);
	float *plain = test_random_floats(n * k, 1);
	float *w = test_random_floats(k * m, 2);
	float *bias = test_random_floats(mren_dense_packed_size(1, m), 3);
	float *packed = test_random_floats(mren_dense_packed_size(k, m), 4);
	float *out = test_random_floats(n * ldo, 5);
	float *single = test_random_floats(m + 1, 6);
	float *expected = test_random_floats(n * m, 7);
	const MrenPackedDense layer = {.in = k, .out = m, .packed = packed, .bias = bias};

	for (size_t r = 0; r < n; r++)
	{
		memcpy(in + r * ldi, plain + r * k, k * sizeof(float));
		out[r * ldo + m] = 77;
	}
	mren_dense_pack(packed, w, k, m);
	mren_dense_run(simd, &layer, in, ldi, n, out, ldo);
	mren_dense_reference(expected, plain, w, bias, n, k, m);
	for (size_t r = 0; r < n; r++)
	{
		for (size_t j = 0; j < m; j++)
			assert_float_equal(out[r * ldo + j], expected[r * m + j], 2e-6 * (double) k + 1e-5);
		/* Not a float beyond the end; and alone, the same bits. */
		assert_true(out[r * ldo + m] == 77);
		mren_dense_run(simd, &layer, in + r * ldi, ldi, 1, single, m);
		assert_memory_equal(single, out + r * ldo, m * sizeof(float));
	}
	free(in);
	free(plain);
	free(w);
	free(bias);
	free(packed);
	free(out);
	free(single);
	free(expected);
}

/* Every height of a tile, and every number of panels that is left behind the last group. */
static void
test_dense(void **state)
{
	const MrenSimd *simd;

	(void) state;
	for (size_t i = 0; (simd = next_simd(&i)) != NULL;)
	{
		for (size_t n = 1; n <= 26; n++)
		{
			check_dense(simd, n, 7, 16 * (1 + n % 7));
			check_dense(simd, n, 33, 16 * (n % 5) + 9);
		}
		check_dense(simd, 48, 384, 64);
		check_dense(simd, 3, 1, 1);
	}
}

/* A sum goes from left to right, fused or not, whatever the table: exact for small integers. */
static void
test_dense_is_exact_for_integers(void **state)
{
	enum
	{
		N = 13,
		K = 50,
		M = 40,
	};
	float in[N * K];
	float w[K * M];
	float expected[N * M];
	float out[N * M];
	float bias[48] = {0};
	float *packed = test_random_floats(mren_dense_packed_size(K, M), 1);
	const MrenPackedDense layer = {.in = K, .out = M, .packed = packed, .bias = bias};
	const MrenSimd *simd;

	(void) state;
	for (size_t i = 0; i < N * K; i++)
		in[i] = (float) (i * 7 % 11) - 5;
	for (size_t i = 0; i < K * M; i++)
		w[i] = (float) (i * 5 % 13) - 6;
	mren_dense_pack(packed, w, K, M);
	mren_dense_reference(expected, in, w, bias, N, K, M);
	for (size_t i = 0; (simd = next_simd(&i)) != NULL;)
	{
		mren_dense_run(simd, &layer, in, K, N, out, M);
		assert_memory_equal(out, expected, sizeof(out));
	}
	free(packed);
}

static void
check_activation(const MrenSimd *simd, MrenDenseActivation activation, const float *x, size_t n)
{
	float *y = test_random_floats(n + 1, 1);
	float *expected = test_random_floats(n, 2);

	memcpy(y, x, n * sizeof(float));
	memcpy(expected, x, n * sizeof(float));
	y[n] = 77;
	simd->activate(y, n, activation);
	mren_dense_activate_reference(expected, n, activation);
	for (size_t i = 0; i < n; i++)
	{
		if (fabs((double) y[i] - (double) expected[i]) > 1e-6 * (1 + fabs((double) x[i])))
			fail_msg("%s: activation %d of %.9g is %.9g, not %.9g", simd->name, (int) activation,
					 (double) x[i], (double) y[i], (double) expected[i]);
	}
	assert_true(y[n] == 77);
	/* Alone, the same bits. */
	for (size_t i = 0; i < n; i += 97)
	{
		float one = x[i];

		simd->activate(&one, 1, activation);
		assert_memory_equal(&one, &y[i], sizeof(one));
	}
	free(y);
	free(expected);
}

/* From -40 to 40 in steps of 1/256, and far beyond. */
static void
test_activations(void **state)
{
	enum
	{
		N = 20481 + 8,
	};
	static const float far[8] = {-1e30f, 1e30f, -1e4f, 1e4f, -13.2f, 13.2f, -0.0f, 1e-30f};
	float *x = test_random_floats(N, 1);
	const MrenSimd *simd;

	(void) state;
	for (size_t i = 0; i < N - 8; i++)
		x[i] = -40 + (float) i / 256;
	memcpy(x + N - 8, far, sizeof(far));
	for (size_t i = 0; (simd = next_simd(&i)) != NULL;)
	{
		float nan[3] = {1, NAN, INFINITY};

		check_activation(simd, MREN_DENSE_GELU, x, N);
		check_activation(simd, MREN_DENSE_GELU_TANH, x, N);
		check_activation(simd, MREN_DENSE_RELU, x, N);
		check_activation(simd, MREN_DENSE_LINEAR, x, N);
		simd->activate(nan, 2, MREN_DENSE_GELU);
		assert_true(isnan(nan[1]) && !isnan(nan[0]));
	}
	free(x);
}

static void
check_softmax(const MrenSimd *simd, size_t n, float scale, float size)
{
	size_t padded = (n + 15) / 16 * 16;
	float *x = test_random_floats(padded, n);
	float *expected = test_random_floats(padded, n);
	double sum = 0;

	for (size_t i = 0; i < padded; i++)
		x[i] = expected[i] = x[i] * size;
	simd->softmax(x, n, scale);
	mren_softmax_reference(expected, n, scale);
	for (size_t i = 0; i < n; i++)
	{
		/* An exponent e has a rounding error of e * 2^-24. */
		assert_float_equal(x[i], expected[i], 1e-6 + 1e-5 * (double) expected[i]);
		sum += (double) x[i];
	}
	assert_true(fabs(sum - 1) < 1e-5);
	for (size_t i = n; i < padded; i++)
		assert_true(x[i] == 0);
	free(x);
	free(expected);
}

static void
test_softmax(void **state)
{
	const MrenSimd *simd;

	(void) state;
	for (size_t i = 0; (simd = next_simd(&i)) != NULL;)
	{
		float bad[16] = {1, NAN, 2};

		for (size_t n = 1; n <= 50; n++)
		{
			check_softmax(simd, n, 0.3f, 1);
			check_softmax(simd, n, 1, 100);
		}
		check_softmax(simd, 512, 1, 3);
		simd->softmax(bad, 3, 1);
		assert_true(isnan(bad[0]) && isnan(bad[1]) && isnan(bad[2]));
	}
}

static void
check_norm(const MrenSimd *simd, size_t m, bool with_add)
{
	enum
	{
		N = 3,
	};
	float *x = test_random_floats(N * m + 1, 1);
	float *expected = test_random_floats(N * m + 1, 1);
	float *add = test_random_floats(N * m, 2);
	float *weight = test_random_floats(m, 3);
	float *bias = test_random_floats(m, 4);
	const MrenLayerNorm norm = {weight, bias, 1e-5f};

	for (size_t i = 0; i < N * m; i++)
		x[i] = expected[i] = 3 * x[i] + 5;
	x[N * m] = 77;
	simd->layer_norm(x, with_add ? add : NULL, N, m, &norm);
	for (size_t r = 0; r < N; r++)
		mren_layer_norm_reference(expected + r * m, with_add ? add + r * m : NULL, m, &norm);
	for (size_t i = 0; i < N * m; i++)
		assert_float_equal(x[i], expected[i], 2e-5);
	assert_true(x[N * m] == 77);
	free(x);
	free(expected);
	free(add);
	free(weight);
	free(bias);
}

static void
test_layer_norm(void **state)
{
	const MrenSimd *simd;

	(void) state;
	for (size_t i = 0; (simd = next_simd(&i)) != NULL;)
	{
		for (size_t m = 2; m <= 70; m += 17)
		{
			check_norm(simd, m, false);
			check_norm(simd, m, true);
		}
		check_norm(simd, 384, true);
		for (size_t n = 0; n < 40; n++)
		{
			float *a = test_random_floats(n + 1, 1);
			float *b = test_random_floats(n + 1, 2);
			double sum = 0;

			for (size_t j = 0; j < n; j++)
				sum += (double) a[j] * (double) b[j];
			assert_float_equal(simd->dot(a, b, n), sum, 1e-5);
			free(a);
			free(b);
		}
	}
}

typedef struct Int8Layer
{
	MrenInt8Dense layer;
	MrenInt8Weights weights;
	MrenInt8Rows rows;
	float *bias;
} Int8Layer;

static Int8Layer
make_int8(const float *w, const float *bias, size_t n, size_t k, size_t m)
{
	size_t columns = mren_dense_packed_size(1, m);
	Int8Layer made = {
		.weights = {aligned_alloc(64, mren_int8_packed_size(k, m)), test_random_floats(columns, 1),
					(int32_t *) test_random_floats(columns, 2)},
		.rows = {aligned_alloc(64, n * mren_int8_row_bytes(k)), test_random_floats(n, 3)},
		.bias = test_random_floats(columns, 4),
	};

	memcpy(made.bias, bias, m * sizeof(float));
	mren_int8_pack_transposed(&made.weights, w, k, m);
	made.layer = (MrenInt8Dense){.in = k,
								 .out = m,
								 .packed = made.weights.packed,
								 .scale = made.weights.scale,
								 .bias = made.bias,
								 .sums = made.weights.sums};
	return made;
}

static void
free_int8(Int8Layer *made)
{
	free(made->weights.packed);
	free(made->weights.scale);
	free(made->weights.sums);
	free(made->rows.bytes);
	free(made->rows.scale);
	free(made->bias);
}

/* Bytes are the same for all, and their sums exact, so that only the last step rounds. */
static void
check_int8(const MrenInt8Simd *simd, size_t n, size_t k, size_t m)
{
	float *in = test_random_floats(n * k, 1);
	float *w = test_random_floats(m * k, 2);
	float *bias = test_random_floats(m, 3);
	float *out = test_random_floats(n * m + 1, 4);
	float *single = test_random_floats(m, 5);
	float *expected = test_random_floats(n * m, 6);
	int32_t *row = malloc(k * sizeof(int32_t));
	Int8Layer made = make_int8(w, bias, n, k, m);

	out[n * m] = 77;
	mren_int8_rows(simd, in, k, n, k, &made.rows);
	mren_int8_infer(simd, &made.layer, &made.rows, n, out, m);
	for (size_t r = 0; r < n; r++)
		mren_int8_reference(expected + r * m, row, in + r * k, w, bias, k, m);
	for (size_t i = 0; i < n * m; i++)
		assert_float_equal(out[i], expected[i], 1e-4 + 1e-5 * fabs((double) expected[i]));
	assert_true(out[n * m] == 77);
	for (size_t r = 0; r < n; r++)
	{
		mren_int8_rows(simd, in + r * k, k, 1, k, &made.rows);
		mren_int8_infer(simd, &made.layer, &made.rows, 1, single, m);
		assert_memory_equal(single, out + r * m, m * sizeof(float));
	}
	free(in);
	free(w);
	free(bias);
	free(out);
	free(single);
	free(expected);
	free(row);
	free_int8(&made);
}

static void
test_int8(void **state)
{
	const MrenInt8Simd *simd;

	(void) state;
	for (size_t i = 0; (simd = next_int8(&i)) != NULL;)
	{
		for (size_t n = 1; n <= 26; n++)
			check_int8(simd, n, 2 + 5 * n, 3 + 4 * n);
		check_int8(simd, 48, 384, 64);
		check_int8(simd, 2, 1, 1);
	}
}

/*
 * The largest sums that there are fit: of four products in 16 bits, and of 65536 in 32 bits.  NaN
 * stays NaN.
 */
static void
test_int8_extremes(void **state)
{
	enum
	{
		K = MREN_INT8_MAX_INPUTS,
	};
	float *in = test_random_floats(4 * K, 1);
	float *w = test_random_floats(2 * K, 2);
	static const float bias[2] = {0, 1};
	Int8Layer made;
	const MrenInt8Simd *simd;

	(void) state;
	for (size_t i = 0; i < K; i++)
	{
		in[i] = 2;
		in[K + i] = -2;
		in[2 * K + i] = 0;
		in[3 * K + i] = i == 5 ? NAN : 1;
		w[i] = i % 2 == 0 ? 32 : 31; /* four of them are 126: each is a whole number of scale 1 */
		w[K + i] = 0;
	}
	made = make_int8(w, bias, 4, K, 2);
	for (size_t i = 0; (simd = next_int8(&i)) != NULL;)
	{
		float out[8];

		mren_int8_rows(simd, in, K, 4, K, &made.rows);
		mren_int8_infer(simd, &made.layer, &made.rows, 4, out, 2);
		assert_float_equal(out[0], 63.0 * K, 1e-6 * 63 * K);
		assert_float_equal(out[2], -63.0 * K, 1e-6 * 63 * K);
		assert_true(out[1] == 1 && out[3] == 1 && out[4] == 0 && out[5] == 1);
		assert_true(isnan(out[6]) && isnan(out[7]));
	}
	free(in);
	free(w);
	free_int8(&made);
}

/* n rows of m halves that are exact, then the sum and the largest of each column, for any width. */
static void
check_columns(const MrenSimd *simd, size_t n, size_t m)
{
	float *values = test_random_floats(n * m, 1);
	float *start = test_random_floats(m, 2);
	uint16_t *halves = malloc(n * m * sizeof(uint16_t) + 1);
	MrenHalfRow *rows = malloc(n * sizeof(MrenHalfRow) + 1);
	float *out = test_random_floats(m + 1, 3);

	for (size_t i = 0; i < n; i++)
	{
		simd->to_halves(halves + i * m, values + i * m, m);
		rows[i] = (MrenHalfRow){halves + i * m, 0.5f + (float) i};
		for (size_t j = 0; j < m; j++)
		{
			assert_int_equal(halves[i * m + j], mren_half_from_float(values[i * m + j]));
			values[i * m + j] = mren_half_to_float(halves[i * m + j]);
		}
	}
	out[m] = 77;
	simd->add_halves(out, start, rows, n, m);
	for (size_t j = 0; j < m; j++)
	{
		double sum = (double) start[j];

		for (size_t i = 0; i < n; i++)
			sum += (0.5 + (double) i) * (double) values[i * m + j];
		assert_float_equal(out[j], sum, 1e-6 * (double) (n * n + 1));
	}
	/* In place, the same bits. */
	simd->add_halves(start, start, rows, n, m);
	assert_memory_equal(start, out, m * sizeof(float));
	if (n > 0)
		simd->largest(out, values, m, n, m);
	for (size_t j = 0; j < m && n > 0; j++)
	{
		float most = values[j];

		for (size_t i = 1; i < n; i++)
			most = values[i * m + j] > most ? values[i * m + j] : most;
		assert_true(out[j] == most);
	}
	assert_true(out[m] == 77);
	free(values);
	free(start);
	free(halves);
	free(rows);
	free(out);
}

static void
test_columns(void **state)
{
	const MrenSimd *simd;

	(void) state;
	for (size_t i = 0; (simd = next_simd(&i)) != NULL;)
	{
		for (size_t m = 1; m <= 150; m++)
			check_columns(simd, m % 6, m);
	}
}

/* Floats beyond the largest half become that, with their sign. */
static void
test_halves_are_finite(void **state)
{
	const float floats[5] = {1e30f, -1e30f, 65519, -65520, 1};
	const MrenSimd *simd;

	(void) state;
	for (size_t i = 0; (simd = next_simd(&i)) != NULL;)
	{
		uint16_t halves[5];

		simd->to_halves(halves, floats, 5);
		assert_true(mren_half_to_float(halves[0]) == MREN_HALF_MAX);
		assert_true(mren_half_to_float(halves[1]) == -MREN_HALF_MAX);
		assert_true(mren_half_to_float(halves[2]) == MREN_HALF_MAX);
		assert_true(mren_half_to_float(halves[3]) == -MREN_HALF_MAX);
		assert_true(mren_half_to_float(halves[4]) == 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dense),
		cmocka_unit_test(test_dense_is_exact_for_integers),
		cmocka_unit_test(test_activations),
		cmocka_unit_test(test_softmax),
		cmocka_unit_test(test_layer_norm),
		cmocka_unit_test(test_int8),
		cmocka_unit_test(test_int8_extremes),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_halves_are_finite),
	};

	return cmocka_run_group_tests_name("kernels for each processor", tests, NULL, NULL);
}
