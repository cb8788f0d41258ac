/*
 * sort.h
 *	  In-place sorting by a 64-bit key, without allocation or recursion.
 */
#ifndef MREN_BASE_SORT_H
#define MREN_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Where something keyed by a hash lies. */
typedef struct MrenKeyed
{
	uint64_t key;
	uint64_t at;
} MrenKeyed;

/*
 * mren_sort_keyed
 *	  Heap sort: by key, then by compare(state, a, b) where keys are equal.
 *	  compare may be NULL.
 */
extern void mren_sort_keyed(MrenKeyed *items, size_t n,
							int (*compare)(const void *state, uint64_t a, uint64_t b),
							const void *state);

/* Ascending. */
extern void mren_sort_u64(uint64_t *items, size_t n);

#endif
