/*
 * crf.c
 *	  A linear-chain conditional random field over tags with a grammar.
 *
 * Every loop over predecessors goes through the lists of the rules: with BILOU
 * tags a third of all pairs are forbidden, with many types nearly half.
 */
#include "nn/crf.h"

#include <math.h>
#include <string.h>

#include "base/size.h"

/* Pairs of tags between two checks for interrupts: about 20 ms. */
#define PAIRS_PER_CHECK ((size_t) 1 << 20)

static MrenStatus
list_predecessors(const MrenEnv *env, const MrenCrfGrammar *grammar, MrenCrfRules *rules,
				  MrenError *err)
{
	size_t n = rules->n_tags;
	uint32_t at = 0;

	for (size_t j = 0; j < n; j++)
	{
		rules->starts[j] = at;
		for (size_t i = 0; i < n; i++)
		{
			if (grammar->allowed(grammar->state, i, j))
				rules->before[at++] = (uint32_t) i;
		}
		rules->begins[j] = grammar->begins(grammar->state, j);
		rules->ends[j] = grammar->ends(grammar->state, j);
		if (j % 256 == 255)
			MREN_TRY(mren_check_interrupts(env, err));
	}
	rules->starts[n] = at;
	return MREN_OK;
}

static MrenStatus
allocate_rules(const MrenEnv *env, size_t n_tags, MrenCrfRules *rules, MrenError *err)
{
	size_t pairs;

	if (!mren_size_mul(n_tags, n_tags, &pairs))
		return mren_fail_nomem(err);
	MREN_TRY(mren_allocate(env, n_tags + 1, sizeof(uint32_t), &rules->starts, err));
	MREN_TRY(mren_allocate(env, pairs, sizeof(uint32_t), &rules->before, err));
	MREN_TRY(mren_allocate(env, n_tags, sizeof(bool), &rules->begins, err));
	return mren_allocate(env, n_tags, sizeof(bool), &rules->ends, err);
}

MrenStatus
mren_crf_rules_create(const MrenEnv *env, size_t n_tags, const MrenCrfGrammar *grammar,
					  MrenCrfRules *rules, MrenError *err)
{
	MrenStatus status;

	*rules = (MrenCrfRules){.n_tags = n_tags};
	status = allocate_rules(env, n_tags, rules, err);
	if (status == MREN_OK)
		status = list_predecessors(env, grammar, rules, err);
	if (status != MREN_OK)
		mren_crf_rules_free(env, rules);
	return status;
}

void
mren_crf_rules_free(const MrenEnv *env, MrenCrfRules *rules)
{
	mren_release(env, rules->starts);
	mren_release(env, rules->before);
	mren_release(env, rules->begins);
	mren_release(env, rules->ends);
	*rules = (MrenCrfRules){0};
}

MrenStatus
mren_crf_reserve(const MrenEnv *env, MrenCrfWork *work, const MrenCrfRules *rules, size_t n_words,
				 MrenError *err)
{
	size_t n_pairs = rules->starts[rules->n_tags];
	size_t needed;

	if (!mren_size_mul(n_words, rules->n_tags, &needed))
		return mren_fail_nomem(err);
	if (needed <= work->capacity && n_pairs == work->n_pairs)
		return MREN_OK;
	mren_crf_work_free(env, work);
	MREN_TRY(mren_allocate(env, n_pairs, sizeof(double), &work->odds, err));
	MREN_TRY(mren_allocate(env, 2 * rules->n_tags, sizeof(double), &work->step, err));
	MREN_TRY(mren_allocate(env, needed, sizeof(double), &work->alpha, err));
	MREN_TRY(mren_allocate(env, needed, sizeof(double), &work->beta, err));
	MREN_TRY(mren_allocate(env, needed, sizeof(uint32_t), &work->back, err));
	work->capacity = needed;
	work->n_pairs = n_pairs;
	return MREN_OK;
}

void
mren_crf_work_free(const MrenEnv *env, MrenCrfWork *work)
{
	mren_release(env, work->alpha);
	mren_release(env, work->beta);
	mren_release(env, work->back);
	mren_release(env, work->odds);
	mren_release(env, work->step);
	*work = (MrenCrfWork){0};
}

/* Counts the pairs of tags of one word, and checks for interrupts once they are many. */
static MrenStatus
check_now_and_then(const MrenEnv *env, const MrenCrfRules *rules, size_t *pairs, MrenError *err)
{
	*pairs += rules->starts[rules->n_tags] + 1;
	if (*pairs < PAIRS_PER_CHECK)
		return MREN_OK;
	*pairs = 0;
	return mren_check_interrupts(env, err);
}

