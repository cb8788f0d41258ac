/*
 * test_text_lexicon.c
 *	  Folding, phrases found in a text, look-up of spans; against a plain
 *	  reference that tries every phrase everywhere.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "text/lexicon/lexicon.h"
#include "base/utf8.h"

typedef struct Fixture
{
	TestEnv test;
	MrenTokenizer *tokenizer;
	MrenLexicon *lexicon;
	MrenFolded folded;
	MrenLexiconMatches matches;
} Fixture;

static void
open_fixture(Fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	test_env_init(&fixture->test);
	assert_int_equal(mren_tokenizer_open(&fixture->test.env, &fixture->tokenizer, NULL), MREN_OK);
	assert_int_equal(mren_lexicon_create(&fixture->test.env, &fixture->lexicon, NULL), MREN_OK);
}

static void
close_fixture(Fixture *fixture)
{
	mren_lexicon_free(fixture->lexicon);
	mren_folded_free(&fixture->test.env, &fixture->folded);
	mren_lexicon_matches_free(&fixture->test.env, &fixture->matches);
	mren_tokenizer_close(fixture->tokenizer);
	assert_int_equal(fixture->test.n_live, 0);
}

static MrenStatus
add(Fixture *fixture, const char *phrase, const char *type, double confidence, MrenError *err)
{
	return mren_lexicon_add(fixture->lexicon, fixture->tokenizer,
							(MrenTextSpan){phrase, strlen(phrase)},
							(MrenTextSpan){type, strlen(type)}, confidence, err);
}

/* A lexicon of phrases, each its own type, ended by NULL. */
static void
open_phrases(Fixture *fixture, const char *const *phrases)
{
	open_fixture(fixture);
	for (; *phrases != NULL; phrases++)
		assert_int_equal(add(fixture, *phrases, *phrases, 1, NULL), MREN_OK);
	assert_int_equal(mren_lexicon_finish(fixture->lexicon, NULL), MREN_OK);
}

static void
fold(Fixture *fixture, const char *text)
{
	assert_int_equal(mren_fold(fixture->tokenizer, &fixture->test.env, text, strlen(text),
							   &fixture->folded, NULL),
					 MREN_OK);
}

/* The folded words of text joined by "|". */
static const char *
folded(Fixture *fixture, const char *text)
{
	static char out[4096];
	size_t used = 0;

	fold(fixture, text);
	for (size_t i = 0; i < fixture->folded.n; i++)
	{
		uint32_t start = fixture->folded.starts[i];
		uint32_t n = fixture->folded.starts[i + 1] - start;

		if (i > 0)
			out[used++] = '|';
		memcpy(out + used, fixture->folded.bytes + start, n);
		used += n;
	}
	out[used] = '\0';
	return out;
}

/* What is found in text, as it stands there, joined by "|". */
static const char *
found(Fixture *fixture, const char *text)
{
	static char out[4096];
	size_t used = 0;

	fold(fixture, text);
	assert_int_equal(mren_lexicon_match(fixture->lexicon, &fixture->test.env, &fixture->folded,
										&fixture->matches, NULL),
					 MREN_OK);
	for (size_t i = 0; i < fixture->matches.n; i++)
	{
		MrenLexiconMatch match = fixture->matches.items[i];
		uint32_t start = fixture->folded.words[match.first].start;
		uint32_t end = fixture->folded.words[match.end - 1].end;

		if (i > 0)
			out[used++] = '|';
		memcpy(out + used, text + start, end - start);
		used += end - start;
	}
	out[used] = '\0';
	return out;
}

static const char *
first_type(Fixture *fixture)
{
	size_t len;

	assert_true(fixture->matches.n > 0);
	return mren_lexicon_type(fixture->lexicon, fixture->matches.items[0].entries[0].type, &len);
}

