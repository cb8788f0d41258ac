/*
 * test_relation_bytes.c
 *	  A trained network: its answers alone and in batches, its bytes whole and
 *	  in parts, hostile bytes, and explanations.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "relation/explain.h"
#include "relation/net_internal.h"
#include "relation_v1.h"

#define ROWS 70

typedef struct World
{
	TestEnv test;
	Fixture fixture;
	Row rows[ROWS];
	MrenNet *net;
} World;

/* Trained a little, on rows with images, types and unknown words. */
static World *
open_world_with(bool images, MrenTextEncoder encoder)
{
	World *world = calloc(1, sizeof(World));
	MrenOptions options;
	MrenExamples *examples;
	MrenRandom random;
	MrenError err = {0};

	test_env_init(&world->test);
	fixture_init(&world->fixture);
	mren_random_seed(&random, 21, 0);
	fixture_examples(&world->test.env, images ? FIXTURE_IMAGE : 0, &examples, &err);
	for (int i = 0; i < ROWS; i++)
	{
		Row *row = &world->rows[i];
		int32_t words[9];
		float image[FIXTURE_IMAGE];

		for (int w = 0; w < 9; w++)
			words[w] = (int32_t) mren_random_below(&random, FIXTURE_WORDS + 5) - 5;
		row_init(row, words, 9, 2, 6, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "none");
		if (i % 2 == 0)
			row->example.head_type = (MrenTextSpan){i % 4 == 0 ? "LOC" : "PER", 3};
		for (int j = 0; j < FIXTURE_IMAGE; j++)
			image[j] = mren_random_normal(&random);
		if (images && i % 5 != 0)
			row_set_image(row, image);
		assert_int_equal(mren_examples_append(examples, &row->example, row->image, &err), MREN_OK);
	}
	mren_options_init(&options);
	options.common.n_hidden = 2;
	options.common.hidden[0] = 20;
	options.common.hidden[1] = 9;
	options.image_units = 16;
	options.product = 5;
	options.common.epochs = 3;
	options.text_only_member = false;
	options.negative = "none";
	options.threshold = 0.25;
	options.text_encoder = encoder;
	options.filters = 5;
	options.window = 2;
	options.word_vectors = MREN_WORDS_FINE_TUNED;
	assert_int_equal(fixture_train(&world->test.env, &world->fixture, &options, examples,
								   &world->net, NULL, &err),
					 MREN_OK);
	mren_examples_free(examples);
	return world;
}

static World *
open_world(bool images)
{
	return open_world_with(images, MREN_TEXT_POOL);
}

static void
close_world(World *world)
{
	mren_net_free(&world->test.env, world->net);
	assert_int_equal(world->test.n_live, 0);
	free(world);
}

static MrenInput
input_of(const World *world, const MrenNet *net, int i)
{
	const Row *row = &world->rows[i];
	MrenTextSpan type = row->example.head_type;

	return (MrenInput){.sentence = &row->example.sentence,
					   .head_type =
						   type.data != NULL ? mren_net_type(net, type.data, type.len) : -1,
					   .tail_type = -1,
					   .image = row->example.has_image ? row->image : NULL};
}

/* Probabilities of all rows, in batches of `size`. */
static float *
answers(const World *world, const MrenNet *net, size_t size)
{
	MrenNetInfo info;
	MrenInput inputs[ROWS];
	MrenError err = {0};
	float *p;
	float *features;
	float *scratch;

	mren_net_info(net, &info);
	p = calloc(ROWS * info.n_relations, sizeof(float));
	features = aligned_alloc(64, (size * info.row_dim * sizeof(float) + 127) / 64 * 64);
	scratch = aligned_alloc(64, (mren_net_scratch(net, size) * sizeof(float) + 127) / 64 * 64);
	for (int i = 0; i < ROWS; i++)
		inputs[i] = input_of(world, net, i);
	for (size_t i = 0; i < ROWS; i += size)
	{
		size_t n = ROWS - i < size ? ROWS - i : size;

		assert_int_equal(
			mren_net_features(net, &world->fixture.table, inputs + i, n, features, scratch, &err),
			MREN_OK);
		assert_int_equal(
			mren_net_probabilities(net, features, n, p + i * info.n_relations, scratch, &err),
			MREN_OK);
	}
	free(features);
	free(scratch);
	return p;
}

