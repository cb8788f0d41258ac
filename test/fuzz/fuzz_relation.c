/*
 * fuzz_relation.c
 *	  Any bytes as a network, a training set, or one of its records.
 *
 * The first byte says which, and whether the checksums are made to match, so
 * that what lies after them is reached.  What is accepted is used: a network
 * predicts and writes itself again, a training set is flattened and trained on
 * for an epoch.
 */
#include "fuzz.h"
#include "fuzz_encoder.h"
#include "fuzz_mend.h"

#include <math.h>
#include <string.h>

#include "data/examples.h"
#include "relation/explain.h"
#include "relation/train/trainer.h"

#define LIMIT ((size_t) 64 << 20)
#define MAX_DIM 64

typedef struct Words
{
	float vector[MAX_DIM];
} Words;

static const float *
get_vector(void *state, int32_t id)
{
	Words *words = state;

	words->vector[0] = (float) (id % 7) - 3;
	return words->vector;
}

static size_t
mend_record(uint8_t *data, size_t size)
{
	size_t length = mren_example_size(data, size);
	uint32_t flags;

	if (length == 0)
		return 0;
	memcpy(&flags, data + 4, 4);
	store_u64(data + 8, mren_hash64(data + 16, length - 16, flags));
	return length;
}

static void
mend_set(uint8_t *data, size_t size)
{
	uint64_t n_options;
	size_t at;

	if (size < 136)
		return;
	n_options = load_u64(data + 48);
	if (n_options > size - 136)
		return;
	store_u64(data + 128, mren_hash64(data + 136, n_options, mren_hash64(data, 128, 0)));
	at = 136 + ((n_options + 7) & ~(uint64_t) 7);
	for (size_t length = 1; at < size && length > 0; at += length)
		length = mend_record(data + at, size - at);
}

static void
run_record(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, LIMIT);
	MrenBuffer buffer = {0};
	MrenExample example;
	MrenError err;
	size_t length;

	/* What reads well must be written back to the same bytes. */
	if (mren_example_read(data, size, &example, &length, &err) == MREN_OK &&
		mren_example_append(env, &buffer, &example, &err) == MREN_OK)
	{
		MrenExample again;

		if (mren_example_read(buffer.data, buffer.len, &again, &length, &err) != MREN_OK ||
			mren_example_identity(&again) != mren_example_identity(&example))
			abort();
	}
	mren_buffer_free(env, &buffer);
	fuzz_done(&fuzz);
}

static void
predict(const MrenEnv *env, const MrenNet *net, const MrenNetInfo *info, bool picture)
{
	static const int32_t pieces[5] = {3, -1, 4, -32, 5};
	static const uint32_t starts[5] = {0, 1, 3, 3, 5};
	const MrenSentence sentence = {4, 5, pieces, starts, {1, 3}, {2, 4}};
	Words words = {{0}};
	MrenWordVectors vectors = {&words, info->embedding_dim, get_vector};
	static const int32_t token_ids[7] = {1, 3, 4, 5, 6, 7, 2};
	static const uint32_t token_words[7] = {UINT32_MAX, 0, 1, 1, 2, 3, UINT32_MAX};
	const MrenMarkedTokens tokens = {token_ids, 7, false, {2, 4, 4, 5}};
	float image[MAX_DIM] = {1, -1};
	MrenInput input = {.tokens = &tokens,
					   .token_words = token_words,
					   .mask_token = 8,
					   .sentence = &sentence,
					   .head_type = info->n_types > 0 ? 0 : -1,
					   .tail_type = -1,
					   .image = picture ? image : NULL};
	const MrenExplainRequest request = {
		.vectors = &vectors, .input = &input, .features = NULL, .relation = -1};
	MrenContribution *parts;
	MrenError err;
	size_t n;

	if (mren_net_explain(net, &request, env, &parts, &n, &err) != MREN_OK)
		return;
	for (size_t i = 0; i < n; i++)
	{
		if (!(parts[i].contribution >= -1.001 && parts[i].contribution <= 1.001))
			abort();
	}
	mren_release(env, parts);
}

