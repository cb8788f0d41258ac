/*
 * weights.c
 *	  Recording blocks, and finding them in a file.
 *
 * The file, in the machine's own byte order:
 *	 0 "MRENwts1"   8 u64 length of the file   16 key (32)   48 u64 number of blocks
 *	56 u64 checksum of the other bytes of the header
 *	64 u64 length of each block; then the blocks, each at a multiple of 64
 */
#include "base/weights.h"

#include <string.h>

#include "base/hash.h"
#include "base/size.h"

#define MAGIC "MRENwts1"
#define FIXED 64
#define CHECKSUM 56 /* its place */

static MrenStatus
fail_file(MrenError *err, const char *what)
{
	return mren_fail(err, MREN_EFORMAT, "invalid file of weights: %s", what);
}

void
mren_weights_record(MrenWeights *weights, const MrenEnv *env)
{
	*weights = (MrenWeights){.env = *env};
	weights->env.weights = NULL;
}

void
mren_weights_close(MrenWeights *weights)
{
	if (weights == NULL)
		return;
	mren_release(&weights->env, weights->blocks);
	weights->blocks = NULL;
	weights->n = weights->capacity = weights->next = 0;
}

MrenEnv
mren_weights_env(MrenWeights *weights)
{
	MrenEnv env = weights->env;

	env.weights = weights;
	return env;
}

/* Bytes of a header for n blocks; false on overflow. */
static bool
header_size(size_t n, size_t *size)
{
	return mren_size_mul(n, sizeof(uint64_t), size) && mren_size_add(*size, FIXED, size) &&
		   *size <= SIZE_MAX - MREN_ALIGNMENT;
}

/* Where the file ends after a block at `at`; false on overflow. */
static bool
block_end(size_t at, size_t len, size_t *end)
{
	return mren_size_add(at, len, end) && *end <= SIZE_MAX - MREN_ALIGNMENT;
}

static uint64_t
checksum(const uint8_t *header, size_t len)
{
	return mren_hash64(header + FIXED, len - FIXED, mren_hash64(header, CHECKSUM, len));
}

static uint64_t
number_at(const uint8_t *bytes, size_t at)
{
	uint64_t number;

	memcpy(&number, bytes + at, sizeof(number));
	return number;
}

/* The header's length if it is whole and of this key. */
static MrenStatus
check_header(const uint8_t *bytes, size_t len, const uint8_t *key, size_t *header, MrenError *err)
{
	if (len < FIXED || memcmp(bytes, MAGIC, 8) != 0)
		return fail_file(err, "it does not begin as one");
	if (number_at(bytes, 8) != len)
		return fail_file(err, "it does not have its length");
	if (memcmp(bytes + 16, key, MREN_WEIGHTS_KEY) != 0)
		return fail_file(err, "it has other content");
	if (!header_size(number_at(bytes, 48), header) || *header > len)
		return fail_file(err, "its header does not fit");
	if (number_at(bytes, CHECKSUM) != checksum(bytes, *header))
		return fail_file(err, "its checksum does not match");
	return MREN_OK;
}

static MrenStatus
find_blocks(MrenWeights *weights, size_t header, MrenError *err)
{
	size_t at = mren_weights_align(header);

	for (size_t i = 0; i < weights->n; i++)
	{
		size_t len = number_at(weights->bytes, FIXED + i * sizeof(uint64_t));
		size_t end;

		if (!block_end(at, len, &end) || end > weights->len)
			return fail_file(err, "a block does not fit");
		weights->blocks[i] = (MrenWeightsBlock){weights->bytes + at, len};
		at = mren_weights_align(end);
	}
	return MREN_OK;
}

MrenStatus
mren_weights_attach(MrenWeights *weights, const MrenEnv *env, const uint8_t *bytes, size_t len,
					const uint8_t *key, MrenError *err)
{
	size_t header;
	MrenStatus status;

	mren_weights_record(weights, env);
	MREN_TRY(check_header(bytes, len, key, &header, err));
	weights->ready = true;
	weights->bytes = bytes;
	weights->len = len;
	weights->n = number_at(bytes, 48);
	MREN_TRY(
		mren_allocate(&weights->env, weights->n, sizeof(MrenWeightsBlock), &weights->blocks, err));
	weights->capacity = weights->n;
	status = find_blocks(weights, header, err);
	if (status != MREN_OK)
		mren_weights_close(weights);
	return status;
}

