/*
 * bootstrap.c
 *	  A paired bootstrap over groups of rows.
 */
#include "evaluation/bootstrap.h"

#include <string.h>

#include "base/random.h"
#include "base/sort.h"

#define STREAM_RESAMPLE UINT64_C(0x2000) /* plus the resample */
#define DRAWS_BETWEEN_CHECKS 65536

/* Sums of a set of rows. */
typedef struct Sums
{
	uint64_t actual;
	uint64_t predicted[2];
	uint64_t hits[2];
} Sums;

static void
add(Sums *sums, const Sums *more)
{
	sums->actual += more->actual;
	for (int m = 0; m < 2; m++)
	{
		sums->predicted[m] += more->predicted[m];
		sums->hits[m] += more->hits[m];
	}
}

static double
score(const Sums *sums, int model)
{
	uint64_t both = sums->actual + sums->predicted[model];

	return both > 0 ? 2 * (double) sums->hits[model] / (double) both : 0;
}

static double
difference(const Sums *sums)
{
	return score(sums, 1) - score(sums, 0);
}

/* By relation, then by arrival. */
static int
compare_relations(const void *state, uint64_t a, uint64_t b)
{
	const MrenPairedCounts *rows = state;

	if (rows[a].relation != rows[b].relation)
		return rows[a].relation < rows[b].relation ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* The rows order[0] .. order[n - 1] of one pair. */
static void
settle_pair(MrenPairedCounts *rows, const MrenKeyed *order, size_t n)
{
	size_t most = 0;
	size_t run = 0;

	for (size_t i = 0; i < n; i++)
	{
		run = i > 0 && rows[order[i].at].relation == rows[order[i - 1].at].relation ? run + 1 : 1;
		most = run > most ? run : most;
	}
	for (size_t i = most; i < n; i++)
		rows[order[i].at].predicted[0] = rows[order[i].at].predicted[1] = 0;
}

MrenStatus
mren_paired_settle(const MrenEnv *env, MrenPairedCounts *rows, size_t n, MrenError *err)
{
	MrenKeyed *order;
	size_t first = 0;

	MREN_TRY(mren_allocate(env, n, sizeof(*order), &order, err));
	for (size_t i = 0; i < n; i++)
		order[i] = (MrenKeyed){rows[i].pair, i};
	mren_sort_keyed(order, n, compare_relations, rows);
	for (size_t i = 1; i <= n; i++)
	{
		if (i < n && order[i].key == order[first].key)
			continue;
		settle_pair(rows, order + first, i - first);
		first = i;
	}
	mren_release(env, order);
	return MREN_OK;
}

/*
 * Adds up the rows of each group, in the order of the keys, which does not
 * depend on that of the rows.
 */
static MrenStatus
gather(const MrenEnv *env, const MrenPairedCounts *rows, size_t n, Sums **groups, size_t *n_groups,
	   MrenError *err)
{
	MrenKeyed *order;
	MrenStatus status;

	MREN_TRY(mren_allocate(env, n, sizeof(*order), &order, err));
	status = mren_allocate_zero(env, n, sizeof(**groups), groups, err);
	if (status != MREN_OK)
	{
		mren_release(env, order);
		return status;
	}
	for (size_t i = 0; i < n; i++)
		order[i] = (MrenKeyed){rows[i].key, i};
	mren_sort_keyed(order, n, NULL, NULL);
	*n_groups = 0;
	for (size_t i = 0; i < n; i++)
	{
		const MrenPairedCounts *row = &rows[order[i].at];
		const Sums one = {
			row->actual, {row->predicted[0], row->predicted[1]}, {row->hits[0], row->hits[1]}};

		if (i == 0 || order[i].key != order[i - 1].key)
			(*n_groups)++;
		add(&(*groups)[*n_groups - 1], &one);
	}
	mren_release(env, order);
	return MREN_OK;
}

static MrenStatus
resample(const MrenEnv *env, const Sums *groups, size_t n, uint64_t seed, size_t number,
		 double *found, MrenError *err)
{
	MrenRandom random;
	Sums sums = {0};

	mren_random_seed(&random, seed, STREAM_RESAMPLE + number);
	for (size_t i = 0; i < n; i++)
	{
		if (i % DRAWS_BETWEEN_CHECKS == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		add(&sums, &groups[mren_random_below(&random, n)]);
	}
	*found = difference(&sums);
	return MREN_OK;
}

/* Maps doubles other than NaN to integers of the same order. */
static uint64_t
sortable(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* The k-th smallest value, where k = (1 - confidence)(n + 1). */
static double
lower_quantile(const double *values, MrenKeyed *order, size_t n, double confidence)
{
	size_t k = (size_t) ((1 - confidence) * (double) (n + 1) + 1e-9);

	for (size_t i = 0; i < n; i++)
		order[i] = (MrenKeyed){sortable(values[i]), i};
	mren_sort_keyed(order, n, NULL, NULL);
	return values[order[k > 0 ? k - 1 : 0].at];
}

static MrenStatus
resample_all(const MrenEnv *env, const Sums *groups, size_t n, const MrenResampling *how,
			 double *lower, MrenError *err)
{
	double *found;
	MrenKeyed *order = NULL;
	MrenStatus status;

	MREN_TRY(mren_allocate(env, how->resamples, sizeof(*found), &found, err));
	status = mren_allocate(env, how->resamples, sizeof(*order), &order, err);
	for (size_t i = 0; i < how->resamples && status == MREN_OK; i++)
		status = resample(env, groups, n, how->seed, i, &found[i], err);
	if (status == MREN_OK)
		*lower = lower_quantile(found, order, how->resamples, how->confidence);
	mren_release(env, order);
	mren_release(env, found);
	return status;
}

MrenStatus
mren_bootstrap_paired(const MrenEnv *env, const MrenPairedCounts *rows, size_t n,
					  const MrenResampling *how, MrenBootstrap *result, MrenError *err)
{
	Sums total = {0};
	Sums *groups;
	MrenStatus status;

	memset(result, 0, sizeof(*result));
	if (how->resamples < 100)
		return mren_fail(err, MREN_EPARAM, "number of resamples must be at least 100, not %zu",
						 how->resamples);
	if (!(how->confidence >= 0.5 && how->confidence < 1))
		return mren_fail(err, MREN_EPARAM, "confidence must be at least 0.5 and below 1, not %g",
						 how->confidence);
	if (n == 0)
		return MREN_OK;
	MREN_TRY(gather(env, rows, n, &groups, &result->n_groups, err));
	for (size_t i = 0; i < result->n_groups; i++)
		add(&total, &groups[i]);
	result->score[0] = score(&total, 0);
	result->score[1] = score(&total, 1);
	result->difference = difference(&total);
	status = resample_all(env, groups, result->n_groups, how, &result->lower_bound, err);
	mren_release(env, groups);
	return status;
}
