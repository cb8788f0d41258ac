/*
 * test_text_encode.c
 *	  From text to numbered words: spellings, compounds, shapes, mentions.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/encode.h"
#include "text/word_shape.h"
#include "text/spelling.h"
#include "base/utf8.h"

static TestEnv test;
static MrenTokenizer *tokenizer;
static MrenEncoded encoded;
static MrenError err;

/* A vocabulary of the words in a string, numbered by their order. */
typedef struct Words
{
	const char *list; /* separated by single spaces */
	size_t n_asked;
	size_t fail_at; /* 1-based */
} Words;

static MrenStatus
find_word(void *state, const char *word, size_t len, int32_t *id, MrenError *error)
{
	Words *words = state;
	const char *at = words->list;

	*id = -1;
	if (++words->n_asked == words->fail_at)
		return mren_fail(error, MREN_EDATA, "no vocabulary");
	for (int32_t n = 0; at != NULL && *at != '\0'; n++)
	{
		const char *end = strchrnul(at, ' ');

		if ((size_t) (end - at) == len && memcmp(at, word, len) == 0)
		{
			*id = n;
			break;
		}
		at = *end == ' ' ? end + 1 : NULL;
	}
	return MREN_OK;
}

static int
set_up(void **state)
{
	(void) state;
	test_env_init(&test);
	memset(&encoded, 0, sizeof(encoded));
	return mren_tokenizer_open(&test.env, &tokenizer, NULL) == MREN_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void) state;
	mren_encoded_free(&test.env, &encoded);
	mren_tokenizer_close(tokenizer);
	return test.n_live == 0 ? 0 : -1;
}

static MrenStatus
encode(const char *list, const char *text, MrenMention head, MrenMention tail)
{
	Words words = {list, 0, 0};
	MrenVocabulary vocabulary = {&words, find_word};

	memset(&err, 0, sizeof(err));
	return mren_encode(tokenizer, &test.env, &vocabulary,
					   &(MrenMentionPair){{text, strlen(text)}, head, tail}, &encoded, &err);
}

static MrenMention
range(int32_t lower, int32_t upper)
{
	return (MrenMention){.is_range = true, .lower = lower, .upper = upper};
}

static MrenMention
words(const char *text)
{
	return (MrenMention){.text = text, .len = strlen(text)};
}

/*
 * The words, "|" between them, each followed by its pieces: "=3" for a word of
 * the vocabulary, "~name" for a shape.
 */
static const char *
spelled_out(const char *list, const char *text)
{
	static char out[4096];
	size_t used = 0;
	const MrenSentence *sentence = &encoded.sentence;
	/* A mention over everything takes nothing apart. */
	MrenMention all = range(0, (int32_t) mren_utf8_length(text, strlen(text)));

	out[0] = '\0';
	if (encode(list, text, all, all) != MREN_OK)
		return err.message;
	for (uint32_t w = 0; w < sentence->n_words; w++)
	{
		MrenToken span = encoded.words[w];

		used += (size_t) snprintf(out + used, sizeof(out) - used, "%s%.*s", w > 0 ? "|" : "",
								  (int) (span.end - span.start), text + span.start);
		for (uint32_t p = sentence->starts[w]; p < sentence->starts[w + 1]; p++)
		{
			int32_t piece = sentence->pieces[p];

			if (piece >= 0)
				used += (size_t) snprintf(out + used, sizeof(out) - used, "=%d", piece);
			else
				used += (size_t) snprintf(out + used, sizeof(out) - used, "~%s",
										  mren_word_shape_name(-1 - piece));
		}
	}
	return out;
}

