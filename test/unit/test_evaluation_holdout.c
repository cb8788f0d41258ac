/*
 * test_evaluation_holdout.c
 *	  Which rows are held out: a share of them, by what they say alone, and the
 *	  smaller share within the larger.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "evaluation/holdout.h"
#include "text/normal.h"

#define N 20000

static uint64_t
key_of(const char *sentence)
{
	TestEnv test;
	MrenError err;
	char *normal;
	size_t len;
	uint64_t key;

	test_env_init(&test);
	assert_int_equal(
		mren_text_normalize(&test.env, sentence, strlen(sentence), &normal, &len, &err), MREN_OK);
	assert_int_equal(strlen(normal), len);
	key = mren_holdout_key(normal, len, NULL);
	mren_release(&test.env, normal);
	assert_int_equal(test.n_live, 0);
	return key;
}

static void
assert_normal(const char *text, const char *want)
{
	TestEnv test;
	MrenError err;
	char *normal;
	size_t len;

	test_env_init(&test);
	assert_int_equal(mren_text_normalize(&test.env, text, strlen(text), &normal, &len, &err),
					 MREN_OK);
	assert_string_equal(normal, want);
	mren_release(&test.env, normal);
}

static void
case_and_white_space_do_not_count(void **state)
{
	(void) state;
	assert_normal("", "");
	assert_normal(" \t\n ", "");
	assert_normal("  The  Wheel\tof a\xC2\xA0"
				  "car ",
				  "the wheel of a car");
	/* U+00C4; U+023A, whose folded form is a byte longer */
	assert_normal("\xC3\x84pfel", "\xC3\xA4pfel");
	assert_normal("\xC8\xBA\xC8\xBA\xC8\xBA", "\xE2\xB1\xA5\xE2\xB1\xA5\xE2\xB1\xA5");
	/* U+3000, the ideographic space */
	assert_normal("\xE4\xB8\xAD\xE3\x80\x80\xE6\x96\x87", "\xE4\xB8\xAD \xE6\x96\x87");
	/* what is not UTF-8 stays */
	assert_normal("A\xFF B", "a\xFF b");
	assert_true(key_of("The wheel") == key_of(" the  WHEEL"));
	assert_true(key_of("The wheel") != key_of("The wheels"));
}

static MrenStatus
normalize_once(const MrenEnv *env, MrenError *err, void *arg)
{
	char *normal;
	size_t len;

	MREN_TRY(mren_text_normalize(env, arg, strlen(arg), &normal, &len, err));
	mren_release(env, normal);
	return MREN_OK;
}

static void
normalizing_survives_failed_allocations(void **state)
{
	(void) state;
	test_allocation_sweep(normalize_once, "A wheel");
}

/* A binomial share: 5 deviations of sqrt(p (1 - p) / n) are 0.0141 for p = 0.2. */
static void
about_the_share_is_held_and_nested(void **state)
{
	size_t held = 0;

	(void) state;
	for (size_t i = 0; i < N; i++)
	{
		char sentence[32];
		uint64_t key;

		snprintf(sentence, sizeof(sentence), "sentence %zu", i);
		key = mren_holdout_key(sentence, strlen(sentence), NULL);
		held += mren_holdout_holds(key, 0.2);
		if (mren_holdout_holds(key, 0.1))
			assert_true(mren_holdout_holds(key, 0.2));
		assert_false(mren_holdout_holds(key, 0));
		assert_true(mren_holdout_holds(key, 1));
	}
	assert_true(held > (0.2 - 0.0141) * N && held < (0.2 + 0.0141) * N);
}

static void
images_and_groups_have_keys_of_their_own(void **state)
{
	const MrenHash128 one = {{1}};
	const MrenHash128 two = {{2}};
	uint64_t plain = mren_holdout_key("a", 1, NULL);

	(void) state;
	assert_true(plain != mren_holdout_key("a", 1, &one));
	assert_true(mren_holdout_key("a", 1, &one) != mren_holdout_key("a", 1, &two));
	assert_true(mren_holdout_key("a", 1, &one) != mren_holdout_key("b", 1, &one));
	assert_true(plain != mren_holdout_group_key("a", 1));
}

/*
 * Later releases must hold out the same rows: XXH3 with seeds 3, 4 and 5 over
 * little-endian bytes, as xxhsum's library computes it.
 */
static void
keys_stay_what_they_are(void **state)
{
	const MrenHash128 image = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

	(void) state;
	assert_true(mren_holdout_key("the wheel", 9, NULL) == mren_hash64("the wheel", 9, 3));
	assert_true(mren_holdout_key("the wheel", 9, &image) ==
				mren_hash64(image.bytes, 16, mren_hash64("the wheel", 9, 3)));
	assert_true(mren_holdout_group_key("g", 1) == mren_hash64("g", 1, 4));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_and_white_space_do_not_count),
		cmocka_unit_test(normalizing_survives_failed_allocations),
		cmocka_unit_test(about_the_share_is_held_and_nested),
		cmocka_unit_test(images_and_groups_have_keys_of_their_own),
		cmocka_unit_test(keys_stay_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