static void
test_a_row_does_not_depend_on_its_batch(void **state)
{
	(void) state;
	for (int kind = 0; kind < 4; kind++)
	{
		World *world = open_world_with(kind % 2 != 0, kind < 2 ? MREN_TEXT_POOL : MREN_TEXT_CONV);
		float *alone = answers(world, world->net, 1);
		const size_t sizes[] = {2, 3, 4, 7, 64, ROWS};

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		{
			float *batch = answers(world, world->net, sizes[i]);

			assert_memory_equal(batch, alone, ROWS * 3 * sizeof(float));
			free(batch);
		}
		for (int i = 0; i < ROWS; i++)
			assert_float_equal(alone[3 * i] + alone[3 * i + 1] + alone[3 * i + 2], 1, 1e-6);
		free(alone);
		close_world(world);
	}
}

static void
test_information(void **state)
{
	World *world = open_world(true);
	MrenNetInfo info;

	(void) state;
	mren_net_info(world->net, &info);
	assert_int_equal(info.embedding_dim, FIXTURE_DIM);
	assert_int_equal(info.image_dim, FIXTURE_IMAGE);
	/* 15 parts of 8, 19 counts, 2 times 2 types, 16 image units, a flag, 5 products */
	assert_int_equal(info.features_dim, 15 * 8 + 19 + 4 + 16 + 1 + 5);
	assert_int_equal(info.n_relations, 3);
	assert_int_equal(info.n_types, 2);
	assert_int_equal(info.negative, 2);
	assert_true(info.threshold == 0.25);
	assert_true(info.temperature > 0);
	assert_int_equal(info.n_training_rows, ROWS);
	assert_int_equal(info.embeddings_sha256[1], 2);
	assert_true(info.memory > info.n_parameters * sizeof(float));
	assert_memory_equal(mren_net_relation(world->net, 1).data, "b", 1);
	assert_int_equal(mren_net_relation_index(world->net, "none", 4), 2);
	assert_int_equal(mren_net_relation_index(world->net, "non", 3), -1);
	assert_int_equal(mren_net_type(world->net, "PER", 3), 1);
	assert_int_equal(mren_net_type(world->net, "ORG", 3), -1);
	for (int i = 0; i < ROWS; i++)
		assert_true(
			mren_net_trained_on(world->net, mren_example_identity(&world->rows[i].example)));
	assert_false(mren_net_trained_on(world->net, 12345));
	close_world(world);
}

static void
bytes_give_the_same_network(MrenTextEncoder encoder)
{
	World *world = open_world_with(true, encoder);
	MrenError err = {0};
	float *before = answers(world, world->net, 4);
	float *after;
	MrenNet *copy;
	uint8_t *bytes;
	uint8_t *again;
	size_t len;
	size_t len_again;

	assert_int_equal(mren_net_serialize(world->net, &world->test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&world->test.env, bytes, len, &copy, &err), MREN_OK);
	after = answers(world, copy, 4);
	assert_memory_equal(before, after, ROWS * 3 * sizeof(float));
	assert_int_equal(mren_net_serialize(copy, &world->test.env, &again, &len_again, &err), MREN_OK);
	assert_int_equal(len, len_again);
	assert_memory_equal(bytes, again, len);
	mren_release(&world->test.env, bytes);
	mren_release(&world->test.env, again);
	mren_net_free(&world->test.env, copy);
	free(before);
	free(after);
	close_world(world);
}