static void
words_find_their_numbers_over_spellings(void **state)
{
	(void) state;
	assert_string_equal(spelled_out("the cat", "The cat CAT"), "The=0|cat=1|CAT=1");
	/* As written comes before lower case. */
	assert_string_equal(spelled_out("may May", "May may MAY"), "May=1|may=0|MAY=0");
	assert_string_equal(spelled_out("0000 f#", "1984 F1 F22"),
						"1984=0|F1=1|F22~letters and digits");
	/* Lower case beyond ASCII, composed and decomposed. */
	assert_string_equal(spelled_out("\xC3\xA9t\xC3\xA9", "E\xCC\x81T\xC3\x89"),
						"E\xCC\x81T\xC3\x89=0");
	assert_string_equal(spelled_out("o'clock", "o\xE2\x80\x99"
											   "clock"),
						"o\xE2\x80\x99"
						"clock=0");
	assert_int_equal(encoded.n_fallback, 1);
	assert_int_equal(encoded.n_exact, 0);
}

static void
compounds_are_one_word_of_known_parts(void **state)
{
	(void) state;
	assert_string_equal(spelled_out("well-known well known", "well-known"), "well-known=0");
	assert_string_equal(spelled_out("rib cage", "a rib-cage"), "a~one letter|rib-cage=0=1");
	assert_string_equal(spelled_out("rib", "the rib-gronk is"),
						"the~lower case|rib-gronk=0|is~lower case");
	assert_string_equal(spelled_out("", "blorping-Gronk"),
						"blorping-Gronk~lower case in -ing~capitalized");
	/* A hyphen with space around it joins nothing. */
	assert_string_equal(spelled_out("- a b", "a - b"), "a=1|-=0|b=2");
	assert_string_equal(spelled_out("- a b", "a- b"), "a=1|-=0|b=2");
	assert_string_equal(spelled_out("end start", "end.Start"), "end.Start=0=1");
	assert_string_equal(spelled_out("new york", "new_york"), "new_york=0=1");
	assert_int_equal(encoded.n_fallback, 1);
}

static void
apostrophe_endings_are_split_from_unknown_words(void **state)
{
	(void) state;
	assert_string_equal(spelled_out("dog 's do n't", "dog's don't"), "dog=0|'s=1|do=2|n't=3");
	assert_string_equal(spelled_out("dog's", "dog's"), "dog's=0");
	assert_string_equal(spelled_out("dog 's", "dog\xE2\x80\x99s"), "dog=0|\xE2\x80\x99s=1");
	assert_string_equal(spelled_out("'s rib cage", "rib-cage's"), "rib-cage=1=2|'s=0");
	assert_string_equal(spelled_out("", "dog's"), "dog~lower case|'s~clitic");
	assert_string_equal(spelled_out("brien", "O'Brien"), "O'Brien=0");
	/* Text that was split before: ICU has "'" and "s" apart there. */
	assert_string_equal(spelled_out("'s star", "Cosby 's star"), "Cosby~capitalized|'s=0|star=1");
	assert_string_equal(spelled_out("", "Cosby 's"), "Cosby~capitalized|'s~clitic");
	assert_string_equal(spelled_out("' so", "'so 's-"), "'=0|so=1|'=0|s~one letter|-~punctuation");
}

static void
abbreviations_and_runs_join_where_known(void **state)
{
	(void) state;
	assert_string_equal(spelled_out("u.s. .", "U.S. x."), "U.S.=0|x~one letter|.=1");
	assert_string_equal(spelled_out("us .", "U.S."), "U.S=0|.=1");
	assert_string_equal(spelled_out("... .", "so..."), "so~lower case|...=0");
	assert_string_equal(spelled_out("... .", "so......"), "so~lower case|...=0|...=0");
	assert_string_equal(spelled_out(". --", "so.. -- x"),
						"so~lower case|.=0|.=0|--=1|x~one letter");
	assert_string_equal(spelled_out("mr. mr", "Mr. X"), "Mr.=0|X~one letter");
}