/* Foldings as Unicode's CaseFolding.txt and UnicodeData.txt give them. */
static void
words_are_folded_as_unicode_says(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	assert_string_equal(folded(&fixture, "The QUICK fox"), "the|quick|fox");
	assert_string_equal(folded(&fixture, "Stra\xC3\x9F"
										 "e STRASSE"),
						"strasse|strasse");
	/* U+017F, the long s, and U+1E9E, the capital sharp s. */
	assert_string_equal(folded(&fixture, "\xC5\xBFon \xE1\xBA\x9E"), "son|ss");
	/* U+0130, the dotted capital, and U+0131, the dotless i, are both i. */
	assert_string_equal(folded(&fixture, "\xC4\xB0I\xC4\xB1"), "iii");
	/* "é" decomposed and composed; the ligature U+FB01; full-width letters. */
	assert_string_equal(folded(&fixture, "CAFE\xCC\x81 caf\xC3\xA9"), "caf\xC3\xA9|caf\xC3\xA9");
	assert_string_equal(folded(&fixture, "\xEF\xAC\x81t \xEF\xBC\xA9\xEF\xBC\xA2\xEF\xBC\xAD"),
						"fit|ibm");
	/* A soft hyphen and a zero-width joiner are invisible. */
	assert_string_equal(folded(&fixture, "co\xC2\xADop a\xE2\x80\x8D"
										 "b"),
						"coop|ab");
	/* The final sigma. */
	assert_string_equal(folded(&fixture, "\xCE\xA3\xCE\x91\xCE\xA3 \xCF\x83\xCE\xB1\xCF\x82"),
						"\xCF\x83\xCE\xB1\xCF\x83|\xCF\x83\xCE\xB1\xCF\x83");
	close_fixture(&fixture);
}

static void
words_are_cut_at_endings_and_between_characters_without_spaces(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	assert_string_equal(folded(&fixture, "Cosby's Cosby\xE2\x80\x99s can't"),
						"cosby|'|s|cosby|'|s|ca|n't");
	/* An apostrophe further back is none of an ending's. */
	assert_string_equal(folded(&fixture, "d'\xC3\x9Fs x'abs"), "d'sss|x'abs");
	/* As tokenized corpora have it. */
	assert_string_equal(folded(&fixture, "Cosby 's ca n't"), "cosby|'|s|ca|n't");
	/* 中国人 and ABC中, each character by itself. */
	assert_string_equal(folded(&fixture, "\xE4\xB8\xAD\xE5\x9B\xBD\xE4\xBA\xBA A\xE4\xB8\xAD"),
						"\xE4\xB8\xAD|\xE5\x9B\xBD|\xE4\xBA\xBA|a|\xE4\xB8\xAD");
	/* Half-width カ with its voicing mark composes to ガ. */
	assert_string_equal(folded(&fixture, "\xEF\xBD\xB6\xEF\xBE\x9E"), "\xE3\x82\xAC");
	assert_string_equal(folded(&fixture, "AT & T, AT&T"), "at|&|t|,|at|&|t");
	assert_string_equal(folded(&fixture, ""), "");
	close_fixture(&fixture);
}

static void
positions_are_those_of_the_text(void **state)
{
	Fixture fixture;
	size_t first;
	size_t end;

	(void) state;
	open_fixture(&fixture);
	/* "é's 中b": bytes 0-2 é, 2-4 's, 5-8 中, 8-9 b. */
	fold(&fixture, "\xC3\xA9's \xE4\xB8\xAD"
				   "b");
	assert_int_equal(fixture.folded.n, 5);
	assert_int_equal(fixture.folded.words[1].start, 2);
	assert_int_equal(fixture.folded.words[1].char_start, 1);
	assert_int_equal(fixture.folded.words[1].char_end, 2);
	assert_int_equal(fixture.folded.words[2].char_end, 3);
	assert_int_equal(fixture.folded.words[3].start, 5);
	assert_int_equal(fixture.folded.words[3].char_start, 4);
	assert_int_equal(fixture.folded.words[4].char_start, 5);
	assert_int_equal(fixture.folded.words[4].end, 9);
	mren_folded_within(&fixture.folded, 0, 9, &first, &end);
	assert_int_equal(first, 0);
	assert_int_equal(end, 5);
	mren_folded_within(&fixture.folded, 1, 8, &first, &end);
	assert_int_equal(first, 1);
	assert_int_equal(end, 4);
	mren_folded_within(&fixture.folded, 6, 7, &first, &end);
	assert_int_equal(first, end);
	close_fixture(&fixture);
}

