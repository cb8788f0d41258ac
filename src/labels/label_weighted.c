/*
 * label_weighted.c
 *	  A weight for each source by penalized logistic regression on gold rows.
 *
 * The weight of a source is a common weight, divided by the number of sources
 * that repeat it, plus a deviation of its own.  Deviations and biases are drawn
 * to 0, so that a source without gold rows votes like the others, and copies of
 * a source together vote like one.
 *
 * The objective is concave; it is climbed one coordinate at a time by Newton
 * steps of bounded length.
 */
#include <math.h>
#include <string.h>

#include "labels/label_model.h"

/* Precisions of the normal distributions that the parameters are drawn from. */
#define COMMON_PRECISION 0.05
#define DEVIATION_PRECISION 1.0
#define BIAS_PRECISION 1.0
#define MAX_ROUNDS 500
#define TOLERANCE 1e-6

typedef struct Fit
{
	MrenLabelModel *model;
	double *logits;		   /* (n_gold, K) */
	double *probabilities; /* (K) */
	double *share;		   /* (S) of the common weight */
	double *deviations;	   /* (S) */
	double common;
	size_t *first; /* (S + 1) of each source's entries */
	size_t *entry; /* by source: numbers of the gold entries that it votes on */
} Fit;

/* Of the log likelihood along a coordinate. */
typedef struct Slope
{
	double gradient;
	double curvature;
} Slope;

static double *
logits_of(const Fit *fit, size_t entry)
{
	return fit->logits + entry * fit->model->n_relations;
}

/* The relation that a source votes for in a pattern on which it votes. */
static uint32_t
vote_of(const MrenVotes *votes, const MrenVotePattern *pattern, size_t source)
{
	const MrenVote *items = votes->votes + pattern->at;
	size_t i = 0;

	while (mren_vote_source(items[i]) != source)
		i++;
	return mren_vote_relation(items[i]);
}

static void
take_probabilities(const Fit *fit, size_t entry)
{
	memcpy(fit->probabilities, logits_of(fit, entry), fit->model->n_relations * sizeof(double));
	(void) mren_label_softmax(fit->probabilities, fit->model->n_relations);
}

/* Of the logit of one relation of an entry. */
static void
add_slope(const Fit *fit, size_t entry, uint32_t relation, Slope *slope)
{
	const MrenVotesGold *gold = &fit->model->votes->gold[entry];
	double rows = (double) gold->rows;
	double p;

	take_probabilities(fit, entry);
	p = fit->probabilities[relation];
	slope->gradient += rows * ((gold->relation == relation) - p);
	slope->curvature += rows * p * (1 - p);
}

/* A Newton step, no longer than 1, from a value that has the given precision around 0. */
static double
step_of(Slope slope, double value, double precision)
{
	double step = (slope.gradient - precision * value) / (slope.curvature + precision);

	return fmax(-1, fmin(1, step));
}

static double
fit_source(Fit *fit, size_t source)
{
	const MrenVotes *votes = fit->model->votes;
	Slope slope = {0, 0};
	double step;

	for (size_t i = fit->first[source]; i < fit->first[source + 1]; i++)
	{
		size_t entry = fit->entry[i];
		const MrenVotePattern *pattern = &votes->patterns[votes->gold[entry].pattern];

		add_slope(fit, entry, vote_of(votes, pattern, source), &slope);
	}
	step = step_of(slope, fit->deviations[source], DEVIATION_PRECISION);
	fit->deviations[source] += step;
	for (size_t i = fit->first[source]; i < fit->first[source + 1]; i++)
	{
		size_t entry = fit->entry[i];
		const MrenVotePattern *pattern = &votes->patterns[votes->gold[entry].pattern];

		logits_of(fit, entry)[vote_of(votes, pattern, source)] += step;
	}
	return fabs(step);
}

static double
fit_bias(Fit *fit, uint32_t relation)
{
	const MrenVotes *votes = fit->model->votes;
	Slope slope = {0, 0};
	double step;

	for (size_t i = 0; i < votes->n_gold; i++)
		add_slope(fit, i, relation, &slope);
	step = step_of(slope, fit->model->bias[relation], BIAS_PRECISION);
	fit->model->bias[relation] += step;
	for (size_t i = 0; i < votes->n_gold; i++)
		logits_of(fit, i)[relation] += step;
	return fabs(step);
}

/* The common weight moves the logit of each relation by its votes' shares. */
static void
add_common_slope(const Fit *fit, size_t entry, Slope *slope)
{
	const MrenVotes *votes = fit->model->votes;
	const MrenVotesGold *gold = &votes->gold[entry];
	const MrenVotePattern *pattern = &votes->patterns[gold->pattern];
	const MrenVote *items = votes->votes + pattern->at;
	double rows = (double) gold->rows;
	double mean = 0;
	double square = 0;

	take_probabilities(fit, entry);
	for (size_t i = 0; i < pattern->n; i++)
	{
		uint32_t relation = mren_vote_relation(items[i]);
		double share = fit->share[mren_vote_source(items[i])];
		double whole = 0;

		/* The sum of all shares of this relation. */
		for (size_t j = 0; j < pattern->n; j++)
			whole += mren_vote_relation(items[j]) == relation
						 ? fit->share[mren_vote_source(items[j])]
						 : 0;
		mean += fit->probabilities[relation] * share;
		square += fit->probabilities[relation] * share * whole;
		slope->gradient += gold->relation == relation ? rows * share : 0;
	}
	slope->gradient -= rows * mean;
	slope->curvature += rows * (square - mean * mean);
}