static void
handles_tags_and_addresses_are_single_words(void **state)
{
	(void) state;
	assert_string_equal(spelled_out("libya breaking", "@libya #BREAKING @AFP #Xyz"),
						"@libya=0|#BREAKING=1|@AFP~handle|#Xyz~hashtag");
	assert_string_equal(spelled_out("see .", "see https://t.co/a-b?c=1."),
						"see=0|https://t.co/a-b?c=1~address|.=1");
	assert_string_equal(spelled_out("", "www.x.org/y a@b.cd"),
						"www.x.org/y~address|a@b.cd~address");
	/* A mark after a word is no tag. */
	assert_string_equal(spelled_out("c # x", "c#x"), "c=0|#=1|x=2");
}

static void
unknown_words_have_shapes(void **state)
{
	static const struct
	{
		const char *word;
		MrenWordShape shape;
	} cases[] = {
		{"", MREN_SHAPE_OTHER},
		{"1,234.5", MREN_SHAPE_NUMBER},
		{"\xD9\xA3\xD9\xA4", MREN_SHAPE_NUMBER}, /* Arabic-Indic 34 */
		{"F-16", MREN_SHAPE_DIGITS},
		{"5th", MREN_SHAPE_DIGITS},
		{"--", MREN_SHAPE_PUNCTUATION},
		{"\xE2\x80\x9D", MREN_SHAPE_PUNCTUATION},
		{"+", MREN_SHAPE_SYMBOL},
		{"\xF0\x9F\x98\x80", MREN_SHAPE_SYMBOL},
		{"http://x", MREN_SHAPE_URL},
		{"www.x", MREN_SHAPE_URL},
		{"@x", MREN_SHAPE_HANDLE},
		{"#x", MREN_SHAPE_HASHTAG},
		{"U.S.", MREN_SHAPE_INITIALS},
		{"J.R.R", MREN_SHAPE_INITIALS},
		{"'s", MREN_SHAPE_CLITIC},
		{"n't", MREN_SHAPE_CLITIC},
		{"n\xE2\x80\x99t", MREN_SHAPE_CLITIC},
		{"not", MREN_SHAPE_LOWER},
		{"NATO", MREN_SHAPE_ALL_CAPS},
		{"I", MREN_SHAPE_LETTER},
		{"a", MREN_SHAPE_LETTER},
		{"\xC3\xA9", MREN_SHAPE_LETTER},
		{"1984", MREN_SHAPE_YEAR},
		{"3000", MREN_SHAPE_NUMBER},
		{"1.50", MREN_SHAPE_NUMBER},
		{"Gronk", MREN_SHAPE_CAPITALIZED},
		{"\xC3\x84rzte", MREN_SHAPE_CAPITALIZED},
		{"Gronk-Blorp", MREN_SHAPE_CAPITALIZED},
		{"iPhone", MREN_SHAPE_MIXED_CASE},
		{"McX", MREN_SHAPE_MIXED_CASE},
		{"blorping", MREN_SHAPE_LOWER_ING},
		{"ring", MREN_SHAPE_LOWER},
		{"blorped", MREN_SHAPE_LOWER_ED},
		{"blorply", MREN_SHAPE_LOWER_LY},
		{"blorper", MREN_SHAPE_LOWER_AGENT},
		{"blorpist", MREN_SHAPE_LOWER_AGENT},
		{"blorption", MREN_SHAPE_LOWER_NOUN},
		{"blorpness", MREN_SHAPE_LOWER_NOUN},
		{"blorpless", MREN_SHAPE_LOWER_ADJECTIVE},
		{"blorpous", MREN_SHAPE_LOWER_ADJECTIVE},
		{"blorps", MREN_SHAPE_LOWER_S},
		{"blorpss", MREN_SHAPE_LOWER},
		{"blor-pz", MREN_SHAPE_LOWER_COMPOUND},
		{"\xE4\xB8\xAD\xE5\x9B\xBD", MREN_SHAPE_IDEOGRAPHS},
		{"\xE3\x81\x82", MREN_SHAPE_IDEOGRAPHS},
		{"\xD9\x86\xD9\x88", MREN_SHAPE_UNCASED}, /* Arabic */
		{"\xFF", MREN_SHAPE_OTHER},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		int shape = mren_word_shape(cases[i].word, strlen(cases[i].word));

		if (shape != (int) cases[i].shape)
			fail_msg("\"%s\" is %s", cases[i].word, mren_word_shape_name(shape));
	}
	for (int shape = 0; shape < MREN_N_SHAPES; shape++)
	{
		assert_non_null(mren_word_shape_name(shape));
		assert_string_not_equal(mren_word_shape_name(shape), "unknown");
	}
	assert_string_equal(mren_word_shape_name(-1), "unknown");
	assert_string_equal(mren_word_shape_name(MREN_N_SHAPES), "unknown");
}

