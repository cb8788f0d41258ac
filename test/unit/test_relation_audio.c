/*
 * test_relation_audio.c
 *	  Networks that read recordings: what they learn, their bytes, training sets with recordings.
 */
#include "relation_set.h"

#include <math.h>

#include "relation/explain.h"

#define AUDIO FIXTURE_IMAGE

static const uint8_t audio_sha256[32] = {9, 8, 7};

/* Vectors of a row: its `image` array is what it sees, or hears. */
static MrenStatus
gather_audio(const MrenEnv *env, const Set *set, size_t image_dim, MrenExamples **examples,
			 MrenError *err)
{
	MrenExamplesHead head = {.options = "{}",
							 .n_options = 2,
							 .dim = FIXTURE_DIM,
							 .has_encoder = image_dim > 0,
							 .image_dim = image_dim,
							 .audio_dim = AUDIO};
	MrenStatus status;

	memcpy(head.audio_encoder, audio_sha256, 32);
	MREN_TRY(mren_examples_create(env, &head, examples, err));
	status = MREN_OK;
	for (size_t i = 0; i < set->n && status == MREN_OK; i++)
	{
		const MrenExample *example = &set->rows[i].example;
		MrenRowVectors vectors = {example->has_image ? set->rows[i].image : NULL,
								  example->has_audio ? set->rows[i].image : NULL};

		status = mren_examples_append_row(*examples, example, &vectors, err);
	}
	if (status != MREN_OK)
		mren_examples_free(*examples);
	return status;
}

/* Whether a recording fits the head; text or recording alone are useless. */
static Set *
sound_set(size_t n)
{
	Set *set = new_set();

	make_images(set, n);
	for (size_t i = 0; i < n; i++)
	{
		MrenExample *example = &set->rows[i].example;

		example->audio = example->image;
		example->has_audio = true;
		example->has_image = false;
		memset(&example->image, 0, sizeof(example->image));
	}
	return set;
}

static MrenStatus
train(const MrenEnv *env, const Set *set, const MrenOptions *options, MrenNet **net,
	  MrenTrainReport *report, MrenError *err)
{
	MrenExamples *examples;
	MrenTrainerInputs inputs;
	MrenStatus status;

	*net = NULL;
	MREN_TRY(gather_audio(env, set, 0, &examples, err));
	status = fixture_inputs(&set->fixture, examples, &inputs, err);
	inputs.audio_dim = AUDIO;
	inputs.audio_sha256 = audio_sha256;
	if (status == MREN_OK)
		status = fixture_run(env, options, &inputs, net, report, err);
	mren_examples_free(examples);
	return status;
}

/* The distribution of a row, with its recording or without. */
static void
distribution(const MrenEnv *env, const Set *set, const MrenNet *net, const Row *row, bool hears,
			 float *probabilities)
{
	MrenInput input = {.sentence = &row->example.sentence,
					   .head_type = -1,
					   .tail_type = -1,
					   .audio = hears ? row->image : NULL};
	MrenNetInfo info;
	MrenError err = {0};
	float *features;
	float *scratch;

	mren_net_info(net, &info);
	assert_int_equal(mren_allocate(env, info.row_dim, sizeof(float), &features, &err), MREN_OK);
	assert_int_equal(mren_allocate(env, mren_net_scratch(net, 1), sizeof(float), &scratch, &err),
					 MREN_OK);
	assert_int_equal(
		mren_net_features(net, &set->fixture.table, &input, 1, features, scratch, &err), MREN_OK);
	assert_int_equal(mren_net_probabilities(net, features, 1, probabilities, scratch, &err),
					 MREN_OK);
	mren_release(env, features);
	mren_release(env, scratch);
}

static double
share_right(const MrenEnv *env, const Set *set, const MrenNet *net, bool hears)
{
	size_t n_right = 0;

	for (size_t i = 0; i < set->n; i++)
	{
		float p[2];
		MrenTextSpan relation;

		distribution(env, set, net, &set->rows[i], hears, p);
		relation = mren_net_relation(net, mren_net_best(p, 2));
		n_right += relation.len == strlen(set->rows[i].relation) &&
				   memcmp(relation.data, set->rows[i].relation, relation.len) == 0;
	}
	return (double) n_right / (double) set->n;
}

