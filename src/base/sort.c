/*
 * sort.c
 *	  Heap sort: no worst case, no memory, no library call that may allocate.
 */
#include "base/sort.h"

#include <stdbool.h>

typedef int (*Compare)(const void *state, uint64_t a, uint64_t b);

static bool
less(const MrenKeyed *a, const MrenKeyed *b, Compare compare, const void *state)
{
	if (a->key != b->key)
		return a->key < b->key;
	return compare != NULL && compare(state, a->at, b->at) < 0;
}

static void
sift_keyed(MrenKeyed *items, size_t root, size_t n, Compare compare, const void *state)
{
	MrenKeyed item = items[root];

	for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1)
	{
		if (child + 1 < n && less(&items[child], &items[child + 1], compare, state))
			child++;
		if (!less(&item, &items[child], compare, state))
			break;
		items[root] = items[child];
		root = child;
	}
	items[root] = item;
}

void
mren_sort_keyed(MrenKeyed *items, size_t n, Compare compare, const void *state)
{
	for (size_t i = n / 2; i > 0; i--)
		sift_keyed(items, i - 1, n, compare, state);
	for (size_t end = n; end > 1; end--)
	{
		MrenKeyed swap = items[0];

		items[0] = items[end - 1];
		items[end - 1] = swap;
		sift_keyed(items, 0, end - 1, compare, state);
	}
}

static void
sift_u64(uint64_t *items, size_t root, size_t n)
{
	uint64_t item = items[root];

	for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1)
	{
		if (child + 1 < n && items[child] < items[child + 1])
			child++;
		if (item >= items[child])
			break;
		items[root] = items[child];
		root = child;
	}
	items[root] = item;
}

void
mren_sort_u64(uint64_t *items, size_t n)
{
	for (size_t i = n / 2; i > 0; i--)
		sift_u64(items, i - 1, n);
	for (size_t end = n; end > 1; end--)
	{
		uint64_t swap = items[0];

		items[0] = items[end - 1];
		items[end - 1] = swap;
		sift_u64(items, 0, end - 1);
	}
}
