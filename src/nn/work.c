/*
 * work.c
 *	  Counting work, and matrix products in pieces.
 */
#include "nn/work.h"

/* Multiply-adds in one call of BLAS: 20 ms at 50 GFLOP/s. */
#define PIECE_PRODUCTS ((size_t) 500 * 1000 * 1000)

void
mren_work_add(MrenWork *work, size_t amount)
{
	work->unchecked += amount;
	if (work->unchecked < PIECE_PRODUCTS)
		return;
	work->unchecked = 0;
	work->stopped = work->stopped || work->env->interrupted(work->env->state);
}

void
mren_work_multiply(MrenWork *work, const MrenProduct *p)
{
	size_t rows = PIECE_PRODUCTS / (p->n * p->k + 1) + 1;

	for (size_t i = 0; i < p->m && !work->stopped; i += rows)
	{
		MrenProduct piece = *p;

		piece.m = p->m - i < rows ? p->m - i : rows;
		piece.a += p->trans_a ? i : i * p->lda;
		piece.c += i * p->ldc;
		mren_gemm(1, &piece);
		mren_work_add(work, piece.m * p->n * p->k);
	}
}