static void
sound_and_text_together_are_learnt(void **state)
{
	TestEnv test;
	Set *set = sound_set(320);
	MrenOptions options;
	MrenTrainReport report;
	MrenNet *net;
	MrenNet *again;
	MrenNetInfo info;
	MrenError err = {0};
	uint8_t *bytes, *second;
	size_t len, n_second;

	(void) state;
	test_env_init(&test);
	small_options(&options);
	if (train(&test.env, set, &options, &net, &report, &err) != MREN_OK)
		fail_msg("%s", err.message);
	assert_int_equal(report.n_rows_with_audio, 320);
	assert_int_equal(report.n_rows_with_image, 0);
	assert_true(report.has_text_only);
	assert_true(share_right(&test.env, set, net, true) > 0.9);
	/* Without its recording a row is still answered, by the text. */
	assert_true(share_right(&test.env, set, net, false) < share_right(&test.env, set, net, true));
	mren_net_info(net, &info);
	assert_int_equal(info.audio_dim, AUDIO);
	assert_int_equal(info.image_dim, 0);
	assert_memory_equal(info.audio_sha256, audio_sha256, 32);

	/* its bytes */
	assert_int_equal(mren_net_serialize(net, &test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&test.env, bytes, len, &again, &err), MREN_OK);
	for (size_t i = 0; i < 8; i++)
	{
		float p[2], q[2];

		distribution(&test.env, set, net, &set->rows[i], i % 2 == 0, p);
		distribution(&test.env, set, again, &set->rows[i], i % 2 == 0, q);
		assert_memory_equal(p, q, sizeof(p));
	}
	assert_int_equal(mren_net_serialize(again, &test.env, &second, &n_second, &err), MREN_OK);
	assert_int_equal(n_second, len);
	assert_memory_equal(bytes, second, len);
	mren_release(&test.env, bytes);
	mren_release(&test.env, second);
	mren_net_free(&test.env, again);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* That an audio encoder is at hand changes no bit of a network whose rows have no recording. */
static void
without_recordings_nothing_changes(void **state)
{
	TestEnv test;
	Set *set = new_set();
	MrenOptions options;
	MrenNet *plain;
	MrenNet *offered;
	MrenError err = {0};
	uint8_t *bytes[2];
	size_t len[2];

	(void) state;
	make_xor(set, 120);
	test_env_init(&test);
	small_options(&options);
	options.common.epochs = 5;
	plain = train_set(&test.env, set, &options, 0, NULL);
	assert_int_equal(train(&test.env, set, &options, &offered, NULL, &err), MREN_OK);
	assert_int_equal(mren_net_serialize(plain, &test.env, &bytes[0], &len[0], &err), MREN_OK);
	assert_int_equal(mren_net_serialize(offered, &test.env, &bytes[1], &len[1], &err), MREN_OK);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(bytes[0], bytes[1], len[0]);
	for (int i = 0; i < 2; i++)
		mren_release(&test.env, bytes[i]);
	mren_net_free(&test.env, plain);
	mren_net_free(&test.env, offered);
	assert_int_equal(test.n_live, 0);
	free(set);
}

static void
a_recording_has_a_contribution(void **state)
{
	TestEnv test;
	Set *set = sound_set(320);
	MrenOptions options;
	MrenNet *net;
	MrenError err = {0};
	double largest = 0;

	(void) state;
	test_env_init(&test);
	small_options(&options);
	assert_int_equal(train(&test.env, set, &options, &net, NULL, &err), MREN_OK);
	for (size_t row = 0; row < 8; row++)
	{
		MrenInput input = {.sentence = &set->rows[row].example.sentence,
						   .head_type = -1,
						   .tail_type = -1,
						   .audio = set->rows[row].image};
		MrenExplainRequest request = {
			.vectors = &set->fixture.table, .input = &input, .relation = -1};
		MrenContribution *parts;
		size_t n, n_audio = 0;

		assert_int_equal(mren_net_explain(net, &request, &test.env, &parts, &n, &err), MREN_OK);
		for (size_t i = 0; i < n; i++)
		{
			assert_true(parts[i].part != MREN_PART_IMAGE);
			if (parts[i].part != MREN_PART_AUDIO)
				continue;
			n_audio++;
			largest = parts[i].contribution > largest ? parts[i].contribution : largest;
		}
		assert_int_equal(n_audio, 1);
		mren_release(&test.env, parts);
	}
	assert_true(largest > 0.2);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
	free(set);
}

/* The flat form of a set whose rows came in two parts, in either order; some have both. */
static void
sets_are_merged_and_written(void **state)
{
	TestEnv test;
	Set *set = sound_set(40);
	MrenExamples *parts[2], *read;
	MrenError err = {0};
	uint8_t *flat[2], *again;
	size_t size[2];

	(void) state;
	for (size_t i = 0; i < 40; i += 4)
		row_set_image(&set->rows[i], set->rows[i].image);
	for (size_t i = 1; i < 40; i += 4)
		set->rows[i].example.has_audio = false;
	test_env_init(&test);
	for (int order = 0; order < 2; order++)
	{
		Set *half = sound_set(40);

		half->n = 20;
		memcpy(half->rows, set->rows + (order == 0 ? 0 : 20), 20 * sizeof(Row));
		for (size_t i = 0; i < 20; i++)
		{
			half->rows[i].example.sentence.pieces = half->rows[i].pieces;
			half->rows[i].example.sentence.starts = half->rows[i].starts;
			half->rows[i].example.relation.data = half->rows[i].relation;
		}
		assert_int_equal(gather_audio(&test.env, half, AUDIO, &parts[0], &err), MREN_OK);
		memcpy(half->rows, set->rows + (order == 0 ? 20 : 0), 20 * sizeof(Row));
		assert_int_equal(gather_audio(&test.env, half, AUDIO, &parts[1], &err), MREN_OK);
		assert_int_equal(mren_examples_merge(parts[0], parts[1], &err), MREN_OK);
		size[order] = mren_examples_flat_size(parts[0]);
		flat[order] = malloc(size[order]);
		mren_examples_flatten(parts[0], flat[order]);
		mren_examples_free(parts[0]);
		mren_examples_free(parts[1]);
		free(half);
	}
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(flat[0], flat[1], size[0]);
	assert_int_equal(mren_examples_parse(&test.env, flat[0], size[0], &read, &err), MREN_OK);
	assert_int_equal(mren_examples_flat_size(read), size[0]);
	again = malloc(size[0]);
	mren_examples_flatten(read, again);
	assert_memory_equal(again, flat[0], size[0]);
	mren_examples_free(read);
	/* no byte of it may be missing, and none may be wrong without being noticed or harmless */
	for (size_t len = 0; len < size[0]; len += 41)
		assert_int_equal(mren_examples_parse(&test.env, flat[0], len, &read, &err), MREN_EFORMAT);
	free(again);
	free(flat[0]);
	free(flat[1]);
	assert_int_equal(test.n_live, 0);
	free(set);
}

static void
vectors_must_be_finite_and_there(void **state)
{
	TestEnv test;
	Set *set = sound_set(4);
	MrenExamples *examples;
	MrenError err = {0};

	(void) state;
	test_env_init(&test);
	set->rows[2].image[3] = NAN;
	assert_int_equal(gather_audio(&test.env, set, 0, &examples, &err), MREN_ENUMERIC);
	assert_string_equal(err.message, "element 4 of an audio vector is not finite");
	assert_int_equal(fixture_examples(&test.env, 0, &examples, &err), MREN_OK);
	assert_int_equal(mren_examples_append(examples, &set->rows[0].example, NULL, &err),
					 MREN_EPARAM);
	mren_examples_free(examples);
	assert_int_equal(test.n_live, 0);
	free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_and_text_together_are_learnt),
		cmocka_unit_test(without_recordings_nothing_changes),
		cmocka_unit_test(a_recording_has_a_contribution),
		cmocka_unit_test(sets_are_merged_and_written),
		cmocka_unit_test(vectors_must_be_finite_and_there),
	};

	return cmocka_run_group_tests_name("relation audio", tests, NULL, NULL);
}
