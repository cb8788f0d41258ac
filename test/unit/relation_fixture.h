/*
 * relation_fixture.h
 *	  Small made-up training sets for the tests of src/relation: a vocabulary of
 *	  random vectors, sentences over it, and rows whose relation follows from
 *	  what the test says it should.
 */
#ifndef MREN_TEST_RELATION_FIXTURE_H
#define MREN_TEST_RELATION_FIXTURE_H

#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "data/examples.h"
#include "relation/train/trainer.h"

#define FIXTURE_WORDS 40
#define FIXTURE_DIM 8
#define FIXTURE_IMAGE 6

typedef struct Fixture
{
	float vectors[FIXTURE_WORDS][FIXTURE_DIM];
	MrenWordVectors table;
} Fixture;

static inline const float *
fixture_get(void *state, int32_t id)
{
	Fixture *fixture = state;

	return fixture->vectors[id];
}

static inline void
fixture_init(Fixture *fixture)
{
	MrenRandom random;

	mren_random_seed(&random, 5, 0);
	for (int i = 0; i < FIXTURE_WORDS; i++)
	{
		for (int j = 0; j < FIXTURE_DIM; j++)
			fixture->vectors[i][j] = mren_random_normal(&random);
	}
	fixture->table = (MrenWordVectors){fixture, FIXTURE_DIM, fixture_get};
}

/* A row that owns its sentence; one piece a word unless a test changes it. */
typedef struct Row
{
	int32_t pieces[16];
	uint32_t starts[17];
	char relation[32];
	float image[FIXTURE_IMAGE];
	MrenExample example;
} Row;

/* n words starting with these; the mentions are words `head` and `tail`. */
static inline void
row_init(Row *row, const int32_t *words, uint32_t n, uint32_t head, uint32_t tail,
		 const char *relation)
{
	memset(row, 0, sizeof(*row));
	memcpy(row->pieces, words, n * sizeof(int32_t));
	for (uint32_t i = 0; i <= n; i++)
		row->starts[i] = i;
	snprintf(row->relation, sizeof(row->relation), "%s", relation);
	row->example.sentence =
		(MrenSentence){n, n, row->pieces, row->starts, {head, head + 1}, {tail, tail + 1}};
	row->example.relation = (MrenTextSpan){row->relation, (uint32_t) strlen(row->relation)};
	row->example.weight = 1;
	row->example.group = mren_hash64(words, n * sizeof(int32_t), 0);
}

static inline void
row_set_image(Row *row, const float *image)
{
	memcpy(row->image, image, sizeof(row->image));
	row->example.has_image = true;
	row->example.image = mren_hash128(image, sizeof(row->image));
}

static inline MrenStatus
fixture_examples(const MrenEnv *env, size_t image_dim, MrenExamples **examples, MrenError *err)
{
	MrenExamplesHead head = {.options = "{}",
							 .n_options = 2,
							 .dim = FIXTURE_DIM,
							 .has_encoder = image_dim > 0,
							 .image_dim = image_dim};

	return mren_examples_create(env, &head, examples, err);
}

/* Steps a training to its end; the report is optional. */
static inline MrenStatus
fixture_run(const MrenEnv *env, const MrenOptions *options, const MrenTrainerInputs *inputs,
			MrenNet **net, MrenTrainReport *report, MrenError *err)
{
	MrenTrainer *trainer;
	MrenProgress progress = {0};
	MrenStatus status = mren_trainer_create(env, options, inputs, &trainer, err);

	if (status != MREN_OK)
		return status;
	do
		status = mren_trainer_step(trainer, &progress, err);
	while (status == MREN_OK && progress.event != MREN_TRAIN_DONE);
	if (status == MREN_OK)
		status = mren_trainer_finish(trainer, net, err);
	if (report != NULL)
		mren_trainer_report(trainer, report);
	mren_trainer_free(trainer);
	return status;
}

/* What a training reads from examples. */
static inline MrenStatus
fixture_inputs(const Fixture *fixture, MrenExamples *examples, MrenTrainerInputs *inputs,
			   MrenError *err)
{
	static const uint8_t sha256[32] = {1, 2, 3};
	MrenExamplesHead head;

	mren_examples_head(examples, &head);
	*inputs = (MrenTrainerInputs){.vectors = fixture->table,
								  .embeddings_sha256 = sha256,
								  .image_dim = head.image_dim,
								  .encoder_sha256 = head.image_dim > 0 ? sha256 : NULL};
	return mren_examples_source(examples, &inputs->source, err);
}

static inline MrenStatus
fixture_train(const MrenEnv *env, const Fixture *fixture, const MrenOptions *options,
			  MrenExamples *examples, MrenNet **net, MrenTrainReport *report, MrenError *err)
{
	MrenTrainerInputs inputs;
	MrenStatus status = fixture_inputs(fixture, examples, &inputs, err);

	if (status == MREN_OK)
		status = fixture_run(env, options, &inputs, net, report, err);
	return status;
}

#define FIXTURE_RELATIONS 8

/*
 * The probabilities of the relations of a row with this image (NULL: none): p
 * (FIXTURE_RELATIONS).
 */
static inline void
fixture_probabilities(const MrenEnv *env, const Fixture *fixture, const MrenNet *net,
					  const Row *row, const float *image, float *p)
{
	MrenInput input = {
		.sentence = &row->example.sentence, .head_type = -1, .tail_type = -1, .image = image};
	MrenNetInfo info;
	MrenError err = {0};
	float *features;
	float *scratch;

	mren_net_info(net, &info);
	assert_true(info.n_relations <= FIXTURE_RELATIONS);
	assert_int_equal(mren_allocate(env, info.row_dim, sizeof(float), &features, &err), 0);
	assert_int_equal(mren_allocate(env, mren_net_scratch(net, 1), sizeof(float), &scratch, &err),
					 0);
	assert_int_equal(mren_net_features(net, &fixture->table, &input, 1, features, scratch, &err),
					 0);
	assert_int_equal(mren_net_probabilities(net, features, 1, p, scratch, &err), 0);
	mren_release(env, features);
	mren_release(env, scratch);
}

/* The relation the network gives a row, as an index. */
static inline size_t
fixture_predict(const MrenEnv *env, const Fixture *fixture, const MrenNet *net, const Row *row)
{
	float p[FIXTURE_RELATIONS];
	MrenNetInfo info;

	mren_net_info(net, &info);
	fixture_probabilities(env, fixture, net, row, row->example.has_image ? row->image : NULL, p);
	return mren_net_best(p, info.n_relations);
}

#endif
