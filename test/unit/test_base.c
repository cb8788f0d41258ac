/*
 * test_base.c
 *	  Errors, checked sizes, allocation, random numbers, hashes, GEMM.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "base/blas.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/size.h"
#include "base/slot_cache.h"

static void
failure_records_message_and_clears_the_rest(void **state)
{
	MrenError err;

	(void) state;
	assert_int_equal(mren_fail(&err, MREN_EDATA, "bad \"%s\"", "x"), MREN_EDATA);
	assert_string_equal(err.message, "bad \"x\"");
	mren_error_hint(&err, "Use %d.", 3);
	assert_string_equal(err.hint, "Use 3.");
	mren_fail(&err, MREN_EFORMAT, "other");
	assert_string_equal(err.hint, "");
	assert_int_equal(mren_fail(NULL, MREN_ELIMIT, "no record"), MREN_ELIMIT);
}

static void
long_message_is_cut_at_a_character(void **state)
{
	MrenError err;
	char text[1024];
	size_t len;

	(void) state;
	for (size_t shift = 0; shift < 3; shift++)
	{
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xE4\xB8\xAD", 4);
		mren_fail(&err, MREN_EDATA, "%s", text);
		len = strlen(err.message);
		assert_true(len < sizeof(err.message) && len > 500);
		assert_int_equal((len - shift) % 3, 0);
	}
}

static void
products_that_overflow_are_refused(void **state)
{
	size_t out;
	TestEnv test;
	MrenError err;
	void *ptr;

	(void) state;
	assert_false(mren_size_mul(SIZE_MAX / 2 + 1, 2, &out));
	assert_false(mren_size_add(SIZE_MAX, 1, &out));
	assert_true(mren_size_mul(3, 5, &out));
	assert_int_equal(out, 15);
	test_env_init(&test);
	assert_int_equal(mren_allocate(&test.env, SIZE_MAX, 8, &ptr, &err), MREN_ENOMEM);
	assert_null(ptr);
	assert_int_equal(test.n_allocations, 0);
}

static void
growing_keeps_what_was_there(void **state)
{
	TestEnv test;
	uint32_t *items = NULL;
	size_t capacity = 0;

	(void) state;
	test_env_init(&test);
	for (uint32_t i = 0; i < 1000; i++)
	{
		assert_int_equal(mren_grow(&test.env, &items, &capacity, i, i + 1, sizeof(*items), NULL),
						 MREN_OK);
		items[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	test.fail_at = test.n_allocations + 1;
	assert_int_equal(
		mren_grow(&test.env, &items, &capacity, 1000, capacity + 1, sizeof(*items), NULL),
		MREN_ENOMEM);
	assert_int_equal(items[999], 999);
	mren_release(&test.env, items);
	assert_int_equal(test.n_live, 0);
}

/* Three pieces of 4 MB and a byte: checks before the second, the third and the last. */
static void
clearing_much_memory_checks_for_interrupts(void **state)
{
	const size_t size = ((size_t) 12 << 20) + 1;
	TestEnv test;
	MrenError err = {0};
	uint8_t *bytes;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_allocate_zero(&test.env, size, 1, &bytes, &err), MREN_OK);
	assert_int_equal(test.n_checks, 3);
	for (size_t i = 0; i < size; i++)
	{
		if (bytes[i] != 0)
			fail_msg("byte %zu is %d", i, bytes[i]);
	}
	mren_release(&test.env, bytes);
	test.interrupt_at = test.n_checks + 2;
	assert_int_equal(mren_allocate_zero(&test.env, size, 1, &bytes, &err), MREN_ECANCELED);
	assert_null(bytes);
	assert_int_equal(test.n_live, 0);
}