/* With a lapse rate e, every probability p of n relations is (1 - e) p + e / n; a copy keeps it. */
static void
test_lapse_rate(void **state)
{
	World *world = open_world(true);
	MrenError err = {0};
	float *plain = answers(world, world->net, 4);
	float *lapsed;
	float *copied;
	MrenNetInfo info;
	MrenNet *copy;
	uint8_t *bytes;
	size_t len;

	(void) state;
	world->net->lapse = 0.25;
	lapsed = answers(world, world->net, 4);
	for (size_t i = 0; i < ROWS * 3; i++)
		assert_float_equal(lapsed[i], 0.75 * (double) plain[i] + 0.25 / 3, 1e-6);
	assert_int_equal(mren_net_serialize(world->net, &world->test.env, &bytes, &len, &err), MREN_OK);
	assert_int_equal(mren_net_deserialize(&world->test.env, bytes, len, &copy, &err), MREN_OK);
	mren_net_info(copy, &info);
	assert_true(info.lapse == 0.25);
	copied = answers(world, copy, 4);
	assert_memory_equal(lapsed, copied, ROWS * 3 * sizeof(float));
	mren_release(&world->test.env, bytes);
	mren_net_free(&world->test.env, copy);
	free(plain);
	free(lapsed);
	free(copied);
	close_world(world);
}

static void
test_bytes_give_the_same_network(void **state)
{
	(void) state;
	bytes_give_the_same_network(MREN_TEXT_POOL);
	bytes_give_the_same_network(MREN_TEXT_CONV);
}

static const float *
get_v1_vector(void *state, int32_t id)
{
	float *vector = state;

	vector[0] = (float) (id % 5 - 2) / 2;
	return vector;
}

/* What 0.1.0 itself answered for these four rows; today's text sums are of halves. */
static void
test_a_network_of_the_first_format(void **state)
{
	static const float expected[4][3] = {
		{0.0139498459f, 0.287846655f, 0.698203504f},
		{0.0158617347f, 0.288748771f, 0.695389509f},
		{0.0213926472f, 0.243831486f, 0.734775841f},
		{0.127117887f, 0.0688598678f, 0.804022253f},
	};
	TestEnv test;
	MrenError err = {0};
	float vector[1];
	MrenWordVectors vectors = {vector, 1, get_v1_vector};
	MrenNet *net;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_net_deserialize(&test.env, net_v1, sizeof(net_v1), &net, &err), MREN_OK);
	for (int32_t i = 0; i < 4; i++)
	{
		const int32_t words[6] = {i, 3 - i, -1 - i, 7, 2 * i, 5};
		float image[2] = {0.5f * (float) i, -1};
		float features[256];
		float scratch[16384];
		float p[3];
		MrenInput input = {.tail_type = -1};
		Row row;

		row_init(&row, words, 6, 1, 4, "in");
		input.sentence = &row.example.sentence;
		input.head_type = i % 2 == 1 ? mren_net_type(net, "PER", 3) : -1;
		input.image = i > 1 ? image : NULL;
		assert_true(mren_net_scratch(net, 1) <= 16384);
		assert_int_equal(mren_net_features(net, &vectors, &input, 1, features, scratch, &err),
						 MREN_OK);
		assert_int_equal(mren_net_probabilities(net, features, 1, p, scratch, &err), MREN_OK);
		for (int j = 0; j < 3; j++)
			assert_float_equal(p[j], expected[i][j], 3e-4);
	}
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
}

/* Bytes 184 on are the fields' number, then tag, length and value of each. */
static void
expect_field_refused(uint32_t tag, const char *message)
{
	World *world = open_world(false);
	MrenError err = {0};
	MrenNet *copy;
	uint8_t *bytes;
	uint8_t *more;
	size_t len;
	const uint32_t field[5] = {1, tag, 8, 1, 0};
	uint64_t header;
	uint64_t checksum;

	mren_net_header(world->net, &world->test.env, &bytes, &len, &err);
	assert_memory_equal(bytes, "MRENnet2", 8);
	more = malloc(len + 16);
	memcpy(more, bytes, 184);
	memcpy(more + 184, field, sizeof(field));
	memcpy(more + 204, bytes + 188, len - 188);
	header = len + 16;
	memcpy(more + 8, &header, 8);
	checksum = mren_hash64(more + 24, header - 24, header);
	memcpy(more + 16, &checksum, 8);
	assert_int_equal(mren_net_from_header(&world->test.env, more, len + 16, &copy, &err),
					 MREN_EFORMAT);
	assert_string_equal(err.message, message);
	free(more);
	mren_release(&world->test.env, bytes);
	close_world(world);
}