static void
run_network(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, LIMIT);
	MrenNetInfo info;
	MrenError err;
	MrenNet *net;
	uint8_t *bytes;
	size_t len;

	if (mren_net_deserialize(env, data, size, &net, &err) != MREN_OK)
	{
		if (net != NULL || err.message[0] == '\0')
			abort();
		fuzz_done(&fuzz);
		return;
	}
	mren_net_info(net, &info);
	if (info.text_encoder_sha256 != NULL)
	{
		MrenEncoderSource encoder = fuzz_encoder();

		(void) mren_net_attach_encoder(net, &encoder, &err);
	}
	if (info.embedding_dim <= MAX_DIM && info.image_dim <= MAX_DIM)
		predict(env, net, &info, info.image_dim > 0);
	if (mren_net_serialize(net, env, &bytes, &len, &err) == MREN_OK)
	{
		/* Bytes of an older version (after the magic) are written anew in the present one. */
		if (memcmp(bytes, data, 12) == 0 && (len != size || memcmp(bytes, data, size) != 0))
			abort();
		mren_release(env, bytes);
	}
	mren_net_free(env, net);
	fuzz_done(&fuzz);
}

static void
train(const MrenEnv *env, MrenExamples *set)
{
	static const uint8_t sha256[32] = {0};
	Words words = {{0}};
	MrenTrainerInputs inputs = {.embeddings_sha256 = sha256};
	MrenExamplesHead head;
	MrenOptions options;
	MrenProgress progress;
	MrenTrainer *trainer;
	MrenNet *net;
	MrenError err;

	mren_examples_head(set, &head);
	if (head.dim == 0 || head.dim > MAX_DIM || head.image_dim > MAX_DIM)
		return;
	inputs.image_dim = head.image_dim;
	inputs.encoder_sha256 = head.image_dim > 0 ? sha256 : NULL;
	inputs.vectors = (MrenWordVectors){&words, head.dim, get_vector};
	mren_options_init(&options);
	options.common.epochs = 1;
	options.common.n_hidden = 1;
	options.common.hidden[0] = 2;
	options.window = 1;
	options.filters = 2;
	if (mren_examples_source(set, &inputs.source, &err) != MREN_OK ||
		mren_trainer_create(env, &options, &inputs, &trainer, &err) != MREN_OK)
		return;
	do
	{
		if (mren_trainer_step(trainer, &progress, &err) != MREN_OK)
			break;
	} while (progress.event != MREN_TRAIN_DONE);
	if (progress.event == MREN_TRAIN_DONE && mren_trainer_finish(trainer, &net, &err) == MREN_OK)
		mren_net_free(env, net);
	mren_trainer_free(trainer);
}

static void
run_set(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, LIMIT);
	MrenExamples *set;
	MrenError err;

	if (mren_examples_parse(env, data, size, &set, &err) == MREN_OK)
	{
		uint8_t *flat = malloc(size + 1);

		if (mren_examples_flat_size(set) != size)
			abort();
		mren_examples_flatten(set, flat);
		if (memcmp(flat, data, size) != 0)
			abort();
		free(flat);
		train(env, set);
	}
	else if (set != NULL)
		abort();
	mren_examples_free(set);
	fuzz_done(&fuzz);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	unsigned mode;

	if (size == 0)
		return 0;
	mode = data[0];
	size--;
	/* Exactly as long, so that a sanitizer sees a read beyond the end; aligned. */
	copy = malloc(size > 0 ? size : 1);
	memcpy(copy, data + 1, size);
	switch (mode % 3)
	{
		case 0:
			if (mode % 2 == 0)
				mend_network(copy, size, 184);
			run_network(copy, size);
			break;
		case 1:
			if (mode % 2 == 0)
				mend_set(copy, size);
			run_set(copy, size);
			break;
		default:
			if (mode % 2 == 0)
				mend_record(copy, size);
			run_record(copy, size);
			break;
	}
	free(copy);
	return 0;
}
