/*
 * relation_set.h
 *	  Sets of rows for the tests of training, whose relation follows from the
 *	  text, or from text and image together; training on them, and the answers
 *	  of the network.
 */
#ifndef MREN_TEST_RELATION_SET_H
#define MREN_TEST_RELATION_SET_H

#include "relation_fixture.h"

#include <stdlib.h>

#define MAX_ROWS 400

typedef struct Set
{
	Fixture fixture;
	Row rows[MAX_ROWS];
	size_t n;
	MrenTextEncoder encoder; /* of small_training */
	size_t ensemble;
} Set;

/* Allocated once: it is large for a stack. */
static inline Set *
new_set(void)
{
	Set *set = calloc(1, sizeof(Set));

	assert_non_null(set);
	fixture_init(&set->fixture);
	set->ensemble = 1;
	return set;
}

/* The relation is the exclusive or of what head and tail are: no sum of the
 * two can tell it. */
static inline void
make_xor(Set *set, size_t n)
{
	MrenRandom random;

	mren_random_seed(&random, 1, 0);
	for (size_t i = 0; i < n; i++)
	{
		int32_t words[6];
		int a = (int) (i & 1);
		int b = (int) (i >> 1 & 1);

		for (int w = 0; w < 6; w++)
			words[w] = (int32_t) mren_random_below(&random, FIXTURE_WORDS - 4);
		words[1] = FIXTURE_WORDS - 4 + a;
		words[4] = FIXTURE_WORDS - 2 + b;
		row_init(&set->rows[i], words, 6, 1, 4, a != b ? "differs" : "agrees");
	}
	set->n = n;
}

/* The row of make_xor is weak, and its relation, or with `wrong` the other one, only likely. */
static inline void
make_weak(Row *row, bool wrong)
{
	static const float probabilities[2][2] = {{0.9f, 0.1f}, {0.1f, 0.9f}};
	static const uint32_t ends[2] = {6, 13};
	bool agrees = (row->relation[0] == 'a') != wrong;

	row->example.weak = true;
	row->example.targets = (MrenTargets){2, probabilities[!agrees], ends, "agreesdiffers"};
}

/* The relation is whether the image fits the head: text or image alone are useless. */
static inline void
make_images(Set *set, size_t n)
{
	MrenRandom random;
	float images[4][FIXTURE_IMAGE];

	mren_random_seed(&random, 2, 0);
	for (int i = 0; i < 4; i++)
	{
		for (int j = 0; j < FIXTURE_IMAGE; j++)
			images[i][j] = mren_random_normal(&random) + (j == i ? 3 : 0);
	}
	for (size_t i = 0; i < n; i++)
	{
		int32_t words[6];
		size_t object = i & 3;
		size_t shown = i >> 2 & 1 ? object : (object + 1 + (i >> 3) % 3) & 3;

		for (int w = 0; w < 6; w++)
			words[w] = (int32_t) mren_random_below(&random, FIXTURE_WORDS - 4);
		words[1] = FIXTURE_WORDS - 4 + (int32_t) object;
		row_init(&set->rows[i], words, 6, 1, 4, shown == object ? "shows" : "other");
		row_set_image(&set->rows[i], images[shown]);
	}
	set->n = n;
}

static inline MrenStatus
gather(const MrenEnv *env, const Set *set, size_t image_dim, MrenExamples **examples,
	   MrenError *err)
{
	MrenStatus status;

	*examples = NULL;
	status = fixture_examples(env, image_dim, examples, err);

	for (size_t i = 0; i < set->n && status == MREN_OK; i++)
		status =
			mren_examples_append(*examples, &set->rows[i].example,
								 set->rows[i].example.has_image ? set->rows[i].image : NULL, err);
	if (status != MREN_OK)
	{
		mren_examples_free(*examples);
		*examples = NULL;
	}
	return status;
}

static inline MrenNet *
train_set(const MrenEnv *env, const Set *set, const MrenOptions *options, size_t image_dim,
		  MrenTrainReport *report)
{
	MrenExamples *examples;
	MrenError err = {0};
	MrenNet *net = NULL;

	assert_int_equal(gather(env, set, image_dim, &examples, &err), MREN_OK);
	if (fixture_train(env, &set->fixture, options, examples, &net, report, &err) != MREN_OK)
		fail_msg("%s", err.message);
	mren_examples_free(examples);
	return net;
}

static inline double
accuracy(const MrenEnv *env, const Set *set, const MrenNet *net)
{
	size_t n_right = 0;

	for (size_t i = 0; i < set->n; i++)
	{
		MrenTextSpan relation =
			mren_net_relation(net, fixture_predict(env, &set->fixture, net, &set->rows[i]));

		n_right += relation.len == strlen(set->rows[i].relation) &&
				   memcmp(relation.data, set->rows[i].relation, relation.len) == 0;
	}
	return (double) n_right / (double) set->n;
}

static inline void
small_options(MrenOptions *options)
{
	mren_options_init(options);
	options->text_encoder = MREN_TEXT_POOL;
	options->common.n_hidden = 2;
	options->common.hidden[0] = 24;
	options->common.hidden[1] = 12;
	options->common.dropout = 0.1;
	options->common.hidden_dropout = 0.1;
	options->product = 8;
	options->common.learning_rate = 0.005;
	options->common.epochs = 60;
}

#endif
