/*
 * crf.h
 *	  A linear-chain conditional random field: loss with its gradients, the best
 *	  path, and the posterior probability of a part of a path.
 *
 * The score of a path y over n words is start(y1) + sum of emissions(t, yt) +
 * sum of transitions(y(t-1), yt) + end(yn).  Rules list which tags may follow
 * each other, so a forbidden path has no probability, is never decoded and
 * takes no time.  Lafferty, McCallum and Pereira, 2001; all sums are computed
 * in logarithms, in double precision and in one order.
 */
#ifndef MREN_NN_CRF_H
#define MREN_NN_CRF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"

/* Which tags may begin, end and follow each other. */
typedef struct MrenCrfRules
{
	size_t n_tags;
	uint32_t *starts; /* (n_tags + 1) the predecessors of tag j are before[starts[j] ..] */
	uint32_t *before; /* ascending */
	bool *begins;	  /* (n_tags) */
	bool *ends;		  /* (n_tags) */
} MrenCrfRules;

/*
 * mren_crf_rules_create
 *	  allowed(state, i, j) tells whether j may follow i; begins and ends tell
 *	  which tags may begin and end a path.  For every length some path must be
 *	  allowed.
 */
typedef struct MrenCrfGrammar
{
	void *state;
	bool (*allowed)(void *state, size_t i, size_t j);
	bool (*begins)(void *state, size_t j);
	bool (*ends)(void *state, size_t i);
} MrenCrfGrammar;

extern MrenStatus mren_crf_rules_create(const MrenEnv *env, size_t n_tags,
										const MrenCrfGrammar *grammar, MrenCrfRules *rules,
										MrenError *err);
extern void mren_crf_rules_free(const MrenEnv *env, MrenCrfRules *rules);

typedef struct MrenCrfWeights
{
	const float *transitions; /* (n_tags, n_tags) from row to column */
	const float *start;		  /* (n_tags) */
	const float *end;		  /* (n_tags) */
} MrenCrfWeights;

/* A random field: which paths are allowed, and what they score. */
typedef struct MrenCrf
{
	const MrenCrfRules *rules;
	MrenCrfWeights weights;
} MrenCrf;

/* A sentence of n >= 1 words with its tags. */
typedef struct MrenCrfSentence
{
	const float *emissions; /* (n, n_tags) */
	const uint32_t *tags;	/* (n) */
	size_t n;
} MrenCrfSentence;

/* Where the gradient of a sentence's loss goes, multiplied by scale. */
typedef struct MrenCrfGradient
{
	double scale;
	float *demissions; /* (n, n_tags) is set */
	double *dweights;  /* n_tags * n_tags transitions, then start, then end: added to */
} MrenCrfGradient;

/* Workspace for a sentence; mren_crf_reserve lets it grow. */
typedef struct MrenCrfWork
{
	size_t capacity; /* words times tags */
	size_t n_pairs;	 /* of tags that may follow each other */
	double *alpha;	 /* (n, n_tags) log of the sum over paths that end here, with this emission */
	double *beta;	 /* (n, n_tags) log of the sum over paths that follow */
	uint32_t *back;	 /* (n, n_tags) */
	double *odds;	 /* (n_pairs) exp of their transitions, in the order of the rules */
	double *step;	 /* (2, n_tags) of one word */
	double least;	 /* sum of products with odds that is exact */
	double partition;
} MrenCrfWork;

extern MrenStatus mren_crf_reserve(const MrenEnv *env, MrenCrfWork *work, const MrenCrfRules *rules,
								   size_t n_words, MrenError *err);
extern void mren_crf_work_free(const MrenEnv *env, MrenCrfWork *work);

/*
 * mren_crf_forward, mren_crf_backward
 *	  Forward fills alpha and partition for one sentence, backward, which comes
 *	  after it, beta: emissions (n, n_tags), n >= 1 words, for which work is
 *	  reserved.  Both check for interrupts.
 */
extern MrenStatus mren_crf_forward(const MrenEnv *env, const MrenCrf *crf, const float *emissions,
								   size_t n, MrenCrfWork *work, MrenError *err);
extern MrenStatus mren_crf_backward(const MrenEnv *env, const MrenCrf *crf, const float *emissions,
									size_t n, MrenCrfWork *work, MrenError *err);

/*
 * mren_crf_loss
 *	  *loss = -log p(tags) in nats, and its gradient.  Runs forward and backward.
 *	  MREN_EDATA if the rules do not allow the tags.
 */
extern MrenStatus mren_crf_loss(const MrenEnv *env, const MrenCrf *crf,
								const MrenCrfSentence *sentence, MrenCrfWork *work,
								const MrenCrfGradient *gradient, double *loss, MrenError *err);

/* The path with the highest score; among equals the one whose last differing tag is lower. */
extern MrenStatus mren_crf_decode(const MrenEnv *env, const MrenCrf *crf, const float *emissions,
								  size_t n, MrenCrfWork *work, uint32_t *tags, MrenError *err);

/*
 * The probability that words first .. end-1 have exactly the tags (end -
 * first), summed over all tags of the other words; after forward and backward.
 */
extern double mren_crf_posterior(const MrenCrf *crf, const float *emissions, const uint32_t *tags,
								 size_t first, size_t end, const MrenCrfWork *work);

#endif
