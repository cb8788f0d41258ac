/*
 * blas.c
 *	  The only file that includes cblas.h, and loads what it declares.
 */
#include "base/blas.h"

#include <cblas.h>
#include <string.h>
#include <unistd.h>

#include "base/library.h"

#ifndef MREN_BLAS_LIBRARY
#define MREN_BLAS_LIBRARY "libopenblas.so.0"
#endif

/* The functions of OpenBLAS that are used. */
#define FUNCTIONS(F)                                                                               \
	F(cblas_sgemm) F(openblas_set_num_threads) F(openblas_get_config) F(openblas_get_corename)

MREN_LIBRARY(FUNCTIONS);

static float
element(const float *matrix, size_t ld, bool trans, size_t row, size_t col)
{
	return trans ? matrix[col * ld + row] : matrix[row * ld + col];
}

/* c = alpha * op(a) * op(b) + beta * c, where a beta of 0 does not read c. */
static void
plain_gemm(float alpha, const MrenProduct *p)
{
	for (size_t i = 0; i < p->m; i++)
	{
		for (size_t j = 0; j < p->n; j++)
		{
			float *c = p->c + i * p->ldc + j;
			float sum = 0;

			for (size_t k = 0; k < p->k; k++)
				sum += element(p->a, p->lda, p->trans_a, i, k) *
					   element(p->b, p->ldb, p->trans_b, k, j);
			*c = alpha * sum + (p->beta == 0 ? 0 : p->beta * *c);
		}
	}
}

/* Loads them, on one thread; false if they cannot be, which is not tried again. */
static bool
load(void)
{
	static bool tried;
	MrenError err;

	if (!tried && MREN_LIBRARY_LOAD(MREN_BLAS_LIBRARY, &err) == MREN_OK)
		library.openblas_set_num_threads(1);
	tried = true;
	return library.cblas_sgemm != NULL;
}

void
mren_gemm(float alpha, const MrenProduct *p)
{
	if (p->m == 0 || p->n == 0)
		return;
	if (!load())
	{
		plain_gemm(alpha, p);
		return;
	}
	library.cblas_sgemm(CblasRowMajor, p->trans_a ? CblasTrans : CblasNoTrans,
						p->trans_b ? CblasTrans : CblasNoTrans, (blasint) p->m, (blasint) p->n,
						(blasint) p->k, alpha, p->a, (blasint) p->lda, p->b, (blasint) p->ldb,
						p->beta, p->c, (blasint) p->ldc);
}

bool
mren_blas_available(void)
{
	return strchr(MREN_BLAS_LIBRARY, '/') == NULL || access(MREN_BLAS_LIBRARY, R_OK) == 0;
}

const char *
mren_blas_path(void)
{
	return MREN_BLAS_LIBRARY;
}

const char *
mren_blas_config(void)
{
	return load() ? library.openblas_get_config() : "none";
}

const char *
mren_blas_kernel(void)
{
	return load() ? library.openblas_get_corename() : "none";
}