static void
the_longest_phrase_wins(void **state)
{
	static const char *const phrases[] = {
		"New York", "New", "York University Press", "York", "a b", "b c d e", "c d", "d",
		"e",		NULL};
	Fixture fixture;

	(void) state;
	open_phrases(&fixture, phrases);
	assert_string_equal(found(&fixture, "in New York, NEW  YORK"), "New York|NEW  YORK");
	/* The longest takes York, and leaves New, which is a phrase too. */
	assert_string_equal(found(&fixture, "the New York University Press"),
						"New|York University Press");
	assert_string_equal(found(&fixture, "New York University"), "New York");
	assert_string_equal(found(&fixture, "a b c d e"), "b c d e");
	assert_string_equal(found(&fixture, "a b c d"), "a b|c d");
	assert_string_equal(found(&fixture, "Newer Yorks new-york"), "new|york");
	assert_string_equal(found(&fixture, "no such thing"), "");
	assert_string_equal(found(&fixture, ""), "");
	close_fixture(&fixture);
}

static void
of_equally_long_ones_the_first_wins(void **state)
{
	static const char *const phrases[] = {"x y", "y z", NULL};
	Fixture fixture;

	(void) state;
	open_phrases(&fixture, phrases);
	assert_string_equal(found(&fixture, "x y z"), "x y");
	assert_string_equal(found(&fixture, "x y z x y y z"), "x y|x y|y z");
	close_fixture(&fixture);
}

static void
spellings_do_not_matter(void **state)
{
	static const char *const phrases[] = {"Stra\xC3\x9F"
										  "burg",
										  "McDonald's",
										  "AT&T",
										  "\xC4\xB0stanbul",
										  "Jean\xE2\x80\x91Luc",
										  "U.S.",
										  "Cosby",
										  "caf\xC3\xA9",
										  NULL};
	Fixture fixture;

	(void) state;
	open_phrases(&fixture, phrases);
	assert_string_equal(found(&fixture, "STRASSBURG"), "STRASSBURG");
	assert_string_equal(found(&fixture, "mcdonald\xE2\x80\x99s"), "mcdonald\xE2\x80\x99s");
	assert_string_equal(found(&fixture, "AT & T"), "AT & T");
	assert_string_equal(found(&fixture, "jean-luc"), "jean-luc");
	assert_string_equal(found(&fixture, "the U.S. army"), "U.S.");
	assert_string_equal(found(&fixture, "Cosby's show"), "Cosby");
	assert_string_equal(found(&fixture, "CAFE\xCC\x81"), "CAFE\xCC\x81");
	/* Turkish has four letters i, which are one, as text of other languages has but two. */
	assert_string_equal(found(&fixture, "Istanbul \xC4\xB0STANBUL"), "Istanbul|\xC4\xB0STANBUL");
	close_fixture(&fixture);
}

