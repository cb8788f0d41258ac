/*
 * ranked.c
 *	  Sorting by confidence, and the precision-recall curve.
 */
#include "evaluation/ranked.h"

#include <math.h>
#include <string.h>

void
mren_ranked_free(MrenRanked *ranked)
{
	if (ranked->env != NULL)
		mren_release(ranked->env, ranked->items);
	ranked->items = NULL;
	ranked->n = ranked->capacity = 0;
}

/* Maps numbers to bits whose unsigned order is the same. */
static uint64_t
key_of(double confidence)
{
	double value = confidence + 0.0; /* -0 becomes 0 */
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits >> 63 ? ~bits : bits | (uint64_t) 1 << 63;
}

static double
confidence_of(uint64_t key)
{
	uint64_t bits = key >> 63 ? key & ~((uint64_t) 1 << 63) : ~key;
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

MrenStatus
mren_ranked_add(MrenRanked *ranked, double confidence, bool correct, MrenError *err)
{
	if (isnan(confidence))
		return mren_fail(err, MREN_EPARAM, "a confidence is not a number");
	MREN_TRY(mren_grow(ranked->env, &ranked->items, &ranked->capacity, ranked->n, ranked->n + 1,
					   sizeof(*ranked->items), err));
	ranked->items[ranked->n++] = (MrenKeyed){key_of(confidence), correct};
	ranked->sorted = false;
	return MREN_OK;
}

/* Stable, by byte number `byte` of the key. */
static void
scatter(const MrenKeyed *from, MrenKeyed *to, size_t n, int byte)
{
	size_t starts[256] = {0};
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		starts[(from[i].key >> (8 * byte)) & 0xFF]++;
	for (int b = 0; b < 256; b++)
	{
		size_t count = starts[b];

		starts[b] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[starts[(from[i].key >> (8 * byte)) & 0xFF]++] = from[i];
}

/* Radix sort in eight passes, with a check for interrupts between two of them. */
MrenStatus
mren_ranked_sort(MrenRanked *ranked, MrenError *err)
{
	MrenKeyed *from = ranked->items;
	MrenKeyed *to;

	if (ranked->sorted || ranked->n < 2)
	{
		ranked->sorted = true;
		return MREN_OK;
	}
	MREN_TRY(mren_allocate(ranked->env, ranked->capacity, sizeof(*to), &to, err));
	for (int byte = 0; byte < 8; byte++)
	{
		MrenKeyed *swap = from;

		if (mren_check_interrupts(ranked->env, err) != MREN_OK)
		{
			/* After a failure the copy is released, whichever of the two it is. */
			mren_release(ranked->env, from == ranked->items ? to : from);
			return MREN_ECANCELED;
		}
		scatter(from, to, ranked->n, byte);
		from = to;
		to = swap;
	}
	/* The number of passes is even, so `from` is the list itself again. */
	mren_release(ranked->env, to);
	ranked->sorted = true;
	return MREN_OK;
}

double
mren_ranked_confidence(const MrenRanked *ranked, size_t i)
{
	return confidence_of(ranked->items[i].key);
}

bool
mren_ranked_next(const MrenRanked *ranked, uint64_t relevant, MrenRankedPoint *point)
{
	const MrenKeyed *items = ranked->items;
	uint64_t before = point->n_correct;
	size_t left = ranked->n - (size_t) point->n;
	uint64_t key;

	if (point->n == 0)
		*point = (MrenRankedPoint){0};
	if (left == 0)
		return false;
	key = items[left - 1].key;
	for (; left > 0 && items[left - 1].key == key; left--)
		point->n_correct += items[left - 1].at;
	point->n = ranked->n - left;
	point->confidence = confidence_of(key);
	point->precision = (double) point->n_correct / (double) point->n;
	point->recall = (double) point->n_correct / (double) relevant;
	if (relevant > 0)
		point->average_precision +=
			point->precision * (double) (point->n_correct - before) / (double) relevant;
	else
		point->recall = point->average_precision = NAN;
	return true;
}

double
mren_ranked_precision_at(const MrenRanked *ranked, uint64_t n)
{
	MrenRankedPoint point = {0};
	MrenRankedPoint before = point;

	while (point.n < n)
	{
		before = point;
		if (!mren_ranked_next(ranked, 1, &point))
			return NAN;
	}
	return ((double) before.n_correct + (double) (n - before.n) *
											(double) (point.n_correct - before.n_correct) /
											(double) (point.n - before.n)) /
		   (double) n;
}