static double
fit_common(Fit *fit)
{
	const MrenVotes *votes = fit->model->votes;
	Slope slope = {0, 0};
	double step;

	for (size_t i = 0; i < votes->n_gold; i++)
		add_common_slope(fit, i, &slope);
	step = step_of(slope, fit->common, COMMON_PRECISION);
	fit->common += step;
	for (size_t i = 0; i < votes->n_gold; i++)
	{
		const MrenVotePattern *pattern = &votes->patterns[votes->gold[i].pattern];
		const MrenVote *items = votes->votes + pattern->at;

		for (size_t v = 0; v < pattern->n; v++)
			logits_of(fit, i)[mren_vote_relation(items[v])] +=
				step * fit->share[mren_vote_source(items[v])];
	}
	return fabs(step);
}

static MrenStatus
run_rounds(Fit *fit, MrenError *err)
{
	MrenLabelModel *model = fit->model;
	const MrenEnv *env = model->votes->env;

	for (int round = 1; round <= MAX_ROUNDS; round++)
	{
		double moved;

		MREN_TRY(mren_check_interrupts(env, err));
		moved = fit_common(fit);
		for (uint32_t r = 0; r < model->n_relations; r++)
		{
			MREN_TRY(mren_check_interrupts(env, err));
			moved = fmax(moved, fit_bias(fit, r));
		}
		for (size_t source = 0; source < model->votes->sources.n; source++)
		{
			MREN_TRY(mren_check_interrupts(env, err));
			moved = fmax(moved, fit_source(fit, source));
		}
		model->rounds = round;
		if (moved < TOLERANCE)
			break;
	}
	for (size_t source = 0; source < model->votes->sources.n; source++)
		model->weights[source] = fit->common * fit->share[source] + fit->deviations[source];
	return MREN_OK;
}

/* One divided by the number of sources that a source repeats, itself among them. */
static void
set_shares(Fit *fit, const MrenVoteSummary *summary)
{
	for (size_t source = 0; source < summary->n; source++)
	{
		size_t alike = 0;

		for (size_t other = 0; other < summary->n; other++)
			alike += other == source ||
					 mren_vote_similarity(summary, source, other) >= MREN_VOTE_REPEATS;
		fit->share[source] = 1.0 / (double) alike;
	}
}

static MrenStatus
index_entries(Fit *fit, MrenError *err)
{
	const MrenVotes *votes = fit->model->votes;
	size_t n = 0;

	for (size_t i = 0; i < votes->n_gold; i++)
		n += votes->patterns[votes->gold[i].pattern].n;
	MREN_TRY(mren_allocate(votes->env, n, sizeof(size_t), &fit->entry, err));
	for (int pass = 0; pass < 2; pass++)
	{
		/* First the numbers of entries, which stand one place ahead; then the entries. */
		for (size_t i = 0; i < votes->n_gold; i++)
		{
			const MrenVotePattern *pattern = &votes->patterns[votes->gold[i].pattern];

			for (size_t v = 0; v < pattern->n; v++)
			{
				size_t source = mren_vote_source(votes->votes[pattern->at + v]);

				if (pass == 0)
					fit->first[source + 1]++;
				else
					fit->entry[fit->first[source]++] = i;
			}
		}
		for (size_t s = 0; s < votes->sources.n && pass == 0; s++)
			fit->first[s + 1] += fit->first[s];
	}
	/* Filling has moved each source's beginning to that of the next. */
	memmove(fit->first + 1, fit->first, votes->sources.n * sizeof(size_t));
	fit->first[0] = 0;
	return MREN_OK;
}

static MrenStatus
allocate_fit(Fit *fit, MrenError *err)
{
	MrenLabelModel *model = fit->model;
	const MrenVotes *votes = model->votes;
	const MrenEnv *env = votes->env;
	size_t k = model->n_relations;
	size_t s = votes->sources.n;

	MREN_TRY(mren_allocate_zero(env, k, sizeof(double), &model->bias, err));
	MREN_TRY(mren_allocate_zero(env, s, sizeof(double), &model->weights, err));
	MREN_TRY(mren_allocate_zero(env, votes->n_gold * k, sizeof(double), &fit->logits, err));
	MREN_TRY(mren_allocate(env, k, sizeof(double), &fit->probabilities, err));
	MREN_TRY(mren_allocate(env, s, sizeof(double), &fit->share, err));
	MREN_TRY(mren_allocate_zero(env, s, sizeof(double), &fit->deviations, err));
	return mren_allocate_zero(env, s + 1, sizeof(size_t), &fit->first, err);
}

MrenStatus
mren_label_fit_weighted(MrenLabelModel *model, const MrenVoteSummary *summary, MrenError *err)
{
	const MrenEnv *env = model->votes->env;
	Fit fit = {.model = model};
	MrenStatus status;

	if (model->votes->n_gold == 0)
	{
		mren_fail(err, MREN_EDATA, "no gold row has votes");
		mren_error_hint(err, "The method \"weighted\" learns how good the sources are from rows "
							 "that a person labelled. Check that both queries have the same ids, "
							 "or use the method \"majority\".");
		return MREN_EDATA;
	}
	status = allocate_fit(&fit, err);
	if (status == MREN_OK)
		status = index_entries(&fit, err);
	if (status == MREN_OK)
	{
		set_shares(&fit, summary);
		status = run_rounds(&fit, err);
	}
	mren_release(env, fit.logits);
	mren_release(env, fit.probabilities);
	mren_release(env, fit.share);
	mren_release(env, fit.deviations);
	mren_release(env, fit.first);
	mren_release(env, fit.entry);
	return status;
}