MrenStatus
mren_weights_add(MrenWeights *weights, const void *data, size_t len, MrenError *err)
{
	MREN_TRY(mren_grow(&weights->env, &weights->blocks, &weights->capacity, weights->n,
					   weights->n + 1, sizeof(MrenWeightsBlock), err));
	weights->blocks[weights->n++] = (MrenWeightsBlock){data, len};
	return MREN_OK;
}

/* The next block of the file, which is never written to. */
static MrenStatus
take_block(MrenWeights *weights, size_t len, void *out, MrenError *err)
{
	const MrenWeightsBlock *block = &weights->blocks[weights->next];

	if (weights->next >= weights->n || block->len != len)
		return fail_file(err, "its blocks are not those that are needed");
	weights->next++;
	memcpy(out, &block->data, sizeof(block->data));
	return MREN_OK;
}

/* Records what has been allocated, or releases it. */
static MrenStatus
record(const MrenEnv *env, void *ptr, size_t len, void *out, MrenError *err)
{
	MrenStatus status =
		env->weights != NULL ? mren_weights_add(env->weights, ptr, len, err) : MREN_OK;

	if (status != MREN_OK)
	{
		mren_release(env, ptr);
		ptr = NULL;
	}
	memcpy(out, &ptr, sizeof(ptr));
	return status;
}

MrenStatus
mren_allocate_weights(const MrenEnv *env, size_t n, size_t size, void *out, bool *filled,
					  MrenError *err)
{
	void *ptr;
	size_t len;

	*filled = mren_weights_ready(env);
	if (!mren_size_mul(n, size, &len))
		return mren_fail_nomem(err);
	if (*filled)
		return take_block(env->weights, len, out, err);
	MREN_TRY(mren_allocate(env, n, size, &ptr, err));
	return record(env, ptr, len, out, err);
}

MrenStatus
mren_allocate_weights_zero(const MrenEnv *env, size_t n, size_t size, void *out, bool *filled,
						   MrenError *err)
{
	void *ptr;

	if (mren_weights_ready(env))
		return mren_allocate_weights(env, n, size, out, filled, err);
	*filled = false;
	MREN_TRY(mren_allocate_zero(env, n, size, &ptr, err));
	return record(env, ptr, n * size, out, err);
}

bool
mren_weights_ready(const MrenEnv *env)
{
	return env->weights != NULL && env->weights->ready;
}

bool
mren_weights_have(const MrenWeights *weights, const void *ptr)
{
	uintptr_t at = (uintptr_t) ptr;

	return weights != NULL && weights->ready && at >= (uintptr_t) weights->bytes &&
		   at <= (uintptr_t) weights->bytes + weights->len;
}

MrenStatus
mren_weights_block(const MrenWeights *weights, size_t i, MrenWeightsBlock *block, MrenError *err)
{
	if (i >= weights->n)
		return fail_file(err, "it has fewer blocks than are needed");
	*block = weights->blocks[i];
	return MREN_OK;
}

MrenStatus
mren_weights_next(const MrenEnv *env, MrenWeightsBlock *block, MrenError *err)
{
	MREN_TRY(mren_weights_block(env->weights, env->weights->next, block, err));
	env->weights->next++;
	return MREN_OK;
}

size_t
mren_weights_file_size(const MrenWeights *weights)
{
	size_t end;

	if (!header_size(weights->n, &end))
		return 0;
	for (size_t i = 0; i < weights->n; i++)
	{
		if (!block_end(mren_weights_align(end), weights->blocks[i].len, &end))
			return 0;
	}
	return end;
}

MrenStatus
mren_weights_header(const MrenWeights *weights, const uint8_t *key, MrenBuffer *header,
					MrenError *err)
{
	uint64_t numbers[2] = {mren_weights_file_size(weights), weights->n};
	uint64_t sum;
	size_t size;

	*header = (MrenBuffer){0};
	if (numbers[0] == 0 || !header_size(weights->n, &size))
		return mren_fail_nomem(err);
	MREN_TRY(mren_buffer_reserve(&weights->env, header, size, err));
	mren_buffer_put_bytes(header, MAGIC, 8);
	mren_buffer_put_bytes(header, &numbers[0], sizeof(uint64_t));
	mren_buffer_put_bytes(header, key, MREN_WEIGHTS_KEY);
	mren_buffer_put_bytes(header, &numbers[1], sizeof(uint64_t));
	mren_buffer_put_zeros(header, sizeof(uint64_t));
	for (size_t i = 0; i < weights->n; i++)
	{
		uint64_t len = weights->blocks[i].len;

		mren_buffer_put_bytes(header, &len, sizeof(len));
	}
	sum = checksum(header->data, header->len);
	memcpy(header->data + CHECKSUM, &sum, sizeof(sum));
	return MREN_OK;
}