/*
 * Sums of exponentials are taken as products, one exponential a tag instead of one a pair of tags:
 * exp(a(i) - max) * odds(i, j).  A sum outside these bounds may have lost terms, or all of them,
 * and is taken again term by term.  A term whose exponential is lost, which is less than 1e-307, is
 * at most that times the greatest odds.
 */
#define LEAST_SUM 1e-280
#define LARGEST_SUM 1e280

static bool
is_exact(const MrenCrfWork *work, double sum)
{
	return sum >= work->least && sum <= LARGEST_SUM;
}

static void
set_odds(const MrenCrf *crf, MrenCrfWork *work)
{
	const MrenCrfRules *rules = crf->rules;
	double greatest = 1;

	for (size_t j = 0; j < rules->n_tags; j++)
	{
		for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
		{
			double transition = crf->weights.transitions[rules->before[p] * rules->n_tags + j];

			work->odds[p] = exp(transition);
			greatest = work->odds[p] > greatest ? work->odds[p] : greatest;
		}
	}
	work->least = LEAST_SUM * greatest;
}

/* e[i] = exp(x[i] - max), where max is the largest x, which is returned. */
static double
exponentials(const double *x, size_t n, double *e)
{
	double max = x[0];

	for (size_t i = 1; i < n; i++)
		max = x[i] > max ? x[i] : max;
	for (size_t i = 0; i < n; i++)
		e[i] = exp(x[i] - max);
	return max;
}

/*
 * The log of the sum of exp(previous[i] + transition(i, j)) over the tags i
 * that may come before j, term by term.
 */
static double
sum_before(const MrenCrfRules *rules, const float *transitions, const double *previous, size_t j)
{
	size_t n = rules->n_tags;
	double max = -INFINITY;
	double sum = 0;

	for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
		max = fmax(max, previous[rules->before[p]] + transitions[rules->before[p] * n + j]);
	if (max == -INFINITY)
		return max;
	for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
		sum += exp(previous[rules->before[p]] + transitions[rules->before[p] * n + j] - max);
	return max + log(sum);
}

/* From the alphas of one word to those of the next, without its emissions. */
static void
step_forward(const MrenCrf *crf, const MrenCrfWork *work, const double *previous, double *alpha)
{
	const MrenCrfRules *rules = crf->rules;
	double max = exponentials(previous, rules->n_tags, work->step);

	for (size_t j = 0; j < rules->n_tags; j++)
	{
		double sum = 0;

		for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
			sum += work->step[rules->before[p]] * work->odds[p];
		alpha[j] = is_exact(work, sum) ? max + log(sum)
									   : sum_before(rules, crf->weights.transitions, previous, j);
	}
}

static double
sum_ends(const MrenCrf *crf, const double *last)
{
	double max = -INFINITY;
	double sum = 0;

	for (size_t j = 0; j < crf->rules->n_tags; j++)
	{
		if (crf->rules->ends[j])
			max = fmax(max, last[j] + crf->weights.end[j]);
	}
	if (max == -INFINITY)
		return max;
	for (size_t j = 0; j < crf->rules->n_tags; j++)
	{
		if (crf->rules->ends[j])
			sum += exp(last[j] + crf->weights.end[j] - max);
	}
	return max + log(sum);
}

MrenStatus
mren_crf_forward(const MrenEnv *env, const MrenCrf *crf, const float *emissions, size_t n,
				 MrenCrfWork *work, MrenError *err)
{
	size_t k = crf->rules->n_tags;
	size_t pairs = 0;

	set_odds(crf, work);
	for (size_t j = 0; j < k; j++)
		work->alpha[j] = crf->rules->begins[j] ? (double) crf->weights.start[j] + emissions[j]
											   : -(double) INFINITY;
	for (size_t t = 1; t < n; t++)
	{
		step_forward(crf, work, work->alpha + (t - 1) * k, work->alpha + t * k);
		for (size_t j = 0; j < k; j++)
			work->alpha[t * k + j] += emissions[t * k + j];
		MREN_TRY(check_now_and_then(env, crf->rules, &pairs, err));
	}
	work->partition = sum_ends(crf, work->alpha + (n - 1) * k);
	return MREN_OK;
}

/*
 * beta(t, i) = log of the sum over j of exp(transition(i, j) + next(j)), where
 * next(j) is emission plus beta of word t + 1, term by term.  The rules list
 * predecessors, so both passes (the largest term, then the sum) go through all pairs.
 */