static void
test_fields_must_be_known(void **state)
{
	(void) state;
	expect_field_refused(0xFFFF, "invalid network: its field 65535 is unknown");
}

/* A text-only member must be the last of several, in a network that reads images. */
static void
test_text_only_member_is_not_the_only_one(void **state)
{
	(void) state;
	expect_field_refused(6, "invalid network: its only member is a text-only one");
}

static void
test_parts_give_the_same_network(void **state)
{
	World *world = open_world(true);
	MrenError err = {0};
	float *before = answers(world, world->net, 4);
	float *after;
	MrenNet *copy;
	uint8_t *header;
	size_t len;
	size_t n;

	(void) state;
	assert_int_equal(mren_net_header(world->net, &world->test.env, &header, &len, &err), MREN_OK);
	assert_int_equal(mren_net_from_header(&world->test.env, header, len, &copy, &err), MREN_OK);
	n = mren_net_n_tensors(world->net);
	for (size_t i = n; i > 0; i--)
	{
		MrenTensorView view;

		mren_net_tensor(world->net, i - 1, &view);
		/* Every tensor but the last is set; completing must miss it. */
		if (i == 1)
		{
			assert_int_equal(mren_net_complete(copy, &err), MREN_EFORMAT);
			assert_string_equal(err.message, "tensor \"text.shapes\" of the network is missing");
		}
		assert_int_equal(
			mren_net_set_tensor(copy, view.name, view.rows, view.cols + 1, view.data, &err),
			MREN_EFORMAT);
		assert_int_equal(
			mren_net_set_tensor(copy, view.name, view.rows, view.cols, view.data, &err), MREN_OK);
	}
	assert_int_equal(mren_net_set_tensor(copy, "nonsense", 1, 1, before, &err), MREN_EFORMAT);
	assert_int_equal(mren_net_complete(copy, &err), MREN_OK);
	after = answers(world, copy, 4);
	assert_memory_equal(before, after, ROWS * 3 * sizeof(float));
	mren_release(&world->test.env, header);
	mren_net_free(&world->test.env, copy);
	free(before);
	free(after);
	close_world(world);
}

static void
test_parameters_must_be_finite(void **state)
{
	World *world = open_world(false);
	MrenError err = {0};
	MrenTensorView view;
	float *data;
	MrenNet *copy;
	uint8_t *header;
	size_t len;

	(void) state;
	mren_net_header(world->net, &world->test.env, &header, &len, &err);
	mren_net_from_header(&world->test.env, header, len, &copy, &err);
	for (size_t i = 0; i < mren_net_n_tensors(world->net); i++)
	{
		mren_net_tensor(world->net, i, &view);
		data = malloc(view.rows * view.cols * sizeof(float));
		memcpy(data, view.data, view.rows * view.cols * sizeof(float));
		if (strcmp(view.name, "hidden2.weight") == 0)
			data[3] = NAN;
		mren_net_set_tensor(copy, view.name, view.rows, view.cols, data, &err);
		free(data);
	}
	assert_int_equal(mren_net_complete(copy, &err), MREN_ENUMERIC);
	assert_string_equal(err.message, "element 4 of tensor \"hidden2.weight\" is not finite");
	mren_release(&world->test.env, header);
	mren_net_free(&world->test.env, copy);
	close_world(world);
}