static void
random_streams_differ_and_repeat(void **state)
{
	MrenRandom a, b, c;
	double sum = 0, squares = 0;
	uint32_t items[100];
	uint64_t seen = 0;

	(void) state;
	mren_random_seed(&a, 7, 1);
	mren_random_seed(&b, 7, 1);
	mren_random_seed(&c, 7, 2);
	for (int i = 0; i < 100; i++)
		assert_true(mren_random_next(&a) == mren_random_next(&b));
	assert_true(mren_random_next(&a) != mren_random_next(&c));
	for (int i = 0; i < 20000; i++)
	{
		float z = mren_random_normal(&a);
		float u = mren_random_uniform(&a);

		assert_true(u >= 0.0f && u < 1.0f);
		sum += z;
		squares += (double) z * z;
	}
	/* Mean and variance of 20,000 normals: five standard errors. */
	assert_true(fabs(sum / 20000) < 5 / sqrt(20000.0));
	assert_true(fabs(squares / 20000 - 1) < 5 * sqrt(2 / 20000.0));
	for (uint32_t i = 0; i < 100; i++)
		items[i] = i;
	mren_random_shuffle(&a, items, 100);
	for (int i = 0; i < 100; i++)
		seen += items[i];
	assert_int_equal(seen, 4950);
	for (int i = 0; i < 1000; i++)
		assert_true(mren_random_below(&a, 3) < 3);
}

static void
hashes_match_published_vectors(void **state)
{
	/* XXH3 of the empty input, from the xxHash specification. */
	static const uint8_t empty128[16] = {0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8,
										 0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f};
	MrenHash128 hash = mren_hash128("", 0);

	(void) state;
	assert_memory_equal(hash.bytes, empty128, 16);
	assert_true(mren_hash64("", 0, 0) == UINT64_C(0x2D06800538D394C2));
}

static void
gemm_equals_its_definition(void **state)
{
	float a[6] = {1, 2, 3, 4, 5, 6}; /* (2,3) */
	float b[6] = {1, 0, 2, 1, 0, 3}; /* (3,2) */
	float c[4] = {1, 1, 1, 1};
	float t[9] = {-1};
	static const float want[4] = {6, 12, 15, 24};					  /* a b + c */
	static const float want_t[9] = {2, 12, 24, 4, 18, 30, 6, 24, 36}; /* 2 a' b' */

	(void) state;
	mren_gemm(1, &(MrenProduct){.m = 2,
								.n = 2,
								.k = 3,
								.a = a,
								.lda = 3,
								.b = b,
								.ldb = 2,
								.beta = 1,
								.c = c,
								.ldc = 2});
	for (int i = 0; i < 4; i++)
		assert_true(c[i] == want[i]);
	mren_gemm(2, &(MrenProduct){.trans_a = true,
								.trans_b = true,
								.m = 3,
								.n = 3,
								.k = 2,
								.a = a,
								.lda = 3,
								.b = b,
								.ldb = 2,
								.c = t,
								.ldc = 3});
	for (int i = 0; i < 9; i++)
		assert_true(t[i] == want_t[i]);
}

/* Keys are found while their slots are theirs; the open row's are not taken; those used stay. */
static MrenStatus
fill_slots(const MrenEnv *env, MrenError *err, void *arg)
{
	static const int32_t long_key[4] = {1, 2, 3, 4};
	MrenSlotCache *cache;
	uint32_t first[2];
	bool fresh;

	(void) arg;
	MREN_TRY(mren_slot_cache_create(env, 8, 3, &cache, err));
	for (int32_t row = 0; row < 40; row++)
	{
		uint32_t slots[6];

		mren_slot_cache_begin(cache);
		for (int32_t i = 0; i < 6; i++)
		{
			/* Two keys of every row, and four of this one; the second is the first's beginning. */
			int32_t key[3] = {7, i == 0, i < 2 ? 0 : 4 * row + i};

			slots[i] = mren_slot_cache_find(cache, key, i == 1 ? 2 : 3, &fresh);
			assert_int_equal(fresh, row == 0 || i >= 2);
			assert_in_range(slots[i], 0, 7);
			for (int32_t j = 0; j < i; j++)
				assert_int_not_equal(slots[j], slots[i]);
		}
		for (int i = 0; i < 2; i++)
		{
			first[i] = row == 0 ? slots[i] : first[i];
			assert_int_equal(slots[i], first[i]);
		}
		/* A long key, or none, is never found. */
		assert_in_range(mren_slot_cache_find(cache, long_key, row % 2 == 0 ? 4 : 0, &fresh), 0, 7);
		assert_true(fresh);
	}
	mren_slot_cache_free(cache);
	return MREN_OK;
}