/* 北京大学 (Peking University), 大学生 (student), 北京 (Beijing), 上海 (Shanghai). */
static void
chinese_is_matched_at_any_character(void **state)
{
	static const char *const phrases[] = {
		"\xE5\x8C\x97\xE4\xBA\xAC\xE5\xA4\xA7\xE5\xAD\xA6", "\xE5\xA4\xA7\xE5\xAD\xA6\xE7\x94\x9F",
		"\xE5\x8C\x97\xE4\xBA\xAC", "\xE4\xB8\x8A\xE6\xB5\xB7", NULL};
	Fixture fixture;

	(void) state;
	open_phrases(&fixture, phrases);
	/* 北京大学生活: the dictionary may cut 大学生 or 生活; the longest phrase is 北京大学. */
	assert_string_equal(
		found(&fixture, "\xE5\x8C\x97\xE4\xBA\xAC\xE5\xA4\xA7\xE5\xAD\xA6\xE7\x94\x9F\xE6\xB4\xBB"),
		"\xE5\x8C\x97\xE4\xBA\xAC\xE5\xA4\xA7\xE5\xAD\xA6");
	/* 在上海, 北京和上海。 */
	assert_string_equal(
		found(&fixture, "\xE5\x9C\xA8\xE4\xB8\x8A\xE6\xB5\xB7\xEF\xBC\x8C\xE5\x8C\x97\xE4\xBA\xAC"
						"\xE5\x92\x8C\xE4\xB8\x8A\xE6\xB5\xB7\xE3\x80\x82"),
		"\xE4\xB8\x8A\xE6\xB5\xB7|\xE5\x8C\x97\xE4\xBA\xAC|\xE4\xB8\x8A\xE6\xB5\xB7");
	close_fixture(&fixture);
}

static void
a_phrase_has_its_types_by_confidence(void **state)
{
	Fixture fixture;
	const MrenLexiconEntry *entries;
	size_t n;
	size_t len;

	(void) state;
	open_fixture(&fixture);
	assert_int_equal(add(&fixture, "Washington", "PER", 0.4, NULL), MREN_OK);
	assert_int_equal(add(&fixture, "washington", "LOC", 0.3, NULL), MREN_OK);
	assert_int_equal(add(&fixture, "WASHINGTON", "LOC", 0.6, NULL), MREN_OK);
	assert_int_equal(add(&fixture, "Washington", "LOC", 0.5, NULL), MREN_OK);
	assert_int_equal(add(&fixture, "Washington", "GPE", 0.4, NULL), MREN_OK);
	assert_int_equal(mren_lexicon_finish(fixture.lexicon, NULL), MREN_OK);
	assert_int_equal(mren_lexicon_n_phrases(fixture.lexicon), 1);
	assert_int_equal(mren_lexicon_n_types(fixture.lexicon), 3);
	assert_string_equal(mren_lexicon_type(fixture.lexicon, 0, &len), "GPE");
	assert_string_equal(mren_lexicon_type(fixture.lexicon, 1, &len), "LOC");
	assert_string_equal(mren_lexicon_type(fixture.lexicon, 2, &len), "PER");
	assert_int_equal(mren_lexicon_type_index(fixture.lexicon, "PER", 3), 2);
	assert_int_equal(mren_lexicon_type_index(fixture.lexicon, "PE", 2), -1);
	assert_int_equal(mren_lexicon_type_index(fixture.lexicon, "X", 1), -1);
	assert_string_equal(found(&fixture, "Washington"), "Washington");
	assert_string_equal(first_type(&fixture), "LOC");
	entries = mren_lexicon_phrase(fixture.lexicon, &fixture.folded, 0, 1, &n);
	assert_int_equal(n, 3);
	assert_int_equal(entries[0].type, 1);
	assert_true(entries[0].confidence == 0.6);
	assert_int_equal(entries[1].type, 0);
	assert_int_equal(entries[2].type, 2);
	close_fixture(&fixture);
}