/* Every truncation and a flip in every byte: an error, and nothing left. */
static void
test_damaged_networks_are_refused(void **state)
{
	World *world = open_world(true);
	MrenError err = {0};
	MrenNet *copy;
	uint8_t *bytes;
	size_t len;

	(void) state;
	mren_net_serialize(world->net, &world->test.env, &bytes, &len, &err);
	for (size_t n = 0; n < len; n += n < 2000 ? 1 : 97)
	{
		/* An exact copy, so that a sanitizer sees reads beyond the end. */
		uint8_t *part = malloc(n > 0 ? n : 1);

		memcpy(part, bytes, n);
		assert_int_equal(mren_net_deserialize(&world->test.env, part, n, &copy, &err),
						 MREN_EFORMAT);
		assert_null(copy);
		free(part);
	}
	for (size_t i = 0; i < len; i += i < 2000 ? 1 : 97)
	{
		bytes[i] ^= (uint8_t) (1u << i % 8);
		assert_int_equal(mren_net_deserialize(&world->test.env, bytes, len, &copy, &err),
						 MREN_EFORMAT);
		bytes[i] ^= (uint8_t) (1u << i % 8);
	}
	mren_release(&world->test.env, bytes);
	close_world(world);
}

/* A header that claims the largest sizes, its checksum made to match, must not
 * get memory for them. */
