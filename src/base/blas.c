/*
 * blas.c
 *	  The only file that includes cblas.h.
 */
#include "base/blas.h"

#include <cblas.h>

void
mren_gemm(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, float alpha, const float *a,
		  size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
	if (m == 0 || n == 0)
		return;
	cblas_sgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans,
				trans_b ? CblasTrans : CblasNoTrans, (blasint) m, (blasint) n, (blasint) k, alpha,
				a, (blasint) lda, b, (blasint) ldb, beta, c, (blasint) ldc);
}

void
mren_blas_init(void)
{
	openblas_set_num_threads(1);
}

const char *
mren_blas_config(void)
{
	return openblas_get_config();
}

const char *
mren_blas_kernel(void)
{
	return openblas_get_corename();
}