static void
sum_behind(const MrenCrf *crf, const double *next, double *beta, double *sums)
{
	const MrenCrfRules *rules = crf->rules;
	const float *transitions = crf->weights.transitions;
	size_t k = rules->n_tags;

	for (size_t i = 0; i < k; i++)
	{
		beta[i] = -INFINITY;
		sums[i] = 0;
	}
	for (size_t j = 0; j < k; j++)
	{
		for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
		{
			size_t i = rules->before[p];

			beta[i] = fmax(beta[i], transitions[i * k + j] + next[j]);
		}
	}
	for (size_t j = 0; j < k; j++)
	{
		for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
		{
			size_t i = rules->before[p];

			if (beta[i] > -INFINITY)
				sums[i] += exp(transitions[i * k + j] + next[j] - beta[i]);
		}
	}
	for (size_t i = 0; i < k; i++)
	{
		if (beta[i] > -INFINITY)
			beta[i] += log(sums[i]);
	}
}

/* The same by products. */
static void
step_back(const MrenCrf *crf, const MrenCrfWork *work, const double *next, double *beta)
{
	const MrenCrfRules *rules = crf->rules;
	size_t k = rules->n_tags;
	double *e = work->step + k;
	double max = exponentials(next, k, e);
	bool exact = true;

	memset(beta, 0, k * sizeof(double));
	for (size_t j = 0; j < k; j++)
	{
		for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
			beta[rules->before[p]] += work->odds[p] * e[j];
	}
	for (size_t i = 0; i < k; i++)
		exact = exact && is_exact(work, beta[i]);
	if (!exact)
	{
		sum_behind(crf, next, beta, e);
		return;
	}
	for (size_t i = 0; i < k; i++)
		beta[i] = max + log(beta[i]);
}

MrenStatus
mren_crf_backward(const MrenEnv *env, const MrenCrf *crf, const float *emissions, size_t n,
				  MrenCrfWork *work, MrenError *err)
{
	size_t k = crf->rules->n_tags;
	size_t pairs = 0;

	for (size_t i = 0; i < k; i++)
		work->beta[(n - 1) * k + i] =
			crf->rules->ends[i] ? (double) crf->weights.end[i] : -(double) INFINITY;
	for (size_t t = n - 1; t > 0; t--)
	{
		for (size_t j = 0; j < k; j++)
			work->step[j] = work->beta[t * k + j] + emissions[t * k + j];
		step_back(crf, work, work->step, work->beta + (t - 1) * k);
		MREN_TRY(check_now_and_then(env, crf->rules, &pairs, err));
	}
	return MREN_OK;
}

static bool
follows(const MrenCrfRules *rules, uint32_t i, uint32_t j)
{
	for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
	{
		if (rules->before[p] == i)
			return true;
	}
	return false;
}

/* The sum of the emissions of n words and of the transitions between them. */
static double
score_piece(const MrenCrf *crf, const float *emissions, const uint32_t *tags, size_t n)
{
	size_t k = crf->rules->n_tags;
	double score = 0;

	for (size_t t = 0; t < n; t++)
	{
		score += emissions[t * k + tags[t]];
		if (t == 0)
			continue;
		if (!follows(crf->rules, tags[t - 1], tags[t]))
			return -INFINITY;
		score += crf->weights.transitions[tags[t - 1] * k + tags[t]];
	}
	return score;
}

/* The logarithm of the score of a sentence's tags; -infinity if they are not allowed. */
static double
score_tags(const MrenCrf *crf, const MrenCrfSentence *sentence)
{
	const uint32_t *tags = sentence->tags;
	size_t n = sentence->n;

	if (!crf->rules->begins[tags[0]] || !crf->rules->ends[tags[n - 1]])
		return -INFINITY;
	return crf->weights.start[tags[0]] + score_piece(crf, sentence->emissions, tags, n) +
		   crf->weights.end[tags[n - 1]];
}

/* Adds the expected number of each transition into word t. */
static void
add_pairs(const MrenCrf *crf, const float *emissions, size_t t, const MrenCrfWork *work,
		  double scale, double *dtransitions)
{
	size_t k = crf->rules->n_tags;
	const double *alpha = work->alpha + (t - 1) * k;

	for (size_t j = 0; j < k; j++)
	{
		double into = emissions[t * k + j] + work->beta[t * k + j] - work->partition;

		for (uint32_t p = crf->rules->starts[j]; p < crf->rules->starts[j + 1]; p++)
		{
			size_t i = crf->rules->before[p];

			dtransitions[i * k + j] +=
				scale * exp(alpha[i] + crf->weights.transitions[i * k + j] + into);
		}
	}
}

