/*
 * test_nn_kernels.c
 *	  The tuned loops beside their plain references.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdlib.h>

#include "base/blas.h"
#include "nn/kernels.h"
#include "relation/batch.h"

/* Rounding of k products of size 1: about sqrt(k) * 2^-24, and sums differ in
 * order or contraction only. */
static void
check_dense(size_t n, size_t k, size_t m)
{
	size_t padded = (m + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL;
	float *in = test_random_floats(n * k, 1);
	float *w = test_random_floats(k * m, 2);
	float *bias = test_random_floats(padded, 3);
	float *packed = test_random_floats(mren_dense_packed_size(k, m), 4);
	float *out = test_random_floats(n * m + 1, 5);
	float *single = test_random_floats(m + 1, 6);
	float *expected = test_random_floats(n * m, 7);
	const MrenPackedDense layer = {k, m, packed, bias};

	mren_dense_pack(packed, w, k, m);
	out[n * m] = single[m] = 77;
	mren_dense_infer(&layer, in, k, n, out, m);
	mren_dense_reference(expected, in, w, bias, n, k, m);
	for (size_t i = 0; i < n * m; i++)
		assert_float_equal(out[i], expected[i], 2e-6 * (double) k + 1e-5);
	/* Alone, in pairs or in the whole batch: the same bits. */
	for (size_t r = 0; r < n; r++)
	{
		mren_dense_infer(&layer, in + r * k, k, 1, single, m);
		assert_memory_equal(single, out + r * m, m * sizeof(float));
	}
	/* Not a float beyond the end. */
	assert_true(out[n * m] == 77 && single[m] == 77);
	free(in);
	free(w);
	free(bias);
	free(packed);
	free(out);
	free(single);
	free(expected);
}

static void
test_dense_rows_do_not_depend_on_their_batch(void **state)
{
	(void) state;
	check_dense(1, 1, 1);
	check_dense(2, 3, 15);
	check_dense(3, 7, 16);
	check_dense(4, 5, 17);
	check_dense(5, 100, 64);
	check_dense(7, 33, 65);
	check_dense(9, 812, 128);
	check_dense(11, 64, 23);
	check_dense(6, 20, 81);
}

static void
test_adam_follows_its_formula(void **state)
{
	size_t n = 37;
	float *w = test_random_floats(n, 1);
	float *m = test_random_floats(n, 2);
	float *v = test_random_floats(n, 3);
	float *g = test_random_floats(n, 4);
	MrenAdam adam = {0.9f, 0.999f, 0.01f, 1e-8f, 0.002f};

	(void) state;
	for (size_t i = 0; i < n; i++)
		v[i] = fabsf(v[i]);
	for (size_t i = 0; i < n; i++)
	{
		double mi = 0.9 * (double) m[i] + 0.1 * (double) g[i];
		double vi = 0.999 * (double) v[i] + 0.001 * (double) g[i] * (double) g[i];
		double wi = (1 - 0.002) * (double) w[i] - 0.01 * mi / (sqrt(vi) + 1e-8);
		float one[4] = {w[i], m[i], v[i], g[i]};

		mren_adam(one, one + 1, one + 2, one + 3, 1, &adam);
		assert_float_equal(one[0], wi, 1e-6 + 1e-6 * fabs(wi));
		assert_float_equal(one[1], mi, 1e-6);
		assert_float_equal(one[2], vi, 1e-6);
	}
	/* All at once is the same as one by one, but for the last bit. */
	{
		float *w2 = test_random_floats(n, 1);
		float *m2 = test_random_floats(n, 2);
		float *v2 = test_random_floats(n, 3);

		for (size_t i = 0; i < n; i++)
			v2[i] = fabsf(v2[i]);
		mren_adam(w, m, v, g, n, &adam);
		for (size_t i = 0; i < n; i++)
		{
			mren_adam(w2 + i, m2 + i, v2 + i, g + i, 1, &adam);
			assert_float_equal(w[i], w2[i], 1e-6 + 1e-6 * fabs((double) w[i]));
		}
		free(w2);
		free(m2);
		free(v2);
	}
	free(w);
	free(m);
	free(v);
	free(g);
}

/* 100,000 draws at p = 0.3: the share's standard deviation is 0.00145. */
static void
test_dropout_keeps_the_mean(void **state)
{
	size_t n = 100003;
	float *x = test_random_floats(n, 1);
	float *y = test_random_floats(n, 2);
	float *mask = test_random_floats(n, 3);
	MrenRandom random;
	size_t n_dropped = 0;

	(void) state;
	mren_random_seed(&random, 1, 1);
	mren_dropout(&random, 0.3f, x, y, mask, n);
	for (size_t i = 0; i < n; i++)
	{
		assert_true(mask[i] == 0 || fabsf(mask[i] - 1 / 0.7f) < 1e-4f);
		assert_true(y[i] == x[i] * mask[i]);
		n_dropped += mask[i] == 0;
	}
	assert_true(fabs((double) n_dropped / (double) n - 0.3) < 4 * 0.00145);
	/* None is dropped at 0. */
	mren_dropout(&random, 0, x, y, mask, n);
	assert_memory_equal(x, y, n * sizeof(float));
	free(x);
	free(y);
	free(mask);
}

static void
test_small_loops(void **state)
{
	float x[5] = {1, -2, 0, 3, -0.5f};
	float y[5] = {1, 1, 1, 1, 1};
	const float mean[5] = {1, 1, 1, 1, 1};
	const float half[5] = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f};
	float sum[2] = {10, 20};
	const float rows[4] = {1, 2, 3, 4};

	(void) state;
	mren_axpy(y, x, 2, 5);
	assert_float_equal(y[1], -3, 0);
	assert_float_equal(y[3], 7, 0);
	mren_standardize(y, x, mean, half, 5);
	assert_float_equal(y[1], -1.5, 0);
	mren_relu(x, 5);
	assert_true(x[0] == 1 && x[1] == 0 && x[2] == 0 && x[3] == 3 && x[4] == 0);
	mren_relu_backward(y, x, 5);
	assert_true(y[1] == 0 && y[3] == 1);
	mren_sum_rows(sum, rows, 2, 2);
	assert_true(sum[0] == 14 && sum[1] == 26);
	x[0] = NAN;
	mren_relu(x, 5);
	assert_true(isnan(x[0]));
	assert_float_equal(mren_square_sum(rows, 4), 30, 0);
}