static void
assert_span(MrenSpan span, uint32_t first, uint32_t end)
{
	assert_int_equal(span.first, first);
	assert_int_equal(span.end, end);
}

static void
mentions_cover_whole_words(void **state)
{
	(void) state;
	assert_int_equal(encode("", "the big rib-cage hurts", words("rib-cage"), words("big")),
					 MREN_OK);
	assert_int_equal(encoded.sentence.n_words, 4);
	assert_span(encoded.sentence.head, 2, 3);
	assert_span(encoded.sentence.tail, 1, 2);
	/* A mention inside a compound takes it apart: rib | - | cage. */
	assert_int_equal(encode("", "a rib-cage", words("rib"), words("cage")), MREN_OK);
	assert_int_equal(encoded.sentence.n_words, 4);
	assert_span(encoded.sentence.head, 1, 2);
	assert_span(encoded.sentence.tail, 3, 4);
	/* A range inside a token does so, too: con | cat | enate. */
	assert_int_equal(encode("con cat enate", "concatenate", range(3, 6), range(0, 11)), MREN_OK);
	assert_int_equal(encoded.sentence.n_words, 3);
	assert_span(encoded.sentence.head, 1, 2);
	assert_span(encoded.sentence.tail, 0, 3);
	assert_int_equal(encoded.n_exact, 3);
	/* Overlapping mentions share words; identical ones are the same. */
	assert_int_equal(encode("", "a b c d", range(0, 5), range(2, 7)), MREN_OK);
	assert_span(encoded.sentence.head, 0, 3);
	assert_span(encoded.sentence.tail, 1, 4);
	assert_int_equal(encode("", "b a b", words("b"), words("b")), MREN_OK);
	assert_span(encoded.sentence.head, 0, 1);
	assert_span(encoded.sentence.tail, 0, 1);
	/* Of a text that occurs inside the other mention and free, the free one is meant. */
	assert_int_equal(
		encode("", "Oslo University is in Oslo", words("Oslo University"), words("Oslo")), MREN_OK);
	assert_span(encoded.sentence.head, 0, 2);
	assert_span(encoded.sentence.tail, 4, 5);
	assert_int_equal(
		encode("", "Oslo University is in Oslo", words("Oslo"), words("Oslo University")), MREN_OK);
	assert_span(encoded.sentence.head, 4, 5);
	assert_span(encoded.sentence.tail, 0, 2);
	assert_int_equal(encode("", "in Oslo University of Oslo", range(3, 18), words("Oslo")),
					 MREN_OK);
	assert_span(encoded.sentence.tail, 4, 5);
	assert_int_equal(encode("", "Oslo University", words("Oslo University"), words("Oslo")),
					 MREN_OK);
	assert_span(encoded.sentence.head, 0, 2);
	assert_span(encoded.sentence.tail, 0, 1);
	/* The possessive stays outside. */
	assert_int_equal(encode("", "Bill Cosby's star", words("Bill Cosby"), words("star")), MREN_OK);
	assert_span(encoded.sentence.head, 0, 2);
	assert_span(encoded.sentence.tail, 3, 4);
}

