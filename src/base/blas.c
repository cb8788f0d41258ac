/*
 * blas.c
 *	  The only file that includes cblas.h, and loads what it declares.
 */
#include "base/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#ifndef MREN_BLAS_LIBRARY
#define MREN_BLAS_LIBRARY "libopenblas.so.0"
#endif

/* The functions of OpenBLAS that are used. */
typedef struct Blas
{
	__typeof__(&cblas_sgemm) gemm;
	__typeof__(&openblas_set_num_threads) set_threads;
	__typeof__(&openblas_get_config) config;
	__typeof__(&openblas_get_corename) kernel;
} Blas;

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

/* dlsym gives a pointer to an object, which ISO C does not convert to one to a function. */
static void
find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	memcpy(function, &symbol, sizeof(symbol));
}

/* All of them, on one thread; without `gemm` if they cannot be loaded. */
static Blas
load(void)
{
	void *library = dlopen(MREN_BLAS_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	Blas found = {NULL};

	if (library == NULL)
		return found;
	find(library, "cblas_sgemm", &found.gemm);
	find(library, "openblas_set_num_threads", &found.set_threads);
	find(library, "openblas_get_config", &found.config);
	find(library, "openblas_get_corename", &found.kernel);
	if (found.set_threads == NULL || found.config == NULL || found.kernel == NULL)
		found.gemm = NULL;
	if (found.gemm != NULL)
		found.set_threads(1);
	return found;
}

/* The one thing that the core keeps: a library is loaded once for a process. */
static const Blas *
blas(void)
{
	static Blas loaded;
	static bool tried;

	if (!tried)
		loaded = load();
	tried = true;
	return &loaded;
}

void
mren_gemm(float alpha, const MrenProduct *p)
{
	const Blas *library = blas();

	if (p->m == 0 || p->n == 0)
		return;
	if (library->gemm == NULL)
	{
		plain_gemm(alpha, p);
		return;
	}
	library->gemm(CblasRowMajor, p->trans_a ? CblasTrans : CblasNoTrans,
				  p->trans_b ? CblasTrans : CblasNoTrans, (blasint) p->m, (blasint) p->n,
				  (blasint) p->k, alpha, p->a, (blasint) p->lda, p->b, (blasint) p->ldb, p->beta,
				  p->c, (blasint) p->ldc);
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
	return blas()->gemm != NULL ? blas()->config() : "none";
}

const char *
mren_blas_kernel(void)
{
	return blas()->gemm != NULL ? blas()->kernel() : "none";
}
