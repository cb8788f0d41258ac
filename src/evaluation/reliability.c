/*
 * reliability.c
 *	  Bins of equal mass with their confidence and accuracy, and the error that
 *	  a perfectly calibrated model would show by chance.
 *
 * In a small evaluation even a perfectly calibrated model shows an error, since
 * the few rows of a bin scatter around their mean; only an error above that is
 * due to the model.
 */
#include "evaluation/ranked.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

#define STREAM_RELIABILITY 0x50
/* Rows between two checks for interrupts. */
#define PIECE ((size_t) 1 << 20)

/* The end of the bin from `start` on: at least `end`, without dividing equal confidences. */
static size_t
bin_end(const MrenRanked *ranked, size_t start, size_t end)
{
	if (end <= start)
		return start;
	while (end < ranked->n && ranked->items[end].key == ranked->items[end - 1].key)
		end++;
	return end;
}

static void
fill_bin(const MrenRanked *ranked, size_t start, size_t end, MrenReliabilityBin *bin)
{
	double confidence = 0;
	uint64_t correct = 0;

	for (size_t i = start; i < end; i++)
	{
		confidence += mren_ranked_confidence(ranked, i);
		correct += ranked->items[i].at;
	}
	*bin = (MrenReliabilityBin){.n = end - start,
								.lower = mren_ranked_confidence(ranked, start),
								.upper = mren_ranked_confidence(ranked, end - 1)};
	bin->confidence = confidence / (double) bin->n;
	bin->accuracy = (double) correct / (double) bin->n;
	bin->error = fabs(bin->confidence - bin->accuracy);
}

/* Computes *all from the bins, and the coverage and accuracy above each of them. */
static void
sum_up(const MrenRanked *ranked, MrenReliabilityBin *bins, size_t n, MrenReliabilityBin *all)
{
	double rows = (double) ranked->n;
	double above = 0;
	double correct = 0;

	memset(all, 0, sizeof(*all));
	for (size_t b = n; b > 0; b--)
	{
		MrenReliabilityBin *bin = &bins[b - 1];
		double mass = (double) bin->n;

		above += mass;
		correct += bin->accuracy * mass;
		bin->coverage = above / rows;
		bin->accuracy_above = correct / above;
		all->confidence += bin->confidence * mass / rows;
		all->error += bin->error * mass / rows;
	}
	all->n = ranked->n;
	all->lower = bins[0].lower;
	all->upper = bins[n - 1].upper;
	all->accuracy = all->accuracy_above = correct / rows;
	all->coverage = 1;
}

/* One round: adds each bin's error to its expected_error. */
static MrenStatus
simulate(const MrenRanked *ranked, MrenRandom *random, MrenReliabilityBin *bins, size_t n,
		 MrenReliabilityBin *all, MrenError *err)
{
	size_t i = 0;

	for (size_t b = 0; b < n; b++)
	{
		size_t end = i + bins[b].n;
		double correct = 0;
		double error;

		for (; i < end; i++)
		{
			if (i % PIECE == 0)
				MREN_TRY(mren_check_interrupts(ranked->env, err));
			correct += (double) mren_random_uniform(random) < mren_ranked_confidence(ranked, i);
		}
		error = fabs(bins[b].confidence - correct / (double) bins[b].n);
		bins[b].expected_error += error / MREN_RELIABILITY_ROUNDS;
		all->expected_error +=
			error * (double) bins[b].n / (double) ranked->n / MREN_RELIABILITY_ROUNDS;
	}
	return MREN_OK;
}

MrenStatus
mren_ranked_reliability(const MrenRanked *ranked, size_t n_bins, MrenReliabilityBin *bins,
						size_t *n, MrenReliabilityBin *all, MrenError *err)
{
	size_t start = 0;
	MrenRandom random;

	*n = 0;
	memset(all, 0, sizeof(*all));
	if (ranked->n == 0)
		return MREN_OK;
	for (size_t b = 0; b < n_bins; b++)
	{
		size_t end = bin_end(ranked, start,
							 (size_t) ((double) (b + 1) * (double) ranked->n / (double) n_bins));

		MREN_TRY(mren_check_interrupts(ranked->env, err));
		if (end > start)
			fill_bin(ranked, start, end, &bins[(*n)++]);
		start = end;
	}
	sum_up(ranked, bins, *n, all);
	mren_random_seed(&random, 1, STREAM_RELIABILITY);
	for (int round = 0; round < MREN_RELIABILITY_ROUNDS; round++)
		MREN_TRY(simulate(ranked, &random, bins, *n, all, err));
	return MREN_OK;
}