static void
test_claims_beyond_the_bytes_get_no_memory(void **state)
{
	World *world = open_world(false);
	MrenError err = {0};
	const uint32_t big = 8192;
	const uint32_t beyond = 8193;
	MrenNet *copy;
	uint8_t *bytes;
	uint64_t header;
	uint64_t checksum;
	size_t len;
	size_t peak;

	(void) state;
	mren_net_serialize(world->net, &world->test.env, &bytes, &len, &err);
	memcpy(&header, bytes + 8, 8);
	memcpy(bytes + 56, &big, 4);
	memcpy(bytes + 60, &big, 4);
	checksum = mren_hash64(bytes + 24, header - 24, header);
	memcpy(bytes + 16, &checksum, 8);
	peak = world->test.peak_bytes;
	assert_int_equal(mren_net_deserialize(&world->test.env, bytes, len, &copy, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "invalid network: it is too short for its tensors");
	assert_int_equal(world->test.peak_bytes, peak);
	memcpy(bytes + 56, &beyond, 4);
	checksum = mren_hash64(bytes + 24, header - 24, header);
	memcpy(bytes + 16, &checksum, 8);
	assert_int_equal(mren_net_deserialize(&world->test.env, bytes, len, &copy, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "invalid network: hidden layer of 8193");
	mren_release(&world->test.env, bytes);
	close_world(world);
}

static void
test_images_must_fit_the_network(void **state)
{
	World *with = open_world(true);
	World *without = open_world(false);
	MrenError err = {0};
	float features[512];
	float scratch[8192];
	float image[FIXTURE_IMAGE] = {0, 0, NAN, 0, 0, 0};
	MrenInput input = input_of(with, with->net, 0);

	(void) state;
	input.image = image;
	assert_int_equal(
		mren_net_features(with->net, &with->fixture.table, &input, 1, features, scratch, &err),
		MREN_ENUMERIC);
	assert_string_equal(err.message, "element 3 of an image vector is not finite");
	image[2] = 0;
	assert_int_equal(
		mren_net_features(without->net, &with->fixture.table, &input, 1, features, scratch, &err),
		MREN_EPARAM);
	assert_string_equal(err.message, "the model was trained without images");
	close_world(with);
	close_world(without);
}

/* The contribution of each part is what prediction itself says without it. */
static void
explanation_is_the_difference(MrenTextEncoder encoder)
{
	World *world = open_world_with(true, encoder);
	MrenError err = {0};
	MrenInput input = input_of(world, world->net, 2);
	MrenContribution *parts;
	float *p = answers(world, world->net, 1);
	Row without;
	size_t best = mren_net_best(p + 6, 3);
	size_t n;

	assert_int_equal(
		mren_net_explain(world->net, &(MrenExplainRequest){&world->fixture.table, &input, NULL, -1},
						 &world->test.env, &parts, &n, &err),
		MREN_OK);
	/* Seven words beside the mentions, head, tail, head's type, image. */
	assert_int_equal(n, 11);
	for (uint32_t i = 0; i < 7; i++)
	{
		assert_int_equal(parts[i].part, MREN_PART_WORD);
		assert_int_equal(parts[i].word, i < 2 ? i : i < 5 ? i + 1 : i + 2);
	}
	assert_int_equal(parts[7].part, MREN_PART_HEAD);
	assert_int_equal(parts[8].part, MREN_PART_TAIL);
	assert_int_equal(parts[9].part, MREN_PART_HEAD_TYPE);
	assert_int_equal(parts[10].part, MREN_PART_IMAGE);
	/* Row 2 without its word 1, by hand, is what prediction says. */
	without = world->rows[2];
	without.example.sentence.pieces = without.pieces;
	without.example.sentence.starts = without.starts;
	memmove(without.pieces + 1, without.pieces + 2, 7 * sizeof(int32_t));
	without.example.sentence.n_words = without.example.sentence.n_pieces = 8;
	without.example.sentence.head = (MrenSpan){1, 2};
	without.example.sentence.tail = (MrenSpan){5, 6};
	world->rows[3] = without;
	world->rows[3].example.sentence.pieces = world->rows[3].pieces;
	world->rows[3].example.sentence.starts = world->rows[3].starts;
	{
		float *q = answers(world, world->net, 1);

		assert_float_equal(parts[1].contribution, (double) p[6 + best] - (double) q[9 + best], 0);
		free(q);
	}
	/* And without its image. */
	world->rows[2].example.has_image = false;
	{
		float *q = answers(world, world->net, 1);

		assert_float_equal(parts[10].contribution, (double) p[6 + best] - (double) q[6 + best], 0);
		free(q);
	}
	mren_release(&world->test.env, parts);
	assert_int_equal(mren_net_explain(world->net,
									  &(MrenExplainRequest){&world->fixture.table, &input, NULL, 3},
									  &world->test.env, &parts, &n, &err),
					 MREN_EPARAM);
	free(p);
	close_world(world);
}

static void
test_explanation_is_the_difference_of_predictions(void **state)
{
	(void) state;
	explanation_is_the_difference(MREN_TEXT_POOL);
	explanation_is_the_difference(MREN_TEXT_CONV);
}

static MrenStatus
explain_and_serialize(const MrenEnv *env, MrenError *err, void *arg)
{
	World *world = arg;
	MrenInput input = input_of(world, world->net, 2);
	MrenContribution *parts = NULL;
	MrenNet *copy = NULL;
	uint8_t *bytes = NULL;
	size_t len;
	size_t n;
	MrenStatus status =
		mren_net_explain(world->net, &(MrenExplainRequest){&world->fixture.table, &input, NULL, 0},
						 env, &parts, &n, err);

	if (status == MREN_OK)
		status = mren_net_serialize(world->net, env, &bytes, &len, err);
	if (status == MREN_OK)
		status = mren_net_deserialize(env, bytes, len, &copy, err);
	if (status == MREN_OK)
	{
		mren_release(env, bytes);
		bytes = NULL;
		status = mren_net_header(world->net, env, &bytes, &len, err);
	}
	mren_release(env, parts);
	mren_release(env, bytes);
	mren_net_free(env, copy);
	return status;
}

static void
test_failed_allocations_and_interrupts(void **state)
{
	(void) state;
	for (int encoder = 0; encoder < 2; encoder++)
	{
		World *world = open_world_with(true, (MrenTextEncoder) encoder);

		test_allocation_sweep(explain_and_serialize, world);
		test_interrupt_sweep(explain_and_serialize, world);
		close_world(world);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_row_does_not_depend_on_its_batch),
		cmocka_unit_test(test_information),
		cmocka_unit_test(test_bytes_give_the_same_network),
		cmocka_unit_test(test_lapse_rate),
		cmocka_unit_test(test_a_network_of_the_first_format),
		cmocka_unit_test(test_fields_must_be_known),
		cmocka_unit_test(test_text_only_member_is_not_the_only_one),
		cmocka_unit_test(test_parts_give_the_same_network),
		cmocka_unit_test(test_parameters_must_be_finite),
		cmocka_unit_test(test_damaged_networks_are_refused),
		cmocka_unit_test(test_claims_beyond_the_bytes_get_no_memory),
		cmocka_unit_test(test_images_must_fit_the_network),
		cmocka_unit_test(test_explanation_is_the_difference_of_predictions),
		cmocka_unit_test(test_failed_allocations_and_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
