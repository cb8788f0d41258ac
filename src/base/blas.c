/*
 * blas.c
 *	  The only file that includes cblas.h.
 */
#include "base/blas.h"

#include <cblas.h>

void
mren_gemm(float alpha, const MrenProduct *p)
{
	if (p->m == 0 || p->n == 0)
		return;
	cblas_sgemm(CblasRowMajor, p->trans_a ? CblasTrans : CblasNoTrans,
				p->trans_b ? CblasTrans : CblasNoTrans, (blasint) p->m, (blasint) p->n,
				(blasint) p->k, alpha, p->a, (blasint) p->lda, p->b, (blasint) p->ldb, p->beta,
				p->c, (blasint) p->ldc);
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
