/*
 * test_text_mention_tags.c
 *	  Mentions from BIO, BIOES, BILOU and IOB1 tags.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "text/mention_tags.h"

#define MAX_TAGS 16

static MrenError err;

/* Tags in a line as mentions "first-end type", or the error. */
static const char *
read_tags(const char *line)
{
	static char out[512];
	char copy[256];
	MrenTextSpan tags[MAX_TAGS];
	MrenTokenMention mentions[MAX_TAGS];
	size_t n = 0;
	size_t n_mentions;
	char *at = out;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *tag = strtok(copy, " "); tag != NULL; tag = strtok(NULL, " "))
	{
		assert_true(n < MAX_TAGS);
		tags[n++] = (MrenTextSpan){tag, strlen(tag)};
	}
	memset(&err, 0, sizeof(err));
	*out = '\0';
	if (mren_mention_tags_read(tags, n, mentions, &n_mentions, &err) != MREN_OK)
		return err.message;
	for (size_t i = 0; i < n_mentions; i++)
		at += sprintf(at, "%s%u-%u %.*s", i > 0 ? ", " : "", mentions[i].first, mentions[i].end,
					  (int) mentions[i].type.len, mentions[i].type.data);
	return out;
}

/* The same mentions in each of the schemes. */
static void
schemes_mean_the_same(void **state)
{
	static const char expected[] = "0-2 per, 2-3 org, 4-7 a-b";

	(void) state;
	assert_string_equal(read_tags("B-per I-per B-org O B-a-b I-a-b I-a-b"), expected);
	assert_string_equal(read_tags("B-per E-per S-org O B-a-b I-a-b E-a-b"), expected);
	assert_string_equal(read_tags("B-per L-per U-org O B-a-b I-a-b L-a-b"), expected);
	assert_string_equal(read_tags("I-per I-per I-org O I-a-b I-a-b I-a-b"), expected);
	assert_string_equal(read_tags(""), "");
	assert_string_equal(read_tags("O O"), "");
}

/* Only a mention that touches another of its type begins with B in IOB1. */
static void
mentions_that_touch_are_told_apart(void **state)
{
	(void) state;
	assert_string_equal(read_tags("I-x I-x B-x I-x"), "0-2 x, 2-4 x");
	assert_string_equal(read_tags("I-x B-x B-x"), "0-1 x, 1-2 x, 2-3 x");
	assert_string_equal(read_tags("B-x I-x B-x I-x"), "0-2 x, 2-4 x");
	assert_string_equal(read_tags("E-x"), "tag \"E-x\" of token 1 continues no mention");
	assert_string_equal(read_tags("S-x S-x"), "0-1 x, 1-2 x");
}

static void
what_can_be_no_scheme_is_refused_with_a_hint(void **state)
{
	static const char *const bad[] = {"B", "B-", "X-Person", "b-Person", "o", "OO", "Person"};
	char expected[64];

	(void) state;
	assert_string_equal(read_tags("B-x O I-x"), "tag \"I-x\" of token 3 continues no mention");
	assert_non_null(strstr(err.hint, "IOB1"));
	assert_int_equal(err.status, MREN_EDATA);
	assert_string_equal(read_tags("B-x I-y"), "tag \"I-y\" of token 2 continues no mention");
	assert_string_equal(read_tags("U-x I-x"), "tag \"I-x\" of token 2 continues no mention");
	assert_string_equal(read_tags("B-x L-x I-x"), "tag \"I-x\" of token 3 continues no mention");
	assert_string_equal(read_tags("I-x O L-x"), "tag \"I-x\" of token 1 continues no mention");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		char line[32];

		snprintf(line, sizeof(line), "O %s", bad[i]);
		snprintf(expected, sizeof(expected), "invalid tag \"%s\" of token 2", bad[i]);
		assert_string_equal(read_tags(line), expected);
		assert_non_null(strstr(err.hint, "B-Person"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schemes_mean_the_same),
		cmocka_unit_test(mentions_that_touch_are_told_apart),
		cmocka_unit_test(what_can_be_no_scheme_is_refused_with_a_hint),
	};

	return cmocka_run_group_tests_name("mention tags", tests, NULL, NULL);
}