/* The gradient: expected counts less those of the given path. */
static MrenStatus
add_gradients(const MrenEnv *env, const MrenCrf *crf, const MrenCrfSentence *sentence,
			  const MrenCrfWork *work, const MrenCrfGradient *gradient, MrenError *err)
{
	size_t k = crf->rules->n_tags;
	const uint32_t *tags = sentence->tags;
	double scale = gradient->scale;
	double *dstart = gradient->dweights + k * k;
	double *dend = dstart + k;
	size_t pairs = 0;

	for (size_t t = 0; t < sentence->n; t++)
	{
		for (size_t j = 0; j < k; j++)
		{
			double p = exp(work->alpha[t * k + j] + work->beta[t * k + j] - work->partition);
			double d = scale * (p - (tags[t] == j ? 1 : 0));

			gradient->demissions[t * k + j] = (float) d;
			if (t == 0)
				dstart[j] += d;
			if (t == sentence->n - 1)
				dend[j] += d;
		}
		if (t == 0)
			continue;
		add_pairs(crf, sentence->emissions, t, work, scale, gradient->dweights);
		gradient->dweights[tags[t - 1] * k + tags[t]] -= scale;
		MREN_TRY(check_now_and_then(env, crf->rules, &pairs, err));
	}
	return MREN_OK;
}

MrenStatus
mren_crf_loss(const MrenEnv *env, const MrenCrf *crf, const MrenCrfSentence *sentence,
			  MrenCrfWork *work, const MrenCrfGradient *gradient, double *loss, MrenError *err)
{
	double score = score_tags(crf, sentence);

	if (score == -INFINITY)
		return mren_fail(err, MREN_EDATA, "tags of a sentence do not form valid mentions");
	MREN_TRY(mren_crf_forward(env, crf, sentence->emissions, sentence->n, work, err));
	MREN_TRY(mren_crf_backward(env, crf, sentence->emissions, sentence->n, work, err));
	*loss = work->partition - score;
	return add_gradients(env, crf, sentence, work, gradient, err);
}

/* The score of the best predecessor of tag j, whose number goes to *back; the lowest of equals. */
static double
best_before(const MrenCrfRules *rules, const float *transitions, const double *previous, size_t j,
			uint32_t *back)
{
	double best = -INFINITY;

	*back = 0;
	for (uint32_t p = rules->starts[j]; p < rules->starts[j + 1]; p++)
	{
		uint32_t i = rules->before[p];
		double score = previous[i] + transitions[i * rules->n_tags + j];

		if (score > best)
		{
			best = score;
			*back = i;
		}
	}
	return best;
}

MrenStatus
mren_crf_decode(const MrenEnv *env, const MrenCrf *crf, const float *emissions, size_t n,
				MrenCrfWork *work, uint32_t *tags, MrenError *err)
{
	size_t k = crf->rules->n_tags;
	size_t pairs = 0;
	double best = -INFINITY;

	for (size_t j = 0; j < k; j++)
		work->alpha[j] = crf->rules->begins[j] ? (double) crf->weights.start[j] + emissions[j]
											   : -(double) INFINITY;
	for (size_t t = 1; t < n; t++)
	{
		for (size_t j = 0; j < k; j++)
			work->alpha[t * k + j] =
				best_before(crf->rules, crf->weights.transitions, work->alpha + (t - 1) * k, j,
							&work->back[t * k + j]) +
				emissions[t * k + j];
		MREN_TRY(check_now_and_then(env, crf->rules, &pairs, err));
	}
	tags[n - 1] = 0;
	for (size_t j = 0; j < k; j++)
	{
		if (crf->rules->ends[j] && work->alpha[(n - 1) * k + j] + crf->weights.end[j] > best)
		{
			best = work->alpha[(n - 1) * k + j] + crf->weights.end[j];
			tags[n - 1] = (uint32_t) j;
		}
	}
	for (size_t t = n - 1; t > 0; t--)
		tags[t - 1] = work->back[t * k + tags[t]];
	return MREN_OK;
}

double
mren_crf_posterior(const MrenCrf *crf, const float *emissions, const uint32_t *tags, size_t first,
				   size_t end, const MrenCrfWork *work)
{
	size_t k = crf->rules->n_tags;
	size_t n = end - first;
	double score = score_piece(crf, emissions + first * k, tags, n);

	/* alpha already contains the emission of the first word. */
	score += work->alpha[first * k + tags[0]] - emissions[first * k + tags[0]];
	score += work->beta[(end - 1) * k + tags[n - 1]] - work->partition;
	return fmin(exp(score), 1);
}
