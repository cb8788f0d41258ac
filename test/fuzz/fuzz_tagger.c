/*
 * fuzz_tagger.c
 *	  Any bytes as a tagger or as a record of its training.
 *
 * The first byte says which, and whether the checksums are made to match, so
 * that what lies after them is reached.  What is accepted is used: a tagger
 * tags and writes itself again, a record's mentions are read.
 */
#include "fuzz.h"
#include "fuzz_encoder.h"
#include "fuzz_mend.h"

#include <string.h>

#include "tagger/tag_example.h"
#include "tagger/tagger.h"

#define LIMIT ((size_t) 64 << 20)
#define MAX_DIM 64

static const float *
get_vector(void *state, int32_t id)
{
	(void) id;
	return state;
}

static void
try_tagger(const MrenEnv *env, const uint8_t *data, size_t size)
{
	static const int32_t words[3] = {0, -1, 2};
	static const uint8_t shapes[3] = {1, 2, 31};
	static const uint32_t starts[4] = {0, 2, 4, 7};
	static const uint32_t features[7] = {1, 2, 3, 4, 5, 6, 0xffffffffu};
	static const uint64_t lexicons[3] = {~UINT64_C(0), 0, 5};
	static const uint32_t windows[1] = {5};
	static const int32_t ids[5] = {1, 3, 4, 5, 2};
	static const uint32_t firsts[3] = {1, UINT32_MAX, 3};
	static float zeros[MAX_DIM];
	const MrenTagInput input = {
		3, words, shapes, starts, features, lexicons, {1, windows, 5, ids, firsts}, NULL};
	const MrenEncoderSource encoder = fuzz_encoder();
	const MrenWordVectors vectors = {zeros, MAX_DIM, get_vector};
	MrenTagger *tagger;
	MrenTaggerInfo info;
	MrenTagged *found;
	MrenError err;
	uint8_t *bytes;
	size_t n;

	if (mren_tagger_deserialize(env, data, size, &tagger, &err) != MREN_OK)
		return;
	mren_tagger_info(tagger, &info);
	if (info.encoder_dim > 0)
		(void) mren_tagger_attach_encoder(tagger, &encoder, &err);
	if (info.embedding_dim <= MAX_DIM &&
		mren_tagger_tag(tagger, env, &vectors, &input, &found, &n, &err) == MREN_OK)
		mren_release(env, found);
	if (mren_tagger_serialize(tagger, env, &bytes, &n, &err) == MREN_OK)
	{
		if (n != size || memcmp(bytes, data, n) != 0)
			__builtin_trap();
		mren_release(env, bytes);
	}
	mren_tagger_free(env, tagger);
}

static void
try_record(const uint8_t *data, size_t size)
{
	MrenTagExample example;
	MrenError err;
	size_t len;

	if (mren_tag_example_read(data, size, &example, &len, &err) != MREN_OK)
		return;
	for (size_t i = 0; i < example.n_mentions; i++)
	{
		MrenTagMention mention = mren_tag_example_mention(&example, i);

		if (mention.end > example.input.n_words || mention.first >= mention.end)
			__builtin_trap();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzEnv fuzz;
	const MrenEnv *env = fuzz_env(&fuzz, LIMIT);
	uint8_t *copy;
	MrenError err;

	if (size < 1 || mren_allocate(env, size, 1, &copy, &err) != MREN_OK)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if ((data[0] & 1) != 0 && (data[0] & 2) != 0 && size - 1 >= 16)
		store_u64(copy + 8, mren_hash64(copy + 16, size - 17, copy[4]));
	else if ((data[0] & 2) != 0)
		mend_network(copy, size - 1, 160);
	if ((data[0] & 1) != 0)
		try_record(copy, size - 1);
	else
		try_tagger(env, copy, size - 1);
	mren_release(env, copy);
	fuzz_done(&fuzz);
	return 0;
}