static void
a_mention_is_known_by_its_last_words(void **state)
{
	static const char *const phrases[] = {"steam engine", "engine", "'s", NULL};
	static const char *const without[] = {"steam engine", "old", NULL};
	Fixture fixture;
	MrenLexiconMatch match;
	size_t n;

	(void) state;
	open_phrases(&fixture, phrases);
	fold(&fixture, "the old steam engine's");
	assert_true(mren_lexicon_last_words(fixture.lexicon, &fixture.folded, 0, 4, &match));
	assert_int_equal(match.first, 2);
	assert_int_equal(match.end, 4);
	assert_true(mren_lexicon_last_words(fixture.lexicon, &fixture.folded, 3, 4, &match));
	assert_int_equal(match.first, 3);
	assert_true(mren_lexicon_last_words(fixture.lexicon, &fixture.folded, 0, 6, &match));
	assert_int_equal(match.first, 4);
	assert_int_equal(match.end, 6);
	assert_false(mren_lexicon_last_words(fixture.lexicon, &fixture.folded, 0, 3, &match));
	assert_false(mren_lexicon_last_words(fixture.lexicon, &fixture.folded, 2, 2, &match));
	assert_null(mren_lexicon_phrase(fixture.lexicon, &fixture.folded, 1, 4, &n));
	assert_non_null(mren_lexicon_phrase(fixture.lexicon, &fixture.folded, 2, 4, &n));
	assert_null(mren_lexicon_phrase(fixture.lexicon, &fixture.folded, 2, 2, &n));
	close_fixture(&fixture);

	open_phrases(&fixture, without);
	fold(&fixture, "the old steam engine's");
	assert_true(mren_lexicon_last_words(fixture.lexicon, &fixture.folded, 0, 6, &match));
	assert_int_equal(match.first, 2);
	assert_int_equal(match.end, 4);
	close_fixture(&fixture);
}

static void
bad_entries_are_refused(void **state)
{
	static char longer[MREN_MAX_PHRASE + 2];
	Fixture fixture;
	MrenError err = {0};

	(void) state;
	memset(longer, 'a', MREN_MAX_PHRASE + 1);
	open_fixture(&fixture);
	assert_int_equal(add(&fixture, "", "T", 1, &err), MREN_EDATA);
	assert_int_equal(add(&fixture, " \xC2\xAD ", "T", 1, &err), MREN_EDATA);
	assert_int_equal(add(&fixture, "x", "", 1, &err), MREN_EDATA);
	assert_string_equal(err.message, "type of phrase \"x\" is empty");
	assert_int_equal(add(&fixture, "x", "T", 0, &err), MREN_EDATA);
	assert_string_equal(err.message,
						"confidence of phrase \"x\" must be above 0 and at most 1, not 0");
	assert_int_equal(add(&fixture, "x", "T", 1.5, &err), MREN_EDATA);
	assert_int_equal(add(&fixture, "x", "T", strtod("nan", NULL), &err), MREN_EDATA);
	assert_int_equal(add(&fixture, "x\xFF", "T", 1, &err), MREN_EDATA);
	assert_int_equal(add(&fixture, "x", "T\xFF", 1, &err), MREN_EDATA);
	assert_int_equal(add(&fixture, longer, "T", 1, &err), MREN_ELIMIT);
	assert_int_equal(add(&fixture, "x", longer, 1, &err), MREN_ELIMIT);
	longer[MREN_MAX_PHRASE] = '\0';
	assert_int_equal(add(&fixture, longer, longer, 1, &err), MREN_OK);
	assert_int_equal(mren_lexicon_finish(fixture.lexicon, &err), MREN_OK);
	assert_string_equal(found(&fixture, longer), longer);
	close_fixture(&fixture);
}

static void
an_empty_lexicon_finds_nothing(void **state)
{
	static const char *const none[] = {NULL};
	Fixture fixture;

	(void) state;
	open_phrases(&fixture, none);
	assert_string_equal(found(&fixture, "anything at all"), "");
	assert_int_equal(mren_lexicon_type_index(fixture.lexicon, "T", 1), -1);
	close_fixture(&fixture);
}

/*
 * The rule said plainly: of all occurrences of all phrases the longest, then
 * the first, is taken, and all that overlap it are dropped.  Words are single
 * letters, so a phrase of n words has 2n - 1 characters.
 */