/*
 * A product of 600 million multiply-adds is computed in two pieces, whose sum
 * must be the whole, with a check for interrupts between them.
 */
static void
check_pieces(bool trans_a, bool trans_b)
{
	enum
	{
		M = 600,
		N = 1000,
		K = 1000,
	};
	TestEnv test;
	MrenWork work = {0};
	float *a = test_random_floats((size_t) M * K, 1);
	float *b = test_random_floats((size_t) K * N, 2);
	float *c = test_random_floats((size_t) M * N, 3);
	float *whole = test_random_floats((size_t) M * N, 3);
	MrenProduct product = {trans_a, trans_b,		 M, N, K, a, trans_a ? M : K,
						   b,		trans_b ? K : N, 1, c, N};

	test_env_init(&test);
	work.env = &test.env;
	mren_work_multiply(&work, &product);
	assert_int_equal(test.n_checks, 1);
	product.c = whole;
	mren_gemm(1, &product);
	for (size_t i = 0; i < (size_t) M * N; i++)
		assert_float_equal(c[i], whole[i], 1e-3);
	free(a);
	free(b);
	free(c);
	free(whole);
}

static void
test_products_in_pieces(void **state)
{
	(void) state;
	check_pieces(false, false);
	check_pieces(true, false);
	check_pieces(false, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dense_rows_do_not_depend_on_their_batch),
		cmocka_unit_test(test_adam_follows_its_formula),
		cmocka_unit_test(test_dropout_keeps_the_mean),
		cmocka_unit_test(test_small_loops),
		cmocka_unit_test(test_products_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