static void
spans_of_words_are_exact_in_multibyte_text(void **state)
{
	/* "é" + "'s" (curly), a space, two Chinese characters as a range's halves. */
	static const char text[] = "caf\xC3\xA9\xE2\x80\x99s \xE4\xB8\xAD\xE5\x9B\xBD";
	static const MrenToken want[] = {{0, 5, 0, 4}, {5, 9, 4, 6}, {10, 13, 7, 8}, {13, 16, 8, 9}};

	(void) state;
	assert_int_equal(encode("caf\xC3\xA9", text, range(7, 8), range(0, 4)), MREN_OK);
	assert_int_equal(encoded.sentence.n_words, 4);
	assert_memory_equal(encoded.words, want, sizeof(want));
	assert_span(encoded.sentence.head, 2, 3);
	assert_span(encoded.sentence.tail, 0, 1);
}

static void
coverage_counts_every_word_once(void **state)
{
	(void) state;
	assert_int_equal(encode("the rib of", "The rib-xyz of blorp", range(0, 3), range(4, 11)),
					 MREN_OK);
	assert_int_equal(encoded.n_exact, 1);	 /* of */
	assert_int_equal(encoded.n_fallback, 2); /* The, rib-xyz */
	assert_int_equal(encoded.n_unknown, 1);
	assert_int_equal(encoded.sentence.n_words, 4);
}

static void
errors_name_the_mention(void **state)
{
	(void) state;
	assert_int_equal(encode("", "a cat", words("cat"), words("dog")), MREN_EDATA);
	assert_string_equal(err.message, "tail mention \"dog\" does not occur in the sentence");
	assert_int_equal(encode("", "", words("cat"), words("dog")), MREN_EDATA);
	assert_string_equal(err.message, "head mention \"cat\" does not occur in the sentence");
	assert_int_equal(encode("", "a cat", words("cat"), range(4, 6)), MREN_EPARAM);
	assert_string_equal(err.message, "tail range [4,6) is outside the sentence of 5 characters");
	assert_int_equal(encode("", "a \xFF", words("a"), words("a")), MREN_EDATA);
	assert_string_equal(err.message, "text is not valid UTF-8 at byte 3");
}

static void
single_words_are_looked_up_alone(void **state)
{
	Words list = {"the The 00", 0, 0};
	MrenVocabulary vocabulary = {&list, find_word};
	MrenSpelling how;
	char longest[MREN_MAX_WORD + 2];
	int32_t id;

	(void) state;
	assert_int_equal(mren_vocabulary_lookup(&vocabulary, "The", 3, &id, &how, NULL), MREN_OK);
	assert_int_equal(id, 1);
	assert_int_equal(how, MREN_SPELLING_EXACT);
	assert_int_equal(mren_vocabulary_lookup(&vocabulary, "THE", 3, &id, &how, NULL), MREN_OK);
	assert_int_equal(id, 0);
	assert_int_equal(how, MREN_SPELLING_FALLBACK);
	assert_int_equal(mren_vocabulary_lookup(&vocabulary, "42", 2, &id, NULL, NULL), MREN_OK);
	assert_int_equal(id, 2);
	assert_int_equal(mren_vocabulary_lookup(&vocabulary, "", 0, &id, &how, NULL), MREN_OK);
	assert_int_equal(id, -1);
	assert_int_equal(how, MREN_SPELLING_NONE);
	/* Words at the limit are looked up, also in other spellings; longer ones are not. */
	memset(longest, 'A', sizeof(longest));
	list.n_asked = 0;
	assert_int_equal(mren_vocabulary_lookup(&vocabulary, longest, MREN_MAX_WORD, &id, NULL, NULL),
					 MREN_OK);
	assert_int_equal(list.n_asked, 2);
	assert_int_equal(
		mren_vocabulary_lookup(&vocabulary, longest, MREN_MAX_WORD + 1, &id, NULL, NULL), MREN_OK);
	assert_int_equal(list.n_asked, 2);
	/* Lower case may be longer: U+0130 has two bytes, its lower case three. */
	for (size_t i = 0; i < MREN_MAX_WORD; i += 2)
		memcpy(longest + i, "\xC4\xB0", 2);
	assert_int_equal(mren_vocabulary_lookup(&vocabulary, longest, MREN_MAX_WORD, &id, NULL, NULL),
					 MREN_OK);
	assert_int_equal(id, -1);
}

