/*
 * vote_summary.c
 *	  Counts of votes by source, over distinct patterns.
 */
#include "labels/vote_summary.h"

#include <math.h>
#include <string.h>

/* Pairs of votes between two checks for interrupts. */
#define PIECE 1000000
/* Of the normal distribution, for 95 %. */
#define QUANTILE 1.959964

static void
count_pattern(const MrenVotes *votes, const MrenVotePattern *pattern, MrenVoteSummary *summary)
{
	const MrenVote *items = votes->votes + pattern->at;

	for (size_t i = 0; i < pattern->n; i++)
	{
		uint32_t source = mren_vote_source(items[i]);
		uint32_t relation = mren_vote_relation(items[i]);
		MrenSourceSummary *of = &summary->sources[source];
		bool conflict = false;

		for (size_t j = 0; j < pattern->n; j++)
		{
			if (mren_vote_relation(items[j]) != relation)
				conflict = true;
			else
				summary->same[source * summary->n + mren_vote_source(items[j])] += pattern->rows;
		}
		of->votes += pattern->rows;
		of->overlaps += pattern->n > 1 ? pattern->rows : 0;
		of->conflicts += conflict ? pattern->rows : 0;
		summary->by_relation[source * summary->n_relations + relation] += pattern->rows;
	}
}

static void
count_gold(const MrenVotes *votes, const MrenVotesGold *gold, MrenVoteSummary *summary)
{
	const MrenVotePattern *pattern = &votes->patterns[gold->pattern];

	for (size_t i = 0; i < pattern->n; i++)
	{
		MrenVote vote = votes->votes[pattern->at + i];
		MrenSourceSummary *of = &summary->sources[mren_vote_source(vote)];

		of->gold += gold->rows;
		of->correct += mren_vote_relation(vote) == gold->relation ? gold->rows : 0;
	}
}

/* Wilson, Probable inference, JASA 22, 1927: the score interval of a proportion. */
static void
set_interval(MrenSourceSummary *of)
{
	double n = (double) of->gold;
	double square = QUANTILE * QUANTILE;
	double p;
	double middle;
	double half;

	of->accuracy_low = 0;
	of->accuracy_high = 1;
	if (of->gold == 0)
		return;
	p = (double) of->correct / n;
	middle = (p + square / (2 * n)) / (1 + square / n);
	half = QUANTILE * sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n);
	of->accuracy_low = fmax(0, middle - half);
	of->accuracy_high = fmin(1, middle + half);
}

static void
finish_source(MrenVoteSummary *summary, size_t source)
{
	MrenSourceSummary *of = &summary->sources[source];
	const uint64_t *by_relation = summary->by_relation + source * summary->n_relations;

	for (size_t r = 0; r < summary->n_relations; r++)
	{
		if (by_relation[r] <= of->most_votes)
			continue;
		of->most = (uint32_t) r;
		of->most_votes = by_relation[r];
	}
	of->nearest = MREN_NO_SOURCE;
	for (size_t other = 0; other < summary->n; other++)
	{
		uint64_t shared = summary->same[source * summary->n + other];

		if (other == source || shared == 0 || shared < of->shared ||
			(shared == of->shared && summary->sources[other].votes >= of->shared_most))
			continue;
		of->nearest = (uint32_t) other;
		of->shared = shared;
		of->shared_most = summary->sources[other].votes;
	}
	set_interval(of);
}

static MrenStatus
count_all(const MrenVotes *votes, MrenVoteSummary *summary, MrenError *err)
{
	const MrenEnv *env = votes->env;
	size_t work = PIECE;

	MREN_TRY(
		mren_allocate_zero(env, summary->n, sizeof(MrenSourceSummary), &summary->sources, err));
	MREN_TRY(mren_allocate_zero(env, summary->n * summary->n_relations, sizeof(uint64_t),
								&summary->by_relation, err));
	MREN_TRY(
		mren_allocate_zero(env, summary->n * summary->n, sizeof(uint64_t), &summary->same, err));
	for (size_t i = 0; i < votes->n_patterns; i++)
	{
		if (work >= PIECE)
		{
			MREN_TRY(mren_check_interrupts(env, err));
			work = 0;
		}
		work += (size_t) votes->patterns[i].n * votes->patterns[i].n;
		count_pattern(votes, &votes->patterns[i], summary);
	}
	for (size_t i = 0; i < votes->n_gold; i++)
		count_gold(votes, &votes->gold[i], summary);
	for (size_t source = 0; source < summary->n; source++)
		finish_source(summary, source);
	return MREN_OK;
}

MrenStatus
mren_vote_summarize(const MrenVotes *votes, MrenVoteSummary *summary, MrenError *err)
{
	MrenStatus status;

	*summary = (MrenVoteSummary){.n = votes->sources.n, .n_relations = votes->relations.n};
	status = count_all(votes, summary, err);
	if (status != MREN_OK)
		mren_vote_summary_free(votes->env, summary);
	return status;
}

void
mren_vote_summary_free(const MrenEnv *env, MrenVoteSummary *summary)
{
	mren_release(env, summary->sources);
	mren_release(env, summary->by_relation);
	mren_release(env, summary->same);
	memset(summary, 0, sizeof(*summary));
}

double
mren_vote_similarity(const MrenVoteSummary *summary, size_t a, size_t b)
{
	/* Rows on which both vote are at least those on which they agree. */
	uint64_t same = summary->same[a * summary->n + b];
	uint64_t votes = summary->sources[a].votes + summary->sources[b].votes - same;

	return votes > 0 ? (double) same / (double) votes : 0;
}