/* A cache grows by what it keeps: by twice when it is full, and to twice the row's slots at least. */
static void
slots_double_when_they_are_taken(void **state)
{
	TestEnv test;
	MrenSlotCache *cache;
	size_t first = mren_slot_cache_wanted(NULL, 3, 100000);
	bool fresh;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_slot_cache_slots(NULL), 0);
	assert_in_range(first, 6, 1000);
	assert_true(mren_slot_cache_wanted(NULL, 5 * first, 100000) >= 10 * first);
	assert_int_equal(mren_slot_cache_wanted(NULL, 3, 7), 7);
	assert_int_equal(mren_slot_cache_create(&test.env, first, 1, &cache, NULL), MREN_OK);
	assert_int_equal(mren_slot_cache_slots(cache), first);
	for (int32_t i = 0; i < (int32_t) first - 2; i++)
	{
		assert_int_equal(mren_slot_cache_wanted(cache, 3, 100000), first);
		mren_slot_cache_begin(cache);
		mren_slot_cache_find(cache, &i, 1, &fresh);
	}
	assert_int_equal(mren_slot_cache_wanted(cache, 2, 100000), first);
	assert_int_equal(mren_slot_cache_wanted(cache, 3, 100000), 2 * first);
	assert_int_equal(mren_slot_cache_wanted(cache, 3, first), first);
	assert_int_equal(mren_slot_cache_grow(cache, 2 * first, NULL), MREN_OK);
	assert_int_equal(mren_slot_cache_slots(cache), 2 * first);
	for (int32_t i = 0; i < (int32_t) first - 2; i++)
	{
		assert_int_equal(mren_slot_cache_find(cache, &i, 1, &fresh), i);
		assert_false(fresh);
	}
	mren_slot_cache_free(cache);
	assert_int_equal(test.n_live, 0);
}

static void
slots_are_found_by_their_keys(void **state)
{
	(void) state;
	test_allocation_sweep(fill_slots, NULL);
	mren_slot_cache_free(NULL);
}

#define MANY 3000

/* Keys found several at a time and then one by one. */
static MrenStatus
fill_many_slots(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenSlotCache *cache;
	uint32_t slots[MANY];

	(void) arg;
	MREN_TRY(mren_slot_cache_create(env, MANY + 2, 2, &cache, err));
	for (int32_t i = 0; i < MANY; i += 2)
	{
		int32_t numbers[4] = {i / 3, i, i / 3, i + 1};
		MrenSlotKey keys[3] = {{numbers, 2}, {numbers + 2, 2}, {numbers, 2}};
		uint32_t found[3];
		bool fresh[3];

		mren_slot_cache_begin(cache);
		mren_slot_cache_find_all(cache, keys, 3, found, fresh);
		assert_true(fresh[0] && fresh[1] && !fresh[2]);
		assert_int_equal(found[0], found[2]);
		memcpy(slots + i, found, 2 * sizeof(*found));
	}
	for (int32_t i = 0; i < MANY; i++)
	{
		int32_t key[2] = {(i - i % 2) / 3, i};
		bool fresh;

		assert_int_equal(mren_slot_cache_find(cache, key, 2, &fresh), slots[i]);
		assert_false(fresh);
	}
	mren_slot_cache_free(cache);
	return MREN_OK;
}

static void
slots_are_found_several_at_a_time(void **state)
{
	(void) state;
	test_allocation_sweep(fill_many_slots, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failure_records_message_and_clears_the_rest),
		cmocka_unit_test(long_message_is_cut_at_a_character),
		cmocka_unit_test(products_that_overflow_are_refused),
		cmocka_unit_test(growing_keeps_what_was_there),
		cmocka_unit_test(clearing_much_memory_checks_for_interrupts),
		cmocka_unit_test(random_streams_differ_and_repeat),
		cmocka_unit_test(hashes_match_published_vectors),
		cmocka_unit_test(gemm_equals_its_definition),
		cmocka_unit_test(slots_are_found_by_their_keys),
		cmocka_unit_test(slots_double_when_they_are_taken),
		cmocka_unit_test(slots_are_found_several_at_a_time),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