static size_t
reference(const char *letters, size_t n, char phrases[][8], size_t n_phrases, size_t *firsts,
		  size_t *ends)
{
	bool taken[64] = {false};
	size_t found_end[64] = {0};
	size_t n_found = 0;

	for (size_t length = 7; length > 0; length--)
	{
		for (size_t first = 0; first + length <= n; first++)
		{
			bool free_words = true;
			bool is_phrase = false;

			for (size_t i = first; i < first + length; i++)
				free_words = free_words && !taken[i];
			for (size_t p = 0; p < n_phrases; p++)
				is_phrase = is_phrase || (strlen(phrases[p]) == length &&
										  memcmp(phrases[p], letters + first, length) == 0);
			if (!free_words || !is_phrase)
				continue;
			found_end[first] = first + length;
			for (size_t i = first; i < first + length; i++)
				taken[i] = true;
		}
	}
	for (size_t first = 0; first < n; first++)
	{
		if (found_end[first] == 0)
			continue;
		firsts[n_found] = first;
		ends[n_found++] = found_end[first];
	}
	return n_found;
}

static void
random_letters(MrenRandom *random, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (char) ('a' + mren_random_below(random, 3));
	out[n] = '\0';
}

static void
spaced(const char *letters, char *out)
{
	for (; *letters != '\0'; letters++)
	{
		*out++ = *letters;
		*out++ = ' ';
	}
	*out = '\0';
}

static void
matches_agree_with_a_plain_search(void **state)
{
	MrenRandom random;

	(void) state;
	mren_random_seed(&random, 7, 0);
	for (int round = 0; round < 400; round++)
	{
		Fixture fixture;
		char phrases[12][8];
		char letters[64];
		char text[128];
		size_t firsts[64];
		size_t ends[64];
		size_t n_phrases = 1 + mren_random_below(&random, 12);
		size_t n = mren_random_below(&random, 60);
		size_t n_found;

		open_fixture(&fixture);
		for (size_t p = 0; p < n_phrases; p++)
		{
			random_letters(&random, 1 + mren_random_below(&random, 7), phrases[p]);
			spaced(phrases[p], text);
			assert_int_equal(add(&fixture, text, "T", 1, NULL), MREN_OK);
		}
		assert_int_equal(mren_lexicon_finish(fixture.lexicon, NULL), MREN_OK);
		random_letters(&random, n, letters);
		spaced(letters, text);
		found(&fixture, text);
		n_found = reference(letters, n, phrases, n_phrases, firsts, ends);
		assert_int_equal(fixture.matches.n, n_found);
		for (size_t i = 0; i < n_found; i++)
		{
			assert_int_equal(fixture.matches.items[i].first, firsts[i]);
			assert_int_equal(fixture.matches.items[i].end, ends[i]);
		}
		close_fixture(&fixture);
	}
}

static void
a_large_lexicon_keeps_every_phrase(void **state)
{
	Fixture fixture;
	char phrase[64];
	char type[16];

	(void) state;
	open_fixture(&fixture);
	for (int i = 0; i < 20000; i++)
	{
		snprintf(phrase, sizeof(phrase), "w%d w%d w%d", i % 97, i % 1009, i);
		snprintf(type, sizeof(type), "t%d", i % 700);
		assert_int_equal(add(&fixture, phrase, type, 1, NULL), MREN_OK);
	}
	assert_int_equal(mren_lexicon_finish(fixture.lexicon, NULL), MREN_OK);
	assert_int_equal(mren_lexicon_n_phrases(fixture.lexicon), 20000);
	assert_int_equal(mren_lexicon_n_types(fixture.lexicon), 700);
	for (int i = 0; i < 20000; i++)
	{
		snprintf(phrase, sizeof(phrase), "w%d w%d w%d", i % 97, i % 1009, i);
		snprintf(type, sizeof(type), "t%d", i % 700);
		assert_string_equal(found(&fixture, phrase), phrase);
		assert_string_equal(first_type(&fixture), type);
	}
	close_fixture(&fixture);
}

