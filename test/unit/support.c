/*
 * support.c
 *	  The counting environment and the sweeps over it.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* In front of each block: its size, padded so that the block stays aligned. */
#define HEADER MREN_ALIGNMENT

static void *
test_allocate(void *state, size_t size)
{
	TestEnv *test = state;
	char *block = NULL;

	test->n_allocations++;
	if (test->n_allocations == test->fail_at || size > SIZE_MAX - 2 * HEADER)
		return NULL;
	/* Requests no machine could meet fail as they would in the server. */
	if (size > ((size_t) 1 << 36))
		return NULL;
	if (posix_memalign((void **) &block, MREN_ALIGNMENT, size + HEADER) != 0)
		return NULL;
	memcpy(block, &size, sizeof(size));
	memset(block + HEADER, 0xA5, size);
	test->n_live++;
	test->live_bytes += size;
	if (test->live_bytes > test->peak_bytes)
		test->peak_bytes = test->live_bytes;
	return block + HEADER;
}

static void
test_release(void *state, void *ptr)
{
	TestEnv *test = state;
	char *block = ptr;
	size_t size;

	if (ptr == NULL)
		return;
	block -= HEADER;
	memcpy(&size, block, sizeof(size));
	test->n_live--;
	test->live_bytes -= size;
	free(block);
}

static bool
test_interrupted(void *state)
{
	TestEnv *test = state;

	test->n_checks++;
	return test->interrupt_at != 0 && test->n_checks >= test->interrupt_at;
}

void
test_env_init(TestEnv *test)
{
	memset(test, 0, sizeof(*test));
	test->env.state = test;
	test->env.allocate = test_allocate;
	test->env.release = test_release;
	test->env.interrupted = test_interrupted;
}

void
test_allocation_sweep(TestCall call, void *arg)
{
	MrenStatus status = MREN_ENOMEM;

	for (size_t n = 1; status != MREN_OK; n++)
	{
		TestEnv test;
		MrenError err = {0};

		test_env_init(&test);
		test.fail_at = n;
		status = call(&test.env, &err, arg);
		assert_int_equal(test.n_live, 0);
		if (status != MREN_OK)
		{
			assert_int_equal(status, MREN_ENOMEM);
			assert_int_equal(err.status, MREN_ENOMEM);
		}
		else
			assert_true(n > test.n_allocations);
		assert_true(n < 100000);
	}
}

void
test_interrupt_sweep(TestCall call, void *arg)
{
	MrenStatus status = MREN_ECANCELED;
	size_t n_canceled = 0;

	for (size_t n = 1; status != MREN_OK; n++)
	{
		TestEnv test;
		MrenError err = {0};

		test_env_init(&test);
		test.interrupt_at = n;
		status = call(&test.env, &err, arg);
		assert_int_equal(test.n_live, 0);
		if (status != MREN_OK)
		{
			assert_int_equal(status, MREN_ECANCELED);
			n_canceled++;
		}
		assert_true(n < 100000);
	}
	/* A call that never asks would pass at once: that is the defect looked for. */
	assert_true(n_canceled > 0);
}

uint8_t *
test_read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long size;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0)
	{
		rewind(file);
		data = malloc((size_t) size + 1);
		if (data != NULL && fread(data, 1, (size_t) size, file) != (size_t) size)
		{
			free(data);
			data = NULL;
		}
		*len = (size_t) size;
	}
	fclose(file);
	return data;
}

const char *
test_shared_data(void)
{
	const char *path = getenv("MREN_TEST_DATA");

	return path != NULL && path[0] != '\0' ? path : NULL;
}

float *
test_random_floats(size_t n, uint64_t seed)
{
	float *x = aligned_alloc(64, (n * sizeof(float) + 127) / 64 * 64);
	MrenRandom random;

	mren_random_seed(&random, seed, 0);
	for (size_t i = 0; i < n; i++)
		x[i] = mren_random_normal(&random);
	return x;
}
