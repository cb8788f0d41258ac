/*
 * label_model.c
 *	  The methods' common entry, and majority.
 */
#include "labels/label_model.h"

#include <math.h>
#include <string.h>

double
mren_label_softmax(double *logits, size_t n)
{
	double most = logits[0];
	double sum = 0;

	for (size_t r = 1; r < n; r++)
		most = fmax(most, logits[r]);
	for (size_t r = 0; r < n; r++)
	{
		logits[r] = exp(logits[r] - most);
		sum += logits[r];
	}
	for (size_t r = 0; r < n; r++)
		logits[r] /= sum;
	return most + log(sum);
}

MrenStatus
mren_label_model_fit(const MrenVotes *votes, const MrenVoteSummary *summary, MrenLabelMethod method,
					 MrenLabelModel *model, MrenError *err)
{
	MrenStatus status = MREN_OK;

	*model = (MrenLabelModel){.method = method, .votes = votes, .n_relations = votes->relations.n};
	if (votes->n_patterns == 0)
		return MREN_OK;
	if (method == MREN_LABELS_WEIGHTED)
		status = mren_label_fit_weighted(model, summary, err);
	else if (method == MREN_LABELS_DAWID_SKENE)
		status = mren_label_fit_dawid_skene(model, err);
	if (status != MREN_OK)
		mren_label_model_free(model);
	return status;
}

void
mren_label_model_free(MrenLabelModel *model)
{
	const MrenEnv *env = model->votes->env;

	mren_release(env, model->bias);
	mren_release(env, model->weights);
	mren_release(env, model->confusion);
	model->bias = model->weights = model->confusion = NULL;
}

static void
add_shares(const MrenLabelModel *model, const MrenVotePattern *pattern, double *probabilities)
{
	const MrenVote *items = model->votes->votes + pattern->at;

	memset(probabilities, 0, model->n_relations * sizeof(double));
	/* Counted first, so that equal shares have equal bits. */
	for (size_t i = 0; i < pattern->n; i++)
		probabilities[mren_vote_relation(items[i])] += 1;
	for (size_t r = 0; r < model->n_relations; r++)
		probabilities[r] /= pattern->n;
}

static void
add_weights(const MrenLabelModel *model, const MrenVotePattern *pattern, double *logits)
{
	const MrenVote *items = model->votes->votes + pattern->at;

	memcpy(logits, model->bias, model->n_relations * sizeof(double));
	for (size_t i = 0; i < pattern->n; i++)
		logits[mren_vote_relation(items[i])] += model->weights[mren_vote_source(items[i])];
}

uint32_t
mren_label_probabilities(const MrenLabelModel *model, uint32_t pattern, double *probabilities)
{
	const MrenVotes *votes = model->votes;
	uint32_t best = 0;

	switch (model->method)
	{
		case MREN_LABELS_MAJORITY:
			add_shares(model, &votes->patterns[pattern], probabilities);
			break;
		case MREN_LABELS_WEIGHTED:
			add_weights(model, &votes->patterns[pattern], probabilities);
			mren_label_softmax(probabilities, model->n_relations);
			break;
		case MREN_LABELS_DAWID_SKENE:
			mren_label_add_confusion(model, &votes->patterns[pattern], probabilities);
			mren_label_softmax(probabilities, model->n_relations);
			break;
	}
	for (uint32_t r = 1; r < model->n_relations; r++)
	{
		if (probabilities[r] > probabilities[best] ||
			(probabilities[r] == probabilities[best] &&
			 votes->relation_votes[r] > votes->relation_votes[best]))
			best = r;
	}
	return best;
}
