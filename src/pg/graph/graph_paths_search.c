/*
 * graph_paths_search.c
 *	  The best paths of a given length through the facts that were loaded.
 *
 * Confidences are multiplied from the target backwards, in bounds as in paths, so
 * that a bound is never below what it bounds.
 */
#include "pg/graph/graph_paths.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define MAX_STEPS 20000000

/*
 * Bounds
 */

/* For a number of facts left, from the bounds with one less. */
static void
bound(MrenPathSearch *search, int left)
{
	const double *less = search->best[left - 1];
	double *best = search->best[left];

	CHECK_FOR_INTERRUPTS();
	memset(best, 0, (Size) search->n_nodes * sizeof(double));
	for (uint32 i = 0; i < search->n_facts; i++)
	{
		const MrenPathFact *fact = &search->facts[i];

		best[fact->head] = Max(best[fact->head], fact->confidence * less[fact->tail]);
		best[fact->tail] = Max(best[fact->tail], fact->confidence * less[fact->head]);
	}
}

static void
bounds(MrenPathSearch *search)
{
	for (int left = 0; left <= search->length; left++)
	{
		if (search->best[left] != NULL)
			pfree(search->best[left]);
		search->best[left] =
			MemoryContextAllocHuge(search->context, (Size) search->n_nodes * sizeof(double));
		if (left > 0)
			bound(search, left);
		else
		{
			for (uint32 i = 0; i < search->n_nodes; i++)
				search->best[0][i] = search->nodes[i].distance[MREN_PATH_TARGET] == 0;
		}
	}
}

/*
 * Searching
 */

int
mren_path_compare(const MrenPathSearch *search, const MrenPath *a, const MrenPath *b)
{
	if (a->confidence != b->confidence)
		return a->confidence > b->confidence ? -1 : 1;
	for (int i = 0; i < search->length; i++)
	{
		if (a->facts[i] != b->facts[i])
			return a->facts[i] < b->facts[i] ? -1 : 1;
	}
	return 0;
}

/* The path at hand takes the place of the worst, or a new one. */
static void
keep(MrenPathSearch *search)
{
	int i;

	if (search->n_found < search->max_paths)
	{
		for (i = search->n_found++; i > 0; i = (i - 1) / 2)
		{
			if (mren_path_compare(search, &search->at, &search->found[(i - 1) / 2]) < 0)
				break;
			search->found[i] = search->found[(i - 1) / 2];
		}
	}
	else
	{
		if (mren_path_compare(search, &search->at, &search->found[0]) > 0)
			return;
		for (i = 0;;)
		{
			int child = 2 * i + 1;

			if (child >= search->n_found)
				break;
			if (child + 1 < search->n_found &&
				mren_path_compare(search, &search->found[child + 1], &search->found[child]) > 0)
				child++;
			if (mren_path_compare(search, &search->at, &search->found[child]) > 0)
				break;
			search->found[i] = search->found[child];
			i = child;
		}
	}
	search->found[i] = search->at;
}

/* The most that a path can be worth that begins with n facts and then has `rest`. */
static double
worth(const MrenPathSearch *search, int n, double rest)
{
	while (n > 0)
		rest = search->facts[search->at.facts[--n]].confidence * rest;
	return rest;
}

/* Facts come in the order of their identities, so that of equals the first found stays. */
static void
follow(MrenPathSearch *search, int n)
{
	uint32 node = search->at.nodes[n];
	int left = search->length - n - 1;

	search->nodes[node].on_path = true;
	for (uint32 k = search->first[node]; k < search->first[node + 1]; k++)
	{
		uint32 i = search->adjacent[k];
		uint32 other = mren_path_other_end(&search->facts[i], node);
		double rest = search->best[left][other];

		if (rest == 0 || search->nodes[other].on_path)
			continue;
		if (search->n_steps++ % 10000 == 0)
			CHECK_FOR_INTERRUPTS();
		if (search->n_steps > MAX_STEPS)
			break;
		search->at.facts[n] = i;
		search->at.nodes[n + 1] = other;
		search->at.confidence = worth(search, n + 1, rest);
		if (search->n_found == search->max_paths &&
			search->at.confidence <= search->found[0].confidence)
			continue;
		if (left > 0)
			follow(search, n + 1);
		else
			keep(search);
	}
	search->nodes[node].on_path = false;
}

void
mren_path_find(MrenPathSearch *search)
{
	bounds(search);
	search->n_steps = 0;
	for (uint32 i = 0; i < search->n_nodes; i++)
	{
		if (search->nodes[i].distance[MREN_PATH_SOURCE] != 0)
			continue;
		search->at.nodes[0] = i;
		follow(search, 0);
	}
	search->too_large = search->n_steps > MAX_STEPS;
}