/* Whatever the text: words are in order, have pieces, and the mentions lie inside. */
static void
long_text_keeps_every_invariant(void **state)
{
	static const char sample[] = "It's U.S.-based @x #y http://a.b/c... 北京是 x-y-z's don't ";
	const size_t n = 1000000 / (sizeof(sample) - 1);
	char *text = malloc(n * (sizeof(sample) - 1) + 1);
	const MrenSentence *sentence = &encoded.sentence;

	(void) state;
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * (sizeof(sample) - 1), sample, sizeof(sample));
	assert_int_equal(encode("it 's x", text, words("@x"), range(40, 300000)), MREN_OK);
	assert_int_equal(sentence->starts[0], 0);
	for (uint32_t w = 0; w < sentence->n_words; w++)
	{
		assert_true(sentence->starts[w + 1] > sentence->starts[w]);
		assert_true(encoded.words[w].start < encoded.words[w].end);
		assert_true(w == 0 || encoded.words[w].start >= encoded.words[w - 1].end);
	}
	assert_int_equal(sentence->starts[sentence->n_words], sentence->n_pieces);
	assert_true(sentence->tail.first < sentence->tail.end);
	assert_true(sentence->tail.end <= sentence->n_words);
	assert_int_equal(encoded.words[sentence->tail.end - 1].char_end, encoded.tail.char_end);
	assert_int_equal(encoded.n_exact + encoded.n_fallback + encoded.n_unknown, sentence->n_words);
	free(text);
}

static MrenStatus
encode_once(const MrenEnv *env, MrenError *error, void *arg)
{
	const char *text = arg;
	Words list = {"the cat 's", 0, 0};
	MrenVocabulary vocabulary = {&list, find_word};
	MrenMention head = range(0, 3);
	MrenTokenizer *mine;
	MrenEncoded out = {0};
	MrenStatus status;

	MREN_TRY(mren_tokenizer_open(env, &mine, error));
	status = mren_encode(mine, env, &vocabulary,
						 &(MrenMentionPair){{text, strlen(text)}, head, head}, &out, error);
	mren_encoded_free(env, &out);
	mren_tokenizer_close(mine);
	return status;
}

static void
failures_release_everything(void **state)
{
	char text[12000];
	Words list = {"the cat", 0, 3};
	MrenVocabulary vocabulary = {&list, find_word};
	MrenMention head = range(0, 3);

	(void) state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = "the cat-dog's hat "[i % 18];
	text[sizeof(text) - 1] = '\0';
	test_allocation_sweep(encode_once, text);
	test_interrupt_sweep(encode_once, text);
	/* The vocabulary's own error comes through. */
	assert_int_equal(mren_encode(tokenizer, &test.env, &vocabulary,
								 &(MrenMentionPair){{text, 100}, head, head}, &encoded, &err),
					 MREN_EDATA);
	assert_string_equal(err.message, "no vocabulary");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_find_their_numbers_over_spellings),
		cmocka_unit_test(compounds_are_one_word_of_known_parts),
		cmocka_unit_test(apostrophe_endings_are_split_from_unknown_words),
		cmocka_unit_test(abbreviations_and_runs_join_where_known),
		cmocka_unit_test(handles_tags_and_addresses_are_single_words),
		cmocka_unit_test(unknown_words_have_shapes),
		cmocka_unit_test(mentions_cover_whole_words),
		cmocka_unit_test(spans_of_words_are_exact_in_multibyte_text),
		cmocka_unit_test(coverage_counts_every_word_once),
		cmocka_unit_test(errors_name_the_mention),
		cmocka_unit_test(single_words_are_looked_up_alone),
		cmocka_unit_test(long_text_keeps_every_invariant),
		cmocka_unit_test(failures_release_everything),
	};

	return cmocka_run_group_tests_name("text encoding", tests, set_up, tear_down);
}
