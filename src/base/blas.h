/*
 * blas.h
 *	  Matrix products: the only way to BLAS in the whole project.
 *
 * Row-major, single precision.  BLAS runs on one thread: parallelism is
 * a matter of PostgreSQL's workers.
 */
#ifndef MREN_BASE_BLAS_H
#define MREN_BASE_BLAS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A matrix product: c (m,n) = op(a) (m,k) * op(b) (k,n) + beta * c, where op
 * transposes when its flag is set.  lda, ldb and ldc are row lengths in memory.
 * All sizes must fit an int; callers have checked them.
 */
typedef struct MrenProduct
{
	bool trans_a;
	bool trans_b;
	size_t m;
	size_t n;
	size_t k;
	const float *a;
	size_t lda;
	const float *b;
	size_t ldb;
	float beta;
	float *c;
	size_t ldc;
} MrenProduct;

/* The product by BLAS, op(a) * op(b) times alpha.  Without an element in c it does nothing. */
extern void mren_gemm(float alpha, const MrenProduct *product);

/*
 * mren_blas_available
 *	  Whether OpenBLAS is where it was when this was built.  It is loaded for the first product,
 *	  since that takes longer than many a prediction; should that fail nevertheless, products are
 *	  computed by plain loops.
 */
extern bool mren_blas_available(void);

/* The file that is loaded. */
extern const char *mren_blas_path(void);

/* The library's own description: name, version, and the kernel it chose. */
extern const char *mren_blas_config(void);
extern const char *mren_blas_kernel(void);

#endif