typedef struct Everything
{
	const char *text;
} Everything;

static MrenStatus
use(const MrenEnv *env, MrenTokenizer *tokenizer, MrenLexicon *lexicon, const char *text,
	MrenError *err)
{
	MrenFolded words = {0};
	MrenLexiconMatches matches = {0};
	MrenStatus status = mren_fold(tokenizer, env, text, strlen(text), &words, err);

	if (status == MREN_OK)
		status = mren_lexicon_match(lexicon, env, &words, &matches, err);
	mren_folded_free(env, &words);
	mren_lexicon_matches_free(env, &matches);
	return status;
}

static MrenStatus
build(MrenTokenizer *tokenizer, MrenLexicon *lexicon, MrenError *err)
{
	char phrase[32];

	for (int i = 0; i < 300; i++)
	{
		snprintf(phrase, sizeof(phrase), "a%d b%d", i % 7, i);
		MREN_TRY(mren_lexicon_add(lexicon, tokenizer, (MrenTextSpan){phrase, strlen(phrase)},
								  (MrenTextSpan){phrase, strlen(phrase)}, 1, err));
	}
	MREN_TRY(mren_lexicon_add(lexicon, tokenizer, (MrenTextSpan){"x x", 3}, (MrenTextSpan){"T", 1},
							  1, err));
	return mren_lexicon_finish(lexicon, err);
}

static MrenStatus
do_everything(const MrenEnv *env, MrenError *err, void *arg)
{
	const Everything *what = arg;
	MrenTokenizer *tokenizer = NULL;
	MrenLexicon *lexicon = NULL;
	MrenStatus status = mren_tokenizer_open(env, &tokenizer, err);

	if (status == MREN_OK)
		status = mren_lexicon_create(env, &lexicon, err);
	if (status == MREN_OK)
		status = build(tokenizer, lexicon, err);
	if (status == MREN_OK)
		status = use(env, tokenizer, lexicon, what->text, err);
	mren_lexicon_free(lexicon);
	mren_tokenizer_close(tokenizer);
	return status;
}

static void
every_failed_allocation_is_reported(void **state)
{
	Everything what = {"a1 b1 \xC3\x84 \xE4\xB8\xAD\xE5\x9B\xBD x x x a2 b2"};

	(void) state;
	test_allocation_sweep(do_everything, &what);
}

static void
every_interruption_is_obeyed(void **state)
{
	size_t n = 40000;
	char *text = malloc(n + 1);
	Everything what = {text};

	(void) state;
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 == 0 ? 'x' : ' ';
	text[n] = '\0';
	test_interrupt_sweep(do_everything, &what);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_folded_as_unicode_says),
		cmocka_unit_test(words_are_cut_at_endings_and_between_characters_without_spaces),
		cmocka_unit_test(positions_are_those_of_the_text),
		cmocka_unit_test(the_longest_phrase_wins),
		cmocka_unit_test(of_equally_long_ones_the_first_wins),
		cmocka_unit_test(spellings_do_not_matter),
		cmocka_unit_test(chinese_is_matched_at_any_character),
		cmocka_unit_test(a_phrase_has_its_types_by_confidence),
		cmocka_unit_test(a_mention_is_known_by_its_last_words),
		cmocka_unit_test(bad_entries_are_refused),
		cmocka_unit_test(an_empty_lexicon_finds_nothing),
		cmocka_unit_test(matches_agree_with_a_plain_search),
		cmocka_unit_test(a_large_lexicon_keeps_every_phrase),
		cmocka_unit_test(every_failed_allocation_is_reported),
		cmocka_unit_test(every_interruption_is_obeyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
